"""Displaced electrodes: laws of the interpolation around a ring and on a grid."""

from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.datasets.sources.dc3 import DEVICE
from myograph.datasets.sources.gesture import MYO
from myograph.validate.displaced import RINGS, grid_weights, positions_of, ring_weights

GRID = np.array([[x, y] for y in (0.0, 8.0, 16.0) for x in (0.0, 8.0, 16.0, 24.0)])


@pytest.mark.parametrize("n", [5, 8])
@pytest.mark.parametrize("steps", [0, 1, 3, -2])
def test_a_shift_by_whole_electrodes_is_a_rotation(n: int, steps: int) -> None:
    weights = ring_weights(n, steps * 30.0, circumference_mm=30.0 * n)
    assert np.allclose(weights, np.roll(np.eye(n), steps, axis=1), atol=1e-12)


def test_what_varies_slowly_around_the_limb_is_known_everywhere() -> None:
    at = 2 * np.pi * np.arange(8) / 8
    turn = 2 * np.pi * 11.0 / 250.0
    field = 3.0 + np.cos(at - 0.4) + 0.5 * np.sin(3 * at)
    moved = 3.0 + np.cos(at + turn - 0.4) + 0.5 * np.sin(3 * (at + turn))
    assert np.allclose(ring_weights(8, 11.0, circumference_mm=250.0) @ field, moved)


def test_there_and_back_changes_nothing_and_power_stays() -> None:
    there, back = (ring_weights(9, s * 13.0, circumference_mm=250.0) for s in (1, -1))
    assert np.allclose(back @ there, np.eye(9))
    assert np.allclose(there @ there.T, np.eye(9))


def test_a_ring_of_two_is_refused() -> None:
    with pytest.raises(DataError, match="at least 3 channels; got 2"):
        ring_weights(2, 5.0, circumference_mm=250.0)
    with pytest.raises(ParameterError, match="circumference_mm"):
        ring_weights(8, 5.0, circumference_mm=0.0)


def test_on_a_grid_a_plane_is_known_inside_it() -> None:
    weights = grid_weights(GRID, [3.0, 5.0])
    inside = (GRID[:, 0] < 24.0) & (GRID[:, 1] < 16.0)
    moved = GRID + np.array([3.0, 5.0])
    plane = GRID @ [0.7, -1.1] + 2.0
    assert np.allclose((weights @ plane)[inside], (moved @ [0.7, -1.1] + 2.0)[inside])
    assert np.allclose(weights.sum(axis=1), 1.0)
    assert np.allclose(grid_weights(GRID, [0.0, 0.0]), np.eye(12), atol=1e-9)


def test_beyond_the_edge_the_nearest_electrode_is_heard() -> None:
    weights = grid_weights(GRID, [20.0, 0.0])
    assert np.array_equal(weights[3], np.eye(12)[3])
    slanted = np.array([[0.0, 0.0], [6.0, 8.0], [12.0, 16.0]])
    assert np.allclose(grid_weights(slanted, [3.0, 4.0])[0], [0.5, 0.5, 0.0])


def test_electrodes_without_a_place_are_refused() -> None:
    unknown = Layout(200.0, (Channel("a", kind="semg"), Channel("b", kind="semg")))
    with pytest.raises(LayoutError, match=r"\['a', 'b'\] have no position_mm"):
        positions_of(unknown)
    same = tuple(Channel(n, kind="semg", position_mm=(1.0, 2.0, 0.0)) for n in "ab")
    with pytest.raises(LayoutError, match="all at one place"):
        positions_of(Layout(200.0, same))
    with pytest.raises(DataError, match="positions"):
        grid_weights([[0.0, 1.0, 2.0]], [1.0, 0.0])


def test_known_rings_are_named_as_the_readers_name_them() -> None:
    assert set(RINGS) == {MYO, DEVICE}
