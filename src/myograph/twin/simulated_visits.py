"""Patients whose visits are simulated unit by unit, with their truth: what a fit is tested on.

Here every unit has a size and a day of its death, people differ in every parameter and in every
measure, and each measurement has its error. The laws from state to measures are those of
`myograph.twin.forward`; for patients made fibre by fibre see benchmarks/science/twin_full_visit.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import ParameterError
from myograph.twin.anatomy import MUSCLES
from myograph.twin.forward import clinic
from myograph.twin.pool import Pool
from myograph.twin.reduced import PARAMETERS, Course, Growth, held, priors
from myograph.twin.seeds import stream
from myograph.twin.visit import MEASURES, Observations

__all__ = ["CLINICAL", "SimulatedPatient", "noisy", "simulate_visits"]

Floats = NDArray[np.float64]

#: What a neuromuscular clinic could measure at every visit.
CLINICAL = (
    "cmap_mv", "munix", "muap_amplitude_uv", "muap_duration_ms", "muap_size_index", "rate_hz",
    "rate_mvc_hz", "mvc_n", "mdf_hz", "mdf_fall_percent", "decrement_percent", "jitter_us",
    "score_percent",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedPatient:
    """Visits and the truth behind them.

    Parameters
    ----------
    observations : Observations
    truth : mapping of str to float
        Every parameter of `myograph.twin.reduced.PARAMETERS`.
    units : ndarray, shape (n_visits,)
        Living units at each visit.
    clean : mapping of str to ndarray, shape (n_visits,)
        The measures without error.
    """

    observations: Observations
    truth: Mapping[str, float]
    units: Floats
    clean: Mapping[str, Floats]


def simulate_visits(
    months: ArrayLike,
    *,
    seed: int,
    muscle: str = "ADM",
    measures: Sequence[str] = CLINICAL,
    truth: Mapping[str, float] | None = None,
) -> SimulatedPatient:
    """Simulate one patient's visits.

    Parameters
    ----------
    months : array_like, shape (n_visits,)
        Since the first visit, ascending from 0.
    seed : int
    muscle : str
    measures : sequence of str
    truth : mapping of str to float, optional
        Parameters of the person; those that are not given are drawn from the population, which is
        the prior of a fit.

    Examples
    --------
    >>> patient = simulate_visits([0, 6, 12], seed=1, truth={"loss": 0.05})
    >>> bool(patient.units[0] > patient.units[-1])
    True
    """
    moments = np.atleast_1d(np.asarray(months, np.float64))
    population = priors(muscle)
    z = stream(seed, "person").standard_normal(len(PARAMETERS))
    own = {name: float(value) for name, value in population.natural(z).items()}
    own |= {name: float(value) for name, value in (truth or {}).items()}
    if set(own) != set(PARAMETERS):
        raise ParameterError(f"truth names parameters of {sorted(PARAMETERS)}; got {sorted(own)}.")
    own["units"] = float(max(round(own["units"]), 2))
    course = _unit_by_unit(own, own["onset_months"] + moments, muscle, seed)
    desk = clinic(muscle)
    person = {name: np.array([value]) for name, value in own.items()}
    scaled = desk.expected(person, course, measures)[:, 0, :]
    offsets = desk.spread(measures) * [
        stream(seed, "offset", name).standard_normal() for name in measures
    ]
    clean = {
        name: MEASURES[name].from_scale(scaled[i] + offsets[i]) for i, name in enumerate(measures)
    }
    seen = Observations(moments, noisy(clean, seed=seed), muscle, f"simulated {seed}")
    return SimulatedPatient(seen, own, course.units[0], clean)


def noisy(clean: Mapping[str, Floats], *, seed: int) -> dict[str, Floats]:
    """Return measures as a clinic reads them: each with its error, and within what it can read."""
    found = {}
    for name, values in clean.items():
        rule = MEASURES[name]
        scaled = rule.to_scale(values)
        z = stream(seed, "error", name).standard_normal(scaled.shape)
        read = rule.from_scale(scaled + rule.noise * z)
        # What is too small to be found leaves a gap; a scale shows no more than its ends.
        gone = np.full(read.shape, rule.logarithmic) & (read < rule.low)
        found[name] = np.where(gone, np.nan, np.clip(read, rule.low, rule.high))
    return found


def _unit_by_unit(own: Mapping[str, float], since: Floats, muscle: str, seed: int) -> Course:
    parameters = replace(MUSCLES[muscle].pool, n_units=int(own["units"]))
    size = Pool.fuglevand(parameters).n_fibres.astype(float)
    size /= size.sum()
    lives = stream(seed, "lives").standard_exponential(len(size)) / own["loss"]
    alive = lives[:, None] > since[None, :]
    units, kept = alive.sum(axis=0).astype(float), np.maximum(size @ alive, 1e-9)
    efficacy, hazard = (np.full(since.shape, own[key]) for key in ("adoption", "loss"))
    state = Growth(np.maximum(units, 1e-9), kept, kept ** (1 - efficacy), since)
    found = held(state, hazard, efficacy, np.full(since.shape, own["cap"]))
    return Course(*(np.asarray(value)[None, :] for value in found))
