"""Comparisons: published corrections, exact tests by hand, and error rates counted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, permutation_test

from myograph.core.errors import DataError, ParameterError
from myograph.validate.compare import benjamini_hochberg, compare_models, holm, sign_flip

#: The 15 p-values of the worked example of Benjamini and Hochberg (1995).
PUBLISHED = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
    0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
]  # fmt: skip


def test_published_example():
    assert (benjamini_hochberg(PUBLISHED) <= 0.05).sum() == 4
    assert (holm(PUBLISHED) <= 0.05).sum() == 3


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_laws_of_corrections(p):
    values = np.array(p)
    strict, shared = holm(p), benjamini_hochberg(p)
    assert shared == pytest.approx(false_discovery_control(values))
    assert (strict >= shared - 1e-12).all()
    assert (values <= shared + 1e-12).all()
    assert (strict <= np.minimum(1, len(p) * values) + 1e-12).all()
    order = np.argsort(values, kind="stable")
    assert (np.diff(strict[order]) >= -1e-12).all()


@pytest.mark.parametrize("n", [6, 25])
def test_sign_flip_is_the_paired_permutation_test(n):
    gaps = np.random.default_rng(n).normal(0.4, 1, n)
    expected = permutation_test(
        (gaps,),
        lambda x, axis: np.mean(x, axis=axis),
        permutation_type="samples",
        n_resamples=20_000 if n > 14 else np.inf,
        rng=np.random.default_rng(0),
    )
    assert sign_flip(gaps, n_resamples=20_000) == pytest.approx(expected.pvalue, abs=0.015)


def test_no_difference_is_no_finding():
    same = {f"p{k}": 0.5 for k in range(20)}
    for test in ("sign-flip", "wilcoxon"):
        found = compare_models({"a": same, "b": same}, test=test)[0]
        assert (found.p, found.better, found.worse) == (1.0, 0, 0)


@pytest.mark.parametrize("test", ["sign-flip", "wilcoxon"])
def test_false_findings_are_as_rare_as_said(test):
    random = np.random.default_rng(7)
    found = 0
    for seed in range(100):
        scores = random.normal(0.8, 0.1, (4, 12))
        models = {
            f"m{k}": {f"p{j}": float(v) for j, v in enumerate(row)} for k, row in enumerate(scores)
        }
        pairs = compare_models(models, test=test, seed=seed, n_resamples=500)
        found += any(pair.corrected <= 0.05 for pair in pairs)
    assert found <= 13  # 5 % of 100, and the 99.9 % point of chance


def test_a_planted_difference_is_found():
    random = np.random.default_rng(3)
    base = random.normal(0.7, 0.1, 20)
    noise = random.normal(0, 0.02, (2, 20))
    rows = {"good": base + 0.05 + noise[0], "same": base + noise[1], "plain": base}
    models = {k: {f"p{j}": float(x) for j, x in enumerate(v)} for k, v in rows.items()}
    for test in ("sign-flip", "wilcoxon"):
        good, same = compare_models(models, reference="plain", test=test)
        assert (good.first, good.second) == ("good", "plain")
        assert good.corrected < 0.01
        assert good.difference.low > 0.03
        assert same.corrected > 0.05


def test_only_shared_people_are_compared():
    first = {"p": 0.5, "q": 0.6, "r": None, "s": 0.9}
    second = {"p": 0.4, "q": 0.7, "r": 0.5}
    found = compare_models({"a": first, "b": second}, correction="none")[0]
    assert found.difference.n == 2
    assert (found.better, found.worse) == (1, 1)
    assert found.p == found.corrected


def test_refused():
    one = {"p": 0.5, "q": 0.6}
    with pytest.raises(DataError, match="at least 2 models"):
        compare_models({"a": one})
    with pytest.raises(DataError, match="share 1 people"):
        compare_models({"a": one, "b": {"p": 0.3}})
    with pytest.raises(DataError, match="reference must be one of"):
        compare_models({"a": one, "b": one}, reference="c")
    with pytest.raises(ParameterError, match="test must be one of"):
        compare_models({"a": one, "b": one}, test="t")
    with pytest.raises(DataError, match="from 0 to 1"):
        holm([1.2])
    with pytest.raises(DataError, match="one finite difference"):
        sign_flip([np.nan])
