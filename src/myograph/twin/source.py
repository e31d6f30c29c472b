"""The source: a fibre's action potential is born at the endplate, travels, and dies at the tendons.

Lengths in mm, times in ms, potentials in mV, conductivities in S/m. With these a current per length
is S/m x mm2 x mV/mm2, and divided by S/m x mm it is a potential in mV: no factor is ever needed.

The fast path rests on two facts. Inside the fibre the axial current jumps to zero at its ends, so
that by parts the potential at an electrode is a convolution of the membrane's slope ``V'`` with the
derivative of ``g(u) = G(endplate + u) + G(endplate - u)``, where ``u`` is the distance travelled
and each argument stops at its tendon. And ``V'`` of Rosenfalck is a sum of powers times an
exponential, so that this convolution is a recursion of four numbers. Birth, travel, extinction and
zero net charge need no special case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_positive
from myograph.twin.fibre import Fibres
from myograph.twin.physiology import Range

__all__ = [
    "INTRACELLULAR_S_M",
    "ActionPotential",
    "FibreSource",
    "fibre_response",
    "silent_after_ms",
]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

#: Conductivity of the inside of a fibre (hamiltonwright2005).
INTRACELLULAR_S_M = 1.01

# The action potential's tail is below a thousandth of its peak after this many lengths.
_TAIL_LENGTHS = 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionPotential:
    """The membrane potential behind the wave front, as Rosenfalck wrote it.

    ``V(s) = amplitude (s / length)^3 exp(-s / length) + rest`` where ``s`` is the distance behind
    the front, and ``rest`` ahead of it.

    Parameters
    ----------
    amplitude_mv : float
        The factor of the cube, 96 in rosenfalck1969; the potential rises by 1.344 times this.
    length_mm : float
        Stretch along the fibre, 1 in rosenfalck1969. Fatigue and cold lengthen it.
    rest_mv : float
        Resting potential.

    Examples
    --------
    >>> action = ActionPotential()
    >>> round(float(action.potential_mv(3.0)), 1), float(action.potential_mv(-1.0))
    (39.0, -90.0)
    """

    amplitude_mv: float = 96.0
    length_mm: float = 1.0
    rest_mv: float = -90.0

    def __post_init__(self) -> None:
        check_positive(self.amplitude_mv, name="amplitude_mv")
        check_positive(self.length_mm, name="length_mm")
        Range(-100, -50, "mV", least=-200, most=50).check(self.rest_mv, name="rest_mv")

    def potential_mv(self, behind_mm: ArrayLike) -> Floats:
        """Membrane potential at a distance behind the front."""
        s = self._scaled(behind_mm)
        return self.amplitude_mv * s**3 * np.exp(-s) + self.rest_mv

    def slope(self, behind_mm: ArrayLike) -> Floats:
        """First derivative, mV/mm."""
        s = self._scaled(behind_mm)
        return self.amplitude_mv / self.length_mm * (3 * s**2 - s**3) * np.exp(-s)

    def curvature(self, behind_mm: ArrayLike) -> Floats:
        """Second derivative, mV/mm2: what the membrane current is proportional to."""
        s = self._scaled(behind_mm)
        return self.amplitude_mv / self.length_mm**2 * (6 * s - 6 * s**2 + s**3) * np.exp(-s)

    def slope_spectrum(self, k_per_mm: ArrayLike) -> Complexes:
        """Fourier transform of the slope over distance, at wave numbers in rad/mm."""
        k = 1j * self.length_mm * np.asarray(k_per_mm, float)
        return np.asarray(6 * self.amplitude_mv * k / (1 + k) ** 4, np.complex128)

    def _scaled(self, behind_mm: ArrayLike) -> Floats:
        return np.maximum(np.asarray(behind_mm, float), 0.0) / self.length_mm


@dataclass(frozen=True, slots=True, kw_only=True)
class FibreSource:
    """The membrane current of one finite fibre, written out (farina2001).

    The reference form: exact, slow, and what the fast path is tested against.

    Parameters
    ----------
    left_mm, endplate_mm, right_mm : float
        z of the ends and of the neuromuscular junction.
    velocity_m_s : float
        Conduction velocity, m/s, which is mm/ms.
    diameter_um : float
    action : ActionPotential
    """

    left_mm: float
    endplate_mm: float
    right_mm: float
    velocity_m_s: float
    diameter_um: float
    action: ActionPotential = ActionPotential()

    @property
    def strength(self) -> float:
        """Intracellular conductivity times cross-section, S/m x mm2."""
        return float(INTRACELLULAR_S_M * np.pi / 4 * (self.diameter_um / 1000) ** 2)

    def gradient(self, z_mm: ArrayLike, time_ms: ArrayLike) -> Floats:
        """Slope of the membrane potential along z, mV/mm: zero outside the fibre."""
        z, t = np.broadcast_arrays(np.asarray(z_mm, float), np.asarray(time_ms, float))
        behind = self.velocity_m_s * t - np.abs(z - self.endplate_mm)
        inside = (z >= self.left_mm) & (z <= self.right_mm)
        return np.where(inside, -np.sign(z - self.endplate_mm) * self.action.slope(behind), 0.0)

    def spectrum(self, k_z_per_mm: ArrayLike, k_t_per_mm: ArrayLike) -> Complexes:
        """Transform of the membrane current over z and over the distance travelled.

        Parameters
        ----------
        k_z_per_mm, k_t_per_mm : array_like
            Wave number along the fibre, and angular frequency over velocity, rad/mm.

        Returns
        -------
        ndarray of complex
            S/m x mm2 x mV. Zero at ``k_z = 0``: a fibre's currents always add to nothing.
        """
        k_z, k_t = np.asarray(k_z_per_mm, float), np.asarray(k_t_per_mm, float)
        right = _windowed(k_t + k_z, self.right_mm - self.endplate_mm)
        left = _windowed(k_t - k_z, self.endplate_mm - self.left_mm)
        phase = 1j * k_z * np.exp(-1j * k_z * self.endplate_mm)
        return np.asarray(
            self.strength * phase * self.action.slope_spectrum(k_t) * (left - right), np.complex128
        )


def silent_after_ms(fibres: Fibres, action: ActionPotential) -> float:
    """Time from the discharge until nothing of the slowest fibre's potential is left, ms."""
    travel = np.maximum(fibres.right_mm - fibres.endplate_mm, fibres.endplate_mm - fibres.left_mm)
    way = travel + _TAIL_LENGTHS * action.length_mm
    return float(np.max(fibres.terminal_delay_ms + way / fibres.velocity_m_s, initial=0.0))


