"""Fitting a patient's twin: from the visits to everything that could have given them.

Particles start as people drawn from the prior, each with their own luck, and are led to the visits
in stages: at each stage the visits count a little more, the particles that explain them multiply,
and all of them move, by steps that leave the posterior of that stage as it is (a sequential Monte
Carlo sampler with preconditioned Crank-Nicolson moves; delmoral2006, cotter2013). The offset of a
person in each measure is integrated out exactly. Nothing is a point estimate at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.special import log_ndtr, logsumexp

from myograph.core.checks import check_count
from myograph.core.errors import ArtifactError, ParameterError
from myograph.twin.forward import Clinic, clinic
from myograph.twin.posterior import PatientTwin
from myograph.twin.reduced import PARAMETERS, Prior, courses, priors
from myograph.twin.seeds import stream
from myograph.twin.visit import MEASURES, Observations

__all__ = ["Checkpoint", "Likelihood", "fit"]

Floats = NDArray[np.float64]
Progress = Callable[[int, int, str], None]

_FORMAT = "myograph-twin-fit-1"
_PARAMETERS = len(PARAMETERS)
# Stages: the effective number of particles left by each, moves after it, and after the last one.
_KEEP, _MOVES, _LAST_MOVES = 0.5, 6, 30
_MOST_STAGES = 60
# Share of moves that should be accepted; the step adapts to it.
_ACCEPT = 0.3
# An offset behind values at the end of a scale: nodes of its quadrature, and the grid (in standard
# deviations) from which it is drawn.
_NODES, _WIDEST, _GRID = 9, 6.0, 97


class Likelihood:
    """How well people explain the visits.

    A value at the end of its scale (a full score) says only that the person lies there or beyond.

    Parameters
    ----------
    observations : Observations
    prior : Prior
    """

    def __init__(self, observations: Observations, prior: Prior) -> None:
        self.observations, self.prior = observations, prior
        self.clinic: Clinic = clinic(observations.muscle, observations.norms)
        self.measures = observations.measures
        rules = [MEASURES[name] for name in self.measures]
        self.noise = np.array([rule.noise for rule in rules])
        self.spread = self.clinic.spread(self.measures)
        self.seen = np.stack(
            [
                rule.to_scale(observations.values[n])
                for n, rule in zip(self.measures, rules, strict=True)
            ]
        )
        ends = np.array([(rule.low, rule.high) for rule in rules])[:, :, None]
        linear = np.array([not rule.logarithmic for rule in rules])[:, None]
        # 1 where the scale showed its most, -1 where it showed its least.
        self.beyond = linear * ((self.seen >= ends[:, 1]) * 1.0 - (self.seen <= ends[:, 0]) * 1.0)
        self.there = np.isfinite(self.seen) & (self.beyond == 0)
        self.counts = self.there.sum(axis=1)

    @property
    def size(self) -> int:
        """Numbers that describe one particle: parameters, and luck in each interval."""
        return _PARAMETERS + 2 * self.observations.n_visits

    def residuals(self, whitened: Floats) -> Floats:
        """Return measured minus expected on each measure's scale.

        0 where nothing was measured or the scale was at its end. Shape (n_measures, n, n_visits).
        """
        return np.where(self.there[:, None, :], self._differences(whitened), 0.0)

    def __call__(self, whitened: Floats) -> Floats:
        """Return the log likelihood of particles, up to a constant, shape (n,)."""
        every = self._differences(whitened)
        left = np.where(self.there[:, None, :], every, 0.0)
        squares = np.einsum("mnv,mnv->mn", left, left)
        sums = left.sum(axis=2)
        noise, spread = self.noise[:, None] ** 2, self.spread[:, None] ** 2
        shared = spread / (noise * (noise + self.counts[:, None] * spread))
        found = -0.5 * (squares / noise - shared * sums**2).sum(axis=0)
        for m in map(int, np.flatnonzero(self.beyond.any(axis=1))):
            middle, sd = self._offset(m, sums[m])
            nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
            there = self._at_end(m, every[m], middle[:, None] + sd * nodes)
            found += logsumexp(there + np.log(weights / weights.sum()), axis=1)
        return np.where(np.isfinite(found), found, -np.inf)

    def offsets(self, whitened: Floats, rng: np.random.Generator) -> Floats:
        """Draw each particle's offset in each measure given the visits, shape (n, n_measures)."""
        every = self._differences(whitened)
        sums = np.where(self.there[:, None, :], every, 0.0).sum(axis=2)
        drawn = np.empty((sums.shape[1], len(self.measures)))
        normal = rng.standard_normal(sums.shape)
        for m in range(len(self.measures)):
            middle, sd = self._offset(m, sums[m])
            drawn[:, m] = middle + sd * normal[m]
            if self.beyond[m].any():
                grid = np.linspace(-_WIDEST, _WIDEST, _GRID)
                many = middle[:, None] + sd * grid
                chance = self._at_end(m, every[m], many) - 0.5 * grid**2
                best = np.argmax(chance + rng.gumbel(size=many.shape), axis=1)
                within = rng.uniform(-0.5, 0.5, len(many)) * (grid[1] - grid[0])
                drawn[:, m] = middle + sd * (grid[best] + within)
        return drawn

    def _differences(self, whitened: Floats) -> Floats:
        own, course, _ = courses(self.prior, whitened, self.observations.months)
        expected = self.clinic.expected(own, course, self.measures)
        return np.asarray(self.seen[:, None, :] - expected, np.float64)

    def _offset(self, m: int, sums: Floats) -> tuple[Floats, float]:
        """Return mean (of each particle) and spread of an offset given what lies within a scale."""
        noise, spread = self.noise[m] ** 2, self.spread[m] ** 2
        total = noise + self.counts[m] * spread
        return spread * sums / total, float(np.sqrt(noise * spread / total))

    def _at_end(self, m: int, differences: Floats, offsets: Floats) -> Floats:
        """Return the log chance that what lies at an end lies there, shape (n, n_offsets)."""
        total = np.zeros(offsets.shape)
        for v in np.flatnonzero(self.beyond[m]):
            past = self.beyond[m, v] * (offsets - differences[:, v, None])
            total += log_ndtr(past / self.noise[m])
        return total


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a fit keeps what it has, and what it goes on from.

    Parameters
    ----------
    save : callable
        Is given a JSON-able state after each stage.
    saved : mapping, optional
        Such a state, of the same fit.
    """

    save: Callable[[dict[str, Any]], None]
    saved: Mapping[str, Any] | None = None


@dataclass(slots=True)
class _Swarm:
    """Where the sampler stands; all of it goes into a checkpoint."""

    whitened: Floats
    fits: Floats
    heat: float = 0.0
    stage: int = 0
    step: float = 0.5
    accepted: float = 0.0

    def to_dict(self, digest: str, seed: int) -> dict[str, Any]:
        return {
            "format": _FORMAT, "digest": digest, "seed": seed, "whitened": self.whitened.tolist(),
            "fits": self.fits.tolist(), "heat": self.heat, "stage": self.stage, "step": self.step,
            "accepted": self.accepted,
        }  # fmt: skip


def fit(
    observations: Observations,
    *,
    seed: int = 0,
    prior: Mapping[str, tuple[float, float]] | None = None,
    particles: int = 1000,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> PatientTwin:
    """Infer a patient's twin from their visits.

    Parameters
    ----------
    observations : Observations
    seed : int
        The same seed gives the same twin.
    prior : mapping of str to (median, spread), optional
        What is known besides the visits; see `myograph.twin.reduced.priors`.
    particles : int
        100 or more.
    progress : callable, optional
        ``progress(done, total, told)``.
    checkpoint : Checkpoint, optional
        Lets a fit that was stopped go on.

    Returns
    -------
    PatientTwin
        Few visits give a wide posterior and a sentence that says so, never a point.

    Raises
    ------
    DataError
        If no course of the model comes near the visits.
    ArtifactError
        If what was saved belongs to other visits, another prior or another seed.

    Examples
    --------
    >>> seen = Observations([0, 6, 12], {"cmap_mv": [9.0, 7.9, 6.6], "munix": [110, 84, 61]})
    >>> twin = fit(seen, seed=1, particles=200)
    >>> low, high = twin.interval("loss")
    >>> bool(0 < low < high)
    True
    """
    check_count(particles, name="particles", least=100)
    if not isinstance(observations, Observations):
        raise ParameterError(
            f"observations must be an Observations; got a {type(observations).__name__}. "
            "Observations(months, values) makes one, and read_observations reads a table."
        )
    own = priors(observations.muscle, prior)
    likelihood = Likelihood(observations, own)
    digest = _digest(observations, own, particles)
    saved = checkpoint.saved if checkpoint else None
    swarm = _first(likelihood, particles, seed) if saved is None else _again(saved, digest, seed)
    while swarm.heat < 1.0 and swarm.stage < _MOST_STAGES:
        _advance(swarm, likelihood, stream(seed, "stage", swarm.stage + 1))
        if progress is not None:
            progress(round(100 * min(swarm.heat, 1.0)), 100, f"stage {swarm.stage}")
        if checkpoint is not None:
            checkpoint.save(swarm.to_dict(digest, seed))
    drawn = likelihood.offsets(swarm.whitened, stream(seed, "offsets"))
    return PatientTwin.of_particles(
        observations, own, swarm.whitened, drawn, seed=seed, accepted=swarm.accepted
    )


def _first(likelihood: Likelihood, particles: int, seed: int) -> _Swarm:
    whitened = stream(seed, "prior").standard_normal((particles, likelihood.size))
    return _Swarm(whitened, likelihood(whitened))


def _again(saved: Mapping[str, Any], digest: str, seed: int) -> _Swarm:
    if saved.get("format") != _FORMAT or saved.get("digest") != digest or saved.get("seed") != seed:
        raise ArtifactError(
            "This half-finished fit belongs to other visits, another prior, another seed or "
            "another version; remove it and begin anew."
        )
    return _Swarm(
        np.asarray(saved["whitened"], float), np.asarray(saved["fits"], float), saved["heat"],
        saved["stage"], saved["step"], saved["accepted"],
    )  # fmt: skip


def _digest(observations: Observations, prior: Prior, particles: int) -> str:
    return f"{observations.digest()}:{prior.middle.tolist()}:{prior.spread.tolist()}:{particles}"


def _advance(swarm: _Swarm, likelihood: Likelihood, rng: np.random.Generator) -> None:
    """Let the visits count more, multiply what explains them, and move."""
    heat = _next_heat(swarm.fits, swarm.heat)
    weights = _weights((heat - swarm.heat) * swarm.fits)
    rows = _resample(weights, rng)
    swarm.whitened, swarm.fits = swarm.whitened[rows], swarm.fits[rows]
    swarm.heat, swarm.stage = heat, swarm.stage + 1
    moves = _LAST_MOVES if heat >= 1.0 else _MOVES
    taken = [_move(swarm, likelihood, rng) for _ in range(moves)]
    swarm.accepted = float(np.mean(taken))


def _next_heat(fits: Floats, heat: float) -> float:
    """Return the next power of the likelihood: half of the particles stay effective."""
    if _effective(_weights((1.0 - heat) * fits)) >= _KEEP:
        return 1.0
    low, high = heat, 1.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        if _effective(_weights((middle - heat) * fits)) >= _KEEP:
            low = middle
        else:
            high = middle
    return max(low, heat + 1e-9)


def _weights(logs: Floats) -> Floats:
    best = logs.max()
    if not np.isfinite(best):
        return np.full(len(logs), 1 / len(logs))
    raw = np.exp(logs - best)
    return np.asarray(raw / raw.sum(), np.float64)


def _effective(weights: Floats) -> float:
    return float(1 / (weights**2).sum() / len(weights))


def _resample(weights: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    points = (np.arange(len(weights)) + rng.random()) / len(weights)
    rows = np.searchsorted(np.cumsum(weights), points)
    return np.minimum(rows, len(weights) - 1).astype(np.int64)


def _move(swarm: _Swarm, likelihood: Likelihood, rng: np.random.Generator) -> float:
    """Move every particle once, towards and about the mean of all; return the share that moved."""
    now = swarm.whitened
    count, size = now.shape
    mean = now.mean(axis=0)
    spread = np.cov(now.T)
    # Few particles know little of how many numbers vary together.
    share = size / (size + count)
    spread = (1 - share) * spread + share * np.diag(np.diag(spread)) + 1e-9 * np.eye(size)
    root = np.linalg.cholesky(spread)
    fresh = rng.standard_normal(now.shape)
    before = solve_triangular(root, (now - mean).T, lower=True).T
    after = np.sqrt(1 - swarm.step**2) * before + swarm.step * fresh
    there = mean + after @ root.T
    fits = likelihood(there)
    gain = swarm.heat * (fits - swarm.fits)
    gain -= 0.5 * ((there**2).sum(axis=1) - (now**2).sum(axis=1))
    gain += 0.5 * ((after**2).sum(axis=1) - (before**2).sum(axis=1))
    taken = np.log(rng.random(count)) < gain
    swarm.whitened = np.where(taken[:, None], there, now)
    swarm.fits = np.where(taken, fits, swarm.fits)
    accepted = float(taken.mean())
    swarm.step = float(np.clip(swarm.step * np.exp(accepted - _ACCEPT), 0.05, 0.99))
    return accepted
