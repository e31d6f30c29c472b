"""When a pipeline does not answer: sentences, tables and the curve of a report and a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from myograph.report.html import Html, element, figure, join, table
from myograph.report.svg import BLUE, GREY, INK, drawing, to_svg
from myograph.report.words import plural, rule_words

if TYPE_CHECKING:
    from myograph.core.decision import Estimate
    from myograph.validate.refusals import ClassRefusal, Refusals, Refused
    from myograph.validate.rejection import Outcome

__all__ = [
    "CLASS_HEADERS",
    "OUTCOME_HEADERS",
    "class_rows",
    "outcome_rows",
    "refusal_figure",
    "refusal_parts",
    "refusal_sentences",
    "refusal_words",
]

#: Intervals over fewer people are known to be too narrow.
_FEW_PEOPLE = 10

_OUTCOME = "of all,answered,right among answers,right,wrong,refused,silent for"
#: Of `outcome_rows`; silent for: people who get no answer at all.
OUTCOME_HEADERS = tuple(_OUTCOME.split(","))
#: Of `class_rows`; right, all: when everything is answered.
CLASS_HEADERS = ("called", "needs", "never in", "answered", "right, all", "right, answered")


def refusal_sentences(refusals: Refusals) -> list[str]:
    """Say what refusing comes to on held-out people, and how that compares with what was asked."""
    return [sentence for part in refusals.parts for sentence in _sentences(refusals, part)]


def refusal_words(refusals: Refusals) -> str:
    """Say the same in one line."""
    return " ".join(refusal_sentences(refusals))


def outcome_rows(refusals: Refusals) -> list[tuple[str, ...]]:
    """Return one row per unit: answered, right among answers, and what became of everything."""
    return [
        (
            plural(2, part.unit).split(" ", 1)[1],
            _percent(part.outcome.coverage),
            _percent(part.outcome.accuracy),
            f"{100 * part.outcome.right:.1f} %",
            f"{100 * part.outcome.wrong:.1f} %",
            f"{100 * part.outcome.refused:.1f} %",
            str(part.outcome.unanswered_people),
        )
        for part in refusals.parts
    ]


def class_rows(part: Refused) -> list[tuple[str, ...]]:
    """Return one row per class: see `CLASS_HEADERS`."""
    return [
        (
            each.name,
            _threshold(each),
            str(each.silent),
            _percent(each.answered),
            _percent(each.right_before),
            _percent(each.right),
        )
        for each in part.classes
    ]


def refusal_parts(refusals: Refusals, config: Mapping[str, Any]) -> Iterator[Html]:
    """Return sentences, the curve and the tables."""
    yield element("p", f"Refused are answers {rule_words(config)}.")
    for sentence in refusal_sentences(refusals):
        yield element("p", sentence)
    yield join(figure(refusal_figure(part), _caption(part)) for part in refusals.parts)
    yield table(
        OUTCOME_HEADERS,
        outcome_rows(refusals),
        caption="Means over people with 95 % intervals. Right, wrong and refused are shares of "
        "everything that was asked; silent for: people who got no answer at all.",
        numbers_from=1,
    )
    for part in refusals.parts:
        yield table(
            CLASS_HEADERS,
            class_rows(part),
            caption=f"Class by class, {plural(2, part.unit).split(' ', 1)[1]}, by what they were "
            "called; every person's weigh 1 together, 95 % intervals over people. Needs: the least "
            "confidence, from fold to fold; never in: folds that never answer it.",
            numbers_from=1,
        )


def refusal_figure(part: Refused) -> str:
    """Draw how often answers are right against how many are given, and the working point.

    Returns
    -------
    str
        One ``<svg>`` element.
    """
    name = f"refusals-{part.unit}"
    known = [each for each in part.curve if each.accuracy is not None]
    with drawing(name, width_in=7.2, height_in=2.9) as board:
        axes = board.subplots()
        given = [100 * each.coverage.value for each in known]
        ends = [(100 * e.accuracy.low, 100 * e.accuracy.high) for e in known if e.accuracy]
        lows, highs = zip(*ends, strict=True)
        axes.fill_between(given, lows, highs, color=GREY, alpha=0.18, linewidth=0)
        means = [100 * e.accuracy.value for e in known if e.accuracy]
        axes.plot(given, means, color=GREY, linewidth=1.6, label="one threshold for all classes")
        _working_point(axes, part.outcome)
        axes.set_xlim(102, min(15.0, 100 * part.outcome.coverage.low - 2))
        axes.set_ylim(max(0.0, min(lows) - 3), 100.5)
        axes.set_xlabel(f"answered (% of {plural(2, part.unit).split(' ', 1)[1]})")
        axes.set_ylabel("right among answers (%)")
        axes.grid()
        axes.legend(loc="lower right", labelcolor=INK)
        alt = (
            f"Right answers against answers given, {part.unit} by {part.unit}. This pipeline "
            f"answers {_percent(part.outcome.coverage)}, and {_percent(part.outcome.accuracy)} of "
            "its answers are right."
        )
        return to_svg(board, name=name, alt=alt)


def _working_point(axes: Any, outcome: Outcome) -> None:
    if outcome.accuracy is None:
        return
    x, y = 100 * outcome.coverage.value, 100 * outcome.accuracy.value
    across = (100 * outcome.coverage.low, 100 * outcome.coverage.high)
    along = (100 * outcome.accuracy.low, 100 * outcome.accuracy.high)
    axes.plot(across, (y, y), color=BLUE, linewidth=2.2, alpha=0.6)
    axes.plot((x, x), along, color=BLUE, linewidth=2.2, alpha=0.6)
    axes.plot(x, y, "o", color=BLUE, markersize=7, label="this pipeline, with 95 % intervals")


def _caption(part: Refused) -> str:
    many = plural(2, part.unit).split(" ", 1)[1]
    return (
        f"What is gained by refusing {many}: the line asks one confidence of all classes, higher "
        "and higher; the dot is the pipeline as it is. Means over people; band and bars are 95 % "
        "intervals."
    )


def _sentences(refusals: Refusals, part: Refused) -> Iterator[str]:
    many, outcome = plural(2, part.unit).split(" ", 1)[1], part.outcome
    everything = part.curve[0].accuracy
    first = f"Of the {many} of people it has not seen it answers {_percent(outcome.coverage)}"
    if outcome.accuracy is None:
        yield f"{first}: nobody gets an answer."
        return
    beside = "" if everything is None else f", beside {_percent(everything)} if all are answered"
    strange = f" The novelty gate alone refuses {100 * part.strange:.1f} %."
    yield (
        f"{first}; {_percent(outcome.accuracy)} of its answers are right{beside}."
        f"{strange if 'novelty' in refusals.asked else ''}"
    )
    for key, name, what in (
        ("accuracy", "right", "right answers"),
        ("coverage", "answered", "answers given"),
    ):
        if key in refusals.asked:
            yield _verdict(part, refusals.asked[key], name=name, what=what)


def _verdict(part: Refused, asked: float, *, name: str, what: str) -> str:
    """Say which classes reach what was asked, miss it, or cannot be judged."""
    reached, open_, missed, few, silent = [], [], [], [], []
    for each in part.classes:
        found: Estimate | None = getattr(each, name)
        if found is None or (name == "right" and not each.answered):
            silent.append(each.name)
        elif found.n < _FEW_PEOPLE:
            few.append(f"{each.name} {_percent(found)} of {plural(found.n, 'person')}")
        elif found.high < asked:
            missed.append(f"{each.name} {_percent(found)}")
        elif found.value >= asked:
            reached.append(each.name)
        else:
            open_.append(f"{each.name} {_percent(found)}")
    told = [
        f"{heading}: {', '.join(names)}"
        for heading, names in (
            ("reached", reached),
            ("below it, and inside the interval", open_),
            ("missed", missed),
            ("too few people to say", few),
            ("never answered", silent),
        )
        if names
    ]
    many = plural(2, part.unit).split(" ", 1)[1]
    return f"Asked were {100 * asked:g} % {what} of each class ({many}); {'; '.join(told)}."


def _threshold(each: ClassRefusal) -> str:
    if each.least is None or each.most is None:
        return "–"
    told = f"{each.least:.3g}"
    return told if each.least == each.most else f"{told} to {each.most:.3g}"


def _percent(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    value, low, high = (100 * each for each in (estimate.value, estimate.low, estimate.high))
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"
