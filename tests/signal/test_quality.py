import numpy as np
import pytest

from myograph.signal import quality
from myograph.signal.filters import CausalFilter, design_bandpass
from myograph.signal.spectrum import periodogram

FS_HZ = 2000
T = np.arange(FS_HZ) / FS_HZ


@pytest.fixture
def emg(rng):
    band = CausalFilter(design_bandpass(20, 400, order=2, fs_hz=FS_HZ), n_channels=1)
    return band.push(rng.standard_normal((1, FS_HZ)).astype("f4"))[0] * 100


def spectrum(x):
    return periodogram(x, fs_hz=FS_HZ)


@pytest.mark.parametrize("harmonic", [1, 2, 3, 4, 5])
def test_mains_ratio_of_a_hum_of_equal_power_is_a_half(harmonic, rng):
    noise = rng.standard_normal(FS_HZ)
    hum = np.sqrt(2) * noise.std() * np.sin(2 * np.pi * 50 * harmonic * T)
    assert quality.mains_ratio(*spectrum(noise + hum), mains_hz=50) == pytest.approx(0.5, abs=0.05)
    assert quality.mains_ratio(*spectrum(hum), mains_hz=50) == pytest.approx(1)
    assert quality.mains_ratio(*spectrum(hum), mains_hz=41) < 1e-9


def test_motion_and_high_frequency_ratios_split_the_band():
    slow, fast = np.sin(2 * np.pi * 5 * T), np.sin(2 * np.pi * 100 * T)
    hiss = np.sin(2 * np.pi * 700 * T)
    assert quality.motion_ratio(*spectrum(2 * slow + fast)) == pytest.approx(4)
    assert quality.high_frequency_ratio(*spectrum(fast + hiss)) == pytest.approx(0.5)


def test_omega_of_a_tone_is_1_and_of_a_flat_spectrum_is_known(rng):
    assert quality.spectral_deformation(*spectrum(np.sin(2 * np.pi * 200 * T))) == pytest.approx(
        1, abs=1e-4
    )
    noise = rng.standard_normal((200, FS_HZ))
    flat = quality.spectral_deformation(*spectrum(noise)).mean()
    assert flat == pytest.approx(2 / np.sqrt(3), rel=0.01)


def test_dp_ratio_tells_emg_from_noise(emg, rng):
    assert quality.dp_ratio(*spectrum(emg)) > 20
    assert quality.dp_ratio(*spectrum(rng.standard_normal(FS_HZ))) < 8


def test_kurtosis_of_noise_and_of_a_spike(rng):
    assert quality.kurtosis(rng.standard_normal(200_000)) == pytest.approx(3, abs=0.05)
    spike = np.zeros(1000)
    spike[3] = 1.0
    assert quality.kurtosis(spike) > 900


def test_snr_closed_form_and_floor():
    assert quality.snr_db(np.array(11.0), np.array(1.0)) == pytest.approx(10)
    assert quality.snr_db(np.array(0.5), np.array(1.0)) == pytest.approx(-30)
    assert np.isnan(quality.snr_db(np.array(1.0), np.array(0.0)))


def test_what_cannot_be_measured_is_nan():
    frequencies_hz, density = periodogram(np.ones((2, 200)), fs_hz=200)  # silence, Nyquist 100 Hz
    for value in (
        quality.mains_ratio(frequencies_hz, density, mains_hz=50),
        quality.mains_ratio(frequencies_hz, density, mains_hz=120),
        quality.motion_ratio(frequencies_hz, density),
        quality.high_frequency_ratio(frequencies_hz, density),
        quality.spectral_deformation(frequencies_hz, density),
        quality.dp_ratio(frequencies_hz, density),
        quality.kurtosis(np.ones((2, 200))),
    ):
        assert value.shape == (2,)
        assert np.isnan(value).all()
