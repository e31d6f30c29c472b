import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import ledoit_wolf

from myograph.core.errors import DataError, ParameterError
from myograph.signal.riemann import (
    covariances,
    distance,
    expm,
    from_tangent,
    inverse_sqrtm,
    logm,
    mean,
    sqrtm,
    tangent,
)


def definite(seed, count=6, n=4):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, n, 3 * n))
    return x @ np.swapaxes(x, -1, -2) / (3 * n)


def mixing(seed, n=4):
    return np.random.default_rng(seed).standard_normal((n, n)) + 2 * np.eye(n)


seeds = st.integers(0, 10_000)
laws = settings(max_examples=25, deadline=None)


@laws
@given(seed=seeds)
def test_functions_undo_each_other(seed):
    m = definite(seed)
    np.testing.assert_allclose(sqrtm(m) @ sqrtm(m), m, atol=1e-10)
    np.testing.assert_allclose(
        inverse_sqrtm(m) @ m @ inverse_sqrtm(m), np.eye(4)[None] + 0 * m, atol=1e-7
    )
    np.testing.assert_allclose(expm(logm(m)), m, atol=1e-9)
    reference = mean(m)
    np.testing.assert_allclose(from_tangent(tangent(m, reference), reference), m, atol=1e-8)


@laws
@given(seed=seeds)
def test_distance_is_one_and_does_not_see_the_mixing(seed):
    a, b, c = definite(seed, 3)
    w = mixing(seed)
    assert distance(a, a) == pytest.approx(0, abs=1e-6)
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-7)
    assert distance(a, b) <= distance(a, c) + distance(c, b) + 1e-9
    assert distance(w @ a @ w.T, w @ b @ w.T) == pytest.approx(distance(a, b), rel=1e-5)
    assert distance(np.linalg.inv(a), np.linalg.inv(b)) == pytest.approx(distance(a, b), rel=1e-5)


@laws
@given(seed=seeds)
def test_the_mean_is_where_the_tangent_vectors_cancel(seed):
    m = definite(seed)
    w = mixing(seed)
    centre = mean(m)
    np.testing.assert_allclose(tangent(m, centre).mean(axis=0), 0, atol=1e-7)
    np.testing.assert_allclose(mean(m[::-1]), centre, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(mean(w @ m @ w.T), w @ centre @ w.T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(mean(np.linalg.inv(m)), np.linalg.inv(centre), rtol=1e-5, atol=1e-6)


@laws
@given(seed=seeds)
def test_a_tangent_vector_is_as_long_as_the_distance(seed):
    m = definite(seed)
    reference = definite(seed + 1, 1)[0]
    np.testing.assert_allclose(
        np.linalg.norm(tangent(m, reference), axis=-1), distance(reference, m), rtol=1e-7
    )


def test_closed_forms():
    """Commuting matrices: logarithms of the eigenvalues, geometric mean."""
    a, b = np.diag([1.0, 4.0]), np.diag([np.e**2, 4.0])
    assert distance(a, b) == pytest.approx(2.0)
    np.testing.assert_allclose(mean(np.stack([a, b])), np.diag([np.e, 4.0]), rtol=1e-9)
    np.testing.assert_allclose(
        mean(np.stack([a, b]), metric="log-euclid"), np.diag([np.e, 4.0]), rtol=1e-12
    )
    off = np.array([[2.0, 1.0], [1.0, 2.0]])  # eigenvalues 3 and 1
    np.testing.assert_allclose(tangent(off, np.eye(2))[1], np.log(3) / 2 * np.sqrt(2))


def test_shrinkage():
    x = np.random.default_rng(0).standard_normal((3, 6, 40)) * np.arange(1, 7)[:, None]
    for one, ours in zip(x, covariances(x), strict=True):
        np.testing.assert_allclose(ours, ledoit_wolf(one.T)[0], rtol=1e-9)
    plain = covariances(x, shrinkage="none")
    np.testing.assert_allclose(plain[0], np.cov(x[0], bias=True))
    np.testing.assert_allclose(covariances(x, shrinkage=0.0), plain)
    whole = covariances(x, shrinkage=1.0)
    np.testing.assert_allclose(whole[0], np.eye(6) * np.trace(plain[0]) / 6)
    np.testing.assert_allclose(covariances(3 * x), 9 * covariances(x))
    order = [3, 1, 5, 0, 2, 4]
    np.testing.assert_allclose(covariances(x[:, order]), covariances(x)[:, order][:, :, order])


def test_oas_by_its_formula():
    x = np.random.default_rng(1).standard_normal((5, 30))
    s = covariances(x, shrinkage="none")
    p, n, t, t2 = 5, 30, np.trace(s), np.trace(s @ s)
    share = ((1 - 2 / p) * t2 + t**2) / ((n + 1 - 2 / p) * (t2 - t**2 / p))
    share = min(share, 1)
    np.testing.assert_allclose(
        covariances(x, shrinkage="oas"), (1 - share) * s + share * t / p * np.eye(p)
    )


def test_a_short_window_of_many_channels_can_be_used():
    x = np.random.default_rng(2).standard_normal((2, 16, 10))
    assert np.isfinite(tangent(covariances(x), np.eye(16))).all()
    with pytest.raises(DataError, match=r"not positive definite.*flat"):
        logm(covariances(x, shrinkage="none"))


def test_refusals():
    with pytest.raises(DataError, match="must be square"):
        sqrtm(np.ones((2, 3)))
    with pytest.raises(DataError, match="n_samples >= 2"):
        covariances(np.ones((3, 1)))
    with pytest.raises(ParameterError, match="from 0 to 1"):
        covariances(np.ones((3, 5)), shrinkage=2.0)
    with pytest.raises(ParameterError, match="must be one of"):
        covariances(np.ones((3, 5)), shrinkage="lw")
    with pytest.raises(ParameterError, match="metric must be"):
        mean(definite(0), metric="euclid")
    with pytest.raises(DataError, match="needs matrices"):
        mean(np.empty((0, 3, 3)))
    with pytest.raises(DataError, match="have 10 parts; got 3"):
        from_tangent(np.ones(3), np.eye(4))
