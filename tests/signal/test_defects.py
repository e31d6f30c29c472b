import io
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, ParameterError
from myograph.signal.defects import (
    clipped,
    dropped_samples,
    equal_groups,
    flat_stretches,
    hold,
    quantum,
    similar_channels,
    timing,
)


@settings(deadline=None, max_examples=30)
@given(factor=st.integers(2, 12), seed=st.integers(0, 10_000))
def test_sample_and_hold_is_found_with_its_factor(factor, seed):
    measured = np.random.default_rng(seed).normal(size=(4, 60))
    found = hold(np.repeat(measured, factor, axis=1))
    assert found.held
    assert found.factor == pytest.approx(factor)
    assert found.true_rate_hz(1000) == pytest.approx(1000 / factor)
    n_samples = 60 * factor
    assert found.repeated == pytest.approx((60 * (factor - 1)) / (n_samples - 1))


def test_a_fractional_hold_is_found(rng):
    measured = rng.normal(size=(8, 2000))
    stored = measured[:, (np.arange(9660) * 200 / 966).astype(int)]
    assert hold(stored).factor == pytest.approx(966 / 200, rel=0.01)


def test_a_signal_that_is_really_sampled_is_not_held(rng):
    assert not hold(rng.normal(size=(1, 500))).held
    quiet = np.round(0.3 * rng.normal(size=(1, 5000)))  # a coarse converter at rest
    assert hold(quiet).repeated > 0.5
    assert not hold(quiet).held
    burst = np.round(np.where(np.arange(5000) % 1000 < 500, 0.3, 30) * rng.normal(size=(1, 5000)))
    assert not hold(burst).held


@pytest.mark.realdata
def test_a_real_armband_recording_stored_too_fast_is_found(mirror):
    archive = mirror / "uci-gestures.tar.xz"
    if not archive.exists():
        pytest.skip(f"{archive.name} is not under MYOGRAPH_MIRROR")
    with tarfile.open(archive) as members:
        text = next(members.extractfile(m).read() for m in members if "/1_raw_data" in m.name)
    samples = np.loadtxt(io.BytesIO(text), skiprows=1)[:, 1:9].T
    found = hold(samples)
    assert found.held
    assert found.repeated == pytest.approx(0.89, abs=0.02)
    assert found.true_rate_hz(966) < 220


def test_quantum_is_the_converter_step(rng):
    counts = rng.integers(-100, 100, size=(2, 5000))
    np.testing.assert_allclose(
        quantum((counts * [[0.25], [4.88]]).astype("f4")), [0.25, 4.88], rtol=1e-4
    )
    assert quantum(np.full((1, 10), 3.0))[0] == 0
    rare = np.zeros((1, 1_000_001))
    rare[0, 999_999] = 2.0  # a change that looking at every fourth sample misses
    assert quantum(rare)[0] == 2.0


def test_clipping_marks_exactly_the_samples_at_the_rail(rng):
    wave = 100 * np.sin(2 * np.pi * np.arange(2000) / 100)
    noisy = np.round(wave + rng.normal(size=2000))
    stuck = np.clip(noisy, -500, 80)
    marked = clipped(stuck[None])[0]
    at_rail = stuck >= 79
    assert marked.sum() > 300
    assert not (marked & ~at_rail).any()
    assert not clipped(np.round(50 * rng.normal(size=(1, 5000)))).any()


def test_known_rails_count_even_a_single_stay():
    x = np.array([[0.0, 5, 9, 9, 9, 2, -3, 1]])
    assert clipped(x, rails=(-9, 9))[0].tolist() == [False] * 2 + [True] * 3 + [False] * 3
    assert not clipped(x, rails=(-10, 20)).any()
    assert not clipped(x, rails=(-9, 9), min_run=4).any()


def test_quiet_flat_and_resting_channels_are_not_clipped(rng):
    quiet = np.round(rng.normal(size=(1, 20_000)))  # -4 .. 4 counts
    force = np.maximum(0, rng.normal(size=(1, 3000)).cumsum(axis=1) - 40)
    force[:, :2000] = 0
    assert not clipped(quiet).any()
    assert not clipped(force)[:, :2000].any()
    assert not clipped(np.ones((1, 50))).any()


def test_flat_stretches_are_marked_whole():
    x = np.array([[1.0, 2, 2, 2, 3, 3, 4]])
    marked = flat_stretches(x, min_samples=3)[0]
    assert marked.tolist() == [False, True, True, True, False, False, False]
    assert flat_stretches(np.zeros((1, 5)), min_samples=5).all()
    with pytest.raises(ParameterError, match="min_samples must be at least 2"):
        flat_stretches(x, min_samples=1)


@settings(deadline=None)
@given(lost=st.lists(st.integers(1, 98), max_size=20, unique=True), fs_hz=st.floats(10, 5000))
def test_lost_samples_are_counted(lost, fs_hz):
    times = np.delete(np.arange(100) / fs_hz, lost)
    assert sum(n for _, n in dropped_samples(times, fs_hz=fs_hz)) == len(lost)


def test_rates_from_timestamps():
    times = np.arange(1000) / 966
    assert timing(times) == pytest.approx((966, 966))
    by_median, over_all = timing(np.concatenate([times, times + times[-1] + 1.0]))
    assert by_median == pytest.approx(966)
    assert over_all < 800


@pytest.mark.parametrize(
    ("times", "message"),
    [([0.0], "at least 2"), ([0.0, np.nan, 1.0], "finite"), ([0.0, 2.0, 1.0], "not run backwards")],
)
def test_impossible_timestamps_are_refused(times, message):
    with pytest.raises(DataError, match=message):
        timing(times)


def test_similar_channels(rng):
    a, b = rng.normal(size=(2, 1000))
    x = np.stack([a, b, -a, a + 0.05 * b, np.zeros(1000)])
    pairs = {(i, j): r for i, j, r in similar_channels(x)}
    assert set(pairs) == {(0, 2), (0, 3), (2, 3)}
    assert pairs[0, 2] == pytest.approx(-1)


def test_equal_digests_are_grouped():
    assert equal_groups({"a": "1", "b": "2"}) == []
    assert equal_groups({"a": "1", "b": "2", "c": "1", "d": "2"}) == [("a", "c"), ("b", "d")]


def test_one_blunt_peak_is_no_clipping_but_two_at_one_height_are():
    hump = np.array([0.0, 40, 90, 100, 100, 100, 90, 40, 0, -30, -60, -30, 1])
    assert not clipped(hump[None]).any()
    assert clipped(np.concatenate([hump, hump])[None]).sum() == 6
