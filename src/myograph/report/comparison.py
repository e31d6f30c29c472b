"""Models side by side: the rows, sentences, picture and page of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from myograph.report.figures import short
from myograph.report.html import Html, definitions, element, figure, listed, page, table
from myograph.report.svg import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, SKY, drawing, to_svg
from myograph.report.words import Measure, chance_words, pipeline_words, plural
from myograph.validate.metrics import METRICS

if TYPE_CHECKING:
    from myograph.core.decision import Estimate
    from myograph.validate.compare import Comparison
    from myograph.validate.contest import Contest, Entry

__all__ = [
    "PAIR_HEADERS",
    "comparison_page",
    "comparison_rows",
    "comparison_sentences",
    "entry_rows",
    "gain_table",
    "people_figure",
    "reach_words",
    "test_words",
]

#: Luck gives a difference that is called shown at most so often, over all that were tested.
_LEVEL = 0.05
#: Of `comparison_rows`; better, worse: for so many people.
PAIR_HEADERS = (
    "pair", "difference", "95 % interval", "p", "corrected", "better, worse", "verdict",
)  # fmt: skip
_COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY, INK)
_MARKS = "os^Dv"
_TESTS = {
    "sign-flip": "if neither were better, each person's difference could as well have had the "
    "other sign; p is how often that alone gives a mean difference as large",
    "wilcoxon": "p is of Wilcoxon's signed ranks: how often luck alone ranks people's differences "
    "as much to one side",
}
_CORRECTIONS = {
    "holm": "Corrected for {n} (Holm): any wrong finding among them is as rare as it says",
    "benjamini-hochberg": "Corrected for {n} (Benjamini and Hochberg): wrong findings are at most "
    "that share of all findings",
    "none": "Not corrected for how many were compared ({n}): some are found by luck",
}


def test_words(test: str, correction: str, n: int) -> str:
    """Say what the p-values mean.

    Examples
    --------
    >>> test_words("sign-flip", "holm", 3).endswith("any wrong finding among them is as rare ...")
    False
    """
    many = f"{n} comparison{'' if n == 1 else 's'}"
    told = _TESTS[test]
    return f"{told[0].upper()}{told[1:]}. {_CORRECTIONS[correction].format(n=many)}."


def reach_words(people: int, correction: str, comparisons: int) -> str:
    """Say when so few people cannot show any difference; empty when they can.

    Examples
    --------
    >>> reach_words(4, "holm", 3)[:50]
    'No difference can be shown with 4 people: even whe'
    >>> reach_words(19, "holm", 3)
    ''
    """
    least = 2.0 ** (1 - people) * (comparisons if correction == "holm" else 1)
    if least <= _LEVEL:
        return ""
    return (
        f"No difference can be shown with {plural(people, 'person')}: even where one model is "
        f"better for everybody, {chance_words(min(least, 1.0))} is the least there is."
    )


def entry_rows(contest: Contest) -> list[tuple[str, str, str, str]]:
    """Return one row per model: name, what it is, figure, interval."""
    measure = Measure(contest.metric)
    return [
        (
            each.name,
            _about(each),
            measure.value(each.estimate.value),
            measure.interval(each.estimate),
        )
        for each in contest.entries
    ]


def comparison_rows(contest: Contest) -> list[tuple[str, ...]]:
    """Return one row per pair: who, difference, interval, p-values, people, verdict."""
    measure = Measure(contest.metric)
    points = " points" if measure.percent else ""
    rows: list[tuple[str, ...]] = []
    for each in contest.comparisons:
        gap = each.difference
        rows.append(
            (
                f"{each.first} − {each.second}",
                measure.gain(gap.value) + points,
                f"{measure.gain(gap.low)} to {measure.gain(gap.high)}",
                *_cells(each, contest.metric)[:2],
                ", ".join(map(str, _people(each, contest.metric))),
                _verdict(each, contest.metric),
            )
        )
    return rows


def comparison_sentences(contest: Contest) -> list[str]:
    """Say of each pair who is better, by how much, for whom, and whether that is shown."""
    return [_sentence(each, contest) for each in contest.comparisons]


def gain_table(
    gain: Mapping[str, Estimate], comparisons: Sequence[Comparison], metric: str
) -> Html:
    """Return how much more a model reaches than each baseline, with p-values where tested."""
    measure = Measure(metric)
    points = " points" if measure.percent else ""
    tested = {each.second: each for each in comparisons}
    rows = []
    for name, each in gain.items():
        ends = f"{measure.gain(each.low)} to {measure.gain(each.high)}"
        cells = _cells(tested[name], metric) if name in tested else ("–",) * 4
        rows.append((name, measure.gain(each.value) + points, ends, *(cells if tested else ())))
    told = "How much more than each baseline the method reaches, compared person by person."
    headers = ["baseline", "difference", "95 % interval"]
    if tested:
        headers += ["p", "corrected", "better for", "worse for"]
        told += f" {test_words('sign-flip', 'holm', len(tested))}"
        fewest = min(each.difference.n for each in tested.values())
        told += f" {reach_words(fewest, 'holm', len(tested))}".rstrip()
    return table(headers, rows, caption=told, numbers_from=1)


def people_figure(contest: Contest) -> str:
    """Draw each person's score by each model on one line, and the means with their intervals.

    Returns
    -------
    str
        One ``<svg>`` element.
    """
    measure = Measure(contest.metric)
    scale = 100.0 if measure.percent else 1.0
    lead = contest.reference or contest.entries[0].name
    order = next(each.people for each in contest.entries if each.name == lead)
    people = sorted(order, key=lambda person: (order[person], person))
    n_models = len(contest.entries)
    height_in = 1.25 + 0.2 * len(people) + 0.19 * n_models
    with drawing("people-pairs", width_in=7.2, height_in=height_in) as board:
        axes = board.subplots()
        scores = scale * np.array([[e.people[p] for p in people] for e in contest.entries])
        for row in range(len(people)):
            ends = (scores[:, row].min(), scores[:, row].max())
            axes.plot(ends, (row, row), color="#c9ced3", linewidth=1.6, zorder=1)
        for k, each in enumerate(contest.entries):
            mark = {"color": _COLOURS[k % len(_COLOURS)], "marker": _MARKS[k % len(_MARKS)]}
            axes.plot(
                scores[k], range(len(people)), linestyle="", markersize=5, label=each.name, **mark
            )
            place = -1.4 - 0.95 * k
            ends = (scale * each.estimate.low, scale * each.estimate.high)
            axes.plot(ends, (place, place), color=mark["color"], linewidth=2.2, alpha=0.6)
            axes.plot(scale * each.estimate.value, place, markersize=6, **mark)
        axes.axhline(-0.7, color="#8a8a8a", linewidth=0.8)
        means = [-1.4 - 0.95 * k for k in range(n_models)]
        names = [f"mean, {short(each.name, 24)}" for each in contest.entries]
        axes.set_yticks([*range(len(people)), *means], [*map(short, people), *names])
        axes.set_ylim(-1.4 - 0.95 * (n_models - 1) - 0.7, len(people) - 0.3)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        axes.set_xlabel(f"{measure.name}{measure.unit}")
        board.legend(
            *axes.get_legend_handles_labels(),
            loc="outside upper left",
            ncols=min(n_models, 4),
            labelcolor=INK,
        )
        told = "; ".join(f"{e.name} {measure.told(e.estimate)}" for e in contest.entries)
        alt = (
            f"{measure.name} of {plural(len(people), 'person')} by each model, one line per "
            f"person. Means: {told}."
        )
        return to_svg(board, name="people-pairs", alt=alt)


def comparison_page(contest: Contest, *, command: str = "", written: str = "") -> str:
    """Return the whole page as HTML; only the element ``written`` depends on the clock."""
    measure = Measure(contest.metric)
    title = f"{', '.join(each.name for each in contest.entries)} on {contest.data}"
    body = [
        *_warnings(contest),
        element("h1", title),
        element("p", _lead(contest), class_="lead"),
        listed(comparison_sentences(contest)),
        _section(
            "people",
            "Person by person",
            figure(
                people_figure(contest),
                "One line per person, one mark per model, best on top by "
                f"{contest.reference or contest.entries[0].name}; below, means over people with "
                "their 95 % intervals. Whether a difference is shown is told by the differences, "
                "not by whether intervals of means overlap.",
            ),
        ),
        _section(
            "pairs",
            "Pair by pair",
            table(
                PAIR_HEADERS,
                comparison_rows(contest),
                caption=f"Differences of {measure.name}, compared person by person over "
                f"{plural(len(contest.people), 'person')}. "
                f"{test_words(contest.test, contest.correction, len(contest.comparisons))}",
                numbers_from=1,
            ),
        ),
        _section("models", "The models", *_models(contest)),
        _section("numbers", "The same in numbers", _numbers(contest)),
        _section("limits", "Limits", listed(_limits(contest))),
        *(_again(command)),
        element(
            "footer",
            element("p", "Made by Myograph, research software; not a clinical device."),
            element("p", f"Written {written}." if written else "", id="written"),
        ),
    ]
    return page(title, element("main", *body))


def _warnings(contest: Contest) -> Iterator[Html]:
    if contest.simulated:
        told = "Simulated data: engineering verification, never clinical performance."
        yield element("p", element("strong", told), class_="simulated")
    for note in contest.notes:
        if note.startswith("Do not rely"):
            yield element("p", element("strong", note), class_="failed", role="alert")


def _lead(contest: Contest) -> str:
    measure = Measure(contest.metric)
    many = plural(len(contest.people), "person")
    told = f"Is one of these better on {many}, more than luck would have it? By {measure.name}"
    return f"{told}, {contest.scope}."


def _models(contest: Contest) -> Iterator[Html]:
    measure = Measure(contest.metric)
    yield table(
        ["model", "what it is", measure.name, "95 % interval"],
        entry_rows(contest),
        caption="Mean over people.",
        numbers_from=2,
    )
    for each in contest.entries:
        yield element("h3", each.name)
        yield definitions(dict(pipeline_words(each.config)))


def _numbers(contest: Contest) -> Html:
    measure = Measure(contest.metric)
    rows = [
        (person, *(measure.number(each.people[person]) for each in contest.entries))
        for person in contest.people
    ]
    headers = ["person", *(f"{each.name}{measure.unit}" for each in contest.entries)]
    return table(
        headers, rows, caption=f"{measure.name.capitalize()} of each person.", numbers_from=1
    )


def _limits(contest: Contest) -> list[str]:
    reach = reach_words(len(contest.people), contest.correction, len(contest.comparisons))
    told = [*([reach] if reach else []), *contest.notes]
    told += [f"Left out: {person} ({why})." for person, why in contest.left_out.items()]
    told.append(
        "A difference that is not shown is not shown to be none: with few people even a large one "
        "stays open."
    )
    told.append(
        "p-values count people like these, recorded like this. Settings that were chosen by "
        "looking at these people make the chosen model look better than it is."
    )
    return told


def _again(command: str) -> Iterator[Html]:
    if command:
        code = element("pre", element("code", command))
        yield _section("again", "To do it again", code)


def _section(name: str, heading: str, *parts: object) -> Html:
    title = element("h2", heading, id=f"h-{name}")
    return element("section", title, *parts, id=name, aria_labelledby=f"h-{name}")


def _about(entry: Entry) -> str:
    told = dict(pipeline_words(entry.config))
    return f"{told.get('model', 'model')} on {told.get('features', 'features')}"


def _cells(each: Comparison, metric: str) -> tuple[str, str, str, str]:
    """Return p, corrected p, and for how many people the first is better and worse."""
    better, worse = _people(each, metric)
    return _number(each.p), _number(each.corrected), str(better), str(worse)


def _number(p: float) -> str:
    return chance_words(p).removeprefix("p ")


def _people(each: Comparison, metric: str) -> tuple[int, int]:
    higher = METRICS[metric].higher_is_better
    return (each.better, each.worse) if higher else (each.worse, each.better)


def _verdict(each: Comparison, metric: str) -> str:
    if each.corrected > _LEVEL:
        return "not shown"
    ahead = (each.difference.value > 0) == METRICS[metric].higher_is_better
    return f"{each.first if ahead else each.second} is better"


def _sentence(each: Comparison, contest: Contest) -> str:
    measure, gap = Measure(contest.metric), each.difference
    unit = " points" if measure.percent else ""
    size = measure.gain(abs(gap.value)).lstrip("+")
    more = "more" if gap.value >= 0 else "less"
    ends = f"{measure.gain(gap.low)} to {measure.gain(gap.high)}"
    better, worse = _people(each, contest.metric)
    equal = gap.n - better - worse
    same = f", equal for {equal}" if equal else ""
    many = len(contest.comparisons)
    alone = many == 1 or contest.correction == "none"
    p = chance_words(each.p if alone else each.corrected)
    told = p if alone else f"{p}, corrected for {many} comparisons"
    verdict = _verdict(each, contest.metric)
    shown = "a difference is not shown" if verdict == "not shown" else f"shown: {verdict}"
    return (
        f"{each.first} has {size}{unit} {more} {measure.name} than {each.second} (95 % interval of "
        f"the difference {ends}); better for {better} of {plural(gap.n, 'person')}, worse for "
        f"{worse}{same}; {told}: {shown}."
    )
