"""A limb as a cylinder: bone, muscle, fat and skin around one axis (farina2004)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dct
from scipy.special import erf

from myograph.core.checks import check_non_negative, check_positive
from myograph.core.errors import ParameterError
from myograph.twin.bessel import log_first, log_second, slope_first, slope_second
from myograph.twin.conductor import (
    BOX_Z_MM,
    STEP_X_MM,
    STEP_Z_MM,
    PotentialTable,
    Reach,
    Tissue,
)
from myograph.twin.electrode import disc_transfer
from myograph.twin.muscle import MuscleGeometry

__all__ = ["CylindricalConductor"]

Floats = NDArray[np.float64]

# Stands for a wave number of 0 where only its limit exists, rad/mm.
_ALMOST_ZERO = 1e-6
# Width of the smooth part of the far field that is added in closed form, mm.
_FAR_MM = 10.0
_MOST_ORDERS = 800


@dataclass(frozen=True, slots=True, kw_only=True)
class CylindricalConductor:
    """Muscle around a bone, below fat below skin; nothing leaves the skin.

    Between two radii the potential of one order and wave number is a sum of two modified Bessel
    functions. Beginning at the insulated skin with potential 1 and no current, the boundary
    conditions carry both to the muscle's surface, and beginning at the bone they carry both
    outwards; the source joins the two. Solved one layer at a time, the boundary system needs no
    matrix.

    The muscle is bent around the limb: x is distance along the arc through its centre, y is
    distance from the axis.

    Parameters
    ----------
    limb_mm : float
        Radius of the limb, skin included.
    fat_mm, skin_mm : float
    bone_mm : float
        Radius of the bone at the axis; 0 for none.
    tissue : Tissue
    """

    limb_mm: float
    fat_mm: float
    skin_mm: float
    bone_mm: float = 0.0
    tissue: Tissue = field(default_factory=Tissue)

    def __post_init__(self) -> None:
        check_positive(self.limb_mm, name="limb_mm")
        for name in ("fat_mm", "skin_mm", "bone_mm"):
            check_non_negative(getattr(self, name), name=name)
        if self.muscle_mm <= self.bone_mm:
            raise ParameterError(
                f"Fat, skin and bone leave no muscle in a limb of limb_mm={self.limb_mm:g}: the "
                f"muscle would reach from {self.bone_mm:g} to {self.muscle_mm:g} mm."
            )

    @classmethod
    def of(cls, geometry: MuscleGeometry, tissue: Tissue | None = None) -> CylindricalConductor:
        """Return the limb around a muscle."""
        return cls(
            limb_mm=geometry.limb_radius_mm,
            fat_mm=geometry.fat_mm,
            skin_mm=geometry.skin_mm,
            bone_mm=geometry.bone_radius_mm,
            tissue=tissue or Tissue(),
        )

    @property
    def muscle_mm(self) -> float:
        """Outer radius of the muscle."""
        return self.limb_mm - self.fat_mm - self.skin_mm

    @property
    def cover_mm(self) -> float:
        """What lies over the muscle."""
        return self.fat_mm + self.skin_mm

    def locate(
        self, x_mm: ArrayLike, y_mm: ArrayLike, *, surface_y_mm: float
    ) -> tuple[Floats, Floats]:
        """Depth below the muscle's surface and arc along the skin of points in the muscle."""
        depth = surface_y_mm - np.asarray(y_mm, float)
        centre = self.muscle_mm - surface_y_mm
        deepest = float(depth.max(initial=0.0))
        if centre <= 0 or self.muscle_mm - deepest <= self.bone_mm:
            raise ParameterError(
                f"The muscle reaches {deepest:g} mm deep, past the bone or the axis: in a limb of "
                f"{self.limb_mm:g} mm there are {self.muscle_mm - self.bone_mm:g} mm of muscle."
            )
        return depth, np.asarray(x_mm, float) * (self.limb_mm / centre)

    def transfer(self, order: ArrayLike, k_z: ArrayLike, depth_mm: ArrayLike) -> Floats:
        """Transform over angle and z of a unit current's potential on the skin.

        Parameters
        ----------
        order : array_like
            Angular order, 0 or more.
        k_z : array_like
            Wave number along the limb, rad/mm, above 0.
        depth_mm : array_like
            Depth of the current below the muscle's surface.

        Returns
        -------
        ndarray
            1/(S/m).
        """
        n, k = np.broadcast_arrays(np.asarray(order, float), np.asarray(k_z, float))
        muscle = self._muscle(n, k)
        return self._resistance(n, k, muscle) * muscle.at(
            self.muscle_mm - np.asarray(depth_mm, float)
        )

    def _resistance(self, n: Floats, k: Floats, muscle: _Muscle) -> Floats:
        """Potential on the skin of a unit current at the muscle's surface."""
        with np.errstate(over="ignore"):  # what overflows is divided by and gives its limit, 0
            potential, current = self._below_fat(n, k)
        below = self.tissue.muscle_radial * potential * muscle.slope - current
        return np.asarray(1 / (2 * np.pi * self.muscle_mm * below), float)

    def _below_fat(self, n: Floats, k: Floats) -> tuple[Floats, Floats]:
        """Potential and radial current at the muscle's surface when the skin's potential is 1."""
        radius = self.limb_mm
        potential, current = np.ones(n.shape), np.zeros(n.shape)
        for thickness, conductivity in (
            (self.skin_mm, self.tissue.skin),
            (self.fat_mm, self.tissue.fat),
        ):
            if thickness > 0:
                potential, current = _inwards(
                    (n, k), (radius, radius - thickness), potential, current / conductivity
                )
                current = current * conductivity
                radius -= thickness
        return potential, current

    def _muscle(self, n: Floats, k: Floats) -> _Muscle:
        """Return the solution that is regular at the axis and obeys the bone."""
        k_m, a, b = k * np.sqrt(self.tissue.anisotropy), self.muscle_mm, self.bone_mm
        top = log_first(n, k_m * a)
        slope_i = k_m * slope_first(n, k_m * a)
        if b == 0:
            none = np.zeros(n.shape)
            return _Muscle((n, k_m), (1 + none, none), (-top, none), slope_i)
        slope_b = self.tissue.bone / self.tissue.muscle_radial * k * slope_first(n, k * b)
        i_b, k_b = k_m * slope_first(n, k_m * b), k_m * slope_second(n, k_m * b)
        # Shares of I / I(b) and K / K(b), both over I(a) / I(b), so that neither overflows.
        share_i, share_k = (slope_b - k_b) / (i_b - k_b), (i_b - slope_b) / (i_b - k_b)
        fall = log_first(n, k_m * b) - top - log_second(n, k_m * b)
        outer = share_k * np.exp(fall + log_second(n, k_m * a))
        slope = share_i * slope_i + outer * k_m * slope_second(n, k_m * a)
        at_a = share_i + outer
        return _Muscle((n, k_m), (share_i / at_a, share_k / at_a), (-top, fall), slope / at_a)

    def table(self, depths_mm: Floats, reach: Reach, *, radius_mm: float) -> PotentialTable:
        """Tabulate the potential that discs of ``radius_mm`` take up."""
        box = max(BOX_Z_MM, 1.6 * reach.z_mm)
        count = round(box / STEP_Z_MM)
        step_z = box / count
        k = np.arange(count + 1, dtype=np.float64)[None, :] * (np.pi / box)
        n = np.arange(self._orders(float(np.min(depths_mm))))[:, None]
        disc = disc_transfer(np.hypot(k, n / self.limb_mm), radius_mm)
        n_x, n_z = (
            int(np.ceil(r / s)) + 2 for r, s in ((reach.x_mm, STEP_X_MM), (reach.z_mm, step_z))
        )
        angle = np.arange(n_x)[:, None] * STEP_X_MM / self.limb_mm
        waves = np.cos(angle * n.T) * np.where(n.T == 0, 1.0, 2.0)
        smooth, far = self._far_field(k, np.arange(n_z, dtype=np.float64) * step_z)
        order, wave = np.broadcast_arrays(n.astype(float), np.maximum(k, _ALMOST_ZERO))
        muscle = self._muscle(order, wave)
        skin = self._resistance(order, wave, muscle) * disc
        values = np.empty((len(depths_mm), n_x, n_z), np.float32)
        for i, depth in enumerate(depths_mm):
            spectrum = skin * muscle.at(self.muscle_mm - depth)
            spectrum[0] = np.where(k[0] > 0, spectrum[0] - smooth, 0.0)
            over_z = dct(spectrum, type=1, axis=1)[:, :n_z] / (2 * box)
            values[i] = waves @ over_z + far
        return PotentialTable(np.array(depths_mm), STEP_X_MM, step_z, values)

    def _orders(self, shallowest_mm: float) -> int:
        fall = np.log(self.limb_mm / (self.muscle_mm - max(shallowest_mm, 0.05)))
        return int(min(np.ceil(9 / fall), _MOST_ORDERS)) + 1

    def _far_field(self, k: Floats, z: Floats) -> tuple[Floats, Floats]:
        # Far along an insulated limb all current flows along it: the potential falls in a straight
        # line, and its transform as 1/k2, which no sum over wave numbers can give. That part, made
        # smooth, is taken out of the transform and added back in closed form.
        radii = np.array(
            [0.0, self.bone_mm, self.muscle_mm, self.limb_mm - self.skin_mm, self.limb_mm]
        )
        t = self.tissue
        along = np.array([t.bone, t.muscle_axial, t.fat, t.skin])
        share = 1 / (np.pi * along @ np.diff(radii**2))
        safe = np.maximum(k[0], _ALMOST_ZERO)
        transform = share * np.exp(-((safe * _FAR_MM) ** 2)) / safe**2
        line = z / 2 * erf(z / (2 * _FAR_MM)) + _FAR_MM / np.sqrt(np.pi) * np.exp(
            -((z / (2 * _FAR_MM)) ** 2)
        )
        return transform, -share * line


