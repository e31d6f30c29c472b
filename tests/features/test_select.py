"""What each selection computes, against closed forms and independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import f_classif, f_regression
from sklearn.linear_model import Lasso, MultiTaskLasso

from myograph.core.errors import DataError, ParameterError
from myograph.features.select import (
    L1,
    MRMR,
    NMF,
    PCA,
    RFE,
    Anova,
    Columns,
    CostAware,
    Discriminants,
    ReliefF,
    Sequential,
    Stability,
    apply_selection,
    nogueira,
)
from myograph.features.select.base import Sample, n_kept
from myograph.features.select.effects import Effects
from myograph.features.select.filters import f_ratio
from myograph.features.select.information import binned, mutual_information
from myograph.features.select.linear import lasso_path
from myograph.features.select.statistics import Judge, Sums, deal_people, standardised
from myograph.features.select.wrappers import units_of

NONE = np.empty(0)


def sample_of(X, codes=None, values=NONE, people=None, columns=None):
    codes = np.empty(0, dtype=np.intp) if codes is None else np.asarray(codes)
    people = np.zeros(len(X), dtype=np.intp) if people is None else np.asarray(people)
    return Sample(np.asarray(X, dtype=float), codes, values, people, columns)


# --- one column at a time ----------------------------------------------------------------------


def test_f_ratios_are_those_of_an_independent_implementation(rng):
    X, codes, value = rng.normal(size=(90, 4)), rng.integers(3, size=90), rng.normal(size=90)
    np.testing.assert_allclose(f_ratio(sample_of(X, codes)), f_classif(X, codes)[0], rtol=1e-9)
    np.testing.assert_allclose(
        f_ratio(sample_of(X, values=value)), f_regression(X, value)[0], rtol=1e-9
    )


def test_bins_hold_equal_counts_and_do_not_care_for_the_scale(rng):
    x = rng.normal(size=1600)
    assert np.bincount(binned(x, 16)).tolist() == [100] * 16
    np.testing.assert_array_equal(binned(np.exp(x), 16), binned(x, 16))
    assert binned(np.zeros(5), 16).max() == 0


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_mutual_information_of_gaussians_is_the_closed_form(rng, correlation):
    x = rng.normal(size=100_000)
    y = correlation * x + np.sqrt(1 - correlation**2) * rng.normal(size=100_000)
    expected = -0.5 * np.log2(1 - correlation**2)
    found = mutual_information(binned(x, 32), binned(y, 32))
    assert found == pytest.approx(expected, rel=0.04, abs=1e-3)  # bins lose a little


def test_the_bias_of_counting_is_taken_off(rng):
    values = [mutual_information(*rng.integers(8, size=(2, 300))) for _ in range(200)]
    plain = 49 / (2 * 300 * np.log(2))  # (8 - 1)^2 / 2n nats: what the plain estimate shows
    assert np.mean(values) < plain / 3


def test_mrmr_takes_the_second_source_before_the_copy_of_the_first(rng):
    codes = rng.integers(4, size=2000)
    first, second = (codes % 2) + 0.3 * rng.normal(size=2000), codes // 2 + rng.normal(size=2000)
    X = np.column_stack([first, first + 0.05 * rng.normal(size=2000), second])
    assert MRMR(keep=2).fit(X, codes).support_[2]
    assert not Anova(keep=2).fit(X, codes).support_[2]


def test_relieff_sees_columns_that_only_work_together(rng):
    X = rng.uniform(-1, 1, size=(800, 6))
    codes = (X[:, 0] * X[:, 1] > 0).astype(int)  # neither column says anything alone
    assert set(np.flatnonzero(ReliefF(keep=2).fit(X, codes).support_)) == {0, 1}
    alone = f_ratio(sample_of(X, codes))
    assert alone[:2].max() < 10


def test_relieff_of_two_points_per_class_by_hand():
    # Ranges are 1. Every hit differs by 0.1 in the first column and 1 in the second, every miss
    # (its nearest) by 1 - 0.1 * (first columns apart) and 0.
    X = np.array([[0.0, 0.0], [0.1, 1.0], [1.0, 0.0], [0.9, 1.0]])
    relief = ReliefF(keep=1, n_neighbours=1).fit(X, [0, 0, 1, 1])
    misses = (1.0 + 0.8 + 1.0 + 0.8) / 4
    np.testing.assert_allclose(relief.scores_, [misses - 0.1, -1.0])


def test_relieff_of_a_class_with_one_window_is_finite(rng):
    X = rng.normal(size=(21, 3))
    assert np.isfinite(ReliefF().fit(X, [0] * 10 + [1] * 10 + [2]).scores_).all()


# --- together ----------------------------------------------------------------------------------


def test_the_l1_path_is_the_lasso_of_an_independent_implementation(rng):
    X = standardised(rng.normal(size=(300, 6)) @ rng.normal(size=(6, 6)))[0]
    one = X @ [2.0, 0, -1, 0, 0.5, 0] + rng.normal(size=300)
    both = np.column_stack([one, X[:, 1] + 0.2 * rng.normal(size=300)])
    for target, library in ((one[:, None], Lasso), (both, MultiTaskLasso)):
        y = target - target.mean(axis=0)
        gram, cross = X.T @ X / 300, X.T @ y / 300
        highest = np.linalg.norm(cross, axis=1).max()
        for price, weights in list(lasso_path(gram, cross))[5:40:9]:
            expected = library(alpha=price * highest, fit_intercept=False, tol=1e-10)
            given = y if library is MultiTaskLasso else y[:, 0]
            coefficients = expected.fit(X, given).coef_.reshape(y.shape[1], -1).T
            np.testing.assert_allclose(weights, coefficients, atol=2e-3 * np.abs(weights).max())


def test_l1_keeps_fewer_than_asked_when_the_rest_never_enters():
    codes = np.arange(60) % 2
    X = np.column_stack([codes, np.zeros(60), np.full(60, 3.0)])
    assert L1(keep=3).fit(X, codes).support_.tolist() == [True, False, False]


def test_l1_of_columns_that_say_nothing_keeps_one():
    X = np.zeros((10, 3))
    assert L1(keep=2).fit(X, np.arange(10) % 2).n_out == 1


def test_sums_of_parts_are_sums_of_the_whole(rng):
    X, codes = rng.normal(size=(50, 3)), rng.integers(3, size=50)
    whole, part = Sums.of(sample_of(X, codes), 3), Sums.of(sample_of(X[:20], codes[:20]), 3)
    rest = Sums.of(sample_of(X[20:], codes[20:]), 3)
    np.testing.assert_allclose(whole.without(part).products, rest.products)
    centred = X - np.array([X[codes == k].mean(axis=0) for k in range(3)])[codes]
    np.testing.assert_allclose(whole.within(), centred.T @ centred / 50)


def test_the_judge_is_a_discriminant_fitted_without_the_fold(rng):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    codes = rng.integers(3, size=300)
    X = rng.normal(size=(300, 5)) + np.eye(3, 5)[codes]
    people = np.arange(300) % 4
    judge = Judge.of(sample_of(X, codes, people=people))
    chosen = np.array([0, 2, 3])
    expected = []
    for person in range(4):
        inside, held = people != person, people == person
        library = LinearDiscriminantAnalysis(solver="lsqr").fit(X[inside][:, chosen], codes[inside])
        expected.append(library.score(X[held][:, chosen], codes[held]))
    np.testing.assert_allclose(judge.scores(chosen), expected, atol=0.02)


def test_the_judge_of_a_number_is_least_squares(rng):
    X = rng.normal(size=(200, 3))
    value = X @ [1.0, 0.0, 2.0]
    judge = Judge.of(sample_of(X, values=value, people=np.arange(200) % 5))
    assert judge.score(np.array([0, 2])) > 0.999
    assert judge.score(np.array([0])) < 0.5


def test_people_are_never_on_both_sides(rng):
    people = rng.integers(7, size=100)
    folds = deal_people(sample_of(np.zeros((100, 1)), people % 2, people=people), n_folds=5)
    assert sorted(np.concatenate(folds)) == list(range(100))
    owners = [set(people[rows]) for rows in folds]
    assert sum(map(len, owners)) == 7


def test_one_person_is_cut_into_stretches_of_every_class():
    codes = np.repeat([0, 1], 50)
    folds = deal_people(sample_of(np.zeros((100, 1)), codes), n_folds=5)
    assert [len(rows) for rows in folds] == [20] * 5
    assert folds[0].tolist() == [*range(10), *range(50, 60)]


def test_elimination_drops_the_useless_first(rng):
    codes = rng.integers(2, size=400)
    X = rng.normal(size=(400, 5))
    X[:, 1] += 2 * codes
    X[:, 3] += codes
    scores = RFE(keep=1, drop=0.0).fit(X, codes).scores_
    assert scores[1] > scores[3] > scores[[0, 2, 4]].max()
    assert sorted(scores) == [0, 1, 2, 3, 4]


def test_effects_without_people_are_discriminants_and_least_squares(rng):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LinearRegression

    codes = rng.integers(3, size=900)
    X = rng.normal(size=(900, 4)) @ (np.eye(4) + 0.3) + np.eye(3, 4)[codes]
    found = Effects.of(sample_of(X, codes)).weights(np.arange(4))
    library = LinearDiscriminantAnalysis(solver="lsqr").fit(X, codes).coef_
    np.testing.assert_allclose(
        found, (library - library.mean(axis=0)).T, atol=0.01 * np.abs(found).max()
    )
    value = X @ [1.0, 0.0, -2.0, 0.5] + rng.normal(size=900)
    slope = Effects.of(sample_of(X, values=value)).weights(np.arange(4))[:, 0]
    ratio = slope / LinearRegression().fit(X, value).coef_
    np.testing.assert_allclose(ratio, ratio[0], rtol=0.1)


def test_effects_within_people_are_exact_however_unlike_their_shares_of_classes(rng):
    people = np.repeat([0, 1, 2], 40)
    codes = np.concatenate(
        [rng.choice(2, 40, p=[0.9, 0.1]), 1 + rng.choice(2, 40), 2 * (rng.random(40) < 0.2)]
    )
    means = np.array([[0.0, 3.0], [1.0, 1.0], [5.0, -1.0]])
    X = means[codes] + 10 * rng.normal(size=(3, 2))[people]
    found = Effects.of(sample_of(X, codes, people=people))
    assert found.within_people
    np.testing.assert_allclose(found.moves, means - means.mean(axis=0), atol=1e-9)
    value = rng.normal(size=120) + 4 * people
    X = np.outer(value, [2.0, -1.0]) + 10 * rng.normal(size=(3, 2))[people]
    found = Effects.of(sample_of(X, values=value, people=people))
    np.testing.assert_allclose(found.moves, [[2.0, -1.0]], atol=1e-9)


@pytest.mark.parametrize(
    ("codes", "why"),
    [
        ([0, 0, 1, 1], "one class each"),
        ([0, 1, 1, 1], "one of them shows one class"),
    ],
)
def test_effects_between_people_where_it_is_not_possible_within(codes, why):
    X = np.array([[0.0], [2.0], [4.0], [8.0]])
    found = Effects.of(sample_of(X, codes, people=[0, 0, 1, 1]))
    assert not found.within_people, why
    means = [X[np.equal(codes, k)].mean() for k in range(2)]
    np.testing.assert_allclose(np.diff(found.moves[:, 0]), np.diff(means))


def test_effects_of_classes_that_nobody_shows_together_are_between_people():
    people, codes = [0, 0, 1, 1], [0, 1, 2, 3]  # 0 and 1, 2 and 3: but never 1 and 2
    assert not Effects.of(sample_of(np.arange(4.0)[:, None], codes, people=people)).within_people


def test_effects_of_some_of_the_people_are_those_of_them_alone(rng):
    people, codes = np.repeat([0, 1, 2, 3], 20), np.tile([0, 1], 40)
    X = rng.normal(size=(80, 3)) + rng.normal(size=(4, 3))[people]
    some = np.isin(people, [1, 3])
    taken = Effects.of(sample_of(X, codes, people=people).take(some))
    alone = Effects.of(sample_of(X[some], codes[some], people=np.repeat([0, 1], 20)))
    np.testing.assert_allclose(taken.moves, alone.moves)
    np.testing.assert_allclose(taken.spread, alone.spread)
    kept = Stability(base="rfe", keep=1, n_draws=5).fit(X, codes, groups=people)
    assert kept.n_out >= 1


def test_elimination_does_not_take_chance_among_few_people_for_a_relation(rng):
    people, codes = np.repeat(np.arange(5), 80), np.tile([0, 1], 200)
    level = 2 * rng.normal(size=5)[people]
    meter = level + 0.1 * rng.normal(size=400)  # of the level, and of nothing else
    strong = level + codes + 0.5 * rng.normal(size=400)
    weak = 0.5 * codes + 0.5 * rng.normal(size=400)
    X = np.column_stack([meter, strong, weak])
    assert RFE(keep=2).fit(X, codes, groups=people).support_.tolist() == [False, True, True]
    # Without people, taking the meter off the strong column looks like knowledge.
    assert RFE(keep=2).fit(X, codes).support_.tolist() == [True, True, False]


def test_backward_and_forward_end_at_the_same_pair(rng):
    codes = rng.integers(3, size=600)
    X = rng.normal(size=(600, 6))
    X[:, 2] += 3 * (codes == 1)
    X[:, 5] += 3 * (codes == 2)
    for direction in ("forward", "backward"):
        chosen = Sequential(keep=2, direction=direction).fit(X, codes).support_
        assert np.flatnonzero(chosen).tolist() == [2, 5], direction
    with pytest.raises(ParameterError, match="direction must be one of"):
        Sequential(direction="sideways").fit(X, codes)


NAMES = ("a.mav", "a.ar[0]", "a.ar[1]", "b.mav", "b.ar[0]", "b.ar[1]")


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("column", [[0], [1], [2], [3], [4], [5]]),
        ("channel.feature", [[0], [1, 2], [3], [4, 5]]),
        ("feature", [[0, 3], [1, 2, 4, 5]]),
        ("channel", [[0, 1, 2], [3, 4, 5]]),
    ],
)
def test_units_group_columns(unit, expected):
    sample = sample_of(np.zeros((2, 6)), [0, 1], columns=Columns(NAMES, 400))
    assert [columns.tolist() for columns in units_of(sample, unit)] == expected


def test_units_need_names(rng):
    X, y = rng.normal(size=(20, 2)), np.arange(20) % 2
    with pytest.raises(ParameterError, match="unit='channel' needs to know what the columns are"):
        Sequential(unit="channel").fit(X, y)


def test_channels_are_chosen_whole(rng):
    codes = rng.integers(2, size=300)
    X = rng.normal(size=(300, 6))
    X[:, 4] += 3 * codes
    chosen = Sequential(keep=1, unit="channel").fit(X, codes, columns=Columns(NAMES, 400))
    assert chosen.support_.tolist() == [False, False, False, True, True, True]


# --- stability ---------------------------------------------------------------------------------


def test_stability_counts_draws_and_bounds_what_chance_brings(rng):
    codes = rng.integers(2, size=400)
    X = rng.normal(size=(400, 10))
    X[:, 7] += 2 * codes
    people = np.arange(400) % 8
    kept = Stability(base="anova", keep=2, n_draws=40).fit(X, codes, groups=people)
    assert kept.scores_[7] == 1.0
    assert np.flatnonzero(kept.support_).tolist() == [7]
    # Two columns a draw, of ten: 2^2 / ((2 * 0.7 - 1) * 10), and never more than were kept.
    assert kept.facts_["columns by chance, at most"] == pytest.approx(1.0)
    assert (kept.scores_ * 40).sum() == pytest.approx(2 * 40)


def test_stability_without_a_stable_column_says_so(rng):
    X, codes = rng.normal(size=(200, 40)), np.arange(200) % 2
    kept = Stability(base="anova", keep=1, threshold=1.0).fit(X, codes)
    assert kept.n_out == 1
    assert "No column was taken in 100% of the draws" in kept.notes_[0]


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"threshold": 0.4}, "threshold must be above 0.5"),
        ({"base": "pca"}, "must keep columns"),
        ({"base": "stability"}, "must be another selection"),
        ({"n_draws": 1}, "n_draws must be at least 2"),
        ({"base": "anovaa"}, "Did you mean 'anova'"),
    ],
)
def test_stability_refuses(rng, params, match):
    with pytest.raises(ParameterError, match=match):
        Stability(**params).fit(rng.normal(size=(20, 3)), np.arange(20) % 2)


@pytest.mark.parametrize(
    ("supports", "expected"),
    [
        ([[1, 1, 0, 0]] * 5, 1.0),
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], -0.5),  # 1 - (3/2 * 2/9) / (1/3 * 2/3)
        ([[1, 1], [1, 1]], 1.0),
    ],
)
def test_stability_over_folds_is_the_published_measure(supports, expected):
    assert nogueira(np.array(supports, dtype=bool)) == pytest.approx(expected)


def test_stability_over_folds_of_chance_is_zero(rng):
    supports = np.zeros((400, 30), dtype=bool)
    for row in supports:
        row[rng.permutation(30)[:10]] = True
    assert abs(nogueira(supports)) < 0.02
    with pytest.raises(DataError, match="at least 2 folds"):
        nogueira(supports[:1])


# --- by cost -----------------------------------------------------------------------------------


def bargain(rng):
    """An expensive column that says all, a cheap one that says nearly all, one that says little."""
    codes = rng.integers(2, size=1000)
    X = rng.normal(size=(1000, 3))
    X[:, 0] += 6 * codes
    X[:, 1] += 5 * codes
    return X, codes, Columns(("a.mdf", "a.mav", "b.zc"), 400)


def test_a_bargain_is_taken_and_its_path_told(rng):
    X, codes, columns = bargain(rng)
    kept = CostAware(tolerance=0.02).fit(X, codes, columns=columns)
    assert kept.support_.tolist() == [False, True, False]
    assert (np.diff(kept.path_[:, 0]) > 0).all()
    assert kept.facts_["operations per window"] == 814  # 2 a sample, and a division
    assert kept.facts_["score inside training"] > 0.97


def test_without_tolerance_the_best_is_taken(rng):
    X, codes, columns = bargain(rng)
    X[:, 1] = rng.normal(size=1000) + 1.0 * codes
    assert CostAware(tolerance=0.0).fit(X, codes, columns=columns).support_[0]


def test_a_limit_of_operations_is_kept(rng):
    X, codes, columns = bargain(rng)
    kept = CostAware(tolerance=0.0, most_operations=1000).fit(X, codes, columns=columns)
    assert kept.support_.tolist() == [False, True, False]
    assert kept.path_[-1, 0] <= 1000
    with pytest.raises(ParameterError, match=r"most_operations=5 is less than .* \(814 "):
        CostAware(most_operations=5).fit(X, codes, columns=columns)


def test_a_feature_without_an_estimate_is_refused_by_name(rng):
    X, codes, _ = bargain(rng)
    unknown = Columns(("a.mav", "a.moon", "b.zc"), 400)
    with pytest.raises(ParameterError, match=r"\['moon'\] have no estimate"):
        CostAware().fit(X, codes, columns=unknown)


# --- projections -------------------------------------------------------------------------------


def test_principal_components_are_uncorrelated_and_ordered(rng):
    X = rng.normal(size=(500, 4)) @ rng.normal(size=(4, 4)) * [1, 10, 100, 1000]
    scores = PCA(keep=4).fit_transform(X)
    covariance = np.cov(scores.T, bias=True)
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-9)
    assert (np.diff(np.diag(covariance)) < 0).all()
    assert np.trace(covariance) == pytest.approx(4)  # standardised: a variance of 1 a column


def test_the_share_of_variance_decides_how_many(rng):
    base = rng.normal(size=(400, 2))
    X = np.column_stack([base[:, 0]] * 6 + [base[:, 1]] * 2)  # 6/8 and 2/8 of the variance
    assert PCA(keep=0.7).fit(X).n_out == 1
    assert PCA(keep=0.9).fit(X).n_out == 2
    assert PCA(keep=0.9).fit(X).facts_["share of the variance held"] == pytest.approx(1.0)


def test_discriminants_find_the_direction_between_two_gaussians(rng):
    codes = rng.integers(2, size=4000)
    mixing = np.array([[1.0, 0.8], [0.0, 0.6]])
    X = rng.normal(size=(4000, 2)) @ mixing + np.outer(codes, [1.0, 0.0])
    projection = Discriminants().fit(X, codes)
    found = projection.components_[:, 0] / projection.spread_
    expected = np.linalg.solve(mixing.T @ mixing, [1.0, 0.0])  # the closed form: S^-1 (m1 - m0)
    cosine = found @ expected / np.linalg.norm(found) / np.linalg.norm(expected)
    assert abs(cosine) > 0.998
    assert projection.n_out == 1
    with pytest.raises(ParameterError, match="more than the 1 directions"):
        Discriminants(keep=2).fit(X, codes)
    with pytest.raises(DataError, match="at least 2 classes"):
        Discriminants().fit(X, np.zeros(4000, dtype=int))


def test_non_negative_parts_are_found_again(rng):
    parts = np.array([[1.0, 0.5, 0.0, 0.0, 0.1], [0.0, 0.0, 1.0, 0.3, 0.0]])
    mixtures = rng.exponential(size=(400, 2)) * (rng.random((400, 2)) > 0.3)
    X = mixtures @ parts
    nmf = NMF(keep=2).fit(X)
    activity = nmf.transform(X)
    assert (activity >= 0).all()
    rebuilt = activity @ nmf.components_.T * nmf.spread_
    assert 1 - ((X - rebuilt) ** 2).sum() / (X**2).sum() > 0.999
    with pytest.raises(DataError, match=r"Negative values .* columns \[2\]"):
        nmf.transform(X - [0, 0, 9, 0, 0])


# --- small things ------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [0.0, 1.5, -0.1, 0, -3, True, "ten"])
def test_keep_must_make_sense(keep):
    with pytest.raises(ParameterError, match="keep"):
        n_kept(keep, 10)


def test_thinning_keeps_every_class_of_everybody():
    codes, people = np.repeat([0, 1, 2], 100), np.tile(np.arange(4), 75)
    few = sample_of(np.arange(300)[:, None], codes, people=people).thinned(24)
    assert np.bincount(few.codes).tolist() == [8, 8, 8]
    pairs = np.unique(np.stack([few.codes, few.people]), axis=1)
    assert pairs.shape[1] == 12


def test_a_selected_table_says_so(table):
    kept = Anova(keep=3).fit(table.values, table.index.label)
    small = apply_selection(kept, table)
    assert small.names == tuple(np.array(table.names)[kept.support_])
    assert small.units == tuple(np.array(table.units)[kept.support_])
    assert small.recipe.steps[-1].step == "selection"
    projected = apply_selection(PCA(keep=2).fit(table.values), table)
    assert projected.names == ("pca1", "pca2")
    assert set(projected.units) == {"1"}
