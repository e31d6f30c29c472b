"""Decision curves: whether acting on a model does more good than harm, at every price of harm.

The threshold probability says how a decider weighs a missed case against a needless action: at
0.1, one case found is worth nine needless actions (vickers2006).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.decision import Estimate
from myograph.core.errors import DataError, ParameterError
from myograph.validate.stats import resample, resampled_estimate

__all__ = ["THRESHOLDS", "NetBenefit", "decision_curve"]

Array = NDArray[np.float64]

THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class NetBenefit:
    """What acting on the model is worth at one threshold, in cases found per person.

    Parameters
    ----------
    threshold : float
    model, everybody : Estimate
        Acting on the model, and on everybody. Acting on nobody is worth 0.
    gain : Estimate
        The model over the better of everybody and nobody.
    """

    threshold: float
    model: Estimate
    everybody: Estimate
    gain: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NetBenefit:
        """Rebuild it from what `to_dict` gave."""
        worth = {name: Estimate(**data[name]) for name in ("model", "everybody", "gain")}
        return cls(data["threshold"], **worth)


def decision_curve(
    probability: ArrayLike,
    case: ArrayLike,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    prevalence: float | None = None,
    seed: int = 0,
    n_resamples: int = 2000,
) -> tuple[NetBenefit, ...]:
    """Return the net benefit at each threshold, with intervals over people.

    Parameters
    ----------
    probability : array, shape (n_people,)
        Calibrated probability that the person is a case, from a model that has not seen them.
    case : array of bool, shape (n_people,)
    thresholds : sequence of float
        In (0, 1). A person is acted on from the threshold upwards.
    prevalence : float, optional
        Share of cases where the model will be used, in (0, 1); that of the people given if left
        out. With another prevalence, probabilities should be those for it.
    seed, n_resamples : int
        Of the bootstrap over people.

    Raises
    ------
    DataError
        If there is no case, or nothing but cases.

    Examples
    --------
    >>> curve = decision_curve([0.9, 0.6, 0.4, 0.1], [True, False, True, False], thresholds=[0.5])
    >>> curve[0].model.value, curve[0].everybody.value  # 1 found, 1 needless, of 4
    (0.0, 0.0)
    """
    said = np.asarray(probability, dtype=np.float64)
    cases = np.asarray(case, dtype=bool)
    if said.ndim != 1 or said.shape != cases.shape or not ((said >= 0) & (said <= 1)).all():
        raise DataError(
            f"A decision curve needs one probability in [0, 1] and one truth per person; got "
            f"shapes {said.shape} and {cases.shape}."
        )
    if not 0 < cases.sum() < len(cases):
        raise DataError(
            f"{int(cases.sum())} of {len(cases)} people are cases; a decision curve needs people "
            "of both kinds."
        )
    if prevalence is not None:
        _inside(prevalence, name="prevalence")
    counts = resample(len(said), seed=seed, n_resamples=n_resamples)
    everyone = np.vstack([np.ones(len(said)), counts])
    curve = []
    for threshold in thresholds:
        _inside(threshold, name="A threshold")
        acted = (said >= threshold).astype(np.float64)
        model = _net(everyone, acted, cases, threshold, prevalence)
        everybody = _net(everyone, np.ones_like(acted), cases, threshold, prevalence)
        rows = (model, everybody, model - np.maximum(everybody, 0.0))
        curve.append(NetBenefit(float(threshold), *(_estimate(row, len(said)) for row in rows)))
    return tuple(curve)


def _net(
    counts: Array,
    acted: Array,
    cases: NDArray[np.bool_],
    threshold: float,
    prevalence: float | None,
) -> Array:
    """Return the net benefit in each row of counts."""
    ill, well = counts @ cases, counts @ ~cases
    found, needless = counts @ (acted * cases), counts @ (acted * ~cases)
    odds = threshold / (1 - threshold)
    if prevalence is None:
        return np.asarray((found - needless * odds) / (ill + well))
    with np.errstate(invalid="ignore"):  # a resample without cases, or without others, says nothing
        return np.asarray(
            found / ill * prevalence - needless / well * (1 - prevalence) * odds, dtype=np.float64
        )


def _estimate(values: Array, n: int) -> Estimate:
    found = resampled_estimate(
        float(values[0]), values[1:], evidence="person", n=n, bounds=(-np.inf, 1.0)
    )
    if found is None:
        raise DataError("The net benefit is not a finite number; check the probabilities.")
    return found


def _inside(value: float, *, name: str) -> None:
    if not 0 < value < 1:
        raise ParameterError(f"{name} must lie in (0, 1); got {value!r}.")
