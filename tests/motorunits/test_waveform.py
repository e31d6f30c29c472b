"""MUAP measures on waves whose measures are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myograph.core.errors import DataError, ParameterError
from myograph.motorunits.waveform import (
    MuapRules,
    area_uv_ms,
    measure_muap,
    muap_extent,
    phases,
    rise,
    size_index,
    turns,
)

FS = 20_000.0


def triangles(*heights, width_ms=1.0, before_ms=5.0, after_ms=5.0):
    """Triangles of these heights, side by side, with silence around."""
    n = round(width_ms * FS / 1000)
    up = np.concatenate([np.linspace(0, 1, n // 2, endpoint=False), np.linspace(1, 0, n // 2)])
    wave = np.concatenate([h * up for h in heights])
    return np.concatenate([np.zeros(round(before_ms * 20)), wave, np.zeros(round(after_ms * 20))])


def test_a_triphasic_wave():
    found = measure_muap(triangles(200, -600, 100), fs_hz=FS)
    assert (found.phases, found.turns) == (3, 3)
    assert found.amplitude_uv == 800
    assert found.area_uv_ms == pytest.approx((200 + 600 + 100) / 2, rel=0.06)
    assert found.thickness_ms == pytest.approx(found.area_uv_ms / 800)
    assert found.size_index == pytest.approx(2 * np.log10(0.8) + found.thickness_ms)
    assert found.duration_ms == pytest.approx(3.0, abs=0.15)
    assert found.onset_ms == pytest.approx(5.0, abs=0.1)
    # From the top of the first triangle to the bottom of the second.
    assert found.rise_time_ms == pytest.approx(1.0, abs=0.06)
    assert found.slope_uv_per_ms == pytest.approx(1200, rel=0.1)


def test_scaling_scales_what_has_a_unit_and_nothing_else():
    rules = MuapRules(phase_uv=0, phase_share=0.05, turn_uv=0, turn_share=0.05)
    one = measure_muap(triangles(200, -600, 100), fs_hz=FS, rules=rules)
    two = measure_muap(2 * triangles(200, -600, 100), fs_hz=FS, rules=rules)
    assert two.amplitude_uv == pytest.approx(2 * one.amplitude_uv)
    assert (two.phases, two.turns) == (one.phases, one.turns)
    assert two.thickness_ms == pytest.approx(one.thickness_ms, rel=0.01)
    assert two.size_index - one.size_index == pytest.approx(2 * np.log10(2), abs=0.02)


def test_a_satellite_is_no_part_of_the_duration():
    main = triangles(200, -600, 100)
    late = np.concatenate([main[:-40], triangles(80, before_ms=3.0)])
    assert measure_muap(late, fs_hz=FS).duration_ms == pytest.approx(
        measure_muap(main, fs_hz=FS).duration_ms
    )


def test_a_slow_tail_ends_where_it_is_flat():
    t = np.arange(0, 60, 0.05)
    wave = -500 * np.exp(-((t - 10) ** 2)) + 100 * (t > 11) * np.exp(-(t - 11) / 5)
    _, last = muap_extent(wave, fs_hz=FS)
    # 10 uV of height is reached 11.5 ms after the tail's beginning.
    assert t[last] == pytest.approx(11 + 5 * np.log(10), abs=0.1)
    _, later = muap_extent(wave, fs_hz=FS, rules=MuapRules(quiet_uv=5))
    assert t[later] == pytest.approx(11 + 5 * np.log(20), abs=0.1)


def test_phases_need_height():
    wave = triangles(200, -600, 15, -300, 100)
    assert phases(wave, least_uv=20) == 3
    assert phases(wave, least_uv=10) == 5
    assert phases(np.zeros(10), least_uv=20) == 0


@given(st.integers(1, 8))
def test_alternating_triangles_are_counted(n):
    wave = triangles(*[100.0 * (-1) ** k for k in range(n)])
    assert phases(wave, least_uv=20) == n
    assert turns(wave, least_uv=25) == n


def test_turns_need_change_on_both_sides():
    assert turns([0, 100, 80, 120, 0], least_uv=25) == 1
    assert turns([0, 100, 70, 120, 0], least_uv=25) == 3
    assert turns([0, 20, 0, 20, 0], least_uv=25) == 0


def test_a_sines_area_and_rise():
    t = np.arange(0, 10, 0.01)
    assert area_uv_ms(np.sin(2 * np.pi * t / 10), fs_hz=100_000.0) == pytest.approx(
        20 / np.pi, rel=1e-3
    )
    rise_time_ms, slope = rise(np.sin(2 * np.pi * t / 10), fs_hz=100_000.0)
    assert rise_time_ms == pytest.approx(5.0, abs=0.02)
    assert slope == pytest.approx(2 * np.pi / 10, rel=1e-3)


def test_the_size_index_of_its_paper():
    assert size_index(2000.0, 3000.0) == pytest.approx(2 * np.log10(2) + 1.5)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(DataError, match="There is no potential"):
        measure_muap(np.full(100, 3.0), fs_hz=FS)
    with pytest.raises(DataError, match="one finite row"):
        measure_muap(np.zeros((2, 100)), fs_hz=FS)
    with pytest.raises(DataError, match="one finite row"):
        measure_muap([0, np.nan, 1], fs_hz=FS)
    with pytest.raises(ParameterError, match="quiet_ms must be above 0"):
        MuapRules(quiet_ms=0)
    with pytest.raises(ParameterError, match="fs_hz must be above 0"):
        measure_muap([0, 100, 0], fs_hz=0)
