"""The section on spoilt recordings: every challenge in words, one picture, what was assumed."""

from __future__ import annotations

from collections.abc import Callable

from myograph.report.evaluation import evaluation_page
from myograph.report.material import Material
from myograph.report.robustness import robustness_figure, robustness_rows
from myograph.validate.result import ValidationResult
from myograph.validate.robustness import Robustness

Make = Callable[..., ValidationResult]


def test_rows_say_what_it_cost(robustness: Robustness) -> None:
    rows = robustness_rows(robustness)
    assert rows[1] == ("clipping", "rails at 1 SD", "60.0 %", "−10.0", "−20.0 to −5.0")
    assert robustness.worst.level == "× 2"


def test_the_picture_is_the_same_every_time_and_says_the_worst(robustness: Robustness) -> None:
    drawn = robustness_figure(robustness)
    assert drawn == robustness_figure(robustness)
    assert "Worst: gain, × 2, −20.0." in drawn
    assert drawn.count("rails at") == 0  # the axis has the sizes alone


def test_the_page_has_the_section_only_where_it_was_asked(
    make_result: Make, robustness: Robustness
) -> None:
    without = evaluation_page(make_result(), Material())
    page = evaluation_page(make_result(robustness=robustness), Material())
    assert "When recordings go wrong" not in without
    assert "When recordings go wrong" in page
    assert "electrode shift: not asked. Electrodes cannot be moved." in page
    assert "gain: all channels alike" in page
