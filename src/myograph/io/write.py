"""Write a recording so that the output is either complete or not there."""

from __future__ import annotations

import os
import tempfile
from os import PathLike
from pathlib import Path

from myograph.core.checks import unknown_name
from myograph.core.errors import DataError, OutputExistsError, ParameterError
from myograph.core.recording import Recording, RecordingSet
from myograph.io.formats import FORMATS, Save, format_for_suffix

__all__ = ["write"]


def write(
    recording: Recording | RecordingSet,
    path: str | PathLike[str],
    *,
    force: bool = False,
    as_format: str = "",
) -> Path:
    """Write a recording; the ending of ``path`` chooses the format.

    Everything is written beside the destination first and moved into place once complete, so a
    failure (a full disk, a crash) leaves no half-written file and an existing one as it was.

    Parameters
    ----------
    recording : Recording or RecordingSet
    path : path
        Where to; its folder must exist.
    force : bool
        Overwrite what is there.
    as_format : str
        Name of the format where the ending alone does not tell (``"mat73"``).

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    OutputExistsError
        If an output exists and ``force`` is not given.
    ParameterError
        If no format writes files with this ending.
    DataError
        If the format cannot hold the recording, or the disk is full.
    """
    target = Path(path)
    save = _saver(target, as_format)
    _refuse_existing([target], force=force)
    if not target.parent.is_dir():
        raise DataError(f"{target.parent} is not a folder; create it before writing {target.name}.")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".myograph-") as folder:
            save(recording, Path(folder) / target.name)
            _move(Path(folder), target, force=force)
    except OSError as error:
        if isinstance(error, OutputExistsError):
            raise
        raise DataError(
            f"{target} could not be written: {error}. Nothing was left behind; "
            "free some space or choose another folder."
        ) from error
    return target


def _saver(target: Path, name: str) -> Save:
    chosen = FORMATS[name] if name else format_for_suffix(target)
    if chosen.save is None:
        known = [entry.name for entry in FORMATS.values() if entry.save]
        raise ParameterError(unknown_name(name, known, what="a format that can be written"))
    return chosen.save


def _refuse_existing(targets: list[Path], *, force: bool) -> None:
    found = [str(target) for target in targets if target.exists()]
    if found and not force:
        raise OutputExistsError(
            f"{', '.join(found)} already exists and is left as it is; write elsewhere, or "
            "overwrite it with force=True (--force)."
        )


def _move(folder: Path, target: Path, *, force: bool) -> None:
    """Move what was written into place, the named file last: it appears when all is there."""
    made = sorted(folder.iterdir(), key=lambda made: made.name == target.name)
    _refuse_existing([target.parent / m.name for m in made], force=force)
    for item in made:
        if item.is_file():
            _flush(item)
    for item in made:
        item.replace(target.parent / item.name)


def _flush(path: Path) -> None:
    """Have the bytes on the disk before the name points to them."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
