"""The reduced model of a patient's muscle: nine parameters, and what they do to units over months.

The full twin lets every unit die and every fibre be adopted; that takes seconds a visit. A fit
needs a hundred thousand visits, so this model keeps only means: how many units live, how much of
the muscle they hold at birth and now, and how young their junctions are. Which units happen to die
is chance, and stays chance here: each interval has its own luck. How far the two agree is measured
(benchmarks/science/twin_forward.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr

from myograph.core.checks import unknown_name
from myograph.core.errors import ParameterError
from myograph.twin.anatomy import MUSCLES

__all__ = [
    "PARAMETERS",
    "Course",
    "Growth",
    "Parameter",
    "Prior",
    "courses",
    "grow",
    "held",
    "onset",
    "priors",
]

Floats = NDArray[np.float64]

#: Mean time from denervation to a new junction, and the time in which it matures, months.
DELAY_MONTHS, MATURATION_MONTHS = 1.5, 4.0

# Variance of the fibres a unit has, relative to the square of their mean, in an exponential pool
# of a hundredfold range: what one death takes differs that much.
_SIZE_VARIANCE = 1.35
_LEAST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One quantity that is inferred.

    Parameters
    ----------
    title, unit : str
    scale : str
        On which the prior is normal: ``"log"``, ``"logit"``, or ``"above"`` (the logarithm of what
        lies above 1.2).
    middle, spread : float
        Median of the prior in the parameter's unit, and its standard deviation on the scale.
    shown : float
        Factor by which a value is multiplied for a reader (100 for a percentage).
    note : str
    """

    title: str
    unit: str
    scale: str
    middle: float
    spread: float
    shown: float = 1.0
    note: str = ""

    def forward(self, value: ArrayLike) -> Floats:
        """Bring values to the scale."""
        given = np.asarray(value, np.float64)
        if self.scale == "log":
            return np.log(given)
        if self.scale == "logit":
            return np.asarray(logit(given), np.float64)
        return np.log(given - 1.2)

    def back(self, scaled: ArrayLike) -> Floats:
        """Bring scaled values back."""
        given = np.asarray(scaled, np.float64)
        if self.scale == "log":
            return np.exp(given)
        if self.scale == "logit":
            return np.asarray(expit(given), np.float64)
        return 1.2 + np.exp(given)


#: What is inferred, in the order of every array of parameters. The spreads of the priors are wide
#: on purpose: they cover healthy people and the slow and fast courses of neuwirth2015.
PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        "units": Parameter(
            title="motor units in health", unit="", scale="log", middle=180.0, spread=0.3,
            note="the median is that of the muscle",
        ),
        "loss": Parameter(
            title="unit loss", unit="% of the living a month", scale="log", middle=0.012,
            spread=1.1, shown=100.0,
        ),
        "onset_months": Parameter(
            title="months of loss before the first visit", unit="months", scale="log", middle=8.0,
            spread=0.8,
        ),
        "adoption": Parameter(
            title="reinnervation", unit="% of orphaned fibres", scale="logit", middle=0.6,
            spread=0.8, shown=100.0,
        ),
        "cap": Parameter(
            title="largest enlargement of a unit", unit="times", scale="above", middle=5.0,
            spread=0.5,
        ),
        "fibre": Parameter(
            title="fibre diameter", unit="times typical", scale="log", middle=1.0, spread=0.12,
        ),
        "junction": Parameter(
            title="effect of a quantum", unit="% of healthy", scale="logit", middle=0.9,
            spread=1.0, shown=100.0, note="safety of neuromuscular transmission",
        ),
        "drive": Parameter(
            title="drive at full effort", unit="% of maximum", scale="logit", middle=0.93,
            spread=0.8, shown=100.0,
        ),
        "fatigue": Parameter(
            title="fatigability", unit="times typical", scale="log", middle=1.0, spread=0.4,
        ),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """Independent normal priors, each on the scale of its parameter.

    Parameters
    ----------
    middle, spread : ndarray, shape (n_parameters,)
        Means and standard deviations on the scales.

    Examples
    --------
    >>> prior = priors("ADM")
    >>> prior.natural(np.zeros(9))["units"].tolist()
    180.0
    """

    middle: Floats
    spread: Floats

    def natural(self, whitened: ArrayLike) -> dict[str, Floats]:
        """Turn standard normal numbers, last axis over parameters, into parameters by name."""
        z = np.asarray(whitened, np.float64)
        return {
            name: rule.back(self.middle[i] + self.spread[i] * z[..., i])
            for i, (name, rule) in enumerate(PARAMETERS.items())
        }

    def whitened(self, parameters: Mapping[str, ArrayLike]) -> Floats:
        """Turn parameters by name into standard normal numbers, stacked along the last axis."""
        columns = [
            (rule.forward(parameters[name]) - self.middle[i]) / self.spread[i]
            for i, (name, rule) in enumerate(PARAMETERS.items())
        ]
        return np.stack(columns, axis=-1)


