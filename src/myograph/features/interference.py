"""The interference pattern of a needle: turns, amplitude, activity, small segments, UCA.

A turn is an extreme from which the signal differs by ``threshold`` or more on both sides, as it
came and as it goes on (100 uV, Willison). A segment is what lies between two turns that follow
each other; its amplitude is the difference between them, its length the time between them. The
measures of Nandedkar, Sanders and Stalberg (nandedkar1986) are published in words; the formulas
here are stated with each and are Myograph's reading of them.

They mean something on channels in microvolts only: channels in counts or fractions are refused.
They are not the Willison amplitude of myoelectric control (`wamp`), which counts steps between
neighbouring samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import ParameterError
from myograph.features.amplitude import Windows3D
from myograph.features.base import feature
from myograph.features.thresholds import amplitudes

__all__ = ["FROM_TURNS", "Segments", "segments_of", "turns_of"]

Values = NDArray[np.float64]

_THRESHOLD_UV = 100.0


@dataclass(frozen=True)
class Segments:
    """What lies between the turns of one channel of one window.

    Parameters
    ----------
    n_turns : int
    amplitudes_uv, durations_s : ndarray, shape (max(n_turns - 1, 0),)
    window_s : float
        Length of the window.
    """

    n_turns: int
    amplitudes_uv: Values
    durations_s: Values
    window_s: float


def turns_of(samples: NDArray[np.floating], threshold: float) -> list[int]:
    """Return the sample numbers of the turns of a signal; see `myograph.features.interference`.

    Examples
    --------
    >>> turns_of(np.array([0.0, 150.0, 20.0, 60.0, 0.0, 300.0, 10.0]), 100.0)
    [1, 4, 5]
    """
    low = high = direction = 0
    found: list[int] = []
    for i, value in enumerate(np.asarray(samples, dtype=np.float64)):
        low = i if value < samples[low] else low
        high = i if value > samples[high] else high
        if direction >= 0 and i > high and float(samples[high]) - value >= threshold:
            if direction > 0:  # the signal rose to it by as much before
                found.append(high)
            direction, low = -1, i
        elif direction <= 0 and i > low and value - float(samples[low]) >= threshold:
            if direction < 0:
                found.append(low)
            direction, high = 1, i
    return found


def segments_of(
    samples: NDArray[np.floating], turns: NDArray[np.int64] | list[int], fs_hz: float
) -> Segments:
    """Return the segments between turns."""
    at = np.asarray(turns, dtype=np.int64)
    heights = np.abs(np.diff(np.asarray(samples)[at].astype(np.float64)))
    return Segments(len(at), heights, np.diff(at) / fs_hz, len(samples) / fs_hz)


def _mean(values: Values) -> float:
    return float(values.mean()) if len(values) else 0.0


def _rate(segments: Segments) -> float:
    return segments.n_turns / segments.window_s


def _ratio(segments: Segments) -> float:
    amplitude = _mean(segments.amplitudes_uv)
    return _rate(segments) / amplitude if amplitude > 0 else 0.0


def _activity(segments: Segments, longest_ms: float) -> float:
    short = segments.durations_s[segments.durations_s <= longest_ms / 1000]
    return float(short.sum()) / segments.window_s


def _small(segments: Segments, small_uv: float, small_ms: float) -> float:
    small = (segments.amplitudes_uv < small_uv) & (segments.durations_s < small_ms / 1000)
    return float(small.sum()) / segments.window_s


def _centile(segments: Segments, centile: float) -> float:
    found = segments.amplitudes_uv
    return float(np.percentile(found, centile)) if len(found) else 0.0


#: How each measure follows from segments and its own parameters.
FROM_TURNS: dict[str, Callable[..., float]] = {
    "ip-turns": _rate,
    "ip-amplitude": lambda segments: _mean(segments.amplitudes_uv),
    "ip-ratio": _ratio,
    "ip-activity": _activity,
    "ip-small-segments": _small,
    "ip-uca": _centile,
}


def _check(name: str) -> Callable[..., None]:
    def check(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
        del n_samples, fs_hz
        for parameter, value in parameters.items():
            if parameter != "threshold":
                check_positive(value, name=f"{parameter} of feature {name!r}")
        if parameters.get("centile", 0) > 100:
            raise ParameterError(
                f"centile of feature {name!r} must be at most 100; got {parameters['centile']!r}."
            )
        least, small = np.max(_numbers(parameters["threshold"])), parameters.get("small_uv")
        if small is not None and small <= least:
            raise ParameterError(
                f"small_uv of feature {name!r} must be above its threshold, the least amplitude "
                f"of a segment; got small_uv={small:g} and threshold={least:g}."
            )

    return check


def _numbers(threshold: Any) -> Any:
    return 0.0 if isinstance(threshold, Mapping) else threshold


def _declare(
    name: str,
    description: str,
    *,
    unit: str,
    power: float,
    more: Mapping[str, float] | None = None,
    in_uv: tuple[str, ...] = (),
) -> None:
    parameters = {"threshold": _THRESHOLD_UV, **(more or {})}

    def measure(windows: Windows3D, fs_hz: float, **given: Any) -> Values:
        own = {**parameters, **given}
        limits = amplitudes(
            own.pop("threshold"),
            n_channels=windows.shape[1],
            name=f"threshold of feature {name!r}",
        )
        found = np.empty(windows.shape[:2])
        for place in np.ndindex(*found.shape):
            turns = turns_of(windows[place], float(limits[place[1]]))
            found[place] = FROM_TURNS[name](segments_of(windows[place], turns, fs_hz), **own)
        return found

    measure.__name__ = measure.__qualname__ = name.replace("-", "_")
    measure.__doc__ = f"""{description} (nandedkar1986).

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
        Microvolts.
    fs_hz : float
        Sampling rate.
    **given
        The declared parameters, see `myograph.features.interference`.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        0 where there are too few turns.
    """
    feature(
        name,
        unit=unit,
        amplitude_power=power,
        reference="nandedkar1986",
        parameters=parameters,
        in_signal_units=("threshold", *in_uv),
        channel_units=("uV",),
        check=_check(name),
    )(measure)


_declare("ip-turns", "Turns per second", unit="1/s", power=0)
_declare(
    "ip-amplitude",
    "Mean amplitude per turn: the mean amplitude of the segments",
    unit="signal",
    power=1,
)
_declare(
    "ip-ratio",
    "Turns per second over the mean amplitude per turn, whose largest value over a rising\n    "
    "contraction is the peak ratio",
    unit="1/(s uV)",
    power=-1,
)
_declare(
    "ip-activity",
    "Activity, the fullness of the pattern: the share of time in segments of at most longest_ms",
    unit="1",
    power=0,
    more={"longest_ms": 10.0},
)
_declare(
    "ip-small-segments",
    "Small segments per second: below small_uv and shorter than small_ms",
    unit="1/s",
    power=0,
    more={"small_uv": 2000.0, "small_ms": 3.0},
    in_uv=("small_uv",),
)
_declare(
    "ip-uca",
    "Upper centile amplitude: the amplitude that centile per cent of the segments do not exceed",
    unit="signal",
    power=1,
    more={"centile": 99.0},
)
