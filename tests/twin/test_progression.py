from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.courses import COURSES, als_course, cmt_course, dmd_course, sma_course
from myograph.twin.decline import Exponential, Linear, Plateau, Sigmoid, Stable
from myograph.twin.muscle import Muscle, MuscleGeometry
from myograph.twin.myopathy import FibreDisease, fibre_strength
from myograph.twin.nerve import Nerve
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.pool import PoolParameters
from myograph.twin.progression import Course, Pace, death_months, state_at, wired
from myograph.twin.reinnervation import die_at, lose_units
from myograph.twin.subject import Person, simulate_person

# As dense as a real muscle: 400 fibres on a square millimetre.
DENSE = MuscleGeometry(width_mm=6.2, thickness_mm=6.2)
LOSS = Course(disease="loss", units=Exponential(rate_per_month=0.06))


@pytest.fixture(scope="module")
def healthy() -> Muscle:
    return Muscle.healthy("FDI", PoolParameters(n_units=80, n_fibres=12_000), DENSE, seed=3)


def same(one: Muscle, two: Muscle) -> bool:
    names = ("unit", "diameter_um", "innervated", "maturity", "terminal_delay_ms")
    return all(np.array_equal(getattr(one.fibres, n), getattr(two.fibres, n)) for n in names) and (
        np.array_equal(one.pool.twitch_n, two.pool.twitch_n)
    )


