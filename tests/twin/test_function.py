from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.courses import als_course, cmt_course, dmd_course
from myograph.twin.function import (
    AMBULATION_STRENGTH,
    RISE_STRENGTH,
    SCORES,
    Alsfrs,
    CmtPeds,
    Nsaa,
    Walk,
    measured,
    months_until,
)
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.score_laws import D50, AlsfrsLine, HajjarWalk, HamuroWalk

PEOPLE = range(150)


def test_scores_follow_the_strength():
    strength = np.linspace(0, 1, 101)
    for name, kind in SCORES.items():
        values = kind().of(strength, 7.0)
        falling = -1 if name == "CMTPedS" else 1
        assert (falling * np.diff(values) >= 0).all(), name
        assert values.min() >= 0
        assert values.max() <= kind().most
    assert Alsfrs().of([1.0, 0.0], 60).tolist() == [48, 0]
    assert Walk().of([1.0, 0.0], 8.0) == pytest.approx([270 + 19.6 * 8, 0])


def test_als_people_lose_a_point_a_month_and_munix_goes_faster():
    """proact2018: 0.99 points a month; neuwirth2015: MUNIX -3.2 %, ALSFRS-R -2.3 % a month."""
    months = np.array([0.0, 12.0, 27.0])
    slope, score, response = [], [], []
    for seed in range(500):
        course = als_course(seed=seed)
        points = measured(Alsfrs.of_person(seed=seed), course, months)
        fibres = course.burden(months).innervated
        slope.append((points[0] - points[1]) / 12)
        score.append(100 * (1 - points[2] / points[1]) / 15)
        response.append(100 * (1 - fibres[2] / fibres[1]) / 15)
    assert np.mean(slope) == pytest.approx(0.99, rel=0.12)
    assert np.mean(response) == pytest.approx(3.2, rel=0.12)
    assert np.mean(score) == pytest.approx(2.3, rel=0.2)
    assert np.mean(response) > np.mean(score)


def test_boys_walk_as_in_the_natural_history():
    """pane2014: -15.8, -58.9 and -104.2 m at 12, 24 and 36 months."""
    rng = np.random.default_rng(0)
    change = []
    for seed in PEOPLE:
        months = 12 * np.clip(rng.normal(8.3, 2.2), 4.5, 14) + np.array([0.0, 12, 24, 36])
        walk = measured(Walk.of_person(seed=seed), dmd_course(seed=seed), months)
        if walk[0] > 75:
            change.append(walk[1:] - walk[0])
    mean, error = np.mean(change, axis=0), np.std(change, axis=0) / np.sqrt(len(change))
    assert (np.abs(mean - [-15.8, -58.9, -104.2]) < 2 * error + [5, 12, 16]).all()


def test_boys_peak_and_stop_walking_as_in_the_centiles():
    """nsaauk2023: peak 14, 20, 26, 30, 32; ambulation lost at 10.7, 12.2, 14.3 years."""
    peak, lost, rise = [], [], []
    for seed in PEOPLE:
        course = dmd_course(seed=seed)
        peak.append(measured(Nsaa.of_person(seed=seed), course, np.arange(36, 160, 3.0)).max())
        lost.append(months_until(course, AMBULATION_STRENGTH) / 12)
        rise.append(months_until(course, RISE_STRENGTH) / 12)
    found = np.quantile(peak, [0.1, 0.25, 0.5, 0.75, 0.9])
    np.testing.assert_allclose(found, [14, 20, 26, 30, 32], atol=2.5)
    np.testing.assert_allclose(np.quantile(lost, [0.25, 0.5, 0.75]), [10.7, 12.2, 14.3], atol=0.8)
    np.testing.assert_allclose(np.quantile(rise, [0.25, 0.5, 0.75]), [8.6, 10.1, 11.9], atol=0.7)


@pytest.mark.parametrize(("kind", "two_years"), [("CMT1A", 1.8), ("CMT2A", 6.2)])
def test_children_lose_cmtpeds_points(kind, two_years):
    gain = [
        np.diff(measured(CmtPeds.of_person(seed=s), cmt_course(seed=s, kind=kind), [24.0, 48.0]))
        for s in PEOPLE
    ]
    assert np.mean(gain) == pytest.approx(two_years, rel=0.3)


def test_published_laws_have_their_values():
    assert AlsfrsLine().at([0, 10, 60]).tolist() == pytest.approx([48, 38.1, 0])
    assert D50(d50_months=30, dx_months=8).at(30.0) == 24
    age = np.linspace(4, 14, 1001)
    assert age[np.argmax(HamuroWalk().at(age))] == pytest.approx(1028 / 104.5, abs=0.02)
    slow = HajjarWalk(disease=1e-6, disease_per_year=0.4)
    # Without disease gain and loss balance.
    assert slow.at(8.0) == pytest.approx(0.63 * 3852 / 5.76, rel=1e-3)
    assert HajjarWalk().at([1.0, 9.0, 20.0]).round().tolist() == pytest.approx([0, 390, 0], abs=20)


def test_hajjar_is_the_solution_of_its_equation():
    law, h = HajjarWalk(), 0.02
    age = np.arange(6.0, 14.0, 1.0)
    slope = (law.at(age + h) - law.at(age - h)) / (2 * h)
    right = 0.63 * 3852 - 5.76 * law.at(age) * (1 + 9.85e-6 * np.exp(0.995 * age))
    np.testing.assert_allclose(slope, right, atol=6.0)


def test_noise_is_only_what_a_seed_adds():
    course = als_course(seed=1)
    months = np.linspace(0, 30, 400)
    clean = measured(Alsfrs(), course, months)
    np.testing.assert_array_equal(clean, measured(Alsfrs(), course, months))
    noisy = measured(Alsfrs(), course, months, seed=3)
    inside = clean < 45
    assert np.std((noisy - clean)[inside]) == pytest.approx(1.0, rel=0.15)
    assert noisy.max() <= 48


def test_a_score_of_another_disease_is_refused():
    with pytest.raises(ParameterError, match=r"NSAA is a score of \['dmd'\]; .* 'als'"):
        measured(Nsaa(), als_course(seed=1), 12.0)
    with pytest.raises(DataError, match="strength is a share"):
        Alsfrs().of(-0.1, 3.0)
    with pytest.raises(DataError, match="age_years must be finite, 0 to 120"):
        Walk().of(0.5, 300.0)
    with pytest.warns(PhysiologyWarning, match="half"):
        Alsfrs(half=20.0)


def test_who_cannot_walk_scores_nothing_with_noise_too():
    course = dmd_course(seed=1, months=120.0)
    late = np.full(50, 400.0)
    assert (measured(Nsaa(), course, late, seed=1) == 0).all()


def test_never_is_infinite():
    assert months_until(als_course(seed=1), 0.0) == np.inf
