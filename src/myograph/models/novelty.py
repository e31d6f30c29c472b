"""Novelty gate: whether a window is like anything the model was trained on.

A detector says how strange a window is; the limit is set by what training people look like to a
detector that has not seen them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.models.autoencoder import Autoencoder, VariationalAutoencoder
from myograph.models.detector import DETECTORS, Detector, build_detector
from myograph.models.mahalanobis import Mahalanobis
from myograph.models.person_quantile import person_quantile

__all__ = [
    "DETECTORS",
    "Autoencoder",
    "Mahalanobis",
    "NoveltyGate",
    "VariationalAutoencoder",
    "build_detector",
    "fit_novelty_gate",
]

Array = NDArray[np.float64]

_GATE = ("limit", "false_alarms", "people")


@dataclass(frozen=True, eq=False)
class NoveltyGate:
    """A detector of what is not known, and a limit.

    Parameters
    ----------
    detector : Detector
        Fitted on everybody.
    limit : float
        Greatest strangeness that passes. Infinite when there are too few people to set one.
    false_alarms : float
        Share of a new person's windows that the limit was set to stop.
    people : int
    """

    detector: Detector
    limit: float
    false_alarms: float
    people: int

    def distance(self, values: ArrayLike) -> Array:
        """Return how strange each row is: for Mahalanobis, in standard deviations.

        Parameters
        ----------
        values : array, shape (n_windows, n_features) or (n_windows, n_channels, n_samples)
            As the detector learned. A row that is not finite is infinitely far.

        Returns
        -------
        ndarray, shape (n_windows,)
        """
        given = np.asarray(values, dtype=np.float64)
        windows = int(self.detector.n_samples_) > 0
        if given.ndim != 2 + windows or given.shape[1] != self.detector.n_features_in_:
            what = "channels" if windows else "features"
            raise DataError(
                f"This gate knows {self.detector.n_features_in_} {what}; got values of shape "
                f"{given.shape}."
            )
        finite = np.isfinite(given.reshape(len(given), -1)).all(axis=1)
        far = np.full(len(given), np.inf)
        if finite.any():
            far[finite] = self.detector.strangeness(given[finite])
        return far

    def stops(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Return which rows are too far from anything known, shape (n_windows,)."""
        return np.asarray(self.distance(values) > self.limit)

    @property
    def note(self) -> str:
        """What a reader of a result has to know about this gate."""
        name = _name_of(self.detector)
        if not np.isfinite(self.limit):
            return (
                f"The novelty gate ({name}) stops nothing: {self.people} people are too few to "
                f"set a limit at {100 * self.false_alarms:g} % false alarms."
            )
        return (
            f"The novelty gate ({name}) refuses windows unlike those of {self.people} training "
            f"people; its limit was set so that about {100 * self.false_alarms:g} % of a new "
            "person's windows are refused without cause."
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything that was learned, as named arrays."""
        own = {name: np.asarray(float(getattr(self, name))) for name in _GATE}
        return {**own, **{f"detector.{k}": v for k, v in self.detector.to_arrays().items()}}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], *, method: str, **params: Any
    ) -> NoveltyGate:
        """Rebuild it from what `to_arrays` gave, the detector's name and its parameters.

        Raises
        ------
        ArtifactError
            If an array is missing or unknown, or the arrays do not fit together.
        """
        inner = {
            k.removeprefix("detector."): v for k, v in arrays.items() if k.startswith("detector.")
        }
        own = {k: v for k, v in arrays.items() if not k.startswith("detector.")}
        if set(own) != set(_GATE) or any(np.shape(v) != () for v in own.values()):
            raise ArtifactError(
                f"A novelty gate is rebuilt from the numbers {list(_GATE)} and the arrays of its "
                f"detector; got {sorted(arrays)}."
            )
        detector = type(build_detector(method)).from_arrays(inner, **params)
        people = int(own["people"])
        return cls(detector, float(own["limit"]), float(own["false_alarms"]), people)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data; an infinite limit is None."""
        return {
            "method": _name_of(self.detector),
            "params": self.detector.get_params(),
            "arrays": {
                name: {"dtype": array.dtype.str, "values": array.tolist()}
                for name, array in self.detector.to_arrays().items()
            },
            "limit": self.limit if np.isfinite(self.limit) else None,
            "false_alarms": self.false_alarms,
            "people": self.people,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NoveltyGate:
        """Rebuild it from what `to_dict` gave."""
        arrays = {
            name: np.array(each["values"], dtype=np.dtype(each["dtype"]))
            for name, each in data["arrays"].items()
        }
        detector = DETECTORS[data["method"]].from_arrays(arrays, **data["params"])
        limit = np.inf if data["limit"] is None else data["limit"]
        return cls(detector, limit, data["false_alarms"], data["people"])


def fit_novelty_gate(  # noqa: PLR0913 - what is known, and what is asked for
    values: ArrayLike,
    people: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    false_alarms: float = 0.05,
    method: str = "mahalanobis",
    folds: int = 5,
    seed: int = 0,
    **params: Any,
) -> NoveltyGate:
    """Learn what is known, and how far a new person's windows usually are from it.

    Each person is measured by a detector fitted without them, so the limit is about people it has
    not seen: at most ``false_alarms`` of a new person's windows are stopped, on average over
    people, nearly (the detectors that set the limit have seen fewer people than the one that is
    kept: one fewer for Mahalanobis, a fold for the others, so their limit is the more careful).

    Parameters
    ----------
    values : array, shape (n_windows, n_features) or (n_windows, n_channels, n_samples)
        Finite. Features with long tails are better given as logarithms, see ``logs``.
    people : array, shape (n_windows,)
    labels : array, shape (n_windows,), optional
        With them, the Mahalanobis distance is to the nearest class. Other detectors learn without.
    false_alarms : float
        In (0, 1).
    method : str
        One of `DETECTORS`.
    folds : int
        People are dealt to so many, for detectors that take time to learn.
    seed : int
        Of the dealing, and of a detector that draws random numbers.
    **params
        Of the detector, ``logs`` among them.

    Raises
    ------
    DataError
        With fewer than 2 people, or values that are not finite.
    ParameterError
        If a name or a parameter is unknown, or the detector takes no labels and they are given.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> people = np.repeat(np.arange(30), 20)
    >>> gate = fit_novelty_gate(rng.standard_normal((600, 3)), people)
    >>> gate.stops([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]).tolist()
    [False, True]
    """
    given = np.asarray(values, dtype=np.float64)
    names, codes = np.unique(np.asarray(people).astype(np.str_), return_inverse=True)
    if given.ndim not in (2, 3) or len(given) != len(codes) or not np.isfinite(given).all():
        raise DataError(
            f"A novelty gate needs finite values, one row per window and a person for each; got "
            f"shape {given.shape} and {len(codes)} people."
        )
    if not 0 < false_alarms < 1:
        raise ParameterError(f"false_alarms must lie in (0, 1); got {false_alarms!r}.")
    check_count(folds, name="folds", least=2)
    if len(names) < 2:
        raise DataError("A novelty gate needs at least 2 people to know how people differ; got 1.")
    cls = DETECTORS[method]
    if labels is not None and not cls.uses_labels:
        raise ParameterError(
            f"Detector {method!r} learns without labels, and labels were given; leave them out, or "
            "take method='mahalanobis'."
        )
    if "seed" in cls._get_param_names():
        params.setdefault("seed", seed)
    detector = build_detector(method, **params)
    codes = codes.astype(np.intp)
    far = detector.strangeness_to_others(given, labels, codes, folds=folds, seed=seed)
    limit = person_quantile(far, codes, miscoverage=false_alarms)
    return NoveltyGate(detector.fit(given, labels, codes), limit, false_alarms, len(names))


def _name_of(detector: Detector) -> str:
    return next(name for name, cls in DETECTORS.items() if cls is type(detector))
