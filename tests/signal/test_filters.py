import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import sosfilt

from myograph.core.errors import DataError, ParameterError
from myograph.signal.filters import (
    CausalFilter,
    design_bandpass,
    design_highpass,
    design_lowpass,
    design_notch,
    frequency_response,
    group_delay_s,
    settling_samples,
    steady_state,
    zero_phase,
)


def gain(sections, frequencies_hz, fs_hz):
    return np.abs(frequency_response(sections, frequencies_hz, fs_hz=fs_hz))


def butterworth_bandpass_gain(frequency_hz, low_hz, high_hz, order, fs_hz):
    """The closed form of a bilinear Butterworth band-pass, at 50 digits."""
    with mpmath.workdps(50):
        bent, low, high = (
            mpmath.tan(mpmath.pi * mpmath.mpf(f) / mpmath.mpf(fs_hz))
            for f in (frequency_hz, low_hz, high_hz)
        )
        detuning = (bent**2 - low * high) / (bent * (high - low))
        return float(1 / mpmath.sqrt(1 + detuning ** (2 * order)))


@pytest.mark.parametrize(
    ("low_hz", "high_hz", "order", "fs_hz"),
    [(20, 450, 4, 2000), (5, 500, 4, 20_000), (2, 10_000, 2, 48_000), (20, 95, 4, 200)],
)
def test_bandpass_gain_is_the_closed_form(low_hz, high_hz, order, fs_hz):
    sections = design_bandpass(low_hz, high_hz, order=order, fs_hz=fs_hz)
    frequencies_hz = np.geomspace(low_hz / 5, min(high_hz * 3, 0.49 * fs_hz), 40)
    expected = [butterworth_bandpass_gain(f, low_hz, high_hz, order, fs_hz) for f in frequencies_hz]
    np.testing.assert_allclose(gain(sections, frequencies_hz, fs_hz), expected, rtol=1e-6)
    np.testing.assert_allclose(gain(sections, [low_hz, high_hz], fs_hz), np.sqrt(0.5), rtol=1e-6)


def test_samples_through_an_extreme_filter_equal_a_50_digit_recursion(rng):
    sections = design_bandpass(5, 500, order=4, fs_hz=20_000)
    x = (1e5 + 50 * rng.standard_normal(400)).astype(np.float32)
    with mpmath.workdps(50):
        # The same coefficients in 50 digits: what is measured is the arithmetic of the filter.
        signal = [mpmath.mpf(float(v)) - mpmath.mpf(float(x[0])) for v in x]
        for b0, b1, b2, _, a1, a2 in sections.tolist():
            first = second = mpmath.mpf(0)
            out = []
            for value in signal:
                y = b0 * value + first
                first = b1 * value - a1 * y + second
                second = b2 * value - a2 * y
                out.append(y)
            signal = out
    # A band-pass answers the offset x[0] with 0 once it started in its steady state.
    expected = np.array([float(v) for v in signal])
    filtered = CausalFilter(sections, n_channels=1).push(x[None])[0]
    np.testing.assert_allclose(filtered, expected, atol=1e-5)


def test_high_and_low_pass_have_half_power_at_their_edge():
    for order in (1, 2, 3, 4, 8):
        high = design_highpass(20, order=order, fs_hz=1000)
        low = design_lowpass(100, order=order, fs_hz=1000)
        assert gain(high, [20], 1000)[0] == pytest.approx(np.sqrt(0.5), rel=1e-9)
        assert gain(low, [100], 1000)[0] == pytest.approx(np.sqrt(0.5), rel=1e-9)
        assert gain(high, [0.0], 1000)[0] == pytest.approx(0, abs=1e-12)
        assert gain(low, [0.0], 1000)[0] == pytest.approx(1, rel=1e-9)


def test_notch_is_deep_narrow_and_repeated():
    sections = design_notch(50, quality=30, harmonics=3, fs_hz=1000)
    np.testing.assert_allclose(gain(sections, [50, 100, 150], 1000), 0, atol=1e-12)
    np.testing.assert_allclose(gain(sections, [25, 75, 125, 200, 400], 1000), 1, atol=2e-2)
    # -3 dB width of each notch: centre / quality.
    for centre in (50, 100, 150):
        one = design_notch(centre, quality=30, harmonics=1, fs_hz=1000)
        # The edges of a bilinear notch lie symmetrically on the bent axis.
        bent = np.tan(np.pi * centre / 1000)
        half = np.tan(np.pi * centre / 30 / 1000) * (1 + bent**2) / 2
        edges = np.arctan(np.sqrt(bent**2 + half**2) + np.array([-half, half])) * 1000 / np.pi
        np.testing.assert_allclose(gain(one, edges, 1000), np.sqrt(0.5), rtol=1e-6)
        assert edges[1] - edges[0] == pytest.approx(centre / 30, rel=1e-3)


