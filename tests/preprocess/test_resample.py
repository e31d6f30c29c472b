import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording
from myograph.preprocess.resample import Resample, ZeroPhaseResample
from myograph.preprocess.windowing import Windowing


def recording_of(n_samples, fs_hz=2000.0):
    t = np.arange(n_samples) / fs_hz
    samples = np.stack([100 * np.sin(2 * np.pi * 80 * t), (t > 0.5).astype(float)])
    layout = Layout(fs_hz, (Channel("e", kind="semg"), Channel("go", kind="trigger")))
    events = (Event(0.0, n_samples / fs_hz, "fist", "protocol"),)
    return Recording(samples.astype("f4"), layout, events=events)


@pytest.mark.parametrize("step", [Resample(500.0), ZeroPhaseResample(500.0)], ids=str)
def test_rate_events_and_clock_follow(step):
    out = step.apply(recording_of(4000))
    assert (out.fs_hz, out.n_samples, out.duration_s) == (500.0, 1000, 2.0)
    assert out.events == recording_of(4000).events
    assert set(np.unique(out.samples[1])) == {0, 1}
    late_s = step.delay_s(recording_of(4000).layout) if isinstance(step, Resample) else 0.0
    t = np.arange(300, 700) / 500 - late_s
    np.testing.assert_allclose(out.samples[0, 300:700], 100 * np.sin(2 * np.pi * 80 * t), atol=0.05)


@pytest.mark.parametrize("n_samples", [1, 2, 7, 33, 100])
@pytest.mark.parametrize("to_hz", [300.0, 1999.0, 4500.0, 20000.0])
def test_events_fit_at_any_length_and_rate(n_samples, to_hz):
    if to_hz == 1999.0:
        to_hz = 1998.0
    for step in (Resample(to_hz), ZeroPhaseResample(to_hz)):
        out = step.apply(recording_of(n_samples))
        assert abs(out.duration_s - n_samples / 2000) <= 1 / to_hz


def test_windows_of_a_resampled_stream_are_those_of_the_recording():
    recording = recording_of(4000)
    step, windowing = Resample(1000.0), Windowing(length_ms=100, step_ms=50)
    layout = step.output_layout(recording.layout)
    state, cutter = step.start(recording.layout), windowing.start(layout)
    live = [
        cutter.push(state.push(chunk))[0]
        for chunk in np.split(recording.samples, [13, 500, 501, 3000], axis=1)
    ]
    whole = windowing.cut(step.apply(recording), labelled=False)
    np.testing.assert_array_equal(np.concatenate(live), whole.values)


def test_rates_that_cannot_be_reached_are_refused_before_anything_runs():
    with pytest.raises(ParameterError, match="fs_hz must be above 0"):
        Resample(-1.0)
    with pytest.raises(ParameterError, match="is not reached from 2000 Hz"):
        Resample(1234.5678901).apply(recording_of(10))
