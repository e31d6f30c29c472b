import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.features import compute, scalogram, spectrogram
from myograph.features.tensors import Scale

FS_HZ = 2000.0
POWER = Scale("power")


@pytest.fixture
def noise(rng):
    return rng.standard_normal((6, 3, 400)).astype("f4")


@pytest.mark.parametrize("make", [spectrogram, scalogram])
def test_axes_are_what_they_say(noise, make):
    found = make(noise, fs_hz=FS_HZ)
    assert found.values.dtype == np.float32
    assert found.values.shape == (6, 3, len(found.frequencies_hz), len(found.times_s))
    assert (np.diff(found.frequencies_hz) > 0).all()
    assert (np.diff(found.times_s) > 0).all()
    assert 0 < found.times_s[0] < found.times_s[-1] < 0.2
    assert found.frequencies_hz[-1] <= 500 + 1e-9


@pytest.mark.parametrize("make", [spectrogram, scalogram])
def test_windows_and_channels_do_not_touch_each_other(noise, make):
    together = make(noise, fs_hz=FS_HZ).values
    np.testing.assert_array_equal(make(noise[2:3, 1:2], fs_hz=FS_HZ).values, together[2:3, 1:2])
    np.testing.assert_array_equal(make(noise[:, [2, 0]], fs_hz=FS_HZ).values, together[:, [2, 0]])


@pytest.mark.parametrize("make", [spectrogram, scalogram])
def test_scales_tell_the_same(noise, make):
    size = make(noise, fs_hz=FS_HZ, scale=Scale("magnitude")).values
    np.testing.assert_allclose(make(noise, fs_hz=FS_HZ, scale=POWER).values, size**2, rtol=1e-5)
    decibels = make(noise, fs_hz=FS_HZ, scale=Scale(floor=0.05)).values
    np.testing.assert_allclose(decibels, 20 * np.log10(np.maximum(size, 0.05) / 0.05), atol=1e-4)


@pytest.mark.parametrize("make", [spectrogram, scalogram])
def test_silence_is_zero_and_flagged(make):
    x = np.random.default_rng(0).standard_normal((2, 2, 400)).astype("f4")
    x[1, 0] = 3e4
    found = make(x, fs_hz=FS_HZ)
    assert found.flat.tolist() == [[False, False], [True, False]]
    assert (found.values[1, 0] == 0).all()
    assert np.isfinite(found.values).all()


def test_a_step_in_frequency_is_seen_where_it_is():
    t = np.arange(800) / FS_HZ
    x = np.where(t < 0.2, np.sin(2 * np.pi * 60 * t), np.sin(2 * np.pi * 300 * t))[None, None]
    for found in (spectrogram(x, fs_hz=FS_HZ), scalogram(x, fs_hz=FS_HZ)):
        loudest = found.frequencies_hz[found.values[0, 0].argmax(axis=0)]
        np.testing.assert_allclose(loudest[found.times_s < 0.15], 60, rtol=0.12)
        np.testing.assert_allclose(loudest[found.times_s > 0.25], 300, rtol=0.12)


def test_the_scalogram_tensor_averages_what_the_feature_does(noise):
    found = scalogram(noise, fs_hz=FS_HZ, shape=(16, 8), scale=POWER).values
    expected = 2 * compute("cwt-power", noise, fs_hz=FS_HZ)
    np.testing.assert_allclose(found.mean(axis=-1), expected, rtol=1e-5)


def test_no_windows_make_no_images():
    empty = np.empty((0, 2, 400), dtype="f4")
    assert spectrogram(empty, fs_hz=FS_HZ).values.shape[:2] == (0, 2)
    assert scalogram(empty, fs_hz=FS_HZ).values.shape == (0, 2, 32, 32)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda x: spectrogram(x, fs_hz=FS_HZ, segment_ms=900), DataError, "do not fit into 400"),
        (lambda x: spectrogram(x, fs_hz=FS_HZ, band_hz=(600, 500)), ParameterError, "below high"),
        (lambda x: spectrogram(x, fs_hz=FS_HZ, band_hz=(1,)), ParameterError, "band_hz needs"),
        (lambda x: scalogram(x, fs_hz=FS_HZ, shape=(8, 500)), ParameterError, "500 moments"),
        (lambda x: scalogram(x, fs_hz=FS_HZ, band_hz=(1500, 1600)), ParameterError, "nothing"),
        (lambda x: scalogram(np.nan * x, fs_hz=FS_HZ), DataError, "finite"),
        (lambda x: Scale("loud"), ParameterError, "kind of a scale must be one of"),
        (lambda x: Scale(floor=0.0), ParameterError, "floor of a scale must be above 0"),
    ],
)
def test_what_makes_no_image(noise, call, error, match):
    with pytest.raises(error, match=match):
        call(noise)