@dataclass(frozen=True, slots=True)
class _Muscle:
    """A solution in muscle, 1 at its surface: shares of I and K, their scales, and its slope."""

    wave: tuple[Floats, Floats]
    share: tuple[Floats, Floats]
    scale: tuple[Floats, Floats]
    slope: Floats

    def at(self, radius: Floats | float) -> Floats:
        """Return the solution at a radius."""
        n, k = self.wave
        value = self.share[0] * np.exp(self.scale[0] + log_first(n, k * radius))
        if self.share[1].any():
            value = value + self.share[1] * np.exp(self.scale[1] + log_second(n, k * radius))
        return np.asarray(value, float)


def _inwards(
    wave: tuple[Floats, Floats], radii: tuple[float, float], potential: Floats, slope: Floats
) -> tuple[Floats, Floats]:
    """Carry a potential and its radial slope through one layer, inwards."""
    n, k = wave
    outer, inner = k * radii[0], k * radii[1]
    i_o, k_o = k * slope_first(n, outer), k * slope_second(n, outer)
    share_i, share_k = (
        (slope - potential * k_o) / (i_o - k_o),
        (potential * i_o - slope) / (i_o - k_o),
    )
    part_i = share_i * np.exp(log_first(n, inner) - log_first(n, outer))
    part_k = share_k * np.exp(log_second(n, inner) - log_second(n, outer))
    return part_i + part_k, part_i * k * slope_first(n, inner) + part_k * k * slope_second(n, inner)
