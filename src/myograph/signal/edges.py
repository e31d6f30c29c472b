"""When exactly an epoch of muscle action begins: a change point that allows for the rise.

Recruitment takes time: the power of the EMG climbs over some milliseconds, and a model of a sudden
change puts the onset in the middle of the climb, the later the slower. Here the amplitude rises
linearly over a time that nobody knows, and what is reported is the median of what the samples
leave possible, with its interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import DataError
from myograph.signal.changepoint import Change, profile_likelihood
from myograph.signal.whitening import autoregression, power_response, whiten

__all__ = ["RISES_MS", "Onset", "contrast", "locate_onset"]

#: Rise times that are thought possible, equally likely: sudden, to a slow voluntary effort.
RISES_MS = (1.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0)

_ORDER = 12
_BINS = 257
# Kept clear on either side of a first guess when a stretch is to be all rest or all action.
_CLEAR_S = 0.03
_LEAST_S = 0.05
# What counts as near the reported onset in its certainty.
_NEAR_S = 0.01


@dataclass(frozen=True, slots=True)
class Onset:
    """When action begins, and how sure that is.

    Parameters
    ----------
    at_s : float
        Seconds from the first sample: the posterior median.
    low_s, high_s : float
        The posterior's 95 % interval.
    certainty : float
        Probability that the onset lies within 10 ms of ``at_s``.
    gain : float
        Log-likelihood of a change over that of none; above some 10 a change is beyond doubt.
    snr_db : float
        Power that action adds, over the power of rest.
    """

    at_s: float
    low_s: float
    high_s: float
    certainty: float
    gain: float
    snr_db: float


def locate_onset(samples: ArrayLike, *, fs_hz: float) -> Onset:
    """Find the one onset in a stretch that begins in rest and ends in action.

    Three steps: a first guess (`profile_likelihood` on the whitened stretch); a filter that shows
    best what action adds to rest (`contrast`); the likelihood of every onset and rise time under
    a linear rise of the amplitude, the rise time then summed over.

    An offset is the onset of the reversed samples.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        One channel, at least 0.1 s, rest first.
    fs_hz : float
        Sampling rate.

    Raises
    ------
    DataError
        If the stretch is too short, does not vary, or does not end louder than it begins.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(1000) * np.where(np.arange(1000) < 600, 1, 10)
    >>> abs(locate_onset(x, fs_hz=1000).at_s - 0.6) < 0.005
    True
    """
    x = np.asarray(samples, dtype=np.float64)
    check_positive(fs_hz, name="fs_hz")
    least = round(_LEAST_S * fs_hz)
    if x.ndim != 1 or len(x) < 2 * least + 2:
        raise DataError(
            f"An onset is looked for in at least {2 * _LEAST_S:g} s of one channel "
            f"({2 * least + 2} samples); got shape {x.shape}."
        )
    x = x - x.mean()
    guess = _first_guess(x, fs_hz, least)
    if guess.after <= guess.before:
        raise DataError(
            "The stretch ends quieter than it begins, so there is no onset in it; reverse the "
            "samples to look for an offset."
        )
    rest, action = _sides(x, guess.at, fs_hz)
    rises = sorted({max(1, round(ms * fs_hz / 1000)) for ms in RISES_MS})
    posterior = _posterior(contrast(x, rest, action), guess.at, rises, fs_hz)
    low, middle, high = np.searchsorted(np.cumsum(posterior), [0.025, 0.5, 0.975])
    near = round(_NEAR_S * fs_hz)
    certainty = float(posterior[max(0, middle - near) : middle + near + 1].sum())
    snr = max(float(np.mean(action**2)) / float(np.mean(rest**2)) - 1, 1e-3)
    return Onset(
        float(middle / fs_hz),
        float(low / fs_hz),
        float(high / fs_hz),
        min(certainty, 1.0),
        guess.gain,
        float(10 * np.log10(snr)),
    )


def contrast(
    samples: NDArray[np.float64], rest: NDArray[np.float64], action: NDArray[np.float64]
) -> NDArray[np.float64]:
    r"""Filter so that energy tells action from rest best, without delay.

    Between Gaussian rest with spectrum :math:`S_0` and Gaussian action with :math:`S_1`, the
    log-likelihood ratio is, up to a constant, the energy behind a filter with
    :math:`|H|^2 = 1/S_0 - 1/S_1`: whitening, times how much action rises above rest.

    Parameters
    ----------
    samples, rest, action : ndarray, shape (n,)
        What to filter, and examples of either.

    Returns
    -------
    ndarray, shape (n,)
        As long as ``samples``.
    """
    spectra = []
    for part in (rest, action):
        order = max(1, min(_ORDER, len(part) // 8))
        spectra.append(power_response(*autoregression(part, order=order), n_bins=_BINS))
    gain = np.sqrt(np.maximum(1 / spectra[0] - 1 / spectra[1], 0))
    half = (_BINS - 1) // 4
    response = np.fft.irfft(gain)
    taps = np.concatenate([response[-half:], response[: half + 1]]) * np.hanning(2 * half + 1)
    padded = np.pad(samples, half, mode="reflect" if len(samples) > half else "edge")
    return np.convolve(padded, taps, "valid")


def _first_guess(x: NDArray[np.float64], fs_hz: float, least: int) -> Change:
    """Guess on samples whitened by the whole, then by what lies before the guess."""
    order = min(_ORDER, least // 4)
    if order < 1:
        return profile_likelihood(x, least=least)
    change = profile_likelihood(x, least=least)
    for _ in range(2):
        rest, _ = _sides(x, change.at, fs_hz)
        coefficients, _ = autoregression(rest, order=max(1, min(order, len(rest) // 8)))
        change = profile_likelihood(whiten(x, coefficients), least=least)
    return change


def _sides(
    x: NDArray[np.float64], at: int, fs_hz: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is rest and what is action, clear of the guess where there is room."""
    clear, least = round(_CLEAR_S * fs_hz), round(_LEAST_S * fs_hz)
    before = max(min(at, least), at - clear)
    after = min(max(at, len(x) - least), at + clear)
    return x[:before], x[after:]


