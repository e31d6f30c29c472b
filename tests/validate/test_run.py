"""The run: seeded, parallel, resumable, audited, and clear about what it refuses."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from myograph.config.schema import ModelConfig, PipelineConfig
from myograph.core.errors import DataError, ParameterError
from myograph.pipeline.pipeline import Pipeline
from myograph.validate import foldrun
from myograph.validate.checkpoint import table_digest
from myograph.validate.result import ValidationResult
from myograph.validate.run import Progress, RunOptions, evaluate
from myograph.validate.splits import make_split

LDA = PipelineConfig()
LOSO = make_split("leave-one-subject-out")
SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def table(make_index, make_table):
    return make_table(make_index(people=5))


def text(result):
    return json.dumps(result.to_dict(), sort_keys=True)


def test_figures_are_those_of_a_plain_loop(table):
    result = evaluate(LDA, table, LOSO, options=RunOptions(baselines=False))
    for person in result.people:
        test = table.index.subject == person
        pipeline = Pipeline(LDA).fit(table.take(~test))
        proba = pipeline.predict_proba(table.take(test))
        named = np.array(pipeline.classes)[proba.argmax(axis=1)]
        right = float((named == table.index.label[test]).mean())
        assert result.per_person["accuracy"][person] == pytest.approx(right)
    assert result.metrics["accuracy"].value == pytest.approx(
        np.mean(list(result.per_person["accuracy"].values()))
    )
    assert result.confusion.sum() == len(table)
    assert sorted(result.predictions.rows) == list(range(len(table)))


def test_same_seed_same_bytes_whatever_the_number_of_processes(table):
    forest = PipelineConfig(model=ModelConfig(name="random-forest", params={"n_trees": 10}))
    one = evaluate(forest, table, LOSO, seed=4)
    two = evaluate(forest, table, LOSO, seed=4, options=RunOptions(jobs=2))
    assert text(one) == text(two)
    np.testing.assert_array_equal(one.predictions.output, two.predictions.output)
    other = evaluate(forest, table, LOSO, seed=5)
    assert (one.predictions.output != other.predictions.output).any()


def test_ladder_on_the_same_folds(table):
    result = evaluate(LDA, table, LOSO)
    assert list(result.ladder) == ["majority", "lda-td", "random-forest"]
    assert result.ladder["majority"].value == pytest.approx(1 / 3)
    # The model is the time-domain LDA itself here: its gain over that rung is exactly nothing.
    assert result.ladder["lda-td"] == result.metrics["accuracy"]
    assert result.gain["lda-td"].to_dict() == {
        "value": 0.0,
        "low": 0.0,
        "high": 0.0,
        "evidence": "person",
        "n": 5,
    }
    assert result.gain["majority"].low > 0.3
    assert result.chance == pytest.approx(1 / 3)


def test_the_time_domain_rung_needs_its_features(table):
    renamed = replace(table, names=tuple(f"emg.f{k}" for k in range(8)))
    result = evaluate(LDA, renamed, LOSO)
    assert "lda-td" not in result.ladder
    assert any("left out of the ladder" in note for note in result.notes)
    given = evaluate(LDA, renamed, LOSO, options=RunOptions(baseline_table=table))
    assert "lda-td" in given.ladder
    other = table.take(np.arange(len(table) - 1))
    with pytest.raises(DataError, match="baseline table is about other windows"):
        evaluate(LDA, renamed, LOSO, options=RunOptions(baseline_table=other))


def test_a_mixed_table_gives_the_rung_its_columns(make_index, make_table):
    table = make_table(make_index(people=4))
    names = (*table.names[:4], "emg2.mnf", "emg2.mdf", "emg2.rms", "emg2.var")
    mixed = replace(table, names=names)
    alone = replace(table, values=table.values[:, :4], names=table.names[:4], units=("uV",) * 4)
    ladder = evaluate(LDA, mixed, LOSO).ladder
    assert ladder["lda-td"] == evaluate(LDA, alone, LOSO).metrics["accuracy"]


def test_numeric_targets_have_a_ladder(make_index, make_table):
    index = make_index(people=5)
    numeric = replace(index, label=np.random.default_rng(0).normal(size=len(index)))
    table = make_table(numeric)
    result = evaluate(PipelineConfig(model=ModelConfig(name="ridge")), table, LOSO)
    assert result.task == "regression"
    assert result.headline == "r2"
    assert result.metrics["r2"].low > 0.9
    assert result.ladder["mean"].value < 0.05
    assert result.gain["mean"].low > 0.8
    assert result.confusion.shape == (0, 0)


def test_audits_are_there_on_every_run(table):
    result = evaluate(LDA, table, LOSO, options=RunOptions(baselines=False))
    assert [audit.name for audit in result.audits] == [
        "people",
        "repetitions",
        "samples",
        "copies",
        "normalisation",
        "columns",
        "fitting",
        "adaptation",
    ]
    assert result.passed
    assert result.split["scope"] == "across people"
    assert result.split["fingerprint"] == LOSO.manifest(table.index).digest()


def test_a_pipeline_that_peeks_is_flagged(table, monkeypatch):
    honest = foldrun.fit_rows

    def peeking(config, whole, rows, *, seed):
        return honest(config, whole, rows, seed=seed).fit(whole)

    monkeypatch.setattr(foldrun, "fit_rows", peeking)
    result = evaluate(LDA, table, LOSO, options=RunOptions(baselines=False))
    assert [audit.name for audit in result.audits if not audit.passed] == ["fitting"]


def test_person_scaling_is_declared(table):
    result = evaluate(PipelineConfig(scaling="person"), table, LOSO)
    adaptation = result.audits[-1]
    assert adaptation.passed
    assert "unlabelled adaptation" in adaptation.text
    assert any("without labels" in note for note in result.notes)


def test_a_class_that_was_never_trained_counts_as_wrong_and_is_told(make_index, make_table):
    index = make_index(people=4)
    label = np.where((index.subject == "p01") & (index.label == "open"), "pinch", index.label)
    table = replace(make_table(index), index=replace(index, label=label))
    result = evaluate(LDA, table, LOSO, options=RunOptions(baselines=False))
    assert result.classes == ("fist", "open", "pinch", "rest")
    assert result.confusion[2].sum() == 15
    assert result.confusion[2, 2] == 0
    assert any(
        "1 of 4 folds test classes" in note and "(fold 'p01': ['pinch'])" in note
        for note in result.notes
    )
    assert result.trust is None
    assert any("'pinch' is shown by 1 (p01)" in note for note in result.notes)


def test_a_person_who_shows_one_class_is_scored_on_it(make_index, make_table):
    index = make_index(people=4)
    kept = (index.subject != "p02") | (index.label == "fist")
    table = make_table(index).take(np.flatnonzero(kept))
    result = evaluate(LDA, table, LOSO, options=RunOptions(baselines=False))
    assert result.headline == "accuracy"
    mine = result.per_person["accuracy"]["p02"]
    assert mine is not None
    assert 0 <= mine <= 1
    assert result.per_person["roc_auc"]["p02"] is None  # one class has no curve
    assert result.metrics["roc_auc"].n == 3
    assert result.confusion.sum() == kept.sum()
    assert any("1 of 4 people show one class only (p02)" in note for note in result.notes)


def test_a_fold_with_one_class_to_train_on_is_refused_before_anything_is_fitted(
    make_index, make_table, tmp_path
):
    index = make_index(people=3)
    kept = (index.subject == "p01") | (index.label == "fist")
    table = make_table(index).take(np.flatnonzero(kept))
    message = r"Fold 'p01' would train on one class, 'fist' \(30 windows of 2 people\).*group-k"
    with pytest.raises(DataError, match=message):
        evaluate(LDA, table, LOSO, options=RunOptions(checkpoint=tmp_path / "folds"))
    assert not (tmp_path / "folds").exists()


@pytest.mark.parametrize("signal", [0.4, 50.0])
def test_sites_are_compared_where_whole_sites_were_held_out(make_index, make_table, signal):
    table = make_table(make_index(people=8), signal=signal)
    options = RunOptions(baselines=False, bootstrap=100)
    assert evaluate(LDA, table, LOSO, options=options).sites is None
    result = evaluate(LDA, table, make_split("leave-site-out"), options=options)
    if signal > 1:  # everybody is called right: there is no spread to compare
        assert result.sites is None
        assert any("How much sites differ was not judged: Only 0 of 2" in n for n in result.notes)
        return
    means = [
        np.mean([v for p, v in result.per_person["accuracy"].items() if int(p[1:]) % 2 == k])
        for k in range(2)
    ]
    assert result.sites is not None
    assert min(means) <= result.sites.pooled.value <= max(means)
    assert ValidationResult.from_dict(result.to_dict()).sites == result.sites


@pytest.mark.parametrize(
    ("people", "split", "note"),
    [
        (1, "repetition", "One person was tested"),
        (9, "leave-one-subject-out", "9 people were tested: a bootstrap over so few"),
        (10, "leave-one-subject-out", None),
    ],
)
def test_few_people_are_told(make_index, make_table, people, split, note):
    table = make_table(make_index(people=people, windows=2))
    options = RunOptions(baselines=False, bootstrap=100)
    notes = evaluate(LDA, table, make_split(split), options=options).notes
    assert [text[: len(note)] for text in notes] == [note] if note else notes == ()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("fist", "All 225 windows show one class, 'fist'"),
        ("", "225 of 225 windows have no label"),
    ],
)
def test_labels_that_nothing_can_be_learned_from(table, labels, message):
    same = replace(table, index=replace(table.index, label=np.full(len(table), labels)))
    with pytest.raises(DataError, match=message):
        evaluate(LDA, same, LOSO)


def test_too_few_people(make_index, make_table):
    with pytest.raises(DataError, match="needs at least 2 people; the data have 1"):
        evaluate(LDA, make_table(make_index(people=1)), LOSO)


def test_bad_options():
    with pytest.raises(ParameterError, match="jobs must not be 0"):
        RunOptions(jobs=0)
    with pytest.raises(ParameterError, match="bootstrap must be at least 100"):
        RunOptions(bootstrap=5)


def test_progress_says_people_folds_and_time(make_index, make_table):
    table = make_table(make_index(people=3, trials=2))
    seen: list[Progress] = []
    evaluate(
        LDA,
        table,
        make_split("repetition"),
        options=RunOptions(progress=seen.append, baselines=False),
    )
    assert [each.folds_done for each in seen] == [1, 2, 3, 4, 5, 6]
    assert [each.people_done for each in seen] == [0, 1, 1, 2, 2, 3]
    assert {(each.folds, each.people) for each in seen} == {(6, 3)}
    assert seen[-1].seconds_left == 0
    assert all(each.seconds_left > 0 for each in seen[:-1])


class Stopped(Exception):
    """What the user's interruption is here."""


