"""Blocks that networks are put together from."""

from __future__ import annotations

from typing import Any

from myograph.core.optional import needs

torch = needs("torch", to="build a network", extra="deep")
nn = torch.nn
Module: Any = nn.Module

__all__ = ["ConvNet1d", "conv_block"]


def conv_block(inputs: int, outputs: int, *, kernel: int, stride: int = 1) -> Any:
    """Return convolution over time, batch normalisation and ELU; the length is kept but for stride.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    kernel, stride : int
        In samples.
    """
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm1d(outputs),
        nn.ELU(),
    )


class ConvNet1d(Module):
    """Blocks of convolutions over time with pooling between, then mean and spread over time.

    Parameters
    ----------
    sizes : sequence of int
        Channels: of the window, then of every block.
    kernels : sequence of int
        Of every block.
    stride : int
        Of the first block.
    n_outputs : int
    dropout : float
    """

    def __init__(
        self,
        sizes: list[int],
        *,
        kernels: list[int],
        stride: int,
        n_outputs: int,
        dropout: float,
    ) -> None:
        super().__init__()
        blocks: list[Any] = []
        for k, kernel in enumerate(kernels):
            step = stride if k == 0 else 1
            blocks.append(conv_block(sizes[k], sizes[k + 1], kernel=kernel, stride=step))
            if k < len(kernels) - 1:
                blocks.append(nn.MaxPool1d(2))
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * sizes[-1], n_outputs)

    @property
    def last_convolution(self) -> Any:
        """The convolution of the last block."""
        return self.blocks[-1][0]

    def forward(self, windows: Any) -> Any:
        """Return scores, shape (n_windows, n_outputs)."""
        found = self.blocks(windows)
        return self.head(self.dropout(mean_and_spread(found)))


def mean_and_spread(found: Any) -> Any:
    """Return mean and standard deviation over the last axis, one after the other."""
    mean = found.mean(dim=-1)
    spread = (found - mean[..., None]).square().mean(dim=-1).add(1e-6).sqrt()
    return torch.cat([mean, spread], dim=-1)