def _posterior(
    y: NDArray[np.float64], guess: int, rises: list[int], fs_hz: float
) -> NDArray[np.float64]:
    """Return the probability of each sample to be the onset, shape (n_samples,)."""
    n = len(y)
    rest, action = _sides(y, guess, fs_hz)
    quiet, loud = float(np.mean(rest**2)), float(np.mean(action**2))
    energy = y * y
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    log_likelihood = np.full((len(rises), n), -np.inf)
    for row, rise in enumerate(rises):
        onsets = np.arange(1, n - rise)
        shares = (np.arange(1, rise + 1) / (rise + 1)) ** 2
        variances = quiet + (loud - quiet) * shares
        climbing = np.correlate(energy, 1 / variances, "valid")[onsets]
        flat = sums[onsets] / quiet + (sums[-1] - sums[onsets + rise]) / loud
        logs = onsets * np.log(quiet) + (n - rise - onsets) * np.log(loud)
        log_likelihood[row, onsets] = -0.5 * (flat + climbing + logs + np.log(variances).sum())
    # Filtered samples are alike, so they say less than their number: the likelihood counts each
    # independent stretch of them once. Rest and action differ in this; the onset is between them.
    share = np.sqrt(_independent_share(rest) * _independent_share(action))
    posterior = np.exp((log_likelihood - log_likelihood.max()) * share).sum(axis=0)
    return posterior / posterior.sum()


def _independent_share(y: NDArray[np.float64]) -> float:
    """Return how many independent energies there are per sample of a coloured stretch."""
    power = np.abs(np.fft.rfft(y - y.mean(), 2 * len(y))) ** 2
    lags = np.fft.irfft(power)[: max(2, len(y) // 4)]
    alike = np.square(lags / lags[0])  # correlation of Gaussian energies: that of samples, squared
    reach = np.argmax(alike < 0.02) or len(alike)
    return float(1 / (1 + 2 * alike[1:reach].sum()))
