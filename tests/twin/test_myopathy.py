from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.twin.contraction import excitation_for_force
from myograph.twin.fibre import velocity_m_s
from myograph.twin.muscle import Muscle
from myograph.twin.myopathy import FibreDisease, fibre_disease
from myograph.twin.pathology import dmd, fshd, myositis
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.pool import PoolParameters

SMALL = PoolParameters(n_units=60, n_fibres=12000)


@pytest.fixture(scope="module")
def healthy() -> Muscle:
    return Muscle.healthy("BB", SMALL, seed=3)


def plain(**options: float) -> FibreDisease:
    """Make a disease that does one thing only."""
    nothing = {"hypertrophic": 0.0, "regenerating": 0.0, "segmental": 0.0, "onset_months": 1.0}
    if "smallest_um" not in options:
        options["smallest_um"] = 1.0  # nobody dies
    return FibreDisease(**{**nothing, **options})


def test_nothing_happens_without_involvement_or_time(healthy):
    assert fibre_disease(healthy, 0.0, months=24, seed=1) is healthy
    assert fibre_disease(healthy, 0.7, months=0, seed=1) is healthy


def test_atrophy_takes_four_percent_of_the_area_in_a_month(healthy):
    sick = fibre_disease(healthy, 1.0, months=6, seed=1, rule=plain(onset_months=1.0))
    kept = sick.fibres.diameter_um > 40
    assert len(sick.fibres) == len(healthy.fibres)
    ratio = sick.fibres.area_mm2[kept] / healthy.fibres.area_mm2[kept]
    assert set(np.round(ratio, 6)) <= set(np.round([0.96**5, 0.96**6], 6))


def test_only_the_involved_share_changes_and_more_involves_the_same_fibres(healthy):
    changed = []
    for involvement in (0.2, 0.5):
        sick = fibre_disease(healthy, involvement, months=3, seed=1, rule=plain())
        changed.append(sick.fibres.diameter_um != healthy.fibres.diameter_um)
        assert changed[-1].mean() == pytest.approx(involvement, abs=0.03)
    assert (changed[1] | ~changed[0]).all()


def test_velocity_follows_the_new_diameter_and_only_there(healthy):
    sick = fibre_disease(healthy, 0.5, months=6, seed=1, rule=plain())
    np.testing.assert_allclose(
        sick.fibres.velocity_m_s, velocity_m_s(sick.fibres.diameter_um), rtol=1e-12
    )


def test_thin_fibres_die_and_some_return(healthy):
    gone = fibre_disease(healthy, 1.0, months=60, seed=1, rule=plain(smallest_um=22.0))
    back = fibre_disease(
        healthy, 1.0, months=60, seed=1, rule=plain(smallest_um=22.0, regenerating=0.4)
    )
    lost = len(healthy.fibres) - len(gone.fibres)
    assert lost > 0.5 * len(healthy.fibres)
    returned = len(back.fibres) - len(gone.fibres)
    assert returned / lost == pytest.approx(0.4, abs=0.03)
    young = back.fibres.maturity < 1
    assert young.sum() == returned
    assert back.fibres.diameter_um[young].min() >= 15
    assert back.fibres.diameter_um[young].max() <= 25


def test_swollen_fibres_split_into_neighbours_of_one_unit(healthy):
    rule = plain(hypertrophic=0.5)
    sick = fibre_disease(healthy, 1.0, months=30, seed=1, rule=rule).fibres
    whole = fibre_disease(healthy, 1.0, months=30, seed=1, rule=plain()).fibres
    assert sick.diameter_um.std() > 1.3 * healthy.fibres.diameter_um.std()
    # Twins are joined at the end: they have the endplate of a fibre within its diameter.
    twins = len(sick) - np.unique(np.stack([sick.endplate_mm, sick.left_mm]), axis=1).shape[1]
    assert twins > 100
    last, first = sick.keep(np.arange(len(sick) - twins, len(sick))), sick
    for row in range(0, twins, 37):
        mate = np.flatnonzero(first.endplate_mm == last.endplate_mm[row])
        assert len(mate) == 2
        assert len(np.unique(first.unit[mate])) == 1
        assert np.hypot(np.diff(first.x_mm[mate]), np.diff(first.y_mm[mate])) < 0.06
    assert len(whole) < len(sick)


def test_patches_are_involved_together(healthy):
    def alike(patch_mm: float) -> float:
        rule = plain(patch_mm=patch_mm)
        sick = fibre_disease(healthy, 0.5, months=3, seed=1, rule=rule).fibres
        ill = sick.diameter_um != healthy.fibres.diameter_um
        rows = np.arange(0, len(sick), 60)
        gap = np.hypot(sick.x_mm[rows, None] - sick.x_mm, sick.y_mm[rows, None] - sick.y_mm)
        near = np.argsort(gap, axis=1)[:, 1:9]
        return float((ill[near] == ill[rows, None]).mean())

    assert alike(0.0) == pytest.approx(0.5, abs=0.05)
    assert alike(3.0) > 0.62


def test_segmental_necrosis_denervates(healthy):
    sick = myositis(healthy, 0.8, months=6, seed=1)
    assert 0.25 < (~sick.fibres.innervated).mean() < 0.5
    assert (~healthy.fibres.innervated).sum() == 0


def test_units_stay_and_force_falls_so_that_recruitment_is_early(healthy):
    sick = dmd(healthy, 0.8, months=60, seed=1)
    assert sick.pool.n_alive == 60
    assert 0.1 < sick.mvc_n / healthy.mvc_n < 0.7
    wanted = 0.1 * healthy.mvc_n
    active = []
    for muscle in (healthy, sick):
        excitation, reached = excitation_for_force(muscle.pool, wanted)
        assert reached
        active.append(int((muscle.pool.rates_hz([float(excitation)]) > 0).sum()))
    assert active[1] > 1.1 * active[0]


def test_dystrophy_spreads_diameters_as_in_people(healthy):
    spread = [m.fibres.diameter_um.std() for m in (healthy, dmd(healthy, 0.8, months=48, seed=1))]
    assert spread[0] == pytest.approx(9, abs=0.5)
    assert 13 < spread[1] < 22


def test_diseases_differ_in_pace(healthy):
    left = [disease(healthy, 0.6, months=12, seed=1).mvc_n for disease in (fshd, dmd, myositis)]
    assert left[0] > left[1] > left[2]


def test_same_seed_same_bits_and_one_setting_changes_only_its_part(healthy):
    one, two = (dmd(healthy, 0.5, months=24, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.fibres.diameter_um, two.fibres.diameter_um)
    base = fibre_disease(healthy, 0.5, months=12, seed=4, rule=plain())
    cut = fibre_disease(healthy, 0.5, months=12, seed=4, rule=plain(segmental=0.2))
    np.testing.assert_array_equal(base.fibres.diameter_um, cut.fibres.diameter_um)
    assert cut.fibres.innervated.sum() < base.fibres.innervated.sum()


def test_impossible_diseases_are_refused(healthy):
    with pytest.raises(ParameterError, match="involvement must be at least 0 and at most 1"):
        fibre_disease(healthy, 1.5, months=3, seed=1)
    with pytest.warns(PhysiologyWarning, match="smallest_um=50"):
        FibreDisease(smallest_um=50)
