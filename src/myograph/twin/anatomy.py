"""Muscles and nerves by name: what a typical adult has.

Counts and sizes marked "assumed" in `Anatomy.source` are plausible values without a source; they
set the scene and are no norms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from myograph.twin.muscle import MuscleGeometry
from myograph.twin.pool import PoolParameters

__all__ = ["FOREARM_SET", "MUSCLES", "NERVES", "Anatomy", "NerveAnatomy"]


@dataclass(frozen=True, slots=True)
class Anatomy:
    """A muscle of a typical adult.

    Parameters
    ----------
    name, full_name : str
    nerve : str
        Key of `NERVES`.
    pool : PoolParameters
    geometry : MuscleGeometry
    source : str
        Where the number of units and fibres comes from.
    """

    name: str
    full_name: str
    nerve: str
    pool: PoolParameters
    geometry: MuscleGeometry
    source: str


@dataclass(frozen=True, slots=True)
class NerveAnatomy:
    """A nerve of a typical adult.

    Parameters
    ----------
    name : str
    motor_velocity_m_s, motor_velocity_sd_m_s : float
        Conduction velocity of the motor fibres over people.
    sensory_velocity_m_s : float
        Of the sensory fibres; 0 where none are studied.
    distal_mm : float
        Distance from the distal stimulation site to the muscle.
    proximal_mm : float
        Distance from the proximal stimulation site to the muscle.
    root_mm : float
        Distance from the spinal cord to the muscle, for late responses.
    source : str
    """

    name: str
    motor_velocity_m_s: float
    motor_velocity_sd_m_s: float
    sensory_velocity_m_s: float
    distal_mm: float
    proximal_mm: float
    root_mm: float
    source: str


# Muscle fibres fill this share of a cross-section.
_FILL = 0.9


def _fibres(width_mm: float, thickness_mm: float, diameter_um: float = 55.0) -> int:
    return int(_FILL * width_mm * thickness_mm / (diameter_um / 1000) ** 2)


# Fibres of some muscles differ from those of `MuscleGeometry`. Those of the tibialis anterior are
# thick in living men (recalled, 60 to 75 um), hence fast; with the density of hamiltonwright2005
# its needle potentials are as wide as measured (benchmarks/science/twin_needle.py).
_FIBRES: dict[str, dict[str, Any]] = {
    "TA": {"diameter_um": 68.0, "diameter_sd_um": 11.0, "territory_density_per_mm2": 10.0},
}


# name: full name, nerve, units, source of the count
_NAMES: dict[str, tuple[str, str, int, str]] = {
    "FDI": ("first dorsal interosseous", "ulnar", 120, "feinstein1955 (recalled)"),
    "ADM": ("abductor digiti minimi", "ulnar", 180, "cao2020 (MUNIX)"),
    "APB": ("abductor pollicis brevis", "median", 190, "cao2020 (MUNIX)"),
    "BB": ("biceps brachii", "musculocutaneous", 774, "feinstein1955 (recalled)"),
    "TA": ("tibialis anterior", "peroneal", 445, "feinstein1955 (recalled)"),
    "VL": ("vastus lateralis", "femoral", 300, "assumed"),
    "SOL": ("soleus", "tibial", 900, "assumed"),
    "MG": ("medial gastrocnemius", "tibial", 579, "feinstein1955 (recalled)"),
    "FCR": ("flexor carpi radialis", "median", 235, "assumed"),
    "PL": ("palmaris longus", "median", 164, "neuromotion"),
    "FCU": ("flexor carpi ulnaris", "ulnar", 422, "neuromotion"),
    "FDS": ("flexor digitorum superficialis", "median", 158, "neuromotion"),
    "FDP": ("flexor digitorum profundus", "median", 220, "assumed"),
    "FPL": ("flexor pollicis longus", "median", 150, "assumed"),
    "PT": ("pronator teres", "median", 200, "assumed"),
    "BR": ("brachioradialis", "radial", 333, "feinstein1955 (recalled)"),
    "ECRL": ("extensor carpi radialis longus", "radial", 204, "neuromotion"),
    "ECRB": ("extensor carpi radialis brevis", "radial", 186, "neuromotion"),
    "ECU": ("extensor carpi ulnaris", "radial", 180, "neuromotion"),
    "ED": ("extensor digitorum", "radial", 186, "neuromotion"),
    "EDM": ("extensor digiti minimi", "radial", 100, "assumed"),
    "EPL": ("extensor pollicis longus", "radial", 90, "assumed"),
    "APL": ("abductor pollicis longus", "radial", 100, "assumed"),
    "SUP": ("supinator", "radial", 130, "assumed"),
}

# name: width, thickness, fibre length, depth below the surface, fat, limb radius, bone radius, all
# in mm, and the maximal force in newtons; all assumed.
_SHAPES: dict[str, tuple[float, float, float, float, float, float, float, float]] = {
    "FDI": (12, 11, 32, 0, 1.0, 20, 0, 35),
    "ADM": (12, 9, 40, 0, 1.0, 20, 0, 25),
    "APB": (16, 8, 40, 0, 1.0, 20, 0, 25),
    "BB": (40, 22, 130, 0, 4.0, 48, 12, 350),
    "TA": (30, 24, 70, 0, 3.0, 50, 14, 600),
    "VL": (70, 25, 80, 0, 6.0, 80, 16, 1500),
    "SOL": (70, 22, 45, 8, 5.0, 55, 14, 1800),
    "MG": (50, 16, 55, 0, 5.0, 55, 14, 900),
    "FCR": (18, 12, 60, 0, 3.0, 40, 8, 120),
    "PL": (10, 7, 55, 0, 3.0, 40, 8, 40),
    "FCU": (18, 12, 45, 0, 3.0, 40, 8, 150),
    "FDS": (30, 12, 80, 5, 3.0, 40, 8, 250),
    "FDP": (28, 14, 80, 14, 3.0, 40, 8, 250),
    "FPL": (14, 9, 50, 12, 3.0, 40, 8, 80),
    "PT": (20, 11, 45, 1, 3.0, 40, 8, 120),
    "BR": (18, 12, 150, 0, 3.0, 40, 8, 120),
    "ECRL": (16, 10, 90, 0, 3.0, 40, 8, 110),
    "ECRB": (16, 11, 55, 2, 3.0, 40, 8, 120),
    "ECU": (15, 10, 50, 0, 3.0, 40, 8, 100),
    "ED": (22, 9, 65, 0, 3.0, 40, 8, 120),
    "EDM": (8, 6, 60, 1, 3.0, 40, 8, 25),
    "EPL": (8, 7, 50, 8, 3.0, 40, 8, 30),
    "APL": (12, 8, 50, 8, 3.0, 40, 8, 60),
    "SUP": (20, 8, 35, 12, 3.0, 40, 8, 100),
}

# Large muscles recruit over a broad range of force, hand muscles over a narrow one. Those of the
# tibialis anterior are fitted to the measured units of klotz2024 (one person).
_BROAD: dict[str, Any] = {"recruitment_range": 50.0}
_POOLS: dict[str, dict[str, Any]] = {
    "FDI": {},
    "ADM": {},
    "APB": {},
    "TA": {
        "recruitment_range": 30.0,
        "min_rate_hz": 13.0,
        "peak_rate_hz": 48.0,
        "peak_rate_drop_hz": 8.0,
        "rate_gain": 0.55,
        "twitch_range": 50.0,
        "innervation_range": 50.0,
    },
    "SOL": {
        **_BROAD,
        "min_rate_hz": 6.0,
        "peak_rate_hz": 20.0,
        "peak_rate_drop_hz": 4.0,
        "rate_gain": 0.4,
        "longest_contraction_ms": 140.0,
        "contraction_range": 2.0,
    },
}


def _anatomy(name: str) -> Anatomy:
    full_name, nerve, units, source = _NAMES[name]
    width, thickness, length, depth, fat, limb, bone, mvc = _SHAPES[name]
    own = _FIBRES.get(name, {})
    pool = PoolParameters(
        n_units=units,
        n_fibres=_fibres(width, thickness, own.get("diameter_um", 55.0)),
        mvc_n=mvc,
        **_POOLS.get(name, _BROAD),
    )
    geometry = MuscleGeometry(
        **own,
        width_mm=width,
        thickness_mm=thickness,
        fibre_length_mm=length,
        zone_spread_mm=min(3.0, 0.04 * length),
        tendon_spread_mm=min(5.0, 0.08 * length),
        depth_mm=depth,
        fat_mm=fat,
        limb_radius_mm=limb,
        bone_radius_mm=bone,
    )
    return Anatomy(name, full_name, nerve, pool, geometry, source)


#: Muscles by their usual abbreviation.
MUSCLES: Mapping[str, Anatomy] = MappingProxyType({name: _anatomy(name) for name in _NAMES})

#: Forearm muscles that gestures use.
FOREARM_SET = (
    "FCR", "PL", "FCU", "FDS", "FDP", "FPL", "PT", "BR",
    "ECRL", "ECRB", "ECU", "ED", "EDM", "EPL", "APL", "SUP",
)  # fmt: skip

# Median and ulnar velocities and their spread are measured in 493 adults; distances, and the other
# nerves, are typical values without a source.
_493 = "normative table of 493 adults; distances assumed"
#: Nerves by name.
NERVES: Mapping[str, NerveAnatomy] = MappingProxyType(
    {
        nerve.name: nerve
        for nerve in (
            NerveAnatomy("median", 54.4, 5.7, 54.6, 70, 290, 720, _493),
            NerveAnatomy("ulnar", 59.8, 8.0, 53.9, 70, 310, 720, _493),
            NerveAnatomy("radial", 60.0, 6.0, 58.0, 100, 260, 550, "assumed"),
            NerveAnatomy("musculocutaneous", 62.0, 6.0, 60.0, 120, 280, 330, "assumed"),
            NerveAnatomy("peroneal", 47.0, 4.0, 0.0, 80, 400, 980, "assumed"),
            NerveAnatomy("tibial", 50.7, 4.5, 0.0, 100, 480, 850, "assumed"),
            NerveAnatomy("femoral", 60.0, 6.0, 0.0, 150, 300, 450, "assumed"),
        )
    }
)
