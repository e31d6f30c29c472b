"""A muscle: its pool, its fibres and its shape. The state that a disease changes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import DataError, ParameterError
from myograph.twin.fibre import ORPHAN, Fibres, velocity_m_s
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.pool import Pool, PoolParameters
from myograph.twin.seeds import stream

__all__ = ["Muscle", "MuscleGeometry", "place_fibres"]

Floats = NDArray[np.float64]

# No living fibre is thinner than this in the model.
_SMALLEST_UM = 5.0

_RANGES = {
    "width_mm": Range(3, 120, "mm", least=0.1, most=500),
    "thickness_mm": Range(3, 60, "mm", least=0.1, most=300),
    "fibre_length_mm": Range(15, 350, "mm", least=1.0, most=1000),
    "fat_mm": Range(0, 40, "mm", most=200),
    "skin_mm": Range(0.5, 4, "mm", most=20),
    "zone_spread_mm": Range(0, 10, "mm", most=100),
    "tendon_spread_mm": Range(0, 15, "mm", most=100),
    # Far below 5 when only a share of the fibres is simulated.
    "territory_density_per_mm2": Range(0.05, 40, "fibres/mm2", least=1e-3),
    "diameter_um": Range(30, 75, "um", least=_SMALLEST_UM, most=300),
    "diameter_sd_um": Range(2, 25, "um", most=100),
    "limb_radius_mm": Range(8, 120, "mm", least=1, most=400),
    "depth_mm": Range(0, 40, "mm", most=200),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MuscleGeometry:
    """Shape of a muscle and how its fibres are laid.

    The cross-section is an ellipse centred at x = y = 0; z runs from the proximal tendon.

    Parameters
    ----------
    width_mm, thickness_mm : float
        Axes of the cross-section: across, and towards the skin.
    fibre_length_mm : float
        Mean distance from tendon to tendon.
    zones : tuple of float
        Centres of the innervation zones, fractions of the fibre length.
    zone_spread_mm : float
        Standard deviation of a unit's endplate centre around its zone (2 to 5 mm in long muscles).
    tendon_spread_mm : float
        Standard deviation of the fibre ends.
    fat_mm, skin_mm : float
        Layers between the muscle (or what covers it) and the electrodes.
    depth_mm : float
        Other muscle tissue between the muscle's surface and the fat.
    territory_density_per_mm2 : float
        A unit's own fibres per mm² of its territory (fuglevand1993: 20; hamiltonwright2005: 10).
    diameter_um, diameter_sd_um : float
        Fibre diameters of the muscle (hamiltonwright2005: 55 and 9).
    limb_radius_mm : float
        Radius of the limb there, for cylindrical conductors.
    bone_radius_mm : float
        Radius of the bone at the axis of the limb; 0 for none.

    Examples
    --------
    >>> MuscleGeometry().skin_y_mm
    7.9
    """

    width_mm: float = 9.8
    thickness_mm: float = 9.8
    fibre_length_mm: float = 32.0
    zones: tuple[float, ...] = (0.5,)
    zone_spread_mm: float = 1.5
    tendon_spread_mm: float = 3.0
    fat_mm: float = 2.0
    skin_mm: float = 1.0
    depth_mm: float = 0.0
    territory_density_per_mm2: float = 20.0
    diameter_um: float = 55.0
    diameter_sd_um: float = 9.0
    limb_radius_mm: float = 20.0
    bone_radius_mm: float = 0.0

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)
        object.__setattr__(self, "zones", tuple(float(zone) for zone in self.zones))
        if not self.zones or not all(0 < zone < 1 for zone in self.zones):
            raise ParameterError(f"zones must be fractions between 0 and 1; got {self.zones}.")
        outside = self.limb_radius_mm - self.fat_mm - self.skin_mm
        if not 0 <= self.bone_radius_mm < outside:
            raise ParameterError(
                f"bone_radius_mm={self.bone_radius_mm:g} must lie between 0 and the limb's radius "
                f"under fat and skin ({outside:g} mm)."
            )

    @property
    def area_mm2(self) -> float:
        """Cross-section of the muscle, mm²."""
        return float(np.pi / 4 * self.width_mm * self.thickness_mm)

    @property
    def surface_y_mm(self) -> float:
        """Return y of the muscle's top, towards the skin."""
        return self.thickness_mm / 2

    @property
    def skin_y_mm(self) -> float:
        """Return y of the skin's outer surface above the centre, where surface electrodes lie."""
        return self.surface_y_mm + self.depth_mm + self.fat_mm + self.skin_mm

    @property
    def zones_mm(self) -> tuple[float, ...]:
        """Return z of the centres of the innervation zones."""
        return tuple(zone * self.fibre_length_mm for zone in self.zones)

    def inside(self, x_mm: ArrayLike, y_mm: ArrayLike) -> NDArray[np.bool_]:
        """Say which points lie in the cross-section."""
        x, y = np.asarray(x_mm, float), np.asarray(y_mm, float)
        return (2 * x / self.width_mm) ** 2 + (2 * y / self.thickness_mm) ** 2 <= 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Muscle:
    """The state of one muscle: diseases, training and treatments return a changed copy.

    Parameters
    ----------
    name : str
    pool : Pool
    fibres : Fibres
    geometry : MuscleGeometry

    Examples
    --------
    >>> muscle = Muscle.healthy("FDI", PoolParameters(n_fibres=4000), seed=1)
    >>> muscle.pool.n_units, len(muscle.fibres)
    (120, 4000)
    """

    name: str
    pool: Pool
    fibres: Fibres
    geometry: MuscleGeometry

    def __post_init__(self) -> None:
        if len(self.fibres) and int(self.fibres.unit.max()) >= self.pool.n_units:
            raise DataError(
                f"Fibres of {self.name!r} name unit {int(self.fibres.unit.max())}; the pool has "
                f"{self.pool.n_units} units, numbered from 0."
            )

    @classmethod
    def healthy(
        cls,
        name: str,
        parameters: PoolParameters | None = None,
        geometry: MuscleGeometry | None = None,
        *,
        seed: int,
    ) -> Muscle:
        """Build a healthy muscle: a Fuglevand pool with its fibres laid in the cross-section."""
        pool = Pool.fuglevand(parameters)
        shape = geometry or MuscleGeometry()
        return cls(name, pool, place_fibres(pool, shape, seed=seed), shape)

    @property
    def mvc_n(self) -> float:
        """Steady force at full excitation, newtons."""
        return self.pool.steady_force_n(1.0)

    @property
    def fibre_counts(self) -> NDArray[np.int64]:
        """Innervated fibres of each unit, shape (n_units,)."""
        return self.fibres.count(self.pool.n_units)

    def remodelled(self, fibres: Fibres) -> Muscle:
        """Return the muscle with new fibres, each unit's twitch scaled by its fibres' area."""
        before = self.fibres.unit_area_mm2(self.pool.n_units)
        after = fibres.unit_area_mm2(self.pool.n_units)
        scale = np.divide(after, before, out=np.zeros_like(after), where=before > 0)
        pool = replace(self.pool, twitch_n=self.pool.twitch_n * scale)
        return replace(self, pool=pool, fibres=fibres)

    def kill_units(self, units: ArrayLike) -> Muscle:
        """Return the muscle after these units died; their fibres stay, denervated."""
        dead = np.asarray(units)
        lost = np.isin(self.fibres.unit, np.arange(self.pool.n_units)[dead])
        fibres = self.fibres.change(innervated=self.fibres.innervated & ~lost)
        return replace(self, pool=self.pool.kill(dead), fibres=fibres)

    def keep_units(self, mask: ArrayLike) -> Muscle:
        """Return the muscle of some units only, renumbered; other fibres become orphans."""
        chosen = np.asarray(mask, bool)
        pool = self.pool.keep(chosen)
        number = np.where(chosen, np.cumsum(chosen) - 1, ORPHAN)
        owned = self.fibres.unit >= 0
        unit = np.where(owned, number[self.fibres.unit], ORPHAN)
        fibres = self.fibres.change(unit=unit, innervated=self.fibres.innervated & (unit >= 0))
        return replace(self, pool=pool, fibres=fibres)


