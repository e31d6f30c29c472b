import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.signal.scattering import scattering

FS_HZ = 2000.0
N = 1920


def bank(**changes):
    given = {"fs_hz": FS_HZ, "band_hz": (15.0, 900.0), "edges": "periodic"}
    return scattering(N, **{**given, **changes})


def gains(bands, size):
    """What a set of wavelets lets through of a real signal's power, bin by bin."""
    total = np.zeros(size // 2 + 1)
    for band in bands:
        total[band.bins] += np.square(band.values) / 2
    return total


@pytest.mark.parametrize("per_octave", [1, 3, 8])
@pytest.mark.parametrize("average_s", [0.0, 0.2])
def test_no_set_of_wavelets_takes_more_than_there_is(per_octave, average_s):
    made = bank(per_octave=per_octave, average_s=average_s)
    for bands in (made.first, made.second[0]):
        total = gains(bands, made.size) + np.square(made.average)
        assert total.max() <= 1 + 1e-9
    inside = np.arange(len(made.average)) * FS_HZ / made.size
    inside = (inside > 60) & (inside < 500)
    assert (gains(made.first, made.size) + np.square(made.average))[inside].min() > 0.5


def energy(found):
    return np.square(found.first).sum(-2).mean(-1) + np.square(found.second).sum(-2).mean(-1)


@pytest.mark.parametrize("average_s", [0.0, 0.2])
@pytest.mark.parametrize("per_octave", [1, 8])
def test_scattering_is_no_longer_than_the_signal_and_keeps_most_of_it(rng, average_s, per_octave):
    x = rng.standard_normal((5, N))
    x -= x.mean(axis=1, keepdims=True)
    found = bank(average_s=average_s, per_octave=per_octave).transform(x)
    power = np.square(x).mean(axis=1)
    assert (energy(found) <= power * (1 + 1e-6)).all()
    assert (energy(found) > 0.5 * power).all()


def test_two_signals_are_never_further_apart_than_they_were(rng):
    made = bank()
    for size in (1e-3, 0.3, 3.0):
        x = rng.standard_normal((2, N))
        x[1] = x[0] + size * x[1]
        x -= x.mean(axis=1, keepdims=True)
        found = made.transform(x)
        apart = np.square(np.diff(found.first, axis=0)).sum()
        apart += np.square(np.diff(found.second, axis=0)).sum()
        assert apart <= np.square(x[1] - x[0]).mean() * (1 + 1e-6)


def test_averaged_over_everything_a_shift_changes_nothing(rng):
    x = rng.standard_normal(N)
    made = bank()
    found, moved = made.transform(x), made.transform(np.roll(x, 48))
    np.testing.assert_allclose(moved.first, found.first, rtol=5e-3)
    np.testing.assert_allclose(moved.second, found.second, rtol=0.05, atol=1e-3)


def test_a_shift_that_is_short_against_the_average_changes_little(rng):
    x = rng.standard_normal((8, N))
    made = bank(average_s=0.4)

    def change(samples):
        one, other = made.transform(x), made.transform(np.roll(x, samples, axis=-1))
        apart = np.sqrt(np.square(other.first - one.first).sum() / np.square(one.first).sum())
        raw = np.sqrt(np.square(np.roll(x, samples, axis=-1) - x).sum() / np.square(x).sum())
        return apart, raw

    short, raw = change(4)  # 2 ms of 400
    assert short < 0.02 < 1 < raw
    assert change(200)[0] > 3 * short


def test_a_gain_changes_nothing_in_the_gain_free_form(rng):
    x = rng.standard_normal((3, N))
    made = bank(average_s=0.2)
    one, other = made.transform(x).gain_free(), made.transform(7.3 * x).gain_free()
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(b, a, atol=1e-9)
    np.testing.assert_allclose(np.exp(one[0]).sum(axis=-2), 1.0)
    scaled = made.transform(7.3 * x)
    np.testing.assert_allclose(scaled.second, 7.3 * made.transform(x).second, rtol=1e-9)


def test_the_second_order_sees_a_rhythm_that_the_first_averages_away():
    t = np.arange(4000) / FS_HZ
    steady = np.sin(2 * np.pi * 150 * t)
    beating = steady * (1 + np.sin(2 * np.pi * 8 * t))
    made = scattering(4000, fs_hz=FS_HZ, band_hz=(20.0, 500.0))
    one, other = made.transform(steady), made.transform(beating)
    strongest = int(one.first[:, 0].argmax())
    assert one.first_hz[strongest] == pytest.approx(150, rel=0.1)
    assert other.first[strongest, 0] == pytest.approx(one.first[strongest, 0], rel=0.1)
    of_it = one.second_hz[:, 0] == one.first_hz[strongest]
    near = one.second_hz[of_it][other.second[of_it, 0].argmax(), 1]
    assert near == pytest.approx(8, rel=0.5)
    assert other.second[of_it].max() > 50 * one.second[of_it].max()


def test_frames_paths_and_shapes():
    made = scattering(1000, fs_hz=1000.0, band_hz=(20.0, 400.0), average_s=0.1)
    found = made.transform(np.ones((2, 3, 1000)))
    assert found.first.shape == (2, 3, len(found.first_hz), 20)
    assert found.second.shape == (2, 3, len(found.second_hz), 20)
    assert (found.first == 0).all()  # what does not vary is taken off
    np.testing.assert_allclose(found.times_s[:2], [0.025, 0.075])
    assert (found.second_hz[:, 1] < found.second_hz[:, 0]).all()
    for part in found.gain_free():
        assert (part == 0).all()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"band_hz": (20.0, 1200.0)}, r"at most \(1000 Hz\)"),
        ({"band_hz": (200.0, 100.0)}, "band_hz must rise"),
        ({"band_hz": (0.0, 100.0)}, "band_hz must be above 0"),
        ({"per_octave": 0}, "per_octave must be at least 1"),
        ({"edges": "guess"}, "edges must be one of"),
        ({"average_s": -1.0}, "average_s must be above 0"),
    ],
)
def test_what_makes_no_filters(changes, match):
    with pytest.raises(ParameterError, match=match):
        bank(**changes)


def test_another_length_is_refused():
    with pytest.raises(DataError, match=r"for 1920 samples; got shape \(5,\)"):
        bank().transform(np.zeros(5))
