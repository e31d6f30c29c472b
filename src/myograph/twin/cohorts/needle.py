"""People examined with a needle: healthy, with a neuropathy, with a myopathy.

The muscle is the biceps brachii. Only the part of it around the needle is simulated, with the
muscle's own density of units and fibres: what is further away is not heard. Everybody is asked
for a force, anything from slight to strong; early and reduced recruitment come by themselves. The
needle goes where an examiner leaves it: not far from the motor point, moved until it is sharp.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event
from myograph.twin.anatomy import MUSCLES
from myograph.twin.cohort import CohortKind, Member, Scene, Simulated, Sitting, member
from myograph.twin.contraction import excitation_for_force, force_n
from myograph.twin.discharge import Discharges, Firing, discharges
from myograph.twin.drive import CommonNoise, Drive, with_noise
from myograph.twin.muscle import Muscle, MuscleGeometry
from myograph.twin.needle import Needle, NeedleLibrary, needle_library, needle_signal
from myograph.twin.pathology import MUSCLE_DISEASES
from myograph.twin.pool import PoolParameters
from myograph.twin.seeds import stream
from myograph.twin.source import ActionPotential
from myograph.twin.spontaneous import denervation_activity
from myograph.twin.subject import Traits, aged
from myograph.twin.transmission import Endplates, equipped, transmit
from myograph.twin.truth import Truth

__all__ = ["CONDITIONS", "NEEDLE"]

#: What people may have; the words are those of the measured cohort needle-nmd.
CONDITIONS = ("healthy", "neuropathy", "myopathy")

_MUSCLE = "BB"
_WIDE_MM = 18.0
_REACH_MM = 5.0
_NEAR_UV = 25.0
_CONTROL_HZ = 100.0

# Forces asked for, as a share of the maximum: nobody measures them in a needle examination. What
# the maximum is lies between the person's own and a healthy one's: an arm held against the
# examiner's is the same for all, "as strong as you can" is not.
_FORCES = (0.05, 0.5)
# Where an examiner stops: so far from the endplates, mm, at the sharpest of so many places within a
# few millimetres (potentials are taken when their rise is short: definitions, quantitative EMG).
_FROM_ENDPLATES_MM, _PLACES, _BLUNT_MM = (8.0, 30.0), 4, 0.15
# The membrane potential of a person's fibres stretches between the two published forms, half
# (nandedkar1983) and whole (rosenfalck1969): one gives measured sharpness, one measured duration.
_ACTION_MM = (0.5, 1.0)

# The diseases behind each condition: name, severity from and to, months from and to. Who comes to
# be examined has lost much: of their thenar units people with ALS had 43 (6 to 145) of 219
# (felice1995).
_DISEASES: dict[str, tuple[tuple[str, tuple[float, float], tuple[float, float]], ...]] = {
    "neuropathy": (
        ("als", (0.5, 0.93), (6.0, 36.0)),
        ("axonal neuropathy", (0.5, 0.9), (12.0, 120.0)),
        ("sma", (0.5, 0.9), (60.0, 240.0)),
    ),
    "myopathy": (
        ("dmd", (0.4, 0.9), (36.0, 96.0)),
        ("fshd", (0.5, 0.95), (60.0, 160.0)),
        ("myositis", (0.4, 0.9), (4.0, 24.0)),
    ),
}


@dataclass(frozen=True, slots=True)
class _Body:
    """A person's muscle as it is, the force a healthy one has, and what was done to it."""

    muscle: Muscle
    healthy_n: float
    disease: str
    severity: float
    months: float
    action: ActionPotential


def _prepare(scene: Scene, index: int) -> Sitting:
    who = member(NEEDLE, scene, index)
    body = _body(who)

    def record(take: int) -> Simulated:
        return _record(who, body, scene, take)

    return record


