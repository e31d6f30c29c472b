import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.features import FEATURES, SETS, Extraction, FeatureSpec, parse_features
from myograph.features.extract import measure

FS_HZ = 2000.0
LAYOUT = Layout(FS_HZ, tuple(Channel(f"e{i}", kind="semg") for i in range(3)))
EVERYTHING = tuple(FeatureSpec(n) for n in FEATURES if n not in SETS["interference"])


def offline(signal, features, n, step):
    view = sliding_window_view(signal, n, axis=1)[:, ::step].transpose(1, 0, 2)
    return measure(view, fs_hz=FS_HZ, features=features)


@pytest.mark.parametrize(
    ("n", "step", "most"), [(200, 50, 37), (200, 50, 400), (100, 140, 90), (100, 100, 1)]
)
def test_pushed_in_any_pieces_equals_offline(rng, n, step, most):
    signal = (40 * rng.standard_normal((3, 1500))).astype("f4")
    features = EVERYTHING if most > 1 else parse_features("hudgins")
    state = Extraction(features, length_ms=n / 2, step_ms=step / 2).start(LAYOUT)
    parts, stops, done = [], [], 0
    while done < signal.shape[1]:
        size = int(rng.integers(0, most + 1)) if most > 1 else 1
        measured = state.push(signal[:, done : done + size])
        parts.append(measured.values)
        stops += measured.stop_sample.tolist()
        done += size
    expected = offline(signal, features, n, step)
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    assert stops == [n + k * step for k in range(len(expected))]


def test_columns_are_named_as_offline():
    extraction = Extraction(parse_features(["mav", "ar"]), length_ms=100, step_ms=50)
    state = extraction.start(LAYOUT)
    assert state.names[:4] == ("e0.mav", "e0.ar[0]", "e0.ar[1]", "e0.ar[2]")
    assert state.units[:2] == ("uV", "1")
    assert state.push(np.zeros((3, 0), dtype="f4")).values.shape == (0, 3 * 7)


def test_an_electrode_that_is_off_is_flagged_and_finite(rng):
    signal = (40 * rng.standard_normal((3, 400))).astype("f4")
    signal[1] = 17.0
    state = Extraction(EVERYTHING, length_ms=100, step_ms=50).start(LAYOUT)
    measured = state.push(signal)
    assert np.isfinite(measured.values).all()
    assert measured.flat.tolist() == [[False, True, False]] * 3


def test_the_buffer_does_not_grow(rng):
    state = Extraction(parse_features("mav"), length_ms=100, step_ms=50).start(LAYOUT)
    for _ in range(300):
        state.push(rng.standard_normal((3, 25)).astype("f4"))
    assert state._windows._buffer.shape[1] <= 4 * (200 + 100)


def test_what_does_not_fit_is_refused_at_the_start():
    with pytest.raises(ParameterError, match="length_ms must be above 0"):
        Extraction(parse_features("mav"), length_ms=0, step_ms=50)
    with pytest.raises(ParameterError, match="at least 2 every 1 are needed"):
        Extraction(parse_features("mav"), length_ms=0.1, step_ms=50).start(LAYOUT)
    with pytest.raises(DataError, match="'ar' of order 6 needs"):
        Extraction(parse_features("ar"), length_ms=5, step_ms=5).start(LAYOUT)
    needle = Layout(FS_HZ, (Channel("n", kind="needle", scale="count"),))
    with pytest.raises(LayoutError, match="defined on channels in uV"):
        Extraction(parse_features("ip-turns"), length_ms=100, step_ms=50).start(needle)
    state = Extraction(parse_features("mav"), length_ms=100, step_ms=50).start(LAYOUT)
    with pytest.raises(LayoutError, match=r"A chunk must be \(3 channels, n_new\)"):
        state.push(np.zeros((2, 10), dtype="f4"))


@pytest.mark.parametrize("features", ["hudgins", ["rms", "mav", "iemg", "tdpsd"], ["ssi", "mnf"]])
@pytest.mark.parametrize("step", [40, 50, 100, 150, 200])
def test_hops_that_share_blocks_equal_offline(rng, features, step):
    signal = (40 * rng.standard_normal((3, 2400))).astype("f4")
    specs = parse_features(features)
    state = Extraction(specs, length_ms=100, step_ms=step / 2).start(LAYOUT)
    sizes = [step] * 20 + [3 * step] + [step] * 5  # one hop, three at once, one again
    found, done = [], 0
    for size in sizes:
        found.append(state.push(signal[:, done : done + size]).values)
        done += size
    seen = signal[:, : min(done, signal.shape[1])]
    np.testing.assert_array_equal(np.concatenate(found), offline(seen, specs, 200, step))
