import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, LayoutError
from myograph.signal.velocity import conduction_velocity

FS = 2048.0


def travelling(velocity, positions_mm, *, seed=0, snr_db=20.0, seconds=0.5):
    """One source that passes the positions at this speed, with noise of each electrode's own."""
    rng = np.random.default_rng(seed)
    n, pad = round(seconds * FS), 512
    f = np.fft.rfftfreq(n + 2 * pad, 1 / FS)
    spectrum = (
        np.fft.rfft(rng.standard_normal(n + 2 * pad))
        * f
        / ((f**2 + 60**2) * (f**2 + 120**2) ** 0.5)
    )
    delays = np.asarray(positions_mm, dtype=float)[:, None] / 1000 / velocity
    moved = np.fft.irfft(spectrum * np.exp(-2j * np.pi * f * delays), n + 2 * pad)
    x = moved[:, pad : pad + n]
    return x / x.std() + 10 ** (-snr_db / 20) * rng.standard_normal(x.shape)


@pytest.mark.parametrize("velocity", [2.2, 3.0, 4.0, 5.5, 6.5])
def test_the_velocity_is_found(velocity):
    p = np.arange(5) * 8.0
    found = conduction_velocity(travelling(velocity, p), p, fs_hz=FS)
    assert found.velocity_m_s == pytest.approx(velocity, rel=0.01)
    assert (found.accepted, found.towards, found.n_channels) == (True, "+x", 5)
    assert found.correlation > 0.9


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 100),
    gain=st.floats(1e-3, 1e3),
    shift=st.floats(-200, 200),
    offset=st.floats(-100, 100),
)
def test_gain_place_offset_and_order_do_not_matter(seed, gain, shift, offset):
    p = np.array([0, 5, 10, 15.0])
    x = travelling(4.0, p, seed=seed)
    plain = conduction_velocity(x, p, fs_hz=FS)
    order = np.random.default_rng(seed).permutation(4)
    other = conduction_velocity(gain * (x + offset)[order], (p + shift)[order], fs_hz=FS)
    assert other.velocity_m_s == pytest.approx(plain.velocity_m_s, rel=1e-6)
    assert other.correlation == pytest.approx(plain.correlation, abs=1e-6)


def test_the_other_way_round():
    p = np.arange(4) * 10.0
    x = travelling(4.5, p)
    back = conduction_velocity(x[::-1], p, fs_hz=FS)
    assert back.towards == "-x"
    assert back.velocity_m_s == pytest.approx(4.5, rel=0.01)


def test_electrodes_need_not_be_evenly_spaced():
    """A missing electrode is a larger step."""
    p = np.array([0, 5, 15, 20, 30.0])
    found = conduction_velocity(travelling(4.0, p), p, fs_hz=FS)
    assert found.velocity_m_s == pytest.approx(4.0, rel=0.01)


def test_later_is_the_same():
    p = np.arange(4) * 5.0
    x = travelling(4.0, p, seconds=1.5)
    early, late = (conduction_velocity(x[:, k : k + 2048], p, fs_hz=FS) for k in (0, 700))
    assert late.velocity_m_s == pytest.approx(early.velocity_m_s, rel=0.02)


def test_it_is_the_least_squares_solution():
    """The definition, searched by hand: each channel against the mean of the shifted others."""
    p = np.array([0, 6, 12, 18.0])
    x = travelling(4.2, p, snr_db=5)
    spectra = np.fft.rfft(x - x.mean(axis=1, keepdims=True))
    f = np.fft.rfftfreq(x.shape[1], 1 / FS)

    def cost(v):
        aligned = spectra * np.exp(2j * np.pi * f * p[:, None] / 1000 / v)
        others = (aligned.sum(axis=0) - aligned) / 3
        return np.square(np.abs(aligned - others)).sum()

    tried = np.linspace(3.5, 5, 3001)
    best = tried[np.argmin([cost(v) for v in tried])]
    assert conduction_velocity(x, p, fs_hz=FS).velocity_m_s == pytest.approx(best, abs=1e-3)


def test_unrelated_channels_are_not_believed():
    rng = np.random.default_rng(5)
    p = np.arange(4) * 5.0
    for _ in range(10):
        found = conduction_velocity(rng.standard_normal((4, 2048)), p, fs_hz=FS)
        assert abs(found.correlation) < 0.2
        assert not found.accepted
        assert "noise" in found.reason


def test_an_innervation_zone_under_the_array_is_not_believed():
    p = np.arange(8) * 5.0
    x = travelling(4.0, np.abs(p - 17.5), snr_db=20)
    found = conduction_velocity(x, p, fs_hz=FS)
    assert not found.accepted
    assert "innervation zone" in found.reason


def test_what_does_not_travel_is_not_believed():
    common = np.tile(travelling(4.0, [0.0]), (4, 1))
    noise = 0.05 * np.random.default_rng(0).standard_normal((4, common.shape[1]))
    found = conduction_velocity(common + noise, np.arange(4) * 5.0, fs_hz=FS)
    assert not found.accepted
    assert "do not travel" in found.reason


@pytest.mark.parametrize(
    ("x", "p", "error", "message"),
    [
        (np.ones((2, 500)), [0, 5], LayoutError, r"at least 4 channels.*got 2"),
        (np.ones((4, 500)), [0, 5, 10], LayoutError, "one position along the fibres each"),
        (np.ones((4, 500)), [0, 5, 5, 10], LayoutError, "at one position"),
        (np.ones((4, 500)), [0, 5, 10, 15], DataError, r"Channels \[0, 1, 2, 3\] do not vary"),
        (np.full((4, 500), np.nan), [0, 5, 10, 15], DataError, "must be finite"),
        (np.eye(4, 20), [0, 5, 10, 15], DataError, "too short for an array of 15 mm"),
    ],
)
def test_refusals(x, p, error, message):
    with pytest.raises(error, match=message):
        conduction_velocity(x, p, fs_hz=FS)
