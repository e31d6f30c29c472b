"""Surface libraries against the written-out source, and the laws they owe."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import correlate

from myograph.core.errors import DataError, FormatError
from myograph.twin.conductor import PlanarConductor, Tissue, half_space
from myograph.twin.cylinder import CylindricalConductor
from myograph.twin.electrode import SurfaceElectrodes
from myograph.twin.fibre import Fibres
from myograph.twin.muap import LibraryOptions, MuapLibrary, muap_library
from myograph.twin.muscle import Muscle, MuscleGeometry
from myograph.twin.pool import PoolParameters
from myograph.twin.source import ActionPotential, FibreSource

GEOMETRY = MuscleGeometry(fibre_length_mm=90, width_mm=14, thickness_mm=10, zones=(0.4,))
PLANE = PlanarConductor.of(GEOMETRY)


@pytest.fixture(scope="module")
def muscle():
    return Muscle.healthy("TA", PoolParameters(n_units=12, n_fibres=900), GEOMETRY, seed=4)


def with_fibres(muscle, **arrays):
    n = len(arrays["x_mm"])
    plain = {
        "unit": np.zeros(n, int),
        "y_mm": np.zeros(n),
        "diameter_um": np.full(n, 55.0),
        "endplate_mm": np.full(n, 36.0),
        "left_mm": np.zeros(n),
        "right_mm": np.full(n, 90.0),
        "velocity_m_s": np.full(n, 4.0),
        "innervated": np.ones(n, bool),
        "maturity": np.ones(n),
        "terminal_delay_ms": np.zeros(n),
    }
    fibres = Fibres(**{**plain, **arrays})
    return replace(muscle.keep_units(np.arange(12) == 0), fibres=fibres)


def test_a_fibre_is_what_its_source_gives_in_a_half_space(muscle):
    one = with_fibres(muscle, x_mm=np.array([1.0]), y_mm=np.array([-1.0]))
    pair = SurfaceElectrodes.bipolar(4.0, center_z_mm=60, spacing_mm=10, radius_mm=0)
    fs_hz = 16_384.0
    library = muap_library(one, pair, PlanarConductor(fat_mm=0, skin_mm=0), fs_hz=fs_hz)
    source = FibreSource(left_mm=0, endplate_mm=36, right_mm=90, velocity_m_s=4.0, diameter_um=55.0)
    z = np.arange(0, 90, 0.02) + 0.01

    def potential(at):
        return half_space(3.0, GEOMETRY.surface_y_mm + 1.0, z - at)

    slope = np.gradient(potential(65.0) - potential(55.0), z)
    samples = np.arange(0, library.values.shape[2], 7)
    exact = [
        -1000 * source.strength * 0.02 * np.sum(source.gradient(z, 1000 * s / fs_hz) * slope)
        for s in samples
    ]
    np.testing.assert_allclose(
        library.values[0, 0, samples], exact, atol=0.02 * np.abs(exact).max()
    )


def test_a_slower_rate_shows_the_same_potential(muscle):
    array = SurfaceElectrodes.linear(3, spacing_mm=8, center_z_mm=60)
    slow, fast = (muap_library(muscle, array, PLANE, fs_hz=fs) for fs in (2048.0, 16_384.0))
    for unit in (0, 11):
        shown = slow.values[unit, 1, slow.onset_sample :]
        fine = fast.values[unit, 1, fast.onset_sample :: 8]
        n = min(len(shown), len(fine))
        assert np.abs(shown[:n] - fine[:n]).max() < 0.03 * np.abs(fine).max()


def test_a_unit_is_the_sum_of_its_fibres(muscle):
    array = SurfaceElectrodes.linear(2, spacing_mm=8, center_z_mm=60)
    x = np.array([-2.0, 0.5, 3.0])
    parts = [
        muap_library(with_fibres(muscle, x_mm=x[i : i + 1]), array, PLANE, fs_hz=2048.0).values
        for i in range(3)
    ]
    whole = muap_library(with_fibres(muscle, x_mm=x), array, PLANE, fs_hz=2048.0).values
    np.testing.assert_allclose(whole, sum(parts), atol=2e-3 * np.abs(whole).max())


def test_potentials_travel_with_the_fibres_velocity(muscle):
    array = SurfaceElectrodes.linear(3, spacing_mm=10, center_z_mm=62)
    one = with_fibres(muscle, x_mm=np.zeros(1), right_mm=np.array([140.0]))
    fs_hz = 20_000.0
    values = muap_library(one, array, PLANE, fs_hz=fs_hz).values[0]
    differences = values[:-1] - values[1:]
    lags = correlate(differences[1], differences[0])
    delay_ms = 1000 * (lags.argmax() - len(differences[0]) + 1) / fs_hz
    assert 10.0 / delay_ms == pytest.approx(4.0, rel=0.03)


def test_moving_muscle_and_electrodes_together_changes_nothing(muscle):
    fibres = muscle.fibres
    moved = muscle.remodelled(
        fibres.change(
            endplate_mm=fibres.endplate_mm + 30,
            left_mm=fibres.left_mm + 30,
            right_mm=fibres.right_mm + 30,
        )
    )
    array = SurfaceElectrodes.linear(3, spacing_mm=8, center_z_mm=50)
    here = muap_library(muscle, array, PLANE, fs_hz=2048.0).values
    there = muap_library(moved, array.shifted(z_mm=30), PLANE, fs_hz=2048.0).values
    np.testing.assert_allclose(there, here, atol=1e-4 * np.abs(here).max())


def test_left_and_right_mirror_each_other(muscle):
    array = SurfaceElectrodes(np.array([-6.0, 6.0]), np.array([60.0, 60.0]))
    here = muap_library(muscle, array, PLANE, fs_hz=2048.0).values
    fibres = muscle.fibres.change(x_mm=-muscle.fibres.x_mm)
    there = muap_library(replace(muscle, fibres=fibres), array, PLANE, fs_hz=2048.0).values
    np.testing.assert_allclose(there[:, ::-1], here, atol=1e-4 * np.abs(here).max())


def test_deeper_fatter_and_farther_is_weaker(muscle):
    array = SurfaceElectrodes.bipolar(0.0, center_z_mm=65)

    def size(fat_mm=2.0, depth_mm=0.0, x_mm=0.0):
        geometry = replace(GEOMETRY, fat_mm=fat_mm, depth_mm=depth_mm)
        library = muap_library(
            replace(muscle, geometry=geometry),
            array.shifted(x_mm=x_mm),
            PlanarConductor.of(geometry),
            fs_hz=2048.0,
        )
        return np.ptp(library.values, axis=2).sum()

    assert size() > size(fat_mm=6.0) > size(fat_mm=12.0)
    assert size() > size(depth_mm=6.0)
    assert size() > size(x_mm=20.0) > size(x_mm=40.0)


def test_a_limb_and_a_plane_of_the_same_layers_are_alike(muscle):
    array = SurfaceElectrodes.bipolar([0.0, 6.0], center_z_mm=65)
    geometry = replace(GEOMETRY, limb_radius_mm=60)
    plane = muap_library(muscle, array, PLANE, fs_hz=2048.0).values
    limb = muap_library(muscle, array, CylindricalConductor.of(geometry), fs_hz=2048.0).values
    for found, expected in zip(limb.reshape(24, -1), plane.reshape(24, -1), strict=True):
        assert np.corrcoef(found, expected)[0, 1] > 0.97
        assert np.ptp(found) == pytest.approx(np.ptp(expected), rel=0.35)


def test_denervated_fibres_and_dead_units_are_silent(muscle):
    array = SurfaceElectrodes.linear(2, spacing_mm=8, center_z_mm=60)
    library = muap_library(muscle.kill_units([3]), array, PLANE, fs_hz=2048.0)
    assert not library.values[3].any()
    assert library.values[4].any()
    none = muscle.kill_units(np.arange(12))
    assert not muap_library(none, array, PLANE, fs_hz=2048.0).values.any()


def test_a_channel_of_weights_is_that_sum_of_electrodes(muscle):
    pair = SurfaceElectrodes.bipolar(0.0, center_z_mm=60)
    single = replace(pair, weights=None)
    difference = muap_library(muscle, pair, PLANE, fs_hz=2048.0).values[:, 0]
    both = muap_library(muscle, single, PLANE, fs_hz=2048.0).values
    np.testing.assert_allclose(difference, both[:, 0] - both[:, 1], atol=1e-3)


def test_the_same_muscle_gives_the_same_bits_on_any_number_of_threads(muscle):
    array = SurfaceElectrodes.grid(2, 3, spacing_mm=6, center_z_mm=60)
    one = muap_library(muscle, array, PLANE, fs_hz=2048.0)
    two = muap_library(muscle, array, PLANE, fs_hz=2048.0, options=LibraryOptions(jobs=2))
    assert one.values.tobytes() == two.values.tobytes()
    assert one.digest == two.digest


def test_a_kept_library_is_found_again_and_only_for_the_same_question(muscle, tmp_path):
    array, kept = (
        SurfaceElectrodes.linear(2, spacing_mm=8, center_z_mm=60),
        LibraryOptions(cache=tmp_path),
    )
    first = muap_library(muscle, array, PLANE, fs_hz=2048.0, options=kept)
    (path,) = tmp_path.iterdir()
    again = muap_library(muscle, array, PLANE, fs_hz=2048.0, options=kept)
    assert again.values.tobytes() == first.values.tobytes()
    changes = [
        (muscle.kill_units([0]), array, PLANE, None),
        (muscle, array.shifted(z_mm=0.1), PLANE, None),
        (muscle, array, replace(PLANE, tissue=Tissue(fat=0.04)), None),
        (muscle, array, PLANE, ActionPotential(length_mm=1.1)),
    ]
    for state, electrodes, conductor, action in changes:
        other = muap_library(state, electrodes, conductor, fs_hz=2048.0, action=action)
        assert other.digest != first.digest
        assert other.values.tobytes() != first.values.tobytes()
    # A file under another's name is noticed.
    moved = muap_library(muscle, array.shifted(z_mm=1), PLANE, fs_hz=2048.0)
    path.rename(tmp_path / f"muaps-{moved.digest[:32]}.npz")
    with pytest.raises(FormatError, match="of another simulation"):
        muap_library(muscle, array.shifted(z_mm=1), PLANE, fs_hz=2048.0, options=kept)


def test_a_library_is_checked():
    with pytest.raises(DataError, match=r"\(n_units, n_channels, n_samples\)"):
        MuapLibrary(np.zeros((2, 3), np.float32), 2048.0, 0)
    with pytest.raises(DataError, match="onset_sample=9 lies outside"):
        MuapLibrary(np.zeros((1, 1, 5), np.float32), 2048.0, 9)
