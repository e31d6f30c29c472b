"""The laws of every registered feature. A new feature joins by being registered, and by a value."""

import json
import pickle
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.lib.stride_tricks import sliding_window_view

from myograph.core.layout import Channel, Layout
from myograph.core.windows import WindowIndex, Windows
from myograph.features import FEATURES, SETS, FeatureSpec, compute, extract, parse_features
from myograph.features.extract import measure

ROOT = Path(__file__).parents[2]
FS_HZ = 2000.0
NAMES = list(FEATURES)

# On 100 sin(2 pi 80 n / 2000 + 0.1), n = 0 .. 1999: 80 whole periods of 25 samples.
N = 2000
TONE = 100 * np.sin(2 * np.pi * 80 * np.arange(N) / FS_HZ + 0.1)

# Every family has a file of closed forms: VALUES, SIGNALS other than the tone, and what turning
# the signal over does (ODD, or NEITHER; otherwise nothing).
TABLES = [
    runpy.run_path(str(path)) for path in sorted(Path(__file__).parent.glob("feature_values/*.py"))
]
REFERENCE = {name: value for table in TABLES for name, value in table["VALUES"].items()}
SIGNALS = {name: signal for table in TABLES for name, signal in table["SIGNALS"].items()}
ODD, NEITHER = (set().union(*(table[key] for table in TABLES)) for key in ("ODD", "NEITHER"))


def columns_of(name):
    return [FeatureSpec(name)]


def windows_of(values, fs_hz=FS_HZ):
    channels = tuple(Channel(f"e{i}", kind="semg") for i in range(values.shape[1]))
    start_s = np.arange(len(values)) * 0.05
    index = WindowIndex.of(len(values), start_s=start_s, stop_s=start_s + 0.2)
    return Windows(values, index, Layout(fs_hz, channels))


@pytest.fixture
def noise(rng):
    return 40 * rng.standard_normal((5, 3, 256)).astype("f4")


def test_every_feature_has_a_reference_value():
    assert set(FEATURES) == set(REFERENCE)


def shortest(name):
    """A window that every feature can be measured on, and the rate that suits its band."""
    return (64 if FEATURES[name].check or "Hz" in FEATURES[name].unit else 3), 1200.0


def columns_at(name, n_channels):
    """How many rows of the second axis of a feature's values there are."""
    return len(FEATURES[name].places(n_channels))


@pytest.mark.parametrize("name", NAMES)
def test_reference_value(name):
    signal = np.atleast_2d(SIGNALS.get(name, TONE))[None]
    expected = np.reshape(REFERENCE[name], (1, -1))
    value = compute(name, signal, fs_hz=FS_HZ).reshape(1, -1)
    np.testing.assert_allclose(value, expected, rtol=5e-3, atol=1e-4)
    fused = measure(signal.astype("f4"), fs_hz=FS_HZ, features=columns_of(name))
    np.testing.assert_allclose(fused, expected, rtol=5e-3, atol=1e-4)


@pytest.mark.parametrize("name", [n for n in NAMES if FEATURES[n].amplitude_power is not None])
@settings(deadline=None, max_examples=4)
@given(factor=st.sampled_from([3.0, 0.125, 1e4]), seed=st.integers(0, 99))
def test_scaling(name, factor, seed):
    entry = FEATURES[name]
    x = np.random.default_rng(seed).normal(size=(4, 2, 240))
    given_ = {p: 0.5 if p != "small_uv" else 2.0 for p in entry.in_signal_units}
    scaled = {p: factor * v for p, v in given_.items()}
    expected = factor**entry.amplitude_power * entry.compute(x, FS_HZ, **given_)
    expected = expected + entry.amplitude_log * np.log(factor)
    found = entry.compute(factor * x, FS_HZ, **scaled)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("name", [n for n in NAMES if n not in NEITHER])
