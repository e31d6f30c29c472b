"""Attention pooling: it listens to the windows that matter, and says which they were."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.core.windows import WindowIndex
from myograph.models.aggregate import aggregate
from myograph.models.pooling import AttentionPooling

torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
torch.set_num_threads(1)

SMALL: dict[str, Any] = {"epochs": 30, "width": 12, "gates": 6, "rate": 1e-2}


def hidden_sign(n: int = 90, *, seed: int = 0, windows: int = 12) -> Any:
    """One window in twelve of an ill recording shows it; every person has two recordings."""
    rng = np.random.default_rng(seed)
    recordings = np.repeat(np.arange(n), windows)
    people = recordings // 2
    ill = people % 2 == 1
    rows = rng.standard_normal((n * windows, 3))
    sign = np.arange(n * windows) % windows == 5
    rows[sign & ill, 1] += 5.0
    return rows, recordings, np.where(ill, "ill", "well"), people, sign & ill


@cache
def fitted() -> AttentionPooling:
    rows, recordings, labels, people, _ = hidden_sign()
    return AttentionPooling(**SMALL).fit(rows, recordings, labels, people)


def test_it_finds_the_windows_that_show_it():
    rows, recordings, labels, _, sign = hidden_sign(seed=1)
    model = fitted()
    names, said = model.combine(rows, recordings)
    truth = labels[np.unique(recordings.astype(np.str_), return_index=True)[1]]
    assert (model.classes_[said.argmax(axis=1)] == truth).mean() > 0.9
    share = model.attention(rows, recordings)
    assert share[sign].mean() > 4 * share[~sign].mean()
    assert names.tolist() == sorted(np.unique(recordings).astype(str).tolist())


def test_shares_sum_to_one_and_recordings_do_not_touch_each_other():
    rows, recordings, *_ = hidden_sign(20, seed=2)
    model = fitted()
    share = model.attention(rows, recordings)
    np.testing.assert_allclose(np.bincount(recordings, share), 1.0)
    names, said = model.combine(rows, recordings)
    for name, proba in zip(names, said, strict=True):
        mine = recordings == int(name)
        alone = model.combine(rows[mine], recordings[mine])[1][0]
        np.testing.assert_allclose(alone, proba, rtol=1e-12)
    order = np.random.default_rng(0).permutation(len(rows))
    np.testing.assert_allclose(model.combine(rows[order], recordings[order])[1], said)


def test_what_it_says_without_torch_is_what_the_network_learned():
    rows, recordings, labels, people, _ = hidden_sign(30)
    model = AttentionPooling(**{**SMALL, "epochs": 2, "held_out": 0.0})
    model.fit(rows, recordings, labels, people)
    from myograph.models.pooling import _padded

    net = model._network(3)
    state = {}
    for part in ("embed", "bend", "gate", "worth", "say"):
        weight = np.atleast_2d(getattr(model, f"{part}_"))
        state[f"{part}.weight"] = torch.tensor(weight)
        if part != "worth":
            state[f"{part}.bias"] = torch.tensor(getattr(model, f"{part}_level_"))
    net.load_state_dict(state)
    names, owner = np.unique(recordings.astype(np.str_), return_inverse=True)
    bags = _padded((rows - model.centre_) / model.spread_, owner, len(names))
    with torch.no_grad():
        scores = net.eval()(torch.from_numpy(bags))
    expected = torch.softmax(scores, dim=1).numpy()
    np.testing.assert_allclose(model.combine(rows, recordings)[1], expected, atol=1e-5)


def test_recordings_of_a_person_count_alike():
    rows, recordings, _, people, _ = hidden_sign(20, seed=3)
    index = WindowIndex.of(len(rows), subject=people, recording=recordings, start_s=0.0, stop_s=1.0)
    names, said = fitted().combine_people(rows, index)
    each = fitted().combine(rows, recordings)
    owner = np.array([str(int(name) // 2) for name in each[0]])
    again = aggregate(each[1], owner, method="mean-log-probability")
    assert names.tolist() == again[0].tolist()
    np.testing.assert_allclose(said, again[1])


def test_it_is_rebuilt_from_its_arrays_and_by_its_seed():
    rows, recordings, labels, people, _ = hidden_sign()
    model = fitted()
    arrays = model.to_arrays()
    again = AttentionPooling.from_arrays(arrays, **SMALL)
    np.testing.assert_array_equal(
        again.combine(rows, recordings)[1], model.combine(rows, recordings)[1]
    )
    one, two = (
        AttentionPooling(**{**SMALL, "epochs": 2}).fit(rows, recordings, labels, people)
        for _ in range(2)
    )
    for key, array in one.to_arrays().items():
        np.testing.assert_array_equal(two.to_arrays()[key], array)
    for key in set(arrays) - {"n_features_in", "classes"}:
        with pytest.raises(ArtifactError, match="must have shape"):
            AttentionPooling.from_arrays({**arrays, key: np.zeros(77)}, **SMALL)
    with pytest.raises(ArtifactError, match="is rebuilt from the arrays"):
        AttentionPooling.from_arrays({"say": np.zeros(1)})


def test_hostile_input_is_refused():
    rows, recordings, labels, people, _ = hidden_sign(8)
    model = AttentionPooling(**{**SMALL, "epochs": 1})
    with pytest.raises(ParameterError, match="has not learned which windows"):
        model.combine(rows, recordings)
    with pytest.raises(DataError, match="needs at least 2 classes"):
        model.fit(rows, recordings, np.full(len(rows), "ill"))
    mixed = labels.copy()
    mixed[0] = "ill" if labels[0] == "well" else "well"
    with pytest.raises(DataError, match="two labels"):
        model.fit(rows, recordings, mixed)
    with pytest.raises(DataError, match="two people"):
        model.fit(rows, recordings, labels, np.arange(len(rows)))
    with pytest.raises(DataError, match="1 of 96 windows hold NaN"):
        model.fit(np.where(np.arange(96)[:, None] == 3, np.nan, rows), recordings, labels)
    with pytest.raises(DataError, match="the recording of each"):
        model.fit(rows, recordings[:-1], labels)
    with pytest.raises(DataError, match="one per window"):
        model.fit(rows, recordings, labels[:-1])
    with pytest.raises(ParameterError, match="hidden must be"):
        AttentionPooling(hidden=1.0).fit(rows, recordings, labels)
    with pytest.raises(DataError, match="learned from 3 features; these windows have 2"):
        fitted().combine(rows[:, :2], recordings)
    del people
