import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from myograph.core.errors import DataError, ParameterError
from myograph.signal.spectrum import band_power, periodogram, psd


@settings(deadline=None)
@given(
    x=arrays(np.float64, st.integers(2, 65), elements=st.floats(-1e4, 1e4)),
    fs_hz=st.floats(1, 1e5),
)
def test_parseval(x, fs_hz):
    frequencies_hz, density = periodogram(x, fs_hz=fs_hz, taper="none", remove_mean=False)
    power = density.sum() * (frequencies_hz[1] - frequencies_hz[0])
    assert power == pytest.approx(np.square(x).mean(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("n_samples", [1000, 1001])
def test_a_tone_has_its_power_at_its_frequency(n_samples):
    fs_hz, tone_hz = float(n_samples), 80  # on a bin
    x = 10 * np.sin(2 * np.pi * tone_hz * np.arange(n_samples) / fs_hz)
    frequencies_hz, density = periodogram(x, fs_hz=fs_hz)
    assert frequencies_hz[density.argmax()] == tone_hz
    assert density.sum() == pytest.approx(50.0)
    assert density[np.abs(frequencies_hz - tone_hz) > 1].sum() == pytest.approx(0, abs=1e-20)


def test_white_noise_has_a_flat_density(rng):
    x = 3 * rng.standard_normal(200_000)
    frequencies_hz, density = psd(x, fs_hz=2000, segment_s=0.1)
    assert density[2:-2].mean() == pytest.approx(9 / 1000, rel=0.02)
    assert density[2:-2].std() < 0.1 * density.mean()
    assert frequencies_hz[1] == pytest.approx(10)


def test_a_flat_stretch_has_no_power_at_all():
    for value in (0.0, 0.1, 3e5, -7.77):
        _, density = periodogram(np.full((2, 3, 51), value), fs_hz=100)
        assert (density == 0).all()


def test_rows_are_independent_of_their_company_and_layout(rng):
    x = rng.standard_normal((7, 3, 64)).astype("f4")
    _, together = periodogram(x, fs_hz=1000)
    for i in range(7):
        np.testing.assert_array_equal(periodogram(x[i : i + 1], fs_hz=1000)[1][0], together[i])
    strided = np.asfortranarray(x)
    np.testing.assert_array_equal(periodogram(strided, fs_hz=1000)[1], together)


def test_blocks_change_nothing(rng, monkeypatch):
    x = rng.standard_normal((7, 3, 64))
    whole = periodogram(x, fs_hz=1000)[1]
    monkeypatch.setattr("myograph.signal.spectrum._BLOCK", 300)
    np.testing.assert_array_equal(periodogram(x, fs_hz=1000)[1], whole)


def test_welch_of_one_segment_is_the_periodogram(rng):
    x = rng.standard_normal((2, 500))
    np.testing.assert_array_equal(psd(x, fs_hz=500, segment_s=1.0)[1], periodogram(x, fs_hz=500)[1])
    assert psd(x, fs_hz=500, segment_s=99.0)[1].shape == (2, 251)


def test_adjoining_bands_add_up(rng):
    frequencies_hz, density = psd(rng.standard_normal((2, 4000)), fs_hz=1000, segment_s=0.5)
    whole = band_power(frequencies_hz, density, low_hz=0, high_hz=501)
    parts = [
        band_power(frequencies_hz, density, low_hz=low, high_hz=high)
        for low, high in ((0, 20), (20, 60), (60, 501))
    ]
    np.testing.assert_allclose(sum(parts), whole, rtol=1e-12)


def test_what_has_no_spectrum_is_refused():
    with pytest.raises(DataError, match="at least 2 samples"):
        periodogram([1.0], fs_hz=100)
    with pytest.raises(DataError, match="at least 2 samples"):
        psd([1.0], fs_hz=100, segment_s=1)
    with pytest.raises(ParameterError, match="overlap must be"):
        psd(np.ones(10), fs_hz=100, segment_s=1, overlap=1.0)
    with pytest.raises(ParameterError, match="taper must be one of"):
        periodogram(np.ones(10), fs_hz=100, taper="kaiser")
