"""What stands around every network: windows of physical size in, scores of physical size out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.optional import needs

torch = needs("torch", to="build a network", extra="deep")
Module: Any = torch.nn.Module

__all__ = ["Framed"]


class Framed(Module):
    """A network between the statistics of the training windows and those of the target.

    Takes windows in the unit of their channels, and gives scores (logits) of classes, or an
    estimate in the unit of the target.

    Parameters
    ----------
    body : torch.nn.Module
        From standardised windows (n_windows, n_channels, n_samples) to (n_windows, n_outputs). It
        may name its last convolution, ``last_convolution``.
    n_channels : int
    """

    def __init__(self, body: Any, *, n_channels: int) -> None:
        super().__init__()
        self.body = body
        self.register_buffer("centre", torch.zeros(n_channels, 1))
        self.register_buffer("spread", torch.ones(n_channels, 1))
        self.register_buffer("level", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, windows: Any) -> Any:
        """Return scores or estimates, shape (n_windows, n_outputs)."""
        return self.level + self.scale * self.body((windows - self.centre) / self.spread)

    @property
    def last_convolution(self) -> Any:
        """The last convolution over time, or over frequency and time; None where there is none."""
        return getattr(self.body, "last_convolution", None)

    def measure(self, windows: NDArray[np.float32], values: NDArray[Any] | None = None) -> None:
        """Take the statistics of training windows, and of the values to estimate."""
        wide = windows.astype(np.float64)
        centre = wide.mean(axis=(0, 2))
        spread = wide.std(axis=(0, 2))
        self.centre[:, 0] = torch.as_tensor(centre)
        self.spread[:, 0] = torch.as_tensor(_above_zero(spread))
        if values is not None:
            self.level.fill_(float(values.mean(dtype=np.float64)))
            self.scale.fill_(float(_above_zero(values.std(dtype=np.float64))))


def _above_zero(spread: Any) -> Any:
    """Return deviations with 1 for what never changed, or for less than single precision holds."""
    return np.where(spread > np.finfo(np.float32).tiny, spread, 1.0)
