import numpy as np
import pytest

from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Recording
from myograph.core.step import build_step
from myograph.preprocess.line_noise import ConditionalNotch, SubtractMains, find_mains

FS_HZ = 1000.0
N = 16000
STEPS = {
    "subtract-mains": {"frequency_hz": 50.0},
    "conditional-notch": {"frequency_hz": 50.0},
    "interpolate-mains": {"frequency_hz": 50.0},
}


def recording_of(samples, kinds=("semg", "semg", "force")):
    channels = tuple(Channel(f"c{i}", kind=kind) for i, kind in enumerate(kinds))
    return Recording(samples.astype("f4"), Layout(FS_HZ, channels))


@pytest.fixture
def clean(rng):
    return 20 * rng.standard_normal((3, N))


@pytest.fixture
def hum():
    return 60 * np.sin(2 * np.pi * 50.05 * np.arange(N) / FS_HZ)


def attenuation_db(out, clean, hum, rows):
    late = slice(N // 2, None)
    left = out.samples[rows, late] - clean[rows, late]
    return 20 * np.log10(left.std() / hum[late].std())


@pytest.mark.parametrize(
    ("name", "least_db"),
    [("subtract-mains", -28), ("conditional-notch", -14), ("interpolate-mains", -20)],
)
def test_each_takes_the_mains_out_of_the_channel_that_has_it(name, least_db, clean, hum):
    x = clean.copy()
    x[0] += hum
    x[2] += hum
    out = build_step({"step": name, **STEPS[name]}).apply(recording_of(x))
    assert attenuation_db(out, clean, hum, [0]) < least_db
    # The other muscle channel has none, and a force channel is not a voltage.
    assert (out.samples[1] - clean[1]).std() < 0.05 * clean[1].std()
    np.testing.assert_array_equal(out.samples[2], x[2].astype("f4"))


@pytest.mark.parametrize("name", ["subtract-mains", "conditional-notch"])
def test_live_equals_offline_beyond_the_first_second(name, clean, hum, rng):
    recording = recording_of(clean + hum)
    step = build_step({"step": name, **STEPS[name]})
    state = step.start(recording.layout)
    cuts = np.sort(rng.integers(0, N, 60))
    live = [state.push(chunk) for chunk in np.split(recording.samples, cuts, axis=1)]
    np.testing.assert_allclose(
        np.concatenate(live, axis=1), step.apply(recording).samples, rtol=0, atol=1e-5
    )


def test_the_notch_is_off_until_the_mains_comes_and_after_it_went(clean, hum):
    hum[:4000] = 0
    hum[9000:] = 0
    x = clean.copy()
    x[0] += hum
    out = ConditionalNotch(50.0).apply(recording_of(x)).samples
    np.testing.assert_array_equal(out[0, :4000], x[0, :4000].astype("f4"))
    assert np.abs(out[0, 6000:9000] - clean[0, 6000:9000]).std() < 0.3 * hum.std() * 2
    np.testing.assert_array_equal(out[0, 15500:], x[0, 15500:].astype("f4"))


def test_the_recordings_mains_is_found_in_its_voltages_only(clean, hum):
    x = clean.copy()
    x[2] += 1000 * np.sin(2 * np.pi * 60 * np.arange(N) / FS_HZ)  # a force sensor that hums
    x[0] += hum
    found = find_mains(recording_of(x))
    assert found.nominal_hz == 50
    assert found.present.tolist() == [True, False]
    with pytest.raises(LayoutError, match="No channel is left"):
        find_mains(recording_of(x, kinds=("force", "acc", "acc")))


def test_a_montage_without_such_channels_is_refused(clean):
    recording = recording_of(clean, kinds=("force", "acc", "acc"))
    for name, parameters in STEPS.items():
        with pytest.raises(LayoutError, match=f"'{name}' works on channels of kinds"):
            build_step({"step": name, **parameters}).apply(recording)


def test_parameters_are_checked():
    with pytest.raises(ParameterError, match="threshold is a share"):
        ConditionalNotch(50.0, threshold=5)
    with pytest.raises(ParameterError, match="kinds of step 'subtract-mains' must list"):
        SubtractMains(50.0, kinds="semg")
    with pytest.raises(ParameterError, match="frequency_hz must be above 0"):
        SubtractMains(0)
    slow = Layout(90.0, (Channel("a", kind="semg"),))
    for step in (SubtractMains(50.0), ConditionalNotch(50.0)):
        with pytest.raises(ParameterError, match="Nyquist"):
            step.start(slow)
