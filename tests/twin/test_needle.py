"""Needle potentials: against the written-out source, and what jitter, steel and kind do."""

from dataclasses import replace

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.conductor import unbounded
from myograph.twin.discharge import Discharges
from myograph.twin.muscle import Muscle, MuscleGeometry
from myograph.twin.needle import (
    NEEDLES,
    Needle,
    fibre_potentials,
    needle_library,
    needle_signal,
)
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.pool import PoolParameters
from myograph.twin.source import FibreSource

FS = 24_000.0


@pytest.fixture(scope="module")
def muscle():
    geometry = MuscleGeometry(fibre_length_mm=60)
    return Muscle.healthy("FDI", PoolParameters(n_units=20, n_fibres=3000), geometry, seed=2)


def beside(muscle, kind="concentric", **options):
    """A needle in the middle of the largest unit."""
    mine = muscle.fibres.unit == 19
    x, y = muscle.fibres.x_mm[mine].mean(), muscle.fibres.y_mm[mine].mean()
    return Needle(kind=kind, x_mm=x, y_mm=y, z_mm=42.0, **options)


@pytest.fixture(scope="module")
def library(muscle):
    return needle_library(muscle, beside(muscle), fs_hz=FS)


def test_a_fibre_beside_a_monopolar_tip_is_what_its_source_gives(muscle):
    fibre = muscle.fibres.keep([5])
    needle = Needle(kind="monopolar", x_mm=fibre.x_mm[0] - 3.0, y_mm=fibre.y_mm[0], z_mm=42.0)
    found = fibre_potentials(fibre, needle, fs_hz=FS)[0]
    source = FibreSource(
        left_mm=fibre.left_mm[0],
        endplate_mm=fibre.endplate_mm[0],
        right_mm=fibre.right_mm[0],
        velocity_m_s=fibre.velocity_m_s[0],
        diameter_um=fibre.diameter_um[0],
    )
    z = np.arange(-20, 90, 0.01) + 0.005
    slope = np.gradient(unbounded(3.0, z - 42.0), z)
    samples = np.arange(0, len(found), 11)
    exact = [
        -1000 * source.strength * 0.01 * np.sum(source.gradient(z, 1000 * s / FS) * slope)
        for s in samples
    ]
    gain = NEEDLES["monopolar"].gain
    np.testing.assert_allclose(
        found[samples], gain * np.array(exact), atol=0.01 * np.abs(found).max()
    )


def test_nothing_stays_inside_the_steel(muscle):
    needle = Needle(z_mm=30.0, facing=-1)
    x, y = needle.displaced(muscle.fibres)
    radius = muscle.fibres.diameter_um / 2000
    bevel = needle.tip.steel_mm / np.tan(np.deg2rad(15))
    shaft = y > bevel
    assert (np.abs(x[shaft]) >= needle.tip.steel_mm + radius[shaft] - 1e-9).all()
    assert (np.abs(x[y > -bevel]) >= radius[y > -bevel] - 1e-9).all()
    far = np.abs(muscle.fibres.x_mm) > 1
    np.testing.assert_array_equal(x[far], -muscle.fibres.x_mm[far])


def test_turning_the_needle_mirrors_the_muscle(muscle):
    mirrored = replace(muscle, fibres=muscle.fibres.change(x_mm=-muscle.fibres.x_mm))
    one = needle_library(muscle, Needle(z_mm=42.0, x_mm=0.4), fs_hz=FS)
    other = needle_library(mirrored, Needle(z_mm=42.0, x_mm=-0.4, facing=-1), fs_hz=FS)
    np.testing.assert_array_equal(one.muaps, other.muaps)


def test_near_fibres_are_sharp_and_large(muscle):
    needle = beside(muscle)
    values = fibre_potentials(muscle.fibres, needle, fs_hz=FS)
    distance = np.hypot(*needle.displaced(muscle.fibres))
    size = np.ptp(values, axis=1) / muscle.fibres.area_mm2
    steepness = np.abs(np.diff(values, axis=1)).max(axis=1) / np.ptp(values, axis=1)
    bins = [(0, 0.6), (1.0, 1.5), (3, 5)]
    for measure in (size, steepness):
        medians = [np.median(measure[(distance >= a) & (distance < b)]) for a, b in bins]
        assert medians[0] > medians[1] > medians[2]


def test_kinds_of_needle_see_differently(muscle):
    def potentials(kind, **options):
        return needle_library(muscle, beside(muscle, kind, **options), fs_hz=FS).muaps

    concentric, monopolar = potentials("concentric"), potentials("monopolar")
    # A reference in the muscle takes away what is far; without it potentials are wider.
    assert np.abs(monopolar).sum() > 1.2 * np.abs(concentric).sum()
    short, long = potentials("concentric", shaft_mm=4.0), potentials("concentric", shaft_mm=20.0)
    assert np.abs(short).sum() < np.abs(long).sum()
    # A point is louder to a near fibre than an area, and a whole shaft averages nearly all away.
    fibres = muscle.fibres
    near = fibres.keep(np.hypot(*beside(muscle).displaced(fibres)) < 0.3)
    size = {
        kind: np.ptp(fibre_potentials(near, beside(muscle, kind), fs_hz=FS), axis=1).max()
        for kind in NEEDLES
    }
    assert size["single-fibre"] > size["concentric"] > 5 * size["macro"]


