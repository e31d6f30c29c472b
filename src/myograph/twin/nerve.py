"""Nerves: axons along segments, how fast and whether they conduct, and at which current they fire.

Segments run from the muscle (or the skin) to the spinal cord. A disease of the nerve changes axons
in segments; latencies, amplitudes and blocks are consequences.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_choice, check_count
from myograph.core.errors import DataError
from myograph.twin.anatomy import NerveAnatomy
from myograph.twin.nerve_parameters import NERVE_PARAMETERS, NerveParameters, Segment
from myograph.twin.physiology import Range
from myograph.twin.pool import frozen_array
from myograph.twin.seeds import stream

__all__ = ["Axons", "Nerve", "of_anatomy"]

Floats = NDArray[np.float64]

#: Skin temperature at which the parameters hold, degrees Celsius.
REFERENCE_C = 33.0
# Change of conduction velocity, of the terminal's speed and of the action potential's duration over
# ten degrees: about 1.5 m/s and 0.2 ms of distal latency per degree in a hand (todnem1989).
Q10_VELOCITY, Q10_TERMINAL, Q10_DURATION = 1.3, 1.6, 1.5
# The velocity that is measured is that of the fast axons: so many deviations above the mean.
_FAST = 0.9
# No terminal and junction is passed in less, ms.
_LEAST_TERMINAL_MS = 0.5
#: Height of the person that the parameters describe.
REFERENCE_CM = 170.0


@dataclass(frozen=True, slots=True, eq=False)
class Axons:
    """Axons of one kind in a nerve, read-only.

    Parameters
    ----------
    velocity_m_s : ndarray, shape (n_axons, n_segments)
        At the reference temperature.
    blocked : ndarray of bool, shape (n_axons, n_segments)
        Where an axon does not conduct.
    terminal_ms : ndarray, shape (n_axons,)
        Time spent beyond the last segment.
    threshold_ma : ndarray, shape (n_axons,)
    alive : ndarray of bool, shape (n_axons,)
    """

    velocity_m_s: Floats
    blocked: NDArray[np.bool_]
    terminal_ms: Floats
    threshold_ma: Floats
    alive: NDArray[np.bool_]

    def __post_init__(self) -> None:
        shape = np.shape(self.velocity_m_s)
        for item in fields(self):
            dtype = np.bool_ if item.name in ("blocked", "alive") else np.float64
            array = frozen_array(getattr(self, item.name), dtype)
            wanted = shape if item.name in ("velocity_m_s", "blocked") else shape[:1]
            if len(shape) != 2 or array.shape != wanted:
                raise DataError(f"Axons.{item.name} must have shape {wanted}; got {array.shape}.")
            object.__setattr__(self, item.name, array)
        if not np.isfinite(self.velocity_m_s).all() or (self.velocity_m_s <= 0).any():
            raise DataError("Axons.velocity_m_s must be finite and above 0; block axons instead.")

    def __len__(self) -> int:
        """Count the axons, dead ones included."""
        return len(self.alive)


@dataclass(frozen=True, slots=True, eq=False)
class Nerve:
    """One person's nerve. Diseases return a changed copy.

    Parameters
    ----------
    name : str
    segments : tuple of Segment
        With this person's lengths.
    motor : Axons
        One per motor unit of the muscle that is studied, in the order of its pool.
    sensory : Axons
    sensory_uv : float
        What one axon adds to the sensory potential at the distal site, µV.
    backfiring : float
        As in `NerveParameters`.
    temperature_c : float
        Of the skin at the distal segment.

    Examples
    --------
    >>> nerve = Nerve.healthy("median", n_motor=190, seed=1)
    >>> nerve.sites
    ('wrist', 'elbow', 'axilla', 'cord')
    >>> bool(2.5 < nerve.motor_latency_ms("wrist").min() < 5)
    True
    """

    name: str
    segments: tuple[Segment, ...]
    motor: Axons
    sensory: Axons
    sensory_uv: float
    backfiring: float
    temperature_c: float = REFERENCE_C

    def __post_init__(self) -> None:
        Range(20, 38, "C", least=5, most=45).check(self.temperature_c, name="temperature_c")
        for axons in (self.motor, self.sensory):
            if axons.velocity_m_s.shape[1] != len(self.segments):
                raise DataError(f"Axons of {self.name!r} need {len(self.segments)} segments.")

    @classmethod
    def healthy(
        cls,
        name: str | NerveParameters,
        *,
        n_motor: int,
        seed: int,
        height_cm: float = REFERENCE_CM,
        age_years: float = 40.0,
        variation: float = 1.0,
    ) -> Nerve:
        """Build the nerve of a healthy person.

        Parameters
        ----------
        name : str or NerveParameters
            One of `NERVE_PARAMETERS`, or parameters of your own.
        n_motor : int
            Motor axons: the units of the muscle.
        seed : int
            Of the person and of the axons, each property with a stream of its own.
        height_cm, age_years : float
            Longer and older nerves are slower: 2.5 m/s in 10 cm, 1.5 m/s in 10 years from 40.
        variation : float
            How much people differ; 0 gives everybody the mean.
        """
        if isinstance(name, str):
            name = NERVE_PARAMETERS[check_choice(name, NERVE_PARAMETERS, name="nerve")]
        Range(140, 205, "cm", least=40, most=260).check(height_cm, name="height_cm")
        Range(15, 95, "years", least=1, most=120).check(age_years, name="age_years")
        check_count(n_motor, name="n_motor", least=0)
        draw = _Person(seed, name.name, variation, height_cm, age_years)
        segments = tuple(_grown(s, height_cm / REFERENCE_CM) for s in name.segments)
        sensory_uv, count = 0.0, name.n_sensory if name.sensory_velocity_m_s else 0
        if count:
            # One axon's share, were all in step; people differ, and lose about 6 % in ten years.
            sigma = np.sqrt(np.log1p(name.sensory_cv**2))
            sensory_uv = name.sensory_uv / count * np.exp(sigma * draw.z("sensory-size"))
            sensory_uv *= max(1 - 0.006 * (age_years - 40), 0.2)
        return cls(
            name=name.name,
            segments=segments,
            motor=_axons(name, n_motor, draw, "motor"),
            sensory=_axons(name, count, draw, "sensory"),
            sensory_uv=float(sensory_uv),
            backfiring=name.backfiring,
        )

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the stimulation sites, from distal to proximal; the last is the spinal cord."""
        return tuple(segment.site for segment in self.segments if segment.site)

    def reach(self, site: str) -> int:
        """Return how many segments lie between a site and the muscle or the skin."""
        check_choice(site, self.sites, name=f"site of {self.name}")
        return [segment.site for segment in self.segments].index(site) + 1

    def distance_mm(self, site: str, *, kind: str = "motor") -> float:
        """Return the length of the nerve from a site to the muscle or the skin."""
        return float(self.lengths_mm(kind)[: self.reach(site)].sum())

    def lengths_mm(self, kind: str = "motor") -> Floats:
        """Return the length of each segment for the motor or the sensory axons."""
        check_choice(kind, ("motor", "sensory"), name="kind")
        return np.array([getattr(segment, f"{kind}_mm") for segment in self.segments])

    def slowing(self, q10: float, exposure: ArrayLike = 1.0) -> Floats:
        """Return what temperature multiplies durations by, given their change over ten degrees."""
        degrees = (REFERENCE_C - self.temperature_c) * np.asarray(exposure, float)
        return np.asarray(q10 ** (degrees / 10), np.float64)

    def conduction_ms(self, kind: str = "motor") -> Floats:
        """Return the time each axon spends in each segment, shape (n_axons, n_segments)."""
        axons = self.axons(kind)
        exposure = [segment.exposure for segment in self.segments]
        return self.lengths_mm(kind) / axons.velocity_m_s * self.slowing(Q10_VELOCITY, exposure)

    def motor_latency_ms(self, site: str) -> Floats:
        """Return the time from a stimulus at a site to the end-plates, shape (n_axons,)."""
        along = self.conduction_ms("motor")[:, : self.reach(site)].sum(axis=1)
        return along + self.motor.terminal_ms * self.slowing(Q10_TERMINAL)

    def conducting(self, start: str | None, end: str, *, kind: str = "motor") -> NDArray[np.bool_]:
        """Say which axons are alive and not blocked between two sites.

        Parameters
        ----------
        start : str or None
            The distal end; None for the muscle or the skin.
        end : str
            The proximal end.
        kind : str
            ``"motor"`` or ``"sensory"``.
        """
        axons = self.axons(kind)
        low = 0 if start is None else self.reach(start)
        return axons.alive & ~axons.blocked[:, low : self.reach(end)].any(axis=1)

    def axons(self, kind: str) -> Axons:
        """Return the motor or the sensory axons."""
        check_choice(kind, ("motor", "sensory"), name="kind")
        return self.motor if kind == "motor" else self.sensory

    def with_axons(self, kind: str, axons: Axons) -> Nerve:
        """Return the nerve with its motor or sensory axons replaced."""
        if len(axons) != len(self.axons(kind)):
            raise DataError(f"{self.name!r} has {len(self.axons(kind))} {kind} axons to replace.")
        if kind == "motor":
            return replace(self, motor=axons)
        return replace(self, sensory=axons)

    def at_temperature(self, temperature_c: float) -> Nerve:
        """Return the nerve with another skin temperature. Nothing corrects for it."""
        return replace(self, temperature_c=temperature_c)


