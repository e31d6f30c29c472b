"""A download continues where it stopped and never leaves half a file under the final name."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.datasets.download import download

if TYPE_CHECKING:
    from tests.datasets.conftest import Server

CONTENT = hashlib.shake_256(b"content").digest(1_000_000)


def test_a_file_arrives_with_progress(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT
    told: list[tuple[str, int, int | None]] = []
    target = download(
        server.url,
        tmp_path / "deep" / "file",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        progress=lambda *now: told.append(now),
    )
    assert target.read_bytes() == CONTENT
    assert told[-1] == ("download", len(CONTENT), len(CONTENT))
    assert [now[1] for now in told] == sorted({now[1] for now in told})
    assert [p.name for p in target.parent.iterdir()] == ["file"]


def test_a_broken_connection_is_continued(server: Server, tmp_path: Path) -> None:
    server.content, server.break_after = CONTENT, 300_000
    with pytest.raises(DataError, match="run it again to continue"):
        download(server.url, tmp_path / "file")
    assert not (tmp_path / "file").exists()
    kept = (tmp_path / "file.part").stat().st_size
    assert 0 < kept <= 300_000
    server.break_after = None
    assert download(server.url, tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={kept}-"]


def test_a_file_that_changed_meanwhile_is_taken_whole(server: Server, tmp_path: Path) -> None:
    server.content, server.break_after = CONTENT, 300_000
    with pytest.raises(DataError, match="run it again"):
        download(server.url, tmp_path / "file")
    server.content, server.etag, server.break_after = CONTENT[::-1], '"v2"', None
    assert download(server.url, tmp_path / "file").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("etag", ['"v1"', ""])
def test_a_server_that_cannot_continue_sends_all_again(
    server: Server, tmp_path: Path, etag: str
) -> None:
    server.content, server.break_after, server.ranges, server.etag = CONTENT, 300_000, False, etag
    with pytest.raises(DataError, match="run it again"):
        download(server.url, tmp_path / "file")
    server.break_after = None
    assert download(server.url, tmp_path / "file").read_bytes() == CONTENT


def test_a_part_that_is_longer_than_the_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(b"x" * 50)
    (tmp_path / "file.part.etag").write_text('"v1"')
    server.content = CONTENT[:20]
    assert download(server.url, tmp_path / "file").read_bytes() == CONTENT[:20]


def test_other_bytes_than_expected_are_refused_and_removed(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT
    with pytest.raises(DataError, match="is not the file that was expected"):
        download(server.url, tmp_path / "file", sha256="0" * 64)
    assert list(tmp_path.glob("file")) == []
    assert list(tmp_path.glob("file.part")) == []


def test_what_the_server_answers_is_passed_on(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(DataError, match="answered 404"):
        download(server.url, tmp_path / "file")


def test_no_server_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="could not be downloaded"):
        download("http://127.0.0.1:9/x", tmp_path / "file")


@pytest.mark.parametrize("url", ["http://example.org/x", "file:///etc/passwd", "ftp://h/x", "x"])
def test_only_https_leaves_this_machine(url: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="Downloads use https"):
        download(url, tmp_path / "file")
