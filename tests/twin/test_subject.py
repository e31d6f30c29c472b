from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.twin.anatomy import FOREARM_SET, MUSCLES, NERVES
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.pool import PoolParameters
from myograph.twin.subject import Patient, Person, Traits, aged, simulate_person

TYPICAL = Traits()
SMALL = {"fibre_share": 0.02}


def test_the_promised_muscles_are_there_and_their_nerves_too():
    assert {"FDI", "TA", "BB", "VL", "APB", "ADM", *FOREARM_SET} <= set(MUSCLES)
    assert len(FOREARM_SET) == 16
    assert {anatomy.nerve for anatomy in MUSCLES.values()} <= set(NERVES)


@pytest.mark.parametrize("name", MUSCLES)
def test_every_muscle_can_be_built_and_holds_its_fibres(name):
    patient = simulate_person(Person(pseudonym="S1"), [name], seed=1, traits=TYPICAL, **SMALL)
    muscle = patient.muscle(name)
    anatomy = MUSCLES[name]
    assert muscle.pool.n_units == anatomy.pool.n_units
    assert muscle.mvc_n == pytest.approx(anatomy.pool.mvc_n)
    # The fibres of the whole muscle fill, and do not overfill, its cross-section.
    area = anatomy.pool.n_fibres * np.pi / 4 * (anatomy.geometry.diameter_um / 1000) ** 2
    assert 0.8 < area / anatomy.geometry.area_mm2 < 1.0


def test_the_same_seed_is_the_same_person_and_muscles_do_not_disturb_each_other():
    person = Person(pseudonym="S1")
    one = simulate_person(person, ["FDI", "APB"], seed=4, **SMALL)
    two = simulate_person(person, ["APB"], seed=4, **SMALL)
    np.testing.assert_array_equal(one.muscle("APB").fibres.x_mm, two.muscle("APB").fibres.x_mm)
    other = simulate_person(person, ["APB"], seed=5, **SMALL)
    assert other.traits != two.traits


def test_a_person_is_marked_as_simulated():
    patient = simulate_person(Person(pseudonym="S1", sex="female"), ["FDI"], seed=1, **SMALL)
    assert patient.subject.condition == "simulated: healthy"
    assert patient.subject.sex == "female"
    sick = patient.with_condition("ALS", months=6)
    assert sick.subject.condition == "simulated: ALS"
    assert sick.state == {"months": 6}
    with pytest.raises(ParameterError, match="starts with 'simulated:'"):
        Patient(
            type(patient.subject)("x", condition="ALS"),
            patient.muscles,
            patient.nerves,
            patient.traits,
            1,
        )


def test_sex_changes_strength_and_fat_as_it_should():
    man, woman = (
        simulate_person(Person(pseudonym="S", sex=s), ["VL"], seed=1, traits=TYPICAL, **SMALL)
        for s in ("male", "female")
    )
    assert woman.muscle("VL").mvc_n < 0.75 * man.muscle("VL").mvc_n
    assert woman.muscle("VL").geometry.fat_mm > man.muscle("VL").geometry.fat_mm
    assert woman.muscle("VL").pool.n_units == man.muscle("VL").pool.n_units


def test_ageing_loses_four_in_ten_units_by_71_and_enlarges_the_rest_by_half():
    young = PoolParameters(n_units=200, n_fibres=60_000)
    old = aged(young, 71)
    assert old.n_units == 120
    per_unit = (old.n_fibres / old.n_units) / (young.n_fibres / young.n_units)
    assert per_unit == pytest.approx(1.5, rel=0.01)
    assert old.mvc_n < young.mvc_n
    assert old.peak_rate_hz < young.peak_rate_hz
    assert old.longest_contraction_ms > young.longest_contraction_ms
    assert aged(young, 50) == young


def test_traits_vary_between_people_around_one():
    people = [Traits.of_person(seed=s) for s in range(200)]
    strength = np.log([p.strength for p in people])
    assert strength.mean() == pytest.approx(0, abs=0.04)
    assert strength.std() == pytest.approx(0.2, rel=0.2)


def test_nerves_slow_with_age_and_lengthen_with_height():
    young, old = (
        simulate_person(
            Person(pseudonym="S", age_years=a), ["APB"], seed=1, traits=TYPICAL, **SMALL
        )
        for a in (30, 80)
    )
    assert young.nerves["median"].motor_velocity_m_s == pytest.approx(54.4)
    assert old.nerves["median"].motor_velocity_m_s == pytest.approx(48.4)
    tall = simulate_person(
        Person(pseudonym="S", height_cm=195), ["APB"], seed=1, traits=TYPICAL, **SMALL
    )
    assert tall.nerves["median"].root_mm > young.nerves["median"].root_mm


def test_fewer_simulated_fibres_keep_units_force_and_territories():
    few = simulate_person(Person(pseudonym="S"), ["FDI"], seed=1, traits=TYPICAL, fibre_share=0.05)
    all_ = simulate_person(Person(pseudonym="S"), ["FDI"], seed=1, traits=TYPICAL)
    few, all_ = few.muscle("FDI"), all_.muscle("FDI")
    assert few.mvc_n == pytest.approx(all_.mvc_n)
    assert len(few.fibres) == pytest.approx(0.05 * len(all_.fibres), rel=0.01)
    spread = [m.fibres.x_mm[m.fibres.unit > 110].std() for m in (few, all_)]
    assert spread[0] == pytest.approx(spread[1], rel=0.1)


def test_ordinary_people_of_all_ages_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed, age in enumerate((18, 45, 70, 90)):
            sex = ("female", "male")[seed % 2]
            person = Person(pseudonym="S", age_years=age, sex=sex)
            simulate_person(person, ["FDI", "TA", "SOL"], seed=seed, fibre_share=0.01)


def test_a_person_travels_between_processes():
    patient = simulate_person(Person(pseudonym="S1"), ["FDI"], seed=1, **SMALL)
    again = pickle.loads(pickle.dumps(patient))
    np.testing.assert_array_equal(
        again.muscle("FDI").fibres.x_mm, patient.muscle("FDI").fibres.x_mm
    )


def test_nonsense_is_refused():
    with pytest.raises(ParameterError, match="muscle must be one of"):
        simulate_person(Person(pseudonym="S"), ["biceps"], seed=1)
    with pytest.raises(ParameterError, match="at least one muscle"):
        simulate_person(Person(pseudonym="S"), [], seed=1)
    with pytest.raises(ParameterError, match="sex must be one of"):
        Person(pseudonym="S", sex="x")
    with pytest.raises(ParameterError, match="age_years must be at least"):
        Person(pseudonym="S", age_years=-3)
    with pytest.warns(PhysiologyWarning, match="age_years=108"):
        Person(pseudonym="S", age_years=108)
    with pytest.raises(ParameterError, match="seed must be"):
        simulate_person(Person(pseudonym="S"), ["FDI"], seed=-1)
    patient = simulate_person(Person(pseudonym="S"), ["FDI"], seed=1, **SMALL)
    with pytest.raises(ParameterError, match="muscle of this person"):
        patient.muscle("TA")


def test_an_impossible_height_is_refused():
    with pytest.raises(ParameterError, match="height_cm must be at least 40"):
        Person(pseudonym="S1", height_cm=1.8)