LAWS = [
    Stable(),
    Exponential(rate_per_month=0.05),
    Linear(rate_per_month=0.01, most=0.6),
    Sigmoid(half_months=20, width_months=6),
    Plateau(share=0.8, time_months=4, later_per_month=0.002),
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_a_loss_starts_at_nothing_and_never_goes_back(law):
    lost = law.lost(np.linspace(0, 400, 2001))
    assert lost[0] == 0
    assert (np.diff(lost) >= -1e-15).all()
    assert lost.max() <= 1
    assert law.lost(7.0).shape == ()


def test_laws_have_their_closed_forms():
    assert Exponential(rate_per_month=0.1).lost(np.log(2) / 0.1) == pytest.approx(0.5)
    sigmoid = Sigmoid(half_months=60.0, width_months=6.0)
    # Almost nothing lies before the onset here, so that the half stays where it was.
    assert sigmoid.lost(60.0) == pytest.approx(0.5, abs=1e-4)
    assert Plateau(share=0.8, time_months=4).lost(400.0) == pytest.approx(0.8)
    assert Linear(rate_per_month=0.01, most=0.6).lost([30, 90]).tolist() == [0.3, 0.6]


@pytest.mark.parametrize("months", [-1.0, np.nan, np.inf, [0, -2]])
def test_months_count_from_the_onset(months):
    with pytest.raises(ParameterError, match="from the onset and must be finite and 0 or more"):
        LOSS.burden(months)


def test_the_implausible_warns_and_the_impossible_is_refused():
    with pytest.warns(PhysiologyWarning, match="rate_per_month=0.9 per month lies outside"):
        Exponential(rate_per_month=0.9)
    with pytest.raises(ParameterError, match="rate_per_month must be at least 0"):
        Exponential(rate_per_month=-0.1)
    with pytest.raises(ParameterError, match="must end later; got until_months=3"):
        Pace(from_months=6, factor=0.5, until_months=3)
    with pytest.raises(ParameterError, match="share must be at least 0 and at most 1"):
        Plateau(share=1.2, time_months=3)
    with pytest.raises(ParameterError, match="needs a Muscle, a Nerve or a Patient; got str"):
        state_at("FDI", LOSS, months=1, seed=1)


def test_paces_run_the_clock():
    slow = LOSS.paced(Pace(from_months=10, factor=0.5, until_months=20))
    assert slow.disease_months([5, 10, 16, 20, 30]).tolist() == [5, 10, 13, 15, 25]
    still = LOSS.paced(Pace(from_months=10, factor=0.0))
    assert still.burden(80.0).units == LOSS.burden(10.0).units
    both = slow.paced(Pace(from_months=15, factor=0.5))
    assert both.disease_months(25.0) == pytest.approx(10 + 2.5 + 1.25 + 2.5)
    # What happened before a pace is as it was.
    np.testing.assert_array_equal(slow.burden([2, 9]).units, LOSS.burden([2, 9]).units)


def test_units_die_when_the_law_says(healthy):
    died = death_months(LOSS, 80, months=30)
    assert (np.diff(died) > 0).all()
    for k in (0, 20, len(died) - 1):
        assert LOSS.units.lost(died[k]) == pytest.approx((k + 0.5) / 80, abs=1e-4)
    alive = [state_at(healthy, LOSS, months=m, seed=1).pool.n_alive for m in range(0, 40, 8)]
    expected = 80 * (1 - LOSS.units.lost(np.arange(0, 40, 8)))
    np.testing.assert_allclose(alive, expected, atol=0.51)


def test_months_0_change_nothing_and_later_loses_the_same_and_more(healthy):
    assert same(state_at(healthy, LOSS, months=0, seed=1), healthy)
    early = state_at(healthy, LOSS, months=8, seed=1)
    late = state_at(healthy, LOSS, months=20, seed=1)
    assert set(np.flatnonzero(late.pool.alive)) <= set(np.flatnonzero(early.pool.alive))
    # A fibre that never lost its unit has it in both.
    kept = late.pool.alive[healthy.fibres.unit]
    np.testing.assert_array_equal(early.fibres.unit[kept], healthy.fibres.unit[kept])


def test_one_seed_is_one_course_to_the_bit(healthy):
    one = state_at(healthy, als_course(seed=4), months=14, seed=9)
    assert same(one, state_at(healthy, als_course(seed=4), months=14, seed=9))
    assert not same(one, state_at(healthy, als_course(seed=4), months=14, seed=10))


@pytest.mark.parametrize("months", [6, 18, 30])
def test_the_mean_field_is_what_happens_to_fibres(healthy, months):
    burden = LOSS.burden(float(months))
    sick = state_at(healthy, LOSS, months=months, seed=1)
    assert sick.fibres.innervated.sum() / len(healthy.fibres) == pytest.approx(
        float(burden.innervated), abs=0.1
    )
    assert float(burden.enlargement) == pytest.approx(
        float(burden.innervated) / float(burden.units)
    )


def test_without_reinnervation_only_the_survivors_own_fibres_are_left():
    bare = replace(LOSS, reinnervation=replace(LOSS.reinnervation, efficacy=0.0))
    months = np.linspace(0, 60, 13)
    np.testing.assert_allclose(bare.burden(months).innervated, bare.burden(months).units)


def test_reinnervation_never_exceeds_what_units_can_hold():
    course = Course(disease="loss", units=Exponential(rate_per_month=0.2))
    burden = course.burden(np.linspace(0, 60, 61))
    assert (burden.enlargement <= course.reinnervation.enlargement + 1e-9).all()
    assert (burden.strength <= 1).all()


@pytest.mark.parametrize("months", [60, 120, 170])
def test_fibre_strength_is_the_mean_field_of_the_fibre_disease(healthy, months):
    course = dmd_course(seed=1, months=168.0)
    sick = state_at(healthy, course, months=months, seed=2)
    assert sick.mvc_n / healthy.mvc_n == pytest.approx(
        float(course.burden(float(months)).strength), abs=0.03
    )


def test_fibre_strength_has_its_limits():
    rule = FibreDisease(regenerating=0.0, hypertrophic=0.0, segmental=0.0, onset_months=1.0)
    assert fibre_strength(0.0, 1.0, rule=rule) == 1
    assert fibre_strength(300.0, 1.0, rule=rule) == pytest.approx(0.0, abs=1e-9)
    assert fibre_strength(300.0, 0.4, rule=rule) == pytest.approx(0.6)
    with pytest.raises(DataError, match="finite and 0 or more"):
        fibre_strength(-3.0, 0.4)


def test_a_treatment_leaves_the_past_alone(healthy):
    later = LOSS.paced(Pace(from_months=12, factor=0.3))
    assert same(
        state_at(healthy, LOSS, months=12, seed=1), state_at(healthy, later, months=12, seed=1)
    )
    treated = state_at(healthy, later, months=30, seed=1)
    assert treated.pool.n_alive > state_at(healthy, LOSS, months=30, seed=1).pool.n_alive


def test_nerves_lose_axons_and_keep_the_velocity_of_their_disease():
    nerve = Nerve.healthy("median", n_motor=120, seed=1, variation=0.0)
    course = cmt_course(seed=2, kind="CMT1A")
    sick = state_at(nerve, course, months=120, seed=3)
    share = np.median(sick.motor.velocity_m_s / nerve.motor.velocity_m_s)
    assert share == pytest.approx(course.slowing, rel=0.03)
    expected = float(course.units.lost(120.0))
    assert 1 - sick.motor.alive.mean() == pytest.approx(expected, abs=0.01)
    assert sick.sensory.alive.mean() < sick.motor.alive.mean() + 0.02


def test_a_nerve_is_wired_to_the_living_units(healthy):
    nerve = Nerve.healthy("ulnar", n_motor=80, seed=1)
    sick = state_at(healthy, LOSS, months=15, seed=1)
    np.testing.assert_array_equal(wired(nerve, sick).motor.alive, sick.pool.alive)
    with pytest.raises(ParameterError, match="has 7 motor axons and 'FDI' 80 units"):
        wired(Nerve.healthy("ulnar", n_motor=7, seed=1), sick)


def test_a_person_has_muscles_at_paces_of_their_own():
    patient = simulate_person(
        Person(pseudonym="S1", age_years=60), ["FDI", "ADM"], seed=1, fibre_share=0.1
    )
    course = als_course(seed=1, slope_per_month=1.0)
    sick = state_at(patient, course, months=12, seed=5)
    assert sick.subject.condition == "simulated: als"
    assert sick.subject.age_years == 61
    assert sick.state["months"] == 12
    left = {
        m: sick.muscles[m].pool.n_alive / patient.muscles[m].pool.n_alive for m in ("FDI", "ADM")
    }
    assert left["FDI"] != left["ADM"]
    # One more muscle leaves the others as they were.
    alone = simulate_person(Person(pseudonym="S1", age_years=60), ["FDI"], seed=1, fibre_share=0.1)
    assert same(state_at(alone, course, months=12, seed=5).muscles["FDI"], sick.muscles["FDI"])


def test_every_course_runs(healthy):
    for name in COURSES:
        course = COURSES[name](seed=1)
        burden = course.burden(np.linspace(0, 120, 25))
        assert burden.strength[0] == pytest.approx(1.0)
        assert ((burden.strength >= 0) & (burden.strength <= 1)).all(), name
        sick = state_at(healthy, course, months=24, seed=1)
        assert 0 < sick.mvc_n <= 1.1 * healthy.mvc_n
    assert same(state_at(healthy, COURSES["healthy"](seed=1), months=99, seed=1), healthy)
    with pytest.raises(ParameterError, match="Did you mean 'als'"):
        COURSES["alss"]


def test_people_differ_and_a_seed_is_a_person():
    rates = [als_course(seed=i).units.rate_per_month for i in range(40)]
    assert len(set(rates)) == 40
    assert als_course(seed=7) == als_course(seed=7)
    # What is asked for is the person's; the rest of the person stays.
    asked = als_course(seed=7, slope_per_month=2.0)
    assert replace(asked, units=als_course(seed=7).units) == als_course(seed=7)


def test_sma_is_the_worse_the_earlier_it_starts():
    late = [sma_course(seed=1, onset_months=m).burden(24.0).units for m in (3, 12, 36, 300)]
    assert (np.diff(late) > 0).all()
    assert late[0] < 0.12
    assert late[-1] > 0.6


def test_no_more_units_die_than_live(healthy):
    with pytest.raises(DataError, match="81 deaths were asked of 'FDI', which has 80"):
        die_at(healthy, np.zeros(81), seed=1)
    with pytest.raises(ParameterError, match="descending, first death first"):
        die_at(healthy, [1.0, 2.0], seed=1)
    assert die_at(healthy, [], seed=1) is healthy


def test_die_at_is_lose_units_with_moments(healthy):
    even = 12 - 12 * (np.arange(40) + 0.5) / 40
    assert same(die_at(healthy, even, seed=1), lose_units(healthy, 0.5, months=12, seed=1))
