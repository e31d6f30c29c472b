"""Detectors: a planted anomaly is found, farther is stranger, arrays give the same answers back."""

from __future__ import annotations

from functools import cache, partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.models.autoencoder import SCORES
from myograph.models.detector import band_powers, deal_people
from myograph.models.novelty import DETECTORS, NoveltyGate, fit_novelty_gate
from myograph.validate.metrics import roc_auc

TORCH = find_spec("torch") is not None
if TORCH:
    import torch

    torch.set_num_threads(1)
NEEDS_TORCH = pytest.mark.skipif(not TORCH, reason="needs torch, which is not installed")
NETWORKS = ("autoencoder", "vae")
NAMES = [pytest.param(name, marks=NEEDS_TORCH if name in NETWORKS else ()) for name in DETECTORS]
BOTH = [pytest.param(name, score, marks=NEEDS_TORCH) for name in NETWORKS for score in SCORES]
SMALL: dict[str, dict[str, Any]] = {
    name: {"epochs": 40, "batch": 32, "rate": 1e-2, "width": 16, "latent": 2} for name in NETWORKS
}
#: Enough for a contract that does not ask for skill.
TINY: dict[str, dict[str, Any]] = {name: {"epochs": 1, "width": 4} for name in NETWORKS}


def curved(n_rows: int = 400, *, seed: int = 0) -> tuple[Any, Any]:
    """Eight people on a bent sheet in six numbers, a little beside it."""
    rng = np.random.default_rng(seed)
    u, v = rng.uniform(-1.5, 1.5, (2, n_rows))
    sheet = np.stack([u, v, u * v, u**2, np.sin(2 * v), u - v], axis=1)
    people = np.arange(n_rows) % 8
    shift = 0.05 * np.random.default_rng(99).standard_normal((8, 6))
    return sheet + shift[people] + 0.05 * rng.standard_normal(sheet.shape), people


@cache
def fitted(name: str, **more: Any) -> Any:
    X, people = curved()
    return DETECTORS[name](**{**SMALL.get(name, {}), **more}).fit(X, groups=people)


def area(normal: Any, strange: Any) -> float:
    far = np.concatenate([normal, strange])
    truth = np.repeat([0, 1], [len(normal), len(strange)])
    return float(roc_auc(truth, np.column_stack([-far, far]))[1])


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_anomaly_is_found(name: str):
    X = curved(seed=1)[0]
    planted = X.copy()
    planted[:, 3] += 5.0
    detector = fitted(name)
    assert area(detector.strangeness(X), detector.strangeness(planted)) > 0.95


@NEEDS_TORCH
def test_a_network_sees_what_bends_where_straight_distances_do_not():
    X = curved(seed=1)[0]
    torn = X.copy()
    torn[:, 2] = np.random.default_rng(2).permutation(torn[:, 2])  # no longer the product
    straight = fitted("mahalanobis")
    bent = fitted("autoencoder")
    seen = area(bent.strangeness(X), bent.strangeness(torn))
    assert seen > area(straight.strangeness(X), straight.strangeness(torn)) + 0.1


@pytest.mark.parametrize("name", NAMES)
def test_the_farther_the_stranger(name: str):
    detector = fitted(name)
    X = curved(seed=1)[0]
    for seed in range(4):
        way = np.random.default_rng(seed).standard_normal(6)
        way /= np.linalg.norm(way)
        steps = X.mean(axis=0) + np.array([4.0, 8.0, 16.0, 64.0, 256.0])[:, None] * way
        far = detector.strangeness(steps)
        assert (np.diff(far) > 0).all()
        assert far[0] > np.median(detector.strangeness(X))


@pytest.mark.parametrize(("name", "by"), BOTH)
def test_every_score_is_a_number_and_that_of_the_rebuilt_grows_with_distance(name: str, by: str):
    detector = type(fitted(name)).from_arrays(
        fitted(name).to_arrays(), **{**fitted(name).get_params(), "by": by}
    )
    X = curved(seed=1)[0]
    far = detector.strangeness(X * 20)
    assert np.isfinite(far).all()
    if by != "latent":  # bounded inner values: what is far has a code like any other
        assert area(detector.strangeness(X), far) > 0.98


