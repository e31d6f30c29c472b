import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.windows import WindowIndex, Windows
from myograph.features import FEATURES, SETS, FeatureSpec, compute, extract, parse_features
from myograph.features.extract import measure
from myograph.features.families import FAMILIES
from myograph.features.from_sums import FROM_SUMS
from myograph.features.kernels.rows import overlap, rows
from myograph.features.kernels.sums import SUMS, block_length, window_sums
from myograph.features.plan import Plan

NEEDLE = set(SETS["interference"])
EVERYTHING = [FeatureSpec(name) for name in FEATURES if name not in NEEDLE]


def overlapping(rng, *, n=200, step=50, n_channels=3, windows=17):
    signal = (40 * rng.standard_normal((n_channels, (windows - 1) * step + n))).astype("f4")
    return sliding_window_view(signal, n, axis=1)[:, ::step].transpose(1, 0, 2)


def test_the_families_and_the_registry_name_the_same_features():
    assert set(FROM_SUMS) <= set(FEATURES)
    assert {name for recipe in FROM_SUMS.values() for name in recipe.needs} == set(SUMS) - {"x"}
    for spec in EVERYTHING:
        assert sum(family.measures(spec, 400) for family in FAMILIES) <= 1


@pytest.mark.parametrize(("n", "step"), [(400, 100), (200, 50), (200, 33), (64, 16), (64, 64)])
def test_overlap_changes_no_bit(rng, n, step):
    # What windows share is summed once; alone and copied, nothing is shared.
    view = overlapping(rng, n=n, step=step)
    found = measure(view, fs_hz=1200, features=EVERYTHING)
    np.testing.assert_array_equal(measure(view.copy(), fs_hz=1200, features=EVERYTHING), found)
    np.testing.assert_array_equal(measure(view[5:6], fs_hz=1200, features=EVERYTHING)[0], found[5])
    strided = measure(view[::2], fs_hz=1200, features=EVERYTHING)
    np.testing.assert_array_equal(strided, found[::2])


@pytest.mark.parametrize("threads", [2, 3, 40])
def test_threads_change_no_bit(rng, threads, shared_out):
    view = overlapping(rng)
    found = measure(view, fs_hz=1200, features=EVERYTHING)
    shared = measure(view, fs_hz=1200, features=EVERYTHING, threads=threads)
    np.testing.assert_array_equal(shared, found)
    one = measure(view[:2], fs_hz=1200, features=EVERYTHING, threads=threads)  # over channels
    np.testing.assert_array_equal(one, found[:2])


def test_windows_are_not_copied(rng):
    view = overlapping(rng)
    view.flags.writeable = False
    memory, shape = rows(view)
    assert np.shares_memory(memory, view)
    assert shape.tolist() == [17, 3, 200, 50, 1000]
    (memory, shape), n_each, step = overlap((memory, shape))
    assert np.shares_memory(memory, view)
    assert (shape.tolist(), n_each, step) == ([1, 3, 1000, 0, 1000], 17, 50)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((2, 3, 50), dtype="f4").transpose(1, 0, 2),
        np.zeros((3, 2, 100), dtype="f4")[:, :, ::2],  # samples that are no neighbours
        np.zeros((3, 2, 50), dtype="f4")[::-1],
        np.zeros((0, 2, 50), dtype="f4"),
        np.broadcast_to(np.zeros((1, 1, 50), dtype="f4"), (3, 2, 50)),
    ],
)
def test_any_memory_layout_is_read_right(values, rng):
    filled = rng.standard_normal(values.shape).astype("f4")
    if values.size and min(values.strides) > 0 and values.flags.writeable:
        values[...] = filled
    found = window_sums(rows(values), ["size", "turns"], amplitudes={})
    np.testing.assert_allclose(found["size"], np.abs(values.astype("f8")).sum(-1), rtol=1e-12)


@pytest.mark.parametrize("n", [2, 3, 7, 49, 50, 99, 100, 128, 320, 400, 401, 1000])
def test_blocks_divide_windows(n):
    block = block_length(n)
    assert n % block == 0
    assert block in (n, 50, 64, 40, 32, 25, 48, 30, 20)


def test_one_pass_serves_every_feature_of_the_samples(rng, monkeypatch):
    calls = []
    from myograph.features.kernels import sums

    original = sums.run_sums
    monkeypatch.setattr(sums, "run_sums", lambda *a, **k: calls.append(1) or original(*a, **k))
    measure(overlapping(rng), fs_hz=1200, features=[FeatureSpec(name) for name in FROM_SUMS])
    assert len(calls) == 1


