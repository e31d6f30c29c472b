"""A clinic's visit to a muscle simulated fibre by fibre: every measure from simulated signals.

The reduced model of `myograph.twin.forward` stands for all of this in a fit. Here nothing of it is
used: units die and pass their fibres on one by one, the nerve is stimulated, the needle inserted,
the muscle contracts. Used by twin_forward.py (how far the two agree) and twin_fit.py (patients made
by this one).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.signal import welch

from myograph.core.errors import DataError
from myograph.twin.anatomy import MUSCLES
from myograph.twin.cmap import cmap, measure_cmap, motor_units
from myograph.twin.conductor import PlanarConductor
from myograph.twin.contraction import excitation_for_force
from myograph.twin.discharge import discharges
from myograph.twin.drive import Drive
from myograph.twin.electrode import SurfaceElectrodes
from myograph.twin.emg import synthesise
from myograph.twin.fatigue import FatigueParameters, fatigue
from myograph.twin.function import Alsfrs
from myograph.twin.jitter import stimulated_jitter
from myograph.twin.junction import weak_junctions
from myograph.twin.muap import muap_library
from myograph.twin.munix import interference_epochs, munix
from myograph.twin.muscle import Muscle
from myograph.twin.needle import Needle, needle_library
from myograph.twin.nerve import Nerve
from myograph.twin.pool import Pool
from myograph.twin.reinnervation import Reinnervation, die_at
from myograph.twin.repetitive import decrement, repetitive_stimulation
from myograph.twin.seeds import stream
from myograph.twin.source import ActionPotential

sys.path.insert(0, str(Path(__file__).parent))
import twin_needle

NAME, NERVE, SITE = "ADM", "ulnar", "wrist"
STUDY_HZ, SURFACE_HZ = 2500.0, 2000.0
NEEDLE_REACH_MM = 3.0
ANATOMY = MUSCLES[NAME]


@dataclass(frozen=True)
class Body:
    """One simulated person: healthy muscle and what their disease will do to it."""

    muscle: Muscle
    seed: int
    loss: float  # share of the living units a month
    onset_months: float
    adoption: float
    cap: float
    junction: float
    drive: float
    fatigue: float

    def at(self, months: float) -> Muscle:
        """The muscle some months after the first visit."""
        since = self.onset_months + months
        rule = Reinnervation(efficacy=self.adoption, enlargement=self.cap)
        # Every unit has a moment of its own: exponential lives, not an even course.
        n_units = self.muscle.pool.n_units
        lives = stream(self.seed, "lives").standard_exponential(n_units) / max(self.loss, 1e-12)
        died = np.sort(lives[lives < since])
        return die_at(self.muscle, since - died, seed=self.seed, rule=rule)


def body(seed: int, *, units: int, fibre: float, **own: float) -> Body:
    """Build a person: number of units, fibre size (1: typical), and the disease."""
    pool = replace(ANATOMY.pool, n_units=units, mvc_n=ANATOMY.pool.mvc_n * fibre**2)
    shape = replace(ANATOMY.geometry, diameter_um=ANATOMY.geometry.diameter_um * fibre)
    return Body(Muscle.healthy(NAME, pool, shape, seed=seed), seed, **own)


def visit(person: Body, months: float, *, skip: tuple[str, ...] = ()) -> dict[str, float]:
    """Measure everything, once, without the clinic's own errors."""
    muscle = person.at(months)
    seed = int(stream(person.seed, "visit", round(100 * months)).integers(1 << 31))
    found = {"units": float(muscle.pool.n_alive)}
    if "surface" not in skip:
        found |= _stimulated(person, muscle, seed)
        found |= _voluntary(person, muscle, seed)
    if "needle" not in skip:
        found |= _needle(muscle, person.seed, seed)
    if "junction" not in skip:
        found |= _junctions(person, muscle, seed)
    if "fatigue" not in skip:
        found |= _tired(person, muscle)
    innervated = muscle.fibres.keep(muscle.fibres.innervated)
    found["innervated"] = float(innervated.area_mm2.sum() / person.muscle.fibres.area_mm2.sum())
    return found


def _stimulated(person: Body, muscle: Muscle, seed: int) -> dict[str, float]:
    library = motor_units(muscle, NAME, fs_hz=STUDY_HZ)
    nerve = Nerve.healthy(NERVE, n_motor=muscle.pool.n_units, seed=person.seed)
    response = cmap(nerve, library, site=SITE)
    forces = np.linspace(0.03, 1, 16)
    found = munix(response, interference_epochs(muscle, library, forces, seed=seed))
    return {"cmap_mv": measure_cmap(response).amplitude_mv, "munix": found.munix}


