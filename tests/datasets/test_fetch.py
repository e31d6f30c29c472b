"""Files come from the mirror, from the cache, or, once agreed to, from the source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from myograph.core.errors import DataError, FormatError
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.fetch import cache_folder, fetch, locate

if TYPE_CHECKING:
    from tests.datasets.conftest import Server

Write = Callable[[Path, dict[str, str | bytes]], Path]
Tar = Callable[..., Path]


def card_at(url: str = "", folder: str = "") -> DatasetCard:
    source = Source(
        "someone/toy",
        commit="0123456789abcdef",
        licence="CC0-1.0",
        keep=("*.csv",),
        url=url,
        folder=folder,
    )
    return DatasetCard(
        name="toy",
        title="A toy",
        citation="Someone (2020)",
        people="1",
        tasks="none",
        sources=(source,),
    )


def test_an_unpacked_folder_in_the_mirror_is_used_as_it_is(
    tmp_path: Path, write_files: Write
) -> None:
    write_files(tmp_path / "mirror", {"toy/a.csv": "1"})
    files = fetch(card_at(), mirror=tmp_path / "mirror")
    assert files.root == tmp_path / "mirror" / "toy"
    assert not cache_folder().exists()


def test_an_archive_in_the_mirror_is_unpacked_once(
    tmp_path: Path, make_tar: Tar, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make_tar({"toy/a.csv": b"1"}, name="toy.tar.xz")
    monkeypatch.setenv("MYOGRAPH_MIRROR", str(tmp_path))
    files = fetch(card_at())
    assert "not the one Myograph was tested with" in files.origin
    stamp = files.root.stat().st_mtime_ns
    assert fetch(card_at()).root.stat().st_mtime_ns == stamp
    assert cache_folder() in files.root.parents
    known = replace(card_at(), sha256=files_digest(archive))
    assert "the known one" in fetch(known).origin


def files_digest(archive: Path) -> str:
    from myograph.datasets.files import sha256_of

    return sha256_of(archive)


def test_another_archive_under_the_same_name_is_unpacked_anew(
    tmp_path: Path, make_tar: Tar
) -> None:
    make_tar({"toy/a.csv": b"1"}, name="toy.tar.xz")
    first = fetch(card_at(), mirror=tmp_path).root
    make_tar({"toy/a.csv": b"2"}, name="toy.tar.xz")
    assert fetch(card_at(), mirror=tmp_path).root != first


def test_a_hostile_archive_in_the_mirror_is_refused(tmp_path: Path, make_tar: Tar) -> None:
    make_tar({"../toy/a.csv": b"1"}, name="toy.tar.xz")
    with pytest.raises(FormatError, match="leads out"):
        fetch(card_at(), mirror=tmp_path)


def test_without_agreement_nothing_is_downloaded_and_the_terms_are_told(server: Server) -> None:
    with pytest.raises(DataError, match=r"nobody agreed") as told:
        fetch(card_at(server.url))
    for word in ("CC0-1.0", "Someone (2020)", "someone/toy", "MYOGRAPH_MIRROR", "toy.tar.xz"):
        assert word in str(told.value)
    with pytest.raises(DataError, match="was declined"):
        fetch(card_at(server.url), confirm=lambda card: False)
    assert server.asked == []


def test_a_download_is_asked_for_first_then_kept(server: Server, make_tar: Tar) -> None:
    archive = make_tar({"toy-0123/d/a.csv": b"1,2", "toy-0123/b.py": b"no"}, name="s.tar.gz")
    server.content = archive.read_bytes()
    shown: list[str] = []
    told: list[str] = []

    def agree(card: DatasetCard) -> bool:
        assert server.asked == []
        shown.append(card.terms())
        return True

    card = card_at(server.url)
    files = fetch(card, confirm=agree, progress=lambda stage, done, total: told.append(stage))
    assert (files.root / "toy" / "d" / "a.csv").read_text() == "1,2"
    assert not (files.root / "toy" / "b.py").exists()
    assert "CC0-1.0" in shown[0]
    assert told[0] == "download"
    assert told[-1] == "unpack"
    assert locate(card) == files.root
    assert fetch(card).root == files.root  # from the cache, nobody asked
    assert len(server.asked) == 1
    assert list((cache_folder() / "downloads").iterdir()) == []


def test_several_sources_are_there_when_the_last_is(server: Server, make_tar: Tar) -> None:
    server.content = make_tar({"x/a.csv": b"1"}, name="s.tar.gz").read_bytes()
    one, two = card_at(server.url, "one").sources + card_at(server.url, "two").sources
    both = replace(card_at(), sources=(one, replace(two, repository="someone/other")))
    half = replace(both, sources=(one, replace(two, url="http://127.0.0.1:9/x")))
    with pytest.raises(DataError, match="could not be downloaded"):
        fetch(half, confirm=lambda card: True)
    assert locate(both) is None
    root = fetch(both, confirm=lambda card: True).root
    assert sorted(p.name for p in root.iterdir()) == ["one", "two"]
    assert len(server.asked) == 2  # the first source was not downloaded again


def test_the_cache_is_where_it_is_told_to_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MYOGRAPH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder() == tmp_path / "myograph"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder().parts[-2:] == ("Caches", "myograph")
    monkeypatch.setenv("MYOGRAPH_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
