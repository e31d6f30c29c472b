"""Networks that rebuild a row from a few numbers; they bring their own loss."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.optional import needs

torch = needs("torch", to="build a network", extra="deep")
nn = torch.nn
Module: Any = nn.Module

__all__ = ["Plain", "Variational"]

# Bounds of log variances, of the numbers inside and of what they leave out.
_INSIDE = (-8.0, 4.0)
_LEFT = (-6.0, 3.0)


class _Rebuilding(Module):
    """What both have: rows standardised, an encoder and a decoder with bounded inner values.

    What lies beyond everything that was learned from drives the inner values to their bounds, so
    it cannot be rebuilt, and the error grows with its distance.
    """

    def __init__(self, n_numbers: int, *, width: int, latent: int, codes: int, noise: float):
        super().__init__()
        self.noise = noise
        self.register_buffer("centre", torch.zeros(n_numbers))
        self.register_buffer("spread", torch.ones(n_numbers))
        self.encoder = nn.Sequential(
            nn.Linear(n_numbers, width), nn.Tanh(), nn.Linear(width, codes)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent, width), nn.Tanh(), nn.Linear(width, n_numbers)
        )

    def measure(self, rows: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
        """Take mean and deviation of rows, each by its weight."""
        centre = np.average(rows, axis=0, weights=weights)
        spread = np.sqrt(np.average((rows - centre) ** 2, axis=0, weights=weights))
        self.centre[:] = torch.as_tensor(centre)
        self.spread[:] = torch.as_tensor(np.where(spread > 1e-12 * (1 + np.abs(centre)), spread, 1))

    def standard(self, rows: Any) -> Any:
        return (rows - self.centre) / self.spread

    def spoilt(self, rows: Any) -> Any:
        """Return standardised rows with noise, while learning."""
        return rows + self.noise * torch.randn_like(rows) if self.training else rows


class Plain(_Rebuilding):
    """An autoencoder that takes the noise out of rows (vincent2008).

    Parameters
    ----------
    n_numbers : int
        In a row.
    width, latent : int
        Inner values, and the numbers in the middle.
    noise : float
        Added while learning, in standard deviations.
    """

    def __init__(self, n_numbers: int, *, width: int, latent: int, noise: float) -> None:
        super().__init__(n_numbers, width=width, latent=latent, codes=latent, noise=noise)

    def forward(self, rows: Any) -> Any:
        """Return the loss of each row, shape (n_rows, 1)."""
        standard = self.standard(rows)
        rebuilt = self.decoder(self.encoder(self.spoilt(standard)))
        return (rebuilt - standard).square().mean(dim=1, keepdim=True)

    def parts(self, rows: Any) -> Any:
        """Return what is in the middle and what is left over, one after the other."""
        standard = self.standard(rows)
        code = self.encoder(standard)
        return torch.cat([code, standard - self.decoder(code)], dim=1)


class Variational(_Rebuilding):
    """A variational autoencoder with a deviation of its own for what each number leaves over.

    Parameters
    ----------
    n_numbers, width, latent, noise
        See `Plain`.
    draws : int
        Fixed draws of the code behind a likelihood.
    """

    def __init__(
        self, n_numbers: int, *, width: int, latent: int, noise: float, draws: int
    ) -> None:
        super().__init__(n_numbers, width=width, latent=latent, codes=2 * latent, noise=noise)
        self.left = nn.Parameter(torch.zeros(n_numbers))
        half = torch.randn(draws // 2, latent)
        self.register_buffer("draws", torch.cat([half, -half]))

    def encoded(self, standard: Any) -> tuple[Any, Any]:
        """Return mean and log variance of the code."""
        mean, logs = self.encoder(standard).chunk(2, dim=1)
        return mean, logs.clamp(*_INSIDE)

    def missed(self, standard: Any, rebuilt: Any) -> Any:
        """Return minus the log likelihood of rows, given what was rebuilt; over the last axis."""
        logs = self.left.clamp(*_LEFT)
        squared = (standard - rebuilt).square() / logs.exp()
        return 0.5 * (squared + logs + math.log(2 * math.pi)).sum(dim=-1)

    def forward(self, rows: Any) -> Any:
        """Return the loss of each row (minus the lower bound of its likelihood), (n_rows, 1)."""
        standard = self.standard(rows)
        mean, logs = self.encoded(self.spoilt(standard))
        drawn = torch.randn_like(mean) if self.training else torch.zeros_like(mean)
        rebuilt = self.decoder(mean + drawn * (logs / 2).exp())
        lost = self.missed(standard, rebuilt) + _away(mean, logs)
        return lost[:, None] / standard.shape[1]

    def scores(self, rows: Any) -> Any:
        """Return how strange rows are: rebuilt, in the middle, and by likelihood, (n_rows, 3)."""
        standard = self.standard(rows)
        mean, logs = self.encoded(standard)
        rebuilt = self.missed(standard, self.decoder(mean))
        deviation = (logs / 2).exp()
        codes = mean[:, None] + deviation[:, None] * self.draws
        missed = self.missed(standard[:, None], self.decoder(codes))
        prior = -0.5 * codes.square().sum(dim=2)
        chosen = -0.5 * self.draws.square().sum(dim=1) - 0.5 * logs.sum(dim=1)[:, None]
        mass = torch.logsumexp(prior - chosen - missed, dim=1) - math.log(len(self.draws))
        return torch.stack([rebuilt, _away(mean, logs), -mass], dim=1)


def _away(mean: Any, logs: Any) -> Any:
    """Return how far a code is from the standard normal (Kullback-Leibler)."""
    return 0.5 * (mean.square() + logs.exp() - logs - 1).sum(dim=1)
