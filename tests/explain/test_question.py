"""What is asked: which windows, which classes, and the number that stands for the decision."""

from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.explain.question import Stretch, ask
from myograph.pipeline.pipeline import Pipeline


def test_the_evidence_of_a_stretch_is_the_log_odds_of_its_decision(question):
    target, against = (question.classes.index(n) for n in (question.target, question.against))
    odds = np.log(question.proba[target] / question.proba[against])
    assert question.evidence.mean() == pytest.approx(odds, rel=1e-9)


def test_the_decided_class_and_the_next_are_asked_about(lda, newcomer, fist):
    asked = fist(lda, newcomer)
    assert asked.target == asked.decided == "fist"
    assert asked.against == asked.classes[int(np.argsort(-asked.proba)[1])]


def test_a_share_of_votes_is_told_with_half_a_vote_more(forest, newcomer, fist):
    asked = fist(forest, newcomer, against="rest")
    proba = asked.probabilities(asked.inputs)
    votes = 8 * proba[:, [asked.classes.index(n) for n in ("fist", "rest")]]
    expected = np.log((votes[:, 0] + 0.5) / (votes[:, 1] + 0.5))
    np.testing.assert_allclose(asked.evidence, expected, atol=1e-12)
    assert np.abs(asked.evidence).max() <= np.log(17) + 1e-12


def test_neighbours_vote_and_discriminants_do_not(people, fitted):
    assert fitted("knn", people, n_neighbours=7).model.votes == 7
    assert fitted("lda", people).model.votes == 0


def test_windows_are_those_of_the_pipeline(lda, newcomer):
    asked = ask(lda, newcomer)
    said = np.stack([d.probabilities for d in lda.predict(newcomer)])
    assert np.allclose(asked.probabilities(asked.inputs), said[asked.rows])


@pytest.mark.parametrize(
    ("stretch", "rows"),
    [
        (Stretch(window=3), [3]),
        (Stretch(time_s=1.1), [10]),
        (Stretch(start_s=0.0, stop_s=0.5), [0, 1, 2, 3]),
        (Stretch(most=3), [0, 29, 58]),
    ],
)
def test_a_stretch_is_chosen(lda, newcomer, stretch, rows):
    assert ask(lda, newcomer, stretch=stretch).rows.tolist() == rows


@pytest.mark.parametrize(
    ("stretch", "error", "told"),
    [
        (Stretch(window=99), ParameterError, "one of 0 to 58"),
        (Stretch(window=-1), ParameterError, "at least 0"),
        (Stretch(time_s=7.0), ParameterError, "0 to 6 s; got 7"),
        (Stretch(start_s=5.95), DataError, "No window lies between"),
        (Stretch(window=1, time_s=1.0), ParameterError, "by time_s, by window or by"),
        (Stretch(most=0), ParameterError, "most must be at least 1"),
    ],
)
def test_a_stretch_that_is_not_there_is_refused(lda, newcomer, stretch, error, told):
    with pytest.raises(error, match=told):
        ask(lda, newcomer, stretch=stretch)


def test_hostile_questions_are_refused(lda, newcomer, make_recording, config):
    with pytest.raises(ParameterError, match="target must be one of"):
        ask(lda, newcomer, target="fits")
    with pytest.raises(ParameterError, match="another class than 'fist'"):
        ask(lda, newcomer, target="fist", against="fist")
    with pytest.raises(LayoutError, match="trained for another recording"):
        ask(lda, make_recording())
    with pytest.raises(DataError, match="gives no window"):
        ask(lda, newcomer.crop(0.0, 0.1))
    with pytest.raises(ParameterError, match="not learned anything yet"):
        ask(Pipeline({**config, "model": {"name": "lda"}}), newcomer)
