"""A network whose steps look at each other, and whose looks can be seen."""

from __future__ import annotations

import math
from typing import Any

from myograph.core.optional import needs
from myograph.models.nets.blocks import conv_block

torch = needs("torch", to="build a network", extra="deep")
nn = torch.nn
Module: Any = nn.Module

__all__ = ["Transformer"]

# How much wider than a step the inner layer of a block is.
_INNER = 2


class Transformer(Module):
    """Steps by a strided convolution, blocks of attention, and a weighted mean over the steps.

    Parameters
    ----------
    n_channels, width, depth, heads, n_outputs : int
        ``width`` is a multiple of ``heads``.
    first, stride : int
        Of the convolution, in samples.
    n_samples : int
    dropout : float
    """

    def __init__(  # noqa: PLR0913 - sizes, by their names
        self,
        *,
        n_channels: int,
        n_samples: int,
        width: int,
        depth: int,
        heads: int,
        n_outputs: int,
        first: int,
        stride: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.stem = conv_block(n_channels, width, kernel=first, stride=stride)
        n_steps = (n_samples + 2 * (first // 2) - first) // stride + 1
        self.register_buffer("place", _places(n_steps, width), persistent=False)
        self.blocks = nn.ModuleList(
            [_Block(width, heads=heads, dropout=dropout) for _ in range(depth)]
        )
        self.norm = nn.LayerNorm(width)
        self.ask = nn.Linear(width, 1)
        self.head = nn.Linear(width, n_outputs)

    @property
    def last_convolution(self) -> Any:
        """The convolution that makes the steps."""
        return self.stem[0]

    def forward(self, windows: Any) -> Any:
        """Return scores, shape (n_windows, n_outputs)."""
        return self.look(windows)[0]

    def look(self, windows: Any) -> tuple[Any, list[Any], Any]:
        """Return scores, and who looked at whom.

        Returns
        -------
        scores : tensor, shape (n_windows, n_outputs)
        maps : list of tensor, shape (n_windows, n_heads, n_steps, n_steps)
            Of every block: how much each step (row) takes from each (column); rows sum to 1.
        pooling : tensor, shape (n_windows, n_steps)
            How much each step counts in the end; sums to 1. A step begins every ``stride``
            samples.
        """
        found = self.stem(windows).transpose(1, 2) + self.place.to(windows.dtype)
        maps = []
        for block in self.blocks:
            found, seen = block(found)
            maps.append(seen)
        found = self.norm(found)
        pooling = self.ask(found)[..., 0].softmax(dim=1)
        return self.head((pooling[..., None] * found).sum(dim=1)), maps, pooling


class _Block(Module):
    """Attention and a small network for every step, each beside a way around it."""

    def __init__(self, width: int, *, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked, self.mixed = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.inner = nn.Sequential(
            nn.Linear(width, _INNER * width), nn.GELU(), nn.Linear(_INNER * width, width)
        )

    def forward(self, found: Any) -> tuple[Any, Any]:
        count, steps, width = found.shape
        asked = self.asked(self.before(found)).view(count, steps, 3, self.heads, -1)
        query, key, value = asked.permute(2, 0, 3, 1, 4)
        seen = (query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])).softmax(dim=-1)
        taken = (seen @ value).transpose(1, 2).reshape(count, steps, width)
        found = found + self.dropout(self.mixed(taken))
        return found + self.dropout(self.inner(self.between(found))), seen


def _places(n_steps: int, width: int) -> Any:
    """Return what is added to steps to tell where they stand: sines of many periods."""
    moment = torch.arange(n_steps, dtype=torch.float64)[:, None]
    slow = torch.exp(-math.log(10_000.0) * torch.arange(0, width, 2, dtype=torch.float64) / width)
    angle = moment * slow
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)[:, :width]
