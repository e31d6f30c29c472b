from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.twin.contraction import excitation_for_force
from myograph.twin.muscle import Muscle
from myograph.twin.pathology import als, nerve_injury, polio
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.pool import PoolParameters
from myograph.twin.reinnervation import Reinnervation, denervated_months, lose_units, matured

SMALL = PoolParameters(n_units=60, n_fibres=12000)


@pytest.fixture(scope="module")
def healthy() -> Muscle:
    return Muscle.healthy("FDI", SMALL, seed=3)


def same(one: Muscle, two: Muscle) -> None:
    for name in ("unit", "diameter_um", "innervated", "maturity", "terminal_delay_ms"):
        np.testing.assert_array_equal(getattr(one.fibres, name), getattr(two.fibres, name))
    np.testing.assert_array_equal(one.pool.twitch_n, two.pool.twitch_n)


def test_no_loss_changes_nothing(healthy):
    assert lose_units(healthy, 0.0, months=12, seed=1) is healthy


def test_fibres_are_conserved_and_belong_to_living_units(healthy):
    sick = lose_units(healthy, 0.6, months=24, seed=1)
    assert len(sick.fibres) == len(healthy.fibres)
    assert sick.pool.n_alive == 24
    owners = np.unique(sick.fibres.unit[sick.fibres.innervated])
    assert sick.pool.alive[owners].all()
    # A fibre stays where it is, endplate included.
    np.testing.assert_array_equal(sick.fibres.x_mm, healthy.fibres.x_mm)
    np.testing.assert_array_equal(sick.fibres.endplate_mm, healthy.fibres.endplate_mm)