def place_fibres(pool: Pool, geometry: MuscleGeometry, *, seed: int) -> Fibres:
    """Lay the fibres of each unit in its territory.

    A territory is a disc, as large as the unit's fibres need, cut by the muscle's boundary; the
    endplates of a unit scatter around a centre in one innervation zone with a standard deviation
    of a sixteenth of the territory's diameter (hamiltonwright2005).

    Parameters
    ----------
    pool : Pool
    geometry : MuscleGeometry
    seed : int
        Positions, diameters, endplates and tendons have streams of their own.
    """
    unit = np.repeat(np.arange(pool.n_units), pool.n_fibres)
    radius = territory_radius_mm(pool, geometry)
    x, y = _positions(pool, geometry, radius, seed)
    diameter = _diameters(pool, geometry, unit, seed)
    left, right = _tendons(geometry, len(unit), seed)
    endplate = _endplates(pool, geometry, unit, radius, seed)
    return Fibres(
        unit=unit,
        x_mm=x,
        y_mm=y,
        diameter_um=diameter,
        endplate_mm=np.clip(endplate, left + 1.0, right - 1.0),
        left_mm=left,
        right_mm=right,
        velocity_m_s=velocity_m_s(diameter),
        innervated=np.ones(len(unit), bool),
        maturity=np.ones(len(unit)),
        terminal_delay_ms=np.zeros(len(unit)),
    )


