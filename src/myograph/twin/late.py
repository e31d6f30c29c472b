"""Late responses: the F-wave that motoneurons send back, and the H-reflex through the cord."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import ParameterError
from myograph.twin.cmap import Responses, check_units, delayed_sum, measure_cmap
from myograph.twin.muap import MuapLibrary
from myograph.twin.nerve import Nerve
from myograph.twin.scan import excited
from myograph.twin.seeds import stream

__all__ = ["FWaves", "HReflex", "f_waves", "h_reflex"]

Floats = NDArray[np.float64]

#: Time from the arrival of an impulse at the motoneuron to its departure, ms.
TURNAROUND_MS = 1.0
#: The monosynaptic delay in the cord, ms.
SYNAPSE_MS = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class FWaves:
    """F-waves of a series of stimuli.

    Parameters
    ----------
    responses : Responses
        M-wave and F-wave of each stimulus.
    answered : ndarray of bool, shape (n_stimuli, n_units)
        The truth: which units fired back.
    after_ms : float
        From here on there is no M-wave.
    least_uv : float
        Smaller waves are not counted.
    """

    responses: Responses
    answered: NDArray[np.bool_]
    after_ms: float
    least_uv: float

    @property
    def latencies_ms(self) -> Floats:
        """Onset of each F-wave, shape (n_stimuli,), ms; NaN where there is none."""
        rows = range(len(self.answered))
        found = [
            measure_cmap(self.responses, row, after_ms=self.after_ms, least_uv=self.least_uv)
            for row in rows
        ]
        return np.array([measures.onset_ms for measures in found])

    @property
    def persistence(self) -> float:
        """Share of the stimuli with an F-wave."""
        return float(np.isfinite(self.latencies_ms).mean())

    @property
    def minimum_ms(self) -> float:
        """Shortest latency; NaN when there is no F-wave at all."""
        latencies = self.latencies_ms
        present = latencies[np.isfinite(latencies)]
        return float(present.min()) if present.size else float("nan")


def f_waves(
    nerve: Nerve,
    library: MuapLibrary,
    *,
    site: str,
    n_stimuli: int = 10,
    seed: int,
    least_uv: float = 40.0,
) -> FWaves:
    """Return F-waves to supramaximal stimuli.

    Every impulse also runs up to the motoneurons; each answers with a small probability, and its
    answer runs the whole way down.

    Parameters
    ----------
    nerve : Nerve
    library : MuapLibrary
        From `myograph.twin.cmap.motor_units`.
    site : str
    n_stimuli : int
        Ten in routine; the range of latencies needs 50 or more.
    seed : int
    least_uv : float
        Smallest negative peak that counts, µV.

    Examples
    --------
    >>> from myograph.twin.cmap import Montage, motor_units
    >>> from myograph.twin.muscle import Muscle
    >>> from myograph.twin.pool import PoolParameters
    >>> muscle = Muscle.healthy("FDI", PoolParameters(n_fibres=3000), seed=1)
    >>> units = motor_units(muscle, Montage(muscle="FDI", gain=8.0), fs_hz=5000.0)
    >>> nerve = Nerve.healthy("ulnar", n_motor=120, seed=1, variation=0.0)
    >>> bool(22 < f_waves(nerve, units, site="wrist", seed=1).minimum_ms < 30)
    True
    """
    check_units(nerve, library)
    check_count(n_stimuli, name="n_stimuli")
    check_positive(least_uv, name="least_uv")
    cord = nerve.sites[-1]
    if nerve.reach(site) == nerve.reach(cord):
        raise ParameterError(f"F-waves need a site below the cord; got {site!r}.")
    direct_ms = nerve.motor_latency_ms(site)
    twice = 2 * nerve.conduction_ms()[:, nerve.reach(site) :].sum(axis=1)
    able = nerve.conducting(None, site) & nerve.conducting(site, cord)
    chance = stream(seed, "backfiring").random((n_stimuli, library.n_units))
    answered = (chance < nerve.backfiring * _readiness(nerve)) & able
    late_ms = direct_ms + twice + TURNAROUND_MS
    length_ms = float(late_ms.max()) + library.values.shape[2] / library.fs_hz * 1000 + 5
    muscle_wave = delayed_sum(
        library, direct_ms, nerve.conducting(None, site)[None], duration_ms=length_ms
    )
    late = delayed_sum(library, late_ms, answered, duration_ms=length_ms)
    both = Responses(muscle_wave.samples_uv + late.samples_uv, library.fs_hz)
    return FWaves(both, answered, _end_ms(muscle_wave, least_uv / 2), least_uv)


@dataclass(frozen=True, slots=True, eq=False)
class HReflex:
    """Direct and reflex response at each stimulus current.

    Parameters
    ----------
    current_ma : ndarray, shape (n_stimuli,)
    m_mv, h_mv : ndarray, shape (n_stimuli,)
        Negative peaks of the direct and of the reflex response.
    latency_ms : float
        Onset of the largest reflex response; NaN when there is none.
    responses : Responses
    """

    current_ma: Floats
    m_mv: Floats
    h_mv: Floats
    latency_ms: float
    responses: Responses

    @property
    def ratio(self) -> float:
        """Largest reflex over largest direct response; NaN when there is no direct one."""
        top = float(self.m_mv.max())
        return float(self.h_mv.max()) / top if top > 0 else float("nan")


def h_reflex(
    nerve: Nerve,
    library: MuapLibrary,
    current_ma: ArrayLike,
    *,
    site: str,
    seed: int,
    gain: float = 0.88,
) -> HReflex:
    """Return direct and reflex responses over a range of currents.

    Afferents of the nerve's sensory axons excite the motoneurons, small ones first; an impulse on
    its way up a motor axon that the stimulus excited too meets the reflex on its way down and both
    end there. So the reflex grows and then gives way to the direct response.

    Parameters
    ----------
    nerve : Nerve
        With sensory axons that reach the cord (``"tibial-soleus"``).
    library : MuapLibrary
    current_ma : array_like, shape (n_stimuli,)
        Long (1 ms) stimuli, to which afferents have 0.6 times the threshold of motor axons.
    site : str
    seed : int
    gain : float
        Share of the motoneurons that the full afferent volley reaches; spasticity raises it.
    """
    check_units(nerve, library)
    check_positive(gain, name="gain")
    if not len(nerve.sensory):
        raise ParameterError(f"Nerve {nerve.name!r} has no sensory axons to start a reflex.")
    current = np.atleast_1d(np.asarray(current_ma, float))
    cord, low = nerve.sites[-1], nerve.reach(site)
    motor = excited(nerve.motor.threshold_ma, current, seed=seed, kind="motor")
    afferent = excited(0.6 * nerve.sensory.threshold_ma, current, seed=seed, kind="sensory")
    arriving = nerve.conducting(site, cord, kind="sensory")
    drive = gain * (afferent & arriving).mean(axis=1)
    # Recruited in order of size, with a little noise from stimulus to stimulus.
    order = (np.arange(library.n_units) + 0.5) / library.n_units
    noise = stream(seed, "reflex").normal(0.0, 0.03, (len(current), library.n_units))
    reflex = (drive[:, None] > order + noise) & ~motor
    reflex &= nerve.conducting(None, cord)
    afferent_ms = nerve.conduction_ms("sensory")[:, low:].sum(axis=1)
    up_ms = float(np.quantile(afferent_ms[arriving], 0.1)) if arriving.any() else 0.0
    direct_ms = nerve.motor_latency_ms(site)
    down_ms = nerve.conduction_ms()[:, low:].sum(axis=1)
    late_ms = up_ms + SYNAPSE_MS + down_ms + direct_ms
    length_ms = float(late_ms.max()) + library.values.shape[2] / library.fs_hz * 1000 + 5
    able = motor & nerve.conducting(None, site)
    first = delayed_sum(library, direct_ms, able, duration_ms=length_ms)
    second = delayed_sum(library, late_ms, reflex, duration_ms=length_ms)
    both = Responses(first.samples_uv + second.samples_uv, library.fs_hz)
    h_mv = second.amplitudes_mv
    latency_ms = measure_cmap(second, int(h_mv.argmax())).onset_ms
    return HReflex(current, first.amplitudes_mv, h_mv, latency_ms, both)


def _readiness(nerve: Nerve) -> Floats:
    """Return each motoneuron's readiness to fire back, 1 in the mean, 0 for the slowest."""
    speed = nerve.motor.velocity_m_s[:, -1]
    rank = np.argsort(np.argsort(speed, kind="stable"), kind="stable")
    return 2 * rank / max(len(speed) - 1, 1)


def _end_ms(response: Responses, level_uv: float) -> float:
    """Return when the direct response is over: below a level for good."""
    loud = np.flatnonzero(np.abs(response.samples_uv[0]) > level_uv)
    return float((loud[-1] + 1) / response.fs_hz * 1000) if loud.size else 0.0
