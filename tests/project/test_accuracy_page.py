"""The page on accuracy says what the results say."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_results_render_to():
    render = runpy.run_path(str(ROOT / "benchmarks/science/render_accuracy.py"))
    page = render["PAGE"].read_text(encoding="utf-8")
    assert render["rendered"](page) == page, "run benchmarks/science/render_accuracy.py"
