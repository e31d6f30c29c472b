"""How fast action potentials travel along the muscle fibres, from an array of electrodes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError, LayoutError

__all__ = ["ConductionVelocity", "conduction_velocity"]

# Where the iteration may start; where it ends is not limited.
_START_M_S = (2.0, 7.0)
_N_STARTS = 200

# What a muscle fibre can do, and how alike the aligned channels have to be.
_ACCEPTED_M_S = (2.0, 8.0)

_ITERATIONS = 30


@dataclass(frozen=True, slots=True)
class ConductionVelocity:
    """A conduction velocity, and whether to believe it.

    Parameters
    ----------
    velocity_m_s : float
        Always positive.
    towards : {"+x", "-x"}
        Direction of travel, along rising or falling positions.
    correlation : float
        Mean correlation of each aligned channel with the mean of the others.
    accepted : bool
    reason : str
        Why, or why not.
    n_channels : int
    """

    velocity_m_s: float
    towards: str
    correlation: float
    accepted: bool
    reason: str
    n_channels: int


def conduction_velocity(
    samples: ArrayLike,
    positions_mm: ArrayLike,
    *,
    fs_hz: float,
    least_correlation: float = 0.7,
    least_channels: int = 4,
) -> ConductionVelocity:
    r"""Estimate the conduction velocity by maximum likelihood over all channels.

    Method: farina2001velocity.

    Every channel in turn is compared with the mean of the others, shifted to it; the slowness s
    that minimises the sum of squares over all channels also maximises the power of the aligned
    sum, :math:`\sum_f |\sum_m X_m(f) e^{j 2\pi f p_m s}|^2`, and that is what Newton's iteration
    climbs. Shifts of a fraction of a sample cost nothing in the frequency domain, and positions
    need not be evenly spaced. It starts from the highest of the summed cross-correlations within
    2-7 m/s, in either direction; the result is not limited.

    Parameters
    ----------
    samples : array, shape (n_channels, n_samples)
        Single or double differential signals of one array along the fibres, on one side of the
        innervation zone: some 0.25 to 1 s.
    positions_mm : array, shape (n_channels,)
        Along the fibres.
    fs_hz : float
        Sampling rate.
    least_correlation : float
        For the estimate to be accepted. Each channel is left out of the mean it is compared with,
        so unrelated channels give 0.
    least_channels : int
        At least 3; two channels, or three, cannot tell travelling from standing potentials well.

    Returns
    -------
    ConductionVelocity

    Raises
    ------
    LayoutError
        If there are too few channels, or two lie at one place.
    DataError
        If a channel does not vary, or the samples are too few for the array's length.

    Examples
    --------
    >>> from scipy.ndimage import gaussian_filter1d
    >>> source = gaussian_filter1d(np.random.default_rng(0).standard_normal(4000), 8)
    >>> x = [source[100 - 10 * m : 2100 - 10 * m] for m in range(4)]  # 10 samples later each
    >>> found = conduction_velocity(x, [0, 10, 20, 30], fs_hz=4000)
    >>> round(found.velocity_m_s, 1), found.towards, found.accepted
    (4.0, '+x', True)
    """
    check_positive(fs_hz, name="fs_hz")
    check_count(least_channels, name="least_channels", least=3)
    x = np.asarray(samples, dtype=np.float64)
    p = np.asarray(positions_mm, dtype=np.float64)
    _check(x, p, fs_hz, least_channels)
    x = x - x.mean(axis=1, keepdims=True)
    spectra = np.fft.rfft(x, axis=1)[:, 1:]
    # Phase by position and slowness: radians per (metre times second per metre).
    turns = 2 * np.pi * fs_hz / x.shape[1] * np.arange(1.0, spectra.shape[1] + 1)
    metres = (p - p.mean()) / 1000
    slowness, is_peak = _climb(spectra, turns, metres, _start(x, metres, fs_hz))
    velocity = math.inf if slowness == 0 else 1 / abs(slowness)
    correlation = _left_out(spectra, turns, metres, slowness)
    accepted, reason = _verdict(velocity, correlation, least_correlation, is_peak=is_peak)
    towards = "+x" if slowness >= 0 else "-x"
    return ConductionVelocity(velocity, towards, correlation, accepted, reason, len(x))


def _check(
    x: NDArray[np.float64], p: NDArray[np.float64], fs_hz: float, least_channels: int
) -> None:
    if x.ndim != 2 or p.shape != (len(x),):
        raise LayoutError(
            "samples must be (n_channels, n_samples) with one position along the fibres each; got "
            f"shapes {x.shape} and {p.shape}."
        )
    if len(x) < least_channels:
        raise LayoutError(
            f"A conduction velocity needs at least {least_channels} channels along the fibres; got "
            f"{len(x)}. With fewer it is not reliable (least_channels=3 is the least allowed)."
        )
    if not (np.isfinite(x).all() and np.isfinite(p).all()):
        raise DataError("Samples and positions must be finite; leave gaps out.")
    if len(np.unique(p)) < len(p):
        raise LayoutError(f"Two channels lie at one position; got {p.tolist()} mm.")
    flat = np.flatnonzero(np.ptp(x, axis=1) == 0)
    if flat.size:
        raise DataError(f"Channels {flat.tolist()} do not vary; leave them out.")
    longest_s = float(np.ptp(p)) / 1000 / _START_M_S[0]
    if x.shape[1] < 4 * longest_s * fs_hz:
        raise DataError(
            f"{x.shape[1] / fs_hz:.3g} s are too short for an array of {np.ptp(p):g} mm: a slow "
            f"potential takes {longest_s:.3g} s along it, and four times that is needed."
        )


def _start(x: NDArray[np.float64], metres: NDArray[np.float64], fs_hz: float) -> float:
    """Return the slowness with the highest summed cross-correlation, in either direction."""
    slow, fast = _START_M_S
    one_way = np.linspace(1 / fast, 1 / slow, _N_STARTS)
    tried = np.concatenate([-one_way, one_way])
    reach = math.ceil(float(np.ptp(metres)) / slow * fs_hz) + 1
    lags = np.arange(-reach, reach + 1)
    # Room for the longest lag keeps the end of the signal from meeting its beginning.
    spectra = np.fft.rfft(x, x.shape[1] + reach, axis=1)
    total = np.zeros(len(tried))
    for first in range(len(x)):
        for second in range(first + 1, len(x)):
            crossed = np.fft.irfft(spectra[second] * spectra[first].conj(), x.shape[1] + reach)
            delays = tried * (metres[second] - metres[first]) * fs_hz
            total += np.interp(delays, lags, crossed[lags])
    return float(tried[int(total.argmax())])


def _climb(
    spectra: NDArray[np.complex128],
    turns: NDArray[np.float64],
    metres: NDArray[np.float64],
    slowness: float,
) -> tuple[float, bool]:
    """Return where the power of the aligned sum is highest, and whether that is a peak.

    Newton's iteration.
    """
    for _ in range(_ITERATIONS):
        aligned = _aligned(spectra, turns, metres, slowness)
        rates = 1j * turns * metres[:, None]
        total, first = aligned.sum(axis=0), (rates * aligned).sum(axis=0)
        second = (rates**2 * aligned).sum(axis=0)
        gradient = 2 * float((first * total.conj()).real.sum())
        curvature = 2 * float((second * total.conj()).real.sum() + np.square(np.abs(first)).sum())
        if curvature >= 0:
            return slowness, False
        step = gradient / curvature
        slowness -= step
        if abs(step) < 1e-12:
            return slowness, True
    return slowness, False


def _aligned(
    spectra: NDArray[np.complex128],
    turns: NDArray[np.float64],
    metres: NDArray[np.float64],
    slowness: float,
) -> NDArray[np.complex128]:
    shifted: NDArray[np.complex128] = spectra * np.exp(1j * slowness * metres[:, None] * turns)
    return shifted


def _left_out(
    spectra: NDArray[np.complex128],
    turns: NDArray[np.float64],
    metres: NDArray[np.float64],
    slowness: float,
) -> float:
    """Return the mean correlation of each aligned channel with the sum of the others."""
    aligned = _aligned(spectra, turns, metres, slowness)
    others = aligned.sum(axis=0) - aligned
    joint = (aligned * others.conj()).real.sum(axis=1)
    sizes = np.square(np.abs(aligned)).sum(axis=1) * np.square(np.abs(others)).sum(axis=1)
    return float((joint / np.sqrt(sizes)).mean())


def _verdict(
    velocity: float, correlation: float, least: float, *, is_peak: bool
) -> tuple[bool, str]:
    low, high = _ACCEPTED_M_S
    if correlation < least:
        return False, (
            f"the aligned channels correlate by {correlation:.2f}, less than {least:g}: noise, "
            "potentials that do not travel, or an innervation zone or tendon under the array"
        )
    if not is_peak:
        return False, "no velocity fits better than its neighbours: the potentials do not travel"
    if not low <= velocity <= high:
        return False, f"{velocity:.3g} m/s is no velocity of muscle fibres ({low:g}-{high:g} m/s)"
    return True, f"the aligned channels correlate by {correlation:.2f}"
