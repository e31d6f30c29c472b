"""What nerves are made from: segments, velocities, terminal times, for an adult of 170 cm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from myograph.core.checks import check_count
from myograph.core.errors import ParameterError
from myograph.twin.physiology import Range, check_ranges

__all__ = ["NERVE_PARAMETERS", "NerveParameters", "Segment"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a nerve.

    Parameters
    ----------
    name : str
    motor_mm, sensory_mm : float
        Its length on the way to the muscle and to the skin; 0 where the way does not use it.
    exposure : float
        Share of the skin's cooling that reaches the nerve here: 1 in hand and foot, 0 in the trunk.
    site : str
        Stimulation site at its far (proximal) end; empty for none.
    faster : float
        Velocity here over that of the limb's main segment.
    """

    name: str
    motor_mm: float
    sensory_mm: float
    exposure: float
    site: str = ""
    faster: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NerveParameters:
    """A nerve of an adult of 170 cm and 40 years, and how people differ.

    Parameters
    ----------
    name : str
    segments : tuple of Segment
        From the muscle or the skin to the spinal cord; empty lengths are allowed.
    motor_velocity_m_s, motor_velocity_sd_m_s : float
        Velocity of the fastest motor axons, which is what is measured; mean and spread over people.
    terminal_ms, terminal_sd_ms : float
        Time in the thin terminal branches and the neuromuscular junction.
    sensory_velocity_m_s, sensory_velocity_sd_m_s : float
        Of the fastest sensory axons, distally.
    axon_spread : float
        Standard deviation of the velocity within the nerve, relative.
    terminal_spread_ms : float
        Standard deviation of the terminal time between axons.
    n_sensory : int
        Sensory axons.
    sensory_uv, sensory_cv : float
        Negative peak that the axons would give if all were in step, µV; mean and relative spread.
        About 0.7 of it is left at the distal site.
    threshold_ma, threshold_cv : float
        Median threshold current of the axons and its relative spread in the nerve.
    backfiring : float
        Mean probability that a motoneuron answers one antidromic impulse (F-wave); fast ones do
        so more often.
    """

    name: str
    segments: tuple[Segment, ...]
    motor_velocity_m_s: float = 0.0
    motor_velocity_sd_m_s: float = 0.0
    terminal_ms: float = 0.0
    terminal_sd_ms: float = 0.0
    sensory_velocity_m_s: float = 0.0
    sensory_velocity_sd_m_s: float = 0.0
    axon_spread: float = 0.07
    terminal_spread_ms: float = 0.75
    n_sensory: int = 1000
    sensory_uv: float = 0.0
    sensory_cv: float = 0.45
    threshold_ma: float = 10.0
    threshold_cv: float = 0.15
    backfiring: float = 0.02

    def __post_init__(self) -> None:
        ranges = {
            "motor_velocity_m_s": Range(0, 75, "m/s", most=120),
            "sensory_velocity_m_s": Range(0, 75, "m/s", most=120),
            "motor_velocity_sd_m_s": Range(0, 10, "m/s", most=40),
            "sensory_velocity_sd_m_s": Range(0, 10, "m/s", most=40),
            "terminal_ms": Range(0, 5, "ms", most=50),
            "terminal_sd_ms": Range(0, 1, "ms", most=10),
            "axon_spread": Range(0.02, 0.2, most=0.3),
            "terminal_spread_ms": Range(0, 1, "ms", most=10),
            "sensory_uv": Range(0, 150, "uV", most=2000),
            "sensory_cv": Range(0, 0.7, most=2),
            "threshold_ma": Range(2, 60, "mA", least=0.01, most=1000),
            "threshold_cv": Range(0.03, 0.4, most=2),
            "backfiring": Range(0, 0.1, most=1),
        }
        check_ranges(self, ranges)
        check_count(self.n_sensory, name="n_sensory", least=0)
        if not self.segments:
            raise ParameterError(f"Nerve {self.name!r} needs at least one segment; got none.")