@dataclass(frozen=True, slots=True)
class _Person:
    seed: int
    nerve: str
    variation: float
    height_cm: float
    age_years: float

    def z(self, trait: str) -> float:
        """Return how the person differs in a trait, in standard deviations (within 2.5)."""
        z = stream(self.seed, "nerve", self.nerve, trait).standard_normal()
        return self.variation * float(np.clip(z, -2.5, 2.5))

    @property
    def slower_m_s(self) -> float:
        older = max(self.age_years - 40.0, 0.0)
        return 0.25 * (self.height_cm - REFERENCE_CM) + 0.15 * older


def _axons(p: NerveParameters, count: int, draw: _Person, kind: str) -> Axons:
    def normals(name: str) -> Floats:
        z = stream(draw.seed, "axon", p.name, kind, name).standard_normal(count)
        return np.clip(z, -2.0, 2.0)

    mean, sd = getattr(p, f"{kind}_velocity_m_s"), getattr(p, f"{kind}_velocity_sd_m_s")
    fastest = max(mean + sd * draw.z(f"{kind}-velocity") - draw.slower_m_s, 1.0)
    own = fastest * (1 + p.axon_spread * (normals("velocity") - _FAST))
    terminal = np.zeros(count)
    if kind == "motor":
        person_ms = p.terminal_ms + p.terminal_sd_ms * draw.z("terminal")
        terminal = person_ms + p.terminal_spread_ms * normals("terminal")
        terminal = np.maximum(terminal, _LEAST_TERMINAL_MS)
    faster = np.array([segment.faster for segment in p.segments])
    threshold = p.threshold_ma * (1 + p.threshold_cv * normals("threshold"))
    return Axons(
        velocity_m_s=own[:, None] * faster,
        blocked=np.zeros((count, len(p.segments)), bool),
        terminal_ms=terminal,
        threshold_ma=threshold,
        alive=np.ones(count, bool),
    )


