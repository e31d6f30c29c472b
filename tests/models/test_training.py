"""The training loop: exact resuming, seeds, early stopping, devices, losses that are no numbers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from myograph.core.errors import DataError, ParameterError
from myograph.models import build_model
from myograph.models.jitter import Jitter
from myograph.models.training import Progress, Settings, carried_out, pick_device

torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
torch.set_num_threads(1)

SMALL: dict[str, Any] = {
    "fs_hz": 200.0,
    "width": 6,
    "epochs": 6,
    "batch": 16,
    "gain_db": 2.0,
    "noise": 0.1,
    "shift_ms": 20.0,
    "mask_ms": 20.0,
    "drop_channel": 0.1,
}


def problem(n_rows: int = 90, seed: int = 0, people: int = 5) -> tuple[Any, Any, Any]:
    """Noise of two channels, loud in one of them or in neither."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(3, size=n_rows)
    loud = np.stack([codes == 1, codes == 2], axis=1)
    X = rng.standard_normal((n_rows, 2, 40)) * (1 + 2 * loud[:, :, None])
    return X, np.array(["fist", "open", "rest"])[codes], np.arange(n_rows) % people


def fit(**more: Any) -> Any:
    X, y, people = problem()
    return build_model("cnn1d", **{**SMALL, **more}).fit(X, y, groups=people)


def same(one: Any, two: Any) -> None:
    ours, theirs = one.to_arrays(), two.to_arrays()
    assert set(ours) == set(theirs)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)


class Killed(Exception):
    pass


def killed_after(epochs: int, folder: Path, **more: Any) -> None:
    def tell(at: Progress) -> None:
        if at.epoch == epochs:
            raise Killed

    with pytest.raises(Killed), carried_out(checkpoints=folder, progress=tell):
        fit(**more)


@pytest.mark.parametrize("schedule", ["cosine", "plateau", "constant"])
def test_a_training_that_went_on_equals_one_that_was_never_stopped(tmp_path, schedule):
    whole = fit(schedule=schedule)
    for epochs in (2, 5):
        killed_after(epochs, tmp_path, schedule=schedule)
    seen = []
    with carried_out(checkpoints=tmp_path, progress=lambda at: seen.append(at.epoch)):
        resumed = fit(schedule=schedule)
    assert seen == [6, 6]  # the first five epochs were not gone through again
    same(whole, resumed)


def test_other_settings_or_other_windows_do_not_go_on_from_a_foreign_checkpoint(tmp_path):
    killed_after(3, tmp_path)
    seen = []
    with carried_out(checkpoints=tmp_path, progress=lambda at: seen.append(at.epoch)):
        fit(rate=0.001)
    assert seen == [1, 2, 3, 4, 5, 6, 6]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_checkpoint_is_named_and_nothing_is_unpickled(tmp_path):
    killed_after(3, tmp_path)
    (path,) = tmp_path.rglob("*.npz")
    path.write_bytes(path.read_bytes()[:200])
    refused = pytest.raises(DataError, match=r"epoch\.npz is damaged .* delete it")
    with refused, carried_out(checkpoints=tmp_path):
        fit()


KILLED = """
import sys, time
sys.path.insert(0, {tests!r})
from test_training import carried_out, fit
def slow(at):
    time.sleep(0.3)
with carried_out(checkpoints={folder!r}, progress=slow):
    fit(epochs=12)
"""


