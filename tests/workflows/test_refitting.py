"""What a pipeline learns from recordings, learned inside every fold and kept in the model."""

from dataclasses import replace

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.pipeline.artifact import load_model
from myograph.workflows.cohort import Selection, open_cohort
from myograph.workflows.evaluate import Running, evaluate, judge, measure, split_of
from myograph.workflows.refitting import check_refitting, refit_rungs
from myograph.workflows.settings import Choices, resolve
from myograph.workflows.train import train
from myograph.workflows.tune import tune

NOISY = 'pipeline.features=["mav",{feature="zc",threshold={noise=2.0}}]'
ZSCORE = 'pipeline.steps=[{step="zscore"}]'
QUICK = ("probes=false", "bootstrap=100", "baselines=false")


def recording(person, session, rest_uv):
    """Two channels, the second twice as loud at rest; rest, then a fist, twice."""
    rng = np.random.default_rng([int(person[1:]), int(session)])
    at = np.arange(4000) // 1000 % 2
    size = np.where(at == 0, rest_uv, 30 * rest_uv) * np.array([[1.0], [2.0]])
    events = tuple(
        Event(float(k), 1.0, ("rest", "fist")[k % 2], "protocol", trial=k // 2) for k in range(4)
    )
    layout = Layout(1000.0, tuple(Channel(f"e{k}", kind="semg") for k in range(2)))
    samples = size * rng.standard_normal((2, 4000))
    return Recording(samples, layout, events, subject=Subject(person), session=session)


@pytest.fixture
def people():
    levels = {"p1": 1.0, "p2": 3.0, "p3": 9.0}
    return [recording(p, s, uv) for p, uv in levels.items() for s in ("1", "2")]


def settings_of(people, *overrides, split=None):
    cohort = open_cohort(people, Selection())
    return cohort, resolve(cohort, Choices(split=split, overrides=(*QUICK, *overrides)))


def test_thresholds_follow_the_noise_of_the_training_side_alone(people):
    cohort, settings = settings_of(people, NOISY, "pipeline.steps=[]")
    plain = measure(cohort, settings, Running(1))
    folds = split_of(settings).folds(plain.index)
    rungs = refit_rungs(cohort, settings, folds, plain, running=Running(1))
    found = {}
    for fold, rung in zip(folds, rungs, strict=True):
        told = rung.table.recipe.steps[-1].to_dict()["parameters"]["features"]
        found[fold.name] = told[1]["threshold"]
        np.testing.assert_array_equal(rung.table.index.start_s, plain.index.start_s)
    # Twice the median noise of the two people left: of 3 and 9, 1 and 9, 1 and 3 uV.
    for name, level in {"p1": 6.0, "p2": 5.0, "p3": 2.0}.items():
        np.testing.assert_allclose(found[name], [2 * level, 4 * level], rtol=0.1)


class CountedReads(list):
    """Recordings that count how often one is read."""

    reads = 0

    def __iter__(self):
        for each in super().__iter__():
            self.reads += 1
            yield each


def test_recordings_are_read_once_however_many_folds_refit(people):
    cohort, settings = settings_of(people, NOISY)
    plain = measure(cohort, settings, Running(1))
    folds = split_of(settings).folds(plain.index)
    counted = CountedReads(people)
    refit_rungs(replace(cohort, recordings=counted), settings, folds, plain, running=Running(1))
    assert len(folds) == 3
    assert counted.reads == len(people)


def test_an_evaluation_says_what_was_learned_and_its_audits_pass(people):
    result = evaluate(people, overrides=(*QUICK, NOISY), jobs=1, cache=False)
    assert result.passed
    assert any("thresholds of feature 'zc'" in note for note in result.notes)


def test_a_person_without_calibration_is_refused_and_sessions_are_not(people):
    measured: list[str] = []
    with pytest.raises(DataError, match=r"step 'zscore' needs a reference of each person"):
        evaluate(
            people,
            overrides=(*QUICK, ZSCORE),
            jobs=1,
            cache=False,
            progress=lambda what, *_: measured.append(what),
        )
    assert measured == []  # before any recording was measured
    cohort, settings = settings_of(people, ZSCORE, split="session")
    table = measure(cohort, settings, Running(1))
    assert "zscore" not in [step.step for step in table.recipe.steps]
    assert judge(cohort, settings, table, Running(1)).metrics["accuracy"].value > 0.9


def test_parts_of_one_recording_on_both_sides_are_refused(people):
    with pytest.raises(DataError, match=r"parts of the same 2 recordings.*step 'zscore'"):
        evaluate(people, split="repetition", overrides=(*QUICK, ZSCORE), jobs=1, cache=False)


@pytest.mark.parametrize("asked", ["robustness=true", "stability=true"])
def test_what_measures_one_table_for_all_folds_is_refused_first(people, asked):
    settings = settings_of(people, ZSCORE, asked)[1]
    with pytest.raises(ParameterError, match=rf"step 'zscore': learned .*{asked[:9]}"):
        check_refitting(settings)
    with pytest.raises(ParameterError, match="tuning measure a table once"):
        tune(people, trials=1, overrides=(*QUICK, ZSCORE), cache=False)


@pytest.mark.parametrize("given", [NOISY, ZSCORE])
def test_a_model_keeps_what_it_learned(people, tmp_path, given):
    mine = people[:2]
    path = train(mine, tmp_path / "m.myomodel", overrides=(given,), jobs=1, cache=False).path
    again = load_model(path)
    assert not any("noise" in str(spec.parameters) for spec in again.front.features)
    labels = [d.label for d in again.predict(mine[0])]
    assert labels.count("fist") > 10
    live = again.start(mine[0].layout).push(mine[0].samples)
    assert [d.label for d in live] == labels
