import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, ParameterError
from myograph.signal.filters import CausalFilter, design_bandpass
from myograph.signal.mains import detect_mains, interpolate_lines, line_excess
from myograph.signal.sine_tracker import SineTracker
from myograph.signal.spectrum import periodogram

FS_HZ = 1000.0


def emg(seed, seconds=20, n_channels=2):
    """Band-limited noise, loud in every other second."""
    n = int(seconds * FS_HZ)
    white = np.random.default_rng(seed).standard_normal((n_channels, n)).astype("f4")
    band = CausalFilter(design_bandpass(20, 250, order=2, fs_hz=FS_HZ), n_channels=n_channels)
    loud = np.where(np.arange(n) // FS_HZ % 2 == 1, 100.0, 5.0)
    return (band.push(white) * loud).astype("f4")


def hum(frequency_hz, n, *, amplitude=40.0, third=10.0, phase=1.0):
    turn = 2 * np.pi * frequency_hz * np.arange(n) / FS_HZ
    return (amplitude * np.sin(turn + phase) + third * np.sin(3 * turn)).astype("f4")


@pytest.mark.parametrize("real_hz", [49.7, 50.0, 50.2, 59.9, 60.3])
def test_the_mains_is_found_where_it_is(real_hz):
    x = emg(1)
    x[0] += hum(real_hz, x.shape[1])
    found = detect_mains(x, fs_hz=FS_HZ)
    assert found.nominal_hz == round(real_hz / 10) * 10
    assert found.frequency_hz == pytest.approx(real_hz, abs=0.02)
    assert found.present.tolist() == [True, False]
    # The share of its power among all of it, by construction.
    share = np.mean(hum(real_hz, 20000) ** 2) / np.mean(x[0] ** 2)
    assert found.excess[0] == pytest.approx(share, rel=0.15)


def test_muscle_alone_is_not_mains():
    said = [detect_mains(emg(seed, seconds=10), fs_hz=FS_HZ).present for seed in range(40)]
    assert np.sum(said) == 0


def test_weak_mains_is_found_in_a_long_recording():
    x = emg(3, seconds=60, n_channels=1)
    x += hum(50.0, x.shape[1], amplitude=10.0, third=0.0)  # 1 % of the power
    found = detect_mains(x, fs_hz=FS_HZ)
    assert found.present[0]
    assert found.excess[0] < 0.03


def test_silence_and_slow_recordings_are_answered():
    found = detect_mains(np.zeros((2, 3000), dtype="f4"), fs_hz=FS_HZ)
    assert found.present.tolist() == [False, False]
    assert found.excess.tolist() == [0, 0]
    with pytest.raises(DataError, match="Mains cannot be told in 1 s at 1000 Hz"):
        detect_mains(np.zeros((1, 1000), dtype="f4"), fs_hz=FS_HZ)
    with pytest.raises(DataError, match="at more than 102 Hz are needed"):
        detect_mains(np.zeros((1, 1000), dtype="f4"), fs_hz=100.0)


def test_the_excess_of_a_line_on_a_flat_floor_is_its_share():
    t = np.arange(4000) / FS_HZ
    noise = np.random.default_rng(0).standard_normal((50, 4000))
    x = noise + np.sqrt(2) * np.sin(2 * np.pi * 50 * t)  # equal powers
    excess = line_excess(*periodogram(x, fs_hz=FS_HZ), mains_hz=50)
    assert excess.mean() == pytest.approx(0.5, abs=0.02)
    flat = line_excess(*periodogram(noise, fs_hz=FS_HZ), mains_hz=50)
    assert flat.mean() < 0.005
    assert np.isnan(line_excess(*periodogram(x, fs_hz=90.0), mains_hz=50)).all()


@pytest.mark.parametrize("real_hz", [49.6, 50.0, 50.1, 50.4])
def test_the_tracker_removes_the_mains_and_keeps_the_muscle(real_hz):
    clean = emg(5)
    wave = hum(real_hz, clean.shape[1])
    tracker = SineTracker(50.0, harmonics=3, learn_s=4.0, fs_hz=FS_HZ, n_channels=2)
    left = tracker.push(clean + wave) - clean
    late = left[:, 8000:]
    assert 20 * np.log10(late.std() / wave.std()) < -28
    assert tracker.frequency_hz == pytest.approx(real_hz, abs=0.01)
    np.testing.assert_allclose(tracker.amplitudes[:, [0, 2]], [[40, 10]] * 2, rtol=0.1)


def test_the_tracker_leaves_a_signal_without_mains_alone():
    clean = emg(6) + np.float32(5000)
    tracker = SineTracker(50.0, harmonics=5, learn_s=4.0, fs_hz=FS_HZ, n_channels=2)
    left = tracker.push(clean) - clean
    assert left.std() < 0.01 * clean.std()


def test_the_tracker_finds_mains_that_is_switched_on_later():
    clean = emg(7)
    wave = hum(50.2, clean.shape[1])
    wave[:10000] = 0
    tracker = SineTracker(50.0, harmonics=3, learn_s=2.0, fs_hz=FS_HZ, n_channels=2)
    left = tracker.push(clean + wave) - clean
    assert 20 * np.log10(left[:, 17000:].std() / wave[17000:].std()) < -12


@settings(max_examples=10, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 4000), max_size=12),
    offset=st.floats(-1e4, 1e4),
    seed=st.integers(0, 99),
)
def test_any_chunking_gives_the_same_bits(cuts, offset, seed):
    x = emg(seed, seconds=4) + hum(50.1, 4000) + np.float32(offset)
    trackers = [
        SineTracker(50.0, harmonics=3, learn_s=2.0, fs_hz=FS_HZ, n_channels=2) for _ in range(2)
    ]
    whole = trackers[0].push(x)
    pieces = [trackers[1].push(chunk) for chunk in np.split(x, sorted(cuts), axis=1)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


def test_the_tracker_is_linear_in_scale():
    x = emg(8, seconds=6) + hum(50.1, 6000)
    small, large = (
        SineTracker(50.0, harmonics=2, learn_s=2.0, fs_hz=FS_HZ, n_channels=2).push(
            (c * x).astype("f4")
        )
        for c in (1.0, 1024.0)
    )
    np.testing.assert_allclose(large, 1024 * small, rtol=1e-4, atol=0.05)


def test_the_tracker_refuses_what_it_cannot_do():
    with pytest.raises(ParameterError, match="Nyquist"):
        SineTracker(50.0, harmonics=1, learn_s=1.0, fs_hz=100.0, n_channels=1)
    tracker = SineTracker(50.0, harmonics=9, learn_s=1.0, fs_hz=200.0, n_channels=1)
    assert tracker.amplitudes.shape == (1, 1)  # 100 Hz is the Nyquist frequency
    with pytest.raises(DataError, match="NaN or infinite"):
        tracker.push(np.array([[np.nan]], dtype="f4"))
    with pytest.raises(DataError, match=r"A chunk must be \(1 channels"):
        tracker.push(np.zeros((2, 5), dtype="f4"))


@pytest.mark.parametrize("real_hz", [50.0, 50.23])
def test_interpolation_lowers_the_line_to_its_surroundings(real_hz):
    clean = emg(9)
    x = clean + hum(real_hz, clean.shape[1])
    out = interpolate_lines(x, fs_hz=FS_HZ, mains_hz=real_hz, harmonics=4)
    assert detect_mains(out, fs_hz=FS_HZ).excess.max() < 0.01
    assert (out - clean).std() < 0.3 * (x - clean).std()
    nothing = interpolate_lines(clean, fs_hz=FS_HZ, mains_hz=50, harmonics=4)
    assert (nothing - clean).std() < 0.06 * clean.std()


def test_interpolation_away_from_any_line_is_the_identity():
    x = emg(10, seconds=7)
    same = interpolate_lines(x, fs_hz=FS_HZ, mains_hz=600.0, harmonics=1)
    np.testing.assert_allclose(same, x, atol=1e-3)
    short = x[:, :30]
    assert interpolate_lines(short, fs_hz=FS_HZ, mains_hz=50, harmonics=2).shape == (2, 30)
