"""The change plan: a template for the changes that a maker wants to make without asking again."""

from __future__ import annotations

from collections.abc import Mapping

from myograph.report.checklist import Checklist, item
from myograph.report.document import Document
from myograph.report.facts import Fact

__all__ = ["CHANGE_PLAN", "change_plan"]

_CHANGES, _DATA = "1 Changes that are planned", "2a Protocol: data"
_TRAINING, _TESTING = "2b Protocol: training", "2c Protocol: testing"
_UPDATING, _IMPACT = "2d Protocol: bringing it to users", "3 What the changes may do"

#: The three parts of a predetermined change control plan (``fda2025pccp``), in our own words.
CHANGE_PLAN = Checklist(
    name="change-plan",
    title="Predetermined change control plan (template)",
    about=(
        ("A template: which changes are allowed, how each is made and tested, and what it may do. "
        "The run says where the model stands today; every limit is for the authors to set, and "
        "none is suggested here. A change outside an authorised plan is a new matter for the "
        "regulator."),
        ("Three parts as the guidance of the FDA of August 2025 has them, not verified against its "
        "text. Myograph is research software: this page does not make a model a medical device, "
        "nor does it authorise anything."),
    ),
    items=(
        item("", _CHANGES, "the model as it stands", "locked model intended-use"),
        item("", _CHANGES, "each change: what, why, how often, for one person or for all", "",
             "the list of changes"),
        item("", _CHANGES, "what may never change", "target expects", "what else is fixed"),
        item("", _DATA, "data that the present model learned from", "training"),
        item("", _DATA, "new data: from whom, how many, how labelled, how kept apart from testing",
             "split sides", "sources, numbers, and people who are kept for testing only"),
        item("", _TRAINING, "what is trained anew, and when that is begun",
             "filters windows features scaling selection model seed",
             "which parts may be trained, and what begins it"),
        item("", _TESTING, "figures to be held against", "headline metrics baselines"),
        item("", _TESTING, "least figure for each, decided before", "",
             "acceptance limits, with the people they are measured on"),
        item("", _TESTING, "groups in which no loss is allowed", "people subgroups",
             "the groups and the limits"),
        item("", _TESTING, "leaks and confounds looked for again", "audits probes stability",
             "limits for the probes"),
        item("", _UPDATING, "how the old file is told from the new", "locked"),
        item("", _UPDATING, "how users are told, and how one goes back", "",
             "notice, monitoring, and when and how the old model returns"),
        item("", _IMPACT, "benefit and risk of each change, and of several together", "",
             "all of it"),
        item("", _IMPACT, "how the protocol keeps the risk small", "", "all of it"),
    ),
    reference="fda2025pccp",
)  # fmt: skip


def change_plan(known: Mapping[str, Fact], *, given: Mapping[str, str] | None = None) -> Document:
    """Write the template from what is known of a run, and from what the authors answer."""
    return CHANGE_PLAN.document(known, given)
