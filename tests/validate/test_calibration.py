"""Calibration: a known temperature is found, steps rise, and nobody calibrates themselves."""

import numpy as np
import pytest

from myograph.core.errors import DataError, FormatError, ParameterError
from myograph.validate.answers import Answers
from myograph.validate.calibration import (
    METHODS,
    Calibration,
    calibrate_across,
    fit_calibration,
)
from myograph.validate.reliability import measure_reliability

CLASSES = ("a", "b", "c")


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_known_temperature_is_recovered(simulated, temperature):
    fitted = fit_calibration(simulated(400, temperature=temperature), method="temperature")
    assert fitted.parameters["temperature"][0] == pytest.approx(temperature, rel=0.06)


def test_platt_undoes_a_line_on_the_log_odds():
    random = np.random.default_rng(1)
    z = random.normal(0, 1.5, 20_000)
    yes = random.random(20_000) < 1 / (1 + np.exp(-(0.4 + 0.5 * z)))
    first = 1 / (1 + np.exp(-z))
    answers = Answers.of(
        np.column_stack([1 - first, first]),
        np.where(yes, "ill", "fit"),
        np.arange(20_000),
        classes=("fit", "ill"),
    )
    fitted = fit_calibration(answers, method="platt")
    assert fitted.parameters["slope"][1] == pytest.approx(0.5, abs=0.03)
    assert fitted.parameters["intercept"][1] == pytest.approx(0.4, abs=0.04)
    # Two classes, each against the other: the same line seen from both sides.
    assert fitted.parameters["slope"][0] == pytest.approx(0.5, abs=0.03)


def test_mixture_is_as_likely_as_what_made_the_data(simulated):
    answers = simulated(400, temperature=2.0, seed=8)
    random = np.random.default_rng(0)
    guessed = random.random(len(answers.truth)) < 0.3
    truth = np.where(guessed, random.integers(0, 3, len(guessed)), answers.truth)
    answers = Answers(answers.proba, truth, answers.people, answers.classes)
    made = Calibration("mixture", CLASSES, {"temperature": [2.0], "shares": [0.7, 0.0, 0.3]}, 400)
    fitted = {
        method: fit_calibration(answers, method=method) for method in ("mixture", "temperature")
    }
    rows = np.arange(len(truth))
    loss = {
        name: -np.log(each.apply(answers.proba)[rows, truth]).mean()
        for name, each in {"made": made, **fitted}.items()
    }
    # The greatest likelihood is at least that of the truth, and above it by chance alone.
    assert loss["made"] - 0.001 < loss["mixture"] <= loss["made"] + 1e-6
    assert loss["temperature"] > loss["made"] + 0.003
    assert sum(fitted["mixture"].parameters["shares"]) == pytest.approx(1)


def test_isotonic_is_monotone_and_is_the_mean_of_its_steps(simulated):
    answers = simulated(100, temperature=2.0, seed=3)
    fitted = fit_calibration(answers, method="isotonic")
    for k in range(3):
        y = np.array(fitted.parameters["y"][k])
        assert (np.diff(y) >= 0).all()
        assert (np.diff(fitted.parameters["x"][k]) > 0).all()
        rated = np.interp(answers.proba[:, k], fitted.parameters["x"][k], y)
        # Least squares under order keeps the mean (people weigh alike here).
        assert rated.mean() == pytest.approx((answers.truth == k).mean(), abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_error_falls_on_other_people(simulated, method):
    bold = simulated(200, temperature=3.0, seed=4)
    fitted = fit_calibration(simulated(200, temperature=3.0, seed=5), method=method)
    after = bold.replaced(fitted.apply(bold.proba))
    assert measure_reliability(bold).ece.value > 0.12
    assert measure_reliability(after).ece.value < 0.03
    assert after.proba.sum(axis=1) == pytest.approx(1)
    assert (after.predicted == bold.predicted).mean() > (
        0.999 if method in ("temperature", "mixture") else 0.95
    )


@pytest.mark.parametrize("method", METHODS)
def test_survives_being_saved(simulated, method):
    answers = simulated(30, temperature=2.0)
    fitted = fit_calibration(answers, method=method)
    again = Calibration.from_dict(fitted.to_dict())
    assert np.array_equal(again.apply(answers.proba), fitted.apply(answers.proba))


@pytest.mark.parametrize("method", METHODS)
def test_own_labels_do_not_enter_own_map(simulated, method):
    answers = simulated(12, temperature=2.0)
    mine = answers.person(4)
    truth = answers.truth.copy()
    truth[mine] = (truth[mine] + 1) % 3
    other = Answers(answers.proba, truth, answers.people, answers.classes)
    before, after = (calibrate_across(each, method=method).proba for each in (answers, other))
    assert np.array_equal(before[mine], after[mine])
    rest = answers.person(4, others=True)
    assert not np.array_equal(before[rest], after[rest])


def test_people_count_alike_however_many_windows(simulated):
    answers = simulated(30, temperature=2.0)
    rows = np.concatenate([np.arange(len(answers.truth)), *[answers.person(0)] * 50])
    once, often = (
        fit_calibration(each, method="temperature").parameters["temperature"][0]
        for each in (answers, answers.take(rows))
    )
    assert often == pytest.approx(once, abs=1e-4)


def test_rows_without_any_step_are_given_back():
    zero = Calibration("isotonic", ("a", "b"), {"x": [[0, 1]] * 2, "y": [[0, 0]] * 2}, 3)
    assert zero.apply([[0.3, 0.7]]).tolist() == [[0.3, 0.7]]


def test_refused(simulated):
    answers = Answers.of([[0.5, 0.5]] * 2, ["a", "a"], ["p", "q"], classes=("a", "b"))
    with pytest.raises(DataError, match=r"no window of \['b'\]"):
        fit_calibration(answers, method="platt")
    with pytest.raises(ParameterError, match="Did you mean 'platt'"):
        fit_calibration(answers, method="plat")
    with pytest.raises(DataError, match="at least 2 people"):
        calibrate_across(answers.take(np.array([0])), method="platt")
    fitted = fit_calibration(simulated(10), method="temperature")
    with pytest.raises(DataError, match="about 3 classes"):
        fitted.apply([[0.5, 0.5]])
    with pytest.raises(FormatError, match="lacks 'parameters'"):
        Calibration.from_dict({"method": "platt", "classes": []})
