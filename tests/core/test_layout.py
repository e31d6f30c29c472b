import json

import pytest

from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import (
    BIOPOTENTIALS,
    KIND_UNITS,
    MUSCLE_KINDS,
    SCALES,
    Channel,
    Layout,
)


def two(fs_hz=1000.0, **changes):
    return Layout(fs_hz, (Channel("a", kind="semg"), Channel("b", **{"kind": "acc", **changes})))


@pytest.mark.parametrize("kind", KIND_UNITS)
def test_the_kind_fixes_the_unit(kind):
    assert Channel("x", kind=kind).unit == KIND_UNITS[kind]
    assert Channel("x", kind=kind, scale="count").unit == "count"
    assert Channel("x", kind=kind, scale="normalised").unit == "1"
    if kind in BIOPOTENTIALS:
        assert KIND_UNITS[kind] == "uV"


def test_kinds_cannot_be_changed_and_muscle_is_a_biopotential():
    with pytest.raises(TypeError, match="does not support item assignment"):
        KIND_UNITS["semg"] = "mV"
    assert set(MUSCLE_KINDS) < set(BIOPOTENTIALS) <= set(KIND_UNITS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "", "kind": "semg"}, "must not be empty"),
        ({"name": " a", "kind": "semg"}, "start or end with a space"),
        ({"name": "a", "kind": "emg"}, "kind of channel 'a' must be one of .* mean 'semg'"),
        ({"name": "a", "kind": "semg", "side": "L"}, "side of channel 'a'"),
        ({"name": "a", "kind": "semg", "scale": "adc"}, "scale of channel 'a'"),
        ({"name": "a", "kind": "semg", "position_mm": (1, 2)}, r"must be \(x, y, z\)"),
    ],
)
def test_wrong_channels_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        Channel(**arguments)


@pytest.mark.parametrize("scale", SCALES)
def test_channels_and_layouts_survive_json(scale):
    channel = Channel("a", "hdemg", "biceps brachii", "left", (1, 2.5, -3), scale)
    layout = Layout(2048, (channel, Channel("t", kind="trigger")))
    assert Channel.from_dict(json.loads(json.dumps(channel.to_dict()))) == channel
    assert Layout.from_dict(json.loads(json.dumps(layout.to_dict()))) == layout


@pytest.mark.parametrize("thing", [two(), two().channels[0]], ids=["layout", "channel"])
def test_layouts_and_channels_are_frozen_and_hashable(thing):
    with pytest.raises(AttributeError, match="cannot assign"):
        setattr(thing, next(iter(thing.__slots__)), 1)
    assert thing in {thing}


@pytest.mark.parametrize("fs_hz", [0, -1, float("nan"), float("inf"), "1000", True])
def test_a_rate_is_a_positive_number(fs_hz):
    with pytest.raises(ParameterError, match="fs_hz must be"):
        Layout(fs_hz, (Channel("a", kind="semg"),))


def test_a_rate_has_no_default():
    with pytest.raises(TypeError, match="fs_hz"):
        Layout(channels=(Channel("a", kind="semg"),))


def test_channel_names_are_unique_and_at_least_one():
    with pytest.raises(LayoutError, match=r"\['a'\] occur more than once"):
        Layout(1.0, (Channel("a", kind="semg"), Channel("a", kind="acc")))
    with pytest.raises(LayoutError, match="at least one channel"):
        Layout(1.0, ())


def test_rows_by_name_keep_the_wanted_order_and_by_kind_the_layouts():
    layout = Layout(
        1.0, tuple(Channel(n, k) for n, k in zip("abc", ["semg", "acc", "semg"], strict=True))
    )
    assert layout.rows(names=["c", "a"]) == (2, 0)
    assert layout.rows(kinds=["semg"]) == (0, 2)
    assert layout.rows(kinds=["eeg"]) == ()
    assert layout.take((2, 0)).names == ("c", "a")
    with pytest.raises(LayoutError, match=r"channel must be one of \['a', 'b', 'c'\]; got 'd'"):
        layout.rows(names=["d"])


def test_differences_are_sentences():
    assert two().differences(two()) == ()
    assert two(1000.0).differences(two(1000.0 + 1e-6)) == ()  # a rounded header is no difference
    (rate,) = two(500.0).differences(two())
    assert rate == "The sampling rate is 500 Hz; 1000 Hz is expected."
    (unit,) = two(scale="count").differences(two())
    assert unit == "Channel 'b' is acc in count; acc in g is expected."
    labels = tuple(Channel(name, "semg", scale="count") for name in "abc")
    counts, volts = Layout(1.0, labels), Layout(1.0, tuple(Channel(n, "semg") for n in "abc"))
    (alike,) = counts.differences(volts)
    assert alike == "Channels 'a', 'b', 'c' are semg in count; semg in uV is expected."
    swapped = two().take((1, 0))
    assert "another order" in swapped.differences(two())[0]
    (missing,) = two().take((0,)).differences(two())
    assert "missing ['b']" in missing
    (extra,) = two().differences(two().take((0,)))
    assert "not expected ['b']" in extra
