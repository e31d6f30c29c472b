"""What a model makes of spoilt recordings: picture and table of a report and of a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from myograph.report.html import Html, element, figure, listed, table
from myograph.report.svg import BLUE, GREY, INK, drawing, to_svg
from myograph.report.words import Measure

if TYPE_CHECKING:
    from myograph.validate.robustness import Outcome, Robustness

__all__ = ["robustness_figure", "robustness_parts", "robustness_rows"]

_COLUMNS = 3


def robustness_rows(robustness: Robustness) -> list[tuple[str, str, str, str, str]]:
    """Return one row per challenge: what, how much, figure, change, its interval."""
    measure = Measure(robustness.headline)
    return [
        (
            each.family,
            each.level,
            measure.value(each.score.value),
            measure.gain(each.change.value),
            f"{measure.gain(each.change.low)} to {measure.gain(each.change.high)}",
        )
        for each in robustness.outcomes
    ]


def robustness_figure(robustness: Robustness) -> str:
    """Draw the change against the size of each challenge, one panel per family.

    Returns
    -------
    str
        One ``<svg>`` element.
    """
    measure = Measure(robustness.headline)
    families = {each.family: list[int]() for each in robustness.outcomes}
    for number, each in enumerate(robustness.outcomes):
        families[each.family].append(number)
    n_rows = -(-len(families) // _COLUMNS)
    ends = [e for o in robustness.outcomes for e in (o.change.low, o.change.high, o.change.value)]
    known = [e for e in ends if abs(e) < float("inf")]
    margin = 0.06 * (max(*known, 0.0) - min(*known, 0.0) or 1.0)
    scale = 100.0 if measure.percent else 1.0
    with drawing("robustness", width_in=7.2, height_in=0.3 + 1.9 * n_rows) as board:
        panels = board.subplots(n_rows, _COLUMNS, sharey=True, squeeze=False).ravel()
        for panel, (family, numbers) in zip(panels, families.items(), strict=False):
            outcomes = [robustness.outcomes[number] for number in numbers]
            _panel(panel, outcomes, scale)
            panel.set_title(family)
            panel.set_ylim(scale * (min(*known, 0.0) - margin), scale * (max(*known, 0.0) + margin))
        for panel in panels[len(families) :]:
            panel.set_axis_off()
        board.supylabel(f"change of {measure.name}{' (points)' if measure.percent else ''}")
        worst = robustness.worst
        alt = (
            f"Change of {measure.name} against the size of each challenge, mean over people with "
            f"95 % interval. Worst: {worst.family}, {worst.level}, "
            f"{measure.gain(worst.change.value)}."
        )
        return to_svg(board, name="robustness", alt=alt)


def _panel(axes: Any, outcomes: list[Outcome], scale: float) -> None:
    axes.axhline(0.0, color=GREY, linewidth=1.0)
    for place, each in enumerate(outcomes):
        change = each.change
        low, high = max(change.low, -1e9), min(change.high, 1e9)
        axes.plot((place, place), (scale * low, scale * high), color=BLUE, linewidth=2.2, alpha=0.5)
        axes.plot(place, scale * change.value, "o", color=BLUE, markersize=5)
    names = [_brief(each.level) for each in outcomes]
    many = len(names) > 4
    axes.set_xticks(
        range(len(names)),
        names,
        rotation=55 if many else 0,
        ha="right" if many else "center",
        rotation_mode="anchor" if many else "default",
        fontsize=6.5 if many else 7.5,
        color=INK,
    )
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.grid(axis="y")


def _brief(level: str) -> str:
    for told in (" of the signal", "rails at ", " faster", "by way of ", " channels lost", " lost"):
        level = level.replace(told, "")
    return level.replace("SNR ", "")


def robustness_parts(robustness: Robustness) -> Iterator[Html]:
    """Return picture, table and assumptions."""
    measure = Measure(robustness.headline)
    yield element(
        "p",
        "The models of the folds, trained on recordings as they are, were asked about the held-out "
        "recordings with one thing wrong in them. "
        f"On good recordings: {measure.name} {measure.told(robustness.plain)}.",
    )
    yield figure(
        robustness_figure(robustness),
        "Change against each person's own figure on good recordings: mean over people and its 95 % "
        "interval.",
    )
    yield table(
        ["challenge", "how much", measure.name, "change", "95 % interval"],
        robustness_rows(robustness),
        caption="Every challenge; changes are compared person by person.",
        numbers_from=2,
    )
    told = [*robustness.assumptions]
    told += [f"{name}: not asked. {why}" for name, why in robustness.refused.items()]
    yield listed(told)
