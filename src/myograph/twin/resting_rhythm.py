"""When spontaneous potentials come: the timing laws by which they are told apart.

Every law returns a `Rhythm`. The numbers are those of the clinical definitions; a rate that no such
discharge has is warned about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from myograph.core.registry import Registry

__all__ = ["RHYTHMS", "Rhythm"]

Floats = NDArray[np.float64]


class Rhythm(NamedTuple):
    """Times of discharges.

    ``times_s`` ascend; ``scale`` is the amplitude of each relative to 1; ``spans`` are the
    stretches (start, end) that one would call one discharge.
    """

    times_s: Floats
    scale: Floats
    spans: tuple[tuple[float, float], ...]


Law = Callable[[float, float, np.random.Generator], Rhythm]
#: Timing laws: duration in seconds, rate in Hz, random generator.
RHYTHMS: Registry[Law] = Registry("rhythm")


@RHYTHMS.register("regular")
def regular(duration_s: float, rate_hz: float, rng: np.random.Generator) -> Rhythm:
    """Fibre after denervation: regular to a few percent, drifting, slowing before it stops.

    It runs for tens of seconds, and may stop within the recording.
    """
    life_s = float(rng.exponential(60.0)) + 5.0
    cv = float(rng.uniform(0.01, 0.04))
    start, drift = float(rng.random()) / rate_hz, 0.0
    times = []
    at = start
    while at < min(life_s, duration_s):
        times.append(at)
        drift = 0.98 * drift + 0.01 * float(rng.standard_normal())
        # Over the last five seconds of its life the interval grows up to twice.
        slower = 1 + max(0.0, 1 - (life_s - at) / 5.0)
        interval = slower * (1 + drift) * (1 + cv * float(rng.standard_normal()))
        at += max(interval, 0.3) / rate_hz
    return _one_span(times)


@RHYTHMS.register("single unit")
def single_unit(duration_s: float, rate_hz: float, rng: np.random.Generator) -> Rhythm:
    """Whole unit that fires on its own: very regular (coefficient of variation 3.5 %)."""
    n = int(duration_s * rate_hz * 1.5) + 8
    intervals = (1 + 0.035 * np.clip(rng.standard_normal(n), -4, 4)) / rate_hz
    times = float(rng.random()) / rate_hz + np.concatenate([[0.0], np.cumsum(intervals)])
    return _one_span(times[times < duration_s])


@RHYTHMS.register("sporadic")
def sporadic(duration_s: float, rate_hz: float, rng: np.random.Generator) -> Rhythm:
    """Fasciculation: intervals more irregular than chance (gamma of shape 0.7), some doublets."""
    shape, n = 0.7, int(duration_s * rate_hz * 3) + 40
    times = np.cumsum(rng.gamma(shape, 1 / (shape * rate_hz), n))
    times = times[times < duration_s]
    doublet = times[rng.random(len(times)) < 0.08] + rng.uniform(0.005, 0.02)
    times = np.sort(np.concatenate([times, doublet[doublet < duration_s]]))
    return Rhythm(times, np.ones(len(times)), tuple((float(t), float(t)) for t in times))


@RHYTHMS.register("complex repetitive")
def complex_repetitive(duration_s: float, rate_hz: float, rng: np.random.Generator) -> Rhythm:
    """Ephaptic loop: next to no jitter, starts and stops at once, may step to another rate."""
    start = float(rng.uniform(0, 0.3)) * duration_s
    end = min(start + max(float(rng.exponential(8.0)), 1.0), duration_s)
    step_at = start + float(rng.uniform(0.3, 0.9)) * (end - start)
    factor = float(rng.choice([1.0, 0.5, 0.75, 1.33]))
    times, at = [], start
    while at < end:
        times.append(at)
        rate = rate_hz * (factor if at > step_at else 1.0)
        at += (1 + 0.003 * float(rng.standard_normal())) / rate
    return _one_span(times)


@RHYTHMS.register("myotonic")
def myotonic(duration_s: float, rate_hz: float, rng: np.random.Generator) -> Rhythm:
    """Make runs whose rate and amplitude both wax and wane, 20 to 80 a second, seconds long."""
    times: list[float] = []
    scale: list[float] = []
    spans = []
    at = float(rng.exponential(0.5))
    while at < duration_s:
        length = float(rng.uniform(1.0, 4.0))
        start, turn = at, float(rng.uniform(0.2, 0.5))
        swing = float(rng.uniform(0.3, 0.5))
        while at < min(start + length, duration_s):
            phase = (at - start) / length
            # One rise to the turn, then a fall.
            hill = phase / turn if phase < turn else (1 - phase) / (1 - turn)
            times.append(at)
            scale.append(float(0.3 + 0.7 * hill * rng.uniform(0.93, 1.07)))
            rate = np.clip(rate_hz * (1 + swing * (2 * hill - 1)), 20.0, 80.0)
            at += (1 + 0.02 * float(rng.standard_normal())) / float(rate)
        spans.append((start, min(start + length, duration_s)))
        at += float(rng.exponential(2.0)) + 0.5
    return Rhythm(np.array(times), np.array(scale), tuple(spans))


@RHYTHMS.register("myokymic")
def myokymic(duration_s: float, rate_hz: float, rng: np.random.Generator) -> Rhythm:
    """Make groups of 2 to 10 discharges of one unit at ``rate_hz``, a group every 0.1 to 10 s."""
    gap_s = float(np.exp(rng.uniform(np.log(0.5), np.log(3.0))))
    members = int(rng.integers(2, 11))
    times: list[float] = []
    spans = []
    at = float(rng.random()) * gap_s
    while at < duration_s:
        count = int(np.clip(members + rng.integers(-1, 2), 2, 10))
        intervals = (1 + 0.1 * np.clip(rng.standard_normal(count), -3, 3)) / rate_hz
        group = at + np.concatenate([[0.0], np.cumsum(intervals[:-1])])
        group = group[group < duration_s]
        times += group.tolist()
        spans.append((at, float(group[-1])))
        at = float(group[-1]) + gap_s * float(np.exp(0.15 * rng.standard_normal()))
    return Rhythm(np.array(times), np.ones(len(times)), tuple(spans))


@RHYTHMS.register("neuromyotonic")
def neuromyotonic(duration_s: float, rate_hz: float, rng: np.random.Generator) -> Rhythm:
    """Bursts of one unit at 150 to 300 a second whose amplitude falls to the end."""
    times: list[float] = []
    scale: list[float] = []
    spans = []
    at = float(rng.exponential(0.5))
    while at < duration_s:
        length = float(rng.uniform(0.2, 1.5))
        n = max(int(length * rate_hz), 3)
        burst = at + np.cumsum((1 + 0.02 * rng.standard_normal(n)) / rate_hz)
        inside = burst < duration_s
        times += burst[inside].tolist()
        scale += np.linspace(1.0, 0.2, n)[inside].tolist()
        if inside.any():
            spans.append((float(burst[0]), float(burst[inside][-1])))
        at += length + float(rng.exponential(2.0)) + 0.3
    return Rhythm(np.array(times), np.array(scale), tuple(spans))


@RHYTHMS.register("irregular")
def irregular(duration_s: float, rate_hz: float, rng: np.random.Generator) -> Rhythm:
    """End-plate activity: irregular, with intervals down to a few milliseconds."""
    n = int(duration_s * rate_hz * 2) + 40
    intervals = 0.003 + rng.exponential(max(1 / rate_hz - 0.003, 1e-4), n)
    times = np.cumsum(intervals)
    times = times[times < duration_s]
    return _one_span(times, 0.5 + rng.gamma(4.0, 0.125, len(times)))


def _one_span(times: object, scale: Floats | None = None) -> Rhythm:
    found = np.asarray(times, np.float64)
    spans = ((float(found[0]), float(found[-1])),) if found.size else ()
    return Rhythm(found, np.ones(len(found)) if scale is None else scale, spans)