@pytest.mark.parametrize("name", NAMES)
def test_arrays_rebuild_a_detector_that_answers_bit_for_bit_alike(name: str):
    detector, X = fitted(name), curved(seed=1)[0]
    again = type(detector).from_arrays(detector.to_arrays(), **detector.get_params())
    np.testing.assert_array_equal(again.strangeness(X), detector.strangeness(X))
    for key, array in detector.to_arrays().items():
        np.testing.assert_array_equal(again.to_arrays()[key], array)
        assert not array.dtype.hasobject


@pytest.mark.parametrize("name", NAMES)
def test_arrays_that_do_not_fit_are_refused(name: str):
    arrays = fitted(name).to_arrays()
    build = partial(type(fitted(name)).from_arrays, **fitted(name).get_params())
    for key in arrays:
        with pytest.raises(ArtifactError, match="is rebuilt from the arrays"):
            build({k: v for k, v in arrays.items() if k != key})
    for key in set(arrays) - {"n_features_in"}:
        with pytest.raises(ArtifactError, match="must have shape"):
            build({**arrays, key: np.concatenate([arrays[key].ravel(), [0, 0, 0]])})


@pytest.mark.parametrize("name", NAMES)
def test_the_same_rows_and_seed_give_the_same_detector(name: str):
    X, people = curved()
    one, two = (DETECTORS[name](**TINY.get(name, {})).fit(X, groups=people) for _ in range(2))
    for key, array in one.to_arrays().items():
        np.testing.assert_array_equal(two.to_arrays()[key], array)
    if name in NETWORKS:
        other = clone(one).set_params(seed=1).fit(X, groups=people)
        assert (other.strangeness(X) != one.strangeness(X)).any()


