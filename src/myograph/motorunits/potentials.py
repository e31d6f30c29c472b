"""Potentials in a needle recording, and what their shapes are like, without sorting them by unit.

A template needs a motor unit that fires alone, which an interference pattern does not show. Shapes
of single potentials, the largest hundreds of them, need no template: their centiles tell thick from
thin and smooth from ragged potentials. They are not the MUAP measures of an expert
(`myograph.motorunits.waveform`), whose limits do not apply: potentials overlap here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import find_peaks

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError

__all__ = ["PotentialRules", "Shapes", "count_turns", "find_potentials", "noise_uv", "shapes_of"]

Floats = NDArray[np.float64]

#: Deviation of Gaussian noise over its median magnitude.
_MEDIAN = 0.6744897501960817


@dataclass(frozen=True, slots=True, kw_only=True)
class PotentialRules:
    """What counts as a potential, and how much of it is looked at.

    Parameters
    ----------
    above_noise : float
        A peak is this many times as large as the noise, by its median magnitude.
    apart_ms : float
        Two potentials are at least so far apart.
    most : int
        The largest so many are measured.
    around_ms, rise_ms, thickness_ms : float
        Half of the stretch around a peak in which turns, peaks and area are measured.
    turn_share : float
        A turn differs from its neighbours by this share of the potential's amplitude.
    """

    above_noise: float = 4.0
    apart_ms: float = 3.0
    most: int = 400
    around_ms: float = 10.0
    rise_ms: float = 3.0
    thickness_ms: float = 5.0
    turn_share: float = 0.1

    def __post_init__(self) -> None:
        for name in ("above_noise", "apart_ms", "around_ms", "rise_ms", "thickness_ms"):
            check_positive(getattr(self, name), name=name)
        check_positive(self.turn_share, name="turn_share")
        check_count(self.most, name="most")
        if max(self.rise_ms, self.thickness_ms) > self.around_ms:
            raise DataError("rise_ms and thickness_ms must not be longer than around_ms.")


@dataclass(frozen=True, eq=False)
class Shapes:
    """Measures of single potentials, one number each.

    Parameters
    ----------
    amplitude_uv : ndarray, shape (n_potentials,)
        Peak to peak.
    thickness_ms : ndarray
        Area over amplitude.
    width_ms : ndarray
        Of the peak, at half its height.
    rise_ms : ndarray
        Between the largest peak and the largest trough near it.
    turns : ndarray
    """

    amplitude_uv: Floats
    thickness_ms: Floats
    width_ms: Floats
    rise_ms: Floats
    turns: Floats

    def __len__(self) -> int:
        """Count the potentials."""
        return len(self.amplitude_uv)


def noise_uv(samples_uv: ArrayLike) -> float:
    """Return the deviation that the median magnitude would have in Gaussian noise.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(100_000)
    >>> abs(noise_uv(20 * noise) - 20) < 0.3
    True
    """
    return float(np.median(np.abs(_checked(samples_uv)))) / _MEDIAN


def find_potentials(
    samples_uv: ArrayLike, *, fs_hz: float, rules: PotentialRules | None = None
) -> NDArray[np.intp]:
    """Return the sample numbers of the peaks of potentials, either way up, in order.

    Parameters
    ----------
    samples_uv : array, shape (n_samples,)
        Band-passed, in microvolts, on a baseline of 0.
    fs_hz : float
    rules : PotentialRules, optional

    Raises
    ------
    DataError
        If the samples are not one finite channel.
    """
    rule, samples = rules or PotentialRules(), _checked(samples_uv)
    rate = check_positive(fs_hz, name="fs_hz")
    least = rule.above_noise * noise_uv(samples)
    apart = max(1, int(rule.apart_ms * rate / 1000))
    found: NDArray[np.intp] = find_peaks(np.abs(samples), height=least, distance=apart)[0]
    return found[np.abs(samples[found]) > 0]


def shapes_of(
    samples_uv: ArrayLike,
    peaks: NDArray[np.integer[Any]],
    *,
    fs_hz: float,
    rules: PotentialRules | None = None,
) -> Shapes:
    """Measure the largest potentials; those cut by the ends are left out.

    Parameters
    ----------
    samples_uv : array, shape (n_samples,)
    peaks : ndarray of int, shape (n_peaks,)
        See `find_potentials`.
    fs_hz : float
    rules : PotentialRules, optional

    Returns
    -------
    Shapes
        In order of size, the largest first.
    """
    rule, samples = rules or PotentialRules(), _checked(samples_uv)
    rate = check_positive(fs_hz, name="fs_hz")
    half, near, thick = (
        max(1, int(ms * rate / 1000)) for ms in (rule.around_ms, rule.rise_ms, rule.thickness_ms)
    )
    at = np.asarray(peaks)
    at = at[(at > half) & (at < len(samples) - half - 1)]
    at = at[np.argsort(-np.abs(samples[at]), kind="stable")][: rule.most]
    if len(at) == 0:
        return Shapes(*(np.empty(0) for _ in range(5)))
    waves = np.stack([samples[peak - half : peak + half + 1] for peak in at])
    middle = waves[:, half - near : half + near + 1]
    amplitude = np.ptp(middle, axis=1)
    area = np.abs(waves[:, half - thick : half + thick + 1]).sum(axis=1) * 1000 / rate
    rise = np.abs(middle.argmax(axis=1) - middle.argmin(axis=1)) * 1000 / rate
    width = np.array([_half_width(wave, half) for wave in waves]) * 1000 / rate
    ragged = [
        count_turns(wave, size)
        for wave, size in zip(waves, rule.turn_share * amplitude, strict=True)
    ]
    return Shapes(amplitude, area / amplitude, width, rise, np.array(ragged, dtype=np.float64))


@numba.njit(cache=True, nogil=True)
def count_turns(samples: Floats, threshold: float) -> int:
    """Count extremes from which the signal differs by ``threshold`` on both sides."""
    low, high, direction, count = 0, 0, 0, 0
    for i in range(len(samples)):
        value = samples[i]
        if value < samples[low]:
            low = i
        if value > samples[high]:
            high = i
        if direction >= 0 and i > high and samples[high] - value >= threshold:
            count += direction > 0  # it rose to it by as much before
            direction, low = -1, i
        elif direction <= 0 and i > low and value - samples[low] >= threshold:
            count += direction < 0
            direction, high = 1, i
    return count


@numba.njit(cache=True, nogil=True)
def _half_width(wave: Floats, peak: int) -> int:
    """Return how many samples around the peak stay above half its height."""
    height = abs(wave[peak]) / 2
    first = last = peak
    while first > 0 and abs(wave[first]) > height:
        first -= 1
    while last < len(wave) - 1 and abs(wave[last]) > height:
        last += 1
    return int(last - first)


def _checked(samples_uv: ArrayLike) -> Floats:
    samples = np.asarray(samples_uv, dtype=np.float64)
    if samples.ndim != 1 or len(samples) < 3:
        raise DataError(f"One channel of at least 3 samples is needed; got shape {samples.shape}.")
    if not np.isfinite(samples).all():
        raise DataError("Samples must be finite; repair or leave out what was not measured.")
    return samples
