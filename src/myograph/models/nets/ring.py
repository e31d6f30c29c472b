"""A network on the energies of filters that it learns, around a ring of electrodes."""

from __future__ import annotations

from typing import Any

from myograph.core.optional import needs

torch = needs("torch", to="build a network", extra="deep")
nn = torch.nn
Module: Any = nn.Module

__all__ = ["RingNet"]

# Added to energies before their logarithm, as a share of the variance of all training windows:
# about what an 8-bit armband rounds away.
_FLOOR = 0.005
# A channel and the two beside it.
_NEIGHBOURS = 3


class RingNet(Module):
    """Filters over time, mixtures of neighbours, and the logarithm of how strong each is.

    What the filters find is squared and averaged over the window, so that only energies go on, and
    the same weights look at every place of the ring before the places are told apart.

    Parameters
    ----------
    n_channels, n_outputs : int
    filters : int
        Over time, the same for all channels.
    kernel : int
        Their length, in samples; odd.
    width : int
        Mixtures of a channel's filters with those of its neighbours.
    dropout : float
    """

    def __init__(
        self,
        *,
        n_channels: int,
        filters: int,
        kernel: int,
        width: int,
        n_outputs: int,
        dropout: float,
    ) -> None:
        super().__init__()
        seen, inner = filters + width, 3 * width // 2
        self.time = nn.Conv2d(1, filters, (1, kernel), padding=(0, kernel // 2), bias=False)
        self.mixed = nn.Conv2d(filters, width, (_NEIGHBOURS, 1), bias=False)
        self.level = nn.BatchNorm1d(seen)
        self.around = nn.Sequential(
            nn.Conv1d(seen, inner, _NEIGHBOURS), nn.BatchNorm1d(inner), nn.GELU()
        )
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(inner * n_channels, 3 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(3 * width, n_outputs),
        )

    def forward(self, windows: Any) -> Any:
        """Return scores, shape (n_windows, n_outputs)."""
        moving = windows - windows.mean(dim=2, keepdim=True)
        alone = self.time(moving[:, None])
        beside = self.mixed(_closed(alone))
        energies = self.level(torch.cat([_energy(alone), _energy(beside)], dim=1))
        return self.head(self.around(_closed(energies)))


def _closed(rows: Any) -> Any:
    """Return rows with the last channel also before the first, and the first after the last."""
    return torch.cat([rows[:, :, -1:], rows, rows[:, :, :1]], dim=2)


def _energy(found: Any) -> Any:
    return (found.square().mean(dim=3) + _FLOOR).log()