@pytest.mark.parametrize("name", NAMES)
def test_a_window_alone_is_as_strange_as_among_others(name: str):
    X = curved(seed=1)[0][:20]
    alone = [fitted(name).strangeness(row[None])[0] for row in X]
    np.testing.assert_allclose(alone, fitted(name).strangeness(X), rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_windows_are_judged_by_their_bands(name: str):
    rng = np.random.default_rng(0)
    windows, people = rng.standard_normal((160, 2, 64)), np.arange(160) % 8
    more = {"epochs": 15} if name in NETWORKS else {}
    detector = DETECTORS[name](**{**SMALL.get(name, {}), **more})
    detector.fit(windows, groups=people)
    fresh = rng.standard_normal((60, 2, 64))
    hum = fresh + 3 * np.sin(2 * np.pi * 8 * np.arange(64) / 64)
    assert area(detector.strangeness(fresh), detector.strangeness(hum)) > 0.98
    dead = fresh * [[[1.0], [0.0]]]
    assert area(detector.strangeness(fresh), detector.strangeness(dead)) > 0.98
    assert np.isfinite(detector.strangeness(np.zeros((1, 2, 64)))).all()
    with pytest.raises(DataError, match="learned from windows of 64 samples"):
        detector.strangeness(np.zeros((1, 2, 60)))
    with pytest.raises(DataError, match="windows of 2 channels; these have 3"):
        detector.strangeness(np.zeros((1, 3, 64)))
    again = type(detector).from_arrays(detector.to_arrays(), **detector.get_params())
    np.testing.assert_array_equal(again.strangeness(fresh), detector.strangeness(fresh))


def test_the_power_of_bands_is_that_of_the_window():
    rng = np.random.default_rng(0)
    flat = band_powers(rng.standard_normal((2000, 1, 128)))
    assert flat.mean(axis=0)[1:] == pytest.approx(
        flat.mean(axis=0)[1] * np.diff([1, 2, 3, 6, 11, 20, 36, 65]), rel=0.1
    )
    assert band_powers(np.ones((1, 3, 5))).shape == (1, 24)  # shorter than there are bands
    loud = band_powers(2 * np.ones((1, 1, 64)))
    assert loud == pytest.approx(4 * band_powers(np.ones((1, 1, 64))))


def test_logarithms_are_taken_where_they_make_rows_more_normal():
    rng = np.random.default_rng(0)
    size = np.exp(rng.standard_normal((500, 1)))
    count = 20 + 3 * rng.standard_normal((500, 1))
    X = np.concatenate([size, rng.standard_normal((500, 1)), count], axis=1)
    detector = DETECTORS["mahalanobis"](logs=True).fit(X)
    assert detector.floor_[0] > 0
    assert detector.floor_[1:].tolist() == [0.0, 0.0]  # negative values, and normal as it is
    louder = np.concatenate([np.exp([[2.0], [4.0], [6.0]]), np.full((3, 1), 0.0)], axis=1)
    steps = np.diff(detector.strangeness(np.column_stack([louder, np.full(3, 20.0)])))
    assert steps[0] == pytest.approx(steps[1], rel=0.1)
    assert np.isfinite(detector.strangeness([[-5.0, 0.0, 20.0]])).all()


def test_people_are_dealt_whole():
    people = np.random.default_rng(0).integers(11, size=300)
    dealt = deal_people(people, folds=4, seed=3)
    assert all(len(np.unique(dealt[people == p])) == 1 for p in range(11))
    assert sorted(len(np.unique(people[dealt == k])) for k in range(4)) == [2, 3, 3, 3]


@NEEDS_TORCH
@pytest.mark.parametrize("method", NETWORKS)
def test_a_gate_of_a_network_holds_its_false_alarms_and_is_kept(method: str):
    X, _ = curved(600)
    people = np.arange(600) % 30
    gate = fit_novelty_gate(
        X, people, method=method, false_alarms=0.1, folds=2, **{**SMALL[method], "epochs": 12}
    )
    fresh = curved(600, seed=5)[0]
    assert gate.stops(fresh).mean() < 0.2
    assert gate.stops(fresh + 9).all()
    kept = NoveltyGate.from_dict(gate.to_dict())
    np.testing.assert_array_equal(kept.distance(fresh), gate.distance(fresh))
    params = gate.detector.get_params()
    again = NoveltyGate.from_arrays(gate.to_arrays(), method=method, **params)
    np.testing.assert_array_equal(again.distance(fresh), gate.distance(fresh))
    assert (kept.limit, again.limit) == (gate.limit, gate.limit)
    assert gate.distance([[np.nan] * 6]).tolist() == [np.inf]
    assert "30 training people" in gate.note


@pytest.mark.parametrize("name", NAMES)
def test_hostile_input_is_refused(name: str):
    detector = DETECTORS[name](**TINY.get(name, {}))
    X, people = curved(40)
    with pytest.raises(ValueError, match="NaN"):
        detector.fit(np.where(X > 1, np.nan, X))
    with pytest.raises(DataError, match="one person per row"):
        detector.fit(X, groups=people[:-1])
    with pytest.raises(ValueError, match=r"n_samples = 1|minimum of 1|at least 2 rows"):
        detector.fit(X[:1])
    constant = np.column_stack([X, np.full(len(X), 7.0)])
    detector.fit(constant, groups=people)
    assert np.isfinite(detector.strangeness(constant)).all()
    with pytest.raises(DataError, match="learned from features; got"):
        detector.strangeness(np.zeros((2, 7, 30)))


@NEEDS_TORCH
def test_settings_that_cannot_be_are_refused():
    X, people = curved(40)
    with pytest.raises(ParameterError, match=r"by must be one of \['latent'"):
        DETECTORS["vae"](by="elbo").fit(X)
    with pytest.raises(ParameterError, match="latent"):
        DETECTORS["autoencoder"](latent=0).fit(X)
    with pytest.raises(ParameterError, match="without labels, and labels were given"):
        fit_novelty_gate(X, people, labels=people, method="vae")
    with pytest.raises(ParameterError, match="novelty detector must be one of"):
        fit_novelty_gate(X, people, method="forest")
    with pytest.raises(ParameterError, match="parameter of detector 'vae' must be one of"):
        fit_novelty_gate(X, people, method="vae", depth=3)
    gate = fit_novelty_gate(X, people)
    with pytest.raises(ArtifactError, match="A novelty gate is rebuilt from the numbers"):
        NoveltyGate.from_arrays({"limit": np.zeros(())}, method="mahalanobis")
    assert "stops nothing" in gate.note


def sklearn_checks() -> list[Any]:
    def name_of(check: Any) -> str:
        return (check.func if isinstance(check, partial) else check).__name__

    return [
        pytest.param(name, check, id=f"{name}-{name_of(check)}-{number}")
        for name in DETECTORS
        if TORCH or name not in NETWORKS
        for number, (_, check) in enumerate(
            estimator_checks_generator(DETECTORS[name](**TINY.get(name, {})))
        )
        if "array_api" not in name_of(check)
    ]


@pytest.mark.parametrize(("name", "check"), sklearn_checks())
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_contract(name: str, check: Any):
    check(DETECTORS[name](**TINY.get(name, {})))
