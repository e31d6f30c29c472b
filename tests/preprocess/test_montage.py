import numpy as np
import pytest

from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Recording
from myograph.preprocess.montage import Montage, Select, bridged_channels


def test_names_decide_the_order(make_recording):
    recording = make_recording(n_channels=3)
    out = Select(names=("emg3", "emg1")).apply(recording)
    assert out.layout.names == ("emg3", "emg1")
    assert (out.samples == recording.samples[[2, 0]]).all()


def test_kinds_keep_the_order_of_the_recording(make_recording):
    recording = make_recording(n_channels=2)
    assert Select(kinds=("semg",)).apply(recording).layout == recording.layout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs either names or kinds"),
        ({"names": ("a",), "kinds": ("semg",)}, "needs either names or kinds"),
        ({"names": "emg1"}, "names of step 'select' must be a list"),
        ({"kinds": ("emg",)}, "Did you mean 'semg'"),
    ],
)
def test_unclear_selections_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        Select(**arguments)


def test_channels_that_are_not_there_are_refused(make_recording):
    with pytest.raises(LayoutError, match=r"channel must be one of .* got 'emg9'"):
        Select(names=("emg9",)).apply(make_recording())
    with pytest.raises(LayoutError, match=r"no channel of kinds \['eeg'\]; there are \['semg'\]"):
        Select(kinds=("eeg",)).apply(make_recording())


def on_grid(*, missing=(), unknown=False, seed=0):
    rng = np.random.default_rng(seed)
    places = [(a, c) for c in range(3) for a in range(4) if (a, c) not in missing]
    channels = [
        Channel(
            f"e{a}{c}",
            kind="hdemg",
            muscle="TA",
            position_mm=None if unknown else (8 * a, 8 * c, 0),
        )
        for a, c in places
    ]
    channels.append(Channel("f", kind="force"))
    samples = rng.standard_normal((len(channels), 50))
    return Recording(samples, Layout(2000.0, tuple(channels)))


def test_a_montage_names_and_places_its_channels():
    recording = on_grid()
    out = Montage("single-differential").apply(recording)
    assert out.n_channels == 9 + 1
    first = out.layout.channels[0]
    assert (first.name, first.position_mm, first.muscle) == ("e00-e10", (4.0, 0.0, 0.0), "TA")
    np.testing.assert_allclose(
        out.samples[0], recording.samples[0] - recording.samples[1], atol=1e-6
    )
    np.testing.assert_array_equal(out.samples[-1], recording.samples[-1])
    assert out.layout.names[-1] == "f"


def test_montages_of_a_grid_with_a_hole():
    recording = on_grid(missing=[(1, 1)])
    assert Montage("double-differential").apply(recording).layout.names == (
        "e00-2*e10+e20",
        "e02-2*e12+e22",
        "e10-2*e20+e30",
        "e12-2*e22+e32",
        "f",
    )
    with pytest.raises(LayoutError, match="no electrode with all the neighbours"):
        Montage("inverse-binomial").apply(recording)


def test_two_differentials_are_a_double_one():
    recording = on_grid()
    twice = Montage("single-differential").apply(Montage("single-differential").apply(recording))
    double = Montage("double-differential").apply(recording)
    np.testing.assert_allclose(twice.samples, double.samples, atol=1e-5)
    assert [c.position_mm for c in twice.layout.channels] == [
        c.position_mm for c in double.layout.channels
    ]


def test_montages_that_cannot_be_are_refused():
    with pytest.raises(LayoutError, match=r"position_mm of \['e00'.*is not set"):
        Montage("laplacian").apply(on_grid(unknown=True))
    assert Montage("common-average").apply(on_grid(unknown=True)).layout.names[0] == "car(e00)"
    with pytest.raises(ParameterError, match="Did you mean 'laplacian'"):
        Montage("laplacien")
    with pytest.raises(LayoutError, match=r"takes channels of kinds \['eeg'\]"):
        Montage("common-average", kinds=("eeg",)).apply(on_grid())
    mixed = Layout(
        1000.0, (Channel("a", kind="semg"), Channel("b", kind="semg", scale="normalised"))
    )
    with pytest.raises(LayoutError, match=r"they are in \['1', 'uV'\]"):
        Montage("common-average").start(mixed)


def test_bridged_electrodes_are_named():
    recording = on_grid()
    assert bridged_channels(recording) == ()
    samples = recording.samples.copy()
    samples[5] = samples[6]
    joined = recording.with_samples(samples, step="gel", parameters={})
    assert bridged_channels(joined) == (("e11", "e21"),)
    with pytest.raises(LayoutError, match="12 such channels, 0 with a position"):
        bridged_channels(on_grid(unknown=True))
