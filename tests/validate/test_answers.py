"""Answers: every person weighs the same, and what does not fit is refused."""

import numpy as np
import pytest

from myograph.core.errors import DataError
from myograph.validate.answers import Answers
from myograph.validate.result import Predictions


def said(proba=((0.9, 0.1), (0.2, 0.8), (0.6, 0.4)), people=("p", "p", "q")):
    return Answers.of(proba, ["a", "a", "b"], people, classes=("a", "b"))


def test_every_person_weighs_one():
    answers = said()
    assert answers.weights.tolist() == [0.5, 0.5, 1.0]
    assert answers.by_person(answers.right).tolist() == [0.5, 0.0]
    assert answers.by_person(np.array([np.nan, 3.0, np.nan]))[0] == 3.0
    assert answers.take(answers.person(0)).weights.tolist() == [0.5, 0.5]
    assert answers.person(0, others=True).tolist() == [2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"proba": [[0.9, 0.2]] * 3}, "sum to 1"),
        ({"proba": [[np.nan, 1.0]] * 3}, "finite"),
        ({"proba": [[1.5, -0.5]] * 3}, "0 or more"),
        ({"proba": [[1.0]] * 3}, "one row of 2 probabilities"),
        ({"people": ["p", "q"]}, "a person for each"),
    ],
)
def test_refused(change, message):
    with pytest.raises(DataError, match=message):
        said(**change)


def test_unknown_class_is_named():
    with pytest.raises(DataError, match="a true class must be one of"):
        Answers.of([[0.5, 0.5]], ["z"], ["p"], classes=("a", "b"))


def test_people_of_two_classes_are_not_cases(make_index):
    index = make_index(people=2, trials=1, windows=1, labels=("a", "b"))
    output = np.tile([0.7, 0.3], (len(index), 1))
    predictions = Predictions(np.arange(len(index)), np.zeros(len(index), int), output, index)
    assert Answers.of_predictions(predictions, ("a", "b")).right.tolist() == [True, False] * 2
    with pytest.raises(DataError, match="windows of 2 classes"):
        Answers.of_cases(predictions, ("a", "b"), method="vote")
