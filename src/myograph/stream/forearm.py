"""Forearm: a simulated one under a band of electrodes, driven chunk by chunk.

Made to close the loop around a controller quickly enough for every test run: muscles are filtered
noise whose amplitude follows the drive, electrodes see nearby muscles more. It has synergies from
the twin, electromechanical delay of the drive, noise, and a band that can be turned. It has no
motor units; `myograph.twin` has. Whatever is measured with it is engineering verification.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from myograph.core.checks import check_count, check_non_negative, check_positive, unknown_name
from myograph.core.errors import ParameterError
from myograph.core.layout import Channel, Layout
from myograph.twin.anatomy import FOREARM_SET
from myograph.twin.gesture import GESTURES, Synergies

__all__ = ["Forearm", "ForearmStyle"]

Floats = NDArray[np.float64]

# Degrees around the forearm, from radial flexors by way of the ulna to radial extensors; rough
# anatomy of the proximal third, not a measurement of anybody.
_ANGLES_DEG: Mapping[str, float] = MappingProxyType(
    {
        "FCR": 20, "PL": 45, "FCU": 105, "FDS": 65, "FDP": 85, "FPL": 35, "PT": 0, "BR": 330,
        "ECRL": 300, "ECRB": 280, "ECU": 190, "ED": 245, "EDM": 215, "EPL": 230, "APL": 265,
        "SUP": 315,
    }
)  # fmt: skip
_DEEP = {"FDP": 0.5, "FPL": 0.5, "SUP": 0.5, "EPL": 0.6, "APL": 0.6}

#: Movements that the twin has no gesture of, as combinations of its synergies.
_COMBINED: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "power grip": GESTURES["hand close"],
        "key grip": {"thumb": 0.8, "finger flexion": 0.7, "radial deviation": 0.25},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForearmStyle:
    """How the forearm and its band are.

    Parameters
    ----------
    n_channels : int
    amplitude_uv, noise_uv : float
        Root mean square of full excitation under an electrode, and of the electrodes' noise.
    spread : float
        How much people differ, 0 to 0.8.
    drive_ms : float
        Time constant from intent to activation.
    cocontraction : float
        Share of any drive that spills over into every muscle.
    """

    n_channels: int = 8
    amplitude_uv: float = 150.0
    noise_uv: float = 4.0
    spread: float = 0.25
    drive_ms: float = 60.0
    cocontraction: float = 0.03

    def __post_init__(self) -> None:
        check_count(self.n_channels, name="n_channels", least=2)
        for name in ("amplitude_uv", "noise_uv", "drive_ms"):
            check_positive(getattr(self, name), name=name)
        for name in ("spread", "cocontraction"):
            check_non_negative(getattr(self, name), name=name)


class Forearm:
    """One simulated person's forearm.

    Parameters
    ----------
    fs_hz : float
    seed : int
        The person: the same seed is the same forearm, and the same samples for the same drives
        however they are chunked in time.
    style : ForearmStyle, optional

    Examples
    --------
    >>> arm = Forearm(1000.0, seed=3)
    >>> arm.push({"hand close": 0.6}, 50).shape
    (8, 50)
    """

    def __init__(self, fs_hz: float, *, seed: int, style: ForearmStyle | None = None) -> None:
        self.style = style or ForearmStyle()
        self.fs_hz = check_positive(fs_hz, name="fs_hz")
        if fs_hz < 100:
            raise ParameterError(f"fs_hz must be at least 100 to hold surface EMG; got {fs_hz!r}.")
        self.seed = check_count(seed, name="seed", least=0)
        own = np.random.default_rng([self.seed, 1])
        self._synergies = Synergies.typical().of_person(
            seed=self.seed, spread=min(self.style.spread, 0.8)
        )
        muscles = np.deg2rad([_ANGLES_DEG[name] for name in FOREARM_SET])
        self._muscles = muscles + 0.3 * self.style.spread * own.standard_normal(len(muscles))
        depth = np.array([_DEEP.get(name, 1.0) for name in FOREARM_SET])
        self._depth = depth * np.exp(0.6 * self.style.spread * own.standard_normal(len(depth)))
        self._tissue = 3.0 * np.exp(0.5 * self.style.spread * own.standard_normal())
        self._gain = np.exp(self.style.spread * own.standard_normal())
        high_hz = min(0.9 * fs_hz / 2, 250.0)
        self._shape = butter(1, (40.0, high_hz), btype="bandpass", fs=fs_hz, output="sos")
        self._filter = np.zeros((len(self._shape), len(FOREARM_SET), 2))
        self._level = self._settle()
        self._rng = np.random.default_rng([self.seed, 2])
        self._active = np.zeros(len(FOREARM_SET))
        self.turn_band(0.0)

    @property
    def layout(self) -> Layout:
        """Layout of the samples."""
        names = (f"emg{k + 1}" for k in range(self.style.n_channels))
        return Layout(self.fs_hz, tuple(Channel(name, kind="semg") for name in names))

    def turn_band(self, angle_deg: float, *, contact_seed: int | None = None) -> None:
        """Turn the band around the arm, as taking it off and on again does.

        Parameters
        ----------
        angle_deg : float
            From where it was made.
        contact_seed : int, optional
            Electrodes get new contacts; without it they keep theirs.
        """
        number = self.style.n_channels
        electrode = np.arange(number) * 2 * np.pi / number + np.deg2rad(angle_deg)
        apart = np.cos(electrode[:, np.newaxis] - self._muscles)
        contact = np.ones((number, 1))
        if contact_seed is not None:
            rng = np.random.default_rng([self.seed, 3, contact_seed])
            contact = np.exp(0.15 * rng.standard_normal((number, 1)))
        seen = np.exp(self._tissue * (apart - 1)) * self._depth * contact
        self._pickup = self.style.amplitude_uv * self._gain * seen

    def excitation(self, drive: Mapping[str, float]) -> Floats:
        """Return the excitation of each muscle when these movements are made together."""
        total = np.zeros(len(FOREARM_SET))
        for movement, effort in drive.items():
            total += float(np.clip(effort, 0.0, 1.0)) * self._pattern(movement)
        total += self.style.cocontraction * total.max(initial=0.0)
        return np.minimum(total, 1.0)

    def push(self, drive: Mapping[str, float], n_samples: int) -> NDArray[np.float32]:
        """Return the next samples while the person intends ``drive``.

        Parameters
        ----------
        drive : mapping of str to float
            Effort of each movement, 0 to 1; what is not named rests.
        n_samples : int

        Returns
        -------
        ndarray of float32, shape (n_channels, n_samples)
            Microvolts.
        """
        check_count(n_samples, name="n_samples", least=0)
        wanted = self.excitation(drive)[:, np.newaxis]
        if not n_samples:
            return np.zeros((self.style.n_channels, 0), dtype=np.float32)
        rest = np.exp(-1e3 * np.arange(1, n_samples + 1) / (self.style.drive_ms * self.fs_hz))
        active = wanted + (self._active[:, np.newaxis] - wanted) * rest
        self._active = active[:, -1]
        # Drawn sample by sample in time, so that chunking does not change what is drawn.
        total = len(FOREARM_SET) + self.style.n_channels
        white = self._rng.standard_normal((n_samples, total)).T
        muscle, self._filter = sosfilt(
            self._shape, white[: len(FOREARM_SET)], axis=1, zi=self._filter
        )
        samples = self._pickup @ (active * muscle / self._level)
        samples += self.style.noise_uv * white[len(FOREARM_SET) :]
        return np.asarray(samples, dtype=np.float32)

    def _pattern(self, movement: str) -> Floats:
        if movement in _COMBINED:
            named = _COMBINED[movement]
            command = np.array([named.get(name, 0.0) for name in self._synergies.names])
            return np.minimum(command @ self._synergies.weights, 1.0)
        if movement not in GESTURES:
            known = [*GESTURES, *_COMBINED]
            raise ParameterError(unknown_name(movement, known, what="movement"))
        return self._synergies.pattern(movement)

    def _settle(self) -> float:
        """Return the deviation of the filtered noise: the root of its impulse response's energy."""
        impulse = np.zeros(round(self.fs_hz))
        impulse[0] = 1.0
        return float(np.sqrt(np.sum(sosfilt(self._shape, impulse) ** 2)))
