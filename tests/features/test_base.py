import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.windows import WindowIndex, Windows
from myograph.features import FEATURES, FeatureSpec, compute, extract, parse_features
from myograph.features.base import Feature, feature


def test_names_sets_and_parameters_are_read():
    specs = parse_features(["mav", {"feature": "hudgins", "threshold": 4.0}, {"feature": "rms"}])
    assert [spec.name for spec in specs] == ["mav", "zc", "ssc", "wl", "rms"]
    assert [dict(spec.parameters) for spec in specs] == [
        {}, {"threshold": 4.0}, {"threshold": 4.0}, {}, {},
    ]  # fmt: skip
    assert parse_features("td-spectral") == parse_features(["td", "spectral"])


@pytest.mark.parametrize(
    ("definitions", "message"),
    [
        (["mave"], "feature or set must be one of .* Did you mean 'mav'"),
        (["hudgin"], "Did you mean 'hudgins'"),
        ([{"feature": "zc", "treshold": 3}], r"parameter of feature 'zc' .*mean 'threshold'"),
        ([{"feature": "hudgins", "low_hz": 3}], "parameter of feature set 'hudgins'"),
        ([{"threshold": 3}], "needs the key 'feature'"),
        ([3], "needs the key 'feature'"),
        (["zc", {"feature": "zc", "threshold": 3.0}], "asked for twice"),
        ([], "At least one feature is needed; known are"),
    ],
)
def test_unclear_definitions_are_refused(definitions, message):
    with pytest.raises(ParameterError, match=message):
        parse_features(definitions)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: compute("mva", x, fs_hz=1), ParameterError, "feature must be one of"),
        (lambda x: compute("mav", x, fs_hz=1, threshold=1), ParameterError, "parameter of feature"),
        (lambda x: compute("zc", x, fs_hz=1, threshold=-1), ParameterError, "0 or more"),
        (lambda x: compute("mav", x, fs_hz=0), ParameterError, "fs_hz must be above 0"),
        (lambda x: compute("mav", x[0], fs_hz=1), DataError, r"got shape \(2, 50\)"),
        (lambda x: compute("mav", x[..., :1], fs_hz=1), DataError, "at least 2 samples"),
        (lambda x: compute("mav", x * np.nan, fs_hz=1), DataError, "must be finite"),
        (lambda x: compute("mav", x.astype(str), fs_hz=1), DataError, "must be real numbers"),
        (lambda x: compute("mnf", x, fs_hz=15), ParameterError, "holds 0 of the frequencies"),
        (lambda x: compute("mnf", x, fs_hz=100, low_hz=-1), ParameterError, "0 or more"),
        (lambda x: compute("mdf", x, fs_hz=100, high_hz=0), ParameterError, "above 0"),
    ],
)
def test_what_cannot_be_measured_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((1, 2, 50)))


def test_compute_takes_windows_and_whole_numbers(rng):
    values = rng.integers(-5, 5, size=(3, 1, 20))
    index = WindowIndex.of(3, start_s=[0.0, 1.0, 2.0], stop_s=[1.0, 2.0, 3.0])
    windows = Windows(values.astype("f4"), index, Layout(20.0, (Channel("a", kind="semg"),)))
    np.testing.assert_array_equal(
        compute("rms", windows, fs_hz=20), compute("rms", values, fs_hz=20)
    )