def stop_after(n):
    def progress(state):
        if state.folds_done == n:
            raise Stopped

    return progress


def test_a_stopped_run_goes_on_where_it_was(table, tmp_path, monkeypatch):
    whole = evaluate(LDA, table, LOSO, seed=2)
    with pytest.raises(Stopped):
        evaluate(
            LDA,
            table,
            LOSO,
            seed=2,
            options=RunOptions(checkpoint=tmp_path, progress=stop_after(2)),
        )
    fitted = []
    honest = foldrun._one_fold
    monkeypatch.setattr(
        foldrun,
        "_one_fold",
        lambda job, *rest: fitted.append(job.number) or honest(job, *rest),
    )
    seen: list[Progress] = []
    options = RunOptions(checkpoint=tmp_path, progress=seen.append)
    resumed = evaluate(LDA, table, LOSO, seed=2, options=options)
    assert fitted == [2, 3, 4]
    assert resumed.run.folds_resumed == 2
    assert [each.folds_done for each in seen] == [3, 4, 5]
    assert text(resumed) == text(whole)
    np.testing.assert_array_equal(resumed.predictions.output, whole.predictions.output)


def test_another_run_does_not_take_these_folds(table, tmp_path):
    evaluate(LDA, table, LOSO, options=RunOptions(checkpoint=tmp_path, baselines=False))
    shifted = replace(table, values=table.values + 1e-9)
    for config, data, split, seed in (
        (LDA, table, LOSO, 1),
        (PipelineConfig(scaling="standard"), table, LOSO, 0),
        (LDA, shifted, LOSO, 0),
        (LDA, table, make_split("group-k-fold", n_folds=5), 0),
    ):
        options = RunOptions(checkpoint=tmp_path, baselines=False)
        assert evaluate(config, data, split, seed=seed, options=options).run.folds_resumed == 0
    again = evaluate(LDA, table, LOSO, options=RunOptions(checkpoint=tmp_path, baselines=False))
    assert again.run.folds_resumed == 5


