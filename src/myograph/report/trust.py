"""What a model's probabilities are worth: the tables of a report and of a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from myograph.report.html import Html, element, table
from myograph.report.words import plural

if TYPE_CHECKING:
    from myograph.core.decision import Estimate
    from myograph.validate.trust import Trust

__all__ = [
    "benefit_words",
    "coverage_rows",
    "ratio_rows",
    "reliability_rows",
    "trust_parts",
    "worth_words",
]

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
    cases = trust.unit == "person"
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
        ["confidence", "mean", "right", many, *(() if cases else ("people",))],
        [
            (
                f"{100 * each.low:.1f} to {100 * each.high:.1f} %",
                f"{100 * each.confidence:.1f} %",
                f"{100 * each.accuracy:.1f} %",
                str(each.windows),
                *(() if cases else (str(each.people),)),
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
    if trust.worth:
        yield from _worth(trust)
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


def ratio_rows(trust: Trust) -> list[tuple[str, str, str, str, str]]:
    """Return one row per class: sensitivity, specificity, and the two likelihood ratios."""
    return [
        (
            name,
            _share(rows[0].sensitivity),
            _share(rows[0].specificity),
            _times(rows[0].ratio_yes),
            _times(rows[0].ratio_no),
        )
        for name, rows in trust.worth.items()
    ]


def worth_words(trust: Trust) -> str:
    """Say what answers are worth at each stated prevalence; empty where people are not cases."""
    told = [
        f"{name} where {100 * each.prevalence:g} % are: that answer is true in {_share(each.ppv)}, "
        f"another in {_share(each.npv)}"
        for name, rows in trust.worth.items()
        for each in rows
    ]
    ratios = [
        f"{name} multiplies the odds of it by {yes}, another answer by {no}"
        for name, _, _, yes, no in ratio_rows(trust)
    ]
    return "; ".join([*ratios, *told])


def _worth(trust: Trust) -> Iterator[Html]:
    corrected = any(each.corrected for rows in trust.worth.values() for each in rows)
    half = " Where nobody was wrong, half a person was added to every count." if corrected else ""
    yield table(
        ["the answer", "found of its cases", "cleared of others", "it, odds ×", "another, odds ×"],
        ratio_rows(trust),
        caption="Sensitivity, specificity and likelihood ratios of each answer as it is, with 95 % "
        f"intervals: how much it, or another answer, multiplies the odds.{half}",
        numbers_from=1,
    )
    yield table(
        ["the answer", "where so many are", "it is true", "another is true"],
        [
            (name, f"{100 * each.prevalence:g} %", _share(each.ppv), _share(each.npv))
            for name, rows in trust.worth.items()
            for each in rows
        ],
        caption="Predictive values. The share of cases in this study says nothing about a clinic: "
        "read the row of the place where the model will be used.",
        numbers_from=1,
    )


def _share(estimate: Estimate) -> str:
    value, low, high = (100 * each for each in (estimate.value, estimate.low, estimate.high))
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"


def _times(estimate: Estimate) -> str:
    return f"{estimate.value:.3g} ({estimate.low:.2g} to {estimate.high:.3g})"


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
