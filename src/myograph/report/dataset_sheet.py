"""The dataset sheet: what the data of an evaluation are, and what nobody wrote down."""

from __future__ import annotations

from collections.abc import Mapping

from myograph.report.checklist import Checklist, item
from myograph.report.document import Document
from myograph.report.facts import Fact

__all__ = ["DATASET_SHEET", "dataset_sheet"]

_WHY, _WHAT, _HOW = "Why the data exist", "What they are", "How they were recorded"
_PREPARED, _USE, _KEPT = "What was done to them", "What they are for", "Where they are kept"

#: The questions of datasheets for datasets (``gebru2021``), in our own words and order.
DATASET_SHEET = Checklist(
    name="dataset-sheet",
    title="Dataset sheet",
    about=(
        ("The data that the evaluation used, after what was asked for was left out. What the "
        "source does not say is not guessed."),
    ),
    items=(
        item("", _WHY, "what they were recorded for, by whom, paid by whom", "citation",
             "purpose and funding"),
        item("", _WHAT, "the cohort", "data simulated cohort"),
        item("", _WHAT, "how many of everything", "counts"),
        item("", _WHAT, "labels", "target labels balance"),
        item("", _WHAT, "age, sex, device and site", "known-of-people",
             "a table of people, if the source has one"),
        item("", _WHAT, "errors and noise that are known", "defects"),
        item("", _WHAT, "what is confidential or could name a person", "",
             "whether people can be recognised"),
        item("", _HOW, "sensors and signals", "signals", "electrodes, places, amplifier"),
        item("", _HOW, "what people did", "tasks"),
        item("", _HOW, "who was asked, when, and what they agreed to", "",
             "recruiting, dates, consent, ethics committee"),
        item("", _PREPARED, "what was left out, and why", "dropped-whole"),
        item("", _PREPARED, "filters, windows and what is measured", "filters windows recipe"),
        item("", _USE, "what may and may not be concluded", "data-notes",
             "uses that would be wrong"),
        item("", _USE, "what else tells the label", "probes"),
        item("", _KEPT, "where from, which version, on which terms", "source licence digest"),
        item("", _KEPT, "who looks after them, and how errors are reported", "",
             "a person or an address"),
    ),
    reference="gebru2021",
)  # fmt: skip


def dataset_sheet(known: Mapping[str, Fact], *, given: Mapping[str, str] | None = None) -> Document:
    """Write the sheet from what is known of a run, and from what the authors answer."""
    return DATASET_SHEET.document(known, given)
