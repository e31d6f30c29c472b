"""Follow the mains through a stream and subtract it: causal, any number of channels.

Every half second the last second of each channel is compared with a sine at the nominal mains
frequency and its multiples. How the phase of these amplitudes turns from one comparison to the next
says where the frequency really is; all channels share the grid and so one frequency. The
amplitudes are then averaged over seconds, turned along, and each weighed by the inverse of how loud
the muscle was meanwhile, so that most is learned from rest. What is subtracted is shrunk to
nothing where no line stands out: without mains the signal passes as it is.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_below_nyquist, check_count, check_positive
from myograph.core.errors import DataError

__all__ = ["SineTracker"]

#: Seconds between two comparisons; each looks back over twice as long.
HOP_S = 0.5

# How far the grid may be from its nominal frequency.
_DRIFT_HZ = 0.45

# The turning is read over ever longer distances (in hops), each one telling which full turn the
# next one is in.
_DISTANCES = (1, 3, 9)

# Muscle activity is stronger near the mains frequency than on average over all frequencies.
_COLOUR = 4.0

# Agreement (0 to 1) of the turning that is needed to believe that there is a frequency.
_AGREEMENT = 0.5


class SineTracker:
    """Subtract the mains from a stream. The first second passes as it is.

    Parameters
    ----------
    frequency_hz : float
        Nominal mains frequency; the real one may be up to 0.45 Hz away.
    harmonics : int
        How many multiples, the fundamental included; those beyond the Nyquist frequency are left
        out.
    learn_s : float
        Time constant of the amplitudes, in seconds of rest.
    fs_hz : float
        Sampling rate.
    n_channels : int

    Examples
    --------
    >>> t = np.arange(10000) / 1000
    >>> hum = (10 * np.sin(2 * np.pi * 50.1 * t))[None].astype(np.float32)
    >>> tracker = SineTracker(50.0, harmonics=1, learn_s=4.0, fs_hz=1000.0, n_channels=1)
    >>> bool(np.abs(tracker.push(hum)[0, -1000:]).max() < 0.1)
    True
    >>> round(tracker.frequency_hz, 3)
    50.1
    """

    __slots__ = (
        "_amplitudes",
        "_basis",
        "_block",
        "_filled",
        "_forget",
        "_fs_hz",
        "_history",
        "_hop",
        "_hum",
        "_information",
        "_nominal_hz",
        "_seen",
        "_turn",
        "_turns",
        "_window",
    )

    def __init__(
        self, frequency_hz: float, *, harmonics: int, learn_s: float, fs_hz: float, n_channels: int
    ) -> None:
        check_below_nyquist(frequency_hz + _DRIFT_HZ, fs_hz=fs_hz, name="frequency_hz")
        check_positive(learn_s, name="learn_s")
        check_count(harmonics, name="harmonics")
        fits = math.ceil(fs_hz / 2 / (frequency_hz + _DRIFT_HZ)) - 1
        count = min(harmonics, fits)
        hop = max(1, round(HOP_S * fs_hz))
        self._fs_hz, self._nominal_hz, self._hop = fs_hz, frequency_hz, hop
        self._forget = math.exp(-hop / fs_hz / learn_s)
        self._window = np.sin(np.pi * (np.arange(2 * hop) + 0.5) / (2 * hop)) ** 2
        # One turn of every multiple per sample of the block: exp(j 2 pi h f n / fs).
        multiples = np.arange(1, count + 1)
        phase = 2 * np.pi * frequency_hz / fs_hz * np.outer(multiples, np.arange(2 * hop))
        self._basis = np.exp(1j * phase)
        self._block = np.zeros((n_channels, 2 * hop))
        self._filled = 0  # samples in the newer half of the block
        self._seen = 0
        shape = (n_channels, count)
        self._amplitudes = np.zeros(shape, dtype=np.complex128)
        self._information = np.zeros(shape)
        self._turn = 0.0  # radians per hop, beyond the nominal frequency
        self._history: list[NDArray[np.complex128]] = []
        self._turns = np.zeros((len(_DISTANCES), 2), dtype=np.complex128)
        self._hum = np.zeros((n_channels, hop))  # for the hop that is being filled

    @property
    def frequency_hz(self) -> float:
        """Where the fundamental is now."""
        return self._nominal_hz + self._turn * self._fs_hz / self._hop / (2 * math.pi)

    @property
    def amplitudes(self) -> NDArray[np.float64]:
        """Amplitude of every multiple in every channel now, shape (n_channels, harmonics)."""
        return np.abs(self._amplitudes)

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the newest samples (n_channels, n_new) and return them without the mains.

        Raises
        ------
        DataError
            If the chunk has other channels or holds NaN or infinity; the state stays as it was.
        """
        n_channels = len(self._block)
        if chunk.ndim != 2 or len(chunk) != n_channels:
            raise DataError(
                f"A chunk must be ({n_channels} channels, n_new); got shape {chunk.shape}."
            )
        if not np.isfinite(chunk).all():
            raise DataError("The chunk holds NaN or infinite samples; declare a gap instead.")
        out = np.empty(chunk.shape, dtype=np.float32)
        done = 0
        while done < chunk.shape[1]:
            count = min(self._hop - self._filled, chunk.shape[1] - done)
            new = chunk[:, done : done + count].astype(np.float64)
            place = slice(self._filled, self._filled + count)
            out[:, done : done + count] = new - self._hum[:, place]
            self._block[:, self._hop + place.start : self._hop + place.stop] = new
            self._filled += count
            done += count
            if self._filled == self._hop:
                self._turn_over()
        return out

    def _turn_over(self) -> None:
        """Compare the block that is full, and foresee the hum of the hop to come."""
        self._seen += 1
        self._filled = 0
        if self._seen >= 2:
            self._learn()
        self._block[:, : self._hop] = self._block[:, self._hop :]

    def _learn(self) -> None:
        x = self._block - self._block.mean(axis=1, keepdims=True)
        tapered = x * self._window
        multiples = np.arange(1, len(self._basis) + 1)
        # Sines at the frequency as it is known, with the nominal phase in the middle of the block.
        ahead = (np.arange(2 * self._hop) + 0.5) / self._hop - 1
        sines = self._basis * np.exp(1j * self._turn * np.outer(multiples, ahead))
        found = 2 / self._window.sum() * tapered @ sines.conj().T
        found *= self._rotation(self._seen - 2)[None].conj()
        loud = np.square(tapered).sum(axis=1) / np.square(self._window).sum()
        noise = loud - 0.5 * np.square(np.abs(found)).sum(axis=1)
        # A floor: even a perfect sine is not known better than to one part in a million.
        noise = np.maximum(noise, 1e-6 * loud + 1e-30)
        share = np.square(self._window).sum() / self._window.sum() ** 2
        variance = (4 * _COLOUR * share * noise)[:, None]
        self._follow_turn(found, variance)
        self._amplitudes *= np.exp(1j * multiples * self._turn)
        before = self._foreseen()
        self._information = self._forget * self._information + 1 / variance
        self._amplitudes += (found - self._amplitudes) / variance / self._information
        fade = np.arange(1, self._hop + 1) / self._hop
        self._hum = before + fade * (self._foreseen() - before)

    def _rotation(self, hop: int) -> NDArray[np.complex128]:
        """Return where every multiple of the nominal frequency stands at the start of a hop."""
        turns = self._nominal_hz / self._fs_hz * self._hop * hop
        multiples = np.arange(1, len(self._basis) + 1)
        rotation: NDArray[np.complex128] = np.exp(2j * np.pi * np.mod(multiples * turns, 1.0))
        return rotation

    def _follow_turn(self, found: NDArray[np.complex128], variance: NDArray[np.float64]) -> None:
        """Read from the fundamentals how far the real frequency is from the nominal one."""
        self._history = [found[:, 0] / np.sqrt(variance[:, 0]), *self._history][
            : _DISTANCES[-1] + 1
        ]
        turn = self._turn
        for row, distance in enumerate(_DISTANCES):
            if len(self._history) <= distance:
                break
            product = self._history[0] * self._history[distance].conj()
            most = np.abs(self._history[0]) * np.abs(self._history[distance])
            self._turns[row] = self._forget * self._turns[row] + (product.sum(), most.sum())
            together, total = self._turns[row, 0], self._turns[row, 1].real
            # Without a line the phases of the blocks agree on nothing.
            if abs(together) < _AGREEMENT * total or total < 10 * len(found):
                break
            angle = math.atan2(together.imag, together.real)
            turn = _nearest(angle, turn * distance) / distance if row else angle
        limit = 2 * math.pi * _DRIFT_HZ * self._hop / self._fs_hz
        self._turn = min(max(turn, -limit), limit)

    def _foreseen(self) -> NDArray[np.float64]:
        """Return the hum of the coming hop, as the amplitudes stand now."""
        variance = np.divide(
            1, self._information, out=np.zeros(self._information.shape), where=self._information > 0
        )
        power = np.square(np.abs(self._amplitudes))
        shrink = np.maximum(
            0, 1 - np.divide(2 * variance, power, out=np.ones(power.shape), where=power > 0)
        )
        multiples = np.arange(1, len(self._basis) + 1)
        # From the middle of the block that was compared to each sample of the coming hop.
        ahead = 1 + (np.arange(self._hop) + 0.5) / self._hop
        turning = np.exp(1j * self._turn * np.outer(multiples, ahead))
        wave = self._basis[:, : self._hop] * self._rotation(self._seen)[:, None] * turning
        hum: NDArray[np.float64] = ((self._amplitudes * shrink) @ wave).real
        return hum


def _nearest(angle: float, expected: float) -> float:
    """Return ``angle`` with the full turns that bring it nearest to ``expected``."""
    return angle + 2 * math.pi * round((expected - angle) / (2 * math.pi))
