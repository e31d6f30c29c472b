import numpy as np
import pytest

from myograph.signal.contact import FRAME_S, lead_off, muscle_power
from myograph.signal.disturbance import slow_wave, spikes
from myograph.signal.filters import CausalFilter, design_bandpass
from myograph.signal.runs import join_runs, long_runs, runs_of, widen

FS_HZ = 1000.0
N = 10_000
OFF = slice(4000, 7000)


@pytest.fixture
def emg(rng):
    """Band-limited noise of 50 uV; the last three seconds are rest."""
    band = CausalFilter(design_bandpass(20, 250, order=2, fs_hz=FS_HZ), n_channels=1)
    x = band.push(rng.standard_normal((1, N)).astype("f4"))[0].astype(float)
    x *= 50 / x.std()
    x[7000:] *= 0.02
    return np.round(x / 0.1) * 0.1


def frames_of(off):
    return off.reshape(-1)[int(4.0 / FRAME_S) : int(7.0 / FRAME_S)]


def test_rest_is_not_lead_off(emg):
    off, reasons = lead_off(emg, fs_hz=FS_HZ, lsb=0.1)
    assert not off.any()
    assert reasons == ()


def test_rest_with_steady_mains_is_not_lead_off(emg):
    hum = 150 * np.sin(2 * np.pi * 50 * np.arange(N) / FS_HZ)
    assert not lead_off(emg + hum, fs_hz=FS_HZ, lsb=0.1)[0].any()


@pytest.mark.parametrize("way", ["flat", "level", "mains"])
def test_each_way_of_being_off_is_found_with_its_reason(emg, rng, way):
    t = np.arange(3000) / FS_HZ
    noise = 0.5 * rng.standard_normal(3000)
    emg[OFF] = {
        "flat": np.full(3000, 1.3),
        "level": 900 + noise,
        "mains": 400 * np.sin(2 * np.pi * 50 * t) + noise,
    }[way]
    off, reasons = lead_off(emg, fs_hz=FS_HZ, lsb=0.1)
    assert frames_of(off).all()
    assert off.sum() == 12
    assert way in reasons


def test_a_channel_that_never_lives_is_off_throughout():
    off, reasons = lead_off(np.zeros(N), fs_hz=FS_HZ, lsb=0.0)
    assert off.all()
    assert reasons == ("flat",)


def test_muscle_power_does_not_see_a_line(rng):
    x = rng.standard_normal((40, 250))
    line = 30 * np.sin(2 * np.pi * 52 * np.arange(250) / FS_HZ)
    # White noise of 1 between 25 and 350 of 500 Hz.
    assert muscle_power(x, fs_hz=FS_HZ).mean() == pytest.approx(325 / 500, rel=0.1)
    assert muscle_power(x + line, fs_hz=FS_HZ).mean() == pytest.approx(325 / 500, rel=0.15)


def test_a_bump_is_slow_and_muscle_is_not(emg):
    t = np.arange(N) / FS_HZ
    bump = 400 * np.exp(-0.5 * ((t - 5) / 0.05) ** 2)
    slow = slow_wave(emg + bump, fs_hz=FS_HZ)
    assert np.abs(slow).argmax() == pytest.approx(5000, abs=30)
    assert slow.max() == pytest.approx(400, rel=0.25)
    assert np.abs(slow_wave(emg, fs_hz=FS_HZ)).max() < 50
    assert np.abs(slow_wave(emg + 1e4, fs_hz=FS_HZ)).max() < 50  # an offset does not move


def test_spikes_are_found_to_the_sample(emg):
    places = [500, 2222, 5000, 9000]
    for place in places:
        emg[place] += 800
    marked = np.flatnonzero(spikes(emg, fs_hz=FS_HZ, times=10))
    for place in places:
        assert place in marked
    assert all(min(abs(m - p) for p in places) <= 4 for m in marked)
    assert not spikes(emg[:100], fs_hz=FS_HZ, times=10).any()


def test_muscle_and_its_onsets_are_no_spikes(emg):
    assert spikes(emg, fs_hz=FS_HZ, times=10).sum() <= 1


def test_runs():
    mask = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1], dtype=bool)
    assert runs_of(mask).tolist() == [[1, 3], [4, 5], [8, 9]]
    assert np.flatnonzero(long_runs(mask, 2)).tolist() == [1, 2]
    assert np.flatnonzero(join_runs(mask, 1)).tolist() == [1, 2, 3, 4, 8]
    assert np.flatnonzero(widen(mask, 1)).tolist() == [0, 1, 2, 3, 4, 5, 7, 8]
    assert runs_of(np.zeros(3, dtype=bool)).shape == (0, 2)
