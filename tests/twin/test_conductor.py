"""Volume conductors against closed forms, limits and directly solved boundary systems."""

import numpy as np
import pytest
from scipy.special import iv, ive, ivp, kv, kve, kvp

from myograph.core.errors import ParameterError
from myograph.twin.bessel import log_first, log_second, slope_first, slope_second
from myograph.twin.conductor import (
    PlanarConductor,
    Reach,
    Tissue,
    depth_nodes_mm,
    half_space,
    unbounded,
)
from myograph.twin.cylinder import CylindricalConductor
from myograph.twin.muscle import MuscleGeometry

UNIFORM = Tissue(muscle_axial=0.3, muscle_radial=0.3, fat=0.3, skin=0.3, bone=0.3)
K = [(0.05, 0.02), (0.3, 0.1), (0.01, 0.8), (1.5, 1.5)]


def gradients(table):
    values = table.values.astype(float)
    return np.diff(values, axis=2) / table.step_z_mm, np.diff(values, axis=1) / table.step_x_mm


def test_without_fat_and_skin_the_plane_is_a_half_space():
    depths = np.array([3.0, 8.0])
    table = PlanarConductor(fat_mm=0, skin_mm=0).table(depths, Reach(15, 50), radius_mm=0)
    x = table.step_x_mm * np.arange(table.values.shape[1])[:, None]
    z = table.step_z_mm * np.arange(table.values.shape[2])[None, :]
    for values, depth in zip(table.values, depths, strict=True):
        exact = half_space(x, depth, z)
        difference = values - exact
        assert np.ptp(difference) < 0.005 * np.ptp(exact)


def test_layers_of_one_tissue_are_a_deeper_half_space():
    layered = PlanarConductor(fat_mm=2.0, skin_mm=1.0, tissue=UNIFORM)
    bare = PlanarConductor(fat_mm=0.0, skin_mm=0.0, tissue=UNIFORM)
    for k_x, k_z in K:
        assert layered.transfer(k_x, k_z, 4.0) == pytest.approx(bare.transfer(k_x, k_z, 7.0))


@pytest.mark.parametrize(("k_x", "k_z"), K)
def test_the_plane_solves_its_boundary_system(k_x, k_z):
    t, h, d, depth = Tissue(), 3.0, 1.2, 5.0
    k, k_m = np.hypot(k_x, k_z), np.sqrt(k_x**2 + t.anisotropy * k_z**2)
    source = np.exp(-k_m * depth) / (2 * t.muscle_radial * k_m)
    # Unknown: reflected wave in muscle, two waves in fat, two in skin.
    up, down = np.exp(k * h), np.exp(-k * h)
    top, low = np.exp(k * (h + d)), np.exp(-k * (h + d))
    rows = [
        [1, -1, -1, 0, 0],
        [t.muscle_radial * k_m, -t.fat * k, t.fat * k, 0, 0],
        [0, up, down, -up, -down],
        [0, t.fat * up, -t.fat * down, -t.skin * up, t.skin * down],
        [0, 0, 0, top, -low],
    ]
    right = [-source, t.muscle_radial * k_m * source, 0, 0, 0]
    waves = np.linalg.solve(np.array(rows), np.array(right))
    skin = waves[3] * top + waves[4] * low
    assert PlanarConductor(fat_mm=h, skin_mm=d).transfer(k_x, k_z, depth) == pytest.approx(skin)


def test_more_fat_attenuates_and_blurs():
    peaks, widths = [], []
    for fat_mm in (0.5, 2.0, 4.0, 8.0):
        conductor = PlanarConductor(fat_mm=fat_mm, skin_mm=1.0)
        table = conductor.table(np.array([4.0]), Reach(40, 60), radius_mm=0)
        values = table.values[0].astype(float)
        across = values[:, 0] - values[-1, 0]
        peaks.append(across[0])
        widths.append(table.step_x_mm * np.argmax(across < across[0] / 2))
    assert all(np.diff(peaks) < 0)
    assert all(np.diff(widths) > 0)


def test_a_larger_disc_takes_less():
    conductor = PlanarConductor(fat_mm=1.0, skin_mm=1.0)
    tables = [conductor.table(np.array([2.0]), Reach(5, 20), radius_mm=r) for r in (0, 2, 5)]
    along = [np.abs(np.diff(t.values[0, 0].astype(float))).max() for t in tables]
    assert along[0] > along[1] > along[2]


