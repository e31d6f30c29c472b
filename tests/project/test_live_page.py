"""The page on the live engine says what the results say."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_results_render_to():
    render = runpy.run_path(str(ROOT / "benchmarks/speed/live/render.py"))
    page = render["PAGE"].read_text(encoding="utf-8")
    assert render["rendered"](page) == page, "run benchmarks/speed/live/render.py"
