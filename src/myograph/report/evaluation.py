"""The report of one evaluation: one self-contained page that a person can check."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from myograph.report.comparison import gain_table
from myograph.report.figures import Rung, confusion_matrix, ladder, people_scores
from myograph.report.html import Html, code, definitions, element, figure, join, listed, page, table
from myograph.report.material import Material
from myograph.report.refusals import refusal_parts
from myograph.report.robustness import robustness_parts
from myograph.report.signals import signal_traces, spectra
from myograph.report.subgroups import subgroup_parts
from myograph.report.trust import trust_parts
from myograph.report.words import (
    BASELINES,
    METRICS,
    Measure,
    amount,
    confound_rows,
    in_order,
    pipeline_words,
    plural,
    selection_words,
    split_words,
    stability_rows,
)
from myograph.validate.probes import NAMES

if TYPE_CHECKING:
    from myograph.validate.probes import Confounds
    from myograph.validate.result import ValidationResult

__all__ = ["evaluation_page"]

_SIMULATED = (
    "Simulated data: no person was measured. This is engineering verification of the software, "
    "never clinical performance."
)
_DIGITS = re.compile(r"([0-9]+)")
_NOT_A_DEVICE = (
    "Research software and decision support: not a medical device, and nothing here is a diagnosis."
)
_THESE_PEOPLE = (
    "The interval speaks about people like these, recorded like this: another device, electrode "
    "place or population needs its own evaluation."
)
_OFFLINE = "Offline accuracy says little about control in daily use; that needs a test in the loop."
_SECTIONS = {
    "ladder": "Beside chance and simple methods",
    "people": "Person by person",
    "classes": "Class by class",
    "data": "The data",
    "signals": "What the signals look like",
    "split": "Who trained and who was tested",
    "pipeline": "From samples to decisions",
    "confounds": "What else tells the label",
    "trust": "What its probabilities are worth",
    "refusals": "When it does not answer",
    "groups": "For whom it works",
    "robustness": "When recordings go wrong",
    "audits": "Audits",
    "limits": "Limits",
    "again": "To do it again",
}


def evaluation_page(result: ValidationResult, material: Material, *, written: str = "") -> str:
    """Return the whole page as HTML.

    The same result and material give the same bytes; what depends on the clock stands in the one
    element with the id ``written``.

    Parameters
    ----------
    result : ValidationResult
    material : Material
        Facts and pictures of the data.
    written : str
        When the page was made.
    """
    result = _ordered(result)
    title = _title(result, material)
    body = [
        _warning(result),
        element("h1", title),
        element("p", _question(result), class_="lead"),
        _banner(result, material),
        _headline(result),
        _navigation(result, material),
        *(_section(name, *parts) for name, parts in _sections(result, material)),
        _footer(result, written),
    ]
    return page(title, element("main", *body))


def _ordered(result: ValidationResult) -> ValidationResult:
    """Return the result in the order of the page, whatever order a file has put it in."""
    people = sorted(result.people, key=_natural)
    return replace(
        result,
        metrics=in_order(result.metrics, METRICS),
        per_person={
            metric: {person: scores.get(person) for person in people}
            for metric, scores in in_order(result.per_person, METRICS).items()
        },
        per_class=in_order(result.per_class, result.classes),
        ladder=in_order(result.ladder, BASELINES),
        gain=in_order(result.gain, BASELINES),
    )


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(name)]


def _title(result: ValidationResult, material: Material) -> str:
    model = result.config.get("model", {}).get("name", "model")
    about = material.about.get("name") or result.data.get("name") or "recordings"
    return f"{model} on {about}, {result.split.get('name', 'evaluated')}"


def _question(result: ValidationResult) -> str:
    seen = {
        "across people": "on people it has never seen",
        "within recording": "later in a recording whose beginning it knows",
    }
    where = seen.get(str(result.split.get("scope")), "on people it already knows")
    return f"How well does the method work {where}?"


def _warning(result: ValidationResult) -> Html:
    """Return the first line of a report whose probe rivals its model."""
    if result.confounds is None or not result.confounds.warning:
        return Html("")
    told = element("strong", result.confounds.warning)
    return element("p", told, class_="failed", role="alert")


def _banner(result: ValidationResult, material: Material) -> Html:
    parts = []
    if material.about.get("simulated"):
        parts.append(element("p", element("strong", _SIMULATED), class_="simulated"))
    failed = [audit.name for audit in result.audits if not audit.passed]
    if failed:
        told = f"Do not rely on the figures below: {', '.join(failed)} failed, see the audits."
        parts.append(element("p", element("strong", told), class_="failed", role="alert"))
    return join(parts)


def _headline(result: ValidationResult) -> Html:
    measure = Measure(result.headline)
    estimate = result.metrics[result.headline]
    shown = f"{measure.interval(estimate)}{' %' if measure.percent else ''}"
    lines: list[object] = [
        element("strong", f"{measure.name}, mean over {plural(estimate.n, estimate.evidence)}"),
        f"95 % confidence interval {shown}, over {_people(estimate.evidence)}",
    ]
    if result.chance is not None:
        lines.append(f"{measure.guess} {measure.value(result.chance)}")
    return element(
        "div",
        element("p", measure.value(estimate.value), class_="big"),
        element("div", *(element("p", line, class_="small") for line in lines)),
        class_="headline",
    )


def _people(evidence: str) -> str:
    return f"{plural(2, evidence).split(' ', 1)[1]}, not over windows"


def _sections(
    result: ValidationResult, material: Material
) -> Iterator[tuple[str, tuple[object, ...]]]:
    yield "ladder", (_ladder(result), _metrics(result))
    yield "people", _persons(result, material)
    if len(result.classes):
        yield "classes", (_confusion(result), _classes(result))
    yield "data", (_about(result, material), _dropped(result))
    if material.excerpts or material.spectra:
        yield "signals", (_signals(material),)
    yield "split", (_split(result),)
    yield "pipeline", (_pipeline(result),)
    if result.confounds is not None:
        yield "confounds", tuple(_confounds(result.confounds, Measure(result.headline)))
    if result.trust is not None:
        yield "trust", tuple(trust_parts(result.trust))
    if result.refusals is not None:
        yield "refusals", tuple(refusal_parts(result.refusals, result.config))
    if result.subgroups or result.sites is not None:
        yield "groups", tuple(subgroup_parts(result.subgroups, result.headline, result.sites))
    if result.robustness is not None:
        yield "robustness", tuple(robustness_parts(result.robustness))
    yield "audits", (_audits(result),)
    yield "limits", (_limits(result, material),)
    yield "again", (_again(result, material),)


def _section(name: str, *parts: object) -> Html:
    return element(
        "section",
        element("h2", _SECTIONS[name], id=f"h-{name}"),
        *parts,
        id=name,
        aria_labelledby=f"h-{name}",
    )


def _navigation(result: ValidationResult, material: Material) -> Html:
    shown = [name for name, _ in _sections(result, material)]
    links = (element("a", _SECTIONS[name], href=f"#{name}") for name in shown)
    return element("nav", *links, aria_label="Sections")


def _ladder(result: ValidationResult) -> Html:
    measure = Measure(result.headline)
    ours = f"{result.config.get('model', {}).get('name', 'model')} (this evaluation)"
    rungs = [Rung(ours, result.metrics[result.headline], ours=True)]
    rungs += [Rung(name, estimate) for name, estimate in result.ladder.items()]
    drawn = ladder(rungs, measure=measure, chance=result.chance)
    caption = (
        f"{measure.name.capitalize()} of each method on the same folds, mean over people with its "
        "95 % interval."
    )
    if not result.gain:
        return figure(drawn, caption)
    gains = gain_table(result.gain, result.comparisons, result.headline)
    return join([figure(drawn, caption), gains])


def _metrics(result: ValidationResult) -> Html:
    rows = []
    for key, estimate in result.metrics.items():
        measure = Measure(key)
        evidence = plural(estimate.n, estimate.evidence)
        rows.append(
            (measure.name, evidence, measure.value(estimate.value), measure.interval(estimate))
        )
    return table(
        ["metric", "evidence", "mean", "95 % interval"],
        rows,
        caption="Every metric, mean over people.",
        numbers_from=2,
    )


def _persons(result: ValidationResult, material: Material) -> tuple[Html, ...]:
    measure = Measure(result.headline)
    scores = {k: v for k, v in result.per_person[result.headline].items() if v is not None}
    drawn = people_scores(
        scores,
        measure=measure,
        estimate=result.metrics[result.headline],
        chance=result.chance,
        intervals=material.person_intervals,
    )
    caption = "One dot per person. Vertical line and band: mean over people and its 95 % interval."
    if material.person_intervals:
        caption += (
            " Thin lines: 95 % interval of each person's own figure, by resampling whole "
            "repetitions of that person."
        )
    shown = [k for k in result.per_person if k in result.metrics][:6]
    rows = [
        (person, *(Measure(k).number(result.per_person[k].get(person)) for k in shown))
        for person in result.per_person[result.headline]
    ]
    headers = ["person", *(Measure(k).name.split(" (")[0] + Measure(k).unit for k in shown)]
    numbers = table(headers, rows, caption="The same in numbers.", numbers_from=1)
    return (figure(drawn, caption), _distribution(result), numbers)


def _distribution(result: ValidationResult) -> Html:
    spread = result.distribution.get(result.headline)
    if not spread:
        return Html("")
    measure = Measure(result.headline)
    told = (
        f"Half of the people lie between {measure.value(spread.get('q1'))} and "
        f"{measure.value(spread.get('q3'))}; the median is {measure.value(spread.get('median'))}, "
        f"the lowest {measure.value(spread.get('min'))}, the highest "
        f"{measure.value(spread.get('max'))}."
    )
    if "worst_decile" in spread:
        told += f" The tenth that fares worst reaches {measure.value(spread['worst_decile'])}."
    return element("p", told)


def _confusion(result: ValidationResult) -> Html:
    drawn = confusion_matrix(result.classes, result.confusion)
    cases, total = result.headline.startswith("person_"), int(result.confusion.sum())
    return figure(
        drawn,
        "Rows are the truth, columns what the method called it, in percent of the row, over "
        + (f"{total:,} people." if cases else f"the windows of all tested people ({total:,})."),
    )


def _classes(result: ValidationResult) -> Html:
    if not result.per_class:
        return Html("")
    keys = ("precision", "recall", "f1")
    rows = []
    for name, estimates in result.per_class.items():
        cells = [Measure(k).told(estimates[k]) if k in estimates else "–" for k in keys]
        rows.append((name, *cells))
    return table(
        ["class", "precision", "recall", "F1"],
        rows,
        caption="Each class: mean over people with its 95 % interval.",
        numbers_from=1,
    )


def _about(result: ValidationResult, material: Material) -> Html:
    about = material.about
    known = {
        "what": about.get("title"),
        "people": about.get("people"),
        "tasks": about.get("tasks"),
        "recordings": about.get("recordings"),
        "signals": about.get("signals"),
        "found in": about.get("origin"),
        "source": about.get("sources"),
        "licence": about.get("licence"),
        "to cite": about.get("citation"),
    }
    pairs: dict[str, object] = {}
    for term, told in known.items():
        if told:
            pairs[term] = "; ".join(map(str, told)) if isinstance(told, list | tuple) else told
    for term, key in (
        ("windows", "windows"),
        ("people tested", "people"),
        ("features", "features"),
    ):
        count = result.data.get(key)
        if count is not None:
            pairs[term] = f"{count:,}" if isinstance(count, int) else len(count)
    parts = [definitions(pairs)]
    for heading, key in (
        ("Known defects, and what is done about them", "defects"),
        ("Notes", "notes"),
    ):
        if about.get(key):
            parts += [element("h3", heading), listed(about[key])]
    return join(parts)


def _dropped(result: ValidationResult) -> Html:
    heading = element("h3", "What was left out, and why")
    if not result.dropped:
        return join([heading, element("p", "Nothing was left out.")])
    rows = table(["what", "why"], result.dropped, caption="", numbers_from=9)
    return element("div", heading, rows, class_="halves")


def _signals(material: Material) -> Html:
    parts = []
    for k, excerpt in enumerate(material.excerpts):
        drawn = signal_traces(excerpt, name=f"signal{k}")
        parts.append(figure(drawn, f"{excerpt.title}, as it enters the pipeline."))
    if material.spectra:
        drawn = spectra(material.spectra, title="Power spectral density (Welch)")
        parts.append(figure(drawn, "Median over recordings from all over the data, rest left out."))
    return join(parts)


def _split(result: ValidationResult) -> Html:
    split = result.split
    folds = split.get("folds")
    count = folds if isinstance(folds, int) else len(folds or ())
    pairs: dict[str, object] = {
        "name": code(split.get("name", "")),
        "scope": split.get("scope", ""),
        "folds": str(count),
        "fingerprint": code(split.get("fingerprint", "")),
    }
    return join([element("p", split_words(split)), definitions(pairs)])


def _pipeline(result: ValidationResult) -> Html:
    told = dict(pipeline_words(result.config))
    note = "The pipeline was rebuilt from this definition in every fold; nothing is inherited."
    return join([definitions(told), element("p", note), *_selection(result)])


def _selection(result: ValidationResult) -> Iterator[Html]:
    selection = result.selection
    if not selection:
        return
    yield element("h3", "What was selected")
    yield element("p", selection_words(selection))
    if selection["figures"]:
        rows = [(what, amount(value)) for what, value in sorted(selection["figures"].items())]
        yield table(["figure", "mean"], rows, caption="Mean over folds.", numbers_from=1)
    columns = in_order(selection.get("columns", {}), ())
    if columns:
        shares = sorted(columns.items(), key=lambda column: -column[1])
        yield table(
            ["column", "folds that took it"],
            [(name, f"{100 * share:.0f} %") for name, share in shares],
            caption="Folds share most of their training people, so they agree more than "
            "independent studies would.",
            numbers_from=1,
        )


def _confounds(confounds: Confounds, measure: Measure) -> Iterator[Html]:
    yield element(
        "p",
        "Small models that see one property of the recordings and nothing of the muscle, on the "
        "same folds. Where one is better than a guess, the label can be told from how recordings "
        "were made, and a figure like the model's would not prove that it looks at muscle.",
    )
    yield table(
        ["seen alone", measure.name, "95 % interval", "verdict"],
        confound_rows(confounds, measure),
        caption="Confound probes.",
        numbers_from=1,
    )
    if confounds.matched:
        rows = [
            (
                " or ".join(pair.classes),
                NAMES[pair.probe],
                f"{pair.auc.value:.3f}",
                f"{pair.auc.low:.3f} to {pair.auc.high:.3f}",
            )
            for pair in confounds.matched
        ]
        yield table(
            ["which of two", "people matched on", "AUC", "95 % interval"],
            rows,
            caption="The model on pairs of people whom the probe cannot tell apart; 0.5 is chance.",
            numbers_from=2,
        )
    if confounds.stability:
        yield table(
            ["tested recordings changed", measure.name, "change", "95 % interval"],
            stability_rows(confounds, measure),
            caption="The model, trained as before, on changed recordings.",
            numbers_from=1,
        )


def _audits(result: ValidationResult) -> Html:
    rows = []
    for audit in result.audits:
        kind = "passed" if audit.passed else "failed"
        rows.append((audit.name, element("span", kind, class_=f"{kind}-mark"), audit.text))
    return table(["what", "verdict", "seen"], rows, caption="Checked on every run.", numbers_from=9)


def _limits(result: ValidationResult, material: Material) -> Html:
    limits = [_NOT_A_DEVICE, _THESE_PEOPLE, _OFFLINE]
    if material.about.get("simulated"):
        limits.insert(0, _SIMULATED)
    if result.split.get("scope") != "across people":
        limits.append("The scores are about people whose data trained the model.")
    return listed([*limits, *result.notes])


def _again(result: ValidationResult, material: Material) -> Html:
    pairs: dict[str, object] = {"seed": str(result.seed)}
    for term, digest in (
        ("data digest", material.about.get("digest")),
        ("table digest", result.data.get("digest")),
        ("split fingerprint", result.split.get("fingerprint")),
    ):
        if digest:
            pairs[term] = code(digest)
    versions = ", ".join(f"{k} {v}" for k, v in sorted(result.environment.items()))
    pairs["versions"] = versions
    command = material.command or f"myograph evaluate --seed {shlex.quote(str(result.seed))}"
    return join([element("pre", code(command)), definitions(pairs)])


def _footer(result: ValidationResult, written: str) -> Html:
    told = [f"Written {written}." if written else ""]
    if result.run.seconds == result.run.seconds:  # not NaN
        told.append(f"The evaluation took {result.run.seconds:.1f} s.")
    return element(
        "footer",
        element("p", "Made by Myograph, research software; not a clinical device."),
        element("p", " ".join(filter(None, told)), id="written"),
    )
