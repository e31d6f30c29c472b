"""The fibre's source: its shape, its transform, and the fast path against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import ParameterError
from myograph.twin.conductor import unbounded
from myograph.twin.source import ActionPotential, FibreSource, fibre_response

FIBRE = FibreSource(
    left_mm=0.0, endplate_mm=25.0, right_mm=70.0, velocity_m_s=4.0, diameter_um=55.0
)


def travelled(step_mm, n):
    return step_mm * np.arange(n)


def both_ways(potential, distance_mm, fibre=FIBRE):
    right = np.minimum(distance_mm, fibre.right_mm - fibre.endplate_mm)
    left = np.minimum(distance_mm, fibre.endplate_mm - fibre.left_mm)
    return potential(fibre.endplate_mm + right) + potential(fibre.endplate_mm - left)


def test_the_action_potential_is_rosenfalcks():
    action = ActionPotential()
    s = np.linspace(0, 20, 4001)
    assert action.potential_mv(s).max() == pytest.approx(96 * 27 * np.exp(-3) - 90, abs=1e-4)
    assert s[action.potential_mv(s).argmax()] == pytest.approx(3.0, abs=0.01)
    np.testing.assert_allclose(
        np.gradient(action.potential_mv(s), s)[1:-1], action.slope(s)[1:-1], atol=5e-3
    )
    np.testing.assert_allclose(
        np.gradient(action.slope(s), s)[2:-1], action.curvature(s)[2:-1], atol=5e-2
    )


def test_lengthening_stretches_along_the_fibre_and_keeps_the_height():
    short, long = ActionPotential(), ActionPotential(length_mm=1.5)
    s = np.linspace(0, 10, 50)
    np.testing.assert_allclose(long.potential_mv(1.5 * s), short.potential_mv(s))


def test_a_fibres_currents_add_to_nothing_at_all_times():
    k_t = np.linspace(-5, 5, 41)
    np.testing.assert_allclose(FIBRE.spectrum(0.0, k_t), 0, atol=1e-12)
    np.testing.assert_array_equal(fibre_response(np.full(300, 7.0), step_mm=0.2), 0)


def test_the_transform_is_that_of_the_current():
    # Two-dimensional integral of the gradient, times j k_z for the derivative along the fibre.
    z = np.arange(0.0, 70.0, 0.05) + 0.025
    distance = np.arange(0.0, 90.0, 0.05)
    gradient = FIBRE.gradient(z[:, None], distance[None, :] / FIBRE.velocity_m_s)
    for k_z, k_t in [(0.3, 0.2), (-0.5, 0.4), (1.0, 1.0), (0.7, -1.2)]:
        wave = np.exp(-1j * k_z * z)[:, None] * np.exp(-1j * k_t * distance)[None, :]
        numeric = 1j * k_z * FIBRE.strength * np.sum(gradient * wave) * 0.05**2
        assert FIBRE.spectrum(k_z, k_t) == pytest.approx(numeric, rel=2e-3, abs=1e-4)


def test_the_recursion_gives_the_potential_of_the_written_out_source():
    def potential(z):
        return unbounded(1.0, z - 40.0)

    step = 0.1
    fast = FIBRE.strength * fibre_response(
        both_ways(potential, travelled(step, 1200)), step_mm=step
    )
    z = np.arange(0.0, 70.0, 0.01) + 0.005
    slope = (potential(z + 0.005) - potential(z - 0.005)) / 0.01
    times = travelled(step, 1200)[::40] / FIBRE.velocity_m_s
    exact = [-FIBRE.strength * 0.01 * np.sum(FIBRE.gradient(z, t) * slope) for t in times]
    np.testing.assert_allclose(fast[::40], exact, atol=2e-3 * np.abs(exact).max())


def test_in_a_uniform_field_only_the_two_ends_show():
    # Two equal and opposite dipoles travel; each vanishes at its tendon. In a field of slope g the
    # potential is g times the difference of what is left of them: a closed form.
    action, step = ActionPotential(), 0.05
    u = travelled(step, 2000)
    fast = fibre_response(both_ways(lambda z: 0.3 * z, u), step_mm=step)
    exact = 0.3 * (action.potential_mv(u - 25.0) - action.potential_mv(u - 45.0))
    np.testing.assert_allclose(fast, exact, atol=1e-2 * np.abs(exact).max())
    assert np.abs(fast[u < 24.9]).max() < 1e-9


def test_a_far_electrode_sees_a_pulse_twice_its_width_away_as_nothing():
    # Seen from far, a travelling fibre is a pair of dipoles back to back: it falls with the cube.
    def peak(distance):
        u = travelled(0.2, 120)  # before any end is reached
        wave = fibre_response(both_ways(lambda z: 1 / np.hypot(distance, z - 25.0), u), step_mm=0.2)
        return np.abs(wave).max()

    assert peak(2000.0) / peak(4000.0) == pytest.approx(8.0, rel=0.01)


@settings(deadline=None)  # compiled on its first call
@given(st.floats(0.001, 3.0), st.floats(0.5, 2.0))
def test_the_response_is_stable_and_ends(step_mm, length_mm):
    n = int(160 / step_mm) if step_mm > 0.01 else 20_000
    potential = 1 / np.hypot(1.0, np.minimum(travelled(step_mm, n), 30.0) - 10.0)
    wave = fibre_response(potential, step_mm=step_mm, action=ActionPotential(length_mm=length_mm))
    assert np.isfinite(wave).all()
    if n * step_mm > 150:
        assert abs(wave[-1]) < 1e-6 * np.abs(wave).max()


def test_tiny_and_large_steps_agree():
    def wave(step):
        potential = 1 / np.hypot(2.0, np.minimum(travelled(step, int(60 / step)), 45.0) - 10.0)
        return fibre_response(potential, step_mm=step)

    fine, coarse = wave(0.01), wave(0.4)
    np.testing.assert_allclose(coarse, fine[::40][: len(coarse)], atol=0.02 * np.abs(fine).max())


def test_impossible_potentials_are_refused():
    with pytest.raises(ParameterError, match="length_mm must be above 0"):
        ActionPotential(length_mm=0.0)