def test_a_disc_takes_the_mean_of_what_lies_below_it():
    depths, reach = np.array([4.0]), Reach(12, 12)
    conductor = PlanarConductor(fat_mm=1.0, skin_mm=1.0)
    point, disc = (conductor.table(depths, reach, radius_mm=r).values[0] for r in (0.0, 3.0))
    radius, angle = 3 * np.sqrt((np.arange(20) + 0.5) / 20), np.arange(40) * np.pi / 20

    def mean_around(x, z):
        dx, dz = np.outer(radius, np.cos(angle)), np.outer(radius, np.sin(angle))
        rows = np.rint(np.abs(x + dx) / 0.5).astype(int)
        columns = np.rint(np.abs(z + dz) / 0.25).astype(int)
        return point[rows, columns].mean()

    for x, z in [(0, 0), (4, 0), (0, 5)]:
        expected = mean_around(x, z) - mean_around(8, 8)
        found = disc[int(x / 0.5), int(z / 0.25)] - disc[16, 32]
        assert found == pytest.approx(expected, rel=0.03)


def test_unbounded_muscle_obeys_its_equation():
    # The current through a closed box around the source is the source's.
    t = Tissue(muscle_axial=0.5, muscle_radial=0.1)
    u = np.linspace(-1, 1, 401)
    a, b = np.meshgrid(u, u)
    h = 1e-4
    through_ends = -t.muscle_axial * (
        unbounded(np.hypot(a, b), 1 + h, t) - unbounded(np.hypot(a, b), 1 - h, t)
    )
    through_sides = -t.muscle_radial * (
        unbounded(np.hypot(a, 1 + h), b, t) - unbounded(np.hypot(a, 1 - h), b, t)
    )
    area = (u[1] - u[0]) ** 2
    trapezoid = np.ones_like(a)
    trapezoid[[0, -1]] /= 2
    trapezoid[:, [0, -1]] /= 2
    total = (2 * through_ends + 4 * through_sides) / (2 * h)
    assert float((total * trapezoid).sum() * area) == pytest.approx(1.0, rel=1e-3)


def test_depths_between_nodes_are_found_on_straight_lines():
    nodes = depth_nodes_mm([0.5, 20.0], cover_mm=3.0)
    between = (nodes[1:] + nodes[:-1]) / 2
    exact, straight = 1 / (between + 3), (1 / (nodes[1:] + 3) + 1 / (nodes[:-1] + 3)) / 2
    np.testing.assert_allclose(straight, exact, rtol=5e-3)
    assert nodes[0] == pytest.approx(0.5)
    assert nodes[-1] == pytest.approx(20.0)


@pytest.mark.parametrize("order", [0, 1, 7, 23, 24, 40, 90])
def test_bessel_logarithms(order):
    x = np.array([0.8, 5.0, 30.0, 200.0])
    np.testing.assert_allclose(log_first(order, x), np.log(ive(order, x)) + x, atol=1e-9)
    np.testing.assert_allclose(log_second(order, x), np.log(kve(order, x)) - x, atol=1e-9)
    np.testing.assert_allclose(slope_first(order, x), ivp(order, x) / iv(order, x), rtol=1e-8)
    np.testing.assert_allclose(slope_second(order, x), kvp(order, x) / kv(order, x), rtol=1e-8)


