"""What tissue makes of a current: unbounded muscle, and layers of muscle, fat and skin on a plane.

Every conductor answers the same question: which potential does a unit current at some depth give on
the skin, at a distance across (x) and along (z) the fibres? Lengths in mm, conductivities in S/m,
answers in 1/(S/m x mm). `Conductor.table` tabulates it for the electrodes at hand, and the
library of motor-unit potentials only ever looks up that table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dctn

from myograph.core.checks import check_non_negative, check_positive
from myograph.core.errors import ParameterError
from myograph.twin.electrode import disc_transfer
from myograph.twin.muscle import MuscleGeometry

__all__ = [
    "Conductor",
    "KeptTable",
    "PlanarConductor",
    "PotentialTable",
    "Reach",
    "Tissue",
    "depth_nodes_mm",
    "half_space",
    "unbounded",
]

Floats = NDArray[np.float64]

# Sides of the periodic box in which potentials are summed, and the finest grid in it. Twice the box
# changes the potential's gradient 80 mm away by about two per cent (tests).
BOX_X_MM, BOX_Z_MM = 128.0, 256.0
STEP_X_MM, STEP_Z_MM = 0.5, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissue:
    """Conductivities in S/m.

    Parameters
    ----------
    muscle_axial, muscle_radial : float
        Along and across the fibres (farina2001: 0.5 and 0.1).
    fat, skin, bone : float
        Isotropic (petersen2019: fat 0.05, skin 1; farina2004: bone 0.02).
    """

    muscle_axial: float = 0.5
    muscle_radial: float = 0.1
    fat: float = 0.05
    skin: float = 1.0
    bone: float = 0.02

    def __post_init__(self) -> None:
        for name in self.__slots__:
            check_positive(getattr(self, name), name=name)

    @property
    def anisotropy(self) -> float:
        """Axial over radial conductivity of muscle."""
        return self.muscle_axial / self.muscle_radial


#: Muscle around a needle (hamiltonwright2005).
NEEDLE_TISSUE = Tissue(muscle_axial=0.33, muscle_radial=0.063)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far from the electrodes the fibres go.

    Parameters
    ----------
    x_mm, z_mm : float
        Largest distance across the fibres, along the skin, and along the fibres.
    """

    x_mm: float
    z_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class PotentialTable:
    """Potential on the skin of a unit current, over depth, x and z.

    Parameters
    ----------
    depth_mm : ndarray, shape (n_depths,)
        Below the muscle's surface, increasing.
    step_x_mm, step_z_mm : float
        Steps of the two other axes, which begin at 0 (the potential is even in both).
    values : ndarray of float32, shape (n_depths, n_x, n_z)
        1/(S/m x mm), up to a constant for each depth, which no fibre can tell since its
        currents add to nothing.
    """

    depth_mm: Floats
    step_x_mm: float
    step_z_mm: float
    values: NDArray[np.float32]


class Conductor(Protocol):
    """A volume conductor: from a place in the muscle to a potential on the skin."""

    @property
    def cover_mm(self) -> float:
        """What lies between the muscle's surface and the electrodes."""
        ...

    def locate(
        self, x_mm: ArrayLike, y_mm: ArrayLike, *, surface_y_mm: float
    ) -> tuple[Floats, Floats]:
        """Depth below the muscle's surface, and position along the skin, of points in it."""
        ...

    def table(self, depths_mm: Floats, reach: Reach, *, radius_mm: float) -> PotentialTable:
        """Tabulate the potential that discs of a radius take up."""
        ...


def unbounded(r_mm: ArrayLike, z_mm: ArrayLike, tissue: Tissue = NEEDLE_TISSUE) -> Floats:
    """Potential of a unit current in unbounded muscle, at a distance across and along the fibres.

    Examples
    --------
    >>> round(float(unbounded(1.0, 0.0)), 3)
    0.552
    """
    r, z = np.asarray(r_mm, float), np.asarray(z_mm, float)
    return np.asarray(
        1 / (4 * np.pi * tissue.muscle_radial * np.sqrt(tissue.anisotropy * r**2 + z**2)), float
    )


