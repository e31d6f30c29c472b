"""Inside networks: sums that hold, moments that were planted, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.explain.attribution import (
    attention_rollout,
    band_gradients,
    grad_cam,
    image_gradients,
    integrated_gradients,
    rolled_out,
)
from myograph.explain.cell_game import CellGame, SpanGame
from myograph.explain.explainer import explain_question
from myograph.explain.faithfulness import judge
from myograph.explain.parts import bands_of
from myograph.report.gist import summary_sentences
from myograph.report.heat import heated_signal

torch = pytest.importorskip("torch")

EDGES = np.linspace(2.0, 4.0, 9)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def net(people, fitted):
    return fitted("cnn1d", people[:3], width=4, depth=1, epochs=15, batch=16, held_out=0.0)


@pytest.fixture
def asked(net, newcomer, fist):
    return fist(net, newcomer, most=5, target="fist", against="rest")


def test_integrated_gradients_sum_to_the_evidence(asked):
    found = integrated_gradients(asked, EDGES, n_steps=100)
    scores = asked.model.module_(asked.model.input_of(asked.windows.values.astype(float)))
    classes = asked.classes
    difference = scores[:, classes.index("fist")] - scores[:, classes.index("rest")]
    assert found.total == pytest.approx(float(difference.mean()))
    assert abs(found.gap) < 2e-3 * abs(found.total - found.base)


def test_more_steps_leave_less_of_a_gap(asked):
    few, many = (abs(integrated_gradients(asked, EDGES, n_steps=n).gap) for n in (2, 60))
    assert many < few


def test_a_linear_network_is_shared_out_exactly(asked, fist):
    """For F(x) = w x the gradient is w everywhere, and a sample gets w (x - z)."""

    class Linear(torch.nn.Module):
        def forward(self, windows):
            weights = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)[:, None]
            score = (weights * windows).sum(dim=(1, 2))
            return torch.stack([0 * score, score, 0 * score], dim=1)

    asked.model.__dict__["module_"], kept = Linear(), asked.model.module_
    try:
        target = asked.classes[1]
        question = fist(
            asked.pipeline, asked.recording, most=5, target=target, against=asked.classes[0]
        )
        found = integrated_gradients(question, EDGES, n_steps=2)
        values = question.windows.values.astype(np.float64)
        silence = np.median(values, axis=(0, 2))
        expected = np.array([1.0, 2.0, 3.0]) * (values - silence[:, None]).sum(axis=2).mean(axis=0)
        assert np.allclose(found.values.sum(axis=1), expected)
        assert abs(found.gap) < 1e-6
    finally:
        asked.model.__dict__["module_"] = kept


def test_bands_and_moments_share_out_the_same(asked):
    bands = bands_of(asked.pipeline, 500.0)
    by_band, by_moment = band_gradients(asked, bands), integrated_gradients(asked, EDGES)
    assert by_band.values.sum() == pytest.approx(by_moment.values.sum(), rel=1e-6)
    assert by_band.gap == pytest.approx(by_moment.gap, abs=1e-6)


def test_the_planted_muscle_is_found(asked):
    found = integrated_gradients(asked, EDGES)
    assert found.names[int(found.values.sum(axis=1).argmax())] == "b"


def test_grad_cam_says_when_and_not_where(asked):
    found = grad_cam(asked, EDGES)
    assert (found.values >= 0).all()
    assert found.values.sum() > 0
    assert np.allclose(found.values, found.values[:1])
    assert found.gap is None
    channel, start_s, stop_s, _ = found.strongest()
    assert channel == ""
    assert start_s < stop_s


def test_what_says_when_is_judged_by_moments(net, newcomer, fist):
    """Whether channels that it does not rank go early or late must not be held against it."""
    asked = fist(net, newcomer, most=5, target="fist", against="rest")
    cam = explain_question(asked, method="grad-cam")
    heat = cam.heats[0].heat
    alone = judge(SpanGame(asked, heat.edges_s), heat.values.sum(axis=0), n_orders=20)
    np.testing.assert_allclose(
        cam.heats[0].faithfulness.deletion.evidence, alone.deletion.evidence, atol=1e-9
    )
    assert heat.to_dict()["says_where"] is False
    when = summary_sentences(cam)[0]
    assert when.startswith(("The moment that was looked at most", "Not to be relied on"))
    assert not any(f" {name}," in when for name in "abc")


def test_the_picture_of_what_says_when_has_no_other_side(net, newcomer, fist):
    asked = fist(net, newcomer, most=5, target="fist", against="rest")
    cam, whole = (explain_question(asked, method=m) for m in ("grad-cam", "integrated-gradients"))
    drawn, signed = (heated_signal(each, each.heats[0]) for each in (cam, whole))
    assert "the loudest moment is from" in drawn
    assert "the loudest cell is" in signed


def test_quiet_at_every_moment_is_quiet_muscles(asked):
    spans, cells = SpanGame(asked, EDGES), CellGame(asked, EDGES)
    nothing = [np.zeros((1, len(game)), dtype=bool) for game in (spans, cells)]
    assert spans.value(nothing[0]) == pytest.approx(cells.value(nothing[1]))
    without = np.ones((2, len(spans)), dtype=bool)
    without[1, 2] = False
    values = spans.value(without)
    assert spans.alone()[0, 2] == pytest.approx(values[0] - values[1], abs=1e-6)


def test_roll_out_of_layers_that_look_at_themselves_changes_nothing():
    itself = np.tile(np.eye(4), (2, 3, 1, 1))
    pooling = np.array([[0.1, 0.2, 0.3, 0.4]] * 2)
    assert np.allclose(rolled_out([itself, itself], pooling), pooling)


def test_roll_out_keeps_its_sum(rng):
    layers = [rng.dirichlet(np.ones(5), size=(3, 2, 5)) for _ in range(3)]
    assert np.allclose(rolled_out(layers).sum(axis=1), 1.0)


def test_a_transformer_shows_its_attention(people, newcomer, fitted, fist):
    asked = fist(
        fitted("transformer", people[:2], width=8, depth=1, epochs=1, held_out=0.0),
        newcomer,
        most=4,
    )
    found = attention_rollout(asked, EDGES)
    assert found.values.sum() == pytest.approx(1.0)
    assert (found.values >= 0).all()


def test_images_are_shared_out(people, newcomer, fitted, fist):
    asked = fist(
        fitted("spectrogram-cnn", people[:2], width=4, depth=1, epochs=1, held_out=0.0),
        newcomer,
        most=3,
    )
    found = image_gradients(asked, n_steps=40)
    assert found.values.ndim == 3
    assert found.values.shape[0] == 3
    assert abs(found.gap) < 0.02 * abs(found.total - found.base) + 1e-3


def test_models_that_are_no_networks_are_refused(question, asked):
    with pytest.raises(ParameterError, match="not a network"):
        integrated_gradients(question, EDGES)
    with pytest.raises(ParameterError, match="no attention"):
        attention_rollout(asked, EDGES)
    with pytest.raises(ParameterError, match="makes no images"):
        image_gradients(asked)
