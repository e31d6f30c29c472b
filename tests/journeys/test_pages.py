"""The commands in the documentation print what the pages show.

Set MYOGRAPH_UPDATE_PAGES to write what they print now into the pages.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from myograph import datasets, write
from myograph.cli.main import main

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "command-line.md"
README = ROOT / "README.md"
BLOCK = re.compile(r"(?<=^```console\n)(\$ myograph .*?)(?=^```$)", re.DOTALL | re.MULTILINE)
ELIDED = "..."
VERBS = {
    *("info", "quality", "features", "convert", "datasets"),
    *("evaluate", "train", "predict", "report"),
}


def _run(command: str, capfd: pytest.CaptureFixture[str]) -> str:
    capfd.readouterr()
    main(shlex.split(command.removeprefix("$ myograph ")))
    out, err = capfd.readouterr()
    return out + err


def _timeless(text: str) -> str:
    return re.sub(r"^took.*$", "took ...", text, flags=re.MULTILINE).strip("\n")


def _shown(block: str) -> list[tuple[str, str]]:
    """Part a block into commands and what is shown below each."""
    parts = re.split(r"^(\$ myograph (?:.*\\\n)*.*)\n", block, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def _agree(shown: str, said: str) -> bool:
    """Compare what a page shows with what was said; ``...`` stands for any lines."""
    pieces = [re.escape(piece.strip("\n")) for piece in _timeless(shown).split(f"\n{ELIDED}\n")]
    return re.fullmatch(r".*".join(pieces), _timeless(said), flags=re.DOTALL) is not None


def _check(page: Path, capfd: pytest.CaptureFixture[str], wanted: Callable[[str], bool]) -> None:
    text = page.read_text(encoding="utf-8")
    shown_verbs = set(re.findall(r"^\$ myograph (\w+)", text, flags=re.MULTILINE))
    assert shown_verbs >= VERBS, "every verb is shown"
    update = bool(os.environ.get("MYOGRAPH_UPDATE_PAGES"))
    for block in BLOCK.findall(text):
        now = ""
        for command, shown in _shown(block):
            keep = shown
            if wanted(command):
                said = _run(command.replace("\\\n", " "), capfd)
                agreed = bool(shown.strip()) and _agree(shown, said)
                assert agreed or update, f"{command} printed:\n{said}"
                keep = shown if agreed else said.strip("\n") + "\n"
            now += f"{command}\n{keep}"
        text = text.replace(block, now)
    if update:
        page.write_text(text, encoding="utf-8")


@pytest.fixture
def _desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder with one recording, and a terminal of a known width."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")  # starting processes would take the longest
    monkeypatch.setenv("MYOGRAPH_CACHE", str(tmp_path / ".cache"))
    write(datasets.load("simulated", people=["sim-01"]).recordings[0], tmp_path / "forearm.edf")


@pytest.mark.usefixtures("_desk")
def test_the_page_of_the_command_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MYOGRAPH_MIRROR", raising=False)
    _check(PAGE, capfd, lambda command: True)


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("_desk")
def test_the_readme(
    mirror: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYOGRAPH_MIRROR", str(mirror))
    _check(README, capfd, lambda command: "demo" not in command)
