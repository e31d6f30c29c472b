"""Neuromuscular transmission: quanta, end-plate potentials, and whether and when a fibre fires.

Every impulse releases some of the quanta that stand ready; each adds its part to the end-plate
potential. The fibre fires when that passes its threshold, the later the smaller the margin: jitter,
blocking, decrement and facilitation are consequences, not settings.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import DataError, ParameterError
from myograph.twin.fibre import Fibres
from myograph.twin.muscle import Muscle
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.pool import frozen_array
from myograph.twin.seeds import stream

__all__ = ["EndplateParameters", "Endplates", "Release", "Transmission", "equipped", "transmit"]

Floats = NDArray[np.float64]

# A threshold reached this close to the end-plate potential's peak counts as not reached later.
_LEAST_MARGIN = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class EndplateParameters:
    """What healthy end-plates are drawn from.

    Parameters
    ----------
    store : float
        Quanta ready for release at rest. With ``release`` it gives the quanta per impulse
        (ruff2011: 20 to 50).
    release : float
        Probability that a ready quantum is released by one impulse at rest.
    quantum_mv : float
        Depolarisation by one quantum, mV (about 0.8 in the human intercostal; albuquerque1976).
    threshold_mv : float
        Depolarisation at which the fibre fires, mV. Quanta per impulse times ``quantum_mv`` over it
        is the safety factor (ruff2011: 3 to 5).
    fibre_cv : float
        Coefficient of variation of store, quantum and threshold between fibres, each (lognormal).
    """

    store: float = 300.0
    release: float = 0.15
    quantum_mv: float = 0.8
    threshold_mv: float = 7.2
    fibre_cv: float = 0.12

    def __post_init__(self) -> None:
        ranges = {
            "store": Range(50, 1000, "quanta", least=1, most=20_000),
            "release": Range(0.02, 0.5, least=0.0, most=1.0),
            "quantum_mv": Range(0.2, 1.5, "mV", least=0.0, most=20),
            "threshold_mv": Range(3, 20, "mV", least=0.01, most=100),
            "fibre_cv": Range(0, 0.5, most=2),
        }
        check_ranges(self, ranges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """How end-plates behave from one impulse to the next.

    Parameters
    ----------
    refill_s : float
        Time constant with which the store refills at rest, s. With ``release`` it sets how far the
        end-plate potential runs down at 2 to 5 Hz.
    facilitation, facilitation_s : float
        What one impulse adds to the release probability, as a share of it, and how long that lasts,
        s (100 to 200 ms).
    augmentation, augmentation_s : float
        The same over seconds: what exercise leaves behind.
    refill_gain : float
        Refilling quickens by this times the facilitation: activity brings up quanta.
    quantum_cv : float
        Coefficient of variation of single quanta.
    rise_ms : float
        Time constant of the end-plate potential's rise, ms; chosen so that healthy end-plates
        jitter by 12 to 13 µs each at 10 Hz.
    immature_store : float
        Share of the store that a junction has when it has just sprouted.
    """

    refill_s: float = 0.9
    facilitation: float = 0.1
    facilitation_s: float = 0.15
    augmentation: float = 0.004
    augmentation_s: float = 8.0
    refill_gain: float = 5.0
    quantum_cv: float = 0.3
    rise_ms: float = 0.135
    immature_store: float = 0.5

    def __post_init__(self) -> None:
        ranges = {
            "refill_s": Range(0.1, 10, "s", least=1e-3),
            "facilitation": Range(0, 0.5),
            "facilitation_s": Range(0.05, 0.4, "s", least=1e-3),
            "augmentation": Range(0, 0.02),
            "augmentation_s": Range(2, 30, "s", least=1e-3),
            "refill_gain": Range(0, 20),
            "quantum_cv": Range(0, 0.6, most=3),
            "rise_ms": Range(0.05, 1, "ms", least=1e-4),
            "immature_store": Range(0.1, 1, most=1),
        }
        check_ranges(self, ranges)


@dataclass(frozen=True, slots=True, eq=False)
class Endplates:
    """Neuromuscular junctions: parallel arrays over fibres, read-only.

    Parameters
    ----------
    store, release, quantum_mv, threshold_mv : ndarray, shape (n_fibres,)
        As in `EndplateParameters`, fibre by fibre.
    """

    store: Floats
    release: Floats
    quantum_mv: Floats
    threshold_mv: Floats

    def __post_init__(self) -> None:
        count = np.size(self.store)
        for item in fields(self):
            array = frozen_array(getattr(self, item.name), np.float64)
            good = np.isfinite(array).all() and float(np.min(array, initial=0.0)) >= 0
            if array.shape != (count,) or not good:
                raise DataError(
                    f"Endplates.{item.name} must be finite, 0 or more, of shape ({count},); "
                    f"got shape {array.shape}."
                )
            object.__setattr__(self, item.name, array)

    @classmethod
    def healthy(
        cls, n_fibres: int, parameters: EndplateParameters | None = None, *, seed: int
    ) -> Endplates:
        """Draw healthy end-plates; each property has a random stream of its own."""
        p = parameters or EndplateParameters()
        sigma = np.sqrt(np.log1p(p.fibre_cv**2))

        def spread(name: str) -> Floats:
            z = stream(seed, "endplate", name).standard_normal(n_fibres)
            return np.asarray(np.exp(sigma * z - sigma**2 / 2), np.float64)

        return cls(
            p.store * spread("store"),
            np.full(n_fibres, p.release),
            p.quantum_mv * spread("quantum"),
            p.threshold_mv * spread("threshold"),
        )

    @classmethod
    def of(cls, fibres: Fibres) -> Endplates:
        """Read the end-plates that `equipped` put into the fibres' columns."""
        missing = [name for name in _COLUMNS.values() if name not in fibres.columns]
        if missing:
            raise DataError(
                f"These fibres have no end-plates (columns {missing} are missing); "
                "make them with equipped(muscle, seed=...)."
            )
        return cls(**{name: fibres.columns[column] for name, column in _COLUMNS.items()})

    def __len__(self) -> int:
        """Count the end-plates."""
        return len(self.store)

    @property
    def safety_factor(self) -> Floats:
        """Mean end-plate potential of a rested junction over its threshold, shape (n_fibres,)."""
        return self.store * self.release * self.quantum_mv / self.threshold_mv

    def keep(self, mask: ArrayLike) -> Endplates:
        """Return the end-plates in ``mask`` (bool) or of these rows (int)."""
        chosen = np.asarray(mask)
        return Endplates(**{item.name: getattr(self, item.name)[chosen] for item in fields(self)})

    def columns(self) -> dict[str, Floats]:
        """Return the arrays under the names they have among a muscle's fibre columns."""
        return {column: getattr(self, name) for name, column in _COLUMNS.items()}


