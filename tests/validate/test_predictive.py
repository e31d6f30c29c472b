"""Predictive values: published figures of a liver scan, Bayes' rule, intervals that cover."""

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.validate.predictive import DiagnosticCounts, count_answers, predictive_values

#: Liver scans in Altman and Bland's notes on diagnostic tests (BMJ 1994;308:1552 and 309:102).
SCAN = DiagnosticCounts(found=231, missed=27, alarmed=32, cleared=54)


def test_published_liver_scan():
    here = predictive_values(SCAN, prevalence=0.75)
    assert here.sensitivity.value == pytest.approx(0.90, abs=0.005)
    assert here.specificity.value == pytest.approx(0.63, abs=0.005)
    assert here.ppv.value == pytest.approx(0.88, abs=0.005)
    assert here.npv.value == pytest.approx(0.67, abs=0.005)
    assert here.ratio_yes.value == pytest.approx(2.4, abs=0.05)
    rarer = predictive_values(SCAN, prevalence=0.25)
    assert rarer.ppv.value == pytest.approx(0.45, abs=0.006)
    assert rarer.npv.value == pytest.approx(0.95, abs=0.006)


def test_at_the_prevalence_of_the_study_it_is_the_share_of_true_answers():
    here = predictive_values(SCAN, prevalence=258 / 344)
    assert here.ppv.value == pytest.approx(231 / 263)
    assert here.npv.value == pytest.approx(54 / 81)


def test_yes_and_no_mirror_each_other():
    here = predictive_values(SCAN, prevalence=0.3)
    mirrored = predictive_values(DiagnosticCounts(54, 32, 27, 231), prevalence=0.7)
    assert (mirrored.ppv.low, mirrored.ppv.high) == pytest.approx((here.npv.low, here.npv.high))
    assert mirrored.ratio_yes.value == pytest.approx(1 / here.ratio_no.value)


def test_intervals_cover_as_often_as_they_say():
    random = np.random.default_rng(5)
    sensitivity, specificity, prevalence = 0.8, 0.9, 0.1
    truth = {
        "ppv": 0.08 / (0.08 + 0.09),
        "npv": 0.81 / (0.81 + 0.02),
        "ratio_yes": 8.0,
        "ratio_no": 0.2 / 0.9,
    }
    inside = dict.fromkeys(truth, 0)
    for _ in range(800):
        found, cleared = random.binomial(80, sensitivity), random.binomial(120, specificity)
        counts = DiagnosticCounts(int(found), int(80 - found), int(120 - cleared), int(cleared))
        values = predictive_values(counts, prevalence=prevalence)
        for name, value in truth.items():
            each = getattr(values, name)
            inside[name] += each.low <= value <= each.high
    assert all(0.925 <= count / 800 <= 0.98 for count in inside.values()), inside


def test_empty_cell_is_corrected_and_said():
    values = predictive_values(DiagnosticCounts(20, 0, 3, 17), prevalence=0.5)
    assert values.corrected
    assert values.sensitivity.value == 1.0
    assert 0 < values.ratio_no.low < values.ratio_no.high < 1
    assert not predictive_values(SCAN, prevalence=0.5).corrected


def test_refused_people_are_counted():
    counts = count_answers(
        [True, True, False, False], [True, False, True, False], refused=[False, True, True, False]
    )
    assert counts == DiagnosticCounts(1, 0, 0, 1, refused_cases=1, refused_others=1)
    assert predictive_values(counts, prevalence=0.5).refused == 2


def test_refused_input():
    with pytest.raises(ParameterError, match="prevalence must lie in"):
        predictive_values(SCAN, prevalence=0.0)
    with pytest.raises(DataError, match="got 0 cases and 2 others"):
        predictive_values(DiagnosticCounts(0, 0, 1, 1), prevalence=0.5)
    with pytest.raises(DataError, match="one answer per person"):
        count_answers([True], [True, False])
