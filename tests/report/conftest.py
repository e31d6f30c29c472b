"""A result as a run leaves it, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from myograph.core.decision import Estimate
from myograph.validate.manifest import FoldUnits, SplitManifest
from myograph.validate.probes import Confounds, Probe
from myograph.validate.result import Audit, ValidationResult
from myograph.validate.robustness import Outcome, Robustness


def _estimate(value: float) -> Estimate:
    return Estimate(value, value - 0.05, value + 0.05, evidence="person", n=3)


@pytest.fixture
def manifest() -> SplitManifest:
    """Three people, each held out once."""
    people = ("p1", "p2", "p3")
    folds = tuple(FoldUnits(p, tuple(q for q in people if q != p), (), (p,)) for p in people)
    return SplitManifest("leave-one-subject-out", "across people", ("subject",), folds)


@pytest.fixture
def make_result(manifest: SplitManifest) -> Callable[..., ValidationResult]:
    """Make a result; what is given replaces its fields."""

    def make(**fields: Any) -> ValidationResult:
        scores: dict[str, float | None] = {"p1": 0.6, "p2": 0.7, "p3": 0.8}
        drift = Probe("drift", _estimate(0.55), _estimate(0.15), above_chance=False, rival=False)
        plain: dict[str, Any] = {
            "task": "classification",
            "headline": "accuracy",
            "config": {
                "windowing": {"length_ms": 200.0, "step_ms": 50.0, "label_sources": ["protocol"]},
                "features": ["hudgins"],
                "scaling": "none",
                "selection": None,
                "steps": [],
                "model": {"name": "lda", "params": {}},
            },
            "split": {
                "name": "leave-one-subject-out",
                "scope": "across people",
                "folds": 3,
                "fingerprint": manifest.digest(),
            },
            "data": {"name": "hands", "people": 3, "windows": 300, "simulated": False},
            "seed": 7,
            "classes": ("rest", "fist"),
            "per_person": {"accuracy": scores},
            "metrics": {"accuracy": _estimate(0.7)},
            "audits": (Audit("people", passed=True, text="Nobody is on both sides."),),
            "confusion": np.array([[100, 50], [40, 110]]),
            "chance": 0.5,
            "ladder": {"majority": _estimate(0.5)},
            "gain": {"majority": _estimate(0.2)},
            "distribution": {"accuracy": {"min": 0.6, "median": 0.7, "max": 0.8}},
            "confounds": Confounds(probes=(drift,), unasked={"age": "unknown"}, floor=0.5),
            "environment": {"numpy": "1.2.3"},
        }
        return ValidationResult(**{**plain, **fields})

    return make


@pytest.fixture
def robustness() -> Robustness:
    """Return what two families of challenges did, and why a third was not asked."""
    plain = Estimate(0.7, 0.6, 0.8, "person", 3)
    outcomes = tuple(
        Outcome(
            family,
            level,
            size,
            "1 / SD",
            Estimate(0.7 + change, 0.4, 0.8, "person", 3),
            Estimate(change, 2 * change, change / 2, "person", 3),
            {"p1": 0.5, "p2": 0.6, "p3": None},
        )
        for family, level, size, change in (
            ("clipping", "rails at 2 SD", 0.5, -0.05),
            ("clipping", "rails at 1 SD", 1.0, -0.1),
            ("gain", "× 2", 2.0, -0.2),
        )
    )
    refused = {"electrode shift": "Electrodes cannot be moved."}
    return Robustness("accuracy", plain, outcomes, refused, ("gain: all channels alike",), 0)
