"""A network that sees how strongly channels act together, band by band."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.optional import needs

torch = needs("torch", to="build a network", extra="deep")
nn = torch.nn
Module: Any = nn.Module
Function: Any = torch.autograd.Function

__all__ = ["CovarianceNet"]

# Added to the power of every channel, as a share of what it is on average and of what it was while
# learning: so that silence, or one channel that repeats another, has a logarithm.
_FLOOR = 1e-3
# Eigenvalues nearer than this share of their sum are taken to be near.
_NEAR = 1e-2


class CovarianceNet(Module):
    """Filters shared by all channels, the logarithms of their covariances, layers on top.

    Parameters
    ----------
    filters : ndarray, shape (n_bands, n_taps)
        Where the filters begin; they learn too.
    n_channels, width, depth, n_outputs : int
        ``width`` of ``depth`` hidden layers.
    dropout : float
    """

    def __init__(
        self,
        filters: NDArray[np.float64],
        *,
        n_channels: int,
        width: int,
        depth: int,
        n_outputs: int,
        dropout: float,
    ) -> None:
        super().__init__()
        n_bands, taps = filters.shape
        self.filters = nn.Conv1d(1, n_bands, taps, bias=False)
        self.filters.weight.data.copy_(torch.tensor(filters[:, None].astype(np.float32)))
        rows, columns = np.triu_indices(n_channels)
        self.register_buffer("rows", torch.tensor(rows), persistent=False)
        self.register_buffer("columns", torch.tensor(columns), persistent=False)
        size = n_bands * len(rows)
        layers: list[Any] = [nn.BatchNorm1d(size)]
        for _ in range(depth):
            layers += [nn.Dropout(dropout), nn.Linear(size, width), nn.BatchNorm1d(width), nn.ELU()]
            size = width
        self.layers = nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(size, n_outputs))

    def forward(self, windows: Any) -> Any:
        """Return scores, shape (n_windows, n_outputs)."""
        # Half precision is too coarse for covariances, and has no eigenvalues at all.
        with torch.autocast(windows.device.type, enabled=False):
            logarithm = self._logarithm(windows)
        return self.layers(logarithm[..., self.rows, self.columns].flatten(1))

    def _logarithm(self, windows: Any) -> Any:
        count, channels, length = windows.shape
        found = self.filters(windows.reshape(count * channels, 1, length))
        found = found.view(count, channels, *found.shape[1:]).transpose(1, 2)
        covariance = found @ found.transpose(-1, -2) / found.shape[-1]
        own = covariance.detach().diagonal(dim1=-2, dim2=-1).mean(dim=-1)[..., None, None]
        floor = torch.eye(channels, dtype=windows.dtype, device=windows.device)
        return _Logarithm.apply(covariance + _FLOOR * (1 + own) * floor)


class _Logarithm(Function):
    """The logarithm of positive definite matrices, with a gradient at equal eigenvalues too."""

    @staticmethod
    def forward(ctx: Any, matrices: Any) -> Any:
        values, vectors = torch.linalg.eigh(matrices)
        values = values.clamp_min(torch.finfo(values.dtype).tiny)
        ctx.save_for_backward(values, vectors)
        return (vectors * values.log()[..., None, :]) @ vectors.transpose(-1, -2)

    @staticmethod
    def backward(ctx: Any, given: Any) -> Any:
        values, vectors = ctx.saved_tensors
        one, two = values[..., :, None], values[..., None, :]
        # Differences of logarithms over differences; near each other, a series in their ratio.
        apart, ratio = one - two, (one - two) / (one + two)
        near = ratio.abs() < _NEAR
        slope = (one.log() - two.log()) / torch.where(near, torch.ones_like(apart), apart)
        slope = torch.where(near, 2 * (1 + ratio**2 / 3) / (one + two), slope)
        inside = vectors.transpose(-1, -2) @ given @ vectors
        return vectors @ (inside * slope) @ vectors.transpose(-1, -2)
