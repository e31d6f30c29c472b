"""A patient's twin: all the people who could have given the visits, and what they tell.

Particles, not a best person: each number comes with its interval, each interval with how much the
visits narrowed it, and the twin says where its predictions miss what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import unknown_name
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.twin.forward import clinic
from myograph.twin.reduced import PARAMETERS, Course, Growth, Prior, courses
from myograph.twin.seeds import stream
from myograph.twin.visit import MEASURES, Observations

if TYPE_CHECKING:
    from myograph.twin.whatif import Trajectory

__all__ = ["DERIVED", "LIMITS", "TREATED", "Cell", "Found", "PatientTwin"]

Floats = NDArray[np.float64]

FORMAT = "myograph-patient-twin-1"

#: What follows from the parameters and the luck: title, unit, factor for a reader.
DERIVED: Mapping[str, tuple[str, str, float]] = {
    "units_first": ("living units at the first visit", "", 1.0),
    "units_now": ("living units at the last visit", "", 1.0),
    "slope": ("units lost a month between them", "", 1.0),
    "innervated_now": ("fibres with a nerve at the last visit", "%", 100.0),
    "enlargement_now": ("enlargement of the units at the last visit", "times", 1.0),
}

#: Limits of use, said on everything a twin shows.
LIMITS = (
    "A research model of one muscle: not a medical device, no diagnosis, no person's prognosis.",
    (
        "It was verified on simulated patients only; no study has compared its intervals with what "
        "happened to people."
    ),
    (
        "The intervals are right only if the disease goes on as the model says: a constant share "
        "of the units is lost, at random, and reinnervation stays as it is unless a treatment "
        "changes it."
    ),
)
TREATED = (
    "What a treatment does is drawn from its published uncertainty and is the same for all who are "
    "simulated with the same draw; it is not evidence that this person would respond."
)

# A parameter whose posterior is at least this wide, relative to the prior, was not learned.
_UNLEARNED = 0.8
# Measured minus predicted, in standard deviations: worth a note, and beyond belief.
_ODD, _IMPOSSIBLE = 3.5, 8.0
_FEW_VISITS = 3
# With fewer, a quantile wanders by more than a tenth of the interval.
_FEW_PARTICLES = 300


@dataclass(frozen=True, slots=True)
class Found:
    """One quantity of a twin.

    Parameters
    ----------
    name, title, unit : str
    median, low, high : float
        With the 90 % interval, in the unit for readers.
    prior_low, prior_high : float
        The 90 % interval before any visit; NaN for what is derived.
    narrowed : float
        How much of the prior's variance the visits took away, 0 to 1; NaN for what is derived.
    """

    name: str
    title: str
    unit: str
    median: float
    low: float
    high: float
    prior_low: float
    prior_high: float
    narrowed: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One measured value beside what the twin expects of it.

    Parameters
    ----------
    measure : str
    months, value : float
    median, low, high : float
        Predicted, with measurement error, 90 %.
    deviation : float
        Measured minus predicted in standard deviations of the prediction.
    """

    measure: str
    months: float
    value: float
    median: float
    low: float
    high: float
    deviation: float

    @property
    def inside(self) -> bool:
        """Whether the value lies in its interval."""
        return self.low <= self.value <= self.high


