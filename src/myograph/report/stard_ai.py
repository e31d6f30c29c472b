"""STARD-AI: what a paper on the accuracy of a diagnostic test reports, and what a run answers."""

from __future__ import annotations

from myograph.report.checklist import Checklist, item

__all__ = ["STARD_AI"]

_FRONT, _INTRODUCTION, _PEOPLE = "Title and abstract", "Introduction", "Methods: people and data"
_TESTS, _ANALYSIS = "Methods: index test and reference standard", "Methods: analysis"
_RESULTS, _DISCUSSION, _OTHER = "Results", "Discussion", "Other information"

#: Numbers as in a transcription of the guideline (``sounderajah2025``).
STARD_AI = Checklist(
    name="stard-ai",
    title="STARD-AI checklist",
    about=(
        ("For papers on how well a test that uses artificial intelligence tells a condition, "
        "against a reference standard."),
        ("The run knows its labels and not whether they are diagnoses: where they are gestures or "
        "forces there is no diagnostic accuracy, and this checklist does not apply. The authors "
        "say which it is."),
    ),
    items=(
        item("1", _FRONT, "that it is a study of accuracy of such a test, with a measure of it",
             "title headline", "the title"),
        item("2", _FRONT, "structured abstract", "question headline counts", "the abstract"),
        item("3", _INTRODUCTION, "background, intended use and place in the work of a clinic",
             "intended-use", "background and place in the work"),
        item("4", _INTRODUCTION, "aims and hypotheses", "", "all of it"),
        item("5", _PEOPLE, "planned before the tests were made, or after", "", "all of it"),
        item("6", _PEOPLE, "ethical approval, or why none is needed", "", "all of it"),
        item("7", _PEOPLE, "who, and which data, could be part of it", "cohort dropped",
             "criteria of inclusion and exclusion"),
        item("8", _PEOPLE, "how people were found", "", "all of it"),
        item("9", _PEOPLE, "where and when", "", "all of it"),
        item("10", _PEOPLE, "consecutive, random or at hand", "", "all of it"),
        item("11", _PEOPLE, "where the data come from, and what they were first recorded for",
             "data source licence", "what they were first recorded for"),
        item("12", _PEOPLE, "who labelled the data, and how", "labels tasks", "who, and how"),
        item("13", _PEOPLE, "devices and software that recorded", "signals known-of-people",
             "maker, model and software of the device"),
        item("14", _PEOPLE, "recording and preparation of the data",
             "tasks filters windows recipe scaling", "the protocol of recording"),
        item("15a", _TESTS, "the test, so that it can be done again",
             "model output expects locked command"),
        item("15b", _TESTS, "how it was made: data for training, tuning and testing",
             "question split sides", "what was tuned before the run"),
        item("15c", _TESTS, "thresholds, and whether they were set beforehand", "output",
             "whether they were set beforehand"),
        item("15d", _TESTS, "for whom it is, and what they must be able to", "", "all of it"),
        item("16a", _TESTS, "the reference standard, so that it can be done again", "labels tasks",
             "the reference standard"),
        item("16b", _TESTS, "why this reference standard", "", "all of it"),
        item("16c", _TESTS, "its thresholds, and whether they were set beforehand", "",
             "all of it"),
        item("17a", _TESTS, "what those who read the test knew", "features",
             "whether a person had a part in reading it"),
        item("17b", _TESTS, "what those who gave the reference knew", "", "all of it"),
        item("18", _ANALYSIS, "how accuracy was estimated and compared", "measures baselines"),
        item("19", _ANALYSIS, "answers that are none", "output refusals", "how they were counted"),
        item("20", _ANALYSIS, "missing data", "dropped known-of-people",
             "what is missing in the source itself"),
        item("21", _ANALYSIS, "differences that were looked into", "probes stability people",
             "which of them were planned"),
        item("22", _ANALYSIS, "how many people, and why", "counts",
             "how the number was arrived at"),
        item("23", _ANALYSIS, "how fairness was looked into", "subgroups sites", "all of it"),
        item("24", _RESULTS, "people through the study, as a diagram", "counts dropped",
             "the diagram, with those who were asked and not recorded"),
        item("25", _RESULTS, "who they are, in training and in testing",
             "cohort sides known-of-people", "a table of age, sex and condition"),
        item("26a", _RESULTS, "how severe the condition was in those who have it", "balance",
             "the severity"),
        item("26b", _RESULTS, "what the others have", "balance", "their diagnoses"),
        item("27", _RESULTS, "time, and treatment, between test and reference", "", "all of it"),
        item("28", _RESULTS, "whether the tested stand for the intended people", "cohort balance",
             "who the intended people are"),
        item("29", _RESULTS, "how other data for testing differ", "question",
             "how they differ, where the data are others"),
        item("30", _RESULTS, "answers of the test against the reference", "classes balance",
             "the table: the confusion matrix is in the report and in result.json"),
        item("31", _RESULTS, "accuracy with intervals", "headline metrics classes worth"),
        item("32", _RESULTS, "harm done by test or reference", "", "all of it"),
        item("33", _DISCUSSION, "limits, and where bias may come from", "notes audits probes",
             "the reading of it"),
        item("34", _DISCUSSION, "what it means in practice", "intended-use", "the reading of it"),
        item("35", _DISCUSSION, "ethics and fairness of using it", "subgroups", "all of it"),
        item("36", _OTHER, "registration", "", "register and number, or that there was none"),
        item("37", _OTHER, "where the protocol is", "", "address, or that there was none"),
        item("38", _OTHER, "funding, and what the funders did", "", "all of it"),
        item("39", _OTHER, "commercial interests", "", "all of it"),
        item("40a", _OTHER, "where data and code are to be had",
             "source licence environment command", "address of the code"),
        item("40b", _OTHER, "whether outputs can be examined by others", "locked digest split",
             "who may examine them, and how"),
    ),
    reference="sounderajah2025",
    doi="10.1038/s41591-025-03953-8",
)  # fmt: skip
