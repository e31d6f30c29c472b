"""The catalogue of datasets: what there is, what is on this machine, and getting one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from myograph.datasets.card import DatasetCard

__all__ = ["Listed", "get_dataset", "list_datasets"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A dataset, and whether it can be loaded here without a download."""

    card: DatasetCard
    available: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {**self.card.to_dict(), "available": self.available}


def list_datasets() -> tuple[Listed, ...]:
    """Return every dataset of the catalogue."""
    from myograph import datasets

    return tuple(Listed(card, datasets.available(card.name)) for card in datasets.catalogue())


def get_dataset(
    name: str,
    *,
    confirm: Callable[[DatasetCard], bool],
    progress: Callable[[str, int, int | None], None] | None = None,
) -> tuple[DatasetCard, Path]:
    """Bring a dataset onto this machine, and return its card and folder.

    Parameters
    ----------
    name : str
    confirm : callable
        Shown the card before anything is downloaded; nothing is unless it returns True.
    progress : callable, optional
        Told what is done ("download", "unpack"), the bytes so far and in all, if known.
    """
    from myograph import datasets

    files = datasets.get(name, confirm=confirm, progress=progress)
    return datasets.DATASETS[name.partition("/")[0]], files.root