@dataclass(frozen=True, slots=True, eq=False)
class PatientTwin:
    """The posterior of a patient's muscle.

    Parameters
    ----------
    observations : Observations
    prior : Prior
    whitened : ndarray, shape (n, n_parameters + 2 * n_visits)
        Particles of equal weight, in standard normal numbers; see
        `myograph.twin.reduced.courses`.
    offsets : ndarray, shape (n, n_measures)
        Of the person in each measure of the visits, on its scale.
    seed : int
    accepted : float
        Share of the last moves that were accepted.
    """

    observations: Observations
    prior: Prior
    whitened: Floats
    offsets: Floats
    seed: int
    accepted: float

    @classmethod
    def of_particles(
        cls,
        observations: Observations,
        prior: Prior,
        whitened: Floats,
        offsets: Floats,
        *,
        seed: int,
        accepted: float,
    ) -> PatientTwin:
        """Make a twin of a sampler's particles, and refuse visits that no course comes near.

        Raises
        ------
        DataError
            If a value lies further from every prediction than error and chance can explain.
        """
        # Rounded as the file rounds, so that a twin that was saved gives the same numbers.
        twin = cls(
            observations, prior, whitened.round(6), offsets.round(6), seed, round(accepted, 6)
        )
        worst = max(twin.check(), key=lambda cell: abs(cell.deviation))
        if abs(worst.deviation) > _IMPOSSIBLE:
            rule = MEASURES[worst.measure]
            raise DataError(
                f"{worst.measure} at {worst.months:g} months is {worst.value:.4g} {rule.unit}, but "
                f"with the other visits it should lie near {worst.median:.4g} "
                f"({worst.low:.4g} to {worst.high:.4g}): {abs(worst.deviation):.0f} standard "
                "deviations away, so these visits contradict each other or the model. Check this "
                "value, its unit and its side; leave the cell empty if it is wrong."
            )
        return twin

    @property
    def n(self) -> int:
        """Number of particles."""
        return len(self.whitened)

    def course(self) -> tuple[dict[str, Floats], Course, Growth]:
        """Return parameters, course at the visits, and the state at the last one."""
        return courses(self.prior, self.whitened, self.observations.months)

    def samples(self, name: str) -> Floats:
        """Return a parameter or a derived quantity of every particle, shape (n,)."""
        own, course, _ = self.course()
        if name in own:
            return own[name]
        if name not in DERIVED:
            raise ParameterError(unknown_name(name, [*PARAMETERS, *DERIVED], what="quantity"))
        return _derived(name, own, course, self.observations.months)

    def interval(self, name: str, level: float = 0.9) -> tuple[float, float]:
        """Return the interval that holds a share of the posterior, the tails being equal."""
        if not 0 < level < 1:
            raise ParameterError(f"level must lie between 0 and 1; got {level!r}.")
        low, high = np.quantile(self.samples(name), [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def found(self) -> tuple[Found, ...]:
        """Return everything that was inferred: parameters first, then what follows from them."""
        own, course, _ = self.course()
        rows = []
        for i, (name, rule) in enumerate(PARAMETERS.items()):
            median, low, high = rule.shown * np.quantile(own[name], [0.5, 0.05, 0.95])
            ends = np.array([-1.645, 1.645]) * self.prior.spread[i] + self.prior.middle[i]
            first, last = rule.shown * rule.back(ends)
            rows.append(
                Found(
                    name, rule.title, rule.unit, median, low, high, first, last, self.narrowed(name)
                )
            )
        for name, (title, unit, factor) in DERIVED.items():
            values = factor * _derived(name, own, course, self.observations.months)
            if np.isfinite(values).all():
                median, low, high = np.quantile(values, [0.5, 0.05, 0.95])
                rows.append(Found(name, title, unit, median, low, high, *[np.nan] * 3))
        return tuple(_plain(row) for row in rows)

    def narrowed(self, name: str) -> float:
        """Return how much of a parameter's prior variance the visits took away, 0 to 1."""
        if name not in PARAMETERS:
            raise ParameterError(unknown_name(name, PARAMETERS, what="parameter"))
        column = self.whitened[:, list(PARAMETERS).index(name)]
        return float(np.clip(1 - column.var(), 0.0, 1.0))

    def correlations(self) -> Floats:
        """Return the correlations of the parameters on their scales, (n_parameters,) squared.

        What is strongly correlated cannot be told apart by these visits.
        """
        columns = self.whitened[:, : len(PARAMETERS)]
        return np.asarray(np.corrcoef(columns.T), np.float64)

    def confounded(self, least: float = 0.6) -> tuple[tuple[str, str, float], ...]:
        """Return pairs of parameters that the visits cannot tell apart, strongest first."""
        table, names = self.correlations(), list(PARAMETERS)
        pairs = [
            (names[i], names[j], float(table[i, j]))
            for i in range(len(names))
            for j in range(i)
            if abs(table[i, j]) >= least
        ]
        return tuple(sorted(pairs, key=lambda pair: -abs(pair[2])))

    def expected(self, measures: Sequence[str]) -> Floats:
        """Return what the person truly has at the visits, (n_measures, n, n_visits), on scales."""
        own, course, _ = self.course()
        bare = clinic(self.observations.muscle, self.observations.norms).expected(
            own, course, measures
        )
        return bare + self.offsets_of(measures).T[:, :, None]

    def offsets_of(self, measures: Sequence[str]) -> Floats:
        """Return the person's offsets, shape (n, n_measures): drawn where nothing was measured."""
        spread = clinic(self.observations.muscle, self.observations.norms).spread(measures)
        columns = []
        for name, sd in zip(measures, spread, strict=True):
            if name in self.observations.measures:
                columns.append(self.offsets[:, self.observations.measures.index(name)])
            else:
                columns.append(sd * stream(self.seed, "offset", name).standard_normal(self.n))
        return np.stack(columns, axis=1)

    def check(self) -> tuple[Cell, ...]:
        """Return every measured value beside its posterior prediction."""
        names = self.observations.measures
        truth, cells = self.expected(names), []
        for i, name in enumerate(names):
            rule, seen = MEASURES[name], self.observations.values[name]
            scaled = rule.to_scale(seen)
            error = rule.noise * stream(self.seed, "check", name).standard_normal(truth[i].shape)
            for v in np.flatnonzero(np.isfinite(seen)):
                drawn = truth[i, :, v] + error[:, v]
                spread = drawn.std()
                if not rule.logarithmic:  # a scale shows no more than its ends
                    drawn = np.clip(drawn, rule.low, rule.high)
                median, low, high = rule.from_scale(np.quantile(drawn, [0.5, 0.05, 0.95]))
                off = (scaled[v] - drawn.mean()) / spread
                months = self.observations.months[v]
                numbers = (months, seen[v], median, low, high, off)
                cells.append(Cell(name, *map(float, numbers)))
        return tuple(cells)

    def notes(self) -> tuple[str, ...]:
        """Return what a reader has to know of this fit, in sentences."""
        told = list(self.observations.notes)
        visits, count = self.observations.n_visits, self.observations.count
        unlearned = [
            PARAMETERS[name].title for name in PARAMETERS if 1 - self.narrowed(name) > _UNLEARNED
        ]
        if visits < _FEW_VISITS:
            told.append(
                f"{_counted(visits, 'visit')} with {_counted(count, 'value')} cannot tell a "
                f"course: the loss of units was narrowed by {100 * self.narrowed('loss'):.0f} %, "
                "and no number here stands on its own. Three visits over half a year are the least."
            )
        if len(self.whitened) < _FEW_PARTICLES:
            told.append(
                f"{len(self.whitened)} particles are few: intervals can be narrower by chance. "
                "Fit again with 1000 before reading a number."
            )
        if unlearned:
            told.append(
                "These visits say little about: " + ", ".join(unlearned) + ". Their intervals are "
                "what is assumed of anybody."
            )
        cells = self.check()
        inside = sum(cell.inside for cell in cells)
        if inside < 0.9 * len(cells) - 2.5 * np.sqrt(0.09 * len(cells)):
            told.append(
                f"Only {inside} of {len(cells)} values lie in their 90 % predictions: the model "
                "does not describe this course, and its intervals and forecasts are too narrow."
            )
        odd = [cell for cell in cells if abs(cell.deviation) > _ODD]
        told += [
            f"{cell.measure} at {cell.months:g} months ({cell.value:.4g}) is "
            f"{abs(cell.deviation):.1f} standard deviations from what the other visits suggest."
            for cell in odd
        ]
        return tuple(told)

    def simulate(
        self, treatment: Any = None, *, months: float, step_months: float = 1.0
    ) -> Trajectory:
        """Simulate the months after the last visit; see `myograph.twin.whatif.simulate`."""
        from myograph.twin.whatif import simulate

        return simulate(self, treatment, months=months, step_months=step_months)

    def to_dict(self) -> dict[str, Any]:
        """Return the twin as plain JSON-able data."""
        return {
            "format": FORMAT,
            "observations": self.observations.to_dict(),
            "prior": {"middle": self.prior.middle.tolist(), "spread": self.prior.spread.tolist()},
            "parameters": list(PARAMETERS),
            "whitened": self.whitened.tolist(),
            "offsets": self.offsets.tolist(),
            "seed": self.seed,
            "accepted": self.accepted,
            "notes": list(self.notes()),
            "limits": list(LIMITS),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PatientTwin:
        """Rebuild what `to_dict` gave.

        Raises
        ------
        ArtifactError
            If it is no twin, is of another version, or its parts do not fit together.
        """
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise ArtifactError(f"This is not a patient's twin: its format must be {FORMAT!r}.")
        if data.get("parameters") != list(PARAMETERS):
            raise ArtifactError("This twin has other parameters than this version; fit it anew.")
        try:
            seen = Observations.from_dict(data["observations"])
            prior = Prior(*(np.asarray(data["prior"][k], float) for k in ("middle", "spread")))
            whitened = np.asarray(data["whitened"], float)
            offsets = np.asarray(data["offsets"], float)
            seed, accepted = int(data["seed"]), float(data["accepted"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"This twin is damaged: {error!r}.") from error
        width = len(PARAMETERS) + 2 * seen.n_visits
        good = whitened.ndim == 2 and whitened.shape[1] == width and len(whitened) > 1
        good = good and offsets.shape == (len(whitened), len(seen.measures))
        good = good and prior.middle.shape == prior.spread.shape == (len(PARAMETERS),)
        if not good or not (np.isfinite(whitened).all() and np.isfinite(offsets).all()):
            raise ArtifactError("This twin is damaged: its arrays do not fit together.")
        return cls(seen, prior, whitened, offsets, seed, accepted)


def _derived(name: str, own: Mapping[str, Floats], course: Course, months: ArrayLike) -> Floats:
    units = course.units
    if name == "units_first":
        return units[:, 0]
    if name == "units_now":
        return units[:, -1]
    if name == "innervated_now":
        return course.innervated[:, -1]
    if name == "enlargement_now":
        return course.enlargement[:, -1]
    span = float(np.ptp(np.asarray(months)))
    return (units[:, 0] - units[:, -1]) / span if span else np.full(len(units), np.nan)


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _plain(row: Found) -> Found:
    told = (row.median, row.low, row.high, row.prior_low, row.prior_high, row.narrowed)
    return Found(row.name, row.title, row.unit, *map(float, told))
