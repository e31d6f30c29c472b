"""Confound probes: planted confounds are found, honest data raise no alarm."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from myograph.config.schema import ModelConfig, PipelineConfig
from myograph.core.decision import Estimate
from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.nuisance import measure_nuisance, nuisance_of
from myograph.validate.perturb import PERTURBATIONS, Perturbed, perturb
from myograph.validate.probes import NAMES, Confounds, judge_probes
from myograph.validate.result import ValidationResult
from myograph.validate.run import RunOptions, evaluate
from myograph.validate.splits import make_split

FS_HZ = 1000.0
HIGH_PASS = butter(4, 60.0, "highpass", fs=FS_HZ, output="sos")
CONFIG = PipelineConfig(
    features=("hudgins",), scaling="standard", model=ModelConfig(name="lda", params={})
)


def cohort(
    *, muscle: float = 0.0, drift: float = 0.0, n_people: int = 24, **more
) -> list[Recording]:
    """People of two conditions, who differ in muscle (spectrum), or in drift only."""
    rng = np.random.default_rng(3)
    people = []
    for number in range(n_people):
        ill = number % 2
        noise = rng.standard_normal((2, 1500))
        noise[:, 1:] += (0.2 + muscle * ill) * noise[:, :-1]
        noise = sosfilt(HIGH_PASS, noise)
        noise /= noise.std(axis=1, keepdims=True)
        t = np.arange(1500) / FS_HZ
        size = (1 + drift * ill) * rng.uniform(0.8, 1.2)
        samples = 20 * noise + 10 * size * np.sin(2 * np.pi * 1.3 * t + rng.uniform(0, 6))
        subject = Subject(
            f"p{number:02d}",
            condition="ill" if ill else "well",
            **(
                {"age_years": 60.0 + rng.uniform(0, 9) if ill else 30.0 + rng.uniform(0, 9)}
                if more.get("ages")
                else {}
            ),
        )
        event = Event(0.0, 1.5, subject.condition, "protocol", "1")
        layout = Layout(FS_HZ, tuple(Channel(f"c{k}", kind="semg") for k in range(2)))
        people.append(
            Recording(samples.astype(np.float32), layout, events=(event,), subject=subject)
        )
    return people


def judged(recordings: list[Recording], *, stability: bool = False) -> ValidationResult:
    table = Pipeline(CONFIG).prepare(recordings)
    changed = {}
    if stability:
        changed = {n: Pipeline(CONFIG).prepare(Perturbed(recordings, n)) for n in PERTURBATIONS}
    options = RunOptions(
        baselines=False,
        bootstrap=200,
        nuisance=measure_nuisance(recordings, table.index),
        changed=changed,
    )
    return evaluate(CONFIG, table, make_split("group-k-fold", n_folds=6), options=options)


def test_planted_drift_is_found_and_said():
    result = judged(cohort(drift=4.0))
    assert result.confounds is not None
    found = {probe.name: probe for probe in result.confounds.probes}
    assert found["drift"].score.value > 0.9
    assert found["drift"].rival
    assert result.confounds.warning.startswith(
        "A probe rivals this model: offset and drift below 16 Hz alone reaches"
    )


def test_muscle_alone_raises_no_alarm_about_drift_or_length():
    result = judged(cohort(muscle=0.5))
    assert result.confounds is not None
    assert result.metrics[result.headline].value > 0.9
    assert not any(p.rival for p in result.confounds.probes if p.name in ("drift", "hum", "length"))
    assert result.confounds.unasked["length"] == "the same for all"
    assert "unknown for" in result.confounds.unasked["device"]


def test_age_that_tells_the_label_is_a_rival():
    result = judged(cohort(muscle=0.1, ages=True))
    assert result.confounds is not None
    assert {"age": True}.items() <= {p.name: p.rival for p in result.confounds.probes}.items()


def test_labels_that_follow_the_length_or_the_site_are_told_with_the_score():
    """Ill people recorded for longer, in another place: the warning names the probe's score."""
    longer, elsewhere = [], []
    for number, one in enumerate(cohort(muscle=0.1)):
        ill = number % 2
        n = 1500 if ill else 1100 + 10 * number
        event = replace(one.events[0], duration_s=n / FS_HZ)
        longer.append(replace(one, samples=one.samples[:, :n], events=(event,)))
        elsewhere.append(replace(one, site="ward" if ill else "campus"))
    for recordings, name in ((longer, "length"), (elsewhere, "site")):
        result = judged(recordings)
        assert result.confounds is not None
        probe = {each.name: each for each in result.confounds.probes}[name]
        assert probe.score.value > 0.9
        assert probe.rival
        assert name in result.confounds.warning
        assert f"alone reaches {probe.score.value:.3f}" in result.confounds.warning


def test_pairs_are_matched_where_a_probe_tells_something():
    result = judged(cohort(muscle=0.5, drift=0.25, n_people=40))
    assert result.confounds is not None
    for pair in result.confounds.matched:
        assert pair.classes == ("ill", "well")
        assert 0 <= pair.auc.low <= pair.auc.value <= pair.auc.high <= 1
    drift = [pair for pair in result.confounds.matched if pair.probe == "drift"]
    assert drift
    assert drift[0].auc.value > 0.9