def territory_radius_mm(pool: Pool, geometry: MuscleGeometry) -> Floats:
    """Radius of each unit's territory, shape (n_units,), mm; never more than the muscle holds."""
    radius = np.sqrt(pool.n_fibres / geometry.territory_density_per_mm2 / np.pi)
    return np.minimum(radius, max(geometry.width_mm, geometry.thickness_mm) / 2)


def _positions(
    pool: Pool, geometry: MuscleGeometry, radius: Floats, seed: int
) -> tuple[Floats, Floats]:
    centre_x, centre_y = _in_ellipse(stream(seed, "territory"), pool.n_units, geometry)
    parts = [
        _in_territory(stream(seed, "fibre-position", i), int(count), geometry, disc)
        for i, (count, *disc) in enumerate(
            zip(pool.n_fibres, centre_x, centre_y, radius, strict=True)
        )
    ]
    x, y = np.concatenate(parts, axis=1)
    return x, y


def _in_territory(
    rng: np.random.Generator, count: int, geometry: MuscleGeometry, disc: list[float]
) -> Floats:
    """Draw points uniformly in the part of a disc (x, y, radius) that lies in the muscle."""
    x0, y0, radius = disc
    found = np.empty((2, 0))
    while found.shape[1] < count:
        # Wide, flat muscles leave a small share of a large disc: draw generously.
        n = 4 * (count - found.shape[1]) + 16
        distance, angle = radius * np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
        points = np.stack([x0 + distance * np.cos(angle), y0 + distance * np.sin(angle)])
        found = np.concatenate([found, points[:, geometry.inside(*points)]], axis=1)
    return found[:, :count]


def _in_ellipse(
    rng: np.random.Generator, count: int, geometry: MuscleGeometry
) -> tuple[Floats, Floats]:
    distance, angle = np.sqrt(rng.random(count)), 2 * np.pi * rng.random(count)
    x = geometry.width_mm / 2 * distance * np.cos(angle)
    y = geometry.thickness_mm / 2 * distance * np.sin(angle)
    return x, y


def _diameters(pool: Pool, geometry: MuscleGeometry, unit: NDArray[np.int64], seed: int) -> Floats:
    # Larger units have thicker fibres: unit means span two population SDs, from the smallest to the
    # largest unit, and the rest of the population's spread lies within the units.
    size = np.log(pool.n_fibres / pool.n_fibres.min())
    size = 2 * size / max(size.max(), 1e-12)
    share = pool.n_fibres / pool.n_fibres.sum()
    between = geometry.diameter_sd_um * (size - share @ size)
    mean = geometry.diameter_um + between
    spread = np.sqrt(max(geometry.diameter_sd_um**2 - share @ between**2, 0.0))
    within = spread * mean / geometry.diameter_um
    z = stream(seed, "fibre-diameter").standard_normal(len(unit))
    return np.maximum(mean[unit] + within[unit] * z, _SMALLEST_UM)


def _tendons(geometry: MuscleGeometry, count: int, seed: int) -> tuple[Floats, Floats]:
    z = stream(seed, "fibre-tendon").standard_normal((2, count)) * geometry.tendon_spread_mm
    # The ends never cross the middle, however wide the spread.
    limit = 0.25 * geometry.fibre_length_mm
    left, right = np.clip(z, -limit, limit)
    return left, geometry.fibre_length_mm + right


def _endplates(
    pool: Pool, geometry: MuscleGeometry, unit: NDArray[np.int64], radius: Floats, seed: int
) -> Floats:
    zone = np.asarray(geometry.zones_mm)[
        stream(seed, "unit-zone").integers(len(geometry.zones), size=pool.n_units)
    ]
    centre = zone + geometry.zone_spread_mm * stream(seed, "unit-endplate").standard_normal(
        pool.n_units
    )
    scatter = stream(seed, "fibre-endplate").standard_normal(len(unit)) * radius[unit] / 8
    return centre[unit] + scatter
