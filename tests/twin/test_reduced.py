"""The reduced model: laws that hold exactly, and agreement with units that die one by one."""

from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.forward import clinic
from myograph.twin.muscle import Muscle
from myograph.twin.pool import PoolParameters
from myograph.twin.reduced import PARAMETERS, Course, grow, onset, priors
from myograph.twin.reinnervation import Reinnervation, die_at
from myograph.twin.visit import MEASURES, Observations


def people(n: int = 1, **own: float) -> dict[str, np.ndarray]:
    return {
        name: np.full(n, float(own.get(name, rule.middle))) for name, rule in PARAMETERS.items()
    }


def course_of(own: dict[str, np.ndarray], steps, **options) -> Course:
    luck = np.zeros((len(own["units"]), 2 * len(steps)))
    return grow(own, onset(own), steps, luck, **options)[0]


@pytest.mark.parametrize("name", PARAMETERS)
def test_scales_go_both_ways(name):
    rule = PARAMETERS[name]
    z = np.linspace(-2, 2, 9)
    values = rule.back(rule.forward(rule.middle) + rule.spread * z)
    np.testing.assert_allclose(rule.forward(values), rule.forward(rule.middle) + rule.spread * z)
    prior = priors("ADM")
    own = prior.natural(np.zeros((3, len(PARAMETERS))))
    np.testing.assert_allclose(prior.whitened(own), 0, atol=1e-12)


def test_units_fall_exponentially_on_average():
    own = people(4000, units=200, loss=0.03)
    luck = np.random.default_rng(0).standard_normal((4000, 24))
    course, _ = grow(own, onset(own), [2.0] * 12, luck)
    expected = 200 * np.exp(-0.03 * 2 * np.arange(1, 13))
    np.testing.assert_allclose(course.units.mean(axis=0), expected, rtol=0.02)
    # Deaths are independent: the variance of their number is binomial.
    alive = np.exp(-0.72)
    assert course.units[:, -1].var() == pytest.approx(200 * alive * (1 - alive), rel=0.12)


def test_few_deaths_scatter_without_bias():
    own = people(20_000, units=20, loss=0.002)
    luck = np.random.default_rng(1).standard_normal((20_000, 2))
    course, _ = grow(own, onset(own), [1.0], luck)
    assert -np.log(course.units / 20).mean() == pytest.approx(0.002, rel=0.1)
    assert (course.units <= 20).all()


def test_nothing_is_lost_without_loss():
    course = course_of(people(loss=1e-12), [100.0])
    np.testing.assert_allclose(course.units, 180)
    np.testing.assert_allclose(course.innervated, 1.0, atol=1e-6)
    np.testing.assert_allclose(course.immature, 0.0, atol=1e-6)


def test_more_reinnervation_keeps_more_fibres_and_the_cap_holds():
    steps = [12.0] * 8
    weak, strong = (course_of(people(loss=0.04, adoption=a), steps) for a in (0.2, 0.8))
    assert (strong.innervated > weak.innervated).all()
    # As long as units can still grow.
    assert (strong.immature > weak.immature)[:, :3].all()
    capped = course_of(people(loss=0.06, adoption=0.9, cap=2.0), steps)
    assert capped.enlargement.max() <= 2.0 + 1e-9
    assert capped.enlargement[0, -1] == pytest.approx(2.0, rel=0.01)


def test_a_treatment_slows_and_steps_do_not_matter():
    many = 1e8  # without chance
    own = people(loss=0.05, units=many)
    half = course_of(own, [6.0, 6.0], speed=np.array([0.5, 0.5]))
    slow = course_of(people(loss=0.025, units=many), [6.0, 6.0])
    np.testing.assert_allclose(half.units, slow.units, rtol=1e-6)
    np.testing.assert_allclose(
        course_of(own, [12.0]).innervated[:, -1],
        course_of(own, [1.0] * 12).innervated[:, -1],
        rtol=1e-5,
    )
    none = course_of(own, [12.0], adoption=np.array([0.0]))
    np.testing.assert_allclose(none.enlargement, 1.0, atol=2e-3)