def fibre_response(
    potential: Floats, *, step_mm: float, action: ActionPotential | None = None
) -> Floats:
    """Potential of a fibre of unit strength at one electrode, from what a unit current gives there.

    Parameters
    ----------
    potential : ndarray, shape (n,)
        ``G(endplate + u) + G(endplate - u)`` at ``u = 0, step, 2 step, ...``, each argument held at
        the tendon once it is reached; G in 1/(S/m x mm).
    step_mm : float
        Distance travelled between two samples.
    action : ActionPotential, optional

    Returns
    -------
    ndarray, shape (n,)
        Potential at the same moments, mV per (S/m x mm2) of ``strength``.

    Examples
    --------
    >>> bool(np.all(fibre_response(np.ones(50), step_mm=0.2) == 0))  # no gradient, no potential
    True
    """
    shape = action or ActionPotential()
    out = np.zeros(len(potential))
    respond(
        np.ascontiguousarray(potential, np.float64), step_mm / shape.length_mm, 1.0, out, len(out)
    )
    return out * (shape.amplitude_mv / shape.length_mm)


def _windowed(k: Floats, length_mm: float) -> Complexes:
    # integral of exp(-j k u) for u from 0 to length
    half = k * length_mm / 2
    return np.exp(-1j * half) * length_mm * np.sinc(half / np.pi)


# The four states are the convolutions of the gradient with s^n e^-s / n!, n = 0..3, advanced
# exactly over one step in which the gradient is constant; V' is 6 times (third less fourth).
@njit(cache=True, nogil=True)
def respond(potential, step, scale, out, n):  # type: ignore[no-untyped-def]
    """Add ``scale`` times the response to ``out``; ``step`` is in action potential lengths."""
    decay = np.exp(-step)
    a1, a2, a3 = decay * step, decay * step**2 / 2, decay * step**3 / 6
    p0 = -np.expm1(-step)
    p1 = p0 - a1
    # Differences of nearly equal numbers lose digits for tiny steps: use the series there.
    p2 = p1 - a2 if step > 0.02 else decay * step**3 / 6 * (1 + step / 4)
    p3 = p2 - a3 if step > 0.02 else decay * step**4 / 24 * (1 + step / 5)
    b0, b1, b2, b3 = p0 / step, p1 / step, p2 / step, p3 / step
    y0, y1, y2, y3 = 0.0, 0.0, 0.0, 0.0
    for i in range(1, n):
        d = potential[i] - potential[i - 1]
        y3 = decay * y3 + a1 * y2 + a2 * y1 + a3 * y0 + b3 * d
        y2 = decay * y2 + a1 * y1 + a2 * y0 + b2 * d
        y1 = decay * y1 + a1 * y0 + b1 * d
        y0 = decay * y0 + b0 * d
        out[i] += scale * 6.0 * (y2 - y3)
