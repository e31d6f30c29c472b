"""Writing results: complete or not there, and never overwritten by chance."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from myograph.core.errors import DataError, OutputExistsError

__all__ = [
    "check_folder",
    "check_free",
    "new_folder",
    "read_json",
    "write_bytes",
    "write_json",
    "write_text",
]


def check_free(path: Path, *, force: bool) -> Path:
    """Return ``path`` if it may be written, before any work is done for it."""
    if path.exists() and not force:
        raise OutputExistsError(
            f"{path} already exists and is left as it is; write elsewhere, or overwrite it with "
            "force=True (--force)."
        )
    if not path.absolute().parent.is_dir():
        raise DataError(f"{path.absolute().parent} is not a folder; create it first.")
    return path


def check_folder(target: Path, *, mark: str, force: bool) -> Path:
    """Return ``target`` if a folder of this kind may be written there; see `new_folder`."""
    check_free(target, force=force)
    if target.exists() and not _is_ours(target, mark):
        raise OutputExistsError(
            f"{target} is not a result of Myograph (it holds no {mark}), so it is left as it is "
            "even with --force; write elsewhere."
        )
    return target


def write_text(path: Path, text: str, *, force: bool = False) -> Path:
    """Write ``text`` beside ``path`` and move it into place once complete.

    Raises
    ------
    OutputExistsError
        If the file is there and ``force`` is not given.
    DataError
        If the folder does not exist.
    """
    return write_bytes(path, text.encode("utf-8"), force=force)


def write_bytes(path: Path, content: bytes, *, force: bool = False) -> Path:
    """Write ``content`` beside ``path`` and move it into place once complete; see `write_text`."""
    check_free(path, force=force)
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=".myograph-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        _readable(Path(name), 0o666)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def write_json(path: Path, data: Any, *, force: bool = False) -> Path:
    """Write plain data as JSON, keys sorted: equal content is equal bytes."""
    text = json.dumps(data, indent=1, sort_keys=True, allow_nan=False)
    return write_text(path, text + "\n", force=force)


def read_json(path: Path) -> Any:
    """Read what `write_json` wrote.

    Raises
    ------
    DataError
        If the file is not there or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise DataError(f"{path} is damaged: it is not JSON ({error}).") from error


@contextmanager
def new_folder(target: Path, *, mark: str, force: bool = False) -> Iterator[Path]:
    """Fill a folder that appears under its name only when the block has ended well.

    Parameters
    ----------
    target : Path
    mark : str
        A file that every folder of this kind holds. With ``force`` an existing folder is replaced
        only if it is empty or holds that file: nobody's other work is ever removed.
    force : bool

    Yields
    ------
    Path
        The folder to fill, beside ``target``.
    """
    check_folder(target, mark=mark, force=force)
    made = Path(tempfile.mkdtemp(dir=target.absolute().parent, prefix=".myograph-"))
    try:
        yield made
        _readable(made, 0o777)
        for file in made.rglob("*"):
            _readable(file, 0o777 if file.is_dir() else 0o666)
        if target.exists():
            shutil.rmtree(target)
        made.replace(target)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _readable(path: Path, mode: int) -> None:
    """Give a file the rights that any new file gets: temporary ones are private at first."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(mode & ~mask)


def _is_ours(target: Path, mark: str) -> bool:
    return target.is_dir() and ((target / mark).is_file() or not any(target.iterdir()))
