"""Find a dataset's files, in a mirror or in the cache, or download them once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from myograph.core.errors import DataError
from myograph.datasets.archive import Progress, unpack
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.download import download
from myograph.datasets.files import Files, sha256_of

__all__ = ["CACHE", "MIRROR", "Confirm", "cache_folder", "fetch", "locate"]

#: Folder with archives (or unpacked folders) of datasets: nothing is downloaded when it has one.
MIRROR = "MYOGRAPH_MIRROR"
#: Folder to keep downloads and unpacked files in, instead of the platform's.
CACHE = "MYOGRAPH_CACHE"

#: Shown the card before a download; says whether to go on.
Confirm = Callable[[DatasetCard], bool]


def cache_folder() -> Path:
    """Return the folder for downloads and unpacked files; it may not exist yet."""
    if given := os.environ.get(CACHE):
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "myograph"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "myograph" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "myograph"


def locate(card: DatasetCard, *, mirror: Path | str | None = None) -> Path | None:
    """Return where a dataset's files are on this machine: an archive or a folder; or None.

    A mirror is looked into first (the argument, then the environment variable `MIRROR`), then the
    cache. A mirror holds ``NAME.tar.xz``, or an unpacked folder ``NAME``.
    """
    given = mirror or os.environ.get(MIRROR)
    if given:
        for place in (Path(given) / card.name, Path(given) / card.archive):
            if place.exists():
                return place
    complete = card.sources and all(_source_folder(card, s).is_dir() for s in card.sources)
    return _downloaded(card) if complete else None


def fetch(
    card: DatasetCard,
    *,
    mirror: Path | str | None = None,
    confirm: Confirm | None = None,
    progress: Progress | None = None,
) -> Files:
    """Return a dataset's unpacked files, downloading them if they are nowhere on this machine.

    Parameters
    ----------
    card : DatasetCard
        Which dataset.
    mirror : path, optional
        Folder to look into first; else the environment variable ``MYOGRAPH_MIRROR``.
    confirm : callable, optional
        Shown the card, with licence and citation, before anything is downloaded; nothing is
        unless it returns True.
    progress : callable, optional
        Told what is done ("download", "unpack"), the bytes so far and in all.

    Raises
    ------
    DataError
        If the files are not here and a download was not agreed to, or failed.
    FormatError
        If an archive is damaged or holds dangerous paths.
    """
    place = locate(card, mirror=mirror)
    if place is None:
        _agree(card, confirm)
        for source in card.sources:
            _download_source(card, source, progress)
        place = _downloaded(card)
    if place.is_dir():
        return Files(place, origin=f"folder {place}")
    return _unpacked(card, place, progress)


def _agree(card: DatasetCard, confirm: Confirm | None) -> None:
    if confirm is not None and confirm(card):
        return
    said = "the download was declined" if confirm is not None else "nobody agreed to a download"
    raise DataError(
        f"Dataset {card.name!r} is not on this machine and {said}. Its terms:\n{card.terms()}\n"
        f"Get it with: myograph datasets get {card.name}. Or name a folder that holds "
        f"{card.archive} in the environment variable {MIRROR}."
    )


def _downloaded(card: DatasetCard) -> Path:
    commits = "-".join(source.commit[:8] for source in card.sources)
    return cache_folder() / "sources" / f"{card.name}-{commits}"


def _source_folder(card: DatasetCard, source: Source) -> Path:
    return _downloaded(card) / (source.folder or source.repository.rpartition("/")[2])


def _download_source(card: DatasetCard, source: Source, progress: Progress | None) -> None:
    folder = _source_folder(card, source)
    if folder.is_dir():
        return
    name = f"{source.repository.replace('/', '--')}-{source.commit[:12]}.tar.gz"
    archive = cache_folder() / "downloads" / name
    if not archive.exists():
        download(source.tarball, archive, progress=progress)
    # GitHub puts everything into one folder named after the commit.
    unpack(archive, folder, keep=source.keep, strip=1, progress=progress)
    archive.unlink()


def _unpacked(card: DatasetCard, archive: Path, progress: Progress | None) -> Files:
    digest = sha256_of(archive)
    folder = cache_folder() / "unpacked" / f"{card.name}-{digest[:16]}"
    if not folder.is_dir():
        unpack(archive, folder, progress=progress)
    known = "the known one" if digest == card.sha256 else "not the one Myograph was tested with"
    return Files(folder, origin=f"archive {archive.name} (sha256 {digest[:16]}, {known})")
