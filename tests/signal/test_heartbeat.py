import numpy as np
import pytest

from myograph.core.errors import DataError
from myograph.signal.heartbeat import find_heart, subtract_heart

FS_HZ = 1000.0
SECONDS = 20


def heart(rng, *, rate_per_min=70.0, variability=0.04, fs_hz=FS_HZ):
    """Return an ECG with R peaks of 1, and the sample numbers of these."""
    n = int(SECONDS * fs_hz)
    t = np.arange(n) / fs_hz
    wave, places, at_s = np.zeros(n), [], 0.4
    shape = [(0.12, -0.16, 0.025), (-0.12, -0.028, 0.009), (1.0, 0.0, 0.011)]
    shape += [(-0.22, 0.028, 0.010), (0.28, 0.24, 0.045)]
    while at_s < SECONDS - 0.5:
        for height, offset_s, width_s in shape:
            wave += height * np.exp(-0.5 * ((t - at_s - offset_s) / width_s) ** 2)
        places.append(round(at_s * fs_hz))
        at_s += 60 / rate_per_min * (1 + variability * rng.standard_normal())
    return wave, np.array(places)


def muscle(rng, *, bursts_hz=0.0, fs_hz=FS_HZ):
    n = int(SECONDS * fs_hz)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    f = np.fft.rfftfreq(n, 1 / fs_hz)
    spectrum *= f**2 / (f**2 + 60**2) / (1 + (f / 120) ** 2)
    x = np.fft.irfft(spectrum, n)
    x /= x.std()
    if bursts_hz:
        x *= 0.05 + (np.mod(np.arange(n) / fs_hz * bursts_hz, 1) < 0.4)
    return x


@pytest.mark.parametrize("polarity", [1, -1])
@pytest.mark.parametrize(("size", "rate"), [(20.0, 50), (6.0, 70), (3.5, 110)])
def test_the_beats_are_found_where_they_are(rng, polarity, size, rate):
    wave, places = heart(rng, rate_per_min=rate)
    found = find_heart(muscle(rng) + polarity * size * wave, fs_hz=FS_HZ)
    assert found.present
    near = np.abs(found.beats[:, None] - places).min(axis=0)
    assert (near <= 0.02 * FS_HZ).mean() > 0.95
    assert len(found.beats) <= len(places) + 1


def test_muscle_alone_and_regular_bursts_are_no_heart(rng):
    said = [find_heart(muscle(rng, bursts_hz=hz), fs_hz=FS_HZ).present for hz in (0, 0.8, 1, 1.2)]
    said += [find_heart(muscle(rng), fs_hz=FS_HZ).present for _ in range(10)]
    assert sum(said) == 0


def test_the_share_of_power_is_the_hearts(rng):
    wave, _ = heart(rng)
    x, y = muscle(rng), 8 * wave
    share = find_heart(x + y, fs_hz=FS_HZ).power_share
    assert share == pytest.approx(y.var() / (x + y).var(), rel=0.15)


@pytest.mark.parametrize("size", [5.0, 20.0])
def test_subtraction_leaves_the_muscle(rng, size):
    wave, _ = heart(rng)
    x = muscle(rng)
    contaminated = x + size * wave
    beats = find_heart(contaminated, fs_hz=FS_HZ).beats
    out = subtract_heart(contaminated, beats, fs_hz=FS_HZ)
    before, after = (contaminated - x).std(), (out - x).std()
    assert after < 0.4 * before
    assert after < 0.35 * x.std()


def test_subtraction_where_there_is_no_heart_changes_little(rng):
    x = muscle(rng)
    _, places = heart(rng)
    out = subtract_heart(x, places, fs_hz=FS_HZ)
    assert (out - x).std() < 0.2 * x.std()


def test_scale_and_offset_do_not_matter(rng):
    wave, _ = heart(rng)
    x = muscle(rng) + 6 * wave
    one, other = find_heart(x, fs_hz=FS_HZ), find_heart(250 * x + 4000, fs_hz=FS_HZ)
    np.testing.assert_array_equal(one.beats, other.beats)
    assert one.score == pytest.approx(other.score, rel=1e-3)


def test_nothing_to_find(rng):
    for nothing in (np.zeros(5000), np.zeros(10), rng.standard_normal(1200)):
        found = find_heart(nothing, fs_hz=FS_HZ)
        assert not found.present
    assert not find_heart(rng.standard_normal(500), fs_hz=50.0).present
    with pytest.raises(DataError, match="averaging at least 5 beats; got 2"):
        subtract_heart(np.zeros(5000), np.array([100, 900]), fs_hz=FS_HZ)