def priors(muscle: str, own: Mapping[str, tuple[float, float]] | None = None) -> Prior:
    """Return the priors for a muscle.

    Parameters
    ----------
    muscle : str
        Key of `myograph.twin.anatomy.MUSCLES`.
    own : mapping of str to (median, spread), optional
        In place of the usual ones: the median in the parameter's unit and the standard deviation on
        its scale. What is known of a person goes here, such as the months since the onset.

    Examples
    --------
    >>> known = priors("FDI", {"onset_months": (14.0, 0.1)})
    >>> round(float(known.natural(np.zeros(9))["onset_months"]), 6)
    14.0
    """
    if muscle not in MUSCLES:
        raise ParameterError(unknown_name(muscle, MUSCLES, what="muscle"))
    given = dict(own or {})
    for name in given:
        if name not in PARAMETERS:
            raise ParameterError(unknown_name(name, PARAMETERS, what="parameter"))
    middle, spread = [], []
    for name, rule in PARAMETERS.items():
        typical = float(MUSCLES[muscle].pool.n_units) if name == "units" else rule.middle
        median, sd = given.get(name, (typical, rule.spread))
        with np.errstate(invalid="ignore", divide="ignore"):
            on_scale = float(rule.forward(median))
        if not np.isfinite(on_scale) or not 0 < sd < 10:
            raise ParameterError(
                f"The prior of {name} is (median, spread), a possible value such as "
                f"{rule.middle:g} and a spread above 0; got {given[name]!r}."
            )
        middle.append(on_scale)
        spread.append(float(sd))
    return Prior(np.array(middle), np.array(spread))


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """Where particles stand: everything that the next months need. Shape (n,) each.

    Parameters
    ----------
    units : ndarray
        Living units.
    own : ndarray
        Share of the muscle's fibres that the living units had at birth.
    kept : ndarray
        Share of the fibres that has a nerve, or waits for one, if units could grow without end.
    months : ndarray
        Since the onset.
    """

    units: Floats
    own: Floats
    kept: Floats
    months: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What became of the units, particles against moments: shape (n, n_moments) each.

    Parameters
    ----------
    units : ndarray
        Living units.
    innervated : ndarray
        Share of the muscle's fibres that has a nerve.
    enlargement : ndarray
        Fibres of a living unit as a multiple of what it had at birth.
    immature : ndarray
        Mean immaturity of the junctions, 0 to 1.
    """

    units: Floats
    innervated: Floats
    enlargement: Floats
    immature: Floats


def onset(parameters: Mapping[str, Floats]) -> Growth:
    """Return particles at the onset, nothing lost yet."""
    units = np.asarray(parameters["units"], np.float64)
    one = np.ones(units.shape)
    return Growth(units.copy(), one, one, 0 * one)


def grow(
    parameters: Mapping[str, Floats],
    start: Growth,
    steps_months: ArrayLike,
    luck: Floats,
    *,
    speed: Floats | Sequence[float] | None = None,
    adoption: Floats | None = None,
) -> tuple[Course, Growth]:
    """Let months pass.

    Parameters
    ----------
    parameters : mapping of str to ndarray, shape (n,)
        By the names of `PARAMETERS`.
    start : Growth
    steps_months : array_like, shape (n_steps,) or (n, n_steps)
    luck : ndarray, shape (n, 2 * n_steps)
        Standard normal: how many units die in each step, and how large they were.
    speed : ndarray, shape (n_steps,) or (n, n_steps), optional
        Factor of the loss in each step; 1 when not given.
    adoption : ndarray, shape (n_steps,) or (n, n_steps), optional
        Factor of the reinnervation in each step.

    Returns
    -------
    Course
        At the end of each step.
    Growth
        At the end of the last one.

    Examples
    --------
    >>> person = {name: np.array([rule.middle]) for name, rule in PARAMETERS.items()}
    >>> course, _ = grow(person, onset(person), [12.0, 12.0], np.zeros((1, 4)))
    >>> course.units.round(0).tolist()
    [[156.0, 135.0]]
    """
    n = len(start.units)
    steps = np.broadcast_to(np.atleast_1d(np.asarray(steps_months, np.float64)), luck_shape(luck))
    pace = np.broadcast_to(1.0 if speed is None else np.asarray(speed, np.float64), steps.shape)
    sprout = np.broadcast_to(
        1.0 if adoption is None else np.asarray(adoption, np.float64), steps.shape
    )
    rate, likely, cap = parameters["loss"], parameters["adoption"], parameters["cap"]
    found = np.empty((4, n, steps.shape[1]))
    now = start
    for j in range(steps.shape[1]):
        hazard = rate * pace[:, j]
        efficacy = np.minimum(likely * sprout[:, j], 1.0)
        now = _step(now, hazard, steps[:, j], luck[:, 2 * j : 2 * j + 2], efficacy)
        found[:, :, j] = held(now, hazard, efficacy, cap)
    return Course(*found), now


def courses(
    prior: Prior, whitened: Floats, months: Floats
) -> tuple[dict[str, Floats], Course, Growth]:
    """Return particles' parameters, their course at each visit, and where they stand at the last.

    Parameters
    ----------
    prior : Prior
    whitened : ndarray, shape (n, n_parameters + 2 * n_visits)
        Standard normal: parameters first, then the luck of each interval, the first of which runs
        from the onset to the first visit.
    months : ndarray, shape (n_visits,)
    """
    count = len(PARAMETERS)
    own = prior.natural(whitened[:, :count])
    steps = np.empty((len(whitened), len(months)))
    steps[:, 0], steps[:, 1:] = own["onset_months"], np.diff(months)
    course, stand = grow(own, onset(own), steps, whitened[:, count:])
    return own, course, stand


def luck_shape(luck: Floats) -> tuple[int, int]:
    """Return the particles and steps that an array of luck is for."""
    return luck.shape[0], luck.shape[1] // 2


def _step(now: Growth, hazard: Floats, months: Floats, luck: Floats, efficacy: Floats) -> Growth:
    expected = hazard * months
    deaths = now.units * expected
    fell = expected * _gamma(deaths, luck[:, 0])
    # What died was larger or smaller than the mean unit, the more so the fewer died.
    taken = fell * _gamma(now.units * fell / _SIZE_VARIANCE, luck[:, 1])
    return Growth(
        np.maximum(now.units * np.exp(-fell), _LEAST),
        np.maximum(now.own * np.exp(-taken), _LEAST),
        np.maximum(now.kept * np.exp(-taken * (1 - efficacy)), _LEAST),
        now.months + months,
    )


def held(
    now: Growth, hazard: Floats, efficacy: Floats, cap: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return units, innervated share, enlargement and immaturity at a moment.

    Of the fibres of a dying unit a share, the efficacy, is adopted after a delay, each time anew;
    no unit grows beyond the cap.
    """
    adopting = efficacy * hazard
    waiting = adopting * DELAY_MONTHS * -np.expm1(-now.months / DELAY_MONTHS)
    free = np.maximum(now.kept / (1 + waiting), now.own) / now.own
    full = np.square(np.square(np.square(free / cap)))  # the eighth power: a sharp limit
    room = np.sqrt(np.sqrt(np.sqrt(1 / (1 + full))))
    innervated = np.minimum(free * room * now.own, 1.0)
    ageing = 1 / MATURATION_MONTHS + adopting
    young = adopting / ageing * -np.expm1(-ageing * now.months)
    return now.units, innervated, innervated / now.own, young / (1 + full)


def _gamma(shape: Floats, z: Floats) -> Floats:
    """Return gamma variates of mean 1 from standard normal ones (Wilson and Hilferty).

    Few deaths scatter much, many hardly: the variance is one over the shape. Below a shape of 1 the
    cube is cut off at 0, and its mean is brought back to 1.
    """
    ninth = 1 / (9 * np.maximum(shape, 0.02))
    spread = np.sqrt(ninth)
    root = np.maximum(1 - ninth + z * spread, 0.0)
    drawn = root * root * root
    few = shape < 1
    if few.any():
        m, s = 1 - ninth[few], spread[few]
        density = np.exp(-0.5 * (m / s) ** 2) / np.sqrt(2 * np.pi)
        drawn[few] /= (m**3 + 3 * m * s**2) * ndtr(m / s) + (m**2 * s + 2 * s**3) * density
    return np.asarray(drawn, np.float64)