def test_one_transform_serves_every_feature_of_the_spectrum(rng, monkeypatch):
    from myograph.features.kernels import transform

    asked = []
    original = transform.spectral_measures

    def counted(windows, starts, tapers, requests):
        asked.append(len(requests.kinds))
        return original(windows, starts, tapers, requests)

    monkeypatch.setattr(transform, "spectral_measures", counted)
    measure(overlapping(rng), fs_hz=1200, features=parse_features(["mnf", "mdf", "ttp", "vcf"]))
    assert asked == [4]  # M_0, M_1, M_2 and the median: what features share is measured once


def test_lengths_with_large_factors_take_the_pure_function(rng):
    values = rng.standard_normal((4, 2, 202)).astype("f4")  # 101 is prime
    found = measure(values, fs_hz=1200, features=parse_features("spectral"))
    for k, name in enumerate(("mnf", "mdf")):
        np.testing.assert_array_equal(found[:, k::2], compute(name, values, fs_hz=1200))


def test_splitting_into_parts_changes_nothing(rng, monkeypatch):
    values = rng.standard_normal((23, 3, 101)).astype("f4")
    specs = parse_features(["td-spectral"])
    whole = measure(values, fs_hz=1200, features=specs)
    monkeypatch.setattr("myograph.features.plan._BLOCK", 700)
    np.testing.assert_array_equal(measure(values, fs_hz=1200, features=specs), whole)


def test_float64_windows_take_the_pure_functions(rng):
    values = rng.standard_normal((5, 2, 64))
    specs = parse_features(["td"])
    measured = measure(values, fs_hz=1000, features=specs).reshape(5, 2, len(specs))
    for k, spec in enumerate(specs):
        np.testing.assert_array_equal(measured[:, :, k], compute(spec.name, values, fs_hz=1000))


def test_each_count_has_its_own_threshold(rng):
    values = rng.standard_normal((5, 2, 64)).astype("f4")
    specs = [FeatureSpec(n, {"threshold": t}) for n, t in (("wamp", 1), ("zc", 2), ("ssc", 0.5))]
    measured = measure(values, fs_hz=1000, features=specs).reshape(5, 2, 3)
    for k, spec in enumerate(specs):
        pure = compute(spec.name, values, fs_hz=1000, **spec.parameters)
        np.testing.assert_array_equal(measured[:, :, k], pure)


def test_little_work_is_not_shared_out(rng, monkeypatch):
    def refuse(*arguments):
        raise AssertionError("a thread was started")

    monkeypatch.setattr("myograph.features.plan.ThreadPoolExecutor", refuse)
    measure(overlapping(rng), fs_hz=1200, features=parse_features("hudgins"), threads=2)
    many = np.broadcast_to(overlapping(rng)[:1], (4000, 3, overlapping(rng).shape[2]))
    with pytest.raises(AssertionError, match="a thread was started"):
        measure(many, fs_hz=1200, features=parse_features(["hudgins", "ar", "ls"]), threads=2)


def test_thresholds_per_channel_go_to_their_channels(rng, shared_out):
    view = overlapping(rng)
    spec = FeatureSpec("zc", {"threshold": (0.0, 30.0, 90.0)})
    found = measure(view, fs_hz=1200, features=[spec])
    np.testing.assert_array_equal(found, compute("zc", view, fs_hz=1200, threshold=[0, 30, 90]))
    assert (np.diff(found.mean(axis=0)) < 0).all()
    np.testing.assert_array_equal(
        measure(view[:2], fs_hz=1200, features=[spec], threads=3), found[:2]
    )


def refused(values, features, **more):
    return lambda: measure(values, fs_hz=1000, features=parse_features(features), **more)


