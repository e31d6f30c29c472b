"""Filters as second-order sections: design, causal state, zero phase, response, delay.

Second-order sections keep their accuracy where polynomial coefficients lose it: a 5-500 Hz band
at 20 kHz has poles within a thousandth of the unit circle. The state is float64 and the output
float32, so pushing a signal in pieces gives the same bits as pushing it whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import butter, sosfiltfilt

from myograph.core.checks import (
    check_below_nyquist,
    check_count,
    check_positive,
)
from myograph.core.errors import DataError, ParameterError

__all__ = [
    "CausalFilter",
    "design_bandpass",
    "design_highpass",
    "design_lowpass",
    "design_notch",
    "frequency_response",
    "group_delay_s",
    "settling_samples",
    "steady_state",
    "zero_phase",
]

Sections = NDArray[np.float64]

# Samples filtered at once: bounds the float64 copies of a long, wide recording to a few MB.
_BLOCK = 1 << 19

# How far the gain may be off where it is known before a design is refused: past this the
# coefficients have too few digits left for what was asked.
_GAIN_TOLERANCE = 1e-4

# Gain of a Butterworth filter at its edges: -3 dB.
_EDGE = math.sqrt(0.5)


def design_bandpass(low_hz: float, high_hz: float, *, order: int, fs_hz: float) -> Sections:
    """Design a Butterworth band-pass.

    Parameters
    ----------
    low_hz, high_hz : float
        Edges, where the gain is -3 dB.
    order : int
        Order at each edge: the slope on either side is 6 dB per octave times ``order``.
    fs_hz : float
        Sampling rate.

    Returns
    -------
    ndarray, shape (order, 6)
        Second-order sections, ``b0 b1 b2 1 a1 a2`` each.

    Raises
    ------
    ParameterError
        If the edges are not ``0 < low_hz < high_hz < fs_hz / 2``, or the filter cannot be
        represented accurately.

    Examples
    --------
    >>> design_bandpass(20, 450, order=4, fs_hz=2000).shape
    (4, 6)
    """
    check_positive(low_hz, name="low_hz")
    check_below_nyquist(high_hz, fs_hz=fs_hz, name="high_hz")
    if low_hz >= high_hz:
        raise ParameterError(
            f"low_hz must be below high_hz; got low_hz={low_hz:g} and high_hz={high_hz:g}."
        )
    sections = _butterworth((low_hz, high_hz), "bandpass", order, fs_hz)
    centre_hz = _centre_hz(low_hz, high_hz, fs_hz)
    return _accurate(sections, {low_hz: _EDGE, centre_hz: 1.0, high_hz: _EDGE}, fs_hz=fs_hz)


def design_highpass(low_hz: float, *, order: int, fs_hz: float) -> Sections:
    """Design a Butterworth high-pass that keeps what lies above ``low_hz`` (-3 dB there).

    See `design_bandpass` for the parameters, the result and the errors.
    """
    check_below_nyquist(low_hz, fs_hz=fs_hz, name="low_hz")
    sections = _butterworth(low_hz, "highpass", order, fs_hz)
    return _accurate(sections, {low_hz: _EDGE, fs_hz / 2: 1.0}, fs_hz=fs_hz)


def design_lowpass(high_hz: float, *, order: int, fs_hz: float) -> Sections:
    """Design a Butterworth low-pass that keeps what lies below ``high_hz`` (-3 dB there).

    See `design_bandpass` for the parameters, the result and the errors.
    """
    check_below_nyquist(high_hz, fs_hz=fs_hz, name="high_hz")
    sections = _butterworth(high_hz, "lowpass", order, fs_hz)
    return _accurate(sections, {0.0: 1.0, high_hz: _EDGE}, fs_hz=fs_hz)


def design_notch(frequency_hz: float, *, quality: float, harmonics: int, fs_hz: float) -> Sections:
    """Design notches at ``frequency_hz`` and its multiples.

    Parameters
    ----------
    frequency_hz : float
        Centre of the first notch.
    quality : float
        Centre over -3 dB width, the same for every notch: mains drift grows with the multiple,
        and so does the width.
    harmonics : int
        How many notches: 1 is the fundamental alone, 3 adds twice and three times it.
    fs_hz : float
        Sampling rate.

    Returns
    -------
    ndarray, shape (harmonics, 6)

    Raises
    ------
    ParameterError
        If a notch would lie at or above the Nyquist frequency.

    Examples
    --------
    >>> notch = design_notch(50, quality=30, harmonics=2, fs_hz=1000)
    >>> abs(frequency_response(notch, [100.0], fs_hz=1000)).round(6).tolist()
    [0.0]
    """
    check_positive(frequency_hz, name="frequency_hz")
    check_positive(quality, name="quality")
    check_count(harmonics, name="harmonics")
    highest_hz = harmonics * frequency_hz
    if highest_hz >= fs_hz / 2:
        raise ParameterError(
            f"Notch {harmonics} of {frequency_hz:g} Hz lies at {highest_hz:g} Hz, at or above the "
            f"Nyquist frequency ({fs_hz / 2:g} Hz) of a signal sampled at {fs_hz:g} Hz; "
            f"at most harmonics={math.ceil(fs_hz / 2 / frequency_hz) - 1} fits."
        )
    return np.array([_notch(k * frequency_hz, quality, fs_hz) for k in range(1, harmonics + 1)])


def frequency_response(
    sections: Sections, frequencies_hz: ArrayLike, *, fs_hz: float
) -> NDArray[np.complex128]:
    """Return the complex gain at ``frequencies_hz``; its magnitude is the gain."""
    delay = _unit_delay(frequencies_hz, fs_hz)
    response = np.ones(delay.shape, dtype=np.complex128)
    for section in sections:
        response *= np.polyval(section[2::-1], delay) / np.polyval(section[:2:-1], delay)
    return response


def group_delay_s(
    sections: Sections, frequencies_hz: ArrayLike, *, fs_hz: float
) -> NDArray[np.float64]:
    """Return by how many seconds the filter delays an envelope at ``frequencies_hz``.

    Part of what a report on filtered EMG states, and of a controller's delay.

    Examples
    --------
    >>> band = design_bandpass(20, 450, order=4, fs_hz=2000)
    >>> float(group_delay_s(band, [100.0], fs_hz=2000)[0].round(4))
    0.0017
    """
    delay = _unit_delay(frequencies_hz, fs_hz)
    samples = np.zeros(delay.shape)
    for section in sections:
        samples += _polynomial_delay(section[:3], delay) - _polynomial_delay(section[3:], delay)
    return samples / fs_hz


def settling_samples(sections: Sections, *, tolerance: float = 1e-3) -> int:
    """Return after how many samples the slowest pole has decayed to ``tolerance``."""
    radius = max(float(np.abs(np.roots(section[3:])).max()) for section in sections)
    if radius == 0.0:
        return len(sections) * 2
    return math.ceil(math.log(tolerance) / math.log(radius)) + 2 * len(sections)


def steady_state(sections: Sections) -> NDArray[np.float64]:
    """Return the state, shape (n_sections, 2), that a constant input of 1 leads to.

    Started from it (times the first sample), a filter answers an electrode offset with its steady
    output at once and does not ring through the first windows.
    """
    state = np.empty((len(sections), 2))
    level = 1.0  # what enters the section
    for row, (b0, b1, b2, _, a1, a2) in enumerate(sections):
        gain = (b0 + b1 + b2) / (1.0 + a1 + a2)
        leaves = gain * level
        state[row, 1] = b2 * level - a2 * leaves
        state[row, 0] = b1 * level - a1 * leaves + state[row, 1]
        level = leaves
    return state


class CausalFilter:
    """A causal filter that remembers where it stopped, for any number of channels.

    It starts from the steady state of the first sample of each channel.

    Parameters
    ----------
    sections : ndarray, shape (n_sections, 6)
    n_channels : int

    Examples
    --------
    >>> highpass = CausalFilter(design_highpass(20, order=2, fs_hz=1000), n_channels=1)
    >>> float(highpass.push(np.full((1, 100), 5000, dtype=np.float32))[0, -1])
    0.0
    """

    __slots__ = ("_after", "_n_channels", "_run", "_sections", "_state")

    def __init__(self, sections: Sections, *, n_channels: int) -> None:
        self._sections = np.ascontiguousarray(sections)
        self._n_channels = n_channels
        self._state: NDArray[np.float64] | None = None  # (n_sections, n_channels, 2)
        self._after = np.empty(0)  # where the next state goes: the two change places
        self._run: Callable[..., float] | None = None

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Filter the newest samples, shape (n_channels, n_new); ``n_new`` may be 0.

        Raises
        ------
        DataError
            If the chunk has other channels or holds NaN or infinity; the state stays as it was,
            so the caller may repair the chunk and push it again.
        """
        if chunk.ndim != 2 or chunk.shape[0] != self._n_channels:
            raise DataError(
                f"A chunk must be ({self._n_channels} channels, n_new); got shape {chunk.shape}."
            )
        out = np.empty(chunk.shape, np.float32)
        if chunk.shape[1] == 0:
            return out
        before, run = self._state, self._run
        if before is None or run is None:
            before, run = self._start(chunk)
        after = self._after
        total = run(self._sections, np.asarray(chunk, np.float32), before, out, after)
        # Feedback keeps what is not finite for ever, so the state alone tells.
        if not math.isfinite(total):
            finite = np.isfinite(after).all(axis=(0, 2))
            raise DataError(
                f"The chunk holds non-finite samples in channel rows "
                f"{np.flatnonzero(~finite).tolist()}; a filter would carry them on for ever. "
                "Repair the samples or declare a gap before filtering."
            )
        self._state, self._after = after, before
        return out

    def _start(
        self, chunk: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], Callable[..., float]]:
        # Imported when used: the compiler takes longer to load than most commands take.
        from myograph.signal.recursion import filter_sections

        first = chunk[None, :, :1].astype(np.float64)
        before = np.ascontiguousarray(steady_state(self._sections)[:, None, :] * first)
        self._run, self._after = filter_sections, np.empty_like(before)
        return before, filter_sections