def test_changed_recordings_are_tested_with_the_model_of_the_fold():
    result = judged(cohort(muscle=0.5), stability=True)
    assert result.confounds is not None
    told = {each.name: each for each in result.confounds.stability}
    assert set(told) == set(PERTURBATIONS)
    for each in told.values():
        assert each.score.value == pytest.approx(
            result.metrics[result.headline].value + each.change.value
        )


def test_confounds_travel_through_json_and_old_results_lack_them():
    result = judged(cohort(drift=4.0), stability=True)
    plain = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    again = ValidationResult.from_dict(plain)
    assert again.confounds == result.confounds
    plain.pop("confounds")
    assert ValidationResult.from_dict(plain).confounds is None


def test_every_stretch_of_a_recording_with_several_labels_is_measured():
    one = cohort()[0]
    events = (Event(0.0, 0.7, "fist", "protocol", "1"), Event(0.7, 0.8, "open", "protocol", "1"))
    recording = replace(one, events=events)
    table = Pipeline(CONFIG).prepare([recording])
    drift = measure_nuisance([recording], table.index).families["drift"]
    assert len(np.unique(drift[:, 0])) == 2


def test_recordings_that_were_not_given_are_missed():
    recordings = cohort(n_people=4)
    table = Pipeline(CONFIG).prepare(recordings)
    with pytest.raises(DataError, match="come from recordings that were not given"):
        measure_nuisance(recordings[:2], table.index)


def test_measures_see_what_they_are_named_after(rng: np.random.Generator):
    t = np.arange(4000) / FS_HZ
    noise = rng.standard_normal((1, 4000))
    plain = nuisance_of(noise, FS_HZ)
    assert nuisance_of(10 * noise, FS_HZ)["gain"][0] == pytest.approx(plain["gain"][0] + 1)
    assert nuisance_of(noise + 3, FS_HZ)["drift"][0] > plain["drift"][0] + 2
    hum = nuisance_of(noise + np.sin(2 * np.pi * 50 * t), FS_HZ)["hum"]
    assert hum[0] > plain["hum"][0] + 1
    assert hum[2] == pytest.approx(plain["hum"][2], abs=0.2)
    half = noise * (t < 2)
    assert nuisance_of(half, FS_HZ)["noise-floor"][0] < plain["noise-floor"][0] - 5
    assert nuisance_of(noise[:, :3], FS_HZ) == {}


@pytest.mark.parametrize("name", list(PERTURBATIONS))
def test_a_change_keeps_the_recordings_name_and_other_channels(name: str):
    one = cohort()[0]
    with_force = replace(
        one,
        samples=np.concatenate([one.samples, np.ones((1, 1500), dtype=np.float32)]),
        layout=Layout(FS_HZ, (*one.layout.channels, Channel("force", kind="force"))),
    )
    changed = perturb(with_force, name, seed=1)
    assert changed.source_digest == with_force.source_digest
    np.testing.assert_array_equal(changed.samples[2], with_force.samples[2])
    assert not np.array_equal(changed.samples[:2], with_force.samples[:2])
    again = perturb(with_force, name, seed=1)
    np.testing.assert_array_equal(changed.samples, again.samples)
    assert not np.array_equal(perturb(with_force, name, seed=2).samples, changed.samples)


def test_gains_lie_between_a_half_and_two():
    ratios = [perturb(r, "gain").samples.std() / r.samples.std() for r in cohort(n_people=12)]
    assert 0.5 <= min(ratios) < 0.9
    assert 1.1 < max(ratios) <= 2.0


def test_changed_recordings_are_a_sequence():
    recordings = cohort(n_people=4)
    changed = Perturbed(recordings, "drift")
    assert len(changed) == len(list(changed)) == 4
    np.testing.assert_array_equal(changed[1:][0].samples, changed[1].samples)
    with pytest.raises(ParameterError, match=r"perturbation must be one of .*Did you mean 'gain'"):
        Perturbed(recordings, "gian")


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value, low, high, "person", 40)


@pytest.mark.parametrize(
    ("probe", "gain", "above", "rival"),
    [
        (estimate(0.52, 0.45, 0.6), estimate(0.3, 0.2, 0.4), False, False),
        (estimate(0.62, 0.55, 0.7), estimate(0.2, 0.1, 0.3), True, False),
        (estimate(0.75, 0.66, 0.8), estimate(0.07, 0.01, 0.1), True, True),
        (estimate(0.65, 0.55, 0.8), estimate(0.1, -0.01, 0.2), True, True),
    ],
)
def test_a_rival_is_above_chance_and_near_the_model(probe, gain, above: bool, rival: bool):
    model = estimate(0.82, 0.75, 0.9)
    (found,) = judge_probes({"hum": probe}, {"hum": gain}, model, floor=0.5)
    assert (found.above_chance, found.rival) == (above, rival)


def test_the_warning_names_the_strongest_rival_and_counts_the_others():
    model = estimate(0.82, 0.75, 0.9)
    scores = {"hum": estimate(0.8, 0.7, 0.9), "drift": estimate(0.9, 0.8, 1.0)}
    told = Confounds(judge_probes(scores, {}, model, floor=0.5), floor=0.5).warning
    assert NAMES["drift"] in told
    assert "(1 more probe rivals it)" in told
    assert Confounds().warning == ""
