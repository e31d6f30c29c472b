"""A joint moved by muscles: angle and accelerometer follow from the forces.

The joint is a mass on a damped spring. Forces pull on moment arms; everything else (tremor,
movement, steadiness) is in them already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import cont2discrete, lfilter

from myograph.core.checks import check_non_negative, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.seeds import stream

__all__ = ["Joint", "Motion", "acceleration_g", "move"]

Floats = NDArray[np.float64]

#: Standard gravity, m/s².
GRAVITY = 9.80665
# A joint that turns further than this has left what a spring describes.
_FURTHEST_DEG = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """A joint of one degree of freedom; the defaults are those of a wrist with its hand (assumed).

    Parameters
    ----------
    arms_mm : mapping of muscle to float
        Moment arms, mm; positive ones turn towards positive angles.
    inertia_kg_m2, viscosity_nm_s, stiffness_nm : float
        About the joint: kg m², N m s/rad, N m/rad. A fixed limb is a stiff one.
    rest_deg : float
        Angle at which the spring is slack; 0 is horizontal.
    lever_mm : float
        From the joint to the accelerometer.

    Examples
    --------
    >>> wrist = Joint(arms_mm={"FCR": 14.0, "ECRB": -14.0})
    >>> round(wrist.natural_hz, 1), round(wrist.damping, 2)
    (4.1, 0.58)
    """

    arms_mm: Mapping[str, float] = field(default_factory=dict)
    inertia_kg_m2: float = 0.003
    viscosity_nm_s: float = 0.09
    stiffness_nm: float = 2.0
    rest_deg: float = 0.0
    lever_mm: float = 80.0

    def __post_init__(self) -> None:
        if not self.arms_mm:
            raise ParameterError("A joint needs the moment arm of at least one muscle; got none.")
        ranges = {
            "inertia_kg_m2": Range(1e-5, 0.5, "kg m2", least=1e-7),
            "viscosity_nm_s": Range(1e-4, 10, "N m s/rad", least=1e-6),
            "stiffness_nm": Range(0.05, 5000, "N m/rad", least=1e-3),
            "rest_deg": Range(-90, 90, "deg", least=-180, most=180),
            "lever_mm": Range(10, 600, "mm", least=0.1, most=2000),
        }
        check_ranges(self, ranges)
        for muscle, arm in self.arms_mm.items():
            Range(1, 80, "mm", least=1e-3, most=300).check(abs(arm), name=f"arm of {muscle}")
        object.__setattr__(self, "arms_mm", dict(self.arms_mm))

    @property
    def natural_hz(self) -> float:
        """Frequency at which the joint would swing without damping."""
        return float(np.sqrt(self.stiffness_nm / self.inertia_kg_m2) / (2 * np.pi))

    @property
    def damping(self) -> float:
        """Damping ratio; below 1 it swings."""
        return self.viscosity_nm_s / (2 * float(np.sqrt(self.stiffness_nm * self.inertia_kg_m2)))


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """How a joint moved.

    Parameters
    ----------
    fs_hz : float
    torque_nm : ndarray, shape (n_t,)
        Of the muscles together.
    angle_deg, velocity_deg_s, acceleration_deg_s2 : ndarray, shape (n_t,)
    """

    fs_hz: float
    torque_nm: Floats
    angle_deg: Floats
    velocity_deg_s: Floats
    acceleration_deg_s2: Floats


def move(joint: Joint, forces_n: Mapping[str, ArrayLike], *, fs_hz: float) -> Motion:
    """Let forces move a joint, from rest.

    Parameters
    ----------
    joint : Joint
    forces_n : mapping of muscle to array_like, shape (n_t,)
        Newtons, from `myograph.twin.contraction.force_n`; one for each moment arm.
    fs_hz : float
        Rate of the forces, Hz. Between samples a force stands still.

    Examples
    --------
    >>> wrist = Joint(arms_mm={"FCR": 14.0})
    >>> steady = move(wrist, {"FCR": np.full(3000, 20.0)}, fs_hz=1000.0)
    >>> round(float(steady.angle_deg[-1]), 2)  # 20 N x 14 mm / 2 N m/rad
    8.02
    """
    rate_hz = check_positive(fs_hz, name="fs_hz")
    if set(forces_n) != set(joint.arms_mm):
        raise DataError(
            f"The joint has moment arms of {sorted(joint.arms_mm)}, the forces are of "
            f"{sorted(forces_n)}; give one force for each arm."
        )
    rows = {name: np.asarray(force, float) for name, force in forces_n.items()}
    if len({row.shape for row in rows.values()}) != 1 or next(iter(rows.values())).ndim != 1:
        raise DataError("Forces must be 1-D and of one length.")
    torque = np.sum([joint.arms_mm[name] / 1000 * row for name, row in rows.items()], axis=0)
    if not np.isfinite(torque).all():
        raise DataError("Forces must be finite.")
    inertia, stiffness = joint.inertia_kg_m2, joint.stiffness_nm
    a = np.array([[0.0, 1.0], [-stiffness / inertia, -joint.viscosity_nm_s / inertia]])
    b = np.array([[0.0], [1 / inertia]])
    phi, gamma, *_ = cont2discrete((a, b, np.eye(2), np.zeros((2, 1))), 1 / rate_hz, method="zoh")
    # The two states follow one recursion of second order, exact for forces in steps.
    poles = np.array([1.0, -np.trace(phi), np.linalg.det(phi)])
    zeros = np.array(
        [
            [0.0, gamma[k, 0], phi[k, 1 - k] * gamma[1 - k, 0] - phi[1 - k, 1 - k] * gamma[k, 0]]
            for k in (0, 1)
        ]
    )
    angle, velocity = (np.asarray(lfilter(row, poles, torque), np.float64) for row in zeros)
    acceleration = (torque - joint.viscosity_nm_s * velocity - stiffness * angle) / inertia
    degrees = np.rad2deg(angle) + joint.rest_deg
    Range(-_FURTHEST_DEG, _FURTHEST_DEG, "deg", least=-1e6).check(
        float(degrees[np.argmax(np.abs(degrees))]), name="largest angle"
    )
    return Motion(rate_hz, torque, degrees, np.rad2deg(velocity), np.rad2deg(acceleration))


def acceleration_g(
    joint: Joint, motion: Motion, *, seed: int, noise_g: float = 0.002
) -> NDArray[np.float32]:
    """Return what an accelerometer on the limb measures, gravity included.

    Parameters
    ----------
    joint : Joint
    motion : Motion
    seed : int
    noise_g : float
        Standard deviation of its noise, g.

    Returns
    -------
    ndarray of float32, shape (3, n_t)
        Across the limb in the plane of the movement, along it, and at right angles to both, g.
    """
    check_non_negative(noise_g, name="noise_g")
    lever = joint.lever_mm / 1000
    angle = np.deg2rad(motion.angle_deg)
    across = lever * np.deg2rad(motion.acceleration_deg_s2) / GRAVITY + np.cos(angle)
    along = -lever * np.deg2rad(motion.velocity_deg_s) ** 2 / GRAVITY + np.sin(angle)
    rows = np.stack([across, along, np.zeros(len(angle))])
    rows += noise_g * stream(seed, "accelerometer").standard_normal(rows.shape)
    return rows.astype(np.float32)