VALUES = np.ones((1, 2, 50), dtype="f4")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: measure(VALUES, fs_hz=100, features=[]), ParameterError, "At least one feature"),
        (refused(VALUES[0], "mav"), DataError, r"got shape \(2, 50\)"),
        (refused(VALUES[..., :1], "mav"), DataError, "at least 2 samples"),
        (
            refused(VALUES, {"feature": "zc", "threshold": -1.0}),
            ParameterError,
            "threshold of feature 'zc' must be 0 or more",
        ),
        (
            lambda: measure(VALUES, fs_hz=0, features=parse_features("mav")),
            ParameterError,
            "fs_hz must be above 0",
        ),
        (refused(VALUES, "mav", threads=0), ParameterError, "threads must be at least 1"),
        (refused(VALUES[..., :2], "tkeo"), DataError, "'tkeo' needs windows of at least 3"),
        (refused(VALUES[..., :12], "ar"), DataError, "'ar' of order 6 needs .* at least 13"),
        (
            refused(VALUES, {"feature": "ar", "order": 12}),
            ParameterError,
            "order of feature 'ar' must be 1 to 11; got 12",
        ),
        (
            refused(VALUES, {"feature": "mnf", "low_hz": 496.0, "high_hz": 500.0}),
            ParameterError,
            "holds 1 of the frequencies .* at least 2 needed",
        ),
        (
            refused(VALUES, {"feature": "mnf", "low_hz": 300.0, "high_hz": 200.0}),
            ParameterError,
            "low_hz must be below high_hz",
        ),
        (
            refused(VALUES, {"feature": "mnf", "method": "welsh"}),
            ParameterError,
            "method must be one of .* Did you mean 'welch'",
        ),
        (
            refused(VALUES, {"feature": "mnf", "pieces": 3}),
            ParameterError,
            "method='periodogram' is one piece",
        ),
        (
            refused(VALUES, {"feature": "mnf", "method": "welch", "pieces": 40}),
            ParameterError,
            "give fewer pieces",
        ),
        (
            refused(VALUES, {"feature": "fr", "split_hz": 600.0}),
            ParameterError,
            "split_hz must lie between",
        ),
        (
            refused(VALUES, {"feature": "band-power", "edges_hz": [100.0, 50.0]}),
            ParameterError,
            "edges_hz must be at least two rising",
        ),
        (
            refused(VALUES, {"feature": "mavslp", "segments": 60}),
            ParameterError,
            "into 60 segments",
        ),
        (refused(VALUES, {"feature": "hist", "bins": 1}), ParameterError, "must be at least 2"),
        (
            refused(VALUES, {"feature": "ip-small-segments", "small_uv": 50.0}),
            ParameterError,
            "small_uv .* must be above its threshold",
        ),
        (
            refused(VALUES, {"feature": "ip-uca", "centile": 101.0}),
            ParameterError,
            "centile .* must be at most 100",
        ),
        (
            refused(VALUES, {"feature": "zc", "threshold": {"noise": 3.0}}),
            ParameterError,
            "the noise was not measured; .*fix_thresholds",
        ),
        (
            refused(VALUES, {"feature": "zc", "threshold": [1.0, 2.0, 3.0]}),
            ParameterError,
            "one per channel; got 3 for 2 channels",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(("scale", "unit"), [("count", "count"), ("normalised", "1")])
def test_needle_measures_refuse_channels_without_microvolts(scale, unit):
    layout = Layout(20e3, (Channel("n", kind="needle", scale=scale),))
    index = WindowIndex.of(1, start_s=[0.0], stop_s=[0.0025])
    windows = Windows(VALUES[:, :1], index, layout)
    with pytest.raises(LayoutError, match=f"'ip-turns' is defined on channels in uV; .* '{unit}'"):
        extract(windows, parse_features("interference"))
    extract(windows, parse_features("hudgins"))


def test_nothing_is_computed_before_everything_is_checked(monkeypatch):
    monkeypatch.setattr(Plan, "blocks", None)
    with pytest.raises(DataError, match="'ar' of order 6 needs"):
        refused(VALUES[..., :10], ["mav", "ar"])()


def test_naming_features_does_not_load_the_compiler():
    code = "import sys, myograph.features; sys.exit('numba' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=env).returncode == 0


def test_flat_windows_are_flagged_and_stay_so(rng):
    values = rng.standard_normal((5, 3, 100)).astype("f4")
    values[2, 1] = 7.0
    values[4] = 0.0
    values[3, 0, :50] = values[3, 0, 50]  # half of it is not the whole
    start_s = np.arange(5) * 0.1
    index = WindowIndex.of(5, start_s=start_s, stop_s=start_s + 0.1)
    layout = Layout(1000.0, tuple(Channel(f"e{i}", kind="semg") for i in range(3)))
    table = extract(Windows(values, index, layout), EVERYTHING)
    expected = np.zeros((5, 3), dtype=bool)
    expected[2, 1] = expected[4] = True
    np.testing.assert_array_equal(table.flat, expected)
    np.testing.assert_array_equal(table.take(np.array([4, 2])).flat, expected[[4, 2]])
    both = type(table).concatenate([table, table.take(np.array([2]))])
    np.testing.assert_array_equal(both.flat, expected[[0, 1, 2, 3, 4, 2]])
    with pytest.raises(DataError, match="flat must be 5 windows x 3 channels"):
        type(table)(table.values, table.names, table.units, index, layout, flat=expected[:, :2])
