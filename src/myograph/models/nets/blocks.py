"""Blocks that networks are put together from."""

from __future__ import annotations

from typing import Any

from myograph.core.optional import needs

torch = needs("torch", to="build a network", extra="deep")
nn = torch.nn
Module: Any = nn.Module

__all__ = ["ConvNet1d", "Separable", "TemporalNet", "conv_block", "mean_and_spread"]


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


class TemporalNet(Module):
    """A strided convolution, then residual blocks of causal convolutions, ever more dilated.

    Parameters
    ----------
    n_channels, width, depth, n_outputs : int
        The dilation doubles in each of ``depth`` blocks.
    first, stride, kernel : int
        Kernel and stride of the first convolution; kernel of the others, in its steps.
    dropout : float
    """

    def __init__(  # noqa: PLR0913 - sizes, by their names
        self,
        *,
        n_channels: int,
        width: int,
        depth: int,
        n_outputs: int,
        first: int,
        stride: int,
        kernel: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.stem = conv_block(n_channels, width, kernel=first, stride=stride)
        self.blocks = nn.ModuleList(
            [_Causal(width, kernel=kernel, dilation=2**k, dropout=dropout) for k in range(depth)]
        )
        self.head = nn.Linear(2 * width, n_outputs)

    @property
    def last_convolution(self) -> Any:
        """The second convolution of the last block."""
        return self.blocks[-1].second[0]

    def forward(self, windows: Any) -> Any:
        """Return scores, shape (n_windows, n_outputs)."""
        found = self.stem(windows)
        for block in self.blocks:
            found = block(found)
        return self.head(mean_and_spread(found))


class _Causal(Module):
    """Two dilated convolutions that see the past only, beside a way around them."""

    def __init__(self, width: int, *, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.past = nn.ConstantPad1d(((kernel - 1) * dilation, 0), 0.0)
        self.dropout = nn.Dropout(dropout)

        def convolution() -> Any:
            return nn.Sequential(
                nn.Conv1d(width, width, kernel, dilation=dilation, bias=False),
                nn.BatchNorm1d(width),
                nn.ELU(),
            )

        self.first, self.second = convolution(), convolution()

    def forward(self, found: Any) -> Any:
        inside = self.first(self.past(found))
        return found + self.dropout(self.second(self.past(inside)))


class Separable(Module):
    """Filters of single channels, then mixtures of them: few weights, for small devices.

    Parameters
    ----------
    n_channels, width, depth, n_outputs : int
    filters : int
        Filters of each channel, in the first layer.
    first, stride, kernel : int
        Kernel and stride of the first layer; kernel of the others, in its steps.
    dropout : float
    """

    def __init__(  # noqa: PLR0913 - sizes, by their names
        self,
        *,
        n_channels: int,
        width: int,
        depth: int,
        n_outputs: int,
        filters: int,
        first: int,
        stride: int,
        kernel: int,
        dropout: float,
    ) -> None:
        super().__init__()
        inputs, blocks = n_channels, []
        for k in range(depth):
            inside = inputs * (filters if k == 0 else 1)
            size, step = (first, stride) if k == 0 else (kernel, 2)
            blocks.append(
                nn.Sequential(
                    nn.Conv1d(
                        inputs,
                        inside,
                        size,
                        stride=step,
                        padding=size // 2,
                        groups=inputs,
                        bias=False,
                    ),
                    nn.BatchNorm1d(inside),
                    nn.ReLU(),
                    nn.Conv1d(inside, width, 1, bias=False),
                    nn.BatchNorm1d(width),
                    nn.ReLU(),
                )
            )
            inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, n_outputs)

    @property
    def last_convolution(self) -> Any:
        """The mixture of the last block."""
        return self.blocks[-1][3]

    def forward(self, windows: Any) -> Any:
        """Return scores, shape (n_windows, n_outputs)."""
        return self.head(self.dropout(self.blocks(windows).mean(dim=-1)))


def mean_and_spread(found: Any) -> Any:
    """Return mean and standard deviation over the last axis, one after the other."""
    mean = found.mean(dim=-1)
    spread = (found - mean[..., None]).square().mean(dim=-1).add(1e-6).sqrt()
    return torch.cat([mean, spread], dim=-1)