def test_turning_the_signal_over(name, noise):
    sign = -1 if name in ODD else 1
    np.testing.assert_allclose(
        compute(name, -noise, fs_hz=FS_HZ), sign * compute(name, noise, fs_hz=FS_HZ), rtol=1e-9
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", [0.0, 0.1, -3e5])
def test_silence_and_flat_windows_are_finite_and_shaped(name, level):
    flat = np.full((4, 3, 256), level, dtype="f4")
    value = compute(name, flat, fs_hz=1000)
    assert value.shape[:2] == (4, columns_at(name, 3))
    assert value.dtype == np.float64
    assert np.isfinite(value).all()
    entry = FEATURES[name]
    if entry.unit.endswith("Hz") or name in ("wl", "zc", "ssc", "wamp", "kurt", "skew", "tkeo"):
        np.testing.assert_allclose(value, 0, atol=1e-12 * max(abs(level), 1) ** 2)
    not_zero = ("flat", "card", "hist", "ld", "higuchi", "katz", "boxdim", "lziv")
    if level == 0 and name not in not_zero:
        assert (value == 0).all()
    measured = measure(flat, fs_hz=1000, features=columns_of(name))
    np.testing.assert_allclose(measured, value.reshape(4, -1), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_short_window_and_no_window(name):
    n, fs_hz = shortest(name)
    for values in (np.ones((1, 1, n), dtype="f4"), np.ones((0, 2, n), dtype="f4")):
        value = compute(name, values, fs_hz=fs_hz)
        assert value.shape[:2] == (len(values), columns_at(name, values.shape[1]))
        assert np.isfinite(value).all()
        measured = measure(values, fs_hz=fs_hz, features=columns_of(name))
        expected = value.reshape(len(values), measured.shape[1])
        np.testing.assert_allclose(measured, expected, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_a_window_alone_and_in_a_batch_give_the_same_bits(name, noise):
    together = compute(name, noise, fs_hz=FS_HZ)
    measured = measure(noise, fs_hz=FS_HZ, features=columns_of(name))
    for i in range(len(noise)):
        one = noise[i : i + 1]
        np.testing.assert_array_equal(compute(name, one, fs_hz=FS_HZ)[0], together[i])
        np.testing.assert_array_equal(
            measure(one, fs_hz=FS_HZ, features=columns_of(name))[0], measured[i]
        )


@pytest.mark.parametrize("name", [n for n in NAMES if FEATURES[n].across])
def test_channels_that_change_places_take_their_pairs_along(name, noise):
    order = [2, 0, 1]
    angles = dict.fromkeys(FEATURES[name].per_channel, (10.0, 130.0, 200.0))
    moved = {p: tuple(np.array(a)[order]) for p, a in angles.items()}
    places = [tuple(sorted(at)) for at in FEATURES[name].places(3)]
    taken = [places.index(tuple(sorted(order[k] for k in at))) for at in places]
    expected = compute(name, noise, fs_hz=FS_HZ, **angles)[:, taken]
    found = compute(name, noise[:, order], fs_hz=FS_HZ, **moved)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("name", [n for n in NAMES if FEATURES[n].across == "pairs"])
def test_a_third_channel_does_not_touch_a_pair(name, noise):
    angles = dict.fromkeys(FEATURES[name].per_channel, (10.0, 130.0, 200.0))
    two = {p: a[1:] for p, a in angles.items()}
    together = compute(name, noise, fs_hz=FS_HZ, **angles)[:, 2]
    alone = compute(name, noise[:, 1:], fs_hz=FS_HZ, **two)[:, 0]
    np.testing.assert_allclose(alone, together, rtol=1e-12)


@pytest.mark.parametrize("name", [n for n in NAMES if not FEATURES[n].across])
def test_channels_do_not_touch_each_other(name, noise):
    order = [2, 0, 1]
    np.testing.assert_array_equal(
        compute(name, noise[:, order], fs_hz=FS_HZ), compute(name, noise, fs_hz=FS_HZ)[:, order]
    )
    alone = measure(noise[:, 1:2], fs_hz=FS_HZ, features=columns_of(name))
    together = measure(noise, fs_hz=FS_HZ, features=columns_of(name))
    np.testing.assert_array_equal(alone, np.split(together, 3, axis=1)[1])


@pytest.mark.parametrize("name", NAMES)
def test_memory_layout_does_not_matter(name, rng):
    signal = rng.standard_normal((3, 900)).astype("f4")
    view = sliding_window_view(signal, 200, axis=1)[:, ::50].transpose(1, 0, 2)
    copies = (np.ascontiguousarray(view), np.asfortranarray(view))
    expected = compute(name, view, fs_hz=FS_HZ)
    measured = measure(view, fs_hz=FS_HZ, features=columns_of(name))
    for copy in copies:
        np.testing.assert_array_equal(compute(name, copy, fs_hz=FS_HZ), expected)
        np.testing.assert_array_equal(
            measure(copy, fs_hz=FS_HZ, features=columns_of(name)), measured
        )


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=8)
@given(
    # Halves, so that equal neighbours, exact zeros and steps at the threshold all happen.
    values=arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from([30, 41, 64, 72, 100])),
        elements=st.integers(-6, 6).map(lambda v: v / 2),
    ),
    threshold=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
)
def test_the_fused_pass_equals_the_pure_function(name, values, threshold):
    parameters = dict.fromkeys(FEATURES[name].in_signal_units, threshold)
    if "small_uv" in parameters:
        parameters["small_uv"] = threshold + 1
    pure = compute(name, values, fs_hz=1200, **parameters).reshape(len(values), -1)
    fused = measure(values, fs_hz=1200, features=[FeatureSpec(name, parameters)])
    # Models and logarithms of nothing but rounding differ; both sides stay within their range.
    scale = np.abs(pure).max(initial=1.0)
    np.testing.assert_allclose(fused, pure, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("name", NAMES)
def test_a_large_offset_costs_no_accuracy_that_float64_has(name):
    # 24 bits of mantissa would lose a 1 uV signal on 0.3 V; the sums run in float64.
    x = (3e5 + np.arange(4096) % 2).astype("f4")[None, None]
    exact = {"mav": 300_000.5, "iemg": 4096 * 300_000.5, "wl": 4095.0}
    if name in exact:
        assert measure(x, fs_hz=FS_HZ, features=columns_of(name))[0, 0] == exact[name]


@pytest.mark.parametrize("name", NAMES)
def test_declarations_are_complete(name):
    entry = FEATURES[name]
    assert entry.name == name
    assert entry.reference
    power = re.match(r"signal(?:\^([\d.]+))?", entry.unit)
    if power:
        assert entry.amplitude_power == float(power[1] or 1)
    elif "signal" not in entry.unit and "uV" not in entry.unit:
        assert entry.amplitude_power in (0, None)
    assert (entry.amplitude_log != 0) == entry.unit.startswith("log")
    assert f"{{{entry.reference}," in (ROOT / "references.bib").read_text(encoding="utf-8")
    assert set(entry.in_signal_units) <= set(entry.parameters)
    assert "Parameters\n" in (entry.function.__doc__ or "") or "See `" in entry.function.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_a_spec_travels_as_json_and_to_other_processes(name):
    (spec,) = parse_features([name])
    assert parse_features([json.loads(json.dumps(spec.to_dict()))]) == (spec,)
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert len({spec, FeatureSpec(name)}) == 1


def test_names_of_pairs_come_last(noise):
    table = extract(windows_of(noise), parse_features(["covariance", "mav", "correlation"]))
    assert table.names == (
        "e0.mav", "e1.mav", "e2.mav",
        "e0.covariance", "e0~e1.covariance", "e0~e2.covariance",
        "e1.covariance", "e1~e2.covariance", "e2.covariance",
        "e0~e1.correlation", "e0~e2.correlation", "e1~e2.correlation",
    )  # fmt: skip
    assert table.units[3:5] == ("uV^2", "uV^2")
    expected = np.cov(noise[2], bias=True)[np.triu_indices(3)]
    np.testing.assert_allclose(table.values[2, 3:9], expected, rtol=1e-9)


def test_every_set_names_features():
    for members in SETS.values():
        assert set(members) <= set(FEATURES)
        assert len(set(members)) == len(members)
    assert not set(SETS) & set(FEATURES)


def test_extract_names_units_and_order(noise):
    table = extract(windows_of(noise), parse_features(["hudgins", "var", "mnf"]))
    assert table.names[:6] == ("e0.mav", "e0.zc", "e0.ssc", "e0.wl", "e0.var", "e0.mnf")
    assert table.units[:6] == ("uV", "1", "1", "uV", "uV^2", "Hz")
    assert table.names[6] == "e1.mav"
    for k, name in enumerate(table.names):
        channel, feature = name.split(".")
        expected = compute(feature, noise, fs_hz=FS_HZ)[:, int(channel[1:])]
        np.testing.assert_allclose(table.values[:, k], expected, rtol=1e-12)
    assert table.recipe.steps[-1].step == "features"
    np.testing.assert_array_equal(
        measure(noise, fs_hz=FS_HZ, features=parse_features(["hudgins", "var", "mnf"])),
        table.values,
    )
