"""The page on speed says what the results say."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_results_render_to():
    render = runpy.run_path(str(ROOT / "benchmarks/speed/render.py"))
    page = render["PAGE"].read_text(encoding="utf-8")
    assert render["rendered"](page) == page, "run benchmarks/speed/render.py"
    picture = render["RESULTS"] / render["PICTURE"]
    assert picture.read_bytes() == render["PAGE"].with_name(render["PICTURE"]).read_bytes()