def test_a_process_killed_in_mid_training_loses_an_epoch_at_most(tmp_path):
    code = KILLED.format(tests=str(Path(__file__).parent), folder=str(tmp_path / "kept"))
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ})
    deadline = time.monotonic() + 120
    while not list(tmp_path.rglob("epoch.npz")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    seen = []
    with carried_out(checkpoints=tmp_path / "kept", progress=lambda at: seen.append(at.epoch)):
        resumed = fit(epochs=12)
    assert 1 < seen[0] < 12
    same(fit(epochs=12), resumed)


def test_the_seed_decides_and_the_callers_random_numbers_are_left_alone():
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    same(fit(seed=3), fit(seed=3))
    assert torch.equal(torch.random.get_rng_state(), before)
    one, two = fit(seed=3).to_arrays(), fit(seed=4).to_arrays()
    assert any((one[name] != two[name]).any() for name in one if name.startswith("net.body"))


def test_the_order_of_names_of_people_does_not_matter_and_the_person_held_out_is_not_learned_from():
    X, y, people = problem()
    model = build_model("cnn1d", **SMALL).fit(X, y, groups=people)
    same(model, clone(model).fit(X, y, groups=np.array(list("abcde"))[people]))
    held = np.random.default_rng(0).permutation(5)[0]
    spoiled = X.copy()
    spoiled[people == held] *= -1.0  # another signal of the same person: only when to stop may move
    other = clone(model).fit(spoiled, y, groups=people)
    np.testing.assert_array_equal(model.curve_[:, 0], other.curve_[:, 0])
    np.testing.assert_array_equal(model.weights_["spread"], other.weights_["spread"])


def test_it_stops_when_what_is_held_out_gets_no_better_and_keeps_the_best_weights():
    X, _, people = problem()
    noise = np.random.default_rng(1).choice(["a", "b"], len(X))
    model = build_model("cnn1d", **{**SMALL, "epochs": 60, "patience": 3, "rate": 0.01})
    model.set_params(schedule="constant")
    model.fit(X, noise, groups=people)
    losses = model.curve_[:, 1]
    best = int(losses.argmin())
    assert len(losses) == best + 1 + 3 < 60
    # The weights kept are those of the best epoch: a training of so many epochs ends with them.
    short = clone(model).set_params(epochs=best + 1).fit(X, noise, groups=people)
    for name, weights in short.weights_.items():
        np.testing.assert_array_equal(weights, model.weights_[name])


@pytest.mark.parametrize(
    ("groups", "note"),
    [(None, "not by people: there is one person"), ("people", "stopped by 1 of 5 people")],
)
def test_a_note_says_who_decided_when_to_stop(groups, note):
    X, y, people = problem()
    model = build_model("cnn1d", **SMALL).fit(X, y, groups=people if groups else None)
    assert note in model.notes_[0]


def test_a_loss_that_is_no_number_at_once_is_refused_with_its_batch():
    with pytest.raises(DataError, match=r"loss of epoch 1, batch 2, is not .*lower rate"):
        fit(rate=1e30, clip=1e30)


def test_a_loss_that_is_no_number_later_keeps_the_last_good_weights(monkeypatch):
    from myograph.models.nets import loop

    losses = loop._Net.losses

    def spoiled(self: Any, scores: Any, targets: Any) -> Any:
        late = self.epoch == 3 and len(self.history[-1, "batches"]) == 2
        return losses(self, scores, targets) * (float("nan") if late else 1.0)

    whole = fit(epochs=6, schedule="constant")
    monkeypatch.setattr(loop._Net, "losses", spoiled)
    model = fit(epochs=6, schedule="constant")
    assert "loss of epoch 4, batch 2, is not a finite number" in model.notes_[1]
    assert "lower rate" in model.notes_[1]
    np.testing.assert_array_equal(model.curve_, whole.curve_[:3])
    assert np.isfinite(model.predict_proba(problem()[0])).all()


def test_cuda_is_refused_in_words_where_there_is_none(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto") == pick_device("cpu") == "cpu"
    with pytest.raises(ParameterError, match=r"device='cuda' was asked for.*finds no CUDA"):
        fit(device="cuda")
    with pytest.raises(ParameterError, match=r"device must be one of .*Did you mean 'cuda'"):
        fit(device="cude")


def test_half_precision_learns_about_the_same_and_answers_in_double():
    model = fit(precision="mixed", epochs=12)
    X, y, _ = problem(seed=1)
    assert model.score(X, y) > 0.6
    assert model.module_(model.input_of(X)).dtype == torch.float64
    assert (model.to_arrays()["curve"] != fit(epochs=12).to_arrays()["curve"]).any()


def test_windows_too_short_or_of_unknown_rate_are_refused():
    X, y, _ = problem()
    with pytest.raises(DataError, match=r"Windows of 4 samples \(20 ms at 200 Hz\) are too short"):
        build_model("cnn1d", **SMALL).fit(X[:, :, :4], y)
    with pytest.raises(ParameterError, match="give fs_hz, their samples per second"):
        build_model("cnn1d").fit(X, y)
    with pytest.raises(DataError, match="learned from windows of 40 samples; these have 30"):
        fit().predict(X[:, :, :30])


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"batch": 1}, "batch must be at least 2"),
        ({"rate": 0.0}, "rate must be above 0"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"balance": "persons"}, "balance must be one of"),
        ({"held_out": 1.0}, "held_out must be below 1"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1"),
        ({"drop_channel": 1.0}, "drop_channel must be below 1"),
        ({"gain_db": -1.0}, "gain_db must be 0 or more"),
        ({"precision": "half"}, "precision must be one of"),
        ({"fs_hz": 0.0}, "fs_hz must be above 0"),
    ],
)
def test_settings_that_break_their_rule_are_refused(wrong, match):
    with pytest.raises(ParameterError, match=match):
        fit(**wrong)


