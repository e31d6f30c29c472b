import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.signal import hilbert

from myograph.core.errors import ParameterError
from myograph.features import compute
from myograph.features.hilbert_huang import marginal, modes_of

FS_HZ = 1000.0


def extrema(x):
    """Maxima, the middle of a plateau standing for it."""
    steps = np.flatnonzero(np.diff(x))
    signs = np.sign(np.diff(x)[steps])
    return np.array(
        [
            (steps[k] + 1 + steps[k + 1]) / 2
            for k in range(len(steps) - 1)
            if signs[k] > 0 > signs[k + 1]
        ]
    )


def middle(x):
    n, total = len(x), 0.0
    for sign in (1, -1):
        places = extrema(sign * x)
        if len(places) < 2:
            return None
        heights = x[places.astype(int)]
        t = np.concatenate([-places[1::-1], places, 2 * (n - 1) - places[:-3:-1]])
        y = np.concatenate([heights[1::-1], heights, heights[:-3:-1]])
        total = total + CubicSpline(t, y, bc_type="natural")(np.arange(n)) / 2
    return total


def by_definition(x, modes, sifts):
    rest, found = x - x.mean(), []
    while len(found) < modes and middle(rest) is not None:
        mode = rest
        for _ in range(sifts):
            centre = middle(mode)
            if centre is None:
                break
            mode = mode - centre
        found.append(mode)
        rest = rest - mode
    return np.array(found)


@pytest.mark.parametrize("n", [40, 300])
def test_modes_agree_with_splines_of_scipy(rng, n):
    x = np.round(4 * rng.standard_normal(n)) / 2  # with plateaus
    found, count = modes_of(x, modes=6, sifts=7)
    expected = by_definition(x, 6, 7)
    assert int(count) == len(expected)
    np.testing.assert_allclose(found[: len(expected)], expected, atol=1e-10)


def test_modes_add_up_to_the_signal(rng):
    x = rng.standard_normal((3, 2, 400)) + 5
    found, counts = modes_of(x)
    assert counts.shape == (3, 2)
    assert (counts > 3).all()
    np.testing.assert_allclose(found.sum(axis=-2), x - x.mean(-1, keepdims=True), atol=1e-12)


def test_modes_of_noise_are_an_octave_apart(rng):
    power, hz = marginal(rng.standard_normal((60, 1024)), FS_HZ)
    means = (power * hz).sum((0, 2)) / power.sum((0, 2))
    ratios = means[1:4] / means[2:5]
    assert ((ratios > 1.6) & (ratios < 2.4)).all()


def test_the_marginal_is_that_of_analytic_signals(rng):
    x = np.cumsum(rng.standard_normal(500))
    modes, _ = modes_of(x)
    z = hilbert(modes[:-1], axis=-1)
    power, hz = marginal(x, FS_HZ)
    slow = np.diff(np.unwrap(np.angle(z)), axis=-1) * FS_HZ / (2 * np.pi)
    np.testing.assert_allclose(hz[0], slow[0], atol=1e-6)
    np.testing.assert_allclose(power, np.abs(z[:, 1:] * z[:, :-1]) / 2, rtol=1e-9)


def test_two_tones_are_told_apart_and_their_power_kept():
    t = np.arange(2000) / FS_HZ
    x = 3 * np.sin(2 * np.pi * 30 * t) + 2 * np.sin(2 * np.pi * 200 * t)
    found = compute("hht-power", x[None, None], fs_hz=FS_HZ, edges_hz=(10, 100, 300))[0, 0]
    np.testing.assert_allclose(found, [4.5, 2.0], rtol=0.03)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"edges_hz": (100.0, 50.0)}, "two rising frequencies"),
        ({"edges_hz": (600.0, 700.0)}, "not below half the sampling rate"),
        ({"modes": 0}, "modes must be at least 1"),
        ({"sifts": 0}, "sifts must be at least 1"),
    ],
)
def test_what_makes_no_marginal(parameters, match):
    with pytest.raises(ParameterError, match=match):
        compute("hht-power", np.ones((1, 1, 100)), fs_hz=FS_HZ, **parameters)