def _grown(segment: Segment, scale: float) -> Segment:
    # The distal distances are set by the examiner's tape, not by the person.
    if segment.exposure >= 1.0:
        return segment
    return replace(
        segment, motor_mm=segment.motor_mm * scale, sensory_mm=segment.sensory_mm * scale
    )


def of_anatomy(anatomy: NerveAnatomy, *, n_motor: int, seed: int) -> Nerve:
    """Build the nerve of a `myograph.twin.subject.Patient`, with that person's velocity and length.

    Parameters
    ----------
    anatomy : NerveAnatomy
        An entry of ``patient.nerves``. Nerves that `NERVE_PARAMETERS` does not know are built from
        its three distances.
    n_motor : int
    seed : int
    """
    known = NERVE_PARAMETERS.get(anatomy.name)
    sensory = anatomy.sensory_velocity_m_s
    if known is None:
        return Nerve.healthy(_plain(anatomy), n_motor=n_motor, seed=seed, variation=0.0)
    own = replace(
        known,
        motor_velocity_m_s=anatomy.motor_velocity_m_s,
        sensory_velocity_m_s=sensory if known.sensory_velocity_m_s else 0.0,
        motor_velocity_sd_m_s=0.0,
        sensory_velocity_sd_m_s=0.0,
    )
    scale = anatomy.root_mm / sum(segment.motor_mm for segment in known.segments)
    segments = tuple(_grown(segment, scale) for segment in own.segments)
    return Nerve.healthy(replace(own, segments=segments), n_motor=n_motor, seed=seed)


def _plain(anatomy: NerveAnatomy) -> NerveParameters:
    bounds = (0.0, anatomy.distal_mm, anatomy.proximal_mm, anatomy.root_mm)
    names = (("distal", "distal", 1.0), ("limb", "proximal", 0.5), ("trunk", "cord", 0.0))
    segments = tuple(
        Segment(name, high - low, high - low, exposure, site)
        for (low, high), (name, site, exposure) in zip(pairwise(bounds), names, strict=True)
    )
    return NerveParameters(
        name=anatomy.name,
        segments=segments,
        motor_velocity_m_s=anatomy.motor_velocity_m_s,
        terminal_ms=1.5,
        n_sensory=0,
    )
