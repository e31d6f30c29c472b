"""How figures and splits are worded: the same in a terminal, on a page and in a report."""

from myograph.report.figures import short
from myograph.report.gist import faithfulness_rows, summary_sentences
from myograph.report.robustness import robustness_rows
from myograph.report.subgroups import site_words, subgroup_rows
from myograph.report.trust import coverage_rows, ratio_rows, reliability_rows
from myograph.report.words import (
    Measure,
    confound_rows,
    plural,
    selection_words,
    split_words,
    stability_rows,
)

__all__ = [
    "Measure",
    "confound_rows",
    "coverage_rows",
    "faithfulness_rows",
    "plural",
    "ratio_rows",
    "reliability_rows",
    "robustness_rows",
    "selection_words",
    "short",
    "site_words",
    "split_words",
    "stability_rows",
    "subgroup_rows",
    "summary_sentences",
]
