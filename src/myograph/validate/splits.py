"""Splits: which people, sessions or repetitions are held out. A split is data.

Every split is a frozen dataclass of its parameters, seed included, so the same split gives the
same folds on every call. ``scope`` says what its scores are about: people never seen, or people
the model already knows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from myograph.core.checks import unknown_name
from myograph.core.errors import ParameterError
from myograph.core.windows import WindowIndex
from myograph.validate.across import GroupKFold, HoldOut, LeaveOneSubjectOut, LeaveSiteOut
from myograph.validate.fold import Fold
from myograph.validate.manifest import SplitManifest
from myograph.validate.split import SPLITS, Split, natural_order
from myograph.validate.within import Repetition, Session, Time

__all__ = [
    "SPLITS",
    "GroupKFold",
    "HoldOut",
    "LeaveOneSubjectOut",
    "LeaveSiteOut",
    "Repetition",
    "SavedSplit",
    "Session",
    "Split",
    "Time",
    "make_split",
    "natural_order",
]


@dataclass(frozen=True, slots=True)
class SavedSplit(Split):
    """A split read from the manifest at ``path``; an altered one is refused."""

    path: str
    saved: SplitManifest = field(init=False, repr=False)

    name = "saved"

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", str(self.path))
        object.__setattr__(self, "saved", SplitManifest.load(self.path))

    @property
    def scope(self) -> str:
        """What the manifest says."""
        return self.saved.scope

    @property
    def by(self) -> tuple[str, ...]:
        """What the manifest says."""
        return self.saved.by

    def parameters(self) -> dict[str, Any]:
        """Return the digest: it, not the place of the file, identifies the split."""
        return {"sha256": self.saved.digest()}

    def manifest(self, index: WindowIndex) -> SplitManifest:
        """Return the saved manifest, checked to fit ``index``."""
        self.folds(index)
        return self.saved

    def _folds(self, index: WindowIndex) -> tuple[Fold, ...]:
        return self.saved.rows(index)


def make_split(name: str, **parameters: Any) -> Split:
    """Build the split called ``name``, or the one saved in the file ``name``.

    Raises
    ------
    ParameterError
        If the split or a parameter is unknown, or a value breaks its rule.

    Examples
    --------
    >>> make_split("group-k-fold", n_folds=4).scope
    'across people'
    """
    if name not in SPLITS and (name.endswith(".json") or Path(name).is_file()):
        return _saved_split(name, parameters)
    if name not in SPLITS:
        raise ParameterError(
            unknown_name(name, SPLITS, what="split") + " A saved split is named by its .json file."
        )
    cls = SPLITS[name]
    known = [f.name for f in fields(cls)]
    for given in parameters:
        if given not in known:
            raise ParameterError(unknown_name(given, known, what=f"parameter of split {name!r}"))
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in parameters.items()}
    return cls(**values)


def _saved_split(path: str, parameters: dict[str, Any]) -> Split:
    if parameters:
        raise ParameterError(
            f"The split saved in {path} is complete and takes no parameters; got {parameters}."
        )
    return SavedSplit(path)
