"""Tremor: a rhythm added to the drive, with its phase between antagonists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import ParameterError
from myograph.twin.discharge import Doublets
from myograph.twin.drive import Drive
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.seeds import stream

__all__ = ["TREMORS", "Tremor", "tremulous"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tremor:
    """A tremor.

    Parameters
    ----------
    frequency_hz : float
        Mean frequency.
    amplitude : float
        Peak of the bursts, fraction of the maximal excitation.
    antagonist_phase_deg : float
        Phase of the antagonist behind the agonist: 180 alternating, 0 synchronous.
    wander : float
        Relative standard deviation of the frequency over seconds; the tremor loses its phase.
    swell : float
        Relative standard deviation of the amplitude over seconds (waxing and waning).
    sharpness : float
        Exponent of the raised cosine: 1 is sinusoidal, larger gives shorter bursts.
    doublets : Doublets, optional
        What to give to `Firing` so that units fire as they do in this tremor.
    """

    frequency_hz: float = 5.0
    amplitude: float = 0.1
    antagonist_phase_deg: float = 180.0
    wander: float = 0.04
    swell: float = 0.2
    sharpness: float = 2.0
    doublets: Doublets | None = None

    def __post_init__(self) -> None:
        ranges = {
            "frequency_hz": Range(2.5, 18, "Hz", least=0.1, most=40),
            "amplitude": Range(0, 0.6, most=1),
            "antagonist_phase_deg": Range(-180, 180, "deg", least=-360, most=360),
            "wander": Range(0, 0.2, most=1),
            "swell": Range(0, 0.8, most=2),
            "sharpness": Range(0.5, 6, least=0.1, most=20),
        }
        check_ranges(self, ranges)


#: Parkinsonian tremor alternates and brings doublets about 50 ms apart (christakos2009). Essential
#: tremor is synchronous at rest, alternating in posture. The bands overlap: frequency alone tells
#: no tremor from another.
TREMORS: Mapping[str, Tremor] = MappingProxyType(
    {
        "parkinson": Tremor(
            frequency_hz=5.0,
            amplitude=0.12,
            sharpness=3.0,
            wander=0.03,
            doublets=Doublets(first=0.5, interval_ms=50.0),
        ),
        "essential rest": Tremor(frequency_hz=6.5, antagonist_phase_deg=0.0, wander=0.02),
        "essential postural": Tremor(frequency_hz=6.5, antagonist_phase_deg=180.0, wander=0.02),
        "enhanced physiological": Tremor(
            frequency_hz=9.5, amplitude=0.03, antagonist_phase_deg=0.0, wander=0.1, sharpness=1.0
        ),
    }
)


def tremulous(
    drive: Drive,
    tremor: Tremor,
    *,
    seed: int,
    agonists: tuple[str, ...] = (),
    antagonists: tuple[str, ...] = (),
) -> Drive:
    """Return the drive with a tremor in some muscles; the others are left alone.

    Parameters
    ----------
    drive : Drive
    tremor : Tremor
        Scale ``amplitude`` by 1 minus the effect to simulate a treatment.
    seed : int
        One central oscillator moves all muscles.
    agonists, antagonists : tuple of str
        Muscles of either side; every muscle is an agonist when neither is given.

    Examples
    --------
    >>> rest = Drive(np.zeros((2, 400)), fs_hz=100.0, muscles=("FCR", "ECRB"))
    >>> shaking = tremulous(
    ...     rest, TREMORS["parkinson"], seed=1, agonists=("FCR",), antagonists=("ECRB",)
    ... )
    >>> bool(np.corrcoef(shaking.excitation)[0, 1] < 0)
    True
    """
    both = set(agonists) & set(antagonists)
    if both:
        raise ParameterError(f"{sorted(both)} cannot be agonist and antagonist at once.")
    if not agonists and not antagonists:
        agonists = drive.muscles
    if tremor.frequency_hz >= drive.fs_hz / 4:
        raise ParameterError(
            f"A tremor of {tremor.frequency_hz:g} Hz needs a control rate of more than four times "
            f"that; the drive has {drive.fs_hz:g} Hz."
        )
    phase, size = _oscillator(tremor, drive, seed)
    excitation = drive.excitation.copy()
    sides = [(agonists, 0.0), (antagonists, np.deg2rad(tremor.antagonist_phase_deg))]
    for muscles, behind in sides:
        for muscle in muscles:
            burst = ((1 + np.cos(phase - behind)) / 2) ** tremor.sharpness
            excitation[drive.row(muscle)] += tremor.amplitude * size * burst
    return drive.changed(excitation)


def _oscillator(tremor: Tremor, drive: Drive, seed: int) -> tuple[Floats, Floats]:
    """Return the phase (radians) and the relative amplitude of the central oscillator."""
    n = drive.excitation.shape[1]
    frequency = 1 + tremor.wander * _slow(n, drive.fs_hz, stream(seed, "tremor", "frequency"))
    start = stream(seed, "tremor", "phase").random() * 2 * np.pi
    phase = start + 2 * np.pi * tremor.frequency_hz / drive.fs_hz * np.cumsum(frequency)
    swell = _slow(n, drive.fs_hz, stream(seed, "tremor", "swell"))
    return phase, np.exp(tremor.swell * swell - tremor.swell**2 / 2)


def _slow(n: int, fs_hz: float, rng: np.random.Generator) -> Floats:
    """Return an Ornstein-Uhlenbeck process of unit variance that forgets within a second."""
    keep = np.exp(-1 / fs_hz)
    noise = rng.standard_normal(n)
    noise[1:] *= np.sqrt(1 - keep**2)
    values = np.empty(n)
    value = 0.0
    for j in range(n):
        value = keep * value + noise[j]
        values[j] = value
    return values
