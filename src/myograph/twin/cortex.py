"""The cortex above the muscle: what an EEG shows of a movement before the muscle does.

The beta rhythm is the one that the pool's drive carries, a corticomuscular delay earlier; it fades
while force changes and rebounds after it. The readiness potential precedes every onset. Background
and alpha rhythm are there whatever the muscle does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import maximum_filter1d

from myograph.core.checks import check_below_nyquist, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.twin.drive import CommonNoise, Drive, band_noise, beta_rhythm
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.seeds import stream

__all__ = ["Cortex", "Eeg", "eeg", "movement_potential", "movement_times"]

Floats = NDArray[np.float64]

#: Electrodes over the sensorimotor cortex of one hand: how much of the contralateral hand area's
#: rhythm and of the readiness potential each sees (assumed; the vertex sees the latter best).
MONTAGE: dict[str, tuple[float, float]] = {"C3": (1.0, 0.8), "Cz": (0.45, 1.0), "C4": (0.2, 0.5)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cortex:
    """One person's motor cortex as the EEG sees it.

    Parameters
    ----------
    delay_ms : float
        From the cortex to the muscle (gross2000: about 15 ms to the arm, 30 ms to the foot).
    coupled : bool
        Whether the cortex's beta rhythm is that of the muscle's drive. If not, it has the same
        size and spectrum and nothing to do with the muscle.
    beta_uv : float
        Standard deviation of the beta rhythm over the hand area in a steady hold, µV.
    desynchronised : float
        Share of the beta rhythm that is lost while force changes (pfurtscheller1999).
    rebound : float
        What is added to it in the second after the end of a movement, as a share.
    potential_uv : float
        Negative peak of the movement-related potential, µV (shibasaki2006: 5 to 15).
    background_uv, alpha_uv : float
        Standard deviations of the 1/f background and of the alpha rhythm, µV.
    """

    delay_ms: float = 16.0
    coupled: bool = True
    beta_uv: float = 3.0
    desynchronised: float = 0.6
    rebound: float = 0.5
    potential_uv: float = 8.0
    background_uv: float = 6.0
    alpha_uv: float = 3.0

    def __post_init__(self) -> None:
        ranges = {
            "delay_ms": Range(8, 60, "ms", most=500),
            "beta_uv": Range(0, 15, "uV", most=500),
            "desynchronised": Range(0, 1, most=1),
            "rebound": Range(0, 2, most=10),
            "potential_uv": Range(0, 25, "uV", most=500),
            "background_uv": Range(0, 40, "uV", most=2000),
            "alpha_uv": Range(0, 40, "uV", most=2000),
        }
        check_ranges(self, ranges)


@dataclass(frozen=True, slots=True, eq=False)
class Eeg:
    """A simulated EEG and its truth.

    Parameters
    ----------
    samples_uv : ndarray of float32, shape (n_channels, n_samples)
    fs_hz : float
    channels : tuple of str
    beta_uv, potential_uv : ndarray, shape (n_samples,)
        The rhythm and the movement-related potential as they are in the cortex.
    onsets_s : ndarray
        Onsets of the muscle's activity, on the clock of the drive.
    """

    samples_uv: NDArray[np.float32]
    fs_hz: float
    channels: tuple[str, ...]
    beta_uv: Floats
    potential_uv: Floats
    onsets_s: Floats


def eeg(
    drive: Drive,
    cortex: Cortex,
    *,
    fs_hz: float,
    seed: int,
    noise: CommonNoise,
    muscle: str | int = 0,
) -> Eeg:
    """Return the EEG of a person who drives a muscle.

    Parameters
    ----------
    drive : Drive
        What the person intends, before `myograph.twin.drive.with_noise`.
    cortex : Cortex
    fs_hz : float
        Rate of the EEG, Hz.
    seed : int
        That given to `with_noise`, for the rhythm to be the same.
    noise : CommonNoise
        That given to `with_noise`.
    muscle : str or int
        Whose cortical area is looked at.

    Examples
    --------
    >>> from myograph.twin.drive import trapezoid
    >>> drive = trapezoid(0.2, ramp_s=1, hold_s=4, rest_s=3, fs_hz=500)
    >>> found = eeg(drive, Cortex(), fs_hz=500.0, seed=1, noise=CommonNoise(beta=0.1))
    >>> found.samples_uv.shape, found.channels
    ((3, 6000), ('C3', 'Cz', 'C4'))
    """
    rate_hz = check_positive(fs_hz, name="fs_hz")
    check_below_nyquist(noise.beta_hz[1], fs_hz=rate_hz, name="beta_hz")
    n = round(drive.duration_s * rate_hz)
    if n < 2:
        raise DataError(f"The drive lasts {drive.duration_s:g} s: too short for an EEG.")
    time_s = np.arange(n) / rate_hz
    lead_s = cortex.delay_ms / 1000
    source = seed if cortex.coupled else int(stream(seed, "eeg", "uncoupled").integers(2**31))
    rhythm = beta_rhythm(drive, muscle, lead_s=lead_s, seed=source, noise=noise)
    beta = cortex.beta_uv * np.interp(time_s, drive.time_s, rhythm)
    excitation = drive.of(muscle)
    onsets_s, offsets_s = movement_times(excitation, fs_hz=drive.fs_hz)
    beta *= _envelope(time_s, drive, excitation, offsets_s - lead_s, cortex)
    slow = np.zeros(n)
    for onset in onsets_s:
        slow -= cortex.potential_uv * movement_potential(time_s - (onset - lead_s))
    rows = np.stack(
        [
            of_beta * beta + of_slow * slow + _background(name, n, rate_hz, cortex, seed)
            for name, (of_beta, of_slow) in MONTAGE.items()
        ]
    )
    return Eeg(rows.astype(np.float32), rate_hz, tuple(MONTAGE), beta, slow, onsets_s)


def movement_times(
    excitation: ArrayLike, *, fs_hz: float, share: float = 0.05, rest_s: float = 0.5
) -> tuple[Floats, Floats]:
    """Return when activity starts and ends, seconds: above a share of its maximum, pauses bridged.

    Parameters
    ----------
    excitation : array_like, shape (n_t,)
    fs_hz : float
    share : float
    rest_s : float
        Shorter pauses belong to one movement. Activity that begins or ends with the record has no
        onset or end.
    """
    values = np.asarray(excitation, float)
    if values.ndim != 1 or not 0 < share < 1:
        raise ParameterError(f"Need a 1-D excitation and 0 < share < 1; got share={share!r}.")
    active = values > share * max(float(values.max(initial=0.0)), 1e-12)
    edges = np.flatnonzero(np.diff(active.astype(np.int8)))
    up = [e + 1 for e in edges if active[e + 1]]
    down = [e + 1 for e in edges if not active[e + 1]]
    on = [u for u in up if not any(0 <= u - d < rest_s * fs_hz for d in down)]
    off = [d for d in down if not any(0 <= u - d < rest_s * fs_hz for u in up)]
    return np.array(on, float) / fs_hz, np.array(off, float) / fs_hz


def movement_potential(after_s: ArrayLike) -> Floats:
    """Return the shape of the movement-related potential, 1 at its (negative) peak.

    A slow rise from 1.8 s before the onset, a steep one in the last 0.4 s, and a return within half
    a second (shibasaki2006).

    Parameters
    ----------
    after_s : array_like
        Time after the onset; before it negative.

    Examples
    --------
    >>> movement_potential([-2.0, -0.4, 0.0, 1.5]).round(2).tolist()
    [0.0, 0.35, 1.0, 0.0]
    """
    t = np.asarray(after_s, float)
    rise = np.interp(t, [-1.8, -0.4, 0.0], [0.0, 0.35, 1.0])
    return np.asarray(np.where(t <= 0, rise, np.exp(-((np.maximum(t, 0) / 0.35) ** 2))), np.float64)


def _envelope(
    time_s: Floats, drive: Drive, excitation: Floats, ends_s: Floats, cortex: Cortex
) -> Floats:
    """Return the size of the beta rhythm in time: 1 in a hold, less as force is about to change."""
    change = np.abs(np.gradient(excitation)) * drive.fs_hz
    top = float(change.max(initial=0.0))
    moving = np.zeros(len(change)) if top == 0 else np.minimum(change / (0.2 * top), 1.0)
    # The rhythm fades a second before and comes back half a second after a change: the largest
    # change in that stretch around each moment counts.
    before, after = round(1.0 * drive.fs_hz), round(0.5 * drive.fs_hz)
    near = maximum_filter1d(
        moving, before + after + 1, mode="constant", origin=-((before - after) // 2)
    )
    faded = np.interp(time_s, drive.time_s, near)
    size = 1 - cortex.desynchronised * _smooth(faded, time_s)
    for end in ends_s:
        size = size + cortex.rebound * np.exp(-(((time_s - end - 0.8) / 0.35) ** 2))
    return size


def _smooth(values: Floats, time_s: Floats) -> Floats:
    width = max(round(0.3 / max(float(time_s[1] - time_s[0]), 1e-9)), 1)
    kernel = np.hanning(width + 2)
    padded = np.pad(values, len(kernel), mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), "same")[len(kernel) : -len(kernel)]


def _background(name: str, n: int, fs_hz: float, cortex: Cortex, seed: int) -> Floats:
    """Return 1/f noise and an alpha rhythm; each partly shared by the electrodes."""
    total = np.zeros(n)
    for part, weight in (("all", np.sqrt(0.4)), (name, np.sqrt(0.6))):
        white = stream(seed, "eeg", "background", part).standard_normal(n)
        frequency = np.fft.rfftfreq(n, 1 / fs_hz)
        gain = 1 / np.sqrt(np.maximum(frequency, 0.5))
        gain[0] = 0.0
        gain /= np.sqrt(np.mean(gain**2)) or 1.0
        total += cortex.background_uv * weight * np.fft.irfft(np.fft.rfft(white) * gain, n)
        rng = stream(seed, "eeg", "alpha", part)
        total += cortex.alpha_uv * weight * band_noise(n, (8.0, 12.0), fs_hz=fs_hz, rng=rng)
    return total
