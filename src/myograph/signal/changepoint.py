"""Where the power of a signal changes: one change, several, or as they come.

The model is zero-mean Gaussian noise whose variance jumps; whiten first
(`myograph.signal.whitening`). No threshold and no stretch of rest is needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError

__all__ = ["BayesianChange", "Change", "pelt", "profile_likelihood"]

# Power below which a stretch counts as silent, as a share of the whole signal's: keeps logarithms
# finite where a recording was padded with zeros.
_FLOOR = 1e-12


@dataclass(frozen=True, slots=True)
class Change:
    """Where the variance changed, and what says so.

    Parameters
    ----------
    at : int
        First sample of the second stretch.
    gain : float
        Log-likelihood of two stretches over that of one.
    before, after : float
        Variances.
    """

    at: int
    gain: float
    before: float
    after: float


def profile_likelihood(whitened: ArrayLike, *, least: int = 10) -> Change:
    r"""Find the one change of variance that explains the samples best.

    Maximises :math:`-\frac{k}{2}\ln s_1^2(k) - \frac{n-k}{2}\ln s_2^2(k)` over k, where the
    variances are the mean squares before and from sample k on (selvan2018).

    Parameters
    ----------
    whitened : array, shape (n_samples,)
    least : int
        Samples on either side: at the very ends any few samples look like a stretch of their own.

    Raises
    ------
    DataError
        If there are fewer than ``2 * least + 1`` samples.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal(400) * np.repeat([1.0, 5.0], 200)
    >>> abs(profile_likelihood(x).at - 200) <= 2
    True
    """
    x = np.asarray(whitened, dtype=np.float64)
    check_count(least, name="least")
    n = len(x)
    if x.ndim != 1 or n <= 2 * least:
        raise DataError(
            f"A change needs more than {2 * least} samples of one channel; got shape {x.shape}."
        )
    sums = np.concatenate([[0.0], np.cumsum(x * x)])
    floor = _FLOOR * sums[-1] / n + np.finfo(float).tiny
    k = np.arange(least, n - least + 1)
    before = sums[k] / k + floor
    after = (sums[-1] - sums[k]) / (n - k) + floor
    likelihood = -0.5 * (k * np.log(before) + (n - k) * np.log(after))
    best = int(likelihood.argmax())
    single = -0.5 * n * math.log(sums[-1] / n + floor)
    return Change(
        int(k[best]), float(likelihood[best]) - single, float(before[best]), float(after[best])
    )


def pelt(energies: ArrayLike, *, least: int = 15, penalty: float | None = None) -> list[int]:
    r"""Cut a series of energies where their mean changes, into as many stretches as it takes.

    Minimises the sum of :math:`m\ln\bar z` over the stretches (exponential energies: pairs of
    whitened samples) plus a penalty for each, exactly; candidates that can no longer win are
    pruned (killick2012).

    Parameters
    ----------
    energies : array, shape (n_points,)
        From `myograph.signal.conditioning.pair_energy`.
    least : int
        Points in a stretch.
    penalty : float, optional
        Cost of one more change; ``3 * ln(n_points)`` by default: a change has two parameters, its
        place and its level, and the levels of real rest are never quite constant.

    Returns
    -------
    list of int
        First points of the second and later stretches.

    Examples
    --------
    >>> z = np.random.default_rng(0).exponential(np.repeat([1.0, 20.0, 1.0], 100))
    >>> [round(cut, -1) for cut in pelt(z)]
    [100, 200]
    """
    z = np.asarray(energies, dtype=np.float64)
    check_count(least, name="least")
    n = len(z)
    if n < 2 * least:
        return []
    cost = 3.0 * math.log(n) if penalty is None else check_positive(penalty, name="penalty")
    sums = np.concatenate([[0.0], np.cumsum(z)])
    floor = _FLOOR * sums[-1] / n + np.finfo(float).tiny
    best = np.full(n + 1, np.inf)
    best[0] = -cost
    came_from = np.zeros(n + 1, dtype=np.int64)
    candidates, until = np.array([0]), np.array([n + 1])
    for end in range(least, n + 1):
        length = end - candidates
        totals = best[candidates] + length * np.log((sums[end] - sums[candidates]) / length + floor)
        winner = int(totals.argmin())
        best[end] = totals[winner] + cost
        came_from[end] = candidates[winner]
        # A start that loses to `end` loses for ever, from where `end` may be a start itself.
        until[(totals >= best[end]) & (until > n)] = end + least
        keep = until > end
        candidates = np.append(candidates[keep], end - least + 1)
        until = np.append(until[keep], n + 1)
    return _walk_back(came_from, n)


def _walk_back(came_from: NDArray[np.int64], n: int) -> list[int]:
    cuts: list[int] = []
    here = int(came_from[n])
    while here > 0:
        cuts.append(here)
        here = int(came_from[here])
    return cuts[::-1]


class BayesianChange:
    """How long the present level has lasted, as energies come in (adams2007).

    The model: energies are exponential with an unknown rate (gamma prior), and after every point
    the level may change with a constant chance. The recursion is exact except that run lengths
    of negligible probability are dropped.

    Parameters
    ----------
    expected : float
        Points between changes, on average.
    level : float
        A typical energy, the centre of the prior: the resting one, for example.

    Examples
    --------
    >>> z = np.random.default_rng(0).exponential(np.repeat([1.0, 20.0], 100))
    >>> state = BayesianChange(expected=200, level=1.0)
    >>> runs, levels = state.push(z)
    >>> int(runs[95]) > 80, 80 <= int(runs[-1]) <= 105
    (True, True)
    """

    __slots__ = ("_chance", "_prior", "_probability", "_run", "_shape", "_total")

    # The prior weighs as much as one observation: levels from rest to full effort are all likely.
    _PRIOR_SHAPE = 1.0
    _NEGLIGIBLE = 1e-5

    def __init__(self, *, expected: float, level: float) -> None:
        self._chance = 1.0 / check_positive(expected, name="expected")
        self._prior = check_positive(level, name="level")
        self._run = np.zeros(1, dtype=np.int64)  # run lengths still considered
        self._probability = np.ones(1)
        self._shape = np.full(1, self._PRIOR_SHAPE)
        self._total = np.full(1, self._prior)

    def push(self, energies: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Take the newest energies; say what is likeliest after each.

        Returns
        -------
        runs : ndarray of int64, shape (n_new,)
            How many points the present level has lasted.
        levels : ndarray, shape (n_new,)
            Mean energy over them.
        """
        runs, levels = np.empty(len(energies), dtype=np.int64), np.empty(len(energies))
        for i, energy in enumerate(np.asarray(energies, dtype=np.float64)):
            self._step(float(energy))
            best = int(self._probability.argmax())
            runs[i] = self._run[best]
            seen = self._shape[best] - self._PRIOR_SHAPE
            levels[i] = (self._total[best] - self._prior) / seen if seen else energy
        return runs, levels

    def _step(self, energy: float) -> None:
        # Predictive density of an exponential with a gamma rate: Lomax.
        grown = np.log(self._shape) + self._shape * np.log(self._total)
        grown -= (self._shape + 1) * np.log(self._total + energy)
        weight = self._probability * np.exp(grown)
        stay, new = weight * (1 - self._chance), float(weight.sum()) * self._chance
        probability = np.concatenate([[new], stay])
        total = probability.sum()
        if not total > 0:  # an energy no level explains: start anew from it
            probability, total = np.eye(1, len(probability))[0], 1.0
        probability /= total
        keep = probability > self._NEGLIGIBLE
        keep[0] = True
        run = np.concatenate([[0], self._run + 1])
        shape = np.concatenate([[self._PRIOR_SHAPE], self._shape + 1])
        sums = np.concatenate([[self._prior], self._total + energy])
        self._run, self._shape, self._total = run[keep], shape[keep], sums[keep]
        self._probability = probability[keep] / probability[keep].sum()