def test_thresholds_count_what_the_definitions_say():
    x = np.array([[[3.0, -2.0, 1.0, 1.0, 4.0, 0.0, -4.0, 2.0]]])
    # Opposite neighbours: 3|-2 (5), -2|1 (3), -4|2 (6); 0 has no sign.
    for threshold, count in ((0, 3), (3, 3), (3.5, 2), (5, 2), (6, 1), (6.5, 0)):
        assert compute("zc", x, fs_hz=1, threshold=threshold)[0, 0] == count
    # Turns at -2 (5, 3), 4 (3, 4) and -4 (4, 6); the flat 1|1 turns nothing.
    for threshold, count in ((0, 3), (4, 3), (4.5, 2), (5.5, 1), (6.5, 0)):
        assert compute("ssc", x, fs_hz=1, threshold=threshold)[0, 0] == count
    # Steps 5 3 0 3 4 4 6; strictly larger ones count.
    for threshold, count in ((0, 6), (3, 4), (4, 2), (6, 0)):
        assert compute("wamp", x, fs_hz=1, threshold=threshold)[0, 0] == count


def test_median_frequency_moves_smoothly_between_bins():
    n, fs_hz = 1000, 1000.0  # bins 1 Hz apart
    for tone_hz in (80.0, 80.25, 80.5):
        tone = np.sin(2 * np.pi * tone_hz * np.arange(n) / fs_hz)[None, None]
        assert compute("mdf", tone, fs_hz=fs_hz)[0, 0] == pytest.approx(tone_hz, abs=0.06)


def test_frequencies_of_white_noise_are_the_middle_of_the_band(rng):
    noise = rng.standard_normal((200, 1, 500))
    for name in ("mnf", "mdf"):
        mean_hz = compute(name, noise, fs_hz=1000, low_hz=50, high_hz=350).mean()
        assert mean_hz == pytest.approx(200, abs=2)


def test_a_band_beyond_nyquist_ends_there(rng):
    noise = rng.standard_normal((4, 2, 64))
    np.testing.assert_array_equal(
        compute("mnf", noise, fs_hz=200), compute("mnf", noise, fs_hz=200, high_hz=100.0)
    )


def test_units_follow_the_channel():
    rms, var, zc = FEATURES["rms"], FEATURES["var"], FEATURES["zc"]
    assert (rms.unit_for("count"), var.unit_for("count"), zc.unit_for("count")) == (
        "count",
        "count^2",
        "1",
    )
    assert var.unit_for("1") == "1"


@pytest.fixture
def curve():
    """Register a feature with several values for one test."""

    @feature("curve", unit="signal", amplitude_power=1, reference="hudgins1993")
    def first_samples(windows, fs_hz):
        del fs_hz
        return np.asarray(windows[:, :, :3], dtype=np.float64)

    yield first_samples
    del FEATURES._entries["curve"]


def test_features_with_several_values_have_numbered_columns(curve, rng):
    values = rng.standard_normal((4, 2, 10)).astype("f4")
    index = WindowIndex.of(4, start_s=np.arange(4.0), stop_s=np.arange(4.0) + 1)
    layout = Layout(10.0, (Channel("a", kind="semg"), Channel("b", kind="acc")))
    table = extract(Windows(values, index, layout), parse_features(["curve", "mav"]))
    assert table.names[:5] == ("a.curve[0]", "a.curve[1]", "a.curve[2]", "a.mav", "b.curve[0]")
    assert table.units[3:5] == ("uV", "g")
    np.testing.assert_array_equal(table.values[:, :3], values[:, 0, :3])
    np.testing.assert_array_equal(table.values[:, 4:7], values[:, 1, :3])
    assert curve(values, 10.0).shape == (4, 2, 3)  # the function stays a plain function


def test_a_name_is_registered_once():
    with pytest.raises(ParameterError, match="'mav' is registered twice"):
        feature("mav", unit="1", amplitude_power=0, reference="x")(lambda windows, fs_hz: windows)


def test_a_feature_is_frozen():
    entry = FEATURES["zc"]
    assert isinstance(entry, Feature)
    with pytest.raises(AttributeError, match="cannot assign"):
        entry.unit = "V"
    with pytest.raises(TypeError, match="does not support item assignment"):
        entry.parameters["threshold"] = 1.0
    with pytest.raises(TypeError, match="does not support item assignment"):
        FeatureSpec("zc").parameters["threshold"] = 1.0
