"""Needle electrodes in a muscle: what each fibre gives at the tip, and the signal of all of them.

The needle stands upright on the fibres: its shaft runs from the tip towards the skin (+y) and its
bevel faces across them (+x or -x). Fibres in its way are pushed aside.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from myograph.core.checks import check_non_negative, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.core.registry import Registry
from myograph.twin.conductor import NEEDLE_TISSUE, Tissue
from myograph.twin.discharge import Discharges
from myograph.twin.fibre import Fibres
from myograph.twin.muscle import Muscle
from myograph.twin.physiology import PhysiologyWarning, outside_level
from myograph.twin.source import INTRACELLULAR_S_M, ActionPotential, respond, silent_after_ms

__all__ = [
    "NEEDLES",
    "Needle",
    "NeedleLibrary",
    "NeedleTip",
    "fibre_potentials",
    "needle_library",
    "needle_signal",
]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

# Beyond this distance the core is a point to a fibre, mm.
_FAR_MM = 1.2
# Slower sampling than this aliases.
_SLOWEST_HZ = 2000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedleTip:
    """Geometry of a kind of needle.

    Parameters
    ----------
    height_mm, width_mm : float
        Axes of the elliptical recording surface: along the shaft and along the fibres.
    steel_mm : float
        Radius of the shaft.
    own_reference : bool
        The shaft is the reference; otherwise it lies far away.
    whole_shaft : bool
        The shaft itself records (macro); its length is ``height_mm``.
    gain : float
        Calibration of the electrode, see `NEEDLES`.
    """

    height_mm: float
    width_mm: float
    steel_mm: float
    own_reference: bool = False
    whole_shaft: bool = False
    gain: float = 1.0

    def __post_init__(self) -> None:
        for name in ("height_mm", "width_mm", "steel_mm", "gain"):
            check_positive(getattr(self, name), name=name)


#: Kinds of needle. The line source in unbounded muscle is louder than muscle around steel, so each
#: has a ``gain``: a calibration, not a law. That of the concentric needle brings healthy tibialis
#: anterior to its measured amplitude (benchmarks/science/twin_needle.py), and monopolar and macro
#: share it. That of the single-fibre needle makes a fibre 0.3 mm away give 200 uV, the convention
#: by which fibres are counted with it; its surface is too small to short the field.
NEEDLES: Registry[NeedleTip] = Registry("needle")
_GAIN = 0.22
NEEDLES.add(
    "concentric",
    NeedleTip(height_mm=0.58, width_mm=0.15, steel_mm=0.23, own_reference=True, gain=_GAIN),
)
NEEDLES.add("monopolar", NeedleTip(height_mm=0.8, width_mm=0.2, steel_mm=0.18, gain=_GAIN))
NEEDLES.add(
    "single-fibre",
    NeedleTip(height_mm=0.025, width_mm=0.025, steel_mm=0.25, own_reference=True, gain=0.5),
)
NEEDLES.add(
    "macro", NeedleTip(height_mm=15.0, width_mm=0.5, steel_mm=0.25, whole_shaft=True, gain=_GAIN)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """A needle in place.

    Parameters
    ----------
    kind : str
        One of `NEEDLES`.
    x_mm, y_mm, z_mm : float
        The middle of its recording surface, in the muscle's frame.
    facing : int
        1 when the bevel faces +x, -1 when it faces -x.
    shaft_mm : float
        Length of bare shaft in the tissue. Where it is the reference (concentric, single-fibre) it
        takes away what is far: a potential of the needle at 4 mm is a third shorter and half as
        large as one at 20 mm.
    """

    kind: str = "concentric"
    x_mm: float = 0.0
    y_mm: float = 0.0
    z_mm: float
    facing: int = 1
    shaft_mm: float = 8.0

    def __post_init__(self) -> None:
        _ = self.tip
        check_positive(self.shaft_mm, name="shaft_mm")
        if self.facing not in (-1, 1):
            raise ParameterError(f"facing must be 1 or -1; got {self.facing!r}.")

    @property
    def tip(self) -> NeedleTip:
        """Its geometry."""
        return NEEDLES[self.kind]

    def displaced(self, fibres: Fibres) -> tuple[Floats, Floats]:
        """Return x and y of fibres relative to the tip, after the steel pushed them aside.

        In front of the bevel a fibre comes as near as its radius; beside the shaft and behind the
        bevel it stays outside the steel. The tissue beside is compressed over a millimetre.
        """
        x, y = (fibres.x_mm - self.x_mm) * self.facing, fibres.y_mm - self.y_mm
        radius, tip = fibres.diameter_um / 2000, self.tip
        bevel_mm = tip.steel_mm / np.tan(np.deg2rad(15))
        hit = y > -bevel_mm
        front = (x >= 0) & (y < bevel_mm) & (not tip.whole_shaft)
        least = radius + np.where(front, 0.0, tip.steel_mm)
        squeezed = least + np.abs(x) * (1 - least / _SQUEEZED_MM)
        moved = hit & (np.abs(x) < _SQUEEZED_MM)
        return np.where(moved, np.copysign(squeezed, x), x), y


# Tissue this far from the needle's axis gives way, mm.
_SQUEEZED_MM = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class NeedleLibrary:
    """What fibres give at a needle: the near ones one by one, the rest of each unit together.

    Parameters
    ----------
    values : ndarray of float32, shape (n_near, n_samples)
        Potential of each near fibre, µV; sample 0 is its unit's discharge.
    fibre, unit : ndarray of int, shape (n_near,)
        Row of each in the muscle's fibres, and its unit, ascending.
    distance_mm : ndarray, shape (n_near,)
        From the middle of the recording surface, after displacement.
    background : ndarray of float32, shape (n_units, n_samples)
        Sum of each unit's far fibres, µV: jitter and blocking of one of them cannot be seen.
    fs_hz : float
    """

    values: NDArray[np.float32]
    fibre: Rows
    unit: Rows
    distance_mm: Floats
    background: NDArray[np.float32]
    fs_hz: float

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.background)

    def near(self, unit: int) -> Rows:
        """Rows of ``values`` that belong to a unit."""
        low, high = np.searchsorted(self.unit, [unit, unit + 1])
        return np.arange(low, high)

    @property
    def muaps(self) -> NDArray[np.float32]:
        """Potential of each unit without jitter, shape (n_units, n_samples), µV."""
        near = _by_unit(self.values, self.unit, self.n_units)
        return (self.background + near).astype(np.float32)


def fibre_potentials(
    fibres: Fibres,
    needle: Needle,
    *,
    fs_hz: float,
    n_samples: int | None = None,
    tissue: Tissue = NEEDLE_TISSUE,
    action: ActionPotential | None = None,
) -> NDArray[np.float32]:
    """Potential of each fibre at a needle, innervated or not, from its excitation at the endplate.

    Returns
    -------
    ndarray of float32, shape (n_fibres, n_samples)
        µV.
    """
    shape = action or ActionPotential()
    n = n_samples or _length(fibres, shape, check_positive(fs_hz, name="fs_hz"))
    out = np.zeros((len(fibres), n), np.float32)
    settings = _settings(needle, tissue, shape, fs_hz)
    _fibres_at(_columns(fibres, needle, shape), settings, _core_points(needle.tip), out)
    return out


def needle_library(
    muscle: Muscle,
    needle: Needle,
    *,
    fs_hz: float,
    near_uv: float = 5.0,
    action: ActionPotential | None = None,
) -> NeedleLibrary:
    """Compute what every unit gives at a needle.

    Parameters
    ----------
    muscle : Muscle
    needle : Needle
    fs_hz : float
    near_uv : float
        Fibres with at least this peak-to-peak potential are kept one by one.
    action : ActionPotential, optional

    Raises
    ------
    ParameterError
        If the rate is below 2 kHz: a needle's potentials would be aliased.

    Warns
    -----
    PhysiologyWarning
        If the tip lies outside the muscle, where it sees little or nothing.
    """
    check_non_negative(near_uv, name="near_uv")
    if not fs_hz >= _SLOWEST_HZ:
        raise ParameterError(
            f"fs_hz must be at least {_SLOWEST_HZ:g} for a needle; got {fs_hz!r}. Its potentials "
            "would be aliased; 10 kHz and more is usual."
        )
    _warn_outside(muscle, needle)
    rows = np.flatnonzero(muscle.fibres.innervated & (muscle.fibres.unit >= 0))
    rows = rows[np.argsort(muscle.fibres.unit[rows], kind="stable")]
    fibres, shape = muscle.fibres.keep(rows), action or ActionPotential()
    n = _length(fibres, shape, fs_hz)
    background = np.zeros((muscle.pool.n_units, n))
    kept: list[tuple[Rows, NDArray[np.float32]]] = []
    for part in np.array_split(np.arange(len(rows)), max(len(rows) // 4096, 1)):
        values = fibre_potentials(fibres.keep(part), needle, fs_hz=fs_hz, n_samples=n, action=shape)
        near = np.ptp(values, axis=1) >= near_uv if len(part) else np.zeros(0, bool)
        background += _by_unit(values[~near], fibres.unit[part[~near]], len(background))
        kept.append((part[near], values[near]))
    chosen = np.concatenate([part for part, _ in kept])
    x, y = needle.displaced(fibres.keep(chosen))
    return NeedleLibrary(
        values=np.concatenate([values for _, values in kept]),
        fibre=rows[chosen],
        unit=fibres.unit[chosen],
        distance_mm=np.hypot(x, y),
        background=background.astype(np.float32),
        fs_hz=fs_hz,
    )


def _warn_outside(muscle: Muscle, needle: Needle) -> None:
    shape = muscle.geometry
    there = shape.inside(needle.x_mm, needle.y_mm) and 0 <= needle.z_mm <= shape.fibre_length_mm
    if not there:
        warnings.warn(
            f"The needle's tip at x={needle.x_mm:g}, y={needle.y_mm:g}, z={needle.z_mm:g} mm lies "
            f"outside the muscle ({shape.width_mm:g} x {shape.thickness_mm:g} mm around x = y = 0, "
            f"z from 0 to {shape.fibre_length_mm:g} mm): it sees little or nothing.",
            PhysiologyWarning,
            stacklevel=outside_level(),
        )


def needle_signal(
    discharges: Discharges,
    library: NeedleLibrary,
    *,
    duration_s: float | None = None,
    delays_ms: Sequence[Floats] | None = None,
) -> NDArray[np.float32]:
    """Add up the potentials of all discharges at the needle, fibre by fibre.

    Parameters
    ----------
    discharges : Discharges
    library : NeedleLibrary
    duration_s : float, optional
        That of the discharges when not given.
    delays_ms : sequence of ndarray, shape (n_near, n_discharges), optional
        For each unit, the delay of each of its near fibres (rows as in `NeedleLibrary.near`) at
        each discharge, NaN where the fibre was blocked: jitter and blocking as the end-plates make
        them. Far fibres follow with the median of it. Without it every fibre follows at once.

    Returns
    -------
    ndarray of float32, shape (n_samples,)
        µV.
    """
    if discharges.n_units != library.n_units:
        raise DataError(
            f"The needle sees {library.n_units} units and there are {discharges.n_units} trains; "
            "both must be of the same muscle."
        )
    length_s = discharges.duration_s if duration_s is None else duration_s
    out = np.zeros(round(length_s * library.fs_hz))
    muaps = library.muaps
    for unit, times in enumerate(discharges.times_s):
        if not len(times):
            continue
        start = times * library.fs_hz
        if delays_ms is None:
            _add(muaps[unit][None], start[None], out)
            continue
        near = library.near(unit)
        late = _delays(delays_ms[unit], (len(near), len(times)), unit) * (library.fs_hz / 1000)
        _add(library.values[near], start + late, out)
        typical = float(np.nanmedian(late)) if np.isfinite(late).any() else 0.0
        _add(library.background[unit][None], start[None] + typical, out)
    return out.astype(np.float32)


def _by_unit(values: NDArray[np.float32], unit: Rows, n_units: int) -> Floats:
    """Sum rows of one unit; units ascend."""
    total = np.zeros((n_units, values.shape[1]))
    if len(unit):
        units, first = np.unique(unit, return_index=True)
        total[units] = np.add.reduceat(values, first, axis=0, dtype=np.float64)
    return total


def _delays(given: Floats, expected: tuple[int, int], unit: int) -> Floats:
    delays = np.asarray(given, np.float64)
    if delays.shape != expected:
        raise DataError(
            f"delays_ms of unit {unit} must have shape {expected}, near fibres by discharges; "
            f"got {delays.shape}."
        )
    return delays


def _length(fibres: Fibres, action: ActionPotential, fs_hz: float) -> int:
    return int(np.ceil(silent_after_ms(fibres, action) * fs_hz / 1000)) + 2


def _columns(fibres: Fibres, needle: Needle, action: ActionPotential) -> tuple[Floats, ...]:
    x, y = needle.displaced(fibres)
    scale = 1000 * needle.tip.gain * action.amplitude_mv / action.length_mm
    strength = scale * INTRACELLULAR_S_M * fibres.area_mm2
    return (
        x, y, fibres.left_mm - needle.z_mm, fibres.endplate_mm - needle.z_mm,
        fibres.right_mm - needle.z_mm, fibres.velocity_m_s, fibres.terminal_delay_ms, strength,
    )  # fmt: skip


def _settings(
    needle: Needle, tissue: Tissue, action: ActionPotential, fs_hz: float
) -> tuple[float, ...]:
    """Return dt_ms, action length, radial conductivity, anisotropy, and the two line electrodes."""
    tip = needle.tip
    active = tip.height_mm if tip.whole_shaft else 0.0
    return (
        1000 / fs_hz, action.length_mm, tissue.muscle_radial, tissue.anisotropy,
        active, needle.shaft_mm if tip.own_reference else 0.0, tip.height_mm / 2,
    )  # fmt: skip


def _core_points(tip: NeedleTip) -> Floats:
    """Points of equal weight on the recording surface: y and z, shape (n_points, 2)."""
    # Rings of equal area, taken at their middles.
    rings, spokes = 3, 8
    radius = np.sqrt((np.arange(rings) + 0.5) / rings)
    angle = 2 * np.pi * (np.arange(spokes) + 0.5 * (np.arange(rings)[:, None] % 2)) / spokes
    y = tip.height_mm / 2 * radius[:, None] * np.cos(angle)
    z = tip.width_mm / 2 * radius[:, None] * np.sin(angle)
    return np.stack([y.ravel(), z.ravel()], axis=1)


@njit(cache=True, nogil=True)
def _at_core(points, x, y, z, anisotropy):  # type: ignore[no-untyped-def]
    total = 0.0
    for p in range(len(points)):
        dy, dz = y - points[p, 0], z - points[p, 1]
        total += 1 / np.sqrt(anisotropy * (x * x + dy * dy) + dz * dz)
    return total / len(points)


@njit(cache=True, nogil=True)
def _at_line(low, high, x, y, z, anisotropy):  # type: ignore[no-untyped-def]
    # Mean of the point's potential over a straight shaft: the integral of 1 / sqrt in closed form.
    # asinh of a difference would lose digits on the far side: order the ends by their sign.
    scale = 1 / np.sqrt(x * x + z * z / anisotropy)
    a, b = (low - y) * scale, (high - y) * scale
    if a + b < 0:
        a, b = -b, -a
    ratio = (b + np.sqrt(b * b + 1)) / (a + np.sqrt(a * a + 1))
    return np.log(ratio) / ((high - low) * np.sqrt(anisotropy))


@njit(cache=True, nogil=True)
def _at_needle(surface, lines, x, y, z, anisotropy):  # type: ignore[no-untyped-def]
    active, reference, bare = lines
    if active > 0:
        value = _at_line(-active / 2, active / 2, x, y, z, anisotropy)
    else:
        value = _at_core(surface, x, y, z, anisotropy)
    if reference > 0:
        value -= _at_line(bare, bare + reference, x, y, z, anisotropy)
    return value


@njit(cache=True, nogil=True)
def _fibres_at(columns, settings, points, out):  # type: ignore[no-untyped-def]
    x, y, left, endplate, right, velocity, delay, strength = columns
    dt, length, conductivity, anisotropy, active, reference, bare = settings
    n, lines = out.shape[1], (active, reference, bare)
    potential, response = np.empty(n), np.empty(n)
    middle = np.zeros((1, 2))
    for f in range(len(x)):
        near = x[f] * x[f] + y[f] * y[f] < _FAR_MM * _FAR_MM
        surface = points if near else middle
        potential[:] = 0.0
        response[:] = 0.0
        for way, reach in ((1.0, right[f] - endplate[f]), (-1.0, endplate[f] - left[f])):
            before, value = -1.0, 0.0
            for k in range(n):
                u = min(max(velocity[f] * (k * dt - delay[f]), 0.0), reach)
                if u != before:  # it has not set out, or has arrived: nothing new
                    z = endplate[f] + way * u
                    value = _at_needle(surface, lines, x[f], y[f], z, anisotropy)
                    before = u
                potential[k] += value
        scale = strength[f] / (4 * np.pi * conductivity)
        respond(potential, velocity[f] * dt / length, scale, response, n)
        for k in range(n):
            out[f, k] = response[k]


def _add(shapes: NDArray[np.float32], start: Floats, out: Floats) -> None:
    """Add each shape at its places, in samples, that are not NaN."""
    _add_padded(np.pad(shapes, ((0, 0), (_PAD, _PAD))), start, out)


# Zeros on either side of a shape, so that four neighbours are always there.
_PAD = 3


@njit(cache=True, nogil=True)
def _add_padded(shapes, start, out):  # type: ignore[no-untyped-def]
    # Cubic interpolation between samples: four weights per potential, one pass over its samples.
    n = shapes.shape[1] - 2 * _PAD
    for s in range(start.shape[0]):
        for place in start[s]:
            if np.isnan(place):
                continue
            whole = int(np.floor(place))
            f = 1 - (place - whole)
            w0 = -f * (f - 1) * (f - 2) / 6
            w1 = (f + 1) * (f - 1) * (f - 2) / 2
            w2 = -(f + 1) * f * (f - 2) / 2
            w3 = (f + 1) * f * (f - 1) / 6
            shape = shapes[s]
            # Sample i of the signal is f past sample i - whole - 1 of the shape.
            first = whole - 1
            for i in range(max(first, 0), min(len(out), first + n + 3)):
                j = i - first + 1
                out[i] += w0 * shape[j - 1] + w1 * shape[j] + w2 * shape[j + 1] + w3 * shape[j + 2]
