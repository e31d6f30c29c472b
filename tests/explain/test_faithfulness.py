"""Faithfulness: a true explanation beats random orders, a false one does not and says so."""

from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError
from myograph.explain.cell_game import CellGame
from myograph.explain.faithfulness import Randomisation, judge, randomisation, shuffled
from myograph.explain.game import Game
from myograph.explain.shapley import shapley
from myograph.explain.signal_game import MuscleGame


class Sum(Game):
    """Evidence that is the sum of what is there: whose best explanation is known."""

    about, away = "part", "nothing"

    def __init__(self, worth):
        self.parts = np.asarray(worth, dtype=float)
        self.names, self.unit = tuple(map(str, self.parts)), "log-odds"

    def worth(self, keep):
        return (keep @ self.parts)[:, None]

    def with_question(self, question):
        return self


def test_areas_are_those_of_the_definition():
    found = judge(Sum([3.0, 1.0, 0.0, -1.0]), np.array([3.0, 1.0, 0.0, -1.0]))
    assert found.deletion.evidence.tolist() == [3.0, 0.0, -1.0, -1.0, 0.0]
    assert found.insertion.evidence.tolist() == [0.0, 3.0, 4.0, 4.0, 3.0]
    assert found.deletion.area == pytest.approx((1.5 + 0 - 1 - 1 + 0) / 4)
    assert found.insertion.area == pytest.approx((0 + 3 + 4 + 4 + 1.5) / 4)


def test_a_true_explanation_is_faithful_and_its_opposite_is_not():
    worth = np.linspace(-1, 3, 12)
    assert judge(Sum(worth), worth).faithful
    assert judge(Sum(worth), worth).score > 0
    wrong = judge(Sum(worth), -worth)
    assert not wrong.faithful
    assert wrong.score < 0
    assert "Not to be relied on" in wrong.sentence


def test_random_explanations_are_rarely_called_faithful():
    worth = np.random.default_rng(1).standard_normal(12)
    called = [
        judge(Sum(worth), np.random.default_rng(seed).standard_normal(12), seed=seed).faithful
        for seed in range(60)
    ]
    assert np.mean(called) < 0.12


def test_the_share_of_the_best_is_known_where_all_orders_are():
    worth = np.array([5.0, 1.0, 0.0, -1.0, 0.5, 2.0])
    assert judge(Sum(worth), worth).of_best == pytest.approx(1.0)
    assert judge(Sum(worth), worth).deletion.unbeaten
    near = worth.copy()
    near[[1, 4]] = near[[4, 1]]
    found = judge(Sum(worth), near)
    assert 0.9 < found.of_best < 1.0
    assert not found.deletion.unbeaten
    assert judge(Sum(np.linspace(-1, 3, 12)), np.linspace(-1, 3, 12)).of_best is None


def test_one_part_that_decides_alone_can_be_explained_faithfully():
    worth = np.array([0.0, 0.0, 4.0, 0.0, 0.0, 0.0])
    found = judge(Sum(worth), worth, n_orders=200)
    assert not found.deletion.better  # one in six random orders begins with it as well
    assert found.faithful
    assert "none of all orders is faster" in found.sentence
    for other in (0, 1, 3, 4, 5):
        wrong = judge(Sum(worth), np.eye(6)[other], n_orders=200)
        assert not wrong.faithful


def test_where_nothing_matters_no_explanation_is_faithful():
    found = judge(Sum(np.zeros(6)), np.arange(6.0))
    assert not found.faithful
    assert found.score == 0


def test_the_planted_muscle_is_explained_faithfully(question):
    cells = CellGame(question, np.linspace(2.0, 4.0, 6))
    found = judge(cells, cells.alone().ravel(), n_orders=20)
    assert found.faithful
    assert found.sentence.startswith("Faithful")


def test_an_explanation_changes_with_the_model(question):
    game = MuscleGame(question)
    values = shapley(game).values
    checked = randomisation(
        question, values, lambda other: shapley(game.with_question(other)).values, n_models=8
    )
    assert len(checked.alike) == 8
    assert checked.passed
    assert abs(checked.mean) < 0.5


def test_an_explanation_that_ignores_the_model_fails(question):
    energy = np.array([1.0, 16.0, 1.5])
    checked = randomisation(question, energy, lambda other: energy)
    assert checked.mean == 1.0
    assert checked.passed is False
    worth = np.linspace(-1, 3, 12)
    found = judge(Sum(worth), worth, checked=checked)
    assert not found.faithful
    assert "shuffled parameters gets nearly the same" in found.sentence


@pytest.mark.parametrize(
    "model",
    ["lda", "logistic", "random-forest", "naive-bayes", "knn", "svm", "mdm", "tangent-space"],
)
def test_parameters_can_be_shuffled(people, newcomer, model, fitted, fist):
    question = fist(fitted(model, people), newcomer)
    other = shuffled(question.model, seed=1)
    assert other is not None
    said = other.predict_proba(question.inputs)
    assert said.shape == (len(question.inputs), 3)


def test_hostile_judgements_are_refused():
    with pytest.raises(DataError, match="one value per part"):
        judge(Sum(np.arange(5.0)), np.arange(4.0))
    with pytest.raises(DataError, match="too few orders"):
        judge(Sum(np.arange(3.0)), np.arange(3.0))
    assert Randomisation(why_not="x").passed is None