def test_survivors_keep_their_own_fibres_and_adopt_within_reach(healthy):
    sick = lose_units(healthy, 0.5, months=24, seed=1)
    for unit in np.flatnonzero(sick.pool.alive):
        before, after = set(healthy.fibres.of_unit(unit)), set(sick.fibres.of_unit(unit))
        assert before <= after
    adopted = np.flatnonzero(sick.fibres.innervated & (sick.fibres.unit != healthy.fibres.unit))
    for row in adopted[:: max(len(adopted) // 50, 1)]:
        mates = sick.fibres.of_unit(int(sick.fibres.unit[row]))
        mates = mates[mates != row]
        gap = np.hypot(
            sick.fibres.x_mm[mates] - sick.fibres.x_mm[row],
            sick.fibres.y_mm[mates] - sick.fibres.y_mm[row],
        )
        assert gap.min() <= 0.15


def test_fibres_of_enlarged_units_thicken_as_far_as_strength_lacks(healthy):
    plain = lose_units(healthy, 0.8, months=120, seed=1, rule=Reinnervation())
    law = Reinnervation(hypertrophy=0.2)
    sick = lose_units(healthy, 0.8, months=120, seed=1, rule=law)
    grown = (sick.fibres.diameter_um / plain.fibres.diameter_um) ** 2
    assert 1.1 < grown[sick.fibres.innervated].mean() <= grown.max() <= 2.0 + 1e-9
    assert (grown[~sick.fibres.innervated] == 1).all()
    # The larger the unit has become, the thicker its fibres; and stronger than it was it never is.
    size = sick.fibre_counts / sick.pool.n_fibres
    own = np.flatnonzero(sick.pool.alive)
    by_unit = [grown[sick.fibres.of_unit(unit)].mean() for unit in own]
    assert np.corrcoef(size[own], by_unit)[0, 1] > 0.8
    assert plain.mvc_n < sick.mvc_n < healthy.mvc_n * 1.001
    # Little is lost: a little is grown, up to the strength there was.
    mild = lose_units(healthy, 0.3, months=240, seed=1, rule=law)
    assert mild.mvc_n < healthy.mvc_n * 1.02
    # It comes late.
    early = lose_units(healthy, 0.8, months=3, seed=1, rule=law).fibres
    assert (early.diameter_um <= 1.15 * healthy.fibres.diameter_um[: len(early)]).all()


def test_no_unit_grows_beyond_the_cap(healthy):
    rule = Reinnervation(enlargement=2.0, efficacy=1.0)
    sick = lose_units(healthy, 0.9, months=60, seed=1, rule=rule)
    assert (sick.fibre_counts <= 2 * healthy.fibre_counts).all()


def test_efficacy_is_the_share_adopted_where_neighbours_abound(healthy):
    for efficacy in (0.3, 0.7):
        rule = Reinnervation(efficacy=efficacy, loss_months=0.1)
        sick = lose_units(healthy, 0.2, months=24, seed=1, rule=rule)
        lost = ~healthy.pool.alive | ~sick.pool.alive
        orphans = np.isin(healthy.fibres.unit, np.flatnonzero(lost))
        assert sick.fibres.innervated[orphans].mean() == pytest.approx(efficacy, abs=0.05)
    none = lose_units(healthy, 0.2, months=24, seed=1, rule=Reinnervation(efficacy=0.0))
    assert (none.fibre_counts <= healthy.fibre_counts).all()


def test_more_severity_loses_the_same_units_and_more(healthy):
    few, many = (lose_units(healthy, f, months=12, seed=7).pool.alive for f in (0.3, 0.6))
    assert (few | ~many).all()
    other = lose_units(healthy, 0.3, months=12, seed=8).pool.alive
    assert not np.array_equal(few, other)


def test_bias_prefers_large_units(healthy):
    def mean_rank(bias: float) -> float:
        gone = [
            np.flatnonzero(~lose_units(healthy, 0.3, months=1, seed=s, bias=bias).pool.alive)
            for s in range(8)
        ]
        return float(np.mean(gone))

    assert mean_rank(-3.0) < mean_rank(0.0) - 5 < mean_rank(3.0) - 10
    assert mean_rank(0.0) == pytest.approx(29.5, abs=4)


def test_rate_of_death_does_not_change_who_dies(healthy):
    fast, slow = (lose_units(healthy, 0.4, months=m, seed=2).pool.alive for m in (3, 60))
    np.testing.assert_array_equal(fast, slow)


def test_young_sprouts_are_immature_and_late_and_mature_in_time(healthy):
    early, late = (nerve_injury(healthy, 0.5, months=m, seed=1).fibres for m in (3.0, 24.0))
    adopted = early.innervated & (early.unit != healthy.fibres.unit)
    assert early.maturity[adopted].mean() < 0.5
    assert early.terminal_delay_ms[adopted].mean() > 0.4
    assert (early.maturity[~adopted] == 1).all()
    still = late.innervated & (late.unit != healthy.fibres.unit)
    assert late.maturity[still].mean() > 0.95
    assert late.terminal_delay_ms[still].mean() < 0.05
    assert still.sum() > adopted.sum()  # the slow ones have arrived too


def test_maturing_alone_is_the_same_as_waiting(healthy):
    sick = nerve_injury(healthy, 0.5, months=6.0, seed=1)
    older = matured(sick, 4.0)
    np.testing.assert_allclose(1 - older.fibres.maturity, (1 - sick.fibres.maturity) * np.exp(-1.0))


def test_denervated_fibres_waste_and_vanish(healthy):
    rule = Reinnervation(efficacy=0.0, loss_months=0.1)
    sick = lose_units(healthy, 0.5, months=12, seed=1, rule=rule)
    lost = ~sick.fibres.innervated
    assert denervated_months(sick.fibres)[lost] == pytest.approx(12, abs=0.2)
    assert (denervated_months(sick.fibres)[~lost] == 0).all()
    share = sick.fibres.diameter_um[lost] / healthy.fibres.diameter_um[lost]
    assert share == pytest.approx((1 + 2 * np.exp(-2.0)) / 3, abs=0.01)
    assert (sick.fibres.velocity_m_s[lost] < healthy.fibres.velocity_m_s[lost]).all()
    gone = lose_units(healthy, 0.5, months=40, seed=1, rule=rule)
    assert len(gone.fibres) == lost.size - lost.sum()


def test_a_second_loss_goes_on_from_the_first(healthy):
    rule = Reinnervation(efficacy=0.0, loss_months=0.1)
    first = lose_units(healthy, 0.3, months=6, seed=1, rule=rule)
    second = lose_units(first, 0.3, months=6, seed=2, rule=rule)
    assert second.pool.n_alive == round(60 * 0.7) - round(42 * 0.3)
    waiting = denervated_months(second.fibres)
    assert waiting.max() == pytest.approx(12, abs=0.2)
    once = lose_units(healthy, 0.3, months=12, seed=1, rule=rule).fibres
    old = waiting > 11
    np.testing.assert_allclose(second.fibres.diameter_um[old], once.diameter_um[old], rtol=1e-2)


def test_force_falls_less_than_units_and_each_survivor_is_stronger(healthy):
    sick = als(healthy, 0.5, months=24, seed=1)
    assert 0.3 < sick.mvc_n / healthy.mvc_n < 0.95
    alive = sick.pool.alive
    gain = sick.pool.twitch_n[alive] / healthy.pool.twitch_n[alive]
    counts = sick.fibres.unit_area_mm2(60)[alive] / healthy.fibres.unit_area_mm2(60)[alive]
    np.testing.assert_allclose(gain, counts)
    assert (gain >= 1 - 1e-9).all()


def test_recruitment_is_reduced_fewer_units_carry_the_same_force(healthy):
    sick = als(healthy, 0.8, months=24, seed=1)
    wanted = 0.15 * healthy.mvc_n
    before, _ = excitation_for_force(healthy.pool, wanted)
    after, reached = excitation_for_force(sick.pool, wanted)
    assert reached
    rates = [p.rates_hz([float(e)])[:, 0] for p, e in ((healthy.pool, before), (sick.pool, after))]
    active = [(rate > 0).sum() for rate in rates]
    assert active[1] < 0.4 * active[0]
    # Excitation per active unit rises: each fires faster for its share of the pool.
    assert rates[1].max() > rates[0].max()


def test_adopted_fibres_cluster_in_types(healthy):
    sick = polio(healthy, 0.7, months=240, seed=1)

    def own_neighbours(muscle: Muscle) -> float:
        fibres = muscle.fibres.keep(muscle.fibres.innervated)
        rows = np.arange(0, len(fibres), 40)
        gap = np.hypot(fibres.x_mm[rows, None] - fibres.x_mm, fibres.y_mm[rows, None] - fibres.y_mm)
        near = np.argsort(gap, axis=1)[:, 1:7]
        return float((fibres.unit[near] == fibres.unit[rows, None]).mean())

    assert own_neighbours(sick) > 2.5 * own_neighbours(healthy)


def test_old_polio_is_stable_and_als_is_not(healthy):
    old, young = polio(healthy, 0.6, months=240, seed=1), als(healthy, 0.6, months=12, seed=1)
    assert old.fibres.maturity[old.fibres.innervated].min() > 0.99
    assert (young.fibres.maturity[young.fibres.innervated] < 0.6).mean() > 0.03
    assert old.fibres.innervated.all()  # the rest is long gone


def test_same_seed_same_bits(healthy):
    same(als(healthy, 0.4, months=12, seed=9), als(healthy, 0.4, months=12, seed=9))


def test_impossible_losses_are_refused(healthy):
    with pytest.raises(ParameterError, match="fraction must be at least 0 and at most 1"):
        lose_units(healthy, 1.2, months=1, seed=1)
    with pytest.raises(ParameterError, match="months must be 0 or more"):
        lose_units(healthy, 0.2, months=-1, seed=1)
    with pytest.warns(PhysiologyWarning, match="enlargement=20"):
        Reinnervation(enlargement=20)
    with pytest.raises(ParameterError, match="loss_months must be above 0"):
        Reinnervation(loss_months=0.0)
    dead = lose_units(healthy, 1.0, months=12, seed=1)
    assert dead.mvc_n == 0
    assert not dead.fibres.innervated.any()
