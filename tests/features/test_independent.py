"""Against implementations that share nothing with ours: scipy, brute force, published tables."""

import numpy as np
import pytest
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter, periodogram, welch
from scipy.stats import entropy, gmean, kurtosis, lmoment, skew

from myograph.core.errors import ParameterError
from myograph.features import compute
from myograph.features.autoregressive import cepstrum_of
from myograph.features.interference import turns_of
from myograph.features.kernels.logarithm import logarithms
from myograph.features.spectral import tapers

FS_HZ = 2000.0


@pytest.fixture
def noise(rng):
    return (40 * rng.standard_normal((6, 2, 300))).astype("f4")


def test_moments_agree_with_scipy(noise):
    x = noise.astype("f8")
    np.testing.assert_allclose(
        compute("kurt", noise, fs_hz=FS_HZ), kurtosis(x, axis=-1, fisher=False), rtol=1e-10
    )
    np.testing.assert_allclose(compute("skew", noise, fs_hz=FS_HZ), skew(x, axis=-1), rtol=1e-9)


def test_l_scale_is_half_the_mean_distance_of_two_samples(noise):
    x = noise[0, 0].astype("f8")
    distances = np.abs(x[:, None] - x[None])
    mean = distances.sum() / (len(x) * (len(x) - 1))
    assert compute("ls", noise, fs_hz=FS_HZ)[0, 0] == pytest.approx(mean / 2, rel=1e-12)


def burg_by_definition(x, order):
    """The lattice as Burg wrote it, every denominator summed afresh."""
    x = x - x.mean()
    f, b, a = x.copy(), x.copy(), np.array([1.0])
    for _ in range(order):
        f, b = f[1:], b[:-1]
        k = -2 * (f @ b) / (f @ f + b @ b)
        f, b = f + k * b, b + k * f
        a = np.append(a, 0) + k * np.append(a, 0)[::-1]
    return a[1:]


@pytest.mark.parametrize("order", [1, 2, 6, 11])
def test_burg_agrees_with_its_definition(noise, order):
    found = compute("ar", noise, fs_hz=FS_HZ, order=order)
    for at in np.ndindex(6, 2):
        expected = burg_by_definition(noise[at].astype("f8"), order)
        np.testing.assert_allclose(found[at], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["ar", "ar-yw"])
def test_models_find_the_process_behind_long_noise(rng, name):
    true = [-1.5, 0.9, -0.2]
    x = lfilter([1.0], [1.0, *true], rng.standard_normal(60_000))[None, None]
    np.testing.assert_allclose(compute(name, x, fs_hz=FS_HZ, order=3)[0, 0], true, atol=0.02)


def test_yule_walker_solves_its_equations(noise):
    x = noise[1, 0].astype("f8")
    x = x - x.mean()
    lags = np.array([x[k:] @ x[: len(x) - k] for k in range(5)])
    expected = -solve_toeplitz(lags[:4], lags[1:])
    np.testing.assert_allclose(
        compute("ar-yw", noise, fs_hz=FS_HZ, order=4)[1, 0], expected, rtol=1e-9
    )


def test_a_tone_is_a_model_of_order_two(rng):
    x = np.sin(0.4 * np.arange(4000))[None, None]
    found = compute("ar", x, fs_hz=FS_HZ, order=2)[0, 0]
    np.testing.assert_allclose(found, [-2 * np.cos(0.4), 1.0], atol=2e-3)
    found = compute("ar", x, fs_hz=FS_HZ, order=11)[0, 0]
    assert np.abs(np.roots([1.0, *found])).max() < 1 + 1e-9  # stable all the same


def test_the_cepstrum_is_the_series_of_the_logarithm_of_the_model():
    a = np.array([[-0.7, 0.3, 0.1]])
    w = np.linspace(0, 2 * np.pi, 512, endpoint=False)
    response = 1 / np.abs(np.exp(-1j * np.outer(w, np.arange(4))) @ np.array([1.0, *a[0]])) ** 2
    series = np.fft.ifft(np.log(response)).real
    np.testing.assert_allclose(cepstrum_of(a)[0], series[1:4], atol=1e-9)


