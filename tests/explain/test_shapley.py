"""Shapley values: closed forms, brute force, and the sums they promise."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.explain.cell_game import BandCellGame, CellGame
from myograph.explain.explanation import Groups, gathered
from myograph.explain.game import FeatureGame, every_mask
from myograph.explain.parts import bands_of, families, muscles
from myograph.explain.shapley import linear_shap, occlusion, shapley
from myograph.explain.signal_game import BandGame, MuscleGame
from myograph.explain.tree_shap import tree_shap


def by_orders(game) -> np.ndarray:
    """The definition: what a part adds, averaged over all orders."""
    n = len(game)
    worth = dict(zip(map(tuple, every_mask(n)), game.value(every_mask(n)), strict=True))
    found = np.zeros(n)
    orders = list(permutations(range(n)))
    for order in orders:
        there = np.zeros(n, dtype=bool)
        for part in order:
            before = worth[tuple(there)]
            there[part] = True
            found[part] += worth[tuple(there)] - before
    return found / len(orders)


def test_exact_values_are_the_mean_over_all_orders(question):
    game = MuscleGame(question)
    found = shapley(game)
    assert np.allclose(found.values, by_orders(game), atol=1e-10)
    assert abs(found.gap) < 1e-10
    assert found.total == pytest.approx(question.evidence.mean())


def test_the_muscle_that_made_the_class_is_found(question):
    found = shapley(MuscleGame(question))
    assert found.names[int(found.values.argmax())] == "b"
    assert found.values.max() > 0.8 * (found.total - found.base)


def test_sampled_values_sum_exactly_and_come_near_the_exact_ones(question, reference):
    twelve = Groups("feature", question.names, tuple(range(12)))
    found = shapley(FeatureGame(question, reference[:4], groups=twelve), n_orders=30)
    assert found.method == "shap-sampled"
    assert abs(found.gap) < 1e-9
    exact = shapley(
        FeatureGame(question, reference[:4], groups=muscles(question.names, question.layout))
    )
    summed = gathered(found, muscles(question.names, question.layout))
    assert np.abs(summed.values - exact.values).max() < 6 * found.error.max() + 0.5


class Plain(FeatureGame):
    """The game about what a model adds up, before any logarithm is cut off."""

    sums = False

    def value(self, keep):
        places = [
            self.question.classes.index(n) for n in (self.question.target, self.question.against)
        ]
        said = [self.question.model.predict_proba(self._taken(m)) for m in self._checked(keep)]
        if self.sums:
            said = [np.log(proba) for proba in said]
        return np.array([(p[:, places[0]] - p[:, places[1]]).mean() for p in said])


def lent_rows(question, people, step: int) -> np.ndarray:
    pipeline = question.pipeline
    return pipeline.taken(pipeline.scale(pipeline.prepare(people).values))[::step]


@pytest.mark.parametrize("model", ["lda", "logistic"])
def test_linear_values_are_those_of_the_definition(people, newcomer, model, fitted, fist):
    question = fist(fitted(model, people, features=("mav", "wl")), newcomer, against="open")
    lent = lent_rows(question, people, 60)
    found = linear_shap(question, lent)
    game = Plain(question, lent)
    game.sums = True
    assert np.allclose(found.values, by_orders(game), atol=1e-8)
    assert abs(found.gap) < 1e-9


@pytest.mark.parametrize(
    ("model", "params"),
    [
        ("random-forest", {"n_trees": 3, "min_leaf": 5}),
        ("extra-trees", {"n_trees": 4}),
        ("gradient-boosting", {"n_rounds": 3, "min_leaf": 5}),
    ],
)
def test_tree_values_are_those_of_brute_force(people, newcomer, model, params, fitted, fist):
    pipeline = fitted(model, people, features=("mav", "wl"), **params)
    question = fist(pipeline, newcomer, against="open")
    lent = lent_rows(question, people, 60)
    found = tree_shap(question, lent)
    game = Plain(question, lent)
    game.sums = found.unit != "probability"
    assert np.allclose(found.values, by_orders(game), atol=1e-9)
    assert abs(found.gap) < 1e-9


def test_two_boosted_classes_are_one_sum(people, newcomer, fitted, fist):
    pytest.importorskip("xgboost")
    two = [replace(r, events=tuple(e for e in r.events if e.label != "open")) for r in people]
    pipeline = fitted("xgboost", two, features=("mav", "wl"), n_rounds=4)
    for target, against in (("fist", "rest"), ("rest", "fist")):
        question = fist(pipeline, newcomer, target=target, against=against)
        lent = lent_rows(question, two, 30)
        found = tree_shap(question, lent)
        game = Plain(question, lent)
        game.sums = True
        assert np.allclose(found.values, by_orders(game), atol=1e-5)


def test_tree_values_are_those_of_the_shap_library(people, newcomer, fitted, fist):
    shap = pytest.importorskip("shap")
    from sklearn.ensemble import RandomForestClassifier

    question = fist(fitted("random-forest", people, n_trees=5), newcomer, against="rest")
    pipeline = question.pipeline
    table = pipeline.prepare(people)
    rows = pipeline.taken(pipeline.scale(table.values))
    library = RandomForestClassifier(5, min_samples_leaf=1, random_state=0)
    library.fit(rows, table.index.label)
    lent = rows[::30]
    explainer = shap.TreeExplainer(library, lent, feature_perturbation="interventional")
    theirs = explainer.shap_values(question.inputs.astype(np.float32), check_additivity=False)
    classes = list(library.classes_)
    difference = theirs[..., classes.index("fist")] - theirs[..., classes.index("rest")]
    if not np.allclose(
        library.predict_proba(question.inputs), question.probabilities(question.inputs)
    ):
        pytest.skip("the library grew another forest here")
    assert np.allclose(tree_shap(question, lent).values, difference.mean(axis=0), atol=1e-6)


def test_occlusion_is_what_is_missing_without_a_part(question):
    game = MuscleGame(question)
    found = occlusion(game)
    keep = np.array([[True, True, True], [True, False, True]])
    values = game.value(keep)
    assert found.values[1] == pytest.approx(values[0] - values[1])
    assert found.gap is None


def test_all_cells_of_a_muscle_are_the_muscle(question):
    """One way of taking a muscle away, told as cells and as a channel."""
    edges = np.linspace(2.0, 4.0, 5)
    cells, whole = CellGame(question, edges), MuscleGame(question)
    keep = np.ones((1, 12), dtype=bool)
    keep[0, 4:8] = False
    gone = whole.value(np.array([[True, False, True]]))
    assert cells.value(keep) == pytest.approx(gone, abs=0.05 * abs(gone[0]) + 0.05)


def test_a_cell_alone_is_asked_of_its_windows_only(question):
    cells = CellGame(question, np.linspace(2.0, 4.0, 5))
    keep = np.ones((2, 12), dtype=bool)
    keep[1, 5] = False
    values = cells.value(keep)
    assert cells.alone()[1, 1] == pytest.approx(values[0] - values[1], abs=1e-9)


def test_all_bands_at_all_moments_are_the_bands(question):
    bands = bands_of(question.pipeline, 500.0)
    cells = BandCellGame(question, np.linspace(2.0, 4.0, 4), bands)
    keep = np.ones((2, len(cells)), dtype=bool)
    keep[1, 3] = False
    values = cells.value(keep)
    assert cells.alone()[1, 0] == pytest.approx(values[0] - values[1], abs=1e-3)
    assert values[0] == pytest.approx(question.evidence.mean(), abs=1e-6)


def test_with_every_band_there_nothing_changes(question):
    game = BandGame(question, bands_of(question.pipeline, 500.0))
    everything = np.ones((1, len(game)), dtype=bool)
    assert game.value(everything) == pytest.approx(question.evidence.mean())
    assert abs(shapley(game).gap) < 1e-9


def test_hostile_games_are_refused(question, reference):
    with pytest.raises(DataError, match="keep must say of each of 3 parts"):
        MuscleGame(question).value(np.ones((1, 4), dtype=bool))
    with pytest.raises(ParameterError, match="rise from 0 Hz"):
        BandGame(question, [(20.0, 100.0), (100.0, 250.0)])
    with pytest.raises(DataError, match="reference must have 12 columns"):
        FeatureGame(question, reference[:, :5])
    with pytest.raises(ParameterError, match="not made of trees"):
        tree_shap(question, reference)


def test_a_forest_is_not_linear(forest, newcomer, reference, fist):
    with pytest.raises(ParameterError, match="not a linear model"):
        linear_shap(fist(forest, newcomer), reference)
    with pytest.raises(DataError, match="at least one row"):
        tree_shap(fist(forest, newcomer), reference[:0])


def test_columns_are_grouped_by_muscle_and_by_family(lda):
    layout = lda.layout
    names = ("a.mav", "b.zc", "a~b.correlation", "pc1", "c.sample[3]")
    assert muscles(names, layout).names == ("a", "b", "a and b", "mixed", "c")
    assert families(names).names == (
        "amplitude",
        "waveform (crossings, turns, length)",
        "between muscles",
        "mixed",
        "samples of the signal",
    )


def test_bands_reach_from_0_to_half_the_rate(lda):
    bands = bands_of(lda, 500.0)
    assert bands[0][0] == 0.0
    assert bands[-1][1] == 250.0
    assert all(first[1] == second[0] for first, second in pairwise(bands))
