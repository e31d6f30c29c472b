"""Every Python example of the documentation runs, and prints what the page shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MARK = "-- end of block --"


def pages() -> list[Path]:
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if "```python\n" in page.read_text(encoding="utf-8")]


def examples(page: Path) -> list[tuple[str, str]]:
    """Python blocks, each with the ``text`` block that follows it directly, if one does."""
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    following = [*blocks[1:], ("", "")]
    return [
        (code, shown if kind == "text" else "")
        for (language, code), (kind, shown) in zip(blocks, following, strict=True)
        if language == "python"
    ]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_examples_run(page, tmp_path):
    found = examples(page)
    script = f"\nprint({MARK!r})\n".join(code for code, _ in found)
    path = tmp_path / "page.py"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, f"{page.name}:\n{done.stderr}"
    printed = done.stdout.split(f"{MARK}\n")
    for (_, shown), said in zip(found, printed, strict=True):
        if shown:
            assert said.strip() == shown.strip()
