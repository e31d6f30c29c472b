from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.fibre import ORPHAN, Fibres, velocity_m_s
from myograph.twin.muscle import Muscle, MuscleGeometry
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.pool import PoolParameters

SMALL = PoolParameters(n_units=40, n_fibres=4000)


@pytest.fixture(scope="module")
def muscle() -> Muscle:
    return Muscle.healthy("FDI", SMALL, seed=3)


def test_fibres_lie_inside_the_muscle_and_their_units_own_the_promised_number(muscle):
    fibres = muscle.fibres
    assert muscle.geometry.inside(fibres.x_mm, fibres.y_mm).all()
    np.testing.assert_array_equal(muscle.fibre_counts, muscle.pool.n_fibres)
    assert fibres.unit.max() == 39
    assert len(fibres) == 4000


def test_diameters_have_the_mean_and_spread_asked_for_and_large_units_thicker_fibres():
    fibres = Muscle.healthy("FDI", seed=1).fibres
    assert fibres.diameter_um.mean() == pytest.approx(55, abs=0.2)
    assert fibres.diameter_um.std() == pytest.approx(9, abs=0.2)
    first, last = (fibres.diameter_um[fibres.unit == unit].mean() for unit in (0, 119))
    assert last > first + 9


def test_velocity_follows_the_diameter():
    np.testing.assert_allclose(velocity_m_s([25, 55, 85]), [2.2, 3.7, 5.2])
    fibres = Muscle.healthy("FDI", SMALL, seed=3).fibres
    thin = fibres.change(diameter_um=fibres.diameter_um * 0.5)
    np.testing.assert_allclose(thin.velocity_m_s, velocity_m_s(fibres.diameter_um * 0.5))


def test_endplates_lie_between_the_tendons_near_their_zones():
    geometry = MuscleGeometry(fibre_length_mm=120, zones=(0.3, 0.7), zone_spread_mm=3)
    fibres = Muscle.healthy("BB", SMALL, geometry, seed=2).fibres
    assert (fibres.left_mm < fibres.endplate_mm).all()
    assert (fibres.endplate_mm < fibres.right_mm).all()
    nearest = np.abs(fibres.endplate_mm[:, None] - np.array([36.0, 84.0])).min(axis=1)
    assert nearest.max() < 15
    assert 0.2 < np.mean(fibres.endplate_mm < 60) < 0.8


def test_the_same_seed_gives_the_same_fibres_bit_for_bit():
    one, two = (Muscle.healthy("FDI", SMALL, seed=5).fibres for _ in range(2))
    other = Muscle.healthy("FDI", SMALL, seed=6).fibres
    for name in ("x_mm", "diameter_um", "endplate_mm", "left_mm"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
        assert not np.array_equal(getattr(one, name), getattr(other, name))


def test_changing_the_diameters_changes_diameters_and_velocities_only():
    one = Muscle.healthy("FDI", SMALL, MuscleGeometry(diameter_um=50), seed=5).fibres
    two = Muscle.healthy("FDI", SMALL, MuscleGeometry(diameter_um=60), seed=5).fibres
    for name in ("unit", "x_mm", "y_mm", "endplate_mm", "left_mm", "right_mm"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert (two.diameter_um > one.diameter_um).all()


def test_force_follows_the_fibres(muscle):
    fibres = muscle.fibres
    halved = muscle.remodelled(fibres.change(diameter_um=fibres.diameter_um / np.sqrt(2)))
    np.testing.assert_allclose(halved.pool.twitch_n, muscle.pool.twitch_n / 2)
    assert halved.mvc_n == pytest.approx(muscle.mvc_n / 2)
    denervated = muscle.remodelled(fibres.change(innervated=fibres.unit != 7))
    assert denervated.pool.twitch_n[7] == 0
    np.testing.assert_array_equal(
        np.delete(denervated.pool.twitch_n, 7), np.delete(muscle.pool.twitch_n, 7)
    )


def test_dead_units_keep_their_row_and_their_denervated_fibres(muscle):
    dead = muscle.kill_units([0, 5])
    assert dead.pool.n_units == 40
    assert dead.pool.n_alive == 38
    assert dead.fibre_counts[[0, 5]].tolist() == [0, 0]
    assert len(dead.fibres) == len(muscle.fibres)
    assert (dead.pool.rates_hz([1.0])[[0, 5]] == 0).all()
    assert muscle.pool.n_alive == 40  # the original is untouched


def test_keeping_units_renumbers_them_and_orphans_the_rest(muscle):
    mask = np.zeros(40, bool)
    mask[[3, 30]] = True
    kept = muscle.keep_units(mask)
    assert kept.pool.n_units == 2
    assert kept.fibre_counts.tolist() == muscle.fibre_counts[[3, 30]].tolist()
    orphans = kept.fibres.unit == ORPHAN
    assert orphans.sum() == 4000 - kept.fibre_counts.sum()
    assert not kept.fibres.innervated[orphans].any()


def test_columns_follow_their_fibres(muscle):
    fibres = muscle.fibres.change(columns={"quanta": np.arange(4000)})
    part = fibres.keep(fibres.unit == 4)
    np.testing.assert_array_equal(part.columns["quanta"], np.flatnonzero(fibres.unit == 4))
    joined = Fibres.concatenate([part, part])
    assert len(joined) == 2 * len(part)
    with pytest.raises(DataError, match="same columns"):
        Fibres.concatenate([part, muscle.fibres])
    with pytest.raises(DataError, match="4000 rows"):
        fibres.change(columns={"short": np.zeros(3)})


def test_arrays_are_read_only(muscle):
    with pytest.raises(ValueError, match="read-only"):
        muscle.fibres.x_mm[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        muscle.pool.threshold[0] = 1.0


def test_implausible_geometry_warns_and_impossible_geometry_is_refused():
    with pytest.warns(PhysiologyWarning, match=r"fat_mm=60 mm .*0 to 40 mm"):
        MuscleGeometry(fat_mm=60, limb_radius_mm=100)
    with pytest.raises(ParameterError, match="width_mm must be at least"):
        MuscleGeometry(width_mm=-3)
    with pytest.raises(ParameterError, match="zones"):
        MuscleGeometry(zones=(1.2,))
    with pytest.raises(ParameterError, match="bone_radius_mm"):
        MuscleGeometry(bone_radius_mm=19)


def test_fibres_of_unknown_units_are_refused(muscle):
    with pytest.raises(DataError, match="pool has 40 units"):
        Muscle("x", muscle.pool, muscle.fibres.change(unit=muscle.fibres.unit + 1), muscle.geometry)
