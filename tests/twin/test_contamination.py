"""Contaminations: labelled, independent of each other, and with the properties they claim."""

import numpy as np
import pytest
from scipy.signal import find_peaks, welch

from myograph.core.errors import DataError, ParameterError
from myograph.twin.contamination import (
    AmplifierNoise,
    Converter,
    Crosstalk,
    Ecg,
    Mains,
    Motion,
    contaminate,
)
from myograph.twin.physiology import PhysiologyWarning

FS = 2048.0
SHAPE = (3, 20 * 2048)
QUIET = np.zeros(SHAPE)
ALL = [AmplifierNoise(), Mains(), Motion(), Ecg(), Crosstalk(samples=np.ones(SHAPE, np.float32))]


def test_the_parts_add_up_to_the_signal(rng):
    clean = 50 * rng.standard_normal(SHAPE)
    found = contaminate(clean, ALL, fs_hz=FS, seed=3, converter=Converter(range_uv=400, bits=10))
    assert sorted(found.parts) == ["amplifier", "converter", "crosstalk", "ecg", "mains", "motion"]
    total = clean + sum(part.astype(float) for part in found.parts.values())
    np.testing.assert_allclose(found.samples, total, atol=1e-3)


def test_leaving_one_out_changes_no_other():
    every = contaminate(QUIET, ALL, fs_hz=FS, seed=3)
    for k in range(len(ALL)):
        some = contaminate(QUIET, ALL[:k] + ALL[k + 1 :], fs_hz=FS, seed=3)
        assert set(some.parts) == set(every.parts) - {ALL[k].name}
        for name, part in some.parts.items():
            assert part.tobytes() == every.parts[name].tobytes()


def test_seeds_decide_and_only_seeds():
    one, same, other = (contaminate(QUIET, ALL, fs_hz=FS, seed=s).samples for s in (1, 1, 2))
    assert one.tobytes() == same.tobytes()
    assert one.tobytes() != other.tobytes()


def test_mains_is_at_its_frequency_and_odd_harmonics():
    mains = Mains(rms_uv=10, harmonics={3: 0.5}, spread=0.0)
    wave = mains.waveform(SHAPE, fs_hz=FS, seed=1)
    frequency, power = welch(wave[0], FS, nperseg=8192)
    peaks = frequency[np.argsort(power)[-1]], frequency[100:][np.argsort(power[100:])[-1]]
    assert peaks[0] == pytest.approx(50, abs=0.5)
    inside = np.abs(frequency - 150) < 2
    near = np.abs(frequency - 50) < 2
    step = frequency[1]
    assert np.sqrt(power[near].sum() * step) == pytest.approx(10, rel=0.05)
    assert np.sqrt(power[inside].sum() * step) == pytest.approx(5, rel=0.05)


def test_a_harmonic_beyond_the_band_is_left_out():
    wave = Mains(rms_uv=10, harmonics={5: 1.0}, spread=0).waveform((1, 4000), fs_hz=400.0, seed=1)
    assert wave.std() == pytest.approx(10, rel=0.02)


def test_motion_is_slow():
    wave = Motion(rms_uv=20, knocks_per_min=30).waveform(SHAPE, fs_hz=FS, seed=1)
    frequency, power = welch(wave, FS, nperseg=4096)
    assert power[:, frequency < 20].sum() > 0.95 * power.sum()
    calm = Motion(rms_uv=20, knocks_per_min=0).waveform((8, 100_000), fs_hz=FS, seed=1)
    assert calm.std() == pytest.approx(20, rel=0.1)


def test_the_heart_beats_at_its_rate():
    wave = Ecg(peak_uv=300, rate_bpm=72, rate_sd_bpm=0, spread=0).waveform(SHAPE, fs_hz=FS, seed=5)
    beats, _ = find_peaks(wave[0], height=200)
    assert wave[0].max() == pytest.approx(300, rel=0.1)
    np.testing.assert_allclose(np.diff(beats) / FS, 60 / 72, rtol=0.01)


def test_amplifier_noise_is_white_above_its_corner():
    wave = AmplifierNoise(rms_uv=4, corner_hz=20).waveform((4, 80_000), fs_hz=FS, seed=1)
    frequency, power = welch(wave, FS, nperseg=4096)
    mean = power.mean(axis=0)
    flat = 4**2 / (FS / 2)
    assert mean[frequency > 500].mean() == pytest.approx(flat, rel=0.1)
    assert mean[np.abs(frequency - 20) < 3].mean() == pytest.approx(2 * flat, rel=0.2)


def test_the_converter_rounds_and_clips():
    converter = Converter(range_uv=1000, bits=12)
    values = np.linspace(-1500, 1500, 4001)
    out = converter.apply(values)
    inside = np.abs(values) < 999
    assert np.abs(out - values)[inside].max() <= converter.step_uv / 2 + 1e-9
    assert out.min() == -1000
    assert out.max() == 1000 - converter.step_uv
    np.testing.assert_array_equal(np.mod(out, converter.step_uv), 0)


def test_bad_input_is_refused():
    with pytest.raises(ParameterError, match="different names"):
        contaminate(QUIET, [Mains(), Mains()], fs_hz=FS, seed=1)
    with pytest.raises(DataError, match="crosstalk has shape"):
        contaminate(np.zeros((2, 9)), [ALL[-1]], fs_hz=FS, seed=1)
    with pytest.raises(ParameterError, match="at or above the Nyquist"):
        contaminate(QUIET, [Mains()], fs_hz=90.0, seed=1)
    with pytest.raises(ParameterError, match="bits must be at most 32"):
        Converter(range_uv=1, bits=40)
    with pytest.warns(PhysiologyWarning, match="rate_bpm=300"):
        Ecg(rate_bpm=300)
