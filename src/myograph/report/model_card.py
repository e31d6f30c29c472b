"""The model card of an evaluation: for whom, from what, how well, and what stands against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from myograph.report.checklist import Checklist, item
from myograph.report.document import Block, Document, Grid, Listing, Section
from myograph.report.facts import Evidence, Fact
from myograph.report.words import Measure, plural

__all__ = ["MODEL_CARD", "model_card"]

_MODEL, _USE, _LEARNED = "The model", "What it is for", "What it learned from"
_TESTED, _OPEN = "How it was tested", "What is not known"

#: The questions of model cards (``mitchell2019``), in our own words and order.
MODEL_CARD = Checklist(
    name="model-card",
    title="Model card",
    about=("Research software and decision support: not a medical device.",),
    items=(
        item("", _MODEL, "what it is", "title target output"),
        item("", _MODEL, "the file", "locked"),
        item("", _MODEL, "from samples to answers",
             "filters windows features recipe scaling selection model"),
        item("", _MODEL, "what it expects", "expects"),
        item("", _MODEL, "versions", "environment"),
        item("", _MODEL, "who made it, and whom to ask", "", "names and an address"),
        item("", _USE, "intended use", "intended-use", "users and setting"),
        item("", _USE, "uses that would be wrong", "", "what it must not be used for"),
        item("", _LEARNED, "data", "data simulated cohort licence training"),
        item("", _TESTED, "who was judged by which model", "question split sides"),
        item("", _TESTED, "audits", "audits"),
        item("", _TESTED, "what else tells the label", "probes matched"),
        item("", _TESTED, "the same on changed recordings", "stability"),
        item("", _TESTED, "the same on spoilt recordings", "robustness"),
        item("", _TESTED, "when it does not answer", "refusals"),
        item("", _OPEN, "groups", "subgroups sites known-of-people"),
        item("", _OPEN, "calibration and benefit", "calibration benefit worth"),
        item("", _OPEN, "ethics and harm", "", "who could be harmed, and how that is prevented"),
    ),
    reference="mitchell2019",
)  # fmt: skip


def model_card(
    evidence: Evidence,
    known: Mapping[str, Fact],
    *,
    against: Sequence[str] = (),
    given: Mapping[str, str] | None = None,
) -> Document:
    """Write the card.

    Parameters
    ----------
    evidence : Evidence
    known : mapping of str to Fact
        What `myograph.report.facts.facts` found.
    against : sequence of str
        What stands against the figures, said first.
    given : mapping of str to str, optional
        Topic, and what the authors answer.
    """
    written = MODEL_CARD.document(known, given)
    figures = Section("How well", tuple(_figures(evidence)))
    before = Section("Read this first", (Listing(tuple(against)),)) if against else None
    place = 1 + [section.heading for section in written.sections].index(_TESTED)
    sections = [*written.sections[:place], figures, *written.sections[place:]]
    return replace(written, sections=tuple(filter(None, (before, *sections))))


def _figures(evidence: Evidence) -> list[Block]:
    result = evidence.result
    rows = [
        (Measure(key).name, Measure(key).value(e.value), Measure(key).interval(e),
         plural(e.n, e.evidence))
        for key, e in result.metrics.items()
    ]  # fmt: skip
    blocks: list[Block] = [
        Grid(("metric", "mean", "95 % interval", "evidence"), tuple(rows), "Over people.")
    ]
    measure = Measure(result.headline)
    rungs = [
        (name, measure.value(e.value), measure.interval(e)) for name, e in result.ladder.items()
    ]
    if result.chance is not None:
        rungs.append((measure.guess, measure.value(result.chance), "–"))
    if rungs:
        headers = ("beside it", measure.name, "95 % interval")
        blocks.append(Grid(headers, tuple(rungs), "Simple methods on the same folds."))
    people = tuple(
        (p, measure.value(v)) for p, v in sorted(result.per_person[result.headline].items())
    )
    blocks.append(Grid(("person", measure.name), people, "Person by person."))
    if result.classes and result.confusion.size:
        counts = tuple(
            (name, *(f"{n:,}" for n in row))
            for name, row in zip(result.classes, result.confusion.tolist(), strict=True)
        )
        cases = result.headline.startswith("person_")
        told = (
            f"Tested {'people' if cases else 'windows'}: rows are the truth, columns what they "
            "were called."
        )
        blocks.append(Grid(("truth", *result.classes), counts, told))
    return blocks