def zero_phase(sections: Sections, samples: NDArray[np.floating]) -> NDArray[np.float32]:
    """Filter forwards and backwards: no delay, the gain squared, offline only.

    At the edges the gain is -6 dB, and each slope is twice as steep as one pass gives. The ends
    are extended by odd reflection as far as the filter rings.

    Parameters
    ----------
    sections : ndarray, shape (n_sections, 6)
    samples : ndarray, shape (n_channels, n_samples)

    Returns
    -------
    ndarray of float32, shape (n_channels, n_samples)
    """
    reach = min(settling_samples(sections), samples.shape[1] - 1)
    out = np.empty(samples.shape, dtype=np.float32)
    for rows in _blocks(*samples.shape):
        block = samples[rows].astype(np.float64)
        out[rows] = sosfiltfilt(sections, block, axis=1, padtype="odd", padlen=reach)
    return out


def _butterworth(
    edges_hz: float | tuple[float, float],
    kind: Literal["bandpass", "highpass", "lowpass"],
    order: int,
    fs_hz: float,
) -> Sections:
    check_count(order, name="order")
    return butter(order, edges_hz, btype=kind, fs=fs_hz, output="sos")


def _accurate(sections: Sections, known: Mapping[float, float], *, fs_hz: float) -> Sections:
    """Return the sections if they are stable and have the ``known`` gains (by frequency)."""
    stable = all(np.abs(np.roots(section[3:])).max() < 1 for section in sections)
    gains = np.abs(frequency_response(sections, list(known), fs_hz=fs_hz))
    wrong = np.abs(gains / list(known.values()) - 1).max()
    if not (stable and wrong < _GAIN_TOLERANCE):
        raise ParameterError(
            f"This filter cannot be represented accurately at {fs_hz:g} Hz: "
            + (f"its gain comes out wrong by {100 * wrong:.2g} %; " if stable else "it rings up; ")
            + "lower the order, or move the edges away from 0 Hz, from the Nyquist frequency and "
            "from each other."
        )
    return sections


