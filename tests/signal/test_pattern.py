import numpy as np
import pytest

from myograph.core.errors import DataError
from myograph.signal.pattern import (
    best_rotation,
    crosstalk,
    loudness_patterns,
    pattern_distance,
    ring_order,
)

FS_HZ = 1000.0


def ring(rng, mix, seconds=6, turn=0):
    """Eight electrodes that show gestures as mixtures of independent muscles."""
    samples = []
    for weights in mix:
        x = weights[:, None] * rng.standard_normal((8, int(seconds * FS_HZ / len(mix))))
        samples.append(np.roll(x, turn, axis=0))
    return np.concatenate(samples, axis=1)


@pytest.fixture
def mix(rng):
    return rng.uniform(5, 100, size=(4, 8))


def test_patterns_have_length_one_and_do_not_depend_on_gain(rng, mix):
    x = ring(rng, mix)
    patterns, loudness = loudness_patterns(x, fs_hz=FS_HZ)
    np.testing.assert_allclose(np.linalg.norm(patterns, axis=1), 1)
    louder, twice = loudness_patterns(2 * x, fs_hz=FS_HZ)
    np.testing.assert_allclose(louder, patterns)
    np.testing.assert_allclose(twice, 2 * loudness)
    silent, none = loudness_patterns(np.zeros((4, 500)), fs_hz=FS_HZ)
    np.testing.assert_allclose(silent, 0.5)
    assert none.tolist() == [0, 0]


def test_a_ring_that_turned_is_strange_and_its_turn_is_told(rng, mix):
    reference = loudness_patterns(ring(rng, mix), fs_hz=FS_HZ)[0]
    same = loudness_patterns(ring(rng, mix), fs_hz=FS_HZ)[0]
    assert np.median(pattern_distance(same, reference)) < 5
    for turn in (1, 3, -2):
        moved = loudness_patterns(ring(rng, mix, turn=turn), fs_hz=FS_HZ)[0]
        assert np.median(pattern_distance(moved, reference)) > 15
        found, degrees = best_rotation(moved, reference)
        assert found == turn
        assert degrees[turn] < 5 < degrees[0]


@pytest.mark.parametrize("turn", range(8))
@pytest.mark.parametrize("way", [1, -1])
def test_how_a_band_was_worn_is_found_from_its_movements(rng, turn, way):
    reference = 10 * rng.standard_normal((5, 8))
    places = (way * np.arange(8) + turn) % 8
    worn = reference[:, places] + 3 + rng.standard_normal((5, 8))  # louder, and not quite alike
    worn[1] = np.nan  # a movement that was not made
    order, alike = ring_order(worn, reference)
    assert places[order].tolist() == list(range(8))
    assert 0.9 < alike < 1


def test_rings_that_cannot_be_compared(rng):
    levels = rng.standard_normal((3, 8))
    with pytest.raises(DataError, match=r"shapes \(3, 8\) and \(3, 4\)"):
        ring_order(levels, levels[:, :4])
    seen = np.where(np.arange(3)[:, None] < 1, levels, np.nan)
    with pytest.raises(DataError, match="at least 2 movements that both show; got 1 of 3"):
        ring_order(seen, levels)
    assert ring_order(np.zeros((2, 4)), np.zeros((2, 4)))[1] == 0


def test_crosstalk_is_the_share_that_one_wave_explains(rng):
    sources = rng.standard_normal((3, 20000))
    mixed = sources.copy()
    mixed[1] = 0.6 * sources[0] + 0.8 * sources[1]  # 36 % of its power
    mixed[2] = -2 * np.roll(sources[2], 1)
    found = crosstalk(mixed, fs_hz=2000.0)
    assert found[0, 1] == pytest.approx(0.36, abs=0.02)
    assert found[0, 2] < 0.01
    np.testing.assert_array_equal(found, found.T)
    assert np.diag(found).tolist() == [0, 0, 0]
    shifted = np.stack([sources[0], 5 * np.roll(sources[0], 3)])
    assert crosstalk(shifted, fs_hz=2000.0)[0, 1] > 0.99
    assert crosstalk(shifted, fs_hz=2000.0, lag_s=0.001)[0, 1] < 0.01


def test_a_common_drive_is_not_crosstalk(rng):
    envelope = 1 + np.sin(2 * np.pi * 0.5 * np.arange(20000) / 2000)
    x = envelope * rng.standard_normal((2, 20000))
    assert crosstalk(x, fs_hz=2000.0)[0, 1] < 0.01
    still = np.stack([x[0], np.full(20000, 3.0)])
    assert crosstalk(still, fs_hz=2000.0).max() == 0


def test_bad_input(rng):
    with pytest.raises(DataError, match="at least 2 channels and 250 samples"):
        loudness_patterns(rng.standard_normal((1, 500)), fs_hz=FS_HZ)
    with pytest.raises(DataError, match="over 2 channels cannot be compared with 3"):
        pattern_distance(np.eye(2), np.eye(3))