@pytest.mark.parametrize(
    ("design", "message"),
    [
        (lambda: design_bandpass(20, 600, order=4, fs_hz=1000), r"high_hz=600 Hz .* Nyquist"),
        (lambda: design_bandpass(90, 20, order=4, fs_hz=1000), "low_hz must be below high_hz"),
        (lambda: design_bandpass(0, 20, order=4, fs_hz=1000), "low_hz must be above 0"),
        (lambda: design_highpass(20, order=0, fs_hz=1000), "order must be at least 1"),
        (lambda: design_lowpass(20, order=2.5, fs_hz=1000), "order must be a whole number"),
        (lambda: design_highpass(float("nan"), order=2, fs_hz=1000), "low_hz must be finite"),
        (lambda: design_notch(60, quality=30, harmonics=2, fs_hz=200), "at most harmonics=1 fits"),
        (lambda: design_notch(50, quality=0, harmonics=1, fs_hz=200), "quality must be above 0"),
        (lambda: design_bandpass(1e-3, 1.01e-3, order=8, fs_hz=48e3), "cannot be represented"),
        (lambda: design_lowpass(0.001, order=12, fs_hz=48_000), "cannot be represented"),
    ],
)
def test_impossible_designs_are_refused(design, message):
    with pytest.raises(ParameterError, match=message):
        design()


FILTERS = {
    "bandpass": design_bandpass(20, 450, order=4, fs_hz=2000),
    "wide bandpass": design_bandpass(5, 500, order=4, fs_hz=20_000),
    "highpass": design_highpass(20, order=3, fs_hz=1000),
    "lowpass": design_lowpass(6, order=2, fs_hz=1000),
    "notch": design_notch(50, quality=30, harmonics=3, fs_hz=1000),
}