def test_a_unit_is_its_near_fibres_and_the_rest(muscle, library):
    everything = fibre_potentials(
        muscle.fibres, beside(muscle), fs_hz=FS, n_samples=library.background.shape[1]
    )
    for unit in (0, 19):
        expected = everything[muscle.fibres.unit == unit].sum(axis=0)
        np.testing.assert_allclose(library.muaps[unit], expected, atol=1e-2)
        rows = library.near(unit)
        assert (muscle.fibres.unit[library.fibre[rows]] == unit).all()
    assert (np.ptp(library.values, axis=1) >= 5.0).all()


EMPTY = [np.empty((0, 0))] * 19


def trains(library, times):
    return Discharges((*[[]] * (library.n_units - 1), times), 1.0)


def test_discharges_add_their_unit(library):
    signal = needle_signal(trains(library, [0.1, 0.5]), library)
    n = library.background.shape[1]
    np.testing.assert_allclose(signal[2400 : 2400 + n], library.muaps[19], atol=1e-3)
    np.testing.assert_allclose(signal[12_000 : 12_000 + n], library.muaps[19], atol=1e-3)


def test_one_delay_for_all_is_a_later_discharge(library):
    near = len(library.near(19))
    delays = [*EMPTY, *[np.full((near, 1), 0.313)]]
    late = needle_signal(trains(library, [0.2]), library, delays_ms=delays)
    expected = needle_signal(trains(library, [0.2 + 0.000313]), library)
    np.testing.assert_allclose(late, expected, atol=1e-3)


def test_a_blocked_fibre_is_missing(library):
    near = library.near(19)
    delays = [*EMPTY, *[np.zeros((len(near), 1))]]
    whole = needle_signal(trains(library, [0.2]), library, delays_ms=delays)
    delays[19][0] = np.nan
    blocked = needle_signal(trains(library, [0.2]), library, delays_ms=delays)
    n = library.values.shape[1]
    np.testing.assert_allclose(
        (whole - blocked)[4800 : 4800 + n], library.values[near[0]], atol=1e-3
    )


def test_jitter_moves_single_fibres_and_not_the_mean(library):
    rng = np.random.default_rng(1)
    near, times = len(library.near(19)), 0.02 + 0.05 * np.arange(19)
    delays = [*EMPTY, *[0.02 * rng.standard_normal((near, 19))]]
    signal = needle_signal(trains(library, times), library, delays_ms=delays)
    n = library.background.shape[1]
    starts = np.round(times * FS).astype(int)
    pieces = np.stack([signal[s : s + n] for s in starts])
    assert pieces.std(axis=0).max() > 0.5
    mean = pieces.mean(axis=0)
    assert np.corrcoef(mean, library.muaps[19])[0, 1] > 0.999


def test_bad_input_is_refused(library):
    with pytest.raises(ParameterError, match="needle must be one of"):
        Needle(kind="knitting", z_mm=0.0)
    with pytest.raises(ParameterError, match="facing must be 1 or -1"):
        Needle(z_mm=0.0, facing=0)
    with pytest.raises(DataError, match="of the same muscle"):
        needle_signal(Discharges(([],), 1.0), library)
    wrong = [*EMPTY, *[np.zeros((1, 1))]]
    with pytest.raises(DataError, match="near fibres by discharges"):
        needle_signal(trains(library, [0.1, 0.2]), library, delays_ms=wrong)


def test_a_single_fibre_needle_takes_up_fibres_within_three_tenths_of_a_millimetre(muscle):
    fibres = muscle.fibres
    needle = beside(muscle, "single-fibre")
    distance = np.hypot(*needle.displaced(fibres))
    at = (distance > 0.25) & (distance < 0.35)
    size = np.ptp(fibre_potentials(fibres.keep(at), needle, fs_hz=FS), axis=1)
    assert 120 < np.median(size) < 300


def test_a_needle_outside_the_muscle_warns_and_a_slow_one_is_refused(muscle):
    for place in ({"x_mm": 50.0, "z_mm": 30.0}, {"z_mm": 500.0}):
        with pytest.warns(PhysiologyWarning, match=r"outside the muscle .* 0 to 60 mm") as said:
            needle_library(muscle, Needle(**place), fs_hz=FS)
        assert said[0].filename == __file__  # the line that called, not one in the package
    with pytest.raises(ParameterError, match=r"at least 2000 for a needle; got 200\.0"):
        needle_library(muscle, Needle(z_mm=30.0), fs_hz=200.0)
