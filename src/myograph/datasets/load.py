"""Load a dataset by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from myograph.core.errors import ParameterError
from myograph.datasets.archive import Progress
from myograph.datasets.card import DatasetCard
from myograph.datasets.catalogue import DATASETS, READERS
from myograph.datasets.dataset import Dataset
from myograph.datasets.fetch import Confirm, fetch, locate
from myograph.datasets.files import Files
from myograph.datasets.simulated import COHORT, simulate

__all__ = ["available", "get", "load"]


def load(
    name: str,
    *,
    people: Sequence[str] | None = None,
    mirror: Path | str | None = None,
    seed: int = 0,
) -> Dataset:
    """Return a dataset; its recordings are read when they are asked for.

    Nothing is downloaded: a dataset that is neither in a mirror nor in the cache is refused with
    its licence, its citation and the way to get it.

    Parameters
    ----------
    name : str
        A name of the catalogue, or ``"name/part"`` for one part of a dataset that has several.
    people : sequence of str, optional
        Only these people.
    mirror : path, optional
        Folder with archives; else the environment variable ``MYOGRAPH_MIRROR``.
    seed : int
        Of the simulated cohort; real data have none.

    Raises
    ------
    ParameterError
        If there is no such dataset, part or person.
    DataError
        If its files are not on this machine, or not what they should be.

    Examples
    --------
    >>> load("simulated", people=["sim-03"])
    <Dataset 'simulated': 8 recordings of 1 people, 0 things dropped>
    """
    card, part = _card_and_part(name)
    if card.simulated:
        dataset = simulate(replace(COHORT, seed=seed))
    else:
        files = fetch(card, mirror=mirror)
        dataset = Dataset(card, READERS[card.name](files), files.origin)
    if part:
        dataset = dataset.only(part)
    return dataset if people is None else dataset.of(people)


def get(
    name: str,
    *,
    mirror: Path | str | None = None,
    confirm: Confirm | None = None,
    progress: Progress | None = None,
) -> Files:
    """Make sure that a dataset's files are on this machine, and return them.

    Parameters
    ----------
    name : str
        A name of the catalogue.
    mirror : path, optional
        Folder with archives; else the environment variable ``MYOGRAPH_MIRROR``.
    confirm : callable, optional
        Shown the card before anything is downloaded; nothing is unless it returns True.
    progress : callable, optional
        Told what is done ("download", "unpack"), the bytes so far and in all.

    Raises
    ------
    ParameterError
        If there is no such dataset, or it is simulated and has no files.
    DataError
        If a download is needed and not agreed to, or fails.
    """
    card, _ = _card_and_part(name)
    if card.simulated:
        raise ParameterError(f"{card.name!r} is simulated: there are no files to get; load it.")
    return fetch(card, mirror=mirror, confirm=confirm, progress=progress)


def available(name: str, *, mirror: Path | str | None = None) -> bool:
    """Say whether a dataset can be loaded here without a download."""
    card, _ = _card_and_part(name)
    return card.simulated or locate(card, mirror=mirror) is not None


def _card_and_part(name: str) -> tuple[DatasetCard, str]:
    known, _, part = name.partition("/")
    return DATASETS[known], part
