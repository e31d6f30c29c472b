"""Subgroups: the same figure for women and men, young and old, left and right, device and site.

A mean over everybody can hide a group for whom the model fails. A small group can seem to fail, or
to do well, by chance: it is flagged, and never left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count
from myograph.core.decision import Estimate
from myograph.core.errors import DataError
from myograph.core.layout import MUSCLE_KINDS
from myograph.core.recording import Recording
from myograph.core.windows import WindowIndex
from myograph.validate.fold import Groups
from myograph.validate.stats import mean_estimate, resample

__all__ = ["FACTORS", "Subgroup", "age_band", "factors_of", "subgroup_table"]

Array = NDArray[np.float64]

#: What people and recordings are usually told apart by.
FACTORS = ("sex", "age band", "side", "device", "site")
#: What stands where nothing is known.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Subgroup:
    """A figure in one group.

    Parameters
    ----------
    factor, level : str
        ``"sex"``, ``"female"``.
    people : int
    score : Estimate or None
        Mean over the group's people; None where it is defined for none of them.
    difference : Estimate or None
        The group minus everybody else; None where nobody else has the figure.
    small : bool
        Fewer people than asked for: the figure is shown, and should not be relied on.
    """

    factor: str
    level: str
    people: int
    score: Estimate | None
    difference: Estimate | None
    small: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data; ends at infinity are None."""
        return {
            **asdict(self),
            "score": _plain(self.score),
            "difference": _plain(self.difference),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Subgroup:
        """Rebuild it from what `to_dict` gave."""
        both = {name: _estimate(data[name]) for name in ("score", "difference")}
        return cls(**{**data, **both})


def age_band(age_years: float | None, *, edges: tuple[float, ...] = (18, 40, 60, 75)) -> str:
    """Return the band of an age, as text.

    Examples
    --------
    >>> age_band(17.9), age_band(40), age_band(80), age_band(None)
    ('under 18', '40 to 59', '75 and over', 'unknown')
    """
    if age_years is None or not math.isfinite(age_years):
        return UNKNOWN
    if age_years < edges[0]:
        return f"under {edges[0]:g}"
    for low, high in pairwise(edges):
        if age_years < high:
            return f"{low:g} to {high - 1:g}"
    return f"{edges[-1]:g} and over"


def factors_of(recordings: Sequence[Recording], index: WindowIndex) -> dict[str, NDArray[np.str_]]:
    """Return what the headers say of the people, sides, devices and sites behind windows.

    Parameters
    ----------
    recordings : sequence of Recording
        In any order; read one by one.
    index : WindowIndex

    Returns
    -------
    dict of str to ndarray of str, shape (n_windows,)
        Those of `FACTORS` in which the windows differ.
    """
    told = {recording.source_digest: _known(recording) for recording in recordings}
    missing = sorted(set(index.recording.tolist()) - set(told))
    if missing:
        raise DataError(
            f"Windows come from {len(missing)} recordings that were not given; give the "
            "recordings that the table was measured on."
        )
    rows = [told[name] for name in index.recording.tolist()]
    found = {name: np.array([row[name] for row in rows], dtype=np.str_) for name in FACTORS}
    return {name: levels for name, levels in found.items() if len(np.unique(levels)) > 1}


def _known(recording: Recording) -> dict[str, str]:
    person = recording.subject
    muscle = [c for c in recording.layout.channels if c.kind in MUSCLE_KINDS]
    sides = sorted({channel.side for channel in muscle})
    return {
        "sex": person.sex if person and person.sex else UNKNOWN,
        "age band": age_band(person.age_years if person else None),
        "side": " and ".join(sides) or UNKNOWN,
        "device": recording.device or UNKNOWN,
        "site": recording.site or UNKNOWN,
    }


def subgroup_table(
    values: ArrayLike,
    people: ArrayLike,
    factors: Mapping[str, ArrayLike],
    *,
    least: int = 10,
    bounds: tuple[float, float] = (0.0, 1.0),
    seed: int = 0,
) -> tuple[Subgroup, ...]:
    """Return a figure for every level of every factor.

    Parameters
    ----------
    values : array, shape (n_windows,)
        What is averaged: right or wrong, an error. First over a person's windows in the group,
        then over people.
    people : array, shape (n_windows,)
    factors : mapping of str to array, shape (n_windows,)
        The level of each window; empty text is ``"unknown"``. A person may stand in several levels
        of a factor (both sides).
    least : int
        A group of fewer people is flagged.
    bounds : tuple of 2 floats
        Least and greatest possible value.
    seed : int
        Of the bootstrap over people.

    Examples
    --------
    >>> rows = subgroup_table([1, 0, 1], ["p", "q", "r"], {"sex": ["f", "m", "f"]})
    >>> [(row.level, row.people, row.score.value, row.small) for row in rows]
    [('f', 2, 1.0, True), ('m', 1, 0.0, True)]
    """
    check_count(least, name="least")
    figures = np.asarray(values, dtype=np.float64)
    groups = Groups.of(people)
    if figures.ndim != 1 or len(figures) != len(groups):
        raise DataError(
            f"Subgroups need one value and one person per window; got {figures.shape} values and "
            f"{len(groups)} people."
        )
    counts = resample(len(groups.names), seed=seed)
    rows = []
    for factor, given in factors.items():
        levels = np.asarray(given, dtype=np.str_).ravel()
        if len(levels) != len(groups):
            raise DataError(
                f"Factor {factor!r} needs one level per window ({len(groups)}); got {len(levels)}."
            )
        levels = np.where(levels == "", UNKNOWN, levels)
        for level in np.unique(levels).tolist():
            inside = levels == level
            mine = _by_person(figures, groups, inside)
            other = _by_person(figures, groups, ~inside)
            n = int(np.isfinite(mine).sum())
            score = mean_estimate(mine, counts, evidence="person", bounds=bounds)
            difference = _difference(mine, other, counts)
            rows.append(Subgroup(factor, level, n, score, difference, n < least))
    return tuple(rows)


def _by_person(figures: Array, groups: Groups, inside: NDArray[np.bool_]) -> Array:
    counted = inside & np.isfinite(figures)
    n = len(groups.names)
    total = np.bincount(groups.codes[counted], figures[counted], minlength=n)
    many = np.bincount(groups.codes[counted], minlength=n)
    return np.divide(total, many, out=np.full(n, np.nan), where=many > 0)


def _difference(mine: Array, other: Array, counts: Array) -> Estimate | None:
    """Return the difference of two means on the same resampled people."""
    whole = np.vstack([np.ones(len(mine)), counts])
    apart = _means(mine, whole) - _means(other, whole)
    n = int((np.isfinite(mine) | np.isfinite(other)).sum())
    value, drawn = float(apart[0]), apart[1:][np.isfinite(apart[1:])]
    if not math.isfinite(value):
        return None
    if min(np.isfinite(mine).sum(), np.isfinite(other).sum()) < 2:
        return Estimate(value, -math.inf, math.inf, "person", n)  # one person has no spread
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, min(float(low), value), max(float(high), value), "person", n)


def _means(values: Array, counts: Array) -> Array:
    known = np.isfinite(values)
    total, many = counts @ np.where(known, values, 0.0), counts @ known
    return np.divide(total, many, out=np.full(len(counts), np.nan), where=many > 0)


def _estimate(data: Mapping[str, Any] | None) -> Estimate | None:
    if data is None:
        return None
    low = -math.inf if data["low"] is None else data["low"]
    high = math.inf if data["high"] is None else data["high"]
    return Estimate(data["value"], low, high, data["evidence"], data["n"])


def _plain(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    return {k: None if v in (math.inf, -math.inf) else v for k, v in estimate.to_dict().items()}
