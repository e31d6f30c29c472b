from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.motorunits.potentials import (
    PotentialRules,
    count_turns,
    find_potentials,
    noise_uv,
    shapes_of,
)

FS_HZ = 20_000.0


def train(
    width_ms: float, *, size_uv: float = 500.0, n: int = 20, noise: float = 5.0, seed: int = 0
):
    """Equal bumps every 50 ms, and where they are."""
    rng = np.random.default_rng(seed)
    samples = noise * rng.standard_normal(int((n + 1) * 0.05 * FS_HZ))
    places = (np.arange(1, n + 1) * 0.05 * FS_HZ).astype(int)
    t = np.arange(len(samples)) / FS_HZ * 1000
    for place in places:
        samples += size_uv * np.exp(-0.5 * ((t - t[place]) / width_ms) ** 2)
    return samples, places


def test_every_potential_is_found_where_it_is():
    samples, places = train(0.3)
    found = find_potentials(samples, fs_hz=FS_HZ, rules=PotentialRules(above_noise=8))
    np.testing.assert_allclose(found, places, atol=4)


@pytest.mark.parametrize("width_ms", [0.2, 0.4, 0.8])
def test_the_width_is_that_at_half_height(width_ms: float):
    samples, places = train(width_ms)
    shapes = shapes_of(samples, places, fs_hz=FS_HZ)
    assert len(shapes) == 20
    half_height = 2 * np.sqrt(2 * np.log(2)) * width_ms
    assert np.median(shapes.width_ms) == pytest.approx(half_height, abs=0.12)


def test_amplification_changes_amplitudes_alone():
    samples, places = train(0.4)
    one = shapes_of(samples, places, fs_hz=FS_HZ)
    other = shapes_of(4 * samples, places, fs_hz=FS_HZ)
    np.testing.assert_allclose(other.amplitude_uv, 4 * one.amplitude_uv)
    for name in ("thickness_ms", "width_ms", "rise_ms", "turns"):
        np.testing.assert_allclose(getattr(other, name), getattr(one, name))


def test_turning_it_over_finds_the_same():
    samples, _ = train(0.4)
    up, down = (find_potentials(x, fs_hz=FS_HZ) for x in (samples, -samples))
    np.testing.assert_array_equal(up, down)


def test_the_largest_come_first_and_no_more_than_asked_for():
    samples, places = train(0.4)
    samples[places[7] - 40 : places[7] + 40] *= 3
    shapes = shapes_of(samples, places, fs_hz=FS_HZ, rules=PotentialRules(most=5))
    assert len(shapes) == 5
    assert shapes.amplitude_uv.argmax() == 0
    assert shapes.amplitude_uv[0] > 1200


def test_ragged_potentials_have_more_turns():
    samples, places = train(1.0, noise=0.01)
    t = np.arange(len(samples)) / FS_HZ
    ragged = samples * (1 + 0.6 * np.sin(2 * np.pi * 2000 * t))
    smooth = shapes_of(samples, places, fs_hz=FS_HZ).turns
    assert np.median(shapes_of(ragged, places, fs_hz=FS_HZ).turns) > np.median(smooth) + 3


def test_turns_are_counted_as_defined():
    assert count_turns(np.array([0.0, 150.0, 20.0, 60.0, 0.0, 300.0, 10.0]), 100.0) == 3


def test_silence_and_noise_give_no_shape():
    assert len(find_potentials(np.zeros(1000), fs_hz=FS_HZ)) == 0
    assert len(shapes_of(np.zeros(1000), np.array([], dtype=int), fs_hz=FS_HZ)) == 0
    assert noise_uv(np.zeros(10)) == 0


@pytest.mark.parametrize("bad", [np.zeros((2, 50)), np.zeros(2)])
def test_another_shape_is_refused(bad: np.ndarray):
    with pytest.raises(DataError, match="One channel of at least 3 samples"):
        find_potentials(bad, fs_hz=FS_HZ)


def test_what_was_not_measured_is_refused():
    with pytest.raises(DataError, match="must be finite"):
        find_potentials(np.array([0.0, np.nan, 1.0]), fs_hz=FS_HZ)


def test_rules_that_make_no_sense_are_refused():
    with pytest.raises(ParameterError, match="above_noise"):
        PotentialRules(above_noise=0)
    with pytest.raises(DataError, match="must not be longer than around_ms"):
        PotentialRules(rise_ms=50)
