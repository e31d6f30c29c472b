"""Learning watched: checkpoints, progress and the curve of a network while it learns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from myograph.workflows.outputs import write_bytes
from myograph.workflows.picture import check_picture

if TYPE_CHECKING:
    from myograph.models.training import Progress
    from myograph.workflows.evaluate import Told

__all__ = ["Watching", "watched"]

# Drawing takes a part of a second: not after every epoch of a quick training.
_REDRAW_S = 5.0


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
        Picture of loss and score by epoch, drawn anew while the training goes on.
    force : bool
        Overwrite the picture.
    """

    progress: Told | None = None
    checkpoints: str | PathLike[str] | None = None
    curve: Path | None = None
    force: bool = False

    def __post_init__(self) -> None:
        if self.curve is not None:
            check_picture(self.curve, force=self.force)


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

    with carried_out(checkpoints=watching.checkpoints, progress=told):
        yield


def _draw(path: Path, at: Progress) -> None:
    from myograph.report.training import training_picture

    epochs = at.epoch if at.last else at.epochs
    write_bytes(
        path, training_picture(at.curve, suffix=path.suffix.lower(), epochs=epochs), force=True
    )