# Lengths at 170 cm; distal distances are the protocol's (8 cm to the muscle, 14 cm to the skin).
# Terminal times bring the distal latency, and the ways to the cord the F-wave, to their measured
# means (buschbacher1999, nobrega2004); benchmarks/science/twin_nerve.py shows what comes out.
_MEDIAN = (
    Segment("hand", 25, 75, 1.0),
    Segment("tunnel", 30, 30, 1.0),
    Segment("wrist", 25, 35, 1.0, "wrist"),
    Segment("forearm", 220, 220, 0.5, "elbow"),
    Segment("arm", 180, 180, 0.2, "axilla", 1.08),
    Segment("trunk", 220, 220, 0.0, "cord", 1.08),
)
_ULNAR = (
    Segment("hand", 80, 140, 1.0, "wrist"),
    Segment("forearm", 200, 200, 0.5, "below elbow"),
    Segment("elbow", 100, 100, 0.4, "above elbow"),
    Segment("arm", 140, 140, 0.2, "axilla"),
    Segment("trunk", 270, 270, 0.0, "cord"),
)
_PERONEAL = (
    Segment("foot", 80, 0, 1.0, "ankle"),
    Segment("leg", 320, 0, 0.5, "fibular head"),
    Segment("knee", 100, 0, 0.4, "knee"),
    Segment("thigh", 560, 0, 0.0, "cord", 1.02),
)
_TIBIAL = (
    Segment("foot", 80, 0, 1.0, "ankle"),
    Segment("leg", 400, 0, 0.5, "knee"),
    Segment("thigh", 620, 0, 0.0, "cord", 1.02),
)
_SOLEUS = (
    Segment("leg", 130, 0, 0.5, "knee"),
    Segment("thigh", 640, 640, 0.0, "cord"),
)
_SURAL = (
    Segment("ankle", 0, 140, 1.0, "calf"),
    Segment("leg", 0, 300, 0.5, "knee"),
    Segment("thigh", 0, 590, 0.0, "cord", 1.1),
)

#: Nerves that are studied, at 170 cm and 40 years: velocities, latencies and sensory amplitudes of
#: buschbacher1999 (secondary transcription for the sensory ones).
NERVE_PARAMETERS: Mapping[str, NerveParameters] = MappingProxyType(
    {
        p.name: p
        for p in (
            NerveParameters(
                name="median",
                segments=_MEDIAN,
                motor_velocity_m_s=58.5,
                motor_velocity_sd_m_s=5.0,
                terminal_ms=3.15,
                terminal_sd_ms=0.45,
                sensory_velocity_m_s=59.0,
                sensory_velocity_sd_m_s=5.0,
                sensory_uv=47.5,
                backfiring=0.022,
            ),
            NerveParameters(
                name="ulnar",
                segments=_ULNAR,
                motor_velocity_m_s=63.0,
                motor_velocity_sd_m_s=5.0,
                terminal_ms=2.15,
                terminal_sd_ms=0.28,
                sensory_velocity_m_s=59.0,
                sensory_velocity_sd_m_s=5.0,
                sensory_uv=41.5,
                backfiring=0.022,
            ),
            NerveParameters(
                name="peroneal",
                segments=_PERONEAL,
                motor_velocity_m_s=48.5,
                motor_velocity_sd_m_s=4.0,
                terminal_ms=3.7,
                terminal_sd_ms=0.75,
                threshold_ma=14.0,
                backfiring=0.014,
            ),
            NerveParameters(
                name="tibial",
                segments=_TIBIAL,
                motor_velocity_m_s=47.0,
                motor_velocity_sd_m_s=5.0,
                terminal_ms=3.35,
                terminal_sd_ms=0.75,
                threshold_ma=14.0,
                backfiring=0.05,
            ),
            NerveParameters(
                name="tibial-soleus",
                segments=_SOLEUS,
                motor_velocity_m_s=48.0,
                motor_velocity_sd_m_s=4.0,
                terminal_ms=2.0,
                terminal_sd_ms=0.3,
                sensory_velocity_m_s=56.0,
                sensory_velocity_sd_m_s=4.0,
                n_sensory=300,
                threshold_ma=12.0,
            ),
            NerveParameters(
                name="sural",
                segments=_SURAL,
                sensory_velocity_m_s=49.0,
                sensory_velocity_sd_m_s=4.0,
                sensory_uv=24.0,
                sensory_cv=0.55,
            ),
        )
    }
)
