from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.twin.drive import Drive
from myograph.twin.muscle import Muscle
from myograph.twin.nerve import Nerve
from myograph.twin.pathology import (
    DRIVE_DISEASES,
    MUSCLE_DISEASES,
    NERVE_DISEASES,
    ageing,
    multiple_sclerosis,
    sma,
)
from myograph.twin.pool import PoolParameters
from myograph.twin.repetitive import unit_output
from myograph.twin.transmission import Endplates, equipped

SMALL = PoolParameters(n_units=40, n_fibres=5000)


@pytest.fixture(scope="module")
def healthy() -> Muscle:
    return equipped(Muscle.healthy("FDI", SMALL, seed=3), seed=3)


@pytest.fixture(scope="module")
def drive() -> Drive:
    excitation = np.stack([np.full(400, 0.3), np.full(400, 0.1)])
    return Drive(excitation, 200.0, ("FCR", "ECRB"))


def state(muscle: Muscle) -> list[np.ndarray]:
    fibres, ends = muscle.fibres, Endplates.of(muscle.fibres)
    parts = [getattr(fibres, name) for name in ("unit", "diameter_um", "innervated", "maturity")]
    return [
        *parts,
        muscle.pool.twitch_n,
        muscle.pool.alive,
        ends.store,
        ends.quantum_mv,
        ends.release,
    ]


@pytest.mark.parametrize("name", sorted(MUSCLE_DISEASES))
def test_a_muscle_disease_is_pure_reproducible_and_nothing_at_severity_zero(name, healthy):
    before = [part.copy() for part in state(healthy)]
    disease = MUSCLE_DISEASES[name]
    none = disease(healthy, 0.0, months=24, seed=1)
    for one, two in zip(state(none), before, strict=True):
        np.testing.assert_array_equal(one, two)
    sick = [disease(healthy, 0.6, months=24, seed=1) for _ in range(2)]
    for one, two in zip(*map(state, sick), strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(state(healthy), before, strict=True):
        np.testing.assert_array_equal(one, two)
    changed = [
        one.shape != two.shape or not np.array_equal(one, two)
        for one, two in zip(state(sick[0]), before, strict=True)
    ]
    assert any(changed)
    with pytest.raises(ParameterError, match="must be at least 0 and at most 1"):
        disease(healthy, 1.3, months=24, seed=1)


@pytest.mark.parametrize("name", sorted(NERVE_DISEASES))
def test_a_nerve_disease_is_reproducible_and_nothing_at_severity_zero(name):
    nerve = Nerve.healthy("median", n_motor=50, seed=1)
    disease = NERVE_DISEASES[name]

    def arrays(of: Nerve) -> list[np.ndarray]:
        parts = ("velocity_m_s", "blocked", "terminal_ms", "alive")
        return [getattr(of.axons(kind), p) for kind in ("motor", "sensory") for p in parts]

    for one, two in zip(arrays(disease(nerve, 0.0, months=24, seed=1)), arrays(nerve), strict=True):
        np.testing.assert_allclose(one, two)
    sick = [arrays(disease(nerve, 0.7, months=24, seed=1)) for _ in range(2)]
    for one, two in zip(*sick, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any(not np.array_equal(a, b) for a, b in zip(sick[0], arrays(nerve), strict=True))


@pytest.mark.parametrize("name", sorted(DRIVE_DISEASES))
def test_a_drive_disease_is_reproducible_and_nothing_at_severity_zero(name, drive):
    disease = DRIVE_DISEASES[name]
    np.testing.assert_allclose(disease(drive, 0.0, seed=1).excitation, drive.excitation)
    one, two = (disease(drive, 0.5, seed=1).excitation for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert not np.allclose(one, drive.excitation)
    with pytest.raises(ParameterError, match="at least 0 and at most 1"):
        disease(drive, 2.0, seed=1)


def test_parkinsons_tremor_alternates_at_its_frequency_and_stroke_only_weakens(drive):
    long = Drive(np.zeros((2, 4000)), 200.0, ("FCR", "ECRB"))
    shaken = DRIVE_DISEASES["parkinson"](long, 0.6, seed=1).excitation
    spectrum = np.abs(np.fft.rfft(shaken[0] - shaken[0].mean()))
    peak = np.fft.rfftfreq(4000, 1 / 200.0)[spectrum.argmax()]
    assert 4 < peak < 6
    assert np.corrcoef(shaken)[0, 1] < 0
    weak = DRIVE_DISEASES["stroke"](drive, 0.5, seed=1).excitation
    np.testing.assert_allclose(weak, 0.55 * drive.excitation)


def test_the_tremor_of_multiple_sclerosis_needs_a_movement():
    rest = Drive(np.zeros((1, 400)), 200.0)
    assert not multiple_sclerosis(rest, 0.8, seed=1).excitation.any()


def test_ageing_loses_two_in_five_by_71_and_the_rest_grow(healthy):
    old = ageing(healthy, 71, seed=1)
    assert old.pool.n_alive == 24
    alive = old.pool.alive
    growth = old.fibre_counts[alive].sum() / healthy.fibre_counts[alive].sum()
    assert growth == pytest.approx(1.5, abs=0.2)
    assert ageing(healthy, 30, seed=1) is healthy


def test_spinal_atrophy_has_the_decrement_of_patients(healthy):
    sick = sma(healthy, 0.7, months=60, seed=1)
    output = unit_output(sick, np.arange(5) / 3, seed=1).sum(axis=1)
    assert 5 < 100 * (1 - output[3] / output[0]) < 25


def test_a_disease_refuses_what_it_cannot_change(healthy):
    for name in ("als", "sma", "axonal neuropathy", "polio", "nerve injury", "dmd", "fshd"):
        with pytest.raises(ParameterError, match="severity must be at least 0 and at most 1"):
            MUSCLE_DISEASES[name](healthy, 1.5, months=12, seed=1)
    nerve = Nerve.healthy("ulnar", n_motor=10, seed=1)
    with pytest.raises(ParameterError, match=r"changes a Muscle; got a Nerve.*NERVE_DISEASES"):
        MUSCLE_DISEASES["als"](nerve, 0.5, months=12, seed=1)