@pytest.mark.parametrize("pieces", [3, 5])
def test_welch_agrees_with_scipy(noise, pieces):
    estimate = tapers(300, FS_HZ, "welch", pieces)
    length = estimate.weights.shape[1]
    assert (np.diff(estimate.starts) * 2 == length).all()  # these overlap by half exactly
    frequencies_hz, density = welch(
        noise.astype("f8"), FS_HZ, nperseg=length, detrend="constant", scaling="density"
    )
    np.testing.assert_allclose(estimate.frequencies_hz, frequencies_hz)
    np.testing.assert_allclose(estimate.density(noise), density, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("method", ["periodogram", "welch", "multitaper"])
def test_estimators_keep_the_power_and_the_mean_frequency_of_noise(rng, method):
    x = rng.standard_normal((400, 1, 256))
    power = compute("ttp", x, fs_hz=1000, low_hz=0.0, high_hz=500.0, method=method)
    assert power.mean() == pytest.approx(1.0, abs=0.02)
    mean_hz = compute("mnf", x, fs_hz=1000, low_hz=50.0, high_hz=450.0, method=method)
    assert mean_hz.mean() == pytest.approx(250, abs=3)


def test_more_pieces_are_steadier(rng):
    x = rng.standard_normal((300, 1, 256))
    spread = [
        compute("mdf", x, fs_hz=1000, method=method).std()
        for method in ("periodogram", "multitaper")
    ]
    assert spread[1] < 0.8 * spread[0]


def test_the_sine_tapers_are_orthonormal():
    weights = tapers(200, FS_HZ, "multitaper", 6).weights
    np.testing.assert_allclose(weights @ weights.T * FS_HZ, np.eye(6), atol=1e-12)


def test_fatigue_index_falls_with_the_sixth_power_of_the_spectrum(rng):
    # The same process sampled slower: the spectrum is compressed by c, the index grows by c^6.
    shape = np.exp(-(((np.arange(1, 400) - 100) / 30.0) ** 2))
    index = []
    for c in (1.0, 0.8):
        f = np.arange(0.0, 1000.0, 0.5)
        index.append(
            (f[1:] ** -1.0 * np.interp(f[1:] / c, np.arange(1, 400), shape)).sum()
            / (f[1:] ** 5.0 * np.interp(f[1:] / c, np.arange(1, 400), shape)).sum()
        )
    phases = rng.uniform(0, 2 * np.pi, (2, 399))
    n = np.arange(4000)
    found = []
    for c, phase in zip((1.0, 0.8), phases, strict=True):
        tones = np.sqrt(shape)[:, None] * np.cos(
            2 * np.pi * c * np.arange(1, 400)[:, None] * n / FS_HZ + phase[:, None]
        )
        x = tones.sum(axis=0)[None, None]
        found.append(compute("finsm5", x, fs_hz=FS_HZ, low_hz=8.0, high_hz=500.0)[0, 0])
    assert index[1] / index[0] == pytest.approx(0.8**-6, rel=0.02)
    assert found[1] / found[0] == pytest.approx(0.8**-6, rel=0.1)


def test_turns_need_the_threshold_on_both_sides():
    #            0    1    2   3    4    5     6    7
    x = np.array([0, 150, 20, 60, 0, 300.0, 201, 400])
    assert turns_of(x, 100.0) == [1, 4]  # 60 is none, and 300 falls by 99 only
    x = np.array([0, 150, 20, 60, 0, 300.0, 200, 400])
    assert turns_of(x, 100.0) == [1, 4, 5, 6]
    assert turns_of(-x, 100.0) == [1, 4, 5, 6]
    assert turns_of(x + 5000, 100.0) == [1, 4, 5, 6]
    assert turns_of(np.zeros(50), 100.0) == []


def test_interference_measures_of_a_triangle_wave():
    # 5 ms up, 5 ms down, 400 uV: 200 turns a second, less those at the ends.
    period = np.concatenate([np.linspace(0, 400, 100, endpoint=False),
                             np.linspace(400, 0, 100, endpoint=False)])  # fmt: skip
    x = np.tile(period, 10)[None, None]
    fs_hz = 20_000.0  # 0.1 s
    turns = compute("ip-turns", x, fs_hz=fs_hz)[0, 0]
    assert turns == pytest.approx(19 / 0.1)  # the first rise has nothing before it
    assert compute("ip-amplitude", x, fs_hz=fs_hz)[0, 0] == pytest.approx(400)
    assert compute("ip-uca", x, fs_hz=fs_hz)[0, 0] == pytest.approx(400)
    assert compute("ip-ratio", x, fs_hz=fs_hz)[0, 0] == pytest.approx(turns / 400)
    assert compute("ip-activity", x, fs_hz=fs_hz)[0, 0] == pytest.approx(18 * 0.005 / 0.1)
    assert compute("ip-activity", x, fs_hz=fs_hz, longest_ms=4.0)[0, 0] == 0
    assert compute("ip-small-segments", x, fs_hz=fs_hz)[0, 0] == 0
    small = compute("ip-small-segments", x, fs_hz=fs_hz, small_ms=5.1)[0, 0]
    assert small == pytest.approx(18 / 0.1)


def test_logarithms_to_an_ulp(rng):
    x = np.concatenate([np.exp(rng.uniform(-700, 700, 20_000)), 1 + rng.normal(0, 1e-3, 20_000)])
    x = np.append(x, [1.0, 2.0**-1022, np.sqrt(2), np.sqrt(0.5)])
    expected = np.log(x)
    logarithms(x)
    np.testing.assert_allclose(x, expected, rtol=5e-16, atol=3e-16)
    zero = np.zeros(3)
    logarithms(zero)
    assert (zero == -np.inf).all()


def test_tdpsd_by_its_formulas(noise):
    def logs(x):
        n = len(x)
        d, e = np.diff(x), np.diff(x, n=2)
        m0, m2, m4 = (
            v**0.1 / 0.1 for v in (np.sqrt(x @ x), np.sqrt(d @ d / n), np.sqrt(e @ e / n))
        )
        return np.log(np.abs([
            m0, m0 - m2, m0 - m4, m0 / np.sqrt(abs((m0 - m2) * (m0 - m4))),
            m2 / np.sqrt(m0 * m4), np.abs(d).sum() / np.abs(e).sum(),
        ]))  # fmt: skip

    x = noise[2, 1].astype("f8")
    a, b = logs(x), logs(np.log(x**2 + 2.0**-52))
    expected = -2 * a * b / (a * a + b * b)
    names = ("m0", "m2", "m4", "sparsity", "irf", "wlf")
    found = [compute(f"tdpsd-{name}", noise, fs_hz=FS_HZ)[2, 1] for name in names]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_features_of_the_spectrum_agree_with_scipy(noise):
    hz, density = periodogram(noise.astype("f8"), FS_HZ, window="hann", detrend="constant")
    inside = (hz >= 10) & (hz <= 500)
    hz, power = hz[inside], density[..., inside] * (hz[1] - hz[0])
    total = power.sum(-1)
    expected = {
        "ttp": total,
        "mnf": (power * hz).sum(-1) / total,
        "pkf": hz[power.argmax(-1)],
        "spen": entropy(power, axis=-1) / np.log(len(hz)),
        "flatness": gmean(power, axis=-1) / power.mean(-1),
        "finsm5": (power / hz).sum(-1) / (power * hz**5).sum(-1),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(compute(name, noise, fs_hz=FS_HZ), value, rtol=1e-9)


def test_order_and_logarithm_agree_with_scipy(noise):
    x = noise.astype("f8")
    np.testing.assert_allclose(
        compute("ls", noise, fs_hz=FS_HZ), lmoment(x, order=2, axis=-1), rtol=1e-10
    )
    np.testing.assert_allclose(
        compute("log", noise, fs_hz=FS_HZ), gmean(np.abs(x), axis=-1), rtol=1e-10
    )


def test_short_time_magnitudes_agree_with_scipy(noise):
    found = compute("stft", noise, fs_hz=FS_HZ, segments=1, low_hz=1.0, high_hz=1000.0)
    _, density = periodogram(
        noise.astype("f8"), FS_HZ, window="hann", detrend="constant", scaling="spectrum"
    )
    # A spectrum tells the mean square of a tone, A^2 / 2; the last bin has no mirror image.
    np.testing.assert_allclose(found[..., :-1], np.sqrt(2 * density[..., 1:-1]), rtol=1e-9)


def test_a_band_beyond_the_rate_is_refused_and_the_usual_one_ends_there(noise):
    told = r"'mnf' cannot look up to high_hz=900 Hz.*ends at 500"
    with pytest.raises(ParameterError, match=told):
        compute("mnf", noise, fs_hz=1000.0, high_hz=900.0)
    slow = compute("mnf", noise, fs_hz=200.0)
    np.testing.assert_array_equal(slow, compute("mnf", noise, fs_hz=200.0, high_hz=100.0))
