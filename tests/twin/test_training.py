from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.twin.contraction import excitation_for_force
from myograph.twin.muscle import Muscle
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.pool import PoolParameters
from myograph.twin.training import StrokeRecovery, Training, trained, training_gain


@pytest.fixture(scope="module")
def muscle() -> Muscle:
    return Muscle.healthy("TA", PoolParameters(n_units=80, n_fibres=3000), seed=3)


def rates_at(muscle: Muscle, share: float) -> np.ndarray:
    level, _ = excitation_for_force(muscle.pool, [share * muscle.mvc_n])
    return muscle.pool.rates_hz(level)[:, 0]


def test_four_weeks_are_neural(muscle):
    """wilson2023: +15 %; delvecchio2019: faster discharges, recruited at less of the maximum."""
    people = [trained(muscle, Training(weeks=4), seed=s) for s in range(20)]
    gain = np.array([after.mvc_n / muscle.mvc_n - 1 for after in people])
    assert gain.mean() == pytest.approx(0.15, abs=0.04)
    assert gain.std() > 0.02
    before = rates_at(muscle, 0.35)
    faster = []
    for after in people:
        rates = rates_at(after, 0.35)
        both = (rates > 0) & (before > 0)
        faster.append((rates - before)[both].mean())
    assert 1 < np.mean(faster) < 4
    assert np.mean([training_gain(Training(weeks=4), seed=s).hypertrophy for s in range(20)]) < 0.03


def test_months_make_fibres_grow(muscle):
    weeks = [training_gain(Training(weeks=w), seed=1).hypertrophy for w in (2, 8, 24, 52)]
    assert weeks[0] == 0
    assert (np.diff(weeks) > 0).all()
    after = trained(muscle, Training(weeks=24), seed=1)
    area = after.fibres.area_mm2.sum() / muscle.fibres.area_mm2.sum()
    assert area == pytest.approx(1 + training_gain(Training(weeks=24), seed=1).hypertrophy)


def test_gains_fade_when_training_stops(muscle):
    strength = [
        trained(muscle, Training(weeks=12), seed=1, weeks_since=w).mvc_n for w in (0, 12, 300)
    ]
    assert strength[0] > strength[1] > strength[2]
    assert strength[2] == pytest.approx(muscle.mvc_n, rel=1e-3)


def test_no_training_changes_nothing(muscle):
    assert trained(muscle, Training(weeks=0), seed=1) is muscle
    assert trained(muscle, Training(weeks=8, intensity=0.1), seed=1) is muscle


def test_dose_saturates():
    doses = [Training(weeks=4, sessions_per_week=n).dose for n in (1, 2, 3, 4)]
    assert (np.diff(doses) > 0).all()
    assert (np.diff(doses, 2) < 0).all()
    assert doses[2] == pytest.approx(1.0)


def test_a_contradictory_programme_is_refused():
    with pytest.raises(ParameterError, match="with 0 sessions a week contradicts itself"):
        Training(weeks=4, sessions_per_week=0)
    with pytest.raises(ParameterError, match="weeks must be at least 0"):
        Training(weeks=-1)
    with pytest.warns(PhysiologyWarning, match="sessions_per_week=14"):
        Training(weeks=4, sessions_per_week=14)
    with pytest.raises(ParameterError, match="intensity must be at least 0 and at most"):
        Training(weeks=4, intensity=2)


def test_recovery_after_stroke_is_in_proportion_to_what_is_missing():
    law = StrokeRecovery(start=0.4)
    assert law.arriving(0.0) == pytest.approx(0.4)
    assert law.arriving(60.0) == pytest.approx(0.4 + 0.7 * 0.6)
    trained_too = law.arriving(6.0, training=Training(weeks=12))
    assert 0 < trained_too - law.arriving(6.0) < 0.05
    with pytest.raises(ParameterError, match="months since the stroke must be 0 or more"):
        law.arriving(-1.0)


def test_a_third_of_the_severe_regain_little():
    severe = [StrokeRecovery.of_person(start=0.1, seed=s).share for s in range(300)]
    assert 0.25 < np.mean(np.array(severe) < 0.4) < 0.42
    mild = [StrokeRecovery.of_person(start=0.6, seed=s).share for s in range(300)]
    assert np.mean(mild) == pytest.approx(0.7, abs=0.03)
    assert StrokeRecovery.of_person(start=0.1, seed=3) == StrokeRecovery.of_person(
        start=0.1, seed=3
    )