def _voluntary(person: Body, muscle: Muscle, seed: int) -> dict[str, float]:
    mvc = muscle.pool.steady_force_n(person.drive)
    excitation, _ = excitation_for_force(muscle.pool, [0.2 * mvc, 0.5 * mvc])
    rates = muscle.pool.rates_hz([excitation[0], person.drive])
    shape = muscle.geometry
    where = np.mean(shape.zones_mm) + 0.25 * shape.fibre_length_mm
    pair = SurfaceElectrodes.bipolar(center_z_mm=where, spacing_mm=10.0, radius_mm=2.0)
    library = muap_library(
        muscle, pair, PlanarConductor.of(shape), fs_hz=SURFACE_HZ, action=ActionPotential()
    )
    drive = Drive(np.full((1, 3000), excitation[1]), 500.0)
    signal = synthesise(discharges(muscle.pool, drive, seed=seed), library)[0, 1000:]
    frequency, power = welch(signal, SURFACE_HZ, nperseg=1024)
    band = frequency >= 20
    share = np.cumsum(power[band]) / power[band].sum()
    return {
        "mvc_n": mvc,
        "score_percent": float(Alsfrs().of([min(mvc / ANATOMY.pool.mvc_n, 1.0)])[0] / 0.48),
        "rate_hz": float(rates[rates[:, 0] > 0, 0].mean()),
        "rate_mvc_hz": float(rates[rates[:, 1] > 0, 1].mean()),
        "mdf_hz": float(np.interp(0.5, share, frequency[band])),
    }


def _needle(muscle: Muscle, person: int, seed: int) -> dict[str, float]:
    rng = stream(seed, "examination")
    active = muscle.keep_units(muscle.pool.alive & (muscle.pool.threshold < 0.2))
    taken = []
    for _ in range(14):
        shape = active.geometry
        side = rng.choice([-1.0, 1.0])
        z = shape.zones_mm[0] + side * rng.uniform(0.2, 0.4) * shape.fibre_length_mm
        y = shape.skin_y_mm - rng.uniform(3.0, 7.0)
        x = rng.uniform(-0.25, 0.25) * shape.width_mm
        needle = Needle(
            x_mm=x, y_mm=y, z_mm=z, facing=int(rng.choice([-1, 1])), shaft_mm=shape.skin_y_mm - y
        )
        far = np.hypot(active.fibres.x_mm - x, active.fibres.y_mm - y) > NEEDLE_REACH_MM
        near = replace(active, fibres=active.fibres.keep(~far))
        try:
            library = needle_library(near, needle, fs_hz=twin_needle.FS_HZ, near_uv=20.0)
        except DataError:
            continue
        taken += [t.measures for t in twin_needle._acceptable(library, person)]
        if len(taken) >= 16:
            break
    if len(taken) < 5:
        return {}
    amplitude = np.array([m.amplitude_uv for m in taken])
    return {
        "muap_amplitude_uv": float(amplitude.mean()),
        "muap_duration_ms": float(np.mean([m.duration_ms for m in taken])),
        "muap_size_index": float(np.mean([m.size_index for m in taken])),
    }


def _junctions(person: Body, muscle: Muscle, seed: int) -> dict[str, float]:
    weak = weak_junctions(muscle, "quantum_mv", max(1 - person.junction, 0.0), seed=person.seed)
    library = motor_units(weak, NAME, fs_hz=STUDY_HZ)
    nerve = Nerve.healthy(NERVE, n_motor=muscle.pool.n_units, seed=person.seed)
    train = repetitive_stimulation(
        weak, nerve, library, site=SITE, times_s=np.arange(4) / 3, seed=seed
    )
    jitter = stimulated_jitter(weak, n=40, seed=seed)
    return {
        "decrement_percent": decrement(train),
        "jitter_us": float(np.nanmean(jitter.mcd_us)),
        "first": float(train.amplitudes_mv[0]),
    }


def _tired(person: Body, muscle: Muscle) -> dict[str, float]:
    pool: Pool = muscle.pool
    mvc = pool.steady_force_n(person.drive)
    rules = FatigueParameters(fastest_loss_per_s=0.0225 * person.fatigue)
    course = fatigue(pool, np.full(60, 0.5 * mvc), fs_hz=1.0, parameters=rules)
    weight = np.asarray(muscle.fibre_counts, float) * (course.rates_hz[:, :30].mean(axis=1) > 0)
    left = weight @ course.remaining[:, -1] / weight.sum()
    return {
        "capacity_left": float(course.capacity_n[-1] / course.capacity_n[0]),
        # The median frequency falls with the velocity of the fibres that work.
        "mdf_fall_percent": float(100 * rules.velocity_loss * (1 - left)),
    }
