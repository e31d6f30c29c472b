"""The logistic line: a closed form, a derivative, and data without a finite answer."""

import numpy as np
import pytest

from myograph.validate.logit import curvature, fit_logit, gradient


def test_two_points_have_a_closed_form():
    # At x = 0 a share of 0.2, at x = 1 one of 0.7: the line passes through both log odds.
    x, target = np.array([0.0, 1.0]), np.array([0.2, 0.7])
    found = fit_logit(x, target, np.array([3.0, 5.0]))
    low, high = np.log(0.2 / 0.8), np.log(0.7 / 0.3)
    assert found == pytest.approx([low, high - low], abs=1e-4)


def test_held_slope_stays():
    x = np.linspace(-1, 1, 50)
    found = fit_logit(x, np.full(50, 0.5), np.ones(50), slope=2.0)
    assert found == pytest.approx([0.0, 2.0], abs=1e-6)


def test_separated_classes_stay_finite():
    x = np.array([-1.0, -0.5, 0.5, 1.0])
    found = fit_logit(x, (x > 0).astype(float), np.ones(4))
    assert np.isfinite(found).all()
    assert found[1] > 5


def test_curvature_is_the_slope_of_the_gradient():
    x, target, weights = np.array([0.3, -1.2]), np.array([1.0, 0.0]), np.array([1.0, 2.0])
    line, step = np.array([0.2, 0.7]), 1e-6
    for k in range(2):
        moved = line + step * np.eye(2)[k]
        numeric = (gradient(line, x, target, weights) - gradient(moved, x, target, weights)) / step
        assert curvature(line, x, weights)[:, k] == pytest.approx(numeric, abs=1e-5)
