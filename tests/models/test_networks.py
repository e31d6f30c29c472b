"""Networks: what they compute, what can be seen of them, and how they are saved and run live."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.core.recording import Recording
from myograph.models import MODELS, build_model
from myograph.models.deep import DeepClassifier, Network
from myograph.pipeline.artifact import load_model, save_model
from myograph.pipeline.pipeline import Pipeline
from myograph.signal.timefreq import log_frequencies, magnitude, morlets, short_time

torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
torch.set_num_threads(1)

NETWORKS = [name for name in MODELS if issubclass(MODELS[name], Network)]
CLASSIFIERS = [name for name in NETWORKS if issubclass(MODELS[name], DeepClassifier)]
#: Networks with no convolution whose output has moments.
OTHERS = {
    *("lstm", "gru", "lstm-regressor", "lstm-features", "covariance-net"),
    *("ring-cnn", "ring-cnn-regressor"),
}
TINY: dict[str, Any] = {"width": 8, "epochs": 1, "batch": 40, "held_out": 0.0, "fs_hz": 1000.0}


def windows(n_windows: int = 40, n_samples: int = 120, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return 30 * rng.standard_normal((n_windows, 3, n_samples))


def fitted(name: str, **more: Any) -> Any:
    X = windows()
    y: Any = np.array(["a", "b"])[np.arange(len(X)) % 2]
    if MODELS[name].task == "regression":
        y = 50 + 10 * X.std(axis=(1, 2))
    return build_model(name, **{**TINY, **more}).fit(X, y)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_module_answers_what_the_model_answers_and_lets_gradients_through(name):
    model = fitted(name)
    tensor = model.input_of(windows(5, seed=1)).requires_grad_()
    found = model.module_(tensor)
    assert found.dtype == torch.float64
    assert not model.module_.training
    if model.task == "classification":
        answer = found.softmax(dim=1).detach().numpy()
        np.testing.assert_allclose(answer, model.predict_proba(windows(5, seed=1)), rtol=1e-12)
    else:
        answer = found[:, 0].detach().numpy()
        np.testing.assert_allclose(answer, model.predict(windows(5, seed=1)), rtol=1e-12)
    found[:, 0].sum().backward()
    assert (tensor.grad.abs().amax(dim=2) > 0).all()  # every channel of every window is looked at


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_learns_in_mixed_precision_too(name):
    """Half precision is in the passing through; weights, and what is answered, stay as they are."""
    mixed, single = (fitted(name, precision=each) for each in ("mixed", "single"))
    assert mixed.curve_[0, 0] == pytest.approx(single.curve_[0, 0], rel=0.1)
    pairs = [(mixed.weights_[k], v) for k, v in single.weights_.items()]
    assert all(mine.dtype == theirs.dtype for mine, theirs in pairs)
    assert any((mine != theirs).any() for mine, theirs in pairs)  # it did learn in another way
    assert mixed.module_(mixed.input_of(windows(2))).dtype == torch.float64


@pytest.mark.parametrize("name", NETWORKS)
def test_the_last_convolution_is_named_where_there_is_one(name):
    model = fitted(name)
    layer = model.module_.last_convolution
    if name in OTHERS:
        assert layer is None
        return
    seen = []
    layer.register_forward_hook(lambda *given: seen.append(given[2]))
    model.module_(model.input_of(windows(2)))
    assert seen[0].ndim == (4 if "gram" in name else 3)
    assert len(seen[0]) == 2


@pytest.mark.parametrize("name", NETWORKS)
def test_windows_stand_alone_in_any_order_and_any_unit(name):
    model = fitted(name)
    X = windows(6, seed=2)
    answer = model.predict_proba if model.task == "classification" else model.predict
    order = np.array([3, 0, 5, 1, 4, 2])
    np.testing.assert_allclose(answer(X[order]), answer(X)[order], rtol=1e-9)
    # Statistics of the training windows are taken off: another unit is the same network.
    y: Any = np.array(["a", "b"])[np.arange(40) % 2]
    if model.task == "regression":
        y = 50 + 10 * windows().std(axis=(1, 2))
    other = build_model(name, **TINY).fit(1024 * windows(), y)
    again = other.predict_proba if model.task == "classification" else other.predict
    np.testing.assert_allclose(again(1024 * X), answer(X), rtol=2e-3)


@pytest.mark.parametrize("name", NETWORKS)
def test_windows_too_short_for_the_network_are_refused_with_what_it_needs(name):
    X = windows(20, n_samples=3)
    y: Any = np.arange(20) % 2
    with pytest.raises(DataError, match=r"Windows of 3 samples \(3 ms at 1000 Hz\) are too short"):
        build_model(name, **TINY).fit(X, y)


@pytest.mark.parametrize("name", [n for n in NETWORKS if MODELS[n].task == "regression"])
def test_estimates_are_in_the_unit_of_the_target(name):
    X = windows(200, n_samples=60)
    force_n = 400 + 20 * np.arange(200) % 7
    X *= (force_n / 400)[:, None, None]
    model = build_model(name, **{**TINY, "epochs": 3}).fit(X, force_n)
    assert model.predict(X).mean() == pytest.approx(force_n.mean(), rel=0.02)


def test_the_spectrogram_layer_is_the_short_time_transform():
    from myograph.models.nets.images import Spectrogram

    x = windows(4)
    layer = Spectrogram(segment=64, hop=16, first_bin=2, stop_bin=20)
    found = layer(torch.tensor(x)).numpy()
    expected = magnitude(short_time(x, fs_hz=1000.0, segment=64, hop=16)[0][..., 2:20, :])
    np.testing.assert_allclose(np.exp(2 * found), expected**2 + 1e-4, rtol=1e-9)


def test_the_scalogram_layer_is_the_power_of_the_wavelets():
    from myograph.models.nets.images import Scalogram

    x = windows(4)
    bank = morlets(120, 1000.0, tuple(log_frequencies(40, 400, 8).tolist()), 4.0)
    found = Scalogram(bank, times=12)(torch.tensor(x)).numpy()
    expected = bank.power(x).reshape(4, 3, 8, 12, 10).mean(axis=-1)
    np.testing.assert_allclose(np.exp(2 * found), expected + 1e-4, rtol=1e-9)


def test_feature_steps_are_features_of_stretches_that_overlap_by_half():
    from myograph.features import compute
    from myograph.models.nets.recurrent import FeatureSteps

    x = windows(4)
    steps = FeatureSteps(n_channels=3, stretch=40).double().eval()
    found = steps(torch.tensor(x)).detach().numpy()  # (windows, steps, 7 x channels)
    assert found.shape == (4, 5, 21)
    for k in range(5):
        piece = x[:, :, 20 * k : 20 * k + 40]
        mav = compute("mav", piece, fs_hz=1000.0)
        scale = np.sqrt(1 + 1e-5)  # of a batch normalisation that has seen nothing
        np.testing.assert_allclose(found[:, k, :3] * scale, np.log(mav + 0.01), rtol=1e-9)
        crossings = compute("zc", piece, fs_hz=1000.0)
        np.testing.assert_allclose(39 * found[:, k, 15:18] * scale, crossings, atol=1e-9)


def test_the_covariance_network_takes_logarithms_and_gradients_of_matrices(rng):
    from myograph.models.nets.covariance import _Logarithm
    from myograph.signal.riemann import logm

    half = rng.standard_normal((3, 4, 9))
    matrices = np.stack([*(half @ half.transpose(0, 2, 1)), np.eye(4), np.diag([3.0, 1, 1, 1])])
    tensor = torch.tensor(matrices, requires_grad=True)
    np.testing.assert_allclose(_Logarithm.apply(tensor).detach(), logm(matrices), atol=1e-12)
    # Against differences of the function, where eigenvalues are equal too.
    assert torch.autograd.gradcheck(
        lambda m: _Logarithm.apply((m + m.transpose(-1, -2)) / 2), tensor
    )


def test_the_covariance_network_answers_about_silence_and_copies():
    model = fitted("covariance-net")
    copies = windows(2)[:, :1].repeat(3, axis=1)
    for X in (np.zeros((2, 3, 120)), copies, 1e6 * copies):
        assert np.isfinite(model.predict_proba(X)).all()


def test_the_transformer_shows_who_looked_at_whom():
    model = fitted("transformer")
    tensor = (model.input_of(windows(3)) - model.module_.centre) / model.module_.spread
    scores, maps, pooling = model.module_.body.look(tensor)
    np.testing.assert_array_equal(scores, model.module_(model.input_of(windows(3))))
    assert [tuple(each.shape) for each in maps] == [(3, 4, 12, 12)] * 2
    for each in (*maps, pooling):
        np.testing.assert_allclose(each.sum(dim=-1), 1.0)
    with pytest.raises(ParameterError, match="width must be a multiple of 4; got 6"):
        fitted("transformer", width=6)


def test_a_causal_block_does_not_see_the_future():
    body = fitted("tcn").module_.body
    x = torch.tensor(windows(1))
    later = x.clone()
    later[..., 90:] += 5.0
    one, two = (block_outputs(body, each) for each in (x, later))
    reach = 90 // 2 - 13  # in steps of 2 samples; the first kernel spans 25 and looks both ways
    np.testing.assert_array_equal(one[..., :reach], two[..., :reach])
    assert (one[..., reach + 13 :] != two[..., reach + 13 :]).any()


def block_outputs(body: Any, x: Any) -> Any:
    found = body.stem(x)
    for block in body.blocks:
        found = block(found)
    return found


def test_the_separable_network_is_small():
    numbers = {name: sum(p.numel() for p in network.module_.parameters()) for name, network in
               ((n, fitted(n, width=None)) for n in ("separable", "cnn1d"))}  # fmt: skip
    assert numbers["separable"] < 3000 < numbers["cnn1d"]


def test_a_file_that_asks_for_more_room_than_it_brings_is_refused():
    model = fitted("cnn1d")
    arrays = {**model.to_arrays(), "n_features_in": np.array(2**40)}
    with pytest.raises(ArtifactError, match="must have shape"):
        MODELS["cnn1d"].from_arrays(arrays, **model.get_params())
    with pytest.raises(ArtifactError, match="must have shape"):
        MODELS["cnn1d"].from_arrays(model.to_arrays(), **{**TINY, "width": 2**20})
    with pytest.raises(ArtifactError, match="cannot be built"):
        MODELS["cnn1d"].from_arrays(model.to_arrays(), **{**TINY, "width": 2**40})
    with pytest.raises(ParameterError, match="depth must be at most 64"):
        MODELS["cnn1d"].from_arrays(model.to_arrays(), **{**TINY, "depth": 2**40})
    arrays = {**model.to_arrays(), "n_samples": np.array(2**50)}
    with pytest.raises(ArtifactError, match="cannot be"):
        MODELS["cnn1d"].from_arrays(arrays, **model.get_params())


@pytest.mark.parametrize("name", ["cnn1d", "spectrogram-cnn", "lstm-features", "transformer"])
def test_saved_and_live_it_answers_as_offline(name, make_recording, tmp_path):
    people = [make_recording(subject=f"p{k}") for k in range(3)]
    params = {key: value for key, value in TINY.items() if key != "fs_hz"}
    config = {
        "windowing": {"length_ms": 100, "step_ms": 50},
        "model": {"name": name, "params": params},
    }
    pipeline = Pipeline(config)
    pipeline.fit(pipeline.prepare(people))
    assert pipeline.model.fs_hz == 1000.0
    path = save_model(pipeline, tmp_path / "net.myomodel", card="")
    loaded = load_model(path)
    recording: Recording = people[0]
    offline = np.stack([d.probabilities for d in pipeline.predict(recording)])
    again = np.stack([d.probabilities for d in loaded.predict(recording)])
    np.testing.assert_array_equal(again, offline)
    stream = loaded.start(recording.layout)
    edges = [0, 3, 40, 99, 700, 701, recording.samples.shape[1]]
    live = [
        decision.probabilities
        for first, stop in pairwise(edges)
        for decision in stream.push(recording.samples[:, first:stop])
    ]
    np.testing.assert_allclose(live, offline, rtol=1e-9)


def test_models_can_be_imported_and_listed_without_torch():
    import subprocess
    import sys

    code = (
        "import sys, myograph.models, myograph.models.training; "
        "print('torch' in sys.modules, 'skorch' in sys.modules, 'cnn1d' in myograph.models.MODELS)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "False", "True"]
