"""Similar cases are of other people; counterfactuals are confirmed by the model."""

from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.explain.cases import similar_cases
from myograph.explain.counterfactual import Change, Counterfactual
from myograph.explain.flip import feature_counterfactual, gain_counterfactual
from myograph.explain.question import Stretch, ask


def test_the_nearest_cases_did_the_same(question, table):
    found = similar_cases(question, table)
    assert [case.label for case in found.nearest] == ["fist"] * 5
    assert len({case.person for case in found.nearest}) == 5
    assert [c.distance for c in found.nearest] == sorted(c.distance for c in found.nearest)
    assert found.people == 5
    assert not found.seen


def test_the_person_is_never_among_them(lda, people, table, fist, renamed):
    found = similar_cases(fist(lda, people[0]), table)
    assert found.seen
    assert "p01" not in {case.person for case in found.nearest}
    # nor under another name, when the samples are the same
    hidden = similar_cases(fist(lda, renamed(people[0], "other")), table)
    assert "p01" not in {case.person for case in hidden.nearest}
    assert hidden.people == 4


def test_whole_windows_have_similar_cases_too(people, newcomer, fitted, fist):
    pipeline = fitted("tangent-space", people)
    found = similar_cases(fist(pipeline, newcomer), pipeline.prepare(people), n=3)
    assert [case.label for case in found.nearest] == ["fist"] * 3


def test_hostile_references_are_refused(question, lda, people, table, fitted, fist):
    with pytest.raises(DataError, match="other features"):
        similar_cases(question, fitted("lda", people, features=("mav",)).prepare(people))
    with pytest.raises(DataError, match="nobody but the person"):
        similar_cases(fist(lda, people[0]), lda.prepare(people[:1]))
    with pytest.raises(ParameterError, match="n must be at least 1"):
        similar_cases(question, table, n=0)


@pytest.mark.parametrize("model", ["lda", "logistic", "random-forest", "svm"])
def test_a_counterfactual_is_confirmed_by_the_model(people, newcomer, model, fitted, fist):
    pipeline = fitted(model, people)
    question = fist(pipeline, newcomer)
    rows = pipeline.taken(pipeline.scale(pipeline.prepare(people).values))
    found = feature_counterfactual(question, rows, wanted="open")
    assert found.found
    assert found.method == ("search" if model in ("random-forest", "svm") else found.method)
    shift = np.zeros(len(question.names))
    for change in found.changes:
        shift[question.names.index(change.name)] = (
            change.size * rows.std(axis=0)[question.names.index(change.name)]
        )
    said = np.log(np.maximum(question.probabilities(question.inputs + shift), 1e-6)).mean(axis=0)
    assert question.classes[int(said.argmax())] == "open"
    mean = question.inputs.mean(axis=0)
    low, high = np.quantile(rows, [0.01, 0.99], axis=0)
    after = mean + shift
    assert (after >= np.minimum(low, mean) - 1e-9).all()
    assert (after <= np.maximum(high, mean) + 1e-9).all()


def test_the_closed_form_is_the_smallest_change(people, newcomer, fitted, fist):
    """No other change with a smaller sum of deviations crosses the plane: checked on a grid."""
    pipeline = fitted("logistic", people, features=("mav",))
    question = fist(pipeline, newcomer, target="fist", against="rest")
    rows = pipeline.taken(pipeline.scale(pipeline.prepare(people).values))
    found = feature_counterfactual(question, rows, wanted="rest")
    assert found.method == "closed form"
    size = sum(abs(change.size) for change in found.changes)
    spread, mean = rows.std(axis=0), question.inputs.mean(axis=0)
    low, high = np.quantile(rows, [0.01, 0.99], axis=0)
    rng = np.random.default_rng(0)
    for _ in range(400):
        direction = rng.standard_normal(3)
        shift = direction / np.abs(direction).sum() * 0.97 * size * spread
        inside = (mean + shift >= np.minimum(low, mean)) & (mean + shift <= np.maximum(high, mean))
        if inside.all():
            proba = question.probabilities(question.inputs + shift)
            said = np.log(proba).mean(axis=0)
            assert question.classes[int(said.argmax())] != "rest"


def test_the_muscle_that_would_flip_it_is_named(question):
    found = gain_counterfactual(question, wanted="rest")
    assert found.changes[0].name == "b"
    assert found.changes[0].size < 1
    assert "times weaker" in found.sentence
    assert found.probability > 0.3


def test_what_cannot_be_flipped_is_said(lda, person):
    """A person at rest cannot become a fist within what two windows of rest show."""
    quiet = person(9)
    question = ask(lda, quiet, stretch=Stretch(start_s=0.0, stop_s=2.0))
    rows = question.inputs[:2]
    found = feature_counterfactual(question, rows, wanted="fist", most=1)
    assert not found.found
    assert "No change of features" in found.sentence


def test_names_are_told_as_they_are_and_numbers_with_a_minus():
    change = Change("emg6.log-covariance", -0.773, 3.44, "", -2.1)
    told = Counterfactual("open", (change,), 0.51, "search", "features").sentence
    assert "(emg6.log-covariance) been 3.44 instead of −0.773 (−2.1 SD)" in told


def test_hostile_wishes_are_refused(question, reference):
    with pytest.raises(ParameterError, match="already says 'fist'"):
        gain_counterfactual(question, wanted="fist")
    with pytest.raises(ParameterError, match="wanted must be one of"):
        feature_counterfactual(question, reference, wanted="wave")
    with pytest.raises(DataError, match="at least two rows"):
        feature_counterfactual(question, reference[:1], wanted="rest")
