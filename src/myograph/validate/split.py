"""Split: what every split promises, and the registry of all of them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.core.recipe import canonical_json
from myograph.core.registry import Registry
from myograph.core.windows import WindowIndex
from myograph.validate.fold import Fold
from myograph.validate.manifest import SplitManifest

__all__ = [
    "ACROSS",
    "SPLITS",
    "UNITS",
    "WITHIN",
    "Split",
    "natural_order",
    "need",
    "register_split",
]

#: What names one unit of each kind; a coarser column is part of a finer unit's name.
UNITS = {
    "subject": ("subject",),
    "site": ("site",),
    "session": ("subject", "session"),
    "trial": ("subject", "session", "trial"),
    "recording": ("recording",),
}
#: What scores are about: people never seen, or people the model already knows.
ACROSS, WITHIN = "across people", "within person"


@dataclass(frozen=True, slots=True)
class Split(ABC):
    """What is held out, fold by fold. Subclasses are frozen dataclasses of their parameters."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def scope(self) -> str:
        """What the scores are about: one of `myograph.validate.manifest.SCOPES`."""

    @property
    @abstractmethod
    def by(self) -> tuple[str, ...]:
        """Columns of the index that together name one unit of the split."""

    @abstractmethod
    def _folds(self, index: WindowIndex) -> tuple[Fold, ...]:
        """Return the folds of an index that has windows and names in every column of ``by``."""

    def folds(self, index: WindowIndex) -> tuple[Fold, ...]:
        """Return the folds of ``index``, the same on every call.

        Raises
        ------
        DataError
            If the index is empty, lacks a name that the split groups by, or has too few groups.
        """
        self._check_index(index)
        return self._folds(index)

    def manifest(self, index: WindowIndex) -> SplitManifest:
        """Write down the folds of ``index`` by the names of people, sessions or repetitions."""
        folds = self.folds(index)
        written = SplitManifest.of_folds(
            folds, index, split=self.name, scope=self.scope, by=self.by
        )
        return replace(written, parameters=canonical_json(self.parameters()))

    def parameters(self) -> dict[str, Any]:
        """Return the parameters that rebuild this split."""
        return asdict(self)

    def _check_index(self, index: WindowIndex) -> None:
        if not len(index):
            raise DataError(
                f"There are no windows to split by {self.name!r}; check that the recordings hold "
                "labelled events and are longer than one window."
            )
        for column in set(self.by) - {"window"}:
            unnamed = int((getattr(index, column) == "").sum())
            if unnamed:
                raise DataError(
                    f"{unnamed} of {len(index)} windows have no {column}, which split "
                    f"{self.name!r} holds out by; name the {column} of every recording, or "
                    "choose another split."
                )


#: Every split by name.
SPLITS: Registry[type[Split]] = Registry("split")

S = TypeVar("S", bound=type[Split])


def register_split(name: str) -> Callable[[S], S]:
    """Decorate a split class to name and register it."""

    def decorate(cls: S) -> S:
        cls.name = name
        SPLITS.add(name, cls)
        return cls

    return decorate


def natural_order(names: NDArray[np.str_]) -> tuple[str, ...]:
    """Return each name once, with numbers in them counted: 2 before 10.

    Examples
    --------
    >>> natural_order(np.array(["day10", "day2", "day2"]))
    ('day2', 'day10')
    """

    def key(name: str) -> list[tuple[int, int, str]]:
        parts = re.split(r"(\d+)", name)
        return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts if p]

    return tuple(sorted(np.unique(names).tolist(), key=key))


def need(names: tuple[str, ...], least: int, *, what: str, split: str) -> None:
    """Refuse fewer than ``least`` groups."""
    if len(names) < least:
        raise DataError(
            f"Split {split!r} needs at least {least} {what}; the data have {len(names)}: "
            f"{list(names[:5])}. Ask for fewer folds, add data, or choose another split "
            f"({', '.join(name for name in SPLITS if name != split)})."
        )
