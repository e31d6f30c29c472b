from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, ParameterError
from myograph.signal.resample import Resampler, rate_ratio, resample_offline

RATIOS = [Fraction(1, 2), Fraction(3, 2), Fraction(64, 75), Fraction(4, 1), Fraction(1, 5)]


def sine(frequency_hz, n_samples, fs_hz=1000.0, delay_s=0.0):
    t = np.arange(n_samples) / fs_hz - delay_s
    return np.sin(2 * np.pi * frequency_hz * t)[None].astype("f4")


@pytest.mark.parametrize("ratio", RATIOS, ids=str)
def test_a_tone_below_both_nyquists_stays_the_same_tone(ratio):
    out = resample_offline(sine(40, 4000), ratio)
    assert out.shape[1] == -(-4000 * ratio.numerator // ratio.denominator)
    expected = sine(40, out.shape[1], fs_hz=1000.0 * ratio)
    np.testing.assert_allclose(out[:, 200:-200], expected[:, 200:-200], atol=2e-4)
    np.testing.assert_allclose(out, expected, atol=0.02)  # the reflected ends


@pytest.mark.parametrize("ratio", RATIOS, ids=str)
def test_live_is_the_same_tone_and_late_by_its_stated_delay(ratio):
    state = Resampler(ratio, n_channels=1)
    delay_s = state.delay_s(1000.0)
    out = state.push(sine(40, 4000))
    expected = sine(40, out.shape[1], fs_hz=1000.0 * ratio, delay_s=delay_s)
    settled = int(3 * delay_s * 1000 * ratio)
    np.testing.assert_allclose(out[:, settled:], expected[:, settled:], atol=2e-4)


@pytest.mark.parametrize("ratio", [Fraction(1, 2), Fraction(1, 5), Fraction(64, 75)], ids=str)
def test_what_the_new_rate_cannot_hold_is_gone_not_folded_back(ratio):
    above_hz = 500 * float(ratio) * 1.02
    out = resample_offline(sine(above_hz, 8000), ratio)
    assert np.abs(out[:, 300:-300]).max() < 3e-4  # -70 dB


@settings(max_examples=40, deadline=None)
@given(
    ratio=st.sampled_from(RATIOS),
    n_samples=st.integers(1, 600),
    cuts=st.lists(st.integers(0, 600), max_size=30),
    offset=st.floats(-1e5, 1e5),
)
def test_any_chunking_gives_the_same_bits(ratio, n_samples, cuts, offset):
    x = (np.random.default_rng(n_samples).normal(size=(2, n_samples)) + offset).astype("f4")
    state = Resampler(ratio, n_channels=2, held=(1,))
    pieces = [state.push(c) for c in np.split(x, sorted(min(c, n_samples) for c in cuts), axis=1)]
    whole = Resampler(ratio, n_channels=2, held=(1,)).push(x)
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)
    assert whole.shape[1] == -(-n_samples * ratio.numerator // ratio.denominator)


@pytest.mark.parametrize("ratio", RATIOS, ids=str)
def test_a_constant_stays_that_constant(ratio):
    level = np.full((1, 700), 123456.0, dtype="f4")
    np.testing.assert_array_equal(Resampler(ratio, n_channels=1).push(level)[0], 123456.0)
    np.testing.assert_array_equal(resample_offline(level, ratio)[0], 123456.0)


def test_a_trigger_keeps_its_values_and_is_as_late_as_the_signal():
    x = np.zeros((2, 4000), dtype="f4")
    x[:, 2000:] = 5
    state = Resampler(Fraction(1, 4), n_channels=2, held=(1,))
    wave, trigger = state.push(x)
    assert set(np.unique(trigger)) == {0, 5}
    step_s = np.flatnonzero(trigger)[0] / 250
    assert step_s == pytest.approx(2.0 + state.delay_s(1000.0), abs=1 / 250)
    assert np.flatnonzero(wave > 2.5)[0] / 250 == pytest.approx(step_s, abs=1 / 250)
    held = resample_offline(x, Fraction(1, 4), held=(1,))[1]
    assert np.flatnonzero(held)[0] == 500


def test_rates_are_ratios_of_whole_numbers():
    assert rate_ratio(2000, 1000) == Fraction(1, 2)
    assert rate_ratio(23437.5, 20000) == Fraction(64, 75)
    assert rate_ratio(1000, 1000) == 1
    with pytest.raises(ParameterError, match=r"not reached from 1000 Hz .* Hz is \(\d+/\d+\)"):
        rate_ratio(1000, 333.3333337)
    with pytest.raises(ParameterError, match="to_hz must be above 0"):
        rate_ratio(1000, 0)


def test_one_to_one_changes_nothing(rng):
    x = rng.normal(size=(1, 50)).astype("f4")
    np.testing.assert_array_equal(Resampler(Fraction(1), n_channels=1).push(x), x)
    np.testing.assert_array_equal(resample_offline(x, Fraction(1)), x)


def test_bad_chunks_are_refused_and_leave_the_state(rng):
    x = rng.normal(size=(2, 100)).astype("f4")
    state = Resampler(Fraction(1, 2), n_channels=2)
    with pytest.raises(DataError, match=r"A chunk must be \(2 channels"):
        state.push(x[:1])
    bad = x.copy()
    bad[0, 3] = np.nan
    with pytest.raises(DataError, match="NaN or infinite"):
        state.push(bad)
    np.testing.assert_array_equal(state.push(x), Resampler(Fraction(1, 2), n_channels=2).push(x))
