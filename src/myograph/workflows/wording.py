"""How figures and splits are worded: the same in a terminal, on a page and in a report."""

from myograph.report.comparison import (
    PAIR_HEADERS,
    comparison_rows,
    comparison_sentences,
    entry_rows,
    reach_words,
    test_words,
)
from myograph.report.figures import short
from myograph.report.gist import faithfulness_rows, summary_sentences
from myograph.report.refusals import (
    CLASS_HEADERS,
    OUTCOME_HEADERS,
    class_rows,
    outcome_rows,
    refusal_sentences,
)
from myograph.report.robustness import robustness_rows
from myograph.report.subgroups import site_words, subgroup_rows
from myograph.report.trust import coverage_rows, ratio_rows, reliability_rows
from myograph.report.words import (
    Measure,
    chance_words,
    confound_rows,
    plural,
    rule_words,
    selection_words,
    split_words,
    stability_rows,
)

__all__ = [
    "CLASS_HEADERS",
    "OUTCOME_HEADERS",
    "PAIR_HEADERS",
    "Measure",
    "chance_words",
    "class_rows",
    "comparison_rows",
    "comparison_sentences",
    "confound_rows",
    "coverage_rows",
    "entry_rows",
    "faithfulness_rows",
    "outcome_rows",
    "plural",
    "ratio_rows",
    "reach_words",
    "refusal_sentences",
    "reliability_rows",
    "robustness_rows",
    "rule_words",
    "selection_words",
    "short",
    "site_words",
    "split_words",
    "stability_rows",
    "subgroup_rows",
    "summary_sentences",
    "test_words",
]
