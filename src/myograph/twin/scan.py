"""CMAP scans: the motor response to a stimulus that falls in small steps, unit by unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import ParameterError
from myograph.twin.cmap import check_units, delayed_sum
from myograph.twin.muap import MuapLibrary
from myograph.twin.nerve import Nerve
from myograph.twin.physiology import Range
from myograph.twin.seeds import stream

__all__ = ["RELATIVE_SPREAD", "Scan", "cmap_scan", "excited", "scan_currents"]

Floats = NDArray[np.float64]

#: Noise of an axon's threshold from stimulus to stimulus, relative (bostock2016: 1.5 to 2 %).
RELATIVE_SPREAD = 0.0165


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A stimulus-response scan.

    Parameters
    ----------
    current_ma, amplitude_mv : ndarray, shape (n_stimuli,)
        In the order given.
    """

    current_ma: Floats
    amplitude_mv: Floats

    @property
    def largest_mv(self) -> float:
        """Median response to the strongest tenth of the stimuli."""
        strong = self.current_ma >= np.quantile(self.current_ma, 0.9)
        return float(np.median(self.amplitude_mv[strong]))

    def current_at(self, share: float) -> float:
        """Return the smallest current with at least this share of the largest response."""
        enough = self.amplitude_mv >= share * self.largest_mv
        if not enough.any():
            raise ParameterError(f"No response reaches {share:g} of the largest.")
        return float(self.current_ma[enough].min())

    @property
    def relative_range(self) -> float:
        """Currents at 95 % less that at 5 %, over that at 50 % of the largest response."""
        low, middle, high = (self.current_at(share) for share in (0.05, 0.5, 0.95))
        return (high - low) / middle

    @property
    def d50(self) -> int:
        """Return the number of largest steps that together make half of the largest response."""
        order = np.argsort(self.current_ma, kind="stable")
        steps = np.sort(np.diff(self.amplitude_mv[order]))[::-1]
        return int(np.searchsorted(np.cumsum(steps), 0.5 * self.largest_mv)) + 1


def excited(
    threshold_ma: ArrayLike, current_ma: ArrayLike, *, seed: int, kind: str = "motor"
) -> NDArray[np.bool_]:
    """Say which axons each stimulus excites, shape (n_stimuli, n_axons).

    An axon fires when the current exceeds its threshold, which varies a little from one stimulus
    to the next (bostock2016).

    Parameters
    ----------
    threshold_ma : array_like, shape (n_axons,)
    current_ma : array_like, shape (n_stimuli,)
    seed : int
    kind : str
        Name of the random stream.
    """
    threshold = np.asarray(threshold_ma, float)
    current = np.atleast_1d(np.asarray(current_ma, float))
    if not np.isfinite(current).all() or (current < 0).any():
        raise ParameterError("current_ma must be finite and 0 or more.")
    noise = stream(seed, "threshold", kind).standard_normal((len(current), len(threshold)))
    return current[:, None] > threshold * (1 + RELATIVE_SPREAD * noise)


def scan_currents(nerve: Nerve, *, step: float = 0.002) -> Floats:
    """Return currents from above the highest to below the lowest threshold, each a step less.

    Parameters
    ----------
    nerve : Nerve
    step : float
        Relative; 0.2 % in published scans.
    """
    Range(0.0005, 0.02, least=1e-5, most=0.5).check(step, name="step")
    living = nerve.motor.threshold_ma[nerve.motor.alive]
    if not living.size:
        raise ParameterError(f"Nerve {nerve.name!r} has no living motor axon to scan.")
    high, low = living.max() * 1.1, living.min() * 0.9
    n = int(np.ceil(np.log(high / low) / -np.log1p(-step)))
    return np.asarray(high * (1 - step) ** np.arange(n + 1), np.float64)


def cmap_scan(
    nerve: Nerve,
    library: MuapLibrary,
    *,
    site: str,
    seed: int,
    current_ma: ArrayLike | None = None,
    noise_uv: float = 15.0,
) -> Scan:
    """Return a CMAP scan.

    Parameters
    ----------
    nerve : Nerve
    library : MuapLibrary
    site : str
    seed : int
    current_ma : array_like, optional
        `scan_currents` when not given.
    noise_uv : float
        Standard deviation of the measured amplitude apart from the axons' own variation, µV.

    Examples
    --------
    >>> from myograph.twin.cmap import Montage, motor_units
    >>> from myograph.twin.muscle import Muscle
    >>> from myograph.twin.pool import PoolParameters
    >>> muscle = Muscle.healthy("FDI", PoolParameters(n_fibres=3000), seed=1)
    >>> units = motor_units(muscle, Montage(muscle="FDI", gain=8.0), fs_hz=5000.0)
    >>> nerve = Nerve.healthy("ulnar", n_motor=120, seed=1)
    >>> 0.3 < cmap_scan(nerve, units, site="wrist", seed=1).relative_range < 0.6
    True
    """
    check_units(nerve, library)
    Range(1, 100, "uV").check(noise_uv, name="noise_uv")
    current = scan_currents(nerve) if current_ma is None else np.asarray(current_ma, float).ravel()
    fires = excited(nerve.motor.threshold_ma, current, seed=seed)
    fires &= nerve.conducting(None, site)
    responses = delayed_sum(library, nerve.motor_latency_ms(site), fires)
    noise_mv = stream(seed, "scan-noise").standard_normal(len(current)) * noise_uv / 1000
    return Scan(current, np.maximum(responses.amplitudes_mv + noise_mv, 0.0))
