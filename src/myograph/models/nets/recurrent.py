"""Networks that go through a window step by step and remember."""

from __future__ import annotations

from typing import Any

from myograph.core.optional import needs
from myograph.models.nets.blocks import conv_block

torch = needs("torch", to="build a network", extra="deep")
nn = torch.nn
Module: Any = nn.Module

__all__ = ["CELLS", "ConvSteps", "FeatureSteps", "Recurrent", "SampleSteps"]

#: Kinds of memory, by name.
CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}

# Amplitudes are told by their logarithm above this share of a channel's deviation.
_FLOOR = 0.01


class Recurrent(Module):
    """Steps of a window, a memory that goes through them, and a layer on what it ends with.

    Parameters
    ----------
    steps : torch.nn.Module
        From windows to (n_windows, n_steps, ``steps.size``).
    cell : str
        One of `CELLS`.
    width, depth, n_outputs : int
        Of the memory, and how many lie on top of each other.
    dropout : float
    """

    def __init__(
        self,
        steps: Any,
        *,
        cell: str,
        width: int,
        depth: int,
        n_outputs: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.steps = steps
        between = dropout if depth > 1 else 0.0
        self.memory = CELLS[cell](steps.size, width, depth, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, n_outputs)

    @property
    def last_convolution(self) -> Any:
        """The convolution that makes the steps; None where there is none."""
        return getattr(self.steps, "last_convolution", None)

    def forward(self, windows: Any) -> Any:
        """Return scores, shape (n_windows, n_outputs)."""
        found = self._remembered(self.steps(windows))
        told = torch.cat([found[:, -1], found.mean(dim=1)], dim=1)
        return self.head(self.dropout(told))

    def _remembered(self, steps: Any) -> Any:
        if steps.is_cuda:
            return self.memory(steps)[0]
        # In half precision, CPUs have memories of some sizes only.
        with torch.autocast(steps.device.type, enabled=False):
            return self.memory(steps.to(self.head.weight.dtype))[0]


class SampleSteps(Module):
    """Equal stretches of samples and of their absolute values, side by side, mixed by one layer.

    What tells of force is how large the samples are, and not their sign; a memory alone would
    have to learn that first.

    Parameters
    ----------
    n_channels, stretch, size : int
        Samples of a step, and numbers that it becomes.
    """

    def __init__(self, *, n_channels: int, stretch: int, size: int) -> None:
        super().__init__()
        self.stretch, self.size = stretch, size
        self.mix = nn.Sequential(nn.Linear(2 * n_channels * stretch, size), nn.ELU())

    def forward(self, windows: Any) -> Any:
        """Return steps, shape (n_windows, n_steps, size)."""
        both = torch.cat([windows, windows.abs()], dim=1)
        pieces = both.unfold(-1, self.stretch, self.stretch)
        return self.mix(pieces.transpose(1, 2).flatten(2))


class ConvSteps(Module):
    """Two strided convolutions.

    Parameters
    ----------
    n_channels, size : int
    first, stride : int
        Of the first convolution, in samples; the second halves the steps.
    """

    def __init__(self, *, n_channels: int, size: int, first: int, stride: int) -> None:
        super().__init__()
        self.size = size
        self.blocks = nn.Sequential(
            conv_block(n_channels, size, kernel=first, stride=stride),
            conv_block(size, size, kernel=5, stride=2),
        )

    @property
    def last_convolution(self) -> Any:
        """The second convolution."""
        return self.blocks[-1][0]

    def forward(self, windows: Any) -> Any:
        """Return steps, shape (n_windows, n_steps, size)."""
        return self.blocks(windows).transpose(1, 2)


class FeatureSteps(Module):
    """Features of stretches that overlap by half: amplitudes as logarithms, and crossings.

    Of every channel: mean absolute value, root mean square, mean absolute slope, root mean square
    of the slope and of the slope's slope, each as a logarithm, and the shares of steps at which
    signal and slope change sign.

    Parameters
    ----------
    n_channels, stretch : int
    """

    PER_CHANNEL = 7

    def __init__(self, *, n_channels: int, stretch: int) -> None:
        super().__init__()
        self.stretch, self.hop = stretch, max(1, stretch // 2)
        self.size = self.PER_CHANNEL * n_channels
        self.level = nn.BatchNorm1d(self.size)

    def forward(self, windows: Any) -> Any:
        """Return steps, shape (n_windows, n_steps, size)."""
        pieces = windows.unfold(-1, self.stretch, self.hop)
        slope = pieces.diff(dim=-1)
        told = [
            *(_log(x.abs().mean(dim=-1)) for x in (pieces, slope)),
            *(_log_rms(x) for x in (pieces, slope, slope.diff(dim=-1))),
            *((x[..., 1:] * x[..., :-1] < 0).to(x.dtype).mean(dim=-1) for x in (pieces, slope)),
        ]
        found = torch.stack(told, dim=1).flatten(1, 2)
        return self.level(found).transpose(1, 2)


def _log(amplitude: Any) -> Any:
    return torch.log(amplitude + _FLOOR)


def _log_rms(signal: Any) -> Any:
    return 0.5 * torch.log(signal.square().mean(dim=-1) + _FLOOR**2)
