import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myograph.signal.chance import count_rule, detection_probability
from myograph.signal.switching import Switch


def edges(mask, *, stay=None, least_on=1, least_off=1, cuts=()):
    switch = Switch(least_on=least_on, least_off=least_off)
    high, low = np.asarray(mask, bool), np.asarray(mask if stay is None else stay, bool)
    parts = zip(np.split(high, cuts), np.split(low, cuts), strict=True)
    return [(e.rising, e.at) for part in parts for e in switch.push(*part)]


def test_short_pauses_and_short_epochs_change_nothing():
    mask = [0, 1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 1]
    assert edges(mask, least_on=3, least_off=2) == [(True, 3), (False, 8)]


def test_between_the_thresholds_nothing_changes():
    high = [0, 0, 1, 0, 0, 0, 0]
    stay = [0, 1, 1, 1, 1, 0, 1]
    assert edges(high, stay=stay) == [(True, 2), (False, 5)]


@given(
    mask=st.lists(st.booleans(), min_size=1, max_size=80),
    cuts=st.lists(st.integers(0, 80), max_size=6),
    least_on=st.integers(1, 5),
    least_off=st.integers(1, 5),
)
def test_laws(mask, cuts, least_on, least_off):
    whole = edges(mask, least_on=least_on, least_off=least_off)
    cuts = sorted(min(c, len(mask)) for c in cuts)
    assert edges(mask, least_on=least_on, least_off=least_off, cuts=cuts) == whole
    assert [rising for rising, _ in whole] == [i % 2 == 0 for i in range(len(whole))]
    for (rising, at), (_, then) in itertools.pairwise(whole):
        assert then - at >= (least_on if rising else least_off)
    if least_on == least_off == 1:
        rebuilt = np.zeros(len(mask), bool)
        for i, (rising, at) in enumerate(whole):
            if rising:
                rebuilt[at : whole[i + 1][1] if i + 1 < len(whole) else None] = True
        assert rebuilt.tolist() == mask


@given(window=st.integers(1, 40), alarm=st.floats(1e-4, 0.5), snr_db=st.floats(-5, 30))
def test_the_rule_has_the_false_alarms_asked_for(window, alarm, snr_db):
    rule = count_rule(window, false_alarm=alarm, snr_db=snr_db)
    assert rule.false_alarm == pytest.approx(alarm, rel=1e-6)
    best = detection_probability(rule, snr_db=snr_db)
    for needed in range(1, window + 1):
        other = count_rule(window, false_alarm=alarm, snr_db=snr_db, needed=needed)
        assert detection_probability(other, snr_db=snr_db) <= best + 1e-12
    assert detection_probability(rule, snr_db=snr_db + 3) >= best


def test_bonato_closed_form():
    """m = 5, r0 = 1: P_fa = 1 - (1 - P)^5, and the threshold is -ln P mean energies."""
    rule = count_rule(5, false_alarm=0.05, snr_db=8, needed=1)
    assert rule.single == pytest.approx(1 - 0.95 ** (1 / 5))
    assert rule.excess == pytest.approx(-np.log(rule.single))
    at_8_db = rule.single ** (1 / (1 + 10**0.8))
    assert detection_probability(rule, snr_db=8) == pytest.approx(1 - (1 - at_8_db) ** 5)
