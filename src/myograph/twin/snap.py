"""Sensory responses: many small axon potentials, spread out by distance until they cancel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import ParameterError
from myograph.twin.cmap import Responses
from myograph.twin.nerve import Q10_DURATION, Nerve

__all__ = ["SnapMeasures", "measure_snap", "snap"]

Floats = NDArray[np.float64]

#: Half the time between the two peaks of one axon's potential, ms.
AXON_WIDTH_MS = 0.32
# Time between the stimulus and the start of the impulse (utilisation), ms.
_START_MS = 0.1
# The potential of one axon begins this many widths before its zero crossing.
_LEAD_WIDTHS = 3.0


@dataclass(frozen=True, slots=True)
class SnapMeasures:
    """Measures of a sensory response; NaN where there is none.

    Parameters
    ----------
    onset_ms, peak_ms : float
    amplitude_uv : float
        Negative peak above the baseline.
    peak_to_peak_uv : float
    """

    onset_ms: float
    peak_ms: float
    amplitude_uv: float
    peak_to_peak_uv: float


def snap(nerve: Nerve, *, site: str, fs_hz: float, duration_ms: float = 40.0) -> Responses:
    """Return the response to a supramaximal stimulus of the sensory axons.

    Each axon adds a negative-positive potential when its impulse passes the electrodes. With
    distance the axons' arrivals spread, and negative phases meet positive ones: the response
    becomes longer and, faster than that, smaller.

    Parameters
    ----------
    nerve : Nerve
    site : str
        Where the nerve is stimulated (antidromic).
    fs_hz : float
    duration_ms : float

    Examples
    --------
    >>> nerve = Nerve.healthy("sural", n_motor=0, seed=1, variation=0.0)
    >>> measures = measure_snap(snap(nerve, site="calf", fs_hz=20000.0))
    >>> bool(12 < measures.amplitude_uv < 22)
    True
    """
    rate_hz = check_positive(fs_hz, name="fs_hz")
    if not len(nerve.sensory):
        raise ParameterError(f"Nerve {nerve.name!r} has no sensory axons.")
    used = nerve.conducting(None, site, kind="sensory")
    along = nerve.conduction_ms("sensory")[:, : nerve.reach(site)].sum(axis=1)
    width_ms = AXON_WIDTH_MS * float(nerve.slowing(Q10_DURATION))
    arrival_ms = np.asarray(_START_MS + along[used] + _LEAD_WIDTHS * width_ms, np.float64)
    n = round(check_positive(duration_ms, name="duration_ms") * rate_hz / 1000)
    time_ms = np.arange(n, dtype=np.float64) * (1000 / rate_hz)
    values = _summed(arrival_ms, width_ms, time_ms)
    return Responses(np.asarray(nerve.sensory_uv * values[None], np.float32), rate_hz)


def measure_snap(responses: Responses, row: int = 0, *, least_uv: float = 1.0) -> SnapMeasures:
    """Measure one sensory response; negative peaks below ``least_uv`` count as none.

    The onset is where the response last was within 5 % of its negative peak before it.
    """
    values = np.asarray(responses.samples_uv[row], float)
    peak = int(values.argmin())
    height = -float(values[peak])
    if height < least_uv:
        return SnapMeasures(np.nan, np.nan, 0.0, 0.0)
    quiet = np.flatnonzero(values[:peak] > -0.05 * height)
    start = int(quiet[-1]) + 1 if quiet.size else 0
    step_ms = 1000 / responses.fs_hz
    return SnapMeasures(
        start * step_ms, peak * step_ms, height, height + float(values[peak:].max())
    )


def _summed(arrival_ms: Floats, width_ms: float, time_ms: Floats) -> Floats:
    """Sum unit potentials ``u exp((1 - u^2) / 2)``, ``u`` in widths after the zero crossing."""
    total = np.zeros(len(time_ms))
    for part in np.array_split(arrival_ms, max(len(arrival_ms) // 256, 1)):
        u = (time_ms[None, :] - part[:, None]) / width_ms
        total += (u * np.exp((1 - u**2) / 2)).sum(axis=0)
    return total
