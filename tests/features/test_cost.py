"""Estimates of operations: every feature has one, and shared work is paid once."""

import pytest

from myograph.core.errors import ParameterError
from myograph.features import FEATURES
from myograph.features.cost import COSTS, PARTS, total_operations


def test_every_feature_has_an_estimate():
    missing = sorted(set(FEATURES) - set(COSTS))
    assert not missing, f"give {missing} an entry in myograph.features.cost.COSTS"


@pytest.mark.parametrize("name", sorted(COSTS))
def test_costs_are_positive_and_grow_with_the_window(name):
    assert set(COSTS[name].parts) <= set(PARTS)
    short, long = (total_operations([f"a.{name}"], n_samples=n) for n in (100, 1000))
    assert 0 < short < long


def test_what_is_shared_is_paid_once_per_channel():
    def cost(*columns):
        return total_operations(columns, n_samples=400)

    apart = cost("a.mnf") + cost("a.mdf")
    assert cost("a.mnf", "a.mdf") == apart - PARTS["spectrum"](400)
    assert cost("a.mnf", "b.mnf") == 2 * cost("a.mnf")
    assert cost("a.mav", "a.mav") == cost("a.mav")


def test_columns_of_one_feature_are_paid_once():
    assert total_operations(["a.mav[0]", "a.mav[1]"], n_samples=50) == total_operations(
        ["a.mav"], n_samples=50
    )


def test_the_order_of_features_is_what_a_processor_would_say():
    assert total_operations(["a.mav"], n_samples=400) < total_operations(["a.mdf"], n_samples=400)


@pytest.mark.parametrize(
    ("columns", "n_samples", "match"),
    [(["a.moon"], 400, r"\['moon'\] have no estimate"), (["a.mav"], 0, "at least 1")],
)
def test_refusals(columns, n_samples, match):
    with pytest.raises(ParameterError, match=match):
        total_operations(columns, n_samples=n_samples)