def test_a_damaged_checkpoint_is_refused(table, tmp_path):
    evaluate(LDA, table, LOSO, options=RunOptions(checkpoint=tmp_path, baselines=False))
    (file,) = tmp_path.glob("*/fold-0001.npz")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DataError, match=r"fold-0001.npz is damaged .*delete it"):
        evaluate(LDA, table, LOSO, options=RunOptions(checkpoint=tmp_path, baselines=False))


def test_a_killed_process_leaves_whole_folds_only(table, tmp_path):
    script = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        import numpy as np
        from myograph.config.schema import PipelineConfig
        from myograph.core.layout import Channel, Layout
        from myograph.core.table import FeatureTable
        from myograph.core.windows import WindowIndex
        from myograph.validate.run import RunOptions, evaluate
        from myograph.validate.splits import make_split

        saved = np.load(sys.argv[1], allow_pickle=False)
        columns = {name[6:]: saved[name] for name in saved.files if name.startswith("index_")}
        index = WindowIndex.of(len(saved["values"]), **columns)
        names = tuple(saved["names"].tolist())
        layout = Layout(200.0, tuple(Channel(f"emg{k + 1}", kind="semg") for k in range(2)))
        table = FeatureTable(saved["values"], names, ("uV",) * len(names), index, layout)
        options = RunOptions(
            checkpoint=Path(sys.argv[2]), progress=lambda state: time.sleep(0.5), baselines=False
        )
        evaluate(PipelineConfig(), table, make_split("leave-one-subject-out"), options=options)
        """
    )
    columns = {
        f"index_{name}": getattr(table.index, name) for name in table.index.__dataclass_fields__
    }
    np.savez(tmp_path / "table.npz", values=table.values, names=np.array(table.names), **columns)
    checkpoint = tmp_path / "kept"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "table.npz"), str(checkpoint)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    try:
        deadline = time.monotonic() + 60
        while not list(checkpoint.glob("*/fold-0000.npz")) and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    options = RunOptions(checkpoint=checkpoint, baselines=False)
    resumed = evaluate(LDA, table, LOSO, options=options)
    assert 1 <= resumed.run.folds_resumed < 5
    assert text(resumed) == text(evaluate(LDA, table, LOSO, options=RunOptions(baselines=False)))


def test_table_digest_is_of_the_content(table):
    assert table_digest(table) == table_digest(table.take(np.arange(len(table))))
    wider = replace(table.index, subject=table.index.subject.astype("<U40"))
    assert table_digest(replace(table, index=wider)) == table_digest(table)
    other = replace(table.index, label=np.char.add(table.index.label, "x"))
    assert table_digest(replace(table, index=other)) != table_digest(table)
