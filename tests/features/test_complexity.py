"""Complexity against plain counting, published examples, and what it must refuse."""

import math
from itertools import combinations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.features import Extraction, FeatureSpec, compute, fix_thresholds, parse_features
from myograph.features.extract import measure
from myograph.features.kernels.exponential import exponentials
from myograph.features.kernels.ordering import put_in_order

FS_HZ = 2000.0
MATCHES = ("sampen", "apen", "fuzzyen", "mse")
FAMILY = (*MATCHES, "permen", "lziv", "dfa", "higuchi", "katz", "boxdim")


@pytest.fixture
def noise(rng):
    return (40 * rng.standard_normal((3, 2, 230))).astype("f4")


def fused(name, values, **parameters):
    return measure(values, fs_hz=FS_HZ, features=[FeatureSpec(name, parameters)])


def matching_pairs(x, m, count, limit):
    """Compare every pair of the first ``count`` templates, one after the other."""
    templates = [x[i : i + m] for i in range(count)]
    return sum(np.abs(a - b).max() <= limit for a, b in combinations(templates, 2))


@pytest.mark.parametrize("m", [1, 2, 3, 10])
def test_sample_entropy_counts_pairs(rng, m):
    # More than two words of 64, and a period, so that long templates match too.
    x = np.sin(0.3 * np.arange(150)) + 0.02 * rng.standard_normal(150)
    x = x.astype("f4")
    values = x.astype("f8")
    limit = 0.2 * values.std()
    short, long = (matching_pairs(values, k, len(x) - m, limit) for k in (m, m + 1))
    expected = math.log(short / long)
    assert compute("sampen", x[None, None], fs_hz=FS_HZ, m=m)[0, 0] == pytest.approx(expected)
    assert fused("sampen", x[None, None], m=m)[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize("n", [63, 64, 65, 127, 400, 1001])
@pytest.mark.parametrize("name", MATCHES)
def test_words_join_without_a_seam(rng, name, n):
    values = rng.standard_normal((2, 1, n)).astype("f4")
    for m in (1, 2, 4):
        pure = compute(name, values, fs_hz=FS_HZ, m=m).reshape(2, -1)
        np.testing.assert_allclose(fused(name, values, m=m), pure, rtol=1e-10)


@pytest.mark.parametrize("name", MATCHES)
def test_a_tolerance_is_an_amplitude(name, noise):
    r = 0.31
    spread = noise.astype("f8").std(axis=-1)
    expected = compute(name, noise, fs_hz=FS_HZ, r=r)
    for w in range(len(noise)):
        given = tuple((r * spread[w]).tolist())
        for found in (
            compute(name, noise[w : w + 1], fs_hz=FS_HZ, tolerance=given)[0],
            fused(name, noise[w : w + 1], tolerance=given).reshape(expected[w].shape),
        ):
            np.testing.assert_allclose(found, expected[w], rtol=1e-9)


def test_a_tolerance_may_be_a_multiple_of_the_noise(rng, noise):
    rest = rng.standard_normal((4, 2, 230)).astype("f4")
    spec = FeatureSpec("sampen", {"tolerance": {"noise": 5.0}})
    (fixed,) = fix_thresholds([spec], rest)
    rms = np.sqrt(np.square(rest.astype("f8")).mean(axis=(0, 2)))
    np.testing.assert_allclose(fixed.parameters["tolerance"], 5.0 * rms)
    assert np.isfinite(measure(noise, fs_hz=FS_HZ, features=[fixed])).all()


def test_where_nothing_matches_the_value_is_the_largest():
    x = (10.0 * np.arange(50)).astype("f4")[None, None]
    largest = math.log(48 * 47 / 2)
    for name in ("sampen", "fuzzyen"):
        assert compute(name, x**2, fs_hz=FS_HZ, tolerance=1e-3)[0, 0] == pytest.approx(largest)
        assert fused(name, x**2, tolerance=1e-3)[0, 0] == pytest.approx(largest)


def test_known_signals(rng):
    white = rng.standard_normal((20, 1, 2000)).astype("f4")
    walk = np.cumsum(white, axis=-1, dtype="f8").astype("f4")

    def mean(name, values):
        return fused(name, values).mean(axis=0)

    # The chance that a third sample is within r of its partner: 2 Phi(r / sqrt 2) - 1 for r = 0.2.
    assert mean("sampen", white)[0] == pytest.approx(-math.log(math.erf(0.1)), abs=0.05)
    assert mean("dfa", white)[0] == pytest.approx(0.5, abs=0.06)
    assert mean("dfa", walk)[0] == pytest.approx(1.5, abs=0.06)
    assert mean("higuchi", white)[0] == pytest.approx(2.0, abs=0.02)
    assert mean("higuchi", walk)[0] == pytest.approx(1.5, abs=0.03)
    assert mean("lziv", white)[0] == pytest.approx(1.0, abs=0.08)
    assert mean("permen", white)[0] == pytest.approx(1.0, abs=0.002)
    # costa2002: the entropy of white noise falls with the scale as its mean does, that of 1/f
    # noise does not.
    falling = [-math.log(math.erf(0.1 * math.sqrt(scale))) for scale in range(1, 6)]
    np.testing.assert_allclose(mean("mse", white), falling, atol=0.05)
    spectrum = np.fft.rfft(rng.standard_normal((20, 1, 4096)))
    spectrum[..., 1:] /= np.sqrt(np.arange(1, spectrum.shape[-1]))
    pink = np.fft.irfft(spectrum)[..., :2000].astype("f4")
    assert np.ptp(mean("mse", pink)) < 0.35
    assert mean("dfa", pink)[0] == pytest.approx(1.0, abs=0.1)
    for name in ("sampen", "apen", "fuzzyen", "permen", "lziv", "katz", "boxdim"):
        assert mean(name, white)[0] > mean(name, walk)[0]


def test_the_example_of_bandt_in_bits():
    x = np.array([4.0, 7, 9, 10, 6, 11, 3], dtype="f4")[None, None]
    assert compute("permen", x, fs_hz=FS_HZ, order=2)[0, 0] == pytest.approx(0.918, abs=5e-4)
    bits = compute("permen", x, fs_hz=FS_HZ, order=3)[0, 0] * math.log2(6)
    assert bits == pytest.approx(1.522, abs=5e-4)


@pytest.mark.parametrize("order", range(2, 8))
@pytest.mark.parametrize("delay", [1, 3])
def test_patterns_are_told_apart_at_every_order(noise, order, delay):
    pure = compute("permen", noise, fs_hz=FS_HZ, order=order, delay=delay)
    found = fused("permen", noise, order=order, delay=delay)
    np.testing.assert_allclose(found, pure, rtol=1e-12)


@pytest.mark.parametrize(
    ("bits", "pieces"),
    [("0001101001000101", 6), ("1001111011000010", 6), ("01" * 20, 3), ("0" * 9 + "1" * 8, 3)],
)
def test_lempel_ziv_pieces(bits, pieces):
    x = np.array([float(b) for b in bits], dtype="f4")[None, None]
    scale = math.log2(len(bits)) / len(bits)
    assert compute("lziv", x, fs_hz=FS_HZ)[0, 0] == pytest.approx(pieces * scale)
    assert fused("lziv", x)[0, 0] == pytest.approx(pieces * scale)


@pytest.mark.parametrize("name", FAMILY)
def test_a_stream_gives_the_same_bits(name, rng):
    samples = rng.standard_normal((2, 700)).astype("f4")
    layout = Layout(1000.0, (Channel("a", kind="semg"), Channel("b", kind="semg")))
    state = Extraction(parse_features(name), length_ms=128, step_ms=40).start(layout)
    found = np.concatenate([state.push(part).values for part in np.split(samples, 35, axis=1)])
    windows = np.stack([samples[:, k : k + 128] for k in range(0, 700 - 127, 40)])
    np.testing.assert_array_equal(
        found, measure(windows, fs_hz=1000.0, features=parse_features(name))
    )


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_give_the_same_bits(noise, threads, shared_out):
    features = parse_features([*FAMILY[:-1], "boxdim"])
    features = [FeatureSpec("sampen", {"tolerance": (10.0, 20.0)}), *features[1:]]
    alone = measure(noise, fs_hz=FS_HZ, features=features)
    together = measure(noise, fs_hz=FS_HZ, features=features, threads=threads)
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize(
    ("name", "parameters", "n", "error", "message"),
    [
        ("sampen", {}, 3, DataError, "at least 4 samples for m=2; these have 3"),
        ("mse", {"scales": 20}, 60, DataError, "at least 80 samples for m=2 at 20 scales"),
        ("mse", {"scales": 21}, 500, ParameterError, "must be 1 to 20; got 21"),
        ("apen", {"m": 11}, 100, ParameterError, "must be 1 to 10; got 11"),
        ("sampen", {"r": 0.0}, 100, ParameterError, "r of feature 'sampen' must be"),
        ("fuzzyen", {"power": -1.0}, 100, ParameterError, "power of feature 'fuzzyen' must be"),
        ("sampen", {"r": 0.3, "tolerance": 5.0}, 100, ParameterError, "given two tolerances"),
        (
            "sampen", {"r": 0.3, "tolerance": {"noise": 2.0}}, 100, ParameterError,
            "given two tolerances",
        ),
        ("sampen", {"tolerance": (1.0, 2.0, 3.0)}, 100, ParameterError, "got 3 for 1 channels"),
        ("sampen", {"tolerance": -1.0}, 100, ParameterError, "tolerance of feature 'sampen'"),
        ("sampen", {"tolerance": {"noise": 2.0}}, 100, ParameterError, "was not measured"),
        ("permen", {"order": 8}, 100, ParameterError, "must be 2 to 7; got 8"),
        ("permen", {"order": 5, "delay": 30}, 100, DataError, "at least 122 samples"),
        ("higuchi", {"max_lag": 65}, 500, ParameterError, "must be 2 to 64; got 65"),
        ("higuchi", {"max_lag": 20}, 40, DataError, "at least 41 samples"),
        ("dfa", {}, 19, DataError, "at least 20 samples; these have 19"),
        ("boxdim", {}, 8, DataError, "at least 9 samples"),
        ("katz", {}, 2, DataError, "at least 3 samples"),
        ("lziv", {}, 2, DataError, "at least 3 samples"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused(name, parameters, n, error, message):
    values = np.ones((1, 1, n), dtype="f4")
    with pytest.raises(error, match=message):
        compute(name, values, fs_hz=FS_HZ, **parameters)
    with pytest.raises(error, match=message):
        fused(name, values, **parameters)


def test_a_near_name_is_offered():
    with pytest.raises(ParameterError, match="sampen"):
        parse_features(["sampenn"])


def test_the_smallest_windows_are_measured(rng):
    for name, n in (("sampen", 4), ("apen", 4), ("fuzzyen", 4), ("permen", 4), ("lziv", 3),
                    ("dfa", 20), ("higuchi", 17), ("katz", 3), ("boxdim", 9)):  # fmt: skip
        values = rng.standard_normal((5, 2, n)).astype("f4")
        pure = compute(name, values, fs_hz=FS_HZ)
        assert np.isfinite(pure).all()
        np.testing.assert_allclose(fused(name, values), pure, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", FAMILY)
def test_one_spike_in_silence_is_finite(name):
    values = np.zeros((1, 1, 400), dtype="f4")
    values[..., 123] = 3e4
    pure = compute(name, values, fs_hz=FS_HZ).reshape(1, -1)
    assert np.isfinite(pure).all()
    np.testing.assert_allclose(fused(name, values), pure, rtol=1e-9, atol=1e-12)


def test_ordering_survives_outliers(rng):
    for x in (
        rng.standard_normal(300),
        np.r_[np.zeros(50), 1e12, rng.standard_normal(100)],
        np.full(40, 2.0),
        np.arange(70.0)[::-1].copy(),
    ):
        order, placed = np.empty(len(x), dtype=np.int64), np.empty(len(x))
        put_in_order(x, order, placed, np.empty(len(x) + 1, dtype=np.int64))
        np.testing.assert_array_equal(placed, np.sort(x))
        np.testing.assert_array_equal(x[order], placed)
        assert len(np.unique(order)) == len(x)


def test_exponentials_are_those_of_numpy(rng):
    x = np.r_[0.0, 1e-300, 1e-9, rng.uniform(0, 40, 500), rng.uniform(0, 708, 500), 707.999, 708.1]
    found = x.copy()
    exponentials(found)
    expected = np.where(x > 708, 0.0, np.exp(-x))
    np.testing.assert_allclose(found, expected, rtol=4e-16 * 2, atol=0)
