"""From the state of a muscle to what a clinic would measure: thousands of particles at once.

The exponents below say how each measure follows the state in the full twin: they were fitted to
visits simulated fibre by fibre (benchmarks/science/twin_forward.py, which prints them again and how
well they hold on other simulated people). What a healthy person has is not taken from there but
from norms, and each person differs from it by an offset that a fit does not assume to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from myograph.core.checks import unknown_name
from myograph.core.errors import ParameterError
from myograph.twin.anatomy import MUSCLES
from myograph.twin.pool import Pool
from myograph.twin.reduced import PARAMETERS, Course
from myograph.twin.visit import MEASURES, typical

__all__ = ["EXPONENTS", "Clinic", "clinic", "strength"]

Floats = NDArray[np.float64]

# Healthy end-plates under stimulation, microseconds, and how weakness of a quantum adds to it.
_JITTER_US, _WEAK, _WEAKER, _WEAKEST = 13.9, 2.83, -1.22, 1.1
# Decrement: log odds of a response that is lost, by the effect of a quantum and immaturity.
_LOST, _SAFE, _YOUNG = 1.0, -10.1, 8.8
# How strength becomes a score: the typical link of `myograph.twin.function`, whose `half` this is.
_HALF_SCORE = 0.8
# Fall of the median frequency in 60 s at half of the force, percent, and what it follows.
_FALL_PERCENT, _FALL_FATIGUE, _FALL_DRIVE = 4.8, 1.19, 1.04

# The model itself has a healthy value of these.
_MODELLED = (
    "rate_hz", "rate_mvc_hz", "mvc_n", "jitter_us", "decrement_percent", "mdf_fall_percent",
    "score_percent", "musix_uv",
)  # fmt: skip

#: How the logarithm of a measure (for the size index and the percentages: the measure) follows the
#: logarithms of: the share of fibres innervated, the fibre diameter, the number of living units
#: relative to the typical healthy one, the fibres of a unit relative to the typical healthy unit,
#: and (not its logarithm) the immaturity of the junctions.
EXPONENTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "cmap_mv": {"innervated": 0.84, "fibre": 1.6, "units": 0.09},
        "munix": {"innervated": 0.96, "fibre": 1.6, "units": 0.27},
        "muap_amplitude_uv": {"size": 0.22, "fibre": 2.0, "immature": 0.9},
        "muap_duration_ms": {"size": 0.09, "fibre": -0.6, "immature": 0.4},
        "muap_size_index": {"size": 0.30, "fibre": 0.5, "immature": 0.8},
        "mvc_n": {"innervated": 0.86, "fibre": 2.1, "units": 0.08},
        "rate_hz": {"innervated": 0.25, "units": -0.10},
        "mdf_hz": {"fibre": 0.77, "units": 0.035, "immature": -0.19},
        "jitter_us": {"immature": 2.75},
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Clinic:
    """The measures of one muscle as functions of its state.

    Parameters
    ----------
    muscle : str
    healthy_units : float
        Units of the typical healthy muscle.
    drive : ndarray, shape (n_grid,)
        Drive at full effort for which the tables stand.
    force, rate, rate_mvc : ndarray, shape (n_grid,)
        Maximal force (N), and mean rates at a fifth of it and at full effort (Hz).
    norms : mapping of str to float
        A laboratory's own typical healthy values.
    """

    muscle: str
    healthy_units: float
    drive: Floats
    force: Floats
    rate: Floats
    rate_mvc: Floats
    norms: Mapping[str, float]

    def expected(
        self,
        parameters: Mapping[str, Floats],
        course: Course,
        measures: Sequence[str],
    ) -> Floats:
        """Return measures, each on its own scale, of a person without any offset.

        A score is that of an endless scale: what a scale that ends would show comes later, when
        offset and error are known.

        Parameters
        ----------
        parameters : mapping of str to ndarray, shape (n,), (n, 1) or (n, n_moments)
            By the names of `myograph.twin.reduced.PARAMETERS`.
        course : Course
            Of the same particles.
        measures : sequence of str
            Keys of `myograph.twin.visit.MEASURES`.

        Returns
        -------
        ndarray, shape (n_measures, n, n_moments)
        """
        own = {name: _column(value) for name, value in parameters.items()}
        terms = {
            "innervated": np.log(course.innervated),
            "fibre": np.log(own["fibre"]),
            "units": np.log(course.units / self.healthy_units),
            "immature": course.immature,
        }
        terms["size"] = terms["innervated"] - terms["units"]
        found = np.empty((len(measures), *course.units.shape))
        for i, name in enumerate(measures):
            found[i] = self._one(name, own, course, terms)
        return found

    def _one(
        self, name: str, own: Mapping[str, Floats], course: Course, terms: Mapping[str, Floats]
    ) -> Floats:
        if name not in MEASURES:
            raise ParameterError(unknown_name(name, MEASURES, what="measure"))
        if name == "musix_uv":
            response = self._one("cmap_mv", own, course, terms)
            return np.log(1000.0) + response - self._one("munix", own, course, terms)
        if name == "score_percent":
            share = strength(own, course, self.healthy_units) * self._force(own)
            return _score(share / self.force[-1])
        follows = EXPONENTS.get(name, {})
        value = np.zeros(course.units.shape)
        for term, exponent in follows.items():
            value = value + exponent * terms[term]
        return value + self._level(name, own, course) + self.shift(name)

    def shift(self, name: str) -> float:
        """Return what brings a measure to the typical healthy value, on its scale."""
        rule = MEASURES[name]
        if name in self.norms:
            wanted = float(rule.to_scale(self.norms[name]))
            if name not in _MODELLED:
                return wanted
            healthy = {key: np.array([p.middle]) for key, p in PARAMETERS.items()}
            healthy["units"] = np.array([self.healthy_units])
            whole = Course(
                healthy["units"][:, None], *(np.full((1, 1), x) for x in (1.0, 1.0, 0.0))
            )
            own = {key: _column(value) for key, value in healthy.items()}
            return wanted - float(np.squeeze(self._level(name, own, whole)))
        if name in _MODELLED:
            return 0.0
        return float(rule.to_scale(typical(self.muscle, name)[0]))

    def _level(self, name: str, own: Mapping[str, Floats], course: Course) -> Floats:
        """Return what does not follow a power law: tables of the pool, junctions, fatigue."""
        if name == "mvc_n":
            return np.log(self._force(own))
        if name in ("rate_hz", "rate_mvc_hz"):
            table = self.rate if name == "rate_hz" else self.rate_mvc
            return np.log(np.interp(own["drive"], self.drive, table))
        if name == "jitter_us":
            weak = np.minimum(-np.log(own["junction"]), _WEAKEST)
            return np.log(_JITTER_US) + _WEAK * weak + _WEAKER * weak**2
        if name == "decrement_percent":
            return 100 * expit(_LOST + _SAFE * own["junction"] + _YOUNG * course.immature)
        if name == "mdf_fall_percent":
            return _FALL_PERCENT * own["fatigue"] ** _FALL_FATIGUE * own["drive"] ** _FALL_DRIVE
        return np.zeros(())

    def _force(self, own: Mapping[str, Floats]) -> Floats:
        return np.interp(own["drive"], self.drive, self.force)

    def spread(self, measures: Sequence[str]) -> Floats:
        """Return how much healthy people differ in each measure, shape (n_measures,)."""
        return np.array(
            [
                MEASURES[name].spread
                if name in _MODELLED or name in self.norms
                else typical(self.muscle, name)[1]
                for name in measures
            ]
        )


def strength(parameters: Mapping[str, Floats], course: Course, healthy_units: float) -> Floats:
    """Return the force that the muscle could give at full drive, as a share of the healthy one."""
    follows = EXPONENTS["mvc_n"]
    return np.asarray(
        course.innervated ** follows["innervated"]
        * _column(parameters["fibre"]) ** follows["fibre"]
        * (course.units / healthy_units) ** follows["units"]
    )


def clinic(muscle: str, norms: Mapping[str, float] | None = None) -> Clinic:
    """Return the measures of a muscle by name.

    Parameters
    ----------
    muscle : str
    norms : mapping of str to float, optional
        A laboratory's own typical healthy values, in place of those of `TYPICAL`.

    Examples
    --------
    >>> from myograph.twin.reduced import grow, onset
    >>> person = {name: np.array([rule.middle]) for name, rule in PARAMETERS.items()}
    >>> course, _ = grow(person, onset(person), [0.0, 36.0], np.zeros((1, 4)))
    >>> response = np.exp(clinic("ADM").expected(person, course, ["cmap_mv"]))
    >>> response[0, 0].round(1).tolist()
    [11.6, 9.6]
    """
    own = dict(norms or {})
    for name in own:
        if name not in MEASURES:
            raise ParameterError(unknown_name(name, MEASURES, what="norm"))
    return replace(_tables(muscle), norms=own)


@cache
def _tables(muscle: str) -> Clinic:
    if muscle not in MUSCLES:
        raise ParameterError(unknown_name(muscle, MUSCLES, what="muscle"))
    pool = Pool.fuglevand(MUSCLES[muscle].pool)
    grid = np.linspace(0.02, 1.0, 99)
    forces = pool.unit_forces_n(grid).sum(axis=0)
    rates = pool.rates_hz(grid)
    active = np.maximum((rates > 0).sum(axis=0), 1)
    mean = np.maximum(rates.sum(axis=0) / active, pool.min_rate_hz.min())
    # The excitation that gives a fifth of what each drive gives at most.
    low = np.interp(0.2 * forces, forces, grid)
    return Clinic(muscle, float(pool.n_units), grid, forces, np.interp(low, grid, mean), mean, {})


def _score(share: Floats) -> Floats:
    """Return the score that a share of the healthy strength gives, percent; 100 is the most."""
    kept = np.minimum(share, 1.0)
    return 100.0 * (1 + _HALF_SCORE) * kept / (kept + _HALF_SCORE)


def _column(value: Floats) -> Floats:
    """Let a value per particle stand for all moments."""
    given = np.asarray(value, np.float64)
    return given[:, None] if given.ndim == 1 else given