def _centre_hz(low_hz: float, high_hz: float, fs_hz: float) -> float:
    # The bilinear transform bends the frequency axis; the gain is exactly 1 at the geometric mean
    # of the bent edges.
    bent = math.sqrt(math.tan(math.pi * low_hz / fs_hz) * math.tan(math.pi * high_hz / fs_hz))
    return math.atan(bent) * fs_hz / math.pi


def _notch(frequency_hz: float, quality: float, fs_hz: float) -> list[float]:
    turn = 2 * math.pi * frequency_hz / fs_hz
    gain = 1 / (1 + math.tan(turn / (2 * quality)))
    middle = -2 * gain * math.cos(turn)
    return [gain, middle, gain, 1.0, middle, 2 * gain - 1]


def _unit_delay(frequencies_hz: ArrayLike, fs_hz: float) -> NDArray[np.complex128]:
    frequencies = np.asarray(frequencies_hz, dtype=np.float64)
    delay: NDArray[np.complex128] = np.exp(-2j * np.pi * frequencies / fs_hz)
    return delay


def _polynomial_delay(
    coefficients: NDArray[np.float64], delay: NDArray[np.complex128]
) -> NDArray[np.float64]:
    used = np.trim_zeros(coefficients, "b")
    # A mirrored polynomial has linear phase. Its zeros may lie on the unit circle, where the
    # general quotient is 0/0.
    if np.array_equal(used, used[::-1]) or np.array_equal(used, -used[::-1]):
        return np.full(delay.shape, (len(used) - 1) / 2)
    weighted = used * np.arange(len(used))
    quotient = np.polyval(weighted[::-1], delay) / np.polyval(used[::-1], delay)
    return np.real(quotient)


def _blocks(n_channels: int, n_samples: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(n_samples, 1))
    for first in range(0, n_channels, step):
        yield slice(first, first + step)
