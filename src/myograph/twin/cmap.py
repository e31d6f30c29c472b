"""Motor responses: what a muscle gives when its nerve is stimulated, and how that is measured.

Potentials keep their physical sign: the negative peak that clinicians draw upwards is negative
here. Time 0 is the stimulus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from myograph.core.checks import check_choice, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.twin.anatomy import MUSCLES, Anatomy
from myograph.twin.conductor import PlanarConductor
from myograph.twin.electrode import SurfaceElectrodes
from myograph.twin.muap import LibraryOptions, MuapLibrary, muap_library
from myograph.twin.muscle import Muscle, MuscleGeometry
from myograph.twin.nerve import Nerve
from myograph.twin.physiology import Range
from myograph.twin.pool import PoolParameters
from myograph.twin.source import ActionPotential

__all__ = [
    "MONTAGES",
    "STUDY_MUSCLES",
    "CmapMeasures",
    "Montage",
    "Responses",
    "cmap",
    "delayed_sum",
    "measure_cmap",
    "motor_units",
]

Floats = NDArray[np.float64]

# The response is followed for this long after the last unit began, ms.
_TAIL_MS = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Montage:
    """Belly-tendon recording of a muscle.

    Parameters
    ----------
    muscle : str
        Key of `STUDY_MUSCLES`.
    reference_mm : float
        How far beyond the distal tendon the reference lies.
    radius_mm : float
        Of the disc electrodes.
    gain : float
        Calibration. A line source in layered tissue is louder than a muscle under a disc; the gain
        brings the mean healthy response to its measured amplitude, once for each muscle
        (benchmarks/science/twin_nerve.py). It is no person's and no disease's.
    """

    muscle: str
    reference_mm: float = 10.0
    radius_mm: float = 5.0
    gain: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """Responses to one or more stimuli.

    Parameters
    ----------
    samples_uv : ndarray of float32, shape (n_stimuli, n_samples)
        From the stimulus on.
    fs_hz : float
    """

    samples_uv: NDArray[np.float32]
    fs_hz: float

    @property
    def time_ms(self) -> Floats:
        """Time of each sample after the stimulus, shape (n_samples,), ms."""
        return np.arange(self.samples_uv.shape[1]) / self.fs_hz * 1000

    @property
    def amplitudes_mv(self) -> Floats:
        """Negative peak of each response, shape (n_stimuli,), mV."""
        return np.asarray(np.maximum(-self.samples_uv.min(axis=1), 0.0) / 1000, np.float64)


@dataclass(frozen=True, slots=True)
class CmapMeasures:
    """Measures of a motor response; NaN where there is none.

    Parameters
    ----------
    onset_ms, peak_ms : float
        Departure from the baseline and negative peak, after the stimulus.
    amplitude_mv : float
        Negative peak.
    duration_ms, area_mv_ms : float
        Of the negative phase.
    """

    onset_ms: float
    peak_ms: float
    amplitude_mv: float
    duration_ms: float
    area_mv_ms: float


def motor_units(
    muscle: Muscle,
    montage: Montage | str | None = None,
    *,
    fs_hz: float,
    slowing: float = 1.0,
    options: LibraryOptions | None = None,
) -> MuapLibrary:
    """Return what each unit gives at the electrodes of a motor study, one channel, µV.

    Parameters
    ----------
    muscle : Muscle
        Any, a sick one included.
    montage : Montage or str, optional
        A montage, or the name of one in `MONTAGES`; the muscle's own name when not given.
    fs_hz : float
    slowing : float
        What cold multiplies the action potential's duration by
        (`Nerve.slowing` with ``Q10_DURATION``): fibres conduct as much slower.
    options : LibraryOptions, optional

    Examples
    --------
    >>> muscle = Muscle.healthy("FDI", PoolParameters(n_fibres=3000), seed=1)
    >>> motor_units(muscle, Montage(muscle="FDI"), fs_hz=5000.0).values.shape[:2]
    (120, 1)
    """
    rule = muscle.name if montage is None else montage
    if isinstance(rule, str):
        rule = MONTAGES[check_choice(rule, MONTAGES, name="montage")]
    Range(0.7, 2.5, least=0.3, most=5).check(slowing, name="slowing")
    shape = muscle.geometry
    z_mm = [np.mean(shape.zones_mm), shape.fibre_length_mm + rule.reference_mm]
    electrodes = SurfaceElectrodes(
        np.zeros(2), np.array(z_mm), rule.radius_mm, np.array([[1.0, -1.0]])
    )
    slow = replace(
        muscle, fibres=muscle.fibres.change(velocity_m_s=muscle.fibres.velocity_m_s / slowing)
    )
    library = muap_library(
        slow,
        electrodes,
        PlanarConductor.of(shape),
        fs_hz=fs_hz,
        action=ActionPotential(),
        options=options,
    )
    return replace(library, values=np.asarray(library.values * rule.gain, np.float32))


def cmap(
    nerve: Nerve,
    library: MuapLibrary,
    *,
    site: str,
    output: ArrayLike = 1.0,
    duration_ms: float | None = None,
) -> Responses:
    """Return the response to a supramaximal stimulus.

    Parameters
    ----------
    nerve : Nerve
        With one motor axon per unit of the library.
    library : MuapLibrary
        One channel, from `motor_units`.
    site : str
        Where the nerve is stimulated.
    output : array_like, shape () or (n_units,) or (n_stimuli, n_units)
        Share of each unit that answers each stimulus: 0 for axons that were not excited, fractions
        where transmission fails.
    duration_ms : float, optional
        Length of the response; long enough for everything when not given.

    Examples
    --------
    >>> muscle = Muscle.healthy("FDI", PoolParameters(n_fibres=3000), seed=1)
    >>> units = motor_units(muscle, Montage(muscle="FDI"), fs_hz=10000.0)
    >>> nerve = Nerve.healthy("ulnar", n_motor=120, seed=1, variation=0.0)
    >>> bool(2.4 < measure_cmap(cmap(nerve, units, site="wrist")).onset_ms < 3.6)
    True
    """
    check_units(nerve, library)
    share = np.atleast_2d(np.asarray(output, float))
    share = np.broadcast_to(share, (len(share), library.n_units))
    if not np.isfinite(share).all() or (share < 0).any():
        raise DataError("output must be finite and 0 or more.")
    share = share * nerve.conducting(None, site)
    delay_ms = nerve.motor_latency_ms(site)
    return delayed_sum(library, delay_ms, share, duration_ms=duration_ms)


def delayed_sum(
    library: MuapLibrary,
    delay_ms: ArrayLike,
    share: ArrayLike,
    *,
    duration_ms: float | None = None,
) -> Responses:
    """Add up units, each at its own delay and with its own weight.

    Delays need not be whole samples: they are phases in the frequency domain.

    Parameters
    ----------
    library : MuapLibrary
        One channel.
    delay_ms : array_like, shape (n_units,)
    share : array_like, shape (n_stimuli, n_units)
    duration_ms : float, optional
    """
    delays, weights = np.asarray(delay_ms, float), np.atleast_2d(np.asarray(share, float))
    units = library.values[:, 0, :]
    extra = units.shape[1] - library.onset_sample
    needed = delays.max(initial=0.0) * library.fs_hz / 1000 + extra
    if duration_ms is None:
        n = int(np.ceil(max(needed, _TAIL_MS * library.fs_hz / 1000)))
    else:
        n = round(check_positive(duration_ms, name="duration_ms") * library.fs_hz / 1000)
    # The onset's own samples stand before time 0 and wrap round to the end: leave room for them.
    size = next_fast_len(int(np.ceil(max(n, needed))) + library.onset_sample + 16, real=True)
    spectrum = rfft(units, size, axis=1)
    phase = -2j * np.pi * rfftfreq(size)
    shift = delays * library.fs_hz / 1000 - library.onset_sample
    moved = spectrum * np.exp(phase * shift[:, None])
    samples = irfft(weights @ moved, size, axis=1)[:, :n]
    return Responses(np.ascontiguousarray(samples, np.float32), library.fs_hz)


def measure_cmap(
    responses: Responses, row: int = 0, *, after_ms: float = 0.0, least_uv: float = 20.0
) -> CmapMeasures:
    """Measure one motor response.

    The onset is where the response leaves the baseline for the negative peak: where it last was
    within 2 % of that peak's height (and 5 µV) before the peak. The negative phase ends where the
    potential is next positive.

    Parameters
    ----------
    responses : Responses
    row : int
        Which one.
    after_ms : float
        Look only after this time, as for an F-wave.
    least_uv : float
        Lower peaks count as no response.
    """
    first = int(np.ceil(after_ms * responses.fs_hz / 1000))
    values = np.asarray(responses.samples_uv[row, first:], float)
    if values.size == 0:
        raise ParameterError(f"after_ms={after_ms:g} lies beyond the end of the response.")
    step_ms = 1000 / responses.fs_hz
    peak = int(values.argmin())
    height = -float(values[peak])
    if height < least_uv:
        return CmapMeasures(np.nan, np.nan, 0.0, np.nan, 0.0)
    level = max(0.02 * height, 5.0)
    quiet = np.flatnonzero(values[:peak] > -level)
    start = int(quiet[-1]) + 1 if quiet.size else 0
    back = np.flatnonzero(values[peak:] >= 0)
    end = peak + int(back[0]) if back.size else len(values)
    return CmapMeasures(
        onset_ms=after_ms + start * step_ms,
        peak_ms=after_ms + peak * step_ms,
        amplitude_mv=height / 1000,
        duration_ms=(end - start) * step_ms,
        area_mv_ms=float(-values[start:end].sum() * step_ms / 1000),
    )


def check_units(nerve: Nerve, library: MuapLibrary) -> None:
    """Refuse a nerve and a library of different muscles, or a library of several channels."""
    if len(nerve.motor) != library.n_units:
        raise DataError(
            f"The nerve has {len(nerve.motor)} motor axons and the library {library.n_units} "
            "units; build the nerve with n_motor=muscle.pool.n_units."
        )
    if library.n_channels != 1:
        raise DataError(f"A motor study has one channel; the library has {library.n_channels}.")


def _foot(name: str, full_name: str, nerve: str, units: int, size: tuple[float, ...]) -> Anatomy:
    width, thickness, length = size
    fibres = int(0.9 * np.pi / 4 * width * thickness / 0.00238)
    geometry = MuscleGeometry(
        width_mm=width,
        thickness_mm=thickness,
        fibre_length_mm=length,
        zone_spread_mm=0.04 * length,
        tendon_spread_mm=0.08 * length,
        fat_mm=2.0,
        limb_radius_mm=30.0,
    )
    pool = PoolParameters(n_units=units, n_fibres=fibres, mvc_n=15.0)
    return Anatomy(name, full_name, nerve, pool, geometry, "assumed")


#: Muscles of the motor studies: those of `MUSCLES` and two of the foot (assumed sizes).
STUDY_MUSCLES: Mapping[str, Anatomy] = MappingProxyType(
    {
        **MUSCLES,
        "EDB": _foot("EDB", "extensor digitorum brevis", "peroneal", 150, (14.0, 6.0, 40.0)),
        "AH": _foot("AH", "abductor hallucis", "tibial", 200, (20.0, 10.0, 40.0)),
    }
)

#: Motor studies by muscle.
MONTAGES: Mapping[str, Montage] = MappingProxyType(
    {
        "APB": Montage(muscle="APB", gain=0.45),
        "ADM": Montage(muscle="ADM", gain=0.68),
        "FDI": Montage(muscle="FDI", gain=0.6),
        "EDB": Montage(muscle="EDB", gain=0.4),
        "AH": Montage(muscle="AH", gain=0.6),
        "TA": Montage(muscle="TA", reference_mm=40.0, gain=0.31),
        "SOL": Montage(muscle="SOL", reference_mm=40.0, gain=0.5),
    }
)
