"""What refusing comes to on held-out people: counted again by hand, and kept."""

import json

import numpy as np
import pytest

from myograph.config.schema import ModelConfig, NoveltyConfig, PipelineConfig, RejectionConfig
from myograph.core.errors import ParameterError
from myograph.validate.answers import Answers
from myograph.validate.result import ValidationResult
from myograph.validate.run import RunOptions, evaluate
from myograph.validate.splits import make_split

QUICK = RunOptions(baselines=False, bootstrap=100)


def judged(table, split="leave-one-subject-out", **config):
    pipeline = PipelineConfig(features=("hudgins",), model=ModelConfig(name="lda"), **config)
    return evaluate(pipeline, table, make_split(split), options=QUICK)


@pytest.fixture(scope="module")
def stated():
    return {"fist": 0.9, "rest": 0.6}


def test_stated_thresholds_counted_by_hand(make_index, make_table, stated):
    table = make_table(make_index(people=6), signal=0.7)
    result = judged(table, reject_below=stated)
    (part,) = result.refusals.parts  # recordings show several classes
    answers = Answers.of_predictions(result.predictions, result.classes)
    limits = np.array([stated.get(name, 0.0) for name in result.classes])
    refused = answers.confidence < limits[answers.predicted]
    assert 0 < refused.mean() < 1
    assert part.outcome.refused == pytest.approx(answers.by_person(refused).mean())
    assert part.outcome.right + part.outcome.wrong + part.outcome.refused == pytest.approx(1)
    fist = next(each for each in part.classes if each.name == "fist")
    mine = answers.predicted == result.classes.index("fist")
    kept = mine & ~refused  # everybody has as many windows, so the weights are equal
    assert fist.right.value == pytest.approx(answers.right[kept].mean())
    assert fist.right_before.value == pytest.approx(answers.right[mine].mean())
    assert fist.answered.value == pytest.approx(kept.sum() / mine.sum())
    assert (fist.least, fist.most, fist.silent) == (0.9, 0.9, 0)
    assert part.curve[0].coverage.value == 1.0
    assert result.refusals.asked == {"below": stated}


def test_survives_json_and_older_results_lack_it(make_index, make_table, stated):
    result = judged(make_table(make_index()), reject_below=stated)
    plain = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert ValidationResult.from_dict(plain).refusals.to_dict() == result.refusals.to_dict()
    for name in ("refusals", "comparisons"):
        plain.pop(name)
    older = ValidationResult.from_dict(plain)
    assert (older.refusals, older.comparisons) == (None, ())


def test_nothing_is_said_where_nothing_is_refused(make_index, make_table):
    assert judged(make_table(make_index())).refusals is None


def test_the_figures_are_those_without_refusing(make_index, make_table, stated):
    table = make_table(make_index(people=5), signal=0.7)
    plain = judged(table)
    for config in ({"reject_below": stated}, {"reject": RejectionConfig(accuracy=0.9)}):
        other = judged(table, **config)
        assert other.metrics == plain.metrics
        assert other.passed


@pytest.mark.parametrize("aim", [{"accuracy": 0.8}, {"coverage": 0.7}])
def test_what_was_asked_carries_over_to_people_held_out(make_index, make_table, aim):
    table = make_table(make_index(people=40, trials=2), signal=0.4, seed=3)
    result = judged(table, "group-k-fold", reject=RejectionConfig(**aim))
    ((key, asked),) = aim.items()
    for each in result.refusals.windows.classes:
        figure = each.right if key == "accuracy" else each.answered
        # Where all answers of a class are right more often than asked, all of them are given.
        assert figure.value >= asked - 0.06
        if key == "coverage" or each.right_before.value < asked - 0.02:
            assert figure.value == pytest.approx(asked, abs=0.06)
    windows = result.refusals.windows
    assert windows.outcome.accuracy.value > windows.curve[0].accuracy.value
    assert any("the thresholds were learned on training people" in n for n in result.notes)


def test_recordings_that_show_one_class_are_judged_too(make_index, make_table):
    index = make_index(people=5, labels=("fist", "open"))
    each = np.char.add(np.char.add(index.subject, index.label), index.trial)
    from dataclasses import replace

    table = make_table(replace(index, recording=each), signal=0.7)
    windows, recordings = judged(table, reject=RejectionConfig(coverage=0.8)).refusals.parts
    assert (windows.unit, recordings.unit) == ("window", "recording")
    assert recordings.curve[0].accuracy.value >= windows.curve[0].accuracy.value


def test_the_gate_refuses_too(make_index, make_table):
    table = make_table(make_index(people=6))
    result = judged(table, novelty=NoveltyConfig(false_alarms=0.4, logs=False))
    part = result.refusals.windows
    assert result.refusals.asked == {"novelty": "mahalanobis"}
    assert 0 < part.strange == pytest.approx(part.outcome.refused)


def test_a_class_missing_from_a_training_side_needs_no_threshold_there(
    make_index, make_table, stated
):
    table = make_table(make_index(people=4))
    lonely = (table.index.subject != "p00") & (table.index.label == "open")
    result = judged(table.take(np.flatnonzero(~lonely)), reject_below={**stated, "open": 0.5})
    open_ = next(each for each in result.refusals.windows.classes if each.name == "open")
    assert (open_.least, open_.most) == (0.5, 0.5)
    assert any("does not show" in note for note in result.notes)


def test_an_unknown_class_is_refused_before_any_fold(make_index, make_table):
    with pytest.raises(ParameterError, match=r"got 'opened'\. Did you mean 'open'\?"):
        judged(make_table(make_index()), reject_below={"opened": 0.5})


def test_folds_that_were_kept_say_the_same(make_index, make_table, tmp_path):
    table = make_table(make_index(), signal=0.7)
    config = PipelineConfig(
        model=ModelConfig(name="lda"), reject=RejectionConfig(accuracy=0.8, inner_folds=3)
    )
    split = make_split("leave-one-subject-out")
    options = RunOptions(baselines=False, bootstrap=100, checkpoint=tmp_path)
    first, second = (evaluate(config, table, split, options=options) for _ in range(2))
    assert second.run.folds_resumed == 4
    assert first.refusals.to_dict() == second.refusals.to_dict()


def test_the_ladder_is_tested_with_correction(make_index, make_table):
    table = make_table(make_index(people=8), signal=1.5)
    config = PipelineConfig(features=("hudgins",), model=ModelConfig(name="lda"))
    split = make_split("leave-one-subject-out")
    result = evaluate(config, table, split, options=RunOptions(bootstrap=100))
    found = {each.second: each for each in result.comparisons}
    assert set(found) == set(result.ladder) == {"majority", "lda-td", "random-forest"}
    for name, each in found.items():
        assert each.first == "model"
        assert each.difference.value == pytest.approx(result.gain[name].value)
        assert each.p <= each.corrected
    assert found["majority"].corrected <= 3 * 2 / 2**8  # all 8 are better: 2 of 256 patterns, of 3
    assert (found["majority"].better, found["majority"].worse) == (8, 0)
    assert found["lda-td"].p == 1.0  # the same model on the same table
    again = ValidationResult.from_dict(json.loads(json.dumps(result.to_dict())))
    assert again.comparisons == result.comparisons


def test_one_person_is_not_tested(make_index, make_table):
    table = make_table(make_index(people=1, trials=4))
    config = PipelineConfig(model=ModelConfig(name="lda"))
    split = make_split("repetition")
    result = evaluate(config, table, split, options=RunOptions(bootstrap=100))
    assert result.gain
    assert result.comparisons == ()