def half_space(
    x_mm: ArrayLike, depth_mm: ArrayLike, z_mm: ArrayLike, tissue: Tissue | None = None
) -> Floats:
    """Potential on the insulating surface of a half space of muscle: twice the unbounded one."""
    return 2 * unbounded(np.hypot(x_mm, depth_mm), z_mm, tissue or Tissue())


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanarConductor:
    """Muscle below fat below skin, all planes; nothing leaves the skin (farina2001).

    Parameters
    ----------
    fat_mm, skin_mm : float
        Thicknesses; both 0 is a half space of muscle.
    tissue : Tissue

    Examples
    --------
    >>> PlanarConductor(fat_mm=3, skin_mm=1).transfer(0.1, 0.1, 5.0).round(3)
    np.float64(3.566)
    """

    fat_mm: float
    skin_mm: float
    tissue: Tissue = Tissue()

    def __post_init__(self) -> None:
        check_non_negative(self.fat_mm, name="fat_mm")
        check_non_negative(self.skin_mm, name="skin_mm")

    @classmethod
    def of(cls, geometry: MuscleGeometry, tissue: Tissue | None = None) -> PlanarConductor:
        """Return the flat layers over a muscle."""
        return cls(fat_mm=geometry.fat_mm, skin_mm=geometry.skin_mm, tissue=tissue or Tissue())

    @property
    def cover_mm(self) -> float:
        """What lies over the muscle."""
        return self.fat_mm + self.skin_mm

    def transfer(self, k_x: ArrayLike, k_z: ArrayLike, depth_mm: ArrayLike) -> Floats:
        """Transform over the skin of a unit current's potential.

        Parameters
        ----------
        k_x, k_z : array_like
            Wave numbers, rad/mm; not both 0.
        depth_mm : array_like
            Depth of the current below the muscle's surface.

        Returns
        -------
        ndarray
            mm/(S/m).
        """
        k_x, k_z = np.asarray(k_x, float), np.asarray(k_z, float)
        fall = self._in_muscle(k_x, k_z) * np.asarray(depth_mm, float)
        return np.asarray(np.exp(-fall) * self._from_surface(k_x, k_z), np.float64)

    def _in_muscle(self, k_x: Floats, k_z: Floats) -> Floats:
        """Return the wave number towards the skin in muscle."""
        return np.hypot(k_x, np.sqrt(self.tissue.anisotropy) * k_z)

    def _from_surface(self, k_x: Floats, k_z: Floats) -> Floats:
        """Transform of what a unit current at the muscle's surface gives."""
        t, k, k_muscle = self.tissue, np.hypot(k_x, k_z), self._in_muscle(k_x, k_z)
        # With fat h and skin d the known form has cosh k(h + d) below the line: e^k(h + d) is
        # taken out of it, so that nothing overflows.
        far, near = np.exp(-2 * k * self.skin_mm), np.exp(-2 * k * self.fat_mm)
        cosh_skin, sinh_skin = (1 + far) / 2, (1 - far) / 2
        cosh_fat, sinh_fat = (1 + near) / 2, (1 - near) / 2
        ratio = t.skin / t.fat
        potential = cosh_skin * cosh_fat + ratio * sinh_skin * sinh_fat
        current = cosh_skin * sinh_fat + ratio * sinh_skin * cosh_fat
        below = t.muscle_radial * k_muscle * potential + t.fat * k * current
        return np.asarray(np.exp(-k * self.cover_mm) / below, np.float64)

    def locate(
        self, x_mm: ArrayLike, y_mm: ArrayLike, *, surface_y_mm: float
    ) -> tuple[Floats, Floats]:
        """Depth below the muscle's surface and position along the skin of points in the muscle."""
        x, y = np.asarray(x_mm, float), np.asarray(y_mm, float)
        return surface_y_mm - y, x + 0.0

    def table(self, depths_mm: Floats, reach: Reach, *, radius_mm: float) -> PotentialTable:
        """Tabulate the potential that discs of ``radius_mm`` take up, by a cosine transform."""
        box_x, box_z = max(BOX_X_MM, 2 * reach.x_mm), max(BOX_Z_MM, 1.6 * reach.z_mm)
        k_x, k_z, steps = _grid(box_x, box_z)
        disc = disc_transfer(np.hypot(k_x, k_z), radius_mm)
        with np.errstate(divide="ignore"):  # the mean, which no fibre can tell
            surface, in_muscle = self._from_surface(k_x, k_z) * disc, self._in_muscle(k_x, k_z)
        surface[0, 0] = 0.0
        n_x, n_z = (
            int(np.ceil(r / s)) + 2 for r, s in zip((reach.x_mm, reach.z_mm), steps, strict=True)
        )
        values = np.empty((len(depths_mm), n_x, n_z), np.float32)
        for i, depth in enumerate(depths_mm):
            spectrum = surface * np.exp(-in_muscle * depth)
            values[i] = _from_cosines(spectrum, box_x, box_z)[:n_x, :n_z]
        return PotentialTable(np.array(depths_mm), *steps, values)


