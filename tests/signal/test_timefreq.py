import numpy as np
import pytest
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from myograph.core.errors import DataError, ParameterError
from myograph.signal.timefreq import log_frequencies, morlets, short_time

FS_HZ = 1000.0


def test_short_time_agrees_with_scipy(rng):
    x = rng.standard_normal(900)
    found, frequencies_hz, times_s = short_time(x, fs_hz=FS_HZ, segment=120, hop=30)
    other = ShortTimeFFT(hann(120, sym=False), 30, FS_HZ, fft_mode="onesided", phase_shift=None)
    expected = other.stft_detrend(x, "constant", p0=2, p1=2 + len(times_s))
    np.testing.assert_allclose(np.abs(found), 2 * np.abs(expected) / hann(120, sym=False).sum())
    np.testing.assert_allclose(frequencies_hz, other.f)
    assert times_s[0] == pytest.approx(0.06)
    assert times_s[1] - times_s[0] == pytest.approx(0.03)


def test_a_segment_tells_nothing_of_its_neighbours(rng):
    x = rng.standard_normal((2, 400))
    found, _, _ = short_time(x, fs_hz=FS_HZ, segment=100, hop=50)
    x[:, 150:] = 0
    other, _, _ = short_time(x, fs_hz=FS_HZ, segment=100, hop=50)
    np.testing.assert_array_equal(other[..., :2], found[..., :2])


def test_a_scalogram_is_the_convolution_with_its_wavelets(rng):
    x = rng.standard_normal(600)
    x -= x.mean()
    frequencies, cycles = (40.0, 90.0), 6.0
    found = morlets(600, FS_HZ, frequencies, cycles).transform(x)
    t = np.arange(-600, 601) / FS_HZ
    for row, f_hz in zip(found, frequencies, strict=True):
        spread_s = cycles / (2 * np.pi * f_hz)
        shape = np.exp(-0.5 * (t / spread_s) ** 2)
        wavelet = shape * (np.exp(2j * np.pi * f_hz * t) - np.exp(-(cycles**2) / 2))
        wavelet *= 2 / (spread_s * np.sqrt(2 * np.pi) * FS_HZ)
        expected = np.convolve(x, wavelet, mode="full")[600:1200]
        assert np.abs(row - expected).max() < 1e-3 * np.abs(expected).max()


def test_white_noise_has_equal_power_per_hertz(rng):
    frequencies = log_frequencies(40.0, 300.0, 6)
    bank = morlets(4000, FS_HZ, tuple(frequencies.tolist()), 6.0)
    power = bank.power(rng.standard_normal((30, 4000))).mean(axis=(0, 2)) / 2
    # The band of a wavelet is f / cycles wide, times the root of pi; the noise has 2 / fs a hertz.
    expected = 2 / FS_HZ * np.sqrt(np.pi) * frequencies / 6
    np.testing.assert_allclose(power, expected, rtol=0.06)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: short_time(np.ones(50), fs_hz=FS_HZ, segment=60, hop=1), DataError, "do not fit"),
        (lambda: short_time(np.ones(50), fs_hz=FS_HZ, segment=2, hop=1), ParameterError, "least 4"),
        (lambda: short_time(np.ones(50), fs_hz=FS_HZ, segment=9, hop=0), ParameterError, "hop"),
        (lambda: log_frequencies(50, 20, 3), ParameterError, "below high_hz"),
        (lambda: log_frequencies(20, 50, 1), ParameterError, "at least 2"),
        (lambda: morlets(50, FS_HZ, (600.0,), 6.0), ParameterError, "half the sampling rate"),
        (lambda: morlets(50, FS_HZ, (60.0,), 1.0), ParameterError, "cycles must be at least 2"),
    ],
)
def test_what_cannot_be_transformed(call, error, match):
    with pytest.raises(error, match=match):
        call()
