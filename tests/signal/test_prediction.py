import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, ParameterError
from myograph.signal.filters import CausalFilter, design_bandpass
from myograph.signal.prediction import fit_autoregression, innovations, restore


def autoregressive(rng, coefficients, n=50_000):
    x = np.zeros(n)
    noise = rng.standard_normal(n)
    for i in range(len(coefficients), n):
        x[i] = coefficients @ x[i - len(coefficients) : i][::-1] + noise[i]
    return x


def test_the_fit_finds_the_process_that_made_the_signal(rng):
    truth = np.array([1.3, -0.6, 0.1])
    x = autoregressive(rng, truth)
    np.testing.assert_allclose(fit_autoregression(x, order=3), truth, atol=0.02)
    np.testing.assert_allclose(innovations(x, truth)[3:].std(), 1.0, rtol=0.02)
    assert fit_autoregression(np.full(100, 7.0), order=3).tolist() == [0, 0, 0]
    with pytest.raises(DataError, match="of order 5 needs more than 5 samples"):
        fit_autoregression(x[:5], order=5)
    with pytest.raises(ParameterError, match="order must be"):
        fit_autoregression(x, order=0)


def test_restored_samples_minimise_the_unexplained(rng):
    x = autoregressive(rng, np.array([1.3, -0.6]), n=4000)
    holes = np.zeros(len(x), dtype=bool)
    holes[[500, 501, 502, 2000]] = True
    out = restore(np.where(holes, 1e6, x), holes, order=2)
    np.testing.assert_allclose(out[~holes], x[~holes], rtol=0, atol=1e-12)
    filled = np.where(holes, np.interp(np.arange(len(x)), np.flatnonzero(~holes), x[~holes]), x)
    centre = x[~holes].mean()
    a = fit_autoregression(filled - centre, order=2)

    def left(y):
        return np.square(innovations(y - centre, a)[2:]).sum()

    best = left(out)
    for place in np.flatnonzero(holes):
        for nudge in (-0.01, 0.01):
            other = out.copy()
            other[place] += nudge
            assert left(other) > best


@settings(max_examples=20, deadline=None)
@given(offset=st.floats(-1e4, 1e4), factor=st.floats(0.01, 1e3), seed=st.integers(0, 99))
def test_restoring_follows_offset_and_scale(offset, factor, seed):
    rng = np.random.default_rng(seed)
    x = np.convolve(rng.standard_normal(600), np.hanning(9), mode="same")
    holes = np.zeros(600, dtype=bool)
    holes[100:103] = holes[300:305] = True
    np.testing.assert_allclose(
        restore(factor * x + offset, holes, order=6),
        factor * restore(x, holes, order=6) + offset,
        rtol=1e-5,
        atol=1e-5 * (abs(offset) + factor),
    )


def test_a_tone_is_continued_through_a_hole():
    wave = np.sin(np.arange(2000) / 7) + 0.3 * np.sin(np.arange(2000) / 3)
    holes = np.zeros(2000, dtype=bool)
    holes[900:910] = True
    out = restore(np.where(holes, 9, wave), holes)
    assert np.abs(out - wave).max() < 0.05


def test_what_the_documentation_says_about_its_error(rng):
    band = CausalFilter(design_bandpass(20, 250, order=2, fs_hz=1000), n_channels=1)
    x = band.push(rng.standard_normal((1, 20000)).astype("f4"))[0]
    for length, low, high in ((2, 0.15, 0.40), (4, 0.45, 0.75), (16, 0.8, 1.05)):
        holes = np.zeros(len(x), dtype=bool)
        for first in range(100, 19900, 100):
            holes[first : first + length] = True
        error = (restore(x, holes, order=16) - x)[holes].std() / x.std()
        assert low < error < high


def test_holes_at_the_ends_and_too_many_of_them(rng):
    x = rng.standard_normal(100)
    holes = np.zeros(100, dtype=bool)
    holes[:2] = holes[-2:] = True
    assert np.isfinite(restore(x, holes, order=4)).all()
    with pytest.raises(DataError, match="Only 10 samples are known; 48 are needed"):
        restore(x, np.arange(100) >= 10)