@dataclass(frozen=True, slots=True, eq=False)
class KeptTable:
    """A conductor whose table is computed once, for several muscles under the same layers.

    Parameters
    ----------
    conductor : Conductor
    reach : Reach
        How far the fibres of all of these muscles may lie.
    radius_mm : float
        Radius of the electrodes.
    kept : PotentialTable

    Examples
    --------
    >>> flat = PlanarConductor(fat_mm=3.0, skin_mm=1.0)
    >>> kept = KeptTable.of(flat, Reach(20.0, 60.0), deepest_mm=10.0, radius_mm=5.0)
    >>> kept.table(np.array([1.0, 2.0]), Reach(10.0, 60.0), radius_mm=5.0) is kept.kept
    True
    """

    conductor: Conductor
    reach: Reach
    radius_mm: float
    kept: PotentialTable = field(repr=False)

    @classmethod
    def of(
        cls, conductor: Conductor, reach: Reach, *, deepest_mm: float, radius_mm: float
    ) -> KeptTable:
        """Tabulate a conductor down to a depth."""
        nodes = depth_nodes_mm([_SHALLOWEST_MM, deepest_mm], cover_mm=conductor.cover_mm)
        return cls(conductor, reach, radius_mm, conductor.table(nodes, reach, radius_mm=radius_mm))

    @property
    def cover_mm(self) -> float:
        """What lies over the muscles."""
        return self.conductor.cover_mm

    def locate(
        self, x_mm: ArrayLike, y_mm: ArrayLike, *, surface_y_mm: float
    ) -> tuple[Floats, Floats]:
        """Depth and position along the skin, as the conductor itself says."""
        return self.conductor.locate(x_mm, y_mm, surface_y_mm=surface_y_mm)

    def table(self, depths_mm: Floats, reach: Reach, *, radius_mm: float) -> PotentialTable:
        """Return the kept table, or refuse what it does not cover."""
        far = reach.x_mm > self.reach.x_mm or reach.z_mm > self.reach.z_mm
        if far or radius_mm != self.radius_mm or np.max(depths_mm) > self.kept.depth_mm[-1] + 1e-6:
            raise ParameterError(
                f"The kept table reaches {self.reach}, {self.kept.depth_mm[-1]:.1f} mm deep, for "
                f"electrodes of {self.radius_mm:g} mm; asked for {reach}, "
                f"{np.max(depths_mm):.1f} mm deep, {radius_mm:g} mm. Keep a larger one."
            )
        return self.kept


def depth_nodes_mm(depths_mm: ArrayLike, *, cover_mm: float) -> Floats:
    """Choose depths to tabulate, so that straight lines between them are within half a per cent.

    The potential falls off with depth and cover (fat and skin) together, so the nodes are evenly
    spaced in the logarithm of their sum.

    Examples
    --------
    >>> depth_nodes_mm([1.0, 2.0], cover_mm=3.0).round(2).tolist()
    [1.0, 1.47, 2.0]
    """
    depths = np.maximum(np.atleast_1d(np.asarray(depths_mm, float)), _SHALLOWEST_MM)
    low, high = depths.min() + cover_mm, depths.max() + cover_mm
    n = 1 + max(int(np.ceil(np.log(high / low) / np.log(1.12))), 1)
    return np.geomspace(low, max(high, low * 1.001), n) - cover_mm


# A fibre does not lie nearer to the muscle's surface than about its own diameter.
_SHALLOWEST_MM = 0.1


def _grid(box_x: float, box_z: float) -> tuple[Floats, Floats, tuple[float, float]]:
    n_x, n_z = round(box_x / STEP_X_MM), round(box_z / STEP_Z_MM)
    k_x = np.arange(n_x + 1, dtype=np.float64)[:, None] * (np.pi / box_x)
    k_z = np.arange(n_z + 1, dtype=np.float64)[None, :] * (np.pi / box_z)
    return k_x, k_z, (box_x / n_x, box_z / n_z)


def _from_cosines(spectrum: Floats, box_x: float, box_z: float) -> Floats:
    # A type I cosine transform counts the first and last wave number once and the others twice,
    # which is the trapezoidal rule of the inverse Fourier integral over both signs.
    return np.asarray(dctn(spectrum, type=1) / (4 * box_x * box_z), float)
