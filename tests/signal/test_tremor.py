import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, ParameterError
from myograph.signal.tremor import (
    antagonist_phase,
    bursts,
    load_shift,
    measure,
    stability_index,
    tremor_spectrum,
)

FS = 200.0


def wave(f, *, seconds=10.0, harmonic=0.0, noise=0.0, seed=0, start=0.0):
    t = np.arange(round(seconds * FS)) / FS
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * f * t + start
    return np.sin(phase) + harmonic * np.sin(2 * phase) + noise * rng.standard_normal(len(t))


@given(f=st.floats(3.0, 12.0), start=st.floats(0, 6.28))
@settings(max_examples=25, deadline=None)
def test_the_frequency_of_a_tone(f, start):
    found = measure(wave(f, start=start), fs_hz=FS)
    assert found.peak_hz == pytest.approx(f, abs=0.01)
    assert found.power_ratio > 0.98
    assert found.stability_hz == pytest.approx(0, abs=0.02)


def test_ratios_by_construction():
    """A second harmonic of half the amplitude has a quarter of the power."""
    found = measure(wave(5.0, harmonic=0.5), fs_hz=FS)
    assert found.harmonic_ratio == pytest.approx(0.25, rel=0.01)
    # 5 and 10 Hz both lie in the band: 1 of 1.25.
    assert found.power_ratio == pytest.approx(1 / 1.25, rel=0.01)


def test_the_peak_is_as_wide_as_the_segments_allow():
    """A Hann window of T seconds is 1.44 / T wide at half its power."""
    for segment_s in (2.0, 4.0):
        f, density = tremor_spectrum(wave(6.0), fs_hz=FS, segment_s=segment_s)
        above = f[density > density.max() / 2]
        assert np.ptp(above) == pytest.approx(1.44 / segment_s, abs=0.04)
    assert measure(wave(6.0), fs_hz=FS).half_width_hz == pytest.approx(0.36, abs=0.05)


def test_the_spectrum_holds_the_power():
    x = wave(6.0, noise=0.5)
    f, density = tremor_spectrum(x, fs_hz=FS)
    assert density.sum() * (f[1] - f[0]) == pytest.approx(x.var(), rel=0.05)


def test_stability_by_definition():
    """5 Hz plus 0.5 Hz sin: cycles differ by 0.1 pi cos, half of which is within 0.707."""
    t = np.arange(round(40 * FS)) / FS
    phase = 2 * np.pi * 5 * t - (0.5 / 0.5) * np.cos(2 * np.pi * 0.5 * t)
    index = stability_index(np.sin(phase), fs_hz=FS, peak_hz=5.0)
    assert index == pytest.approx(2 * 0.707 * 0.1 * np.pi, rel=0.1)
    steady = stability_index(wave(5.25), fs_hz=FS, peak_hz=5.25)
    assert steady < 0.02
    assert np.isnan(stability_index(wave(0.8, seconds=3.0), fs_hz=FS, peak_hz=0.8))


@settings(max_examples=15, deadline=None)
@given(power=st.integers(-8, 8), offset=st.floats(-50, 50))
def test_gain_and_offset_do_not_matter(power, offset):
    x = wave(4.7, harmonic=0.3, noise=0.4)
    plain, other = measure(x, fs_hz=FS), measure(2.0**power * (x + offset), fs_hz=FS)
    for name in ("peak_hz", "power_ratio", "half_width_hz", "harmonic_ratio", "stability_hz"):
        assert getattr(other, name) == pytest.approx(getattr(plain, name), rel=1e-4, abs=1e-5)


def bursting(f, *, duty=0.4, shift=0.0, seconds=12.0, seed=0, fs=1000.0):
    t = np.arange(round(seconds * fs)) / fs
    on = (f * t - shift) % 1 < duty
    rng = np.random.default_rng(seed)
    return rng.standard_normal(len(t)) * np.where(on, 1.0, 0.05)


@pytest.mark.parametrize(("f", "duty"), [(5.0, 0.4), (4.0, 0.3), (8.0, 0.5)])
def test_bursts_last_as_long_as_they_were_made(f, duty):
    found = bursts(bursting(f, duty=duty), fs_hz=1000.0)
    assert found.duration_ms == pytest.approx(1000 * duty / f, abs=8)
    assert found.rate_hz == pytest.approx(f, rel=0.02)
    assert found.n_bursts == pytest.approx(12 * f, abs=2)


@pytest.mark.parametrize(
    ("shift", "degrees", "pattern"),
    [(0.0, 0, "synchronous"), (0.5, 180, "alternating"), (0.25, 90, "in between")],
)
def test_the_phase_between_antagonists(shift, degrees, pattern):
    first, second = bursting(5.0, seed=1), bursting(5.0, shift=shift, seed=2)
    found = antagonist_phase(np.abs(first), np.abs(second), fs_hz=1000.0, peak_hz=5.0)
    assert abs(found.degrees) == pytest.approx(degrees, abs=12)
    assert found.half_width_deg < 40
    assert found.pattern == pattern
    back = antagonist_phase(np.abs(second), np.abs(first), fs_hz=1000.0, peak_hz=5.0)
    assert abs(back.degrees) == pytest.approx(abs(found.degrees))


def test_the_second_later_is_positive():
    first, second = bursting(5.0, seed=1), bursting(5.0, shift=0.15, seed=2)
    found = antagonist_phase(np.abs(first), np.abs(second), fs_hz=1000.0, peak_hz=5.0)
    assert found.degrees == pytest.approx(54, abs=12)


def test_unrelated_muscles_are_undecided():
    rng = np.random.default_rng(0)
    patterns = [
        antagonist_phase(
            rng.standard_normal(4000), rng.standard_normal(4000), fs_hz=FS, peak_hz=5.0
        ).pattern
        for _ in range(60)
    ]
    assert patterns.count("undecided") >= 55


def test_the_load():
    assert [load_shift(9, 7.9), load_shift(9, 8.1), load_shift(5, 6)] == [
        "mechanical",
        "central",
        "central",
    ]


@pytest.mark.parametrize(
    ("work", "error", "message"),
    [
        (lambda: measure(wave(5, seconds=1), fs_hz=FS), DataError, "at least 3 s"),
        (lambda: measure(np.ones(1000), fs_hz=FS), DataError, "do not vary"),
        (lambda: measure(np.full(1000, np.nan), fs_hz=FS), DataError, "NaN or infinity"),
        (lambda: measure(wave(1.6), fs_hz=FS), DataError, "highest at the edge of the band"),
        (lambda: measure(wave(5), fs_hz=FS, band_hz=(9, 3)), ParameterError, "must rise"),
        (lambda: measure(wave(5), fs_hz=FS, band_hz=(3, 150)), ParameterError, "Nyquist"),
        (lambda: bursts(bursting(0.2, seconds=4), fs_hz=1000.0), DataError, "whole bursts"),
        (
            lambda: antagonist_phase(wave(5, seconds=3), wave(5, seconds=3), fs_hz=FS, peak_hz=5),
            DataError,
            "at least 2 segments",
        ),
        (
            lambda: antagonist_phase(wave(5), wave(5, seconds=4), fs_hz=FS, peak_hz=5),
            DataError,
            "equally long",
        ),
    ],
)
def test_refusals(work, error, message):
    with pytest.raises(error, match=message):
        work()
