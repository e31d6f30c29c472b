"""Filter banks: against PyWavelets node by node, the energy they keep, and how deep they may go."""

import numpy as np
import pytest
import pywt

from myograph.core.errors import DataError, ParameterError
from myograph.features import FeatureSpec, compute
from myograph.features.extract import measure
from myograph.features.wavelets import depth, entropy_of, filters_of

FS_HZ = 2000.0


@pytest.fixture
def noise(rng):
    return rng.standard_normal((19, 3, 401)).astype("f4")  # more rows than lanes, an odd length


def ours(name, x, **parameters):
    return measure(x, fs_hz=FS_HZ, features=[FeatureSpec(name, parameters)])


@pytest.mark.parametrize("wavelet", ["haar", "db4", "sym5", "coif3", "bior2.2", "db7"])
@pytest.mark.parametrize("mode", ["symmetric", "periodization"])
@pytest.mark.parametrize("n", [401, 400, 77])
def test_energies_agree_with_pywavelets(noise, wavelet, mode, n):
    x = noise[..., :n]
    level = pywt.dwt_max_level(n, wavelet)
    if level == 0:
        pytest.skip("the window is too short for this wavelet")
    bands = pywt.wavedec(x.astype("f8"), wavelet, mode, level)
    expected = np.stack([np.square(band).sum(-1) for band in bands], axis=-1) / n
    found = ours("wavelet-energy", x, wavelet=wavelet, mode=mode).reshape(19, 3, -1)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_packets_agree_with_pywavelets_in_order_of_frequency(noise):
    found = ours("packet-energy", noise, level=3, mode="periodization").reshape(19, 3, 8)
    for at in ((0, 0), (18, 2)):
        tree = pywt.WaveletPacket(noise[at].astype("f8"), "sym5", "periodization", maxlevel=3)
        nodes = tree.get_level(3, order="freq")
        expected = [np.square(node.data).sum() / 401 for node in nodes]
        np.testing.assert_allclose(found[at], expected, rtol=1e-10)


@pytest.mark.parametrize("name", ["wavelet-energy", "packet-energy"])
def test_a_periodic_orthogonal_bank_keeps_the_mean_square(noise, name):
    x = noise[..., :384]  # which can be halved seven times
    found = ours(name, x, mode="periodization", level=4).reshape(19, 3, -1)
    np.testing.assert_allclose(found.sum(-1), np.square(x.astype("f8")).mean(-1), rtol=1e-10)


def test_a_tone_lies_in_the_packet_of_its_frequency():
    t = np.arange(2000) / FS_HZ
    for k in range(8):  # each 125 Hz wide
        tone = np.sin(2 * np.pi * (62.5 + 125 * k) * t)[None, None]
        energies = compute("packet-energy", tone, fs_hz=FS_HZ, level=3, wavelet="db10")[0, 0]
        assert energies.argmax() == k
        assert energies[k] > 0.7 * energies.sum()


def test_entropy_is_that_of_the_shares():
    assert entropy_of(np.array([1.0, 1.0, 1.0, 1.0])) == pytest.approx(1)
    assert entropy_of(np.array([1.0, 0.0, 0.0])) == 0
    assert entropy_of(np.zeros(3)) == 0
    p = np.array([0.7, 0.2, 0.1])
    assert entropy_of(5 * p) == pytest.approx(-(p * np.log(p)).sum() / np.log(3))


def test_energy_and_entropy_share_one_transform(noise, monkeypatch):
    from myograph.features.kernels import filterbank

    calls = []
    original = filterbank.wavelet_energies
    monkeypatch.setattr(
        filterbank, "wavelet_energies", lambda *a, **k: calls.append(1) or original(*a, **k)
    )
    both = [FeatureSpec("wavelet-energy"), FeatureSpec("wavelet-entropy")]
    measure(noise, fs_hz=FS_HZ, features=both)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("parameters", "n", "error", "match"),
    [
        ({"wavelet": "sym55"}, 400, ParameterError, "wavelet must be one of .*'sym5'"),
        ({"wavelet": "morl"}, 400, ParameterError, "wavelet must be one of"),
        ({"level": 8}, 400, DataError, "allow level 5 of wavelet 'sym5'"),
        ({"level": -1}, 400, ParameterError, "level must be at least 0"),
        ({"mode": "zero"}, 400, ParameterError, "mode must be one of"),
        ({"wavelet": "db20"}, 30, DataError, "allow level 0 .* needs at least 78"),
    ],
)
def test_what_no_bank_can_do(parameters, n, error, match):
    with pytest.raises(error, match=match):
        compute("wavelet-energy", np.ones((1, 1, n)), fs_hz=FS_HZ, **parameters)


def test_packets_stop_where_nobody_wants_more():
    given = {"wavelet": "haar", "mode": "symmetric"}
    assert depth({**given, "level": 0}, n_samples=2000, packets=True) == 4
    assert depth({**given, "level": 8}, n_samples=2000, packets=True) == 8
    with pytest.raises(ParameterError, match="level of packets must be 0 to 8"):
        depth({**given, "level": 9}, n_samples=20000, packets=True)
    assert filters_of("db4").shape == (2, 8)
