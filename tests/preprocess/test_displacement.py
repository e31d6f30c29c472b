import numpy as np
import pytest

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Recording
from myograph.preprocess import Displacement, find_displacement

FS_HZ = 1000.0


@pytest.fixture
def mix(rng):
    return rng.uniform(5, 100, size=(4, 8))


def ring(rng, mix, seconds=20, turn=0):
    """Eight electrodes that show gestures of half a second as mixtures of muscles."""
    count = int(2 * seconds)
    weights = mix[np.arange(count) % len(mix)].repeat(500, axis=0).T
    return np.roll(weights * rng.standard_normal(weights.shape), turn, axis=0)


def recording_of(samples, start_s=0.0):
    channels = tuple(Channel(f"e{i}", kind="semg") for i in range(len(samples)))
    return Recording(samples.astype("f4"), Layout(FS_HZ, channels), start_s=start_s)


def test_a_ring_that_turns_is_found_when_it_turns_and_by_how_much(rng, mix):
    calibration = recording_of(ring(rng, mix))
    now = np.concatenate([ring(rng, mix, 12), ring(rng, mix, 18, turn=2)], axis=1)
    (found,) = find_displacement(recording_of(now, start_s=100.0), calibration, ring=True)
    assert found.onset_s == pytest.approx(112, abs=1.5)
    assert found.onset_s + found.duration_s == pytest.approx(130, abs=0.5)
    assert found.severity > 1.5
    assert "turned by +2 electrodes" in found.reason
    assert found.to_event().label == "displacement"


def test_electrodes_that_stay_are_left_alone_whatever_the_strength(rng, mix):
    calibration = recording_of(ring(rng, mix))
    for gain in (0.7, 1.0, 5.0):
        assert find_displacement(recording_of(gain * ring(rng, mix, 40)), calibration) == ()


def test_rest_and_a_short_movement_are_no_displacement(rng, mix):
    calibration = recording_of(ring(rng, mix))
    now = ring(rng, mix, 30)
    now[:, 5000:12000] *= 0.01  # rest has the pattern of the noise
    now[:, 5000:12000] += 0.3 * rng.standard_normal((8, 7000))
    now[:, 20000:21000] = 300 * rng.uniform(0, 1, (8, 1)) ** 4 * rng.standard_normal((8, 1000))
    assert find_displacement(recording_of(now), calibration) == ()
    assert find_displacement(recording_of(0 * now), calibration) == ()


def test_what_cannot_be_compared(rng, mix):
    x = ring(rng, mix)
    with pytest.raises(LayoutError, match="at least 2 muscle channels that are the same"):
        find_displacement(recording_of(x), recording_of(x[:5]))
    with pytest.raises(LayoutError, match="at least 2 muscle channels"):
        find_displacement(recording_of(x[:1]), recording_of(x[:1]))
    with pytest.raises(DataError, match=r"has 4 stretches .* at least 8"):
        find_displacement(recording_of(x), recording_of(x[:, :1000]))
    with pytest.raises(DataError, match="has 0 stretches"):
        find_displacement(recording_of(x), recording_of(0 * x))
    with pytest.raises(ParameterError, match="hold_s must be above 0"):
        Displacement(hold_s=0.0)
