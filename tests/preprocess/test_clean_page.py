"""The page on cleaning prints what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import myograph.preprocess  # noqa: F401 - registers the steps
from myograph.core.step import STEPS

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "clean-a-recording.md"


def test_the_code_of_the_page_prints_what_stands_below_it(capsys):
    text = PAGE.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    shown = "".join(re.findall(r"^```text\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    exec(compile(code, PAGE.name, "exec"), {})  # noqa: S102 - the page's own code
    assert capsys.readouterr().out == shown


def test_every_step_that_the_page_names_exists():
    table = PAGE.read_text(encoding="utf-8").split("| what disturbs")[1].split("\n\n")[0]
    named = re.findall(r"`([a-z-]+)`", table)
    assert len(named) > 8
    assert not [name for name in named if name not in STEPS]