def equipped(muscle: Muscle, parameters: EndplateParameters | None = None, *, seed: int) -> Muscle:
    """Return the muscle with an end-plate for each fibre; one that has them keeps them.

    Parameters
    ----------
    muscle : Muscle
    parameters : EndplateParameters, optional
        Healthy ones when not given. Giving them replaces the end-plates that are there.
    seed : int

    Examples
    --------
    >>> from myograph.twin.pool import PoolParameters
    >>> muscle = Muscle.healthy("FDI", PoolParameters(n_fibres=4000), seed=1)
    >>> round(float(Endplates.of(equipped(muscle, seed=1).fibres).safety_factor.mean()), 1)
    5.1
    """
    present = all(name in muscle.fibres.columns for name in _COLUMNS.values())
    if present and parameters is None:
        return muscle
    ends = Endplates.healthy(len(muscle.fibres), parameters, seed=seed)
    return with_endplates(muscle, ends)


def with_endplates(muscle: Muscle, endplates: Endplates) -> Muscle:
    """Return the muscle with these end-plates in place of its own."""
    return replace(muscle, fibres=muscle.fibres.change(columns=endplates.columns()))


@dataclass(frozen=True, slots=True, eq=False)
class Transmission:
    """What became of each impulse at each end-plate.

    Parameters
    ----------
    potential_mv : ndarray, shape (n_fibres, n_impulses)
        End-plate potential that the released quanta would reach, mV.
    fired : ndarray of bool, shape (n_fibres, n_impulses)
        False where the impulse was blocked.
    delay_ms : ndarray, shape (n_fibres, n_impulses)
        From release to the fibre's action potential, ms; NaN where blocked.
    """

    potential_mv: Floats
    fired: NDArray[np.bool_]
    delay_ms: Floats

    @property
    def blocking(self) -> Floats:
        """Share of the impulses that were blocked, shape (n_fibres,)."""
        return np.asarray(1 - self.fired.mean(axis=1), np.float64)

    @property
    def jitter_us(self) -> Floats:
        """Standard deviation of the delay, shape (n_fibres,), µs; NaN below 2 that fired."""
        n = self.fired.sum(axis=1)
        delay = np.where(self.fired, self.delay_ms, 0.0)
        mean = delay.sum(axis=1) / np.maximum(n, 1)
        square = np.where(self.fired, (delay - mean[:, None]) ** 2, 0.0).sum(axis=1)
        return np.where(n > 1, 1000 * np.sqrt(square / np.maximum(n - 1, 1)), np.nan)