@pytest.mark.parametrize("name", FILTERS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_chunking_gives_the_same_bits(name, data):
    n_samples = data.draw(st.integers(1, 300))
    cuts = data.draw(st.lists(st.integers(0, n_samples), max_size=20))
    offset = data.draw(st.floats(-3e5, 3e5))
    seed = data.draw(st.integers(0, 2**32 - 1))
    x = (offset + 100 * np.random.default_rng(seed).standard_normal((2, n_samples))).astype("f4")
    whole = CausalFilter(FILTERS[name], n_channels=2).push(x)
    state = CausalFilter(FILTERS[name], n_channels=2)
    pieces = [state.push(chunk) for chunk in np.split(x, sorted(cuts), axis=1)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)
    assert whole.dtype == np.float32


@pytest.mark.parametrize("name", FILTERS)
def test_an_offset_does_not_ring(name):
    offset_uv = 3e5  # an electrode's half-cell potential
    x = np.full((1, 500), offset_uv, dtype=np.float32)
    filtered = CausalFilter(FILTERS[name], n_channels=1).push(x)
    at_rest = offset_uv * gain(FILTERS[name], [0.0], 1000)[0]
    np.testing.assert_allclose(filtered, at_rest, atol=1e-4)


def test_steady_state_is_the_limit_of_a_long_constant_input():
    for sections in FILTERS.values():
        state = CausalFilter(sections, n_channels=1)
        state._state = np.zeros((len(sections), 1, 2))
        state.push(np.ones((1, 200_000), dtype=np.float32))
        np.testing.assert_allclose(state._state[:, 0], steady_state(sections), atol=1e-8)


def test_channels_do_not_touch_each_other(rng):
    x = rng.standard_normal((3, 200)).astype("f4")
    together = CausalFilter(FILTERS["bandpass"], n_channels=3).push(x)
    alone = CausalFilter(FILTERS["bandpass"], n_channels=1).push(x[1:2])
    np.testing.assert_array_equal(together[1:2], alone)


def test_a_recording_larger_than_a_block_is_filtered_alike(rng, monkeypatch):
    x = rng.standard_normal((5, 100)).astype("f4")
    whole = CausalFilter(FILTERS["bandpass"], n_channels=5).push(x)
    zero = zero_phase(FILTERS["bandpass"], x)
    monkeypatch.setattr("myograph.signal.filters._BLOCK", 200)
    np.testing.assert_array_equal(CausalFilter(FILTERS["bandpass"], n_channels=5).push(x), whole)
    np.testing.assert_array_equal(zero_phase(FILTERS["bandpass"], x), zero)


def test_non_finite_samples_are_refused_and_leave_the_state_alone(rng):
    x = rng.standard_normal((2, 60)).astype("f4")
    broken = x[:, 20:40].copy()
    broken[1, 7] = np.nan
    state = CausalFilter(FILTERS["highpass"], n_channels=2)
    first = state.push(x[:, :20])
    with pytest.raises(DataError, match=r"non-finite samples in channel rows \[1\]"):
        state.push(broken)
    rest = state.push(x[:, 20:])
    whole = CausalFilter(FILTERS["highpass"], n_channels=2).push(x)
    np.testing.assert_array_equal(np.concatenate([first, rest], axis=1), whole)


def test_a_chunk_of_another_montage_is_refused():
    with pytest.raises(DataError, match=r"2 channels, n_new\); got shape \(3, 5\)"):
        CausalFilter(FILTERS["highpass"], n_channels=2).push(np.zeros((3, 5), dtype="f4"))


def test_zero_phase_keeps_a_tone_in_place_and_squares_the_gain():
    t = np.arange(4000) / 2000
    tone = np.sin(2 * np.pi * 100 * t)[None]
    filtered = zero_phase(FILTERS["bandpass"], tone)
    expected = tone * gain(FILTERS["bandpass"], [100], 2000)[0] ** 2
    np.testing.assert_allclose(filtered[:, 500:-500], expected[:, 500:-500], atol=1e-3)


def test_zero_phase_commutes_with_time_reversal(rng):
    x = rng.standard_normal((2, 3000)).astype("f4")
    forwards = zero_phase(FILTERS["bandpass"], x)
    backwards = zero_phase(FILTERS["bandpass"], x[:, ::-1])[:, ::-1]
    middle = slice(1000, 2000)  # the ends are extended differently
    np.testing.assert_allclose(forwards[:, middle], backwards[:, middle], atol=1e-4)


@pytest.mark.parametrize("n_samples", [1, 2, 5])
def test_zero_phase_takes_very_short_signals(n_samples):
    out = zero_phase(FILTERS["bandpass"], np.ones((1, n_samples), dtype="f4"))
    assert out.shape == (1, n_samples)
    np.testing.assert_allclose(out, 0, atol=1e-5)


def test_group_delay_is_the_slope_of_the_phase():
    for name, fs_hz in (("bandpass", 2000), ("lowpass", 1000), ("notch", 1000)):
        frequencies_hz = np.array([3.0, 30.0, 80.0, 210.0])
        width_hz = 1e-4
        around = np.stack([frequencies_hz - width_hz, frequencies_hz + width_hz])
        phase = np.angle(frequency_response(FILTERS[name], around, fs_hz=fs_hz))
        turn = np.angle(np.exp(1j * (phase[1] - phase[0])))
        slope_s = -turn / (2 * np.pi * 2 * width_hz)
        delay_s = group_delay_s(FILTERS[name], frequencies_hz, fs_hz=fs_hz)
        np.testing.assert_allclose(delay_s, slope_s, rtol=1e-4, atol=1e-7)


def test_group_delay_delays_an_envelope():
    fs_hz, carrier_hz = 2000, 150
    t = np.arange(2000) / fs_hz
    envelope = np.exp(-0.5 * ((t - 0.5) / 0.05) ** 2)
    x = (envelope * np.sin(2 * np.pi * carrier_hz * t)).astype("f4")[None]
    energy = CausalFilter(FILTERS["bandpass"], n_channels=1).push(x)[0].astype(float) ** 2
    arrived_s = (energy * t).sum() / energy.sum()
    delay_s = group_delay_s(FILTERS["bandpass"], [carrier_hz], fs_hz=fs_hz)[0]
    assert arrived_s - 0.5 == pytest.approx(delay_s, rel=0.02)


def test_settling_bounds_the_impulse_response():
    for sections in FILTERS.values():
        state = CausalFilter(sections, n_channels=1)
        state._state = np.zeros((len(sections), 1, 2))
        n = settling_samples(sections, tolerance=1e-4)
        impulse = np.zeros((1, 4 * n), dtype="f4")
        impulse[0, 0] = 1
        response = np.abs(state.push(impulse)[0])
        assert response[2 * n :].max() < 1e-3 * response.max()


@pytest.mark.parametrize("shape", [(1, 1), (1, 100), (4, 1), (5, 7), (8, 100), (16, 96), (17, 97), (35, 333)])
@pytest.mark.parametrize("name", sorted(FILTERS))
def test_the_compiled_pass_gives_the_bits_of_scipy(rng, name, shape):
    x = (40 * rng.standard_normal(shape)).astype("f4")
    sections = FILTERS[name]
    before = steady_state(sections)[:, None] * x[None, :, :1].astype("f8")
    expected, _ = sosfilt(sections, x.astype("f8"), axis=1, zi=before)
    for layout in (x, np.asfortranarray(x)):
        found = CausalFilter(sections, n_channels=len(x)).push(layout)
        np.testing.assert_array_equal(found, expected.astype("f4"))
    state = CausalFilter(sections, n_channels=len(x))
    parts = np.split(x, [shape[1] // 3, shape[1] // 2], axis=1)
    joined = np.concatenate([state.push(part) for part in parts], axis=1)
    np.testing.assert_array_equal(joined, found)
