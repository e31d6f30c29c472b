import pytest

from myograph.core.errors import LayoutError, ParameterError
from myograph.preprocess.montage import Select


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
