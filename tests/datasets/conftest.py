"""What the tests of datasets share: archives made here, a server on this machine, real data."""

from __future__ import annotations

import http.server
import io
import os
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test out of the user's cache and mirror."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("MYOGRAPH_CACHE", str(cache))
    monkeypatch.delenv("MYOGRAPH_MIRROR", raising=False)
    return cache


@pytest.fixture(scope="session")
def real(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Mirror of real recordings; its archives are unpacked once for all tests and workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    (shared / "myograph-cache").mkdir(exist_ok=True)
    return mirror


@pytest.fixture
def use_real(
    real: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Point Myograph at the real recordings and at their shared cache."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    monkeypatch.setenv("MYOGRAPH_CACHE", str(shared / "myograph-cache"))
    monkeypatch.setenv("MYOGRAPH_MIRROR", str(real))
    return real


@pytest.fixture
def write_files() -> Callable[[Path, dict[str, str | bytes]], Path]:
    """Write files below a folder from a mapping of names to contents."""

    def write(folder: Path, contents: dict[str, str | bytes]) -> Path:
        for name, content in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return write


@pytest.fixture
def make_tar(tmp_path: Path) -> Callable[..., Path]:
    """Make a tar archive from names and contents, and from whatever members are given."""

    def make(
        files: dict[str, bytes],
        *,
        members: tuple[tarfile.TarInfo, ...] = (),
        name: str = "a.tar.xz",
    ) -> Path:
        path = tmp_path / name
        mode = {"xz": "w:xz", "gz": "w:gz"}[name.rpartition(".")[2]]
        with tarfile.open(path, mode) as tar:
            for member in members:
                tar.addfile(member)
            for entry, content in files.items():
                info = tarfile.TarInfo(entry)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        return path

    return make


@dataclass
class Server:
    """A web server on this machine that can be told to misbehave."""

    url: str = ""
    content: bytes = b""
    etag: str = '"v1"'
    ranges: bool = True
    break_after: int | None = None
    status: int = 200
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve ``server.content`` at ``server.url``."""
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append(wanted)
            first = 0
            fresh = self.headers.get("If-Range") in (None, state.etag)
            if wanted and state.ranges and fresh:
                first = int(wanted.removeprefix("bytes=").rstrip("-"))
            if state.status != 200:
                self.send_error(state.status)
                return
            if first >= len(state.content) > 0:
                self.send_error(416)
                return
            body = state.content[first:]
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(body)))
            if state.etag:
                self.send_header("ETag", state.etag)
            if first:
                span = f"bytes {first}-{len(state.content) - 1}/{len(state.content)}"
                self.send_header("Content-Range", span)
            self.end_headers()
            self.wfile.write(body[: state.break_after])

        def log_message(self, *args: object) -> None:
            del args

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        state.url = f"http://127.0.0.1:{httpd.server_address[1]}/data.tar.gz"
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield state
        httpd.shutdown()
        thread.join()


@pytest.fixture
def write_book() -> Callable[..., Path]:
    """Write a spreadsheet from the XML of its rows."""
    return _write_book


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _write_book(path: Path, sheets: dict[str, str], shared: tuple[str, ...] = ()) -> Path:
    with zipfile.ZipFile(path, "w") as book:
        listed = "".join(f'<sheet name="{name}" r:id="r{i}"/>' for i, name in enumerate(sheets))
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>{listed}</sheets></workbook>',
        )
        targets = "".join(
            f'<Relationship Id="r{i}" Target="worksheets/s{i}.xml"/>' for i in range(len(sheets))
        )
        book.writestr("xl/_rels/workbook.xml.rels", f"<Relationships>{targets}</Relationships>")
        texts = "".join(f"<si><t>{text}</t></si>" for text in shared)
        if shared:
            book.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{texts}</sst>')
        for i, rows in enumerate(sheets.values()):
            body = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
            book.writestr(f"xl/worksheets/s{i}.xml", body)
    return path
