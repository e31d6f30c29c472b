import numpy as np
import pytest

from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Recording
from myograph.preprocess.filtering import Bandpass, Highpass, Lowpass, Notch, ZeroPhaseBandpass


def recording_of(samples, fs_hz, kind="semg"):
    channels = tuple(Channel(f"c{i}", kind=kind) for i in range(len(samples)))
    return Recording(np.asarray(samples, dtype="f4"), Layout(fs_hz, channels))


def test_bandpass_passes_the_band_and_stops_the_rest():
    t = np.arange(8000) / 2000
    tones = np.stack([np.sin(2 * np.pi * f * t) for f in (2, 100, 900)])
    out = Bandpass(20, 450).apply(recording_of(tones, 2000.0)).samples[:, 4000:]
    np.testing.assert_allclose(out.std(axis=1) / np.sqrt(0.5), [0, 1, 0], atol=0.02)


def test_notch_removes_hum_and_keeps_the_rest():
    t = np.arange(20_000) / 1000
    x = np.stack([np.sin(2 * np.pi * f * t) for f in (50, 100, 80)])
    out = Notch(50, harmonics=2).apply(recording_of(x, 1000.0)).samples[:, 10_000:]
    np.testing.assert_allclose(out.std(axis=1) / np.sqrt(0.5), [0, 0, 1], atol=0.01)


def test_the_offline_twin_has_no_delay():
    t = np.arange(4000) / 2000
    tone = np.sin(2 * np.pi * 60 * t)[None]
    recording = recording_of(tone, 2000.0)
    twin = ZeroPhaseBandpass(20, 450).apply(recording).samples[0, 1000:3000]
    causal = Bandpass(20, 450).apply(recording).samples[0, 1000:3000]
    assert np.corrcoef(twin, tone[0, 1000:3000])[0, 1] > 0.9999
    assert np.corrcoef(causal, tone[0, 1000:3000])[0, 1] < 0.9


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Bandpass(450, 20), "low_hz must be below high_hz"),
        (lambda: Bandpass("20", 450), "low_hz must be a number; got '20'"),
        (lambda: Bandpass(-1, 20), "low_hz must be above 0"),
        (lambda: Highpass(20, order=0), "order must be at least 1"),
        (lambda: Lowpass(np.inf), "high_hz must be finite"),
        (lambda: Notch(50, quality=-1), "quality must be above 0"),
        (lambda: Notch(50, harmonics=0), "harmonics must be at least 1"),
        (lambda: Highpass(20, kinds=()), "at least one channel kind"),
        (lambda: Highpass(20, kinds="semg"), "at least one channel kind"),
        (lambda: Highpass(20, kinds=("emg",)), "Did you mean 'semg'"),
    ],
)
def test_wrong_parameters_are_refused_before_any_data(build, message):
    with pytest.raises(ParameterError, match=message):
        build()


def test_the_rate_is_checked_when_it_is_known():
    with pytest.raises(ParameterError, match=r"high_hz=450 Hz .* sampled at 200 Hz"):
        Bandpass(20, 450).apply(recording_of(np.ones((1, 10)), 200.0))
    with pytest.raises(ParameterError, match=r"high_hz=450 Hz .* sampled at 200 Hz"):
        ZeroPhaseBandpass(20, 450).apply(recording_of(np.ones((1, 10)), 200.0))


def test_a_recording_without_channels_to_filter_is_refused():
    forces = recording_of(np.ones((1, 10)), 1000.0, kind="force")
    with pytest.raises(LayoutError, match=r"there are only \['force'\].*kinds=\('force',\)"):
        Highpass(20).apply(forces)
    assert Highpass(20, kinds=("force",)).apply(forces).samples.max() == 0
