import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.signal.spatial import MONTAGES, Grid, bridges, spatial_filter

NEIGHBOURS = [name for name, mask in MONTAGES.items() if mask is not None]


def grid(n_along=5, n_across=4, pitch=8.0, missing=()):
    return np.array(
        [
            (pitch * a, pitch * c, 0.0)
            for c in range(n_across)
            for a in range(n_along)
            if (a, c) not in missing
        ]
    )


def field(positions, power):
    """A potential that is a power of the place along the fibres, one sample."""
    return positions[:, :1] ** power


@pytest.mark.parametrize("montage", [*NEIGHBOURS, "common-average"])
def test_what_all_electrodes_share_is_gone(montage):
    positions = grid()
    made = spatial_filter(montage, len(positions), positions)
    np.testing.assert_allclose(made.weights.sum(axis=1), 0, atol=1e-12)
    common = np.tile(np.random.default_rng(0).standard_normal(50), (len(positions), 1))
    assert np.abs(made.apply(common)).max() < 1e-6


@pytest.mark.parametrize(
    ("montage", "count", "gradient", "curvature"),
    [
        # On x: differences of 8 mm; on x^2 / 64: second differences of 2, by hand.
        ("single-differential", 16, -8.0, None),
        ("double-differential", 12, 0.0, 128.0),
        ("laplacian", 6, 0.0, -128.0),
        ("inverse-binomial", 6, 0.0, -4 * 128.0),
    ],
)
def test_masks_on_polynomials(montage, count, gradient, curvature):
    positions = grid()
    made = spatial_filter(montage, len(positions), positions)
    assert made.weights.shape == (count, 20)
    np.testing.assert_allclose(made.apply(field(positions, 1)), gradient, atol=1e-4)
    if curvature is not None:
        np.testing.assert_allclose(made.apply(field(positions, 2)), curvature, rtol=1e-5)


@pytest.mark.parametrize("montage", NEIGHBOURS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_electrodes_does_not_matter(montage, seed):
    positions = grid()
    rng = np.random.default_rng(seed)
    order, x = rng.permutation(len(positions)), rng.standard_normal((len(positions), 7))
    plain = spatial_filter(montage, 20, positions)
    shuffled = spatial_filter(montage, 20, positions[order])
    np.testing.assert_allclose(shuffled.apply(x[order]), plain.apply(x), atol=1e-5)
    np.testing.assert_allclose(shuffled.positions_mm, plain.positions_mm, atol=1e-12)


@given(shift=st.tuples(*[st.floats(-100, 100)] * 3), jitter=st.floats(0, 0.9))
def test_where_the_grid_lies_does_not_matter(shift, jitter):
    rng = np.random.default_rng(1)
    moved = grid() + shift + rng.uniform(-jitter, jitter, (20, 3))
    made = spatial_filter("laplacian", 20, moved)
    np.testing.assert_array_equal(made.weights, spatial_filter("laplacian", 20, grid()).weights)


def test_a_missing_electrode_costs_only_its_neighbours():
    whole = spatial_filter("single-differential", 20, grid())
    positions = grid(missing=[(2, 1)])
    made = spatial_filter("single-differential", 19, positions)
    assert len(made.weights) == len(whole.weights) - 2
    assert len(spatial_filter("laplacian", 19, positions).weights) == 2


def test_fibres_may_run_the_other_way():
    positions = grid()
    turned = positions[:, [1, 0, 2]]
    along_y = spatial_filter("double-differential", 20, turned, along="y")
    assert sorted(map(tuple, along_y.weights)) == sorted(
        map(tuple, spatial_filter("double-differential", 20, positions).weights)
    )


def test_positions_are_where_the_channel_looks():
    line = [(0, 3, 0), (10, 3, 0), (20, 3, 0)]
    single = spatial_filter("single-differential", 3, line)
    assert single.positions_mm.tolist() == [[5, 3, 0], [15, 3, 0]]
    assert spatial_filter("double-differential", 3, line).positions_mm.tolist() == [[10, 3, 0]]


def test_grids_with_two_pitches():
    made = Grid.of([(10.0 * a, 4.0 * c, 0) for a in range(3) for c in range(3)])
    assert made.pitch_mm == pytest.approx((10.0, 4.0))


def test_refusals():
    with pytest.raises(LayoutError, match=r"lie on no grid.*electrode \d at"):
        Grid.of([(0, 0, 0), (10, 0, 0), (24, 0, 0), (30, 0, 0), (40, 0, 0)])
    with pytest.raises(LayoutError, match="Two electrodes lie on one place"):
        Grid.of([(0, 0, 0), (8, 0, 0), (8, 0, 0)])
    with pytest.raises(LayoutError, match=r"must be \(n_electrodes, 3\) finite"):
        Grid.of([(0, np.nan, 0), (1, 1, 1)])
    with pytest.raises(LayoutError, match="no electrode with all the neighbours"):
        spatial_filter("laplacian", 4, [(8 * i, 0, 0) for i in range(4)])
    with pytest.raises(LayoutError, match="needs to know where"):
        spatial_filter("laplacian", 4)
    with pytest.raises(LayoutError, match="at least 2 electrodes"):
        spatial_filter("common-average", 1)
    with pytest.raises(ParameterError, match="Did you mean 'laplacian'"):
        spatial_filter("laplace", 4)


def test_bridges_are_found_and_nothing_else():
    rng = np.random.default_rng(3)
    positions = grid()
    # A smooth field: neighbours are alike without being joined.
    far = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    x = np.linalg.cholesky(np.exp(-far / 20) + 1e-9 * np.eye(20)) @ rng.standard_normal((20, 4000))
    assert bridges(x, positions) == ()
    joined = x.copy()
    joined[7] = joined[8] + 0.01 * rng.standard_normal(4000)
    (bridge,) = bridges(joined, positions)
    assert (bridge.first, bridge.second) == (7, 8)
    assert bridge.share < 0.02
    (scaled,) = bridges(1000 * joined, positions)
    assert scaled.share == pytest.approx(bridge.share)


def test_bridges_need_neighbours():
    with pytest.raises(ParameterError, match="comparing neighbours"):
        bridges(np.ones((2, 10)), [(0, 0, 0), (8, 0, 0)])
    with pytest.raises(DataError, match="record the same"):
        bridges(np.ones((4, 10)), [(8 * i, 0, 0) for i in range(4)])
    with pytest.raises(DataError, match="4 positions need as many"):
        bridges(np.ones((3, 10)), [(8 * i, 0, 0) for i in range(4)])
