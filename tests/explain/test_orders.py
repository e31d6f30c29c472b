"""The best of all orders, against looking at all of them."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from myograph.explain.game import every_mask
from myograph.explain.orders import least_area


def by_looking(values: np.ndarray, n_parts: int) -> float:
    areas = []
    for order in permutations(range(n_parts)):
        there = 2**n_parts - 1
        way = [values[there]]
        for part in order:
            there -= 1 << part
            way.append(values[there])
        areas.append(np.trapezoid(way, np.linspace(0, 1, n_parts + 1)))
    return min(areas)


@pytest.mark.parametrize("n_parts", [1, 2, 5, 6])
def test_the_least_area_is_that_of_looking_at_all_orders(rng, n_parts):
    values = rng.standard_normal(2**n_parts)
    assert least_area(values) == pytest.approx(by_looking(values, n_parts))


def test_of_a_sum_the_best_order_is_from_the_largest(rng):
    worth = np.sort(rng.standard_normal(7))[::-1]
    values = every_mask(7) @ worth
    way = worth.sum() - np.concatenate([[0.0], np.cumsum(worth)])
    assert least_area(values) == pytest.approx(np.trapezoid(way, np.linspace(0, 1, 8)))