def local_muscle(who: Member) -> Muscle:
    """Return the healthy muscle of a person around the needle."""
    traits = Traits.of_person(seed=who.seed)
    anatomy = MUSCLES[_MUSCLE]
    share = _WIDE_MM**2 / (anatomy.geometry.width_mm * anatomy.geometry.thickness_mm)
    whole = aged(
        replace(anatomy.pool, n_units=max(round(anatomy.pool.n_units * traits.units), 50)),
        who.person.age_years,
    )
    pool: PoolParameters = replace(
        whole,
        n_units=max(round(whole.n_units * share), 10),
        n_fibres=max(round(whole.n_fibres * share), 100),
        mvc_n=whole.mvc_n * share * traits.strength,
        min_rate_hz=whole.min_rate_hz * traits.rates,
        peak_rate_hz=whole.peak_rate_hz * traits.rates,
        peak_rate_drop_hz=whole.peak_rate_drop_hz * traits.rates,
        rate_gain=whole.rate_gain * traits.rates,
    )
    thinner = 0.95 if who.person.sex == "female" else 1.0
    shape: MuscleGeometry = replace(
        anatomy.geometry,
        width_mm=_WIDE_MM,
        thickness_mm=_WIDE_MM,
        fat_mm=anatomy.geometry.fat_mm * traits.fat,
        diameter_um=anatomy.geometry.diameter_um * thinner,
    )
    return Muscle.healthy(_MUSCLE, pool, shape, seed=who.seed)


def _body(who: Member) -> _Body:
    muscle = local_muscle(who)
    healthy_n = muscle.mvc_n
    name, severity, months = "none", 0.0, 0.0
    if who.condition in _DISEASES:
        rng = stream(who.seed, "disease")
        choices = _DISEASES[who.condition]
        name, severities, times = choices[int(rng.integers(len(choices)))]
        severity, months = float(rng.uniform(*severities)), float(rng.uniform(*times))
        muscle = MUSCLE_DISEASES[name](muscle, severity, months=months, seed=who.seed)
    stretch = np.exp(stream(who.seed, "action").uniform(*np.log(_ACTION_MM)))
    action = ActionPotential(length_mm=float(stretch))
    return _Body(equipped(muscle, seed=who.seed), healthy_n, name, severity, months, action)


def _record(who: Member, body: _Body, scene: Scene, take: int) -> Simulated:
    seed = int(stream(who.seed, "insertion", take).integers(2**31))
    fs_hz, muscle = who.device.fs_hz, body.muscle
    wanted_n = _wanted_n(body, seed)
    drive = _drive(muscle, wanted_n, scene.seconds, seed)
    trains = discharges(muscle.pool, drive, seed=seed, firing=Firing(cv=0.15))
    needle = _place(muscle, trains, seed)
    heard = _heard(muscle, trains, needle)
    library = needle_library(heard, needle, fs_hz=fs_hz, near_uv=_NEAR_UV, action=body.action)
    delays = _delays(heard, library, trains, seed)
    signal = needle_signal(trains, library, duration_s=scene.seconds, delays_ms=delays)
    resting = denervation_activity(
        muscle, needle, duration_s=scene.seconds, fs_hz=fs_hz, seed=seed, active=0.05
    )
    n = min(len(signal), len(resting.samples_uv))
    found = who.device.record((signal[:n] + resting.samples_uv[:n])[None], seed=seed)
    event = Event(0.0, n / fs_hz, who.condition, "protocol", str(take))
    layout = Layout(fs_hz, (Channel("needle", kind="needle", muscle=muscle.name),))
    truth = Truth(
        duration_s=scene.seconds,
        discharges={muscle.name: trains},
        muaps={muscle.name: who.seen(library.muaps[:, None, :])},
        muap_fs_hz=fs_hz,
        events=(event, *resting.events),
        forces={muscle.name: force_n(muscle.pool, trains, fs_hz=_CONTROL_HZ)},
        force_fs_hz=_CONTROL_HZ,
        contaminations=dict(found.parts) if scene.parts else {},
        labels=who.labels(
            disease=body.disease,
            severity=body.severity,
            months=body.months,
            force=wanted_n / body.healthy_n,
            units_alive=muscle.pool.n_alive,
            strength=muscle.mvc_n / body.healthy_n,
            needle=[needle.x_mm, needle.y_mm, needle.z_mm],
            action_mm=body.action.length_mm,
        ),
    )
    return Simulated(who.recording(found, layout, (event,), str(take)), truth)


