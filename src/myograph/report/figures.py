"""The figures of a result: people, ladder, confusion. Each returns SVG text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.decision import Estimate
from myograph.report.svg import BLUE, GREY, INK, ORANGE, drawing, to_svg
from myograph.report.words import Measure, plural

__all__ = ["Rung", "confusion_matrix", "ladder", "people_scores", "short"]

_WIDTH_IN = 7.2


@dataclass(frozen=True, slots=True)
class Rung:
    """One line of the ladder: what was tried, and what it reached."""

    name: str
    estimate: Estimate
    ours: bool = False


def short(text: str, length: int = 22) -> str:
    """Return ``text`` in at most ``length`` characters.

    Examples
    --------
    >>> short("radial deviation of the wrist")
    'radial deviation of t…'
    """
    return text if len(text) <= length else text[: length - 1] + "…"


def people_scores(
    scores: Mapping[str, float],
    *,
    measure: Measure,
    estimate: Estimate,
    chance: float | None = None,
    intervals: Mapping[str, tuple[float, float]] | None = None,
) -> str:
    """Draw one dot per person, best on top, with the mean of all and its interval behind them.

    Parameters
    ----------
    scores : mapping of str to float
        Person to score.
    measure : Measure
        What the scores are, and how they are written.
    estimate : Estimate
        Mean over people with its interval.
    chance : float, optional
        What guessing reaches.
    intervals : mapping of str to (low, high), optional
        Per person, drawn as a thin line.

    Returns
    -------
    str
        One ``<svg>`` element.
    """
    people = sorted(scores, key=lambda person: (scores[person], person))
    values = np.array([scores[person] for person in people])
    rows = np.arange(len(people))
    height_in = 0.95 + 0.19 * len(people)
    with drawing("people", width_in=_WIDTH_IN, height_in=height_in) as figure:
        axes = figure.subplots()
        axes.axvspan(estimate.low, estimate.high, color=BLUE, alpha=0.13, linewidth=0)
        axes.axvline(estimate.value, color=BLUE, linewidth=1.2)
        for row, person in enumerate(people):
            if intervals and person in intervals:
                axes.plot(intervals[person], (row, row), color="#8fb9d6", linewidth=1.6)
        axes.plot(values, rows, "o", color=BLUE, markersize=4.5)
        if chance is not None:
            _chance_line(axes, chance, rows, measure.guess)
        axes.set_yticks(rows, [short(person) for person in people])
        axes.set_ylim(-0.7, len(people) - 0.3)
        axes.tick_params(axis="y", length=0)
        _value_axis(axes, measure, [*values, estimate.low, estimate.high], chance=chance)
        axes.set_xlabel(f"{measure.name} of each person{measure.unit}")
        alt = (
            f"Dot plot of {measure.name} for {plural(len(people), 'person')}, from "
            f"{measure.value(values[0])} ({people[0]}) to {measure.value(values[-1])} "
            f"({people[-1]}); the mean is {measure.told(estimate)}."
        )
        return to_svg(figure, name="people", alt=alt)


def ladder(rungs: Sequence[Rung], *, measure: Measure, chance: float | None = None) -> str:
    """Draw what each method reaches, with intervals over people: ours beside the baselines."""
    rows = np.arange(len(rungs))[::-1]
    with drawing("ladder", width_in=_WIDTH_IN, height_in=0.95 + 0.3 * len(rungs)) as figure:
        axes = figure.subplots()
        for row, rung in zip(rows, rungs, strict=True):
            colour = BLUE if rung.ours else GREY
            low, high = rung.estimate.low, rung.estimate.high
            axes.plot((low, high), (row, row), color=colour, linewidth=2.2, alpha=0.6)
            axes.plot(rung.estimate.value, row, "o", color=colour, markersize=6)
            axes.annotate(
                measure.number(rung.estimate.value),
                (rung.estimate.value, row),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=INK,
            )
        if chance is not None:
            _chance_line(axes, chance, rows, measure.guess)
        axes.set_yticks(rows, [short(rung.name, 34) for rung in rungs])
        axes.set_ylim(-0.7, len(rungs) - 0.3)
        axes.tick_params(axis="y", length=0)
        ends = [e for r in rungs for e in (r.estimate.low, r.estimate.high)]
        _value_axis(axes, measure, ends, chance=chance)
        axes.set_xlabel(f"{measure.name}, mean over people with 95 % interval{measure.unit}")
        told = "; ".join(f"{rung.name} {measure.told(rung.estimate)}" for rung in rungs)
        return to_svg(figure, name="ladder", alt=f"{measure.name} of each method: {told}.")


def confusion_matrix(classes: Sequence[str], counts: NDArray[Any]) -> str:
    """Draw how often each true class (row) was called each class (column), in percent of the row.

    Parameters
    ----------
    classes : sequence of str
    counts : ndarray, shape (n_classes, n_classes)
        Windows; rows are the truth.
    """
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    n = len(classes)
    side_in = min(1.7 + 0.46 * n, 9.0)
    with drawing("confusion", width_in=max(side_in, 3.6), height_in=side_in) as figure:
        axes = figure.subplots()
        axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=1.2)
        for row, column in np.ndindex(n, n):
            if shares[row, column] >= 0.005:
                dark = shares[row, column] > 0.55
                axes.text(
                    column + 0.5,
                    row + 0.5,
                    f"{100 * shares[row, column]:.0f}",
                    ha="center",
                    va="center",
                    fontsize=9 if n <= 14 else 6,
                    color="white" if dark else INK,
                )
        names = [short(name, 18) for name in classes]
        axes.set_xticks(np.arange(n) + 0.5, names, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(np.arange(n) + 0.5, names)
        axes.tick_params(length=0)
        axes.invert_yaxis()
        axes.set_aspect("equal")
        axes.spines[:].set_visible(False)
        axes.set_xlabel("called")
        axes.set_ylabel("truth")
        recalls = "; ".join(
            f"{name} {100 * share:.0f} %"
            for name, share in zip(classes, shares.diagonal(), strict=True)
        )
        return to_svg(figure, name="confusion", alt=f"Confusion matrix. Recognised: {recalls}.")


def _chance_line(axes: Any, chance: float, rows: NDArray[Any], name: str) -> None:
    axes.axvline(chance, color=ORANGE, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.annotate(
        name,
        (chance, max(rows)),
        xytext=(3, 8),
        textcoords="offset points",
        fontsize=8,
        color="#8a5a00",
    )


def _value_axis(
    axes: Any, measure: Measure, values: Sequence[float], *, chance: float | None
) -> None:
    known = [v for v in [*values, chance] if v is not None and np.isfinite(v)]
    if measure.percent:
        start = max(0.0, np.floor(10 * (min(known) - 0.03)) / 10)
        ticks = np.arange(start, 1.01, 0.1)
        axes.set_xticks(ticks, [f"{100 * tick:.0f}" for tick in ticks])
        axes.set_xlim(start, 1.01)
    else:
        margin = 0.06 * ((max(known) - min(known)) or 1.0)
        axes.set_xlim(min(known) - margin, max(known) + margin)
    axes.grid(axis="x")
