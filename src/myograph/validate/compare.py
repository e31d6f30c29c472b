"""Comparisons: whether one model is better than another on the same people, more than by chance.

Models are compared person by person. Who compares many models finds one better by luck: p-values
are corrected for how many were compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import wilcoxon

from myograph.core.checks import check_choice, check_count, unknown_name
from myograph.core.decision import Estimate
from myograph.core.errors import DataError
from myograph.validate.stats import mean_estimate, resample

__all__ = [
    "CORRECTIONS",
    "TESTS",
    "Comparison",
    "benjamini_hochberg",
    "compare_models",
    "holm",
    "sign_flip",
]

Array = NDArray[np.float64]

TESTS = ("sign-flip", "wilcoxon")
CORRECTIONS = ("holm", "benjamini-hochberg", "none")
#: Up to this many people, every pattern of signs is tried.
_ALL_SIGNS = 14


@dataclass(frozen=True, slots=True)
class Comparison:
    """One model against another.

    Parameters
    ----------
    first, second : str
    difference : Estimate
        First minus second, mean over the people whom both have a score for.
    p : float
        Two-sided, of this pair alone.
    corrected : float
        After the correction for all pairs.
    better : int
        People for whom the first scores higher.
    worse : int
        People for whom it scores lower.
    """

    first: str
    second: str
    difference: Estimate
    p: float
    corrected: float
    better: int
    worse: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Comparison:
        """Rebuild it from what `to_dict` gave."""
        return cls(**{**data, "difference": Estimate(**data["difference"])})

    def turned(self) -> Comparison:
        """Return the same comparison, told from the other side."""
        gap = self.difference
        return Comparison(
            self.second,
            self.first,
            replace(gap, value=0.0 - gap.value, low=0.0 - gap.high, high=0.0 - gap.low),
            self.p,
            self.corrected,
            self.worse,
            self.better,
        )


def compare_models(
    scores: Mapping[str, Mapping[str, float | None]],
    *,
    reference: str | None = None,
    test: str = "sign-flip",
    correction: str = "holm",
    seed: int = 0,
    n_resamples: int = 10_000,
) -> tuple[Comparison, ...]:
    """Compare models pair by pair on the same people.

    Parameters
    ----------
    scores : mapping of str to mapping of str to float
        Model, then person; as in ``result.per_person[metric]``. People without a score by both
        models of a pair are left out of the pair; ``difference.n`` says how many stayed.
    reference : str, optional
        Compare everything with this one; all pairs if left out.
    test : str
        ``"sign-flip"``: if neither is better, each person's difference could as well have had the
        other sign; about the mean difference. ``"wilcoxon"``: the signed ranks, so that one person
        far off counts for little.
    correction : str
        ``"holm"``: any wrong finding at most as often as the level (holm1979);
        ``"benjamini-hochberg"``: wrong findings are at most that share of all (benjamini1995).
    seed, n_resamples : int
        Of signs (all of them up to 14 people), and of the bootstrap behind the interval.

    Raises
    ------
    DataError
        If there are fewer than two models, or a pair shares fewer than two people.

    Examples
    --------
    >>> first = {f"p{k}": 0.8 + k / 100 for k in range(8)}
    >>> second = {f"p{k}": 0.7 + k / 200 for k in range(8)}
    >>> found = compare_models({"lda": first, "majority": second})[0]
    >>> round(found.difference.value, 4), found.p  # 2 of 256 patterns of signs
    (0.1175, 0.0078125)
    """
    check_choice(test, TESTS, name="test")
    check_choice(correction, CORRECTIONS, name="correction")
    check_count(n_resamples, name="n_resamples", least=100)
    if len(scores) < 2:
        raise DataError(f"A comparison needs at least 2 models; got {len(scores)}.")
    if reference is not None and reference not in scores:
        raise DataError(unknown_name(reference, scores, what="reference"))
    pairs = (
        list(combinations(scores, 2))
        if reference is None
        else [(name, reference) for name in scores if name != reference]
    )
    gaps = [_gaps(scores, *pair) for pair in pairs]
    p = [
        sign_flip(gap, seed=seed, n_resamples=n_resamples) if test == "sign-flip" else _ranks(gap)
        for gap in gaps
    ]
    corrected = np.asarray(p)
    if correction != "none":
        corrected = holm(p) if correction == "holm" else benjamini_hochberg(p)
    return tuple(
        Comparison(
            *pair,
            _mean(gap, seed=seed),
            float(alone),
            float(among),
            int((gap > 0).sum()),
            int((gap < 0).sum()),
        )
        for pair, gap, alone, among in zip(pairs, gaps, p, corrected, strict=True)
    )


def sign_flip(differences: ArrayLike, *, seed: int = 0, n_resamples: int = 10_000) -> float:
    """Return the two-sided p-value of the mean difference under flipped signs.

    Parameters
    ----------
    differences : array, shape (n_people,)
    seed, n_resamples : int
        Every pattern of signs is tried for up to 14 people; otherwise so many are drawn, and the
        one observed counts as one of them, so that the p-value is never 0 (phipson2010).

    Examples
    --------
    >>> sign_flip([1.0, 2.0, 3.0])  # 2 of 8 patterns are as far from 0
    0.25
    """
    gaps = np.asarray(differences, dtype=np.float64)
    if gaps.ndim != 1 or not len(gaps) or not np.isfinite(gaps).all():
        raise DataError(
            f"A test of signs needs one finite difference per person; got shape {gaps.shape}."
        )
    n = len(gaps)
    if n <= _ALL_SIGNS:
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    else:
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(n_resamples, n))
    seen = abs(gaps.sum())
    # Sums in another order differ in the last digits: what is equal counts as at least as far.
    as_far = np.abs(signs @ gaps) >= seen - 1e-9 * max(1e-300, float(np.abs(gaps).sum()))
    if n <= _ALL_SIGNS:
        return float(as_far.mean())
    return float((as_far.sum() + 1) / (n_resamples + 1))


def holm(p: ArrayLike) -> Array:
    """Return p-values corrected by Holm's steps, in the order given.

    Parameters
    ----------
    p : array, shape (n_tests,)

    References
    ----------
    holm1979

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03, 0.005]).tolist()
    [0.03, 0.06, 0.06, 0.02]
    """
    values = _p_values(p)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    found = np.empty_like(values)
    found[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return found


def benjamini_hochberg(p: ArrayLike) -> Array:
    """Return p-values corrected for the share of wrong findings, in the order given.

    Parameters
    ----------
    p : array, shape (n_tests,)

    References
    ----------
    benjamini1995

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.005]).tolist()
    [0.02, 0.04, 0.04, 0.02]
    """
    values = _p_values(p)
    order = np.argsort(values, kind="stable")[::-1]
    n = len(values)
    steps = values[order] * n / np.arange(n, 0, -1)
    found = np.empty_like(values)
    found[order] = np.minimum(np.minimum.accumulate(steps), 1.0)
    return found


def _p_values(p: ArrayLike) -> Array:
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise DataError(f"p-values are a list of numbers from 0 to 1; got {values.tolist()}.")
    return values


def _gaps(scores: Mapping[str, Mapping[str, float | None]], first: str, second: str) -> Array:
    one, other = scores[first], scores[second]
    gaps = []
    for person in one:
        a, b = one[person], other.get(person)
        if a is not None and b is not None and math.isfinite(a) and math.isfinite(b):
            gaps.append(a - b)
    if len(gaps) < 2:
        raise DataError(
            f"{first!r} and {second!r} share {len(gaps)} people with a score; comparing them needs "
            "at least 2."
        )
    return np.array(gaps, dtype=np.float64)


def _ranks(gaps: Array) -> float:
    if not gaps.any():
        return 1.0  # nobody differs
    return float(wilcoxon(gaps, zero_method="pratt").pvalue)


def _mean(gaps: Array, *, seed: int) -> Estimate:
    counts = resample(len(gaps), seed=seed)
    found = mean_estimate(gaps, counts, evidence="person", bounds=(-math.inf, math.inf))
    if found is None:
        raise DataError("No person has a difference; there is nothing to compare.")
    return found
