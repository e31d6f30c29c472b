"""What a model's probabilities are worth: the tables of a report and of a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from myograph.report.html import Html, element, table
from myograph.report.words import plural

if TYPE_CHECKING:
    from myograph.core.decision import Estimate
    from myograph.validate.trust import Trust

__all__ = ["benefit_words", "coverage_rows", "reliability_rows", "trust_parts"]

#: Thresholds of the table, and of a line of text.
_SHOWN = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_SAID = (0.1, 0.2, 0.5)
_SETS = (
    "Each set holds the classes that could not be ruled out, by a limit from one held-out answer "
    "of everybody else, drawn at random. The models behind those answers have seen the person who "
    "is judged, so the coverage is measured here, not promised."
)


def reliability_rows(trust: Trust) -> list[tuple[str, str, str, str]]:
    """Return calibration error with its interval and Brier score, before and after."""
    return [
        (name, f"{each.ece.value:.3f}", _ends(each.ece), f"{each.brier.value:.3f}")
        for name, each in (
            ("as the model says them", trust.before),
            (f"calibrated on other people ({trust.method})", trust.after),
        )
    ]


def coverage_rows(trust: Trust) -> list[tuple[str, str, str, str, str]]:
    """Return one row per group: people, coverage in percent, its interval, classes per set."""
    asked = f"{100 * trust.nominal:g} %"
    return [
        (
            f"all, {asked} asked" if each.group == "all" else each.group,
            str(each.people),
            f"{100 * each.coverage.value:.1f} %",
            f"{100 * each.coverage.low:.1f} to {100 * each.coverage.high:.1f} %",
            f"{each.size:.2f}",
        )
        for each in trust.coverage
    ]


def trust_parts(trust: Trust) -> Iterator[Html]:
    """Return the tables on probabilities, sets and refusals."""
    many = plural(2, trust.unit).split(" ", 1)[1]
    yield element(
        "p",
        f"Judged on held-out {many}, every person counting alike. A probability can be "
        "taken at its word when answers given with 80 % are right in 80 % of cases.",
    )
    yield table(
        ["probabilities", "expected calibration error", "95 % interval", "Brier score"],
        reliability_rows(trust),
        caption="Calibration.",
        numbers_from=1,
    )
    yield table(
        ["confidence", "mean", "right", many, "people"],
        [
            (
                f"{100 * each.low:.0f} to {100 * each.high:.0f} %",
                f"{100 * each.confidence:.1f} %",
                f"{100 * each.accuracy:.1f} %",
                str(each.windows),
                str(each.people),
            )
            for each in trust.after.table
        ],
        caption="How often calibrated answers of one confidence are right.",
        numbers_from=1,
    )
    yield table(
        ["class", "intercept", "95 % interval", "slope", "95 % interval"],
        [
            (
                name,
                f"{intercept.value:.2f}",
                _ends(intercept, digits=2),
                f"{trust.after.slope[name].value:.2f}",
                _ends(trust.after.slope[name], digits=2),
            )
            for name, intercept in trust.after.intercept.items()
        ],
        caption="Calibrated answers class by class: 0 and 1 are right; an intercept above 0 is a "
        "class said too rarely, a slope below 1 is too bold.",
        numbers_from=1,
    )
    yield table(
        ["sets", "people", "hold the truth", "95 % interval", "classes per set"],
        coverage_rows(trust),
        caption=_SETS,
        numbers_from=1,
    )
    yield table(
        ["answered", "right among answers", "right", "wrong", "refused", "people without answer"],
        [
            (
                f"{100 * each.coverage.value:.0f} %",
                "" if each.accuracy is None else f"{100 * each.accuracy.value:.1f} %",
                f"{100 * each.right:.1f} %",
                f"{100 * each.wrong:.1f} %",
                f"{100 * each.refused:.1f} %",
                str(each.unanswered_people),
            )
            for each in trust.curve
        ],
        caption="When the least sure answers are refused. Right, wrong and refused are shares of "
        "everything that was asked.",
        numbers_from=0,
    )
    if trust.benefit:
        yield _benefit(trust)


def benefit_words(trust: Trust) -> str:
    """Say what acting on the answers is worth at a few thresholds."""
    if not trust.benefit:
        return (
            "not computed: people are not cases of one class here, so there is nobody to act on"
            if trust.unit != "person"
            else ""
        )
    told = [
        f"{name} from {100 * row.threshold:g} %: {row.model.value:.3f} "
        f"({_ends(row.model)}), over the better of everybody and nobody {row.gain.value:+.3f} "
        f"({_ends(row.gain)})"
        for name, rows in trust.benefit.items()
        for row in rows
        if row.threshold in _SAID
    ]
    return "net benefit of acting on " + "; ".join(told)


def _benefit(trust: Trust) -> Html:
    rows = [
        (
            name,
            f"{100 * row.threshold:g} %",
            f"{row.model.value:.3f}",
            _ends(row.model),
            f"{row.everybody.value:.3f}",
            f"{row.gain.value:+.3f}",
            _ends(row.gain),
        )
        for name, each in trust.benefit.items()
        for row in each
        if row.threshold in _SHOWN
    ]
    return table(
        [
            "acting on",
            "from",
            "net benefit",
            "95 % interval",
            "on everybody",
            "gain",
            "95 % interval",
        ],
        rows,
        caption="Decision curves: cases found per person, less the needless actions at the price "
        "that the threshold says; on the calibrated answers, at the share of cases in these "
        "people. Gain: over the better of acting on everybody and on nobody.",
        numbers_from=1,
    )


def _ends(estimate: Estimate, *, digits: int = 3) -> str:
    return f"{estimate.low:.{digits}f} to {estimate.high:.{digits}f}"
