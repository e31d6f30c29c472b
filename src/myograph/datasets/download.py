"""Download one file: resumable, never half a file under the final name."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from myograph.core.errors import DataError, ParameterError
from myograph.datasets.archive import Progress
from myograph.datasets.files import sha256_of

__all__ = ["download"]

_CHUNK_BYTES = 1 << 18
_TIMEOUT_S = 30.0
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


def download(url: str, target: Path, *, sha256: str = "", progress: Progress | None = None) -> Path:
    """Download ``url`` to ``target``; what an interrupted call left is continued.

    The bytes go to ``target`` + ``.part`` and get the final name when they are all there. A server
    that cannot continue, or whose file has changed since, is asked for all of it again.

    Parameters
    ----------
    url : str
        ``https``, or ``http`` on this machine.
    target : Path
        Where the file goes.
    sha256 : str
        Expected digest, when it is known.
    progress : callable, optional
        Told "download", the bytes so far and in all (None when the server does not say).

    Raises
    ------
    DataError
        If the server cannot be reached, refuses, breaks off, or sends other bytes than expected.
    """
    _check_address(url)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    try:
        total = _receive(url, part, progress)
    except HTTPError as error:
        raise DataError(f"{url}: the server answered {error.code} {error.reason}.") from error
    except (URLError, OSError, http.client.HTTPException) as error:
        raise DataError(
            f"{url} could not be downloaded: {error}. What has arrived is kept; run it again to "
            "continue."
        ) from error
    size = part.stat().st_size
    if total is not None and size != total:
        raise DataError(
            f"{url}: the connection ended after {size} of {total} bytes. They are kept; run it "
            "again to continue."
        )
    _check_digest(part, url, sha256)
    part.replace(target)
    _tag(part).unlink(missing_ok=True)
    return target


def _check_address(url: str) -> None:
    address = urlsplit(url)
    if address.scheme == "https" or (address.scheme == "http" and address.hostname in _LOCAL):
        return
    raise ParameterError(f"Downloads use https; got {url!r}.")


def _receive(url: str, part: Path, progress: Progress | None) -> int | None:
    """Append to ``part`` what is missing; return the length of the whole file, if it is known."""
    have = part.stat().st_size if part.exists() and _tag(part).exists() else 0
    headers = {"User-Agent": "myograph", "Accept-Encoding": "identity"}
    if have:
        # If-Range: continue only if it is still the file of which we have the beginning.
        headers |= {"Range": f"bytes={have}-", "If-Range": _tag(part).read_text("utf-8")}
    request = Request(url, headers=headers)  # noqa: S310 (the scheme was checked)
    try:
        answer = urlopen(request, timeout=_TIMEOUT_S)  # noqa: S310 (the same)
    except HTTPError as error:
        if error.code != 416 or not have:
            raise
        part.unlink()  # the server has nothing beyond what we have: begin again
        return _receive(url, part, progress)
    with answer:
        resumed = answer.status == 206 and _starts_at(answer, have)
        _remember(part, answer)
        length = answer.headers.get("Content-Length")
        done = have if resumed else 0
        total = done + int(length) if length is not None else None
        with part.open("ab" if resumed else "wb") as file:
            _copy(answer, file, done=done, total=total, progress=progress)
    return total


def _starts_at(answer: http.client.HTTPResponse, first: int) -> bool:
    return str(answer.headers.get("Content-Range", "")).startswith(f"bytes {first}-")


def _copy(
    answer: http.client.HTTPResponse,
    file: IO[bytes],
    *,
    done: int,
    total: int | None,
    progress: Progress | None,
) -> None:
    while chunk := answer.read(_CHUNK_BYTES):
        file.write(chunk)
        done += len(chunk)
        if progress is not None:
            progress("download", done, total)


def _tag(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _remember(part: Path, answer: http.client.HTTPResponse) -> None:
    """Keep the version of the file; without one a later call begins again."""
    version = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
    if version:
        _tag(part).write_text(version, encoding="utf-8")
    else:
        _tag(part).unlink(missing_ok=True)


def _check_digest(part: Path, url: str, expected: str) -> None:
    if not expected:
        return
    digest = sha256_of(part)
    if digest != expected:
        part.unlink()
        raise DataError(
            f"{url} is not the file that was expected: its sha256 is {digest}, not {expected}. "
            "It was removed; if it happens again, the source has changed."
        )