def test_balance_makes_a_rare_class_count_as_much():
    X, y, people = problem(200)
    rare = (y != "rest") | (np.arange(200) % 10 == 0)
    given = X[rare], np.where(y == "rest", "rest", "other")[rare]
    found = {}
    for balance in ("windows", "classes"):
        model = build_model("cnn1d", **{**SMALL, "balance": balance, "epochs": 8})
        model.fit(*given, groups=people[rare])
        found[balance] = model.predict_proba(X)[:, 1].mean()
    assert found["classes"] > found["windows"] + 0.1


def test_progress_tells_epochs_losses_and_the_time_left():
    seen: list[Progress] = []
    with carried_out(progress=seen.append):
        fit(epochs=3)
    assert [at.epoch for at in seen] == [1, 2, 3, 3]
    assert [at.last for at in seen] == [False, False, False, True]
    assert seen[0].seconds_left > 0
    assert seen[-1].seconds_left == 0
    assert all(at.curve.shape == (at.epoch, 4) for at in seen)
    assert seen[0].told.startswith("epoch 1 of 3, loss ")
    assert "held out" in seen[0].told


def test_a_window_alone_gets_the_answer_it_gets_among_others():
    model = fit()
    X = problem(seed=2)[0]
    alone = np.concatenate([model.predict_proba(row[None]) for row in X])
    np.testing.assert_allclose(alone, model.predict_proba(X), rtol=1e-12)


def test_rates_follow_from_epoch_and_losses():
    falling, flat = np.linspace(1, 0, 12), np.ones(12)
    cosine = [Settings(epochs=10, rate=1.0).rate_at(k, falling[:k]) for k in range(10)]
    assert cosine[0] == 0.5
    assert cosine[5] == pytest.approx(0.5)
    assert np.all(np.diff(cosine[1:]) < 0)
    plateau = Settings(schedule="plateau", patience=4, rate=1.0)
    assert plateau.rate_at(12, falling) == 1.0
    assert plateau.rate_at(12, flat) == pytest.approx((1 / 3) ** 5)  # 11 epochs stuck, by twos


def test_jitter_does_what_it_says(rng):
    windows = rng.standard_normal((400, 3, 50)).astype(np.float32)
    shifted = Jitter(shift=5)(windows, rng)
    np.testing.assert_array_equal(np.sort(shifted, axis=2), np.sort(windows, axis=2))
    gain_db = 20 * np.log10(Jitter(gain_db=3.0)(windows, rng).std(axis=2) / windows.std(axis=2))
    assert gain_db.std() == pytest.approx(3 * np.sqrt(1.25), rel=0.1)
    added = Jitter(noise=0.5)(windows, rng) - windows
    assert (added.std(axis=2) / windows.std(axis=2)).mean() == pytest.approx(0.5, rel=0.05)
    silent = (Jitter(drop=0.3)(windows, rng) == 0).all(axis=2).mean()
    assert silent == pytest.approx(0.3, abs=0.06)
    hidden = (Jitter(mask=20)(windows, rng) != windows).sum(axis=2)
    assert hidden.max() == 20
    assert hidden.mean() == pytest.approx(10, abs=1)
    assert Jitter(5.0, 0.1, 5, 5, 0.1)(windows, rng).dtype == np.float32


def test_a_ring_is_turned_by_parts_of_the_distance_between_electrodes():
    rng = np.random.default_rng(0)
    ring = np.cos(2 * np.pi * np.arange(16) / 16)  # where on the limb it is loud
    windows = np.repeat(ring[None, :, None], 2000, axis=0) * np.ones((1, 1, 5))
    turned = Jitter(turn=2.5)(windows.astype(np.float32), rng)[:, :, 0]
    by = np.angle((turned * np.exp(2j * np.pi * np.arange(16) / 16)).sum(axis=1)) * 16 / (2 * np.pi)
    assert 2.4 < by.max() < 2.52
    assert -2.52 < by.min() < -2.4
    assert abs(by.mean()) < 0.1
    whole = np.round(by[0])
    np.testing.assert_allclose(turned.sum(axis=1), 0, atol=1e-5)  # nothing is lost at the seam
    assert np.abs(np.roll(ring, int(whole)) - turned[0]).max() < 0.25