def _wanted_n(body: _Body, seed: int) -> float:
    """Return the force asked for, newtons."""
    share = np.exp(stream(seed, "force").uniform(*np.log(_FORCES)))
    own = stream(seed, "effort").random()
    return float(share * body.healthy_n ** (1 - own) * body.muscle.mvc_n**own)


def _place(muscle: Muscle, trains: Discharges, seed: int) -> Needle:
    """Insert a needle between endplates and tendons and move it to the sharpest of some places."""
    rng, shape = stream(seed, "needle"), muscle.geometry
    side = rng.choice([-1.0, 1.0])
    places = [
        Needle(
            x_mm=float(x),
            y_mm=float(y),
            z_mm=float(shape.zones_mm[0] + side * rng.uniform(*_FROM_ENDPLATES_MM)),
            facing=int(rng.choice([-1, 1])),
            shaft_mm=float(shape.skin_y_mm - y),
        )
        for x, y in rng.uniform(-2.5, 2.5, (_PLACES, 2))
    ]
    return max(places, key=lambda needle: _sharpness(_heard(muscle, trains, needle), needle))


def _sharpness(heard: Muscle, needle: Needle) -> float:
    """Return about how large the spike of the nearest unit is, in a unit of its own."""
    fibres = heard.fibres
    if not len(fibres):
        return 0.0
    x, y = needle.displaced(fibres)
    each = fibres.area_mm2 / (x**2 + y**2 + _BLUNT_MM**2)
    return float(np.bincount(fibres.unit, each).max())


def _drive(muscle: Muscle, wanted_n: float, seconds: float, seed: int) -> Drive:
    level, _ = excitation_for_force(muscle.pool, wanted_n)
    steady = np.full((1, round(seconds * _CONTROL_HZ)), float(level))
    wavering = CommonNoise(common=0.06, common_hz=2.0)
    return with_noise(Drive(steady, _CONTROL_HZ, (muscle.name,)), seed=seed, noise=wavering)


def _heard(muscle: Muscle, trains: Discharges, needle: Needle) -> Muscle:
    """Keep the fibres near the needle of the units that fire."""
    fibres = muscle.fibres
    fires = np.append(trains.counts > 0, False)  # the last one is for fibres of no unit
    near = np.hypot(fibres.x_mm - needle.x_mm, fibres.y_mm - needle.y_mm) < _REACH_MM
    return replace(muscle, fibres=fibres.keep(near & fires[fibres.unit]))


def _delays(
    muscle: Muscle, library: NeedleLibrary, trains: Discharges, seed: int
) -> list[NDArray[np.float64]]:
    """Pass every discharge through the end-plates of the near fibres: jitter and blocking."""
    fibres = muscle.fibres
    found = []
    for unit, times in enumerate(trains.times_s):
        rows = library.fibre[library.near(unit)]
        if not len(rows) or not len(times):
            found.append(np.zeros((len(rows), len(times))))
            continue
        some = fibres.keep(rows)
        own = int(stream(seed, "endplates", unit).integers(2**31))
        passed = transmit(Endplates.of(some), times, seed=own, maturity=some.maturity)
        typical = np.nanmedian(passed.delay_ms) if passed.fired.any() else 0.0
        found.append(passed.delay_ms - typical)
    return found


#: Needle examination of the biceps brachii.
NEEDLE = CohortKind(
    title="needle EMG of the biceps brachii, healthy, neuropathy, myopathy",
    tasks=(
        "One isometric contraction a recording, slight to strong; label = the person's condition, "
        "session and trial = the insertion."
    ),
    labels=CONDITIONS,
    conditions=CONDITIONS,
    channel="needle",
    fs_hz=24_000.0,
    takes=3,
    take="insertion",
    seconds=5.0,
    prepare=_prepare,
)
