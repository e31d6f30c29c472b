from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.twin.device import Device, sites

DEVICE = Device(name="A", fs_hz=2000.0, band_hz=(20.0, 450.0), gain=1.2, noise_uv=2.0, mains_uv=0.0)


def test_the_gain_scales_what_passes_and_nothing_else():
    tone = 1000 * np.sin(2 * np.pi * 100 * np.arange(4000) / 2000)[None]
    passed = DEVICE.passed(tone)[0, 2000:]
    assert np.sqrt(2) * passed.std() == pytest.approx(1200, rel=0.01)
    unit = Device(name="A", fs_hz=2000.0, band_hz=(20.0, 450.0), noise_uv=2.0, mains_uv=0.0)
    quiet = np.zeros((1, 4000))
    assert np.array_equal(DEVICE.record(quiet, seed=1).samples, unit.record(quiet, seed=1).samples)


def test_what_lies_outside_the_band_is_lost():
    time_s = np.arange(8000) / 2000
    for frequency_hz in (3.0, 900.0):
        tone = np.sin(2 * np.pi * frequency_hz * time_s)[None]
        assert DEVICE.passed(tone)[0, 4000:].std() < 0.1 * tone.std()


def test_the_parts_add_up_to_what_was_recorded():
    signal = 50 * np.random.default_rng(1).standard_normal((2, 1000))
    found = DEVICE.record(signal, seed=3)
    total = DEVICE.passed(signal) + sum(part.astype(float) for part in found.parts.values())
    assert np.allclose(found.samples, total, atol=1e-2)


def test_another_rate_narrows_the_band_to_what_it_holds():
    assert DEVICE.at(500.0).band_hz == (20.0, 225.0)
    assert DEVICE.at(4000.0).band_hz == DEVICE.band_hz


def test_more_sites_leave_the_first_ones_alone():
    assert sites("needle", 5, seed=1)[:2] == sites("needle", 2, seed=1)
    assert sites("needle", 2, seed=1) != sites("needle", 2, seed=2)


def test_sites_differ_in_everything_a_method_may_trip_over():
    devices = [site.device for site in sites("surface", 12, seed=0)]
    for name in ("fs_hz", "gain", "noise_uv", "mains_hz", "mains_uv", "band_hz"):
        assert len({getattr(device, name) for device in devices}) > 1, name


@pytest.mark.parametrize("band_hz", [(0.0, 100.0), (100.0, 50.0), (20.0, 1000.0)])
def test_an_impossible_band_is_refused(band_hz):
    with pytest.raises(ParameterError, match="band_hz must be"):
        Device(name="A", fs_hz=2000.0, band_hz=band_hz)


def test_an_unknown_place_is_refused():
    with pytest.raises(ParameterError, match="surfaces"):
        sites("surfaces", 1, seed=0)
