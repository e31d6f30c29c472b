"""PROBAST+AI: what those who judge a prediction study ask, and what a run answers of it."""

from __future__ import annotations

from myograph.report.checklist import Checklist, Item, item

__all__ = ["PROBAST_AI"]

_JUDGE = "the judgement"
_DOMAINS = ("1 people and sources", "2 predictors", "3 outcome", "4 analysis")


def _shared(part: str) -> tuple[Item, ...]:
    """Return the questions of the first three domains, which both parts ask."""
    people, predictors, outcome, _ = (f"{part}: {name}" for name in _DOMAINS)
    mark = part[0]
    return (
        item(f"{mark} 1.1", people, "are the sources of data fit for it",
             "data simulated source licence", _JUDGE),
        item(f"{mark} 1.2", people, "is the design of the study fit for it", "question split",
             f"{_JUDGE}, and the design in which the data were recorded"),
        item(f"{mark} 1.3", people, "do those let in and left out stand for the intended people",
             "cohort counts dropped", f"{_JUDGE}, and who the intended people are"),
        item(f"{mark} 1 applicability", people, "do the people fit the question", "cohort", _JUDGE),
        item(f"{mark} 2.1", predictors, "measured in the same way for all", "signals features",
             f"{_JUDGE}, and whether electrodes were placed alike"),
        item(f"{mark} 2.2", predictors, "prepared in the same way for all",
             "filters windows scaling audits", _JUDGE),
        item(f"{mark} 2.3", predictors, "measured without knowledge of the outcome", "features",
             f"{_JUDGE}: features are computed, but were people recorded under the label"),
        item(f"{mark} 2.4", predictors, "at hand when the model is to be used", "expects",
             _JUDGE),
        item(f"{mark} 2 applicability", predictors, "do the predictors fit the question",
             "signals features", _JUDGE),
        item(f"{mark} 3.1", outcome, "defined and found out properly", "target labels tasks",
             _JUDGE),
        item(f"{mark} 3.2", outcome, "found out in the same way for all", "labels", _JUDGE),
        item(f"{mark} 3.3", outcome, "found out without the predictors", "labels",
             f"{_JUDGE}: was the label given with a view of the signal"),
        item(f"{mark} 3.4", outcome, "at the right distance in time from the predictors",
             "windows", _JUDGE),
        item(f"{mark} 3 applicability", outcome, "does the outcome fit the question", "target",
             _JUDGE),
    )  # fmt: skip


#: 16 questions on development and 18 on evaluation, as the abstract counts them, with the
#: judgements on applicability (``moons2025``).
PROBAST_AI = Checklist(
    name="probast-ai",
    title="PROBAST+AI form",
    about=(
        ("For those who judge quality, risk of bias and applicability of a prediction model. It is "
        "a judgement, so no question is answered here: each stands beside what the run says to it. "
        "D marks the part on development, E the part on evaluation."),
        "An author's own judgement is no independent one.",
    ),
    items=(
        *_shared("Development"),
        item("D 4.1", "Development: 4 analysis", "enough people", "counts balance", _JUDGE),
        item("D 4.2", "Development: 4 analysis", "predictors handled properly",
             "features scaling selection", _JUDGE),
        item("D 4.3", "Development: 4 analysis", "missing data handled properly",
             "dropped known-of-people", _JUDGE),
        item("D 4.4", "Development: 4 analysis",
             "where classes were evened out, predictions set right again", "balance calibration",
             f"{_JUDGE}, and whether classes were evened out"),
        item("D 4.5", "Development: 4 analysis", "measures against overfitting",
             "model selection split", _JUDGE),
        *_shared("Evaluation"),
        item("E 4.1", "Evaluation: 4 analysis", "not only tested on what it was trained on",
             "question sides audits", _JUDGE),
        item("E 4.2", "Evaluation: 4 analysis", "enough people", "counts headline", _JUDGE),
        item("E 4.3", "Evaluation: 4 analysis", "missing data handled properly",
             "dropped known-of-people", _JUDGE),
        item("E 4.4", "Evaluation: 4 analysis", "tested on classes as they are, not evened out",
             "balance", _JUDGE),
        item("E 4.5", "Evaluation: 4 analysis", "no leak between the sides of the split",
             "audits sides probes", _JUDGE),
        item("E 4.6", "Evaluation: 4 analysis", "every step of development done anew in each fold",
             "audits selected", f"{_JUDGE}, and what was chosen before the run with these data"),
        item("E 4.7", "Evaluation: 4 analysis", "all sides of performance measured",
             "metrics calibration benefit", _JUDGE),
        item("D overall", "Overall", "quality of the development", "", _JUDGE),
        item("E overall", "Overall", "risk of bias of the evaluation", "probes audits", _JUDGE),
        item("applicability overall", "Overall", "does it fit the question", "", _JUDGE),
    ),
    reference="moons2025",
    doi="10.1136/bmj-2024-082505",
)  # fmt: skip