@pytest.mark.parametrize("bone_mm", [0.0, 5.0])
@pytest.mark.parametrize(("order", "k"), [(0, 0.1), (1, 0.05), (4, 0.3), (12, 0.6)])
def test_the_cylinder_solves_its_boundary_system(bone_mm, order, k):
    t = Tissue()
    limb, skin, fat, depth = 20.0, 1.0, 3.0, 4.0
    a, c = limb - skin - fat, limb - skin
    k_m = k * np.sqrt(t.anisotropy)

    def i(r, kk):
        return iv(order, kk * r), kk * ivp(order, kk * r)

    def w(r, kk):
        return kv(order, kk * r), kk * kvp(order, kk * r)

    inner = a - depth
    s = 1 / (2 * np.pi * t.muscle_radial)
    # Unknown: I in bone, I and K in muscle, fat and skin.
    rows, right = [], []
    if bone_mm:
        source, slope = (s * w(inner, k_m)[0] * part for part in i(bone_mm, k_m))
        for n, given in ((0, source), (1, slope)):
            f, g = ((1, 1), (t.bone, t.muscle_radial))[n]
            row = [f * i(bone_mm, k)[n], -g * i(bone_mm, k_m)[n], -g * w(bone_mm, k_m)[n]]
            rows.append([*row, 0, 0, 0, 0])
            right.append(g * given)
    else:
        rows += [[1, 0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0]]
        right += [0, 0]
    for n in (0, 1):
        f, g = ((1, 1), (t.muscle_radial, t.fat))[n]
        row = [0, f * i(a, k_m)[n], f * w(a, k_m)[n], -g * i(a, k)[n], -g * w(a, k)[n], 0, 0]
        rows.append(row)
        right.append(-f * s * i(inner, k_m)[0] * w(a, k_m)[n])
    for n in (0, 1):
        f, g = ((1, 1), (t.fat, t.skin))[n]
        rows.append([0, 0, 0, f * i(c, k)[n], f * w(c, k)[n], -g * i(c, k)[n], -g * w(c, k)[n]])
        right.append(0)
    rows.append([0, 0, 0, 0, 0, i(limb, k)[1], w(limb, k)[1]])
    right.append(0)
    matrix = np.array(rows)
    scale = np.abs(matrix).max(axis=0)
    waves = np.linalg.solve(matrix / scale, np.array(right)) / scale
    expected = waves[5] * i(limb, k)[0] + waves[6] * w(limb, k)[0]
    limb_model = CylindricalConductor(limb_mm=limb, fat_mm=fat, skin_mm=skin, bone_mm=bone_mm)
    assert limb_model.transfer(order, k, depth) == pytest.approx(expected, rel=1e-7)


def test_a_wide_cylinder_is_a_plane():
    depths, reach = np.array([6.0]), Reach(15, 50)
    plane = PlanarConductor(fat_mm=2, skin_mm=1).table(depths, reach, radius_mm=1)
    limb = CylindricalConductor(limb_mm=250, fat_mm=2, skin_mm=1)
    for found, expected in zip(
        gradients(limb.table(depths, reach, radius_mm=1)), gradients(plane), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=0.04 * np.abs(expected).max())


def test_far_along_a_limb_the_potential_falls_in_a_straight_line():
    limb = CylindricalConductor(limb_mm=20, fat_mm=3, skin_mm=1, bone_mm=5)
    table = limb.table(np.array([4.0]), Reach(10, 120), radius_mm=0)
    t, radii = limb.tissue, np.array([0, 5.0, 16, 19, 20])
    area = np.pi * np.diff(radii**2) @ [t.bone, t.muscle_axial, t.fat, t.skin]
    along, _ = gradients(table)
    np.testing.assert_allclose(along[0, :, -40:], -1 / (2 * area), rtol=0.02)


def test_bone_reflects():
    near = [
        CylindricalConductor(limb_mm=20, fat_mm=2, skin_mm=1, bone_mm=b).transfer(2, 0.1, 8.0)
        for b in (0.0, 4.0, 7.0)
    ]
    assert near[0] < near[1] < near[2]


def test_conductors_of_a_muscle():
    geometry = MuscleGeometry(limb_radius_mm=30, fat_mm=4, skin_mm=1.5, bone_radius_mm=6)
    plane, limb = PlanarConductor.of(geometry), CylindricalConductor.of(geometry)
    assert plane.cover_mm == limb.cover_mm == 5.5
    assert limb.muscle_mm == 24.5
    depth, along = plane.locate([2.0], [1.0], surface_y_mm=4.9)
    assert (depth[0], along[0]) == (pytest.approx(3.9), 2.0)
    depth, along = limb.locate([2.0], [1.0], surface_y_mm=4.9)
    assert depth[0] == pytest.approx(3.9)
    assert along[0] == pytest.approx(2.0 * 30 / 19.6)


def test_impossible_limbs_are_refused():
    with pytest.raises(ParameterError, match="leave no muscle"):
        CylindricalConductor(limb_mm=10, fat_mm=5, skin_mm=1, bone_mm=5)
    limb = CylindricalConductor(limb_mm=20, fat_mm=2, skin_mm=1, bone_mm=8)
    with pytest.raises(ParameterError, match="past the bone"):
        limb.locate([0.0], [-8.0], surface_y_mm=5.0)
    with pytest.raises(ParameterError, match="fat_mm must be 0 or more"):
        PlanarConductor(fat_mm=-1, skin_mm=1)
    with pytest.raises(ParameterError, match="skin must be above 0"):
        Tissue(skin=0)
