"""Electrodes that moved: the spatial pattern is none of those that the calibration showed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from myograph.core.checks import check_positive
from myograph.core.errors import DataError, LayoutError
from myograph.core.layout import MUSCLE_KINDS
from myograph.core.recording import Recording
from myograph.preprocess.artifacts import Artifact
from myograph.signal.pattern import best_rotation, loudness_patterns, pattern_distance
from myograph.signal.runs import runs_of

__all__ = ["Displacement", "find_displacement"]

_ALL = "all channels"


@dataclass(frozen=True, slots=True)
class Displacement:
    """From where on a spatial pattern is strange.

    Parameters
    ----------
    stretch_s : float
        How long the stretches are whose loudness is compared.
    hold_s : float
        How long the pattern has to stay strange: the median over so many stretches decides, and
        what is shorter is a movement that the calibration did not show.
    least_degrees : float
        The limit is never lower.
    spread : float
        The limit is so many times what 95 of 100 stretches of the calibration are away from every
        second one of it.
    quiet : float
        Stretches below this share of the median loudness of the calibration say nothing.
    """

    stretch_s: float = 0.25
    hold_s: float = 3.0
    least_degrees: float = 8.0
    spread: float = 1.5
    quiet: float = 0.5

    def __post_init__(self) -> None:
        for name in ("stretch_s", "hold_s", "least_degrees", "spread", "quiet"):
            check_positive(getattr(self, name), name=name)


def find_displacement(
    recording: Recording,
    calibration: Recording,
    *,
    rule: Displacement | None = None,
    ring: bool = False,
) -> tuple[Artifact, ...]:
    """Find where the electrodes are no longer where they were in the calibration; offline.

    Parameters
    ----------
    recording, calibration : Recording
        Band-passed, with the same muscle channels, at least two. The calibration shows the
        movements that will be made: one that it does not show looks like a displacement while it
        lasts.
    rule : Displacement, optional
    ring : bool
        Whether the channels lie around a limb in their order; then the reason says by how many
        electrodes the ring has turned.

    Returns
    -------
    tuple of Artifact
        Of kind ``"displacement"``, by onset; the severity is the angle over the limit. What comes
        after one is measured elsewhere: calibrate again.

    Raises
    ------
    LayoutError
        If the channels differ, or there is only one.
    DataError
        If the calibration is too short, or holds no activity.
    """
    rule = rule or Displacement()
    names, now = _of(recording)
    others, before = _of(calibration)
    if names != others or recording.fs_hz != calibration.fs_hz or len(names) < 2:
        raise LayoutError(
            "A displacement is told from at least 2 muscle channels that are the same in both "
            f"recordings, at one rate; got {list(names)} and, in the calibration, {list(others)}."
        )
    fs_hz = recording.fs_hz
    reference, loud = loudness_patterns(before, fs_hz=fs_hz, length_s=rule.stretch_s)
    least = rule.quiet * float(np.median(loud))
    reference = reference[loud > least]
    if len(reference) < 8 or least == 0:
        raise DataError(
            f"The calibration has {len(reference)} stretches of {rule.stretch_s:g} s with "
            "activity; at least 8 are needed."
        )
    own = pattern_distance(reference[::2], reference[1::2])
    limit = max(rule.least_degrees, rule.spread * float(np.quantile(own, 0.95)))
    patterns, loudness = loudness_patterns(now, fs_hz=fs_hz, length_s=rule.stretch_s)
    active = np.flatnonzero(loudness > least)
    if len(active) == 0:
        return ()
    away = pattern_distance(patterns[active], reference)
    stretches = max(int(rule.hold_s / rule.stretch_s), 1)
    steady = median_filter(away, size=min(stretches | 1, len(away)), mode="nearest")
    found = []
    for first, stop in runs_of(steady > limit):
        if stop - first >= stretches:
            turn = best_rotation(patterns[active[first:stop]], reference)[0] if ring else 0
            found.append(_event(recording, rule, (active[first], active[stop - 1] + 1),
                                degrees=float(np.median(away[first:stop])), limit=limit,
                                turn=turn))  # fmt: skip
    return tuple(found)


def _of(recording: Recording) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    muscle = recording.select(kinds=MUSCLE_KINDS)
    return muscle.layout.names, muscle.samples


def _event(
    recording: Recording,
    rule: Displacement,
    at: tuple[int, int],
    *,
    degrees: float,
    limit: float,
    turn: int,
) -> Artifact:
    turned = f", as if the ring had turned by {turn:+d} electrodes" if turn else ""
    return Artifact(
        "displacement",
        _ALL,
        recording.start_s + float(at[0]) * rule.stretch_s,
        float(at[1] - at[0]) * rule.stretch_s,
        degrees / limit,
        f"the spatial pattern is {degrees:.0f} degrees from the nearest of the calibration "
        f"(limit {limit:.0f}){turned}",
    )
