"""Permanent canaries: data without any signal must score at chance, and leaks must be flagged.

Twenty-five people who differ only by a personal fingerprint, half of them called ill. Windows
dealt at random let a classifier recognise the person and repeat the label; held-out people show
that there is nothing to know.
"""

from dataclasses import replace

import numpy as np
import pytest

from myograph.config.schema import ModelConfig, PipelineConfig
from myograph.core.windows import WindowIndex
from myograph.validate.leakage import permute_labels
from myograph.validate.manifest import FoldUnits, SplitManifest, unit_names
from myograph.validate.run import RunOptions, evaluate
from myograph.validate.splits import make_split

N_PEOPLE, N_WINDOWS, N_FEATURES = 25, 60, 20
FOREST = PipelineConfig(model=ModelConfig(name="random-forest", params={"n_trees": 25}))
ALONE = RunOptions(baselines=False)


def fingerprints(as_table, *, icc: float, seed: int):
    """Features of which a share ``icc`` of the variance is the person's and none the label's."""
    random = np.random.default_rng(seed)
    own = np.sqrt(icc) * random.standard_normal((N_PEOPLE, 1, N_FEATURES))
    noise = random.standard_normal((N_PEOPLE, N_WINDOWS, N_FEATURES))
    for k in range(1, N_WINDOWS):  # neighbouring windows resemble each other
        noise[:, k] = 0.7 * noise[:, k - 1] + np.sqrt(1 - 0.7**2) * noise[:, k]
    values = (own + np.sqrt(1 - icc) * noise).reshape(-1, N_FEATURES)
    ill = random.permutation(np.arange(N_PEOPLE) < 12)
    people = np.repeat([f"p{k:02d}" for k in range(N_PEOPLE)], N_WINDOWS)
    start_s = np.tile(0.1 * np.arange(N_WINDOWS), N_PEOPLE)
    index = WindowIndex.of(
        len(people),
        subject=people,
        session="1",
        trial="1",
        recording=people,
        start_s=start_s,
        stop_s=start_s + 0.2,
        label=np.repeat(np.where(ill, "ill", "well"), N_WINDOWS),
    )
    return as_table(values, index)


def window_k_fold(index, path, n_folds=10, seed=0):
    """The leaky split: it can only come from a file, and says that its units are windows."""
    names = unit_names(index, ("window",))
    dealt = np.array_split(np.random.default_rng(seed).permutation(len(names)), n_folds)
    folds = tuple(
        FoldUnits(
            f"{k}",
            tuple(np.delete(names, part).tolist()),
            (),
            tuple(names[part].tolist()),
        )
        for k, part in enumerate(dealt)
    )
    SplitManifest("window k-fold", "across people", ("window",), folds).save(path)
    return make_split(str(path))


def failed(result):
    return {audit.name for audit in result.audits if not audit.passed}


@pytest.mark.parametrize("seed", range(3))
def test_fingerprint_canary(as_table, tmp_path, seed):
    table = fingerprints(as_table, icc=0.7, seed=seed)
    leaky = evaluate(
        FOREST, table, window_k_fold(table.index, tmp_path / "leaky.json"), options=ALONE
    )
    assert leaky.metrics["accuracy"].value >= 0.95
    assert leaky.metrics["person_accuracy"].value == 1.0
    assert not leaky.passed
    assert failed(leaky) == {"people", "repetitions", "samples"}

    honest = evaluate(FOREST, table, make_split("leave-one-subject-out"), options=ALONE)
    for name in ("accuracy", "person_accuracy", "person_roc_auc"):
        estimate = honest.metrics[name]
        # With one label per person, leaving a person out makes the other label the commoner one
        # in training: honest scores are pulled below chance, so "never above" is the law.
        assert estimate.low <= 0.5, (name, str(estimate))
        assert estimate.value <= 0.65, (name, str(estimate))
        assert estimate.evidence == "person"
    assert honest.passed


@pytest.mark.parametrize("seed", range(8))
def test_fingerprints_of_held_out_people_say_nothing(as_table, seed):
    table = fingerprints(as_table, icc=0.5, seed=seed)
    result = evaluate(PipelineConfig(), table, make_split("leave-one-subject-out"), options=ALONE)
    headline = result.metrics["person_accuracy"]
    assert headline.low <= 0.5 <= headline.high, str(headline)
    assert result.metrics["accuracy"].low <= 0.5  # pulled below chance, see above
    assert result.passed


@pytest.mark.parametrize(("model", "params"), [("lda", {}), ("random-forest", {"n_trees": 15})])
def test_permuted_labels_canary(make_index, make_table, model, params):
    index = make_index(people=12, trials=5)
    table = make_table(index, signal=1.5)
    config = PipelineConfig(model=ModelConfig(name=model, params=params))
    split = make_split("leave-one-subject-out")
    real = evaluate(config, table, split, options=ALONE)
    assert real.metrics["accuracy"].low > 0.8
    for seed in range(2):
        shuffled = replace(table, index=permute_labels(index, seed=seed))
        found = evaluate(config, shuffled, split, options=ALONE).metrics["accuracy"]
        assert found.low <= 1 / 3 <= found.high, str(found)


def test_permuted_diagnoses_canary(as_table):
    table = fingerprints(as_table, icc=0.3, seed=5)
    signal = table.values + 2.0 * (table.index.label == "ill")[:, None]
    config, split = PipelineConfig(), make_split("group-k-fold", n_folds=5, seed=1)
    real = evaluate(config, as_table(signal, table.index), split, options=ALONE)
    assert real.headline == "person_accuracy"
    assert real.metrics["person_accuracy"].low > 0.8
    permuted = permute_labels(table.index, seed=0)
    found = evaluate(config, as_table(signal, permuted), split, options=ALONE)
    estimate = found.metrics["person_accuracy"]
    assert estimate.low <= 0.5 <= estimate.high
