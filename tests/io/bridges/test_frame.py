"""pandas: columns are channels, the index is seconds, and slicing is allowed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording
from myograph.io.bridges import from_pandas, to_pandas


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_there_and_back_is_the_same_recording(
    seed: int, draw_recording: Callable[..., Recording]
) -> None:
    recording = draw_recording(seed)
    frame = to_pandas(recording)
    assert frame.shape == (recording.n_samples, recording.n_channels)
    assert from_pandas(frame) == recording
    assert frame.equals(recording.to_pandas())


def test_units_and_seconds_are_said() -> None:
    layout = Layout(200.0, (Channel("TA", "semg"), Channel("F", "force")))
    frame = to_pandas(Recording(np.zeros((2, 3)), layout, start_s=1.0))
    assert frame.attrs["units"] == {"TA": "uV", "F": "N"}
    assert frame.index.tolist() == [1.0, 1.005, 1.01]


def test_the_frame_is_a_copy(make_recording: Callable[..., Recording]) -> None:
    recording = make_recording()
    before = recording.samples.copy()
    frame = to_pandas(recording)
    frame.iloc[:, :] = 0.0
    np.testing.assert_array_equal(recording.samples, before)


def test_a_slice_of_some_columns_comes_back_on_the_same_clock() -> None:
    layout = Layout(100.0, (Channel("a", "semg"), Channel("b", "semg", muscle="soleus")))
    whole = Recording(
        np.arange(400.0).reshape(2, 200),
        layout,
        events=(Event(0.5, 1.0, "fist"), Event(0.1, 0.1, "rest")),
    )
    part = from_pandas(to_pandas(whole)[["b"]].loc[0.999:])
    assert part.layout.channels == (layout.channels[1],)
    assert (part.start_s, part.n_samples) == (1.0, 100)
    assert part.events == (Event(1.0, 0.5, "fist"),)
    assert str(part.recipe) == "changed(in=pandas)"


def test_a_frame_from_elsewhere_states_rate_and_kinds() -> None:
    found = from_pandas(pd.DataFrame({"TA": [1.0, 2.0]}), fs_hz=1000, kinds="semg")
    assert found.layout == Layout(1000.0, (Channel("TA", "semg"),))
    assert found.samples.tolist() == [[1.0, 2.0]]
    found = from_pandas(pd.DataFrame({"TA": [1.0]}), fs_hz=1000, kinds={"TA": "force"})
    assert found.layout.units == ("N",)


def test_what_is_not_known_is_asked_for() -> None:
    frame = pd.DataFrame({"TA": [1.0, 2.0]})
    with pytest.raises(ParameterError, match=r"does not say its sampling rate.*fs_hz="):
        from_pandas(frame, kinds="semg")
    with pytest.raises(LayoutError, match=r"Nothing says what column 'TA' measures.*kinds="):
        from_pandas(frame, fs_hz=1000)
    with pytest.raises(ParameterError, match="kind of column 'TA' must be one of"):
        from_pandas(frame, fs_hz=1000, kinds="emg")
    with pytest.raises(DataError, match=r"not numbers.*keep the columns"):
        from_pandas(pd.DataFrame({"TA": ["x"]}), fs_hz=1000, kinds="semg")


def test_rows_taken_out_are_noticed(make_recording: Callable[..., Recording]) -> None:
    frame = to_pandas(make_recording())
    with pytest.raises(LayoutError, match=r"Row 1 of the frame lies at 0.002 s.*0.001 s"):
        from_pandas(frame.iloc[::2])
    with pytest.raises(LayoutError, match="Row 10 of the frame"):
        from_pandas(frame.drop(index=frame.index[10]))
    with pytest.raises(DataError, match="empty"):
        from_pandas(frame.iloc[:0])