def transmit(
    endplates: Endplates,
    times_s: ArrayLike,
    *,
    seed: int,
    maturity: ArrayLike = 1.0,
    rule: Release | None = None,
) -> Transmission:
    """Pass a train of impulses through end-plates.

    The quanta released are binomial in the store, which they leave and which refills between
    impulses; earlier impulses raise the probability of release. The potential rises towards its
    peak E with one time constant, so that the threshold V is reached after
    ``-rise_ms ln(1 - V / E)``: about ``rise_ms V / E`` while the margin is wide, and ever later and
    more variable as it closes.

    Parameters
    ----------
    endplates : Endplates
    times_s : array_like, shape (n_impulses,)
        Ascending, seconds; all end-plates get the same impulses. The first finds them rested.
    seed : int
        The same impulse number and fibre draw the same chances, whatever the parameters.
    maturity : array_like, shape () or (n_fibres,)
        1 for mature junctions; immature ones have fewer quanta.
    rule : Release, optional

    Examples
    --------
    >>> ends = Endplates.healthy(2000, seed=1)
    >>> healthy = transmit(ends, np.arange(20) / 10, seed=1)
    >>> bool(healthy.blocking.max() < 0.1), bool(9 < np.median(healthy.jitter_us) < 16)
    (True, True)
    """
    law = rule or Release()
    times = np.atleast_1d(np.asarray(times_s, float))
    if times.ndim != 1 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise ParameterError("times_s must be finite and ascending, of shape (n_impulses,).")
    grown = np.broadcast_to(np.asarray(maturity, float), (len(endplates),))
    store = endplates.store * (law.immature_store + (1 - law.immature_store) * grown)
    # Impulse by impulse, so that a longer train begins like a shorter one.
    chance = stream(seed, "quanta").random((len(times), len(endplates)))
    noise = stream(seed, "quantum-size").standard_normal((len(times), len(endplates)))
    settings = np.array([getattr(law, item.name) for item in fields(law)][:6])
    quanta = _released(store, endplates.release, times, chance, settings)
    # A sum of many quanta of coefficient of variation c varies by c times the root of their number.
    size = np.maximum(quanta + law.quantum_cv * np.sqrt(quanta) * noise, 0.0)
    potential = (size * endplates.quantum_mv).T
    fired = potential > endplates.threshold_mv[:, None]
    margin = 1 - endplates.threshold_mv[:, None] / np.where(fired, potential, np.inf)
    delay = -law.rise_ms * np.log(np.maximum(margin, _LEAST_MARGIN))
    return Transmission(potential, fired, np.where(fired, delay, np.nan))


@njit(cache=True)
def _released(
    store: Floats, release: Floats, times: Floats, chance: Floats, settings: Floats
) -> Floats:
    """Return the quanta of each impulse, shape (n_impulses, n_fibres)."""
    refill_s, step, step_s, slow, slow_s, gain = settings
    n_impulses, n_fibres = chance.shape
    out = np.zeros((n_impulses, n_fibres))
    for i in range(n_fibres):
        ready, fast, lasting = store[i], 0.0, 0.0
        for k in range(n_impulses):
            if k > 0:
                pause = times[k] - times[k - 1]
                # Refilling follows the facilitation while that fades.
                eased = pause + gain * fast * step_s * -np.expm1(-pause / step_s)
                ready += (store[i] - ready) * -np.expm1(-eased / refill_s)
                fast *= np.exp(-pause / step_s)
                lasting *= np.exp(-pause / slow_s)
            p = min(release[i] * (1 + fast) * (1 + lasting), 0.9)
            m = _binomial(int(ready + 0.5), p, chance[k, i])
            ready = max(ready - m, 0.0)
            fast += step
            lasting += slow
            out[k, i] = m
    return out


@njit(cache=True)
def _binomial(n: int, p: float, u: float) -> float:
    """Return the ``u`` quantile of a binomial distribution, summed from below."""
    if n <= 0 or p <= 0:
        return 0.0
    start = n * np.log1p(-p)
    k = 0
    if start < -600:  # the chance of none at all underflows: start where it does not
        k = max(int(n * p - 12 * np.sqrt(n * p * (1 - p))), 0)
        for j in range(k):
            start += np.log((n - j) / (j + 1) * p / (1 - p))
    term = np.exp(start)
    total = term
    while total < u and k < n:
        term *= (n - k) / (k + 1) * p / (1 - p)
        k += 1
        total += term
    return float(k)


_COLUMNS = {
    "store": "endplate_store",
    "release": "endplate_release",
    "quantum_mv": "endplate_quantum_mv",
    "threshold_mv": "endplate_threshold_mv",
}
