"""Learning watched: checkpoints, progress and the curve of a network while it learns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from myograph.workflows.outputs import write_bytes, write_text
from myograph.workflows.picture import check_picture

if TYPE_CHECKING:
    from myograph.models.training import Progress
    from myograph.workflows.evaluate import Told

__all__ = ["Watching", "watched"]

# Drawing takes a part of a second: not after every epoch of a quick training.
_REDRAW_S = 5.0
# Beside checkpoints: which pictures were begun by trainings that are kept there.
_PICTURES = "curves.txt"


@dataclass(frozen=True, slots=True)
class Watching:
    """How a training is watched; none of it changes what is learned.

    Parameters
    ----------
    progress : callable, optional
        See `myograph.workflows.evaluate.Told`.
    checkpoints : path, optional
        Folder for the state after every epoch; see `myograph.models.training.carried_out`.
    curve : Path, optional
        Picture of loss and score by epoch, drawn anew while the training goes on. One that a
        training with the same ``checkpoints`` began is gone on with, like the training.
    force : bool
        Overwrite the picture.
    """

    progress: Told | None = None
    checkpoints: str | PathLike[str] | None = None
    curve: Path | None = None
    force: bool = False

    def __post_init__(self) -> None:
        if self.curve is not None:
            check_picture(self.curve, force=self.force or self._begun)

    @property
    def _begun(self) -> bool:
        """Whether a training that was stopped here drew this picture."""
        note = self._note
        if note is None or self.curve is None or not note.is_file():
            return False
        return str(self.curve.resolve()) in note.read_text(encoding="utf-8").splitlines()

    @property
    def _note(self) -> Path | None:
        return None if self.checkpoints is None else Path(self.checkpoints) / _PICTURES

    def note_picture(self) -> None:
        """Write down, beside the checkpoints, that this picture is of a training kept there."""
        note = self._note
        if note is None or self.curve is None or self._begun:
            return
        before = note.read_text(encoding="utf-8") if note.is_file() else ""
        note.parent.mkdir(parents=True, exist_ok=True)
        write_text(note, f"{before}{self.curve.resolve()}\n", force=True)


@contextmanager
def watched(watching: Watching) -> Iterator[None]:
    """Watch every training inside the block."""
    from myograph.models.training import carried_out

    drawn_s = 0.0

    def told(at: Progress) -> None:
        nonlocal drawn_s
        if watching.progress is not None:
            watching.progress("training", at.epoch, at.epochs, at.told)
        late = time.monotonic() - drawn_s > _REDRAW_S
        if watching.curve is not None and (late or at.last):
            _draw(watching.curve, at)
            drawn_s = time.monotonic()

    watching.note_picture()
    with carried_out(checkpoints=watching.checkpoints, progress=told):
        yield


def _draw(path: Path, at: Progress) -> None:
    from myograph.report.training import training_picture

    epochs = at.epoch if at.last else at.epochs
    write_bytes(
        path, training_picture(at.curve, suffix=path.suffix.lower(), epochs=epochs), force=True
    )
