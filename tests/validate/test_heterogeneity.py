"""Heterogeneity: the published trials of a vaccine, and laws."""

import numpy as np
import pytest

from myograph.core.errors import DataError
from myograph.validate.heterogeneity import pool_sites, site_heterogeneity

#: Cases and others, vaccinated and not, in the 13 trials of BCG against tuberculosis that Colditz
#: and others pooled (JAMA 1994;271:698).
BCG = np.array(
    [
        (4, 119, 11, 128),
        (6, 300, 29, 274),
        (3, 228, 11, 209),
        (62, 13536, 248, 12619),
        (33, 5036, 47, 5761),
        (180, 1361, 372, 1079),
        (8, 2537, 10, 619),
        (505, 87886, 499, 87892),
        (29, 7470, 45, 7232),
        (17, 1699, 65, 1600),
        (186, 50448, 141, 27197),
        (5, 2493, 3, 2338),
        (27, 16886, 29, 17825),
    ],
    dtype=float,
)


def test_published_vaccine_trials():
    a, b, c, d = BCG.T
    ratio = np.log(a / (a + b)) - np.log(c / (c + d))
    error = np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
    found = pool_sites(ratio, error)
    assert found.q == pytest.approx(152.23, abs=0.01)
    assert found.i_squared == pytest.approx(0.9212, abs=5e-4)
    assert found.tau**2 == pytest.approx(0.3088, abs=5e-4)
    assert found.pooled.value == pytest.approx(-0.7141, abs=5e-4)
    assert found.p < 1e-20


def test_equal_sites_have_no_heterogeneity():
    found = pool_sites([0.8, 0.8, 0.8], [0.1, 0.2, 0.1])
    assert (found.i_squared, found.tau, found.q, found.p) == (0.0, 0.0, pytest.approx(0), 1.0)
    assert found.pooled.value == pytest.approx(0.8)


def test_prediction_interval_holds_new_sites():
    random = np.random.default_rng(0)
    inside = 0
    for _ in range(600):
        true = random.normal(0.8, 0.05, 13)
        seen = true[:12] + random.normal(0, 0.02, 12)
        low, high = pool_sites(seen, np.full(12, 0.02)).prediction
        inside += low <= true[12] <= high
    assert 0.92 <= inside / 600 <= 0.98


def test_two_sites_predict_nothing():
    assert pool_sites([0.7, 0.9], [0.02, 0.02]).prediction is None


def test_sites_from_their_people():
    random = np.random.default_rng(1)
    sites = np.repeat(["a", "b", "c"], 20)
    scores = random.normal(0, 0.05, 60) + np.repeat([0.9, 0.8, 0.6], 20)
    found = site_heterogeneity(
        np.append(scores, [0.9, np.nan]), np.append(sites, ["lonely", "lonely"])
    )
    assert found.left_out == ("lonely",)
    assert found.pooled.n == 3
    assert found.i_squared > 0.9
    parts = [scores[sites == name] for name in "abc"]
    by_hand = pool_sites([p.mean() for p in parts], [p.std(ddof=1) / 20**0.5 for p in parts])
    assert (found.tau, found.pooled) == (by_hand.tau, by_hand.pooled)


def test_refused():
    with pytest.raises(DataError, match="at least 2 sites"):
        pool_sites([0.5], [0.1])
    with pytest.raises(DataError, match="finite and above 0"):
        pool_sites([0.5, 0.6], [0.1, 0.0])
    with pytest.raises(DataError, match="Only 0 of 2 sites"):
        site_heterogeneity([0.5, 0.6], ["a", "b"])
    with pytest.raises(DataError, match="a score and a site per person"):
        site_heterogeneity([0.5], ["a", "b"])


def test_intervals_stay_where_a_share_can_be():
    scores = [0.7, 0.99, 0.9, 1.0, 0.2, 0.9]
    sites = list("aabbcc")
    free, cut = site_heterogeneity(scores, sites), site_heterogeneity(scores, sites, bounds=(0, 1))
    assert free.prediction[1] > 1.0
    assert cut.prediction == (max(free.prediction[0], 0), 1)
    assert 0 <= cut.pooled.low <= cut.pooled.value == free.pooled.value <= cut.pooled.high <= 1
