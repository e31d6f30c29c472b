import numpy as np
import pytest

from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording
from myograph.core.windows import WindowIndex, Windows
from myograph.features import Extraction, compute, extract, parse_features
from myograph.preprocess import WhitenChannels
from myograph.signal.riemann import covariances, mean, tangent

FS_HZ = 1000.0


def layout_of(n, **kwargs):
    return Layout(FS_HZ, tuple(Channel(f"e{i}", kind="semg", **kwargs) for i in range(n)))


def recording_of(samples, events=()):
    return Recording(samples.astype("f4"), layout_of(len(samples)), events=tuple(events))


def mixed(rng, n_samples, n=4):
    mixing = rng.standard_normal((n, n)) + 2 * np.eye(n)
    return 30 * mixing @ rng.standard_normal((n, n_samples))


def test_correlations_are_those_of_numpy_and_flat_channels_have_none(rng):
    x = mixed(rng, 500)[None]
    expected = np.corrcoef(x[0])[np.triu_indices(4, k=1)]
    np.testing.assert_allclose(compute("correlation", x, fs_hz=FS_HZ)[0], expected, rtol=1e-10)
    x[:, 2] = 5.0
    found = compute("correlation", x, fs_hz=FS_HZ)[0]
    assert found[[1, 3, 5]].tolist() == [0, 0, 0]  # its pairs
    assert np.abs(found).max() > 0


def test_phasors_follow_the_law_of_cosines(rng):
    x = mixed(rng, 300, n=2)[None]
    a, b = np.sqrt(np.square(x[0]).mean(axis=1))
    for degrees, expected in ((0.0, abs(a - b)), (90.0, np.hypot(a, b)), (180.0, a + b)):
        found = compute("phasor-rms", x, fs_hz=FS_HZ, angles_deg=(0.0, degrees))[0, 0]
        assert found == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ParameterError, match="one angle for each of the 2 channels; got 3"):
        compute("phasor-rms", x, fs_hz=FS_HZ, angles_deg=(0.0, 1.0, 2.0))


def test_log_covariance_is_the_tangent_space_at_the_identity(rng):
    x = mixed(rng, 2000).reshape(4, 10, 200).transpose(1, 0, 2)
    found = compute("log-covariance", x, fs_hz=FS_HZ)
    expected = tangent(covariances(x), np.eye(4))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    louder = compute("log-covariance", 10 * x, fs_hz=FS_HZ) - found
    diagonal = np.equal(*np.triu_indices(4))
    np.testing.assert_allclose(louder, np.where(diagonal, 2 * np.log(10), 0) * np.ones((10, 1)),
                               atol=1e-9)  # fmt: skip


def test_behind_the_learned_step_it_is_the_tangent_space_at_the_mean(rng):
    x = mixed(rng, 4000)
    train, test = recording_of(x[:, :2000]), recording_of(x[:, 2000:])
    step = WhitenChannels(window_ms=200, shrinkage="none").fit([train])
    epochs = train.samples.astype("f8").reshape(4, 10, 200).transpose(1, 0, 2)
    reference = mean(covariances(epochs, shrinkage="none"))
    np.testing.assert_allclose(np.reshape(step.learned, (4, 4)), reference, rtol=1e-6)
    white = step.apply(test).samples.reshape(4, 10, 200).transpose(1, 0, 2)
    raw = test.samples.astype("f8").reshape(4, 10, 200).transpose(1, 0, 2)
    found = compute("log-covariance", white, fs_hz=FS_HZ, shrinkage="none")
    expected = tangent(covariances(raw, shrinkage="none"), reference)
    # The same up to a rotation that is the same for all windows: distances agree.
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_one_channel_has_no_pairs():
    values = np.ones((2, 1, 100), dtype="f4")
    index = WindowIndex.of(2, start_s=[0, 0.1], stop_s=[0.1, 0.2])
    windows = Windows(values, index, layout_of(1))
    with pytest.raises(LayoutError, match="measured between channels; this recording has 1"):
        extract(windows, parse_features(["mav", "correlation"]))
    assert compute("correlation", values, fs_hz=FS_HZ).shape == (2, 0)


def test_channels_in_different_units_are_not_compared():
    layout = Layout(FS_HZ, (Channel("emg", kind="semg"), Channel("grip", kind="force")))
    with pytest.raises(LayoutError, match=r"different units: \['N', 'uV'\]"):
        Extraction(parse_features("covariance"), length_ms=100, step_ms=50).start(layout)
    state = Extraction(parse_features("correlation"), length_ms=100, step_ms=50).start(layout)
    assert state.names == ("emg~grip.correlation",)


def test_the_stream_gives_the_same_pairs(rng, shared_out):
    x = mixed(rng, 1000).astype("f4")
    specs = parse_features(["mav", "spatial", "tangent"])
    state = Extraction(specs, length_ms=200, step_ms=50, threads=2).start(layout_of(4))
    live = np.concatenate([state.push(part).values for part in np.array_split(x, 13, axis=1)])
    view = np.lib.stride_tricks.sliding_window_view(x, 200, axis=1)[:, ::50].transpose(1, 0, 2)
    start_s = np.arange(len(view)) * 0.05
    index = WindowIndex.of(len(view), start_s=start_s, stop_s=start_s + 0.2)
    table = extract(Windows(view, index, layout_of(4)), specs)
    assert state.names == table.names
    np.testing.assert_array_equal(live, table.values)


def test_what_the_step_refuses(rng):
    x = mixed(rng, 1000)
    step = WhitenChannels()
    with pytest.raises(ParameterError, match="has not learned a covariance"):
        step.start(layout_of(4))
    with pytest.raises(ParameterError, match="a covariance of 1 channels, 1 numbers; got 4"):
        WhitenChannels(channels=("a",), learned=(1.0, 0.0, 0.0, 1.0))
    with pytest.raises(LayoutError, match="at least 2 channels"):
        step.fit([recording_of(x[:1])])
    fitted = step.fit([recording_of(x)])
    with pytest.raises(LayoutError, match=r"was fitted on channels \['e0'"):
        fitted.start(layout_of(3))
    with pytest.raises(LayoutError, match="the same channels in every training recording"):
        step.fit([recording_of(x), recording_of(x[:3])])


def test_gaps_and_silence_teach_nothing(rng):
    x = mixed(rng, 4000)
    clean = WhitenChannels().fit([recording_of(x[:, :2000])])
    broken = x.copy()
    broken[:, 2000:3000] *= 1e4
    broken[:, 3000:] = 0.0
    gap = Event(2.0, 1.0, "gap", "file")
    found = WhitenChannels().fit([recording_of(broken, [gap])])
    np.testing.assert_allclose(found.learned, clean.learned, rtol=1e-9)
    from myograph.core.errors import DataError

    with pytest.raises(DataError, match="no epoch of 200 ms with signal"):
        WhitenChannels().fit([recording_of(np.zeros((3, 1000)))])
