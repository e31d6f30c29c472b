"""Robustness: models of good recordings meet spoilt ones, person by person."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from myograph.config.schema import ModelConfig, PipelineConfig
from myograph.core.errors import ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.challenging import RobustnessOptions, measure_robustness
from myograph.validate.result import ValidationResult
from myograph.validate.robustness import Robustness
from myograph.validate.run import RunOptions, evaluate
from myograph.validate.splits import make_split

CONFIG = PipelineConfig(features=("hudgins",), model=ModelConfig(name="lda"))
OPTIONS = RobustnessOptions(bootstrap=200)


def people(n_people: int = 4) -> list[Recording]:
    """Two gestures that differ in how loud the second of four channels is; the others are noise."""
    random = np.random.default_rng(5)
    layout = Layout(500.0, tuple(Channel(f"emg{k}", kind="semg") for k in range(4)))
    made = []
    for number in range(n_people):
        samples = 10 * random.standard_normal((4, 4000))
        samples[1, 2000:] *= 4.0
        halves = enumerate(("open", "fist"))
        events = tuple(Event(4.0 * k, 4.0, name, "protocol", "1") for k, name in halves)
        made.append(
            Recording(
                samples.astype(np.float32), layout, events=events, subject=Subject(f"p{number}")
            )
        )
    return made


@pytest.fixture(scope="module")
def found() -> Robustness:
    split = make_split("leave-one-subject-out")
    return measure_robustness(CONFIG, people(), split, options=OPTIONS)


def change(found: Robustness, family: str, level: str) -> float:
    (one,) = (each for each in found.outcomes if (each.family, each.level) == (family, level))
    return one.change.value


def test_the_one_channel_that_tells_is_the_one_that_is_missed(found: Robustness) -> None:
    assert found.plain.value > 0.95
    assert change(found, "channel loss", "emg1 lost") == pytest.approx(
        0.5 - found.plain.value, abs=0.02
    )
    assert abs(change(found, "channel loss", "emg3 lost")) < 0.05
    assert found.worst.change.value < -0.3


def test_noise_costs_more_the_louder_it_is(found: Robustness) -> None:
    noise = [each.change.value for each in found.outcomes if each.family == "broadband noise"]
    assert all(later <= earlier + 0.02 for earlier, later in pairwise(noise))
    assert abs(noise[0]) < 0.05


def test_changes_are_differences_of_the_same_people(found: Robustness) -> None:
    for each in found.outcomes:
        known = [v for v in each.per_person.values() if v is not None]
        assert each.score.n == each.change.n == len(known) == 4
        assert each.score.value == pytest.approx(np.mean(known))
        assert each.score.value - found.plain.value == pytest.approx(each.change.value)


def test_the_models_are_those_of_an_evaluation(found: Robustness) -> None:
    split = make_split("leave-one-subject-out")
    table = Pipeline(CONFIG).prepare(people())
    judged = evaluate(CONFIG, table, split, options=RunOptions(baselines=False, bootstrap=200))
    assert judged.metrics[judged.headline] == found.plain


def test_what_does_not_fit_is_said(found: Robustness) -> None:
    assert "have no position_mm" in found.refused["electrode shift"]
    assert not any(each.family == "electrode shift" for each in found.outcomes)
    assert not any(each.startswith("electrode shift") for each in found.assumptions)


def test_it_is_kept_and_read_back(found: Robustness) -> None:
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert Robustness.from_dict(plain).to_dict() == found.to_dict()


def test_the_seed_decides_everything() -> None:
    split = make_split("leave-one-subject-out")
    one, same = (
        measure_robustness(CONFIG, people(2), split, seed=4, options=OPTIONS) for _ in range(2)
    )
    assert one.to_dict() == same.to_dict()


def test_a_split_by_time_cannot_be_asked_about_a_wrong_clock() -> None:
    split = make_split("time", train=0.7)
    mixed = []
    for one in people(2):
        turns = tuple(
            Event(0.5 * k, 0.5, ("open", "fist")[k % 2], "protocol", str(k)) for k in range(16)
        )
        loud = np.repeat([1.0, 4.0] * 8, 250)
        samples = one.samples.copy()
        samples[1] *= loud / np.repeat([1.0, 4.0], 2000)
        mixed.append(
            Recording(samples.astype(np.float32), one.layout, events=turns, subject=one.subject)
        )
    found = measure_robustness(CONFIG, mixed, split, options=OPTIONS)
    assert "choose another split" in found.refused["clock"]
    assert {"gain", "clipping"} <= {each.family for each in found.outcomes}


def test_too_few_resamples_are_refused() -> None:
    with pytest.raises(ParameterError, match="bootstrap"):
        RobustnessOptions(bootstrap=10)


def test_a_result_carries_it(found: Robustness) -> None:
    import myograph

    result = myograph.evaluate(
        people(), jobs=1, overrides=("robustness=true", "bootstrap=200", "circumference_mm=250")
    )
    assert isinstance(result, ValidationResult)
    assert result.robustness is not None
    assert not result.robustness.refused
    again = ValidationResult.from_dict(json.loads(json.dumps(result.to_dict())))
    assert again.robustness is not None
    assert again.robustness.to_dict() == result.robustness.to_dict()
    assert found.plain.value == pytest.approx(result.robustness.plain.value)