@pytest.mark.parametrize(("adoption", "cap"), [(0.3, 5.0), (0.65, 5.0), (0.65, 2.0), (0.85, 8.0)])
def test_it_agrees_with_fibres_that_are_adopted_one_by_one(adoption, cap):
    muscle = Muscle.healthy("ADM", PoolParameters(n_units=200, n_fibres=30_000), seed=5)
    loss, since = 0.05, 24.0
    lives = np.sort(np.random.default_rng(3).exponential(1 / loss, 200))
    rule = Reinnervation(efficacy=adoption, enlargement=cap)
    sick = die_at(muscle, since - lives[lives < since], seed=5, rule=rule)
    held = sick.fibres.innervated.sum() / len(muscle.fibres)
    alive = muscle.pool.n_fibres[sick.pool.alive].sum() / len(muscle.fibres)
    # The same share of the fibres was taken, whoever had them.
    own = people(units=200, loss=-np.log(alive) / since, adoption=adoption, cap=cap)
    course = course_of(own, [since])
    assert course.innervated[0, 0] == pytest.approx(held, abs=0.03)
    young = 1 - sick.fibres.maturity[sick.fibres.innervated].mean()
    assert course.immature[0, 0] == pytest.approx(young, abs=0.035)


def test_priors_take_what_is_known_and_refuse_nonsense():
    known = priors("TA", {"onset_months": (14.0, 0.1)})
    assert known.natural(np.zeros(9))["units"] == pytest.approx(445)
    assert known.natural(np.zeros(9))["onset_months"] == pytest.approx(14)
    with pytest.raises(ParameterError, match="parameter must be one of"):
        priors("TA", {"onset": (14.0, 0.1)})
    for bad in ((-1.0, 0.1), (14.0, 0.0), (np.nan, 0.1)):
        with pytest.raises(ParameterError, match="possible value"):
            priors("TA", {"onset_months": bad})
    with pytest.raises(ParameterError, match="muscle must be one of"):
        priors("heart")


def expected(own, name, muscle="ADM", steps=(6.0,), norms=None):
    course = course_of(own, list(steps))
    return MEASURES[name].from_scale(clinic(muscle, norms).expected(own, course, [name])[0])


def test_a_healthy_person_has_the_typical_values():
    own = people(loss=1e-12)
    assert expected(own, "cmap_mv")[0, 0] == pytest.approx(11.6)
    assert expected(own, "munix")[0, 0] == pytest.approx(179)
    assert expected(own, "musix_uv")[0, 0] == pytest.approx(11_600 / 179)
    assert expected(own, "decrement_percent")[0, 0] == pytest.approx(0, abs=0.2)
    assert 90 < expected(own, "score_percent")[0, 0] < 100


@pytest.mark.parametrize("name", MEASURES)
def test_a_laboratory_s_own_norm_is_what_its_healthy_people_have(name):
    own = people(loss=1e-12)
    if name in ("musix_uv", "score_percent", "decrement_percent"):
        pytest.skip("follows from others, or is 0 in health")
    usual = float(expected(own, name)[0, 0])
    found = float(expected(own, name, norms={name: 1.2 * usual})[0, 0])
    assert found == pytest.approx(1.2 * usual, rel=1e-6)


def test_measures_move_as_they_should():
    well, sick = people(loss=1e-12), people(loss=0.06)
    higher = ("musix_uv", "muap_amplitude_uv", "muap_duration_ms", "muap_size_index", "jitter_us")
    lower = ("cmap_mv", "munix", "mvc_n", "score_percent")
    for name in higher:
        assert expected(sick, name, steps=(24.0,)) > expected(well, name, steps=(24.0,))
    for name in lower:
        assert expected(sick, name, steps=(24.0,)) < expected(well, name, steps=(24.0,))
    for name in ("mvc_n", "rate_hz", "rate_mvc_hz", "score_percent"):
        assert expected(people(loss=1e-12, drive=0.5), name) < expected(well, name)
    assert expected(people(junction=0.3), "decrement_percent") > 10
    assert expected(people(junction=0.5), "jitter_us") > 2 * expected(
        people(junction=1 - 1e-9), "jitter_us"
    )
    assert expected(people(fatigue=2.0), "mdf_fall_percent") > expected(well, "mdf_fall_percent")
    assert expected(people(fibre=1.2), "mdf_hz") > expected(well, "mdf_hz")


def test_unknown_measures_are_refused():
    own = people()
    with pytest.raises(ParameterError, match="measure must be one of"):
        clinic("ADM").expected(own, course_of(own, [1.0]), ["cmap"])
    with pytest.raises(ParameterError, match="norm must be one of"):
        clinic("ADM", {"cmap": 3.0})
    with pytest.raises(ParameterError, match="muscle must be one of"):
        clinic("heart")
    with pytest.raises(DataError, match="measure must be one of"):
        Observations([0], {"munex": [3]})
