"""The fit of a patient's twin, its posterior, and what it says would happen."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import norm

import myograph.twin
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.twin.effect import EFFECTS, Effect, Phase, Size, protocol
from myograph.twin.forward import clinic
from myograph.twin.inference import Checkpoint, Likelihood, fit
from myograph.twin.posterior import DERIVED, LIMITS, PatientTwin
from myograph.twin.reduced import PARAMETERS, courses, priors
from myograph.twin.simulated_visits import CLINICAL, noisy, simulate_visits
from myograph.twin.visit import MEASURES, Observations
from myograph.twin.whatif import NATURAL, TRACKED, forecast, simulate, what_if

MONTHS = 3.0 * np.arange(8)
QUICK = 200


@pytest.fixture(scope="module")
def patient():
    return simulate_visits(MONTHS, seed=41, truth={"loss": 0.04, "units": 190})


@pytest.fixture(scope="module")
def twin(patient):
    return fit(patient.observations, seed=1, particles=QUICK)


def test_the_likelihood_is_the_normal_one_with_the_offset_integrated_out():
    rng = np.random.default_rng(2)
    values = {"cmap_mv": [9.0, np.nan, 7.5], "mdf_fall_percent": [5.0, 3.0, 6.0]}
    seen = Observations([0, 4, 9], values)
    likelihood = Likelihood(seen, priors("ADM"))
    z = rng.standard_normal((5, likelihood.size))
    left = likelihood.residuals(z)
    expected = np.zeros(5)
    for i in range(2):
        there = likelihood.there[i]
        covariance = likelihood.noise[i] ** 2 * np.eye(there.sum()) + likelihood.spread[i] ** 2
        inverse = np.linalg.inv(covariance)
        expected -= 0.5 * np.einsum("nv,vw,nw->n", left[i][:, there], inverse, left[i][:, there])
    np.testing.assert_allclose(likelihood(z), expected, rtol=1e-9)


def test_a_full_score_says_only_that_the_person_lies_there_or_beyond():
    seen = Observations([0, 4, 9, 12], {"score_percent": [100.0, 93.0, 100.0, 100.0]})
    likelihood = Likelihood(seen, priors("ADM"))
    z = np.random.default_rng(2).standard_normal((6, likelihood.size))
    own, course, _ = courses(priors("ADM"), z, seen.months)
    expected = clinic("ADM").expected(own, course, ["score_percent"])[0]
    grid = np.linspace(-60, 60, 24_001)
    noise, spread = likelihood.noise[0], likelihood.spread[0]
    density = norm.pdf(grid, 0, spread) * norm.pdf(93, expected[:, 1:2] + grid, noise)
    for v in (0, 2, 3):
        density = density * norm.sf(100, expected[:, v, None] + grid, noise)
    whole = np.log(density.sum(axis=1))
    found = likelihood(z)
    np.testing.assert_allclose(found - found[0], whole - whole[0], atol=0.01)
    drawn = likelihood.offsets(np.repeat(z[:1], 20_000, axis=0), np.random.default_rng(3))[:, 0]
    mean = (density[0] * grid).sum() / density[0].sum()
    spread = np.sqrt((density[0] * (grid - mean) ** 2).sum() / density[0].sum())
    assert drawn.mean() == pytest.approx(mean, abs=0.2)
    assert drawn.std() == pytest.approx(spread, rel=0.05)


def test_offsets_are_drawn_from_what_the_visits_leave_of_them():
    seen = Observations([0, 4, 9], {"cmap_mv": [9.0, 8.8, 8.5]})
    likelihood = Likelihood(seen, priors("ADM"))
    z = np.repeat(np.random.default_rng(2).standard_normal((1, likelihood.size)), 20_000, axis=0)
    drawn = likelihood.offsets(z, np.random.default_rng(3))[:, 0]
    noise, spread = likelihood.noise[0] ** 2, likelihood.spread[0] ** 2
    mean = likelihood.residuals(z)[0, 0].sum() / (3 + noise / spread)
    assert drawn.mean() == pytest.approx(mean, abs=0.003)
    assert drawn.var() == pytest.approx(1 / (3 / noise + 1 / spread), rel=0.05)


def test_one_measure_that_is_linear_has_the_posterior_of_the_textbook():
    # At full effort the logarithm of the force is the logarithm of the drive's table: with the
    # drive known, the fibre's prior and likelihood are both normal.
    seen = Observations([0.0], {"mdf_hz": [155.0]})
    known = {"loss": (1e-6, 0.01), "onset_months": (0.01, 0.01), "units": (180.0, 0.001)}
    found = fit(seen, seed=3, prior=known, particles=2000)
    rule, prior_sd = MEASURES["mdf_hz"], PARAMETERS["fibre"].spread
    slope, noise = 0.77, np.hypot(rule.noise, rule.spread)
    gain = slope * prior_sd**2 / (slope**2 * prior_sd**2 + noise**2)
    mean = gain * np.log(155.0 / 140.0)
    sd = prior_sd * np.sqrt(1 - gain * slope)
    drawn = np.log(found.samples("fibre"))
    assert drawn.mean() == pytest.approx(mean, abs=0.012)
    assert drawn.std() == pytest.approx(sd, rel=0.08)


def test_a_fit_learns_the_loss_and_covers_the_truth(patient, twin):
    low, high = twin.interval("loss", 0.98)
    assert low < patient.truth["loss"] < high
    assert twin.narrowed("loss") > 0.5
    low, high = twin.interval("units_now", 0.98)
    assert low < patient.units[-1] < high
    assert all(np.isfinite([row.median, row.low, row.high]).all() for row in twin.found())
    assert [row.name for row in twin.found()] == [*PARAMETERS, *DERIVED]


def test_the_same_seed_gives_the_same_twin(patient, twin):
    again = fit(patient.observations, seed=1, particles=QUICK)
    np.testing.assert_array_equal(again.whitened, twin.whitened)
    other = fit(patient.observations, seed=2, particles=QUICK)
    assert not np.array_equal(other.whitened, twin.whitened)


def test_a_fit_goes_on_where_it_stopped(patient, twin):
    states = []
    fit(patient.observations, seed=1, particles=QUICK, checkpoint=Checkpoint(states.append))
    middle = json.loads(json.dumps(states[1]))
    going_on = Checkpoint(states.append, middle)
    again = fit(patient.observations, seed=1, particles=QUICK, checkpoint=going_on)
    np.testing.assert_array_equal(again.whitened, twin.whitened)
    for changed in ({"seed": 2}, {"particles": 100}, {"prior": {"loss": (0.02, 1.0)}}):
        options = {"seed": 1, "particles": QUICK, **changed}
        with pytest.raises(ArtifactError, match="belongs to other visits"):
            fit(patient.observations, checkpoint=going_on, **options)


def test_a_twin_survives_its_file(twin):
    again = PatientTwin.from_dict(json.loads(json.dumps(twin.to_dict())))
    np.testing.assert_array_equal(again.whitened, twin.whitened)
    assert again.found() == twin.found()
    assert again.check() == twin.check()
    ahead = simulate(again, "riluzole", months=6).draws["units"]
    np.testing.assert_array_equal(ahead, simulate(twin, "riluzole", months=6).draws["units"])


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(format="other"),
        lambda d: d.update(parameters=["units"]),
        lambda d: d.pop("whitened"),
        lambda d: d.update(offsets=[[0.0]]),
        lambda d: d.update(whitened=[[float("nan")] * len(d["whitened"][0])] * len(d["whitened"])),
    ],
)
def test_a_damaged_twin_is_refused(twin, change):
    data = twin.to_dict()
    change(data)
    with pytest.raises(ArtifactError, match="twin"):
        PatientTwin.from_dict(data)


def test_few_particles_are_said_to_be_few():
    found = fit(Observations([0.0, 6.0], {"mvc_n": [20.0, 19.0]}), seed=1, particles=100)
    assert "2 visits with 2 values cannot" in found.notes()[0]
    assert any("100 particles are few" in note for note in found.notes())


def test_one_visit_gives_the_prior_and_a_sentence():
    found = fit(Observations([0.0], {"mvc_n": [20.0]}), seed=1, particles=400)
    assert "1 visit with 1 value cannot" in found.notes()[0]
    assert "loss of units was narrowed by" in found.notes()[0]
    assert not any("particles are few" in note for note in found.notes())
    assert any("say little about" in note for note in found.notes())
    assert found.narrowed("loss") < 0.2
    low, high = found.interval("loss")
    assert high / low > 10
    assert "slope" not in [row.name for row in found.found()]  # no time has passed


def test_visits_that_contradict_each_other_are_refused():
    with pytest.raises(DataError, match=r"standard deviations away.*contradict"):
        fit(Observations([0, 1, 2], {"cmap_mv": [9.0, 0.1, 9.0]}), seed=1, particles=QUICK)


def test_a_single_odd_value_is_named():
    values = [9.0, 9.2, 8.9, 5.2, 9.1, 8.8]
    found = fit(Observations(np.arange(6.0), {"cmap_mv": values}), seed=1, particles=QUICK)
    assert any("cmap_mv at 3 months" in note for note in found.notes())


def test_a_course_without_a_law_is_said_to_be_one():
    # Lost within two months and regained: nothing in the model does that.
    force = np.array([30.0, 30, 30, 20, 20, 20, 20, 32, 32, 32])
    found = fit(Observations(np.arange(10.0), {"mvc_n": force}), seed=1, particles=QUICK)
    assert any("does not describe this course" in note for note in found.notes())


def test_predictions_and_identifiability(twin):
    cells = twin.check()
    assert len(cells) == twin.observations.count
    assert np.mean([cell.inside for cell in cells]) > 0.8
    table = twin.correlations()
    np.testing.assert_allclose(np.diag(table), 1)
    assert all(abs(r) >= 0.3 for *_, r in twin.confounded(0.3))
    with pytest.raises(ParameterError, match="quantity must be one of"):
        twin.samples("lost")
    with pytest.raises(ParameterError, match="level"):
        twin.interval("loss", 1.5)


def test_what_would_happen_side_by_side(twin):
    found = what_if(
        twin, {"slower": "riluzole", "stopped": Effect(title="x", loss=Size(1.0))}, months=12
    )
    natural, slower, stopped = found.arms
    assert natural.name == NATURAL
    assert natural.draws["units"].shape == (twin.n, 13)
    for quantity in (*TRACKED, *MEASURES):
        median, low, high = slower.band(quantity)
        assert (low <= median).all()
        assert (median <= high).all()
    # The same people and luck: nobody does worse for being slowed, nobody loses what is stopped.
    assert (slower.draws["units"] >= natural.draws["units"] - 1e-9).all()
    np.testing.assert_allclose(stopped.draws["units"][:, -1], stopped.draws["units"][:, 0])
    assert found.chance_better(2, "units") == 1.0
    gain = found.difference(2, "units")[:, -1]
    assert 0 <= gain[1] <= gain[0] <= gain[2]
    with pytest.raises(ParameterError, match="quantity must be one of"):
        natural.band("unit")


def test_training_comes_slowly_and_goes_again(twin):
    whole = twin.simulate(Phase("strength training", 2, 6), months=24)
    none = twin.simulate(months=24)
    more = whole.draws["mvc_n"] / none.draws["mvc_n"]
    np.testing.assert_allclose(more[:, :3], 1.0)
    middle = np.median(more, axis=0)
    assert middle[6] > 1.02
    assert middle[3] < middle[6]
    assert 1 <= middle[24] < middle[6]
    weaker = twin.simulate("immobilisation", months=6)
    assert (weaker.draws["mvc_n"][:, -1] <= none.draws["mvc_n"][:, 6] + 1e-9).all()


def test_a_junction_never_gets_better_than_healthy(twin):
    helped = twin.simulate("cholinesterase inhibitor", months=3)
    none = twin.simulate(months=3)
    assert (helped.draws["jitter_us"][:, -1] <= none.draws["jitter_us"][:, -1] + 1e-9).all()


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ("aspirin", "treatment must be one of"),
        (["riluzole", "riluzole"], "given twice"),
        (["strength training", "immobilisation"], "contradicts itself"),
        (Phase("riluzole", 30), "starts at 30 months"),
    ],
)
def test_contradictory_protocols_are_refused(plan, told):
    with pytest.raises(ParameterError, match=told):
        protocol(plan, months=24)


def test_impossible_phases_and_effects_are_refused():
    for start, stop in ((-1, 3), (3, 3), (np.inf, np.inf), (np.nan, 3)):
        with pytest.raises(ParameterError, match="must start"):
            Phase("riluzole", start, stop)
    with pytest.raises(ParameterError, match="spread of 0 or more"):
        Size(2.0)
    one_after_the_other = [Phase("strength training", 0, 3), Phase("immobilisation", 3, 6)]
    assert len(protocol(one_after_the_other, months=12)) == 2
    assert protocol(None, months=12) == ()


@pytest.mark.parametrize("name", EFFECTS)
def test_every_effect_is_uncertain_and_says_where_it_is_from(name):
    effect = EFFECTS[name]
    sizes = [
        getattr(effect, k) for k in ("loss", "adoption", "fibre", "drive", "junction", "fatigue")
    ]
    assert any(size.sd > 0 for size in sizes)
    assert all(size.sd > 0 or size.mean == 0 for size in sizes)
    assert effect.note
    assert effect.source
    assert effect.months > 0


@pytest.mark.parametrize("months", [0, -3, 500, float("nan")])
def test_the_future_has_an_end(twin, months):
    with pytest.raises(ParameterError, match="months"):
        simulate(twin, months=months)


def test_a_forecast_contains_the_measurement_error(twin):
    found = forecast(twin, 3.0)
    assert set(found) == set(CLINICAL)
    clean = simulate(twin, months=3, step_months=3).draws
    assert np.log(found["cmap_mv"]).std() > np.log(clean["cmap_mv"][:, -1]).std()
    assert found["score_percent"].max() <= 100


def test_simulated_visits_follow_their_truth():
    strong = simulate_visits(MONTHS, seed=3, truth={"loss": 0.08})
    same = simulate_visits(MONTHS, seed=3, truth={"loss": 0.08})
    assert strong.observations.digest() == same.observations.digest()
    weak = simulate_visits(MONTHS, seed=3, truth={"loss": 0.01})
    assert strong.units[-1] < weak.units[-1]
    assert (np.diff(strong.units) <= 0).all()
    with pytest.raises(ParameterError, match="truth names parameters"):
        simulate_visits(MONTHS, seed=3, truth={"los": 0.08})
    many = noisy({"cmap_mv": np.full(4000, 8.0), "score_percent": np.full(4000, 99.0)}, seed=1)
    assert np.log(many["cmap_mv"]).std() == pytest.approx(MEASURES["cmap_mv"].noise, rel=0.05)
    assert many["score_percent"].max() == 100


def test_the_package_offers_the_verbs():
    assert myograph.twin.fit is fit
    assert myograph.twin.PatientTwin is PatientTwin
    with pytest.raises(AttributeError, match="no attribute"):
        _ = myograph.twin.fitt
    assert any("not a medical device" in limit for limit in LIMITS)


@pytest.mark.slow
def test_intervals_cover_the_truth_of_thirty_people():
    hits = []
    for seed in range(500, 530):
        one = simulate_visits(3.0 * np.arange(12), seed=seed)
        found = fit(one.observations, seed=seed)
        for name in PARAMETERS:
            low, high = found.interval(name)
            hits.append(low <= one.truth[name] <= high)
    assert 0.82 < np.mean(hits) < 0.97


def test_what_is_no_table_of_visits_is_refused():
    with pytest.raises(ParameterError, match=r"must be an Observations; got a list"):
        fit([9.0, 8.0], seed=1)
