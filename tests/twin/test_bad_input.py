"""Every parameter object of the twin: what is no number, or not finite, is refused by name."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import math
import pkgutil
from typing import Any

import pytest

import myograph.twin
from myograph.core.errors import MyographError

# What has no meaning without arguments, as the least that it takes.
NEEDED: dict[str, dict[str, Any]] = {
    "Exponential": {"rate_per_month": 0.05},
    "Linear": {"rate_per_month": 0.01},
    "Sigmoid": {"half_months": 20.0, "width_months": 6.0},
    "Plateau": {"share": 0.5, "time_months": 5.0},
    "Pace": {"from_months": 3.0, "factor": 0.5},
    "Prior": {"mean": 0.2, "sd": 0.1},
    "D50": {"d50_months": 30.0, "dx_months": 8.0},
    "Training": {"weeks": 8.0},
    "StrokeRecovery": {"start": 0.4},
    "Course": {"disease": "loss"},
    "Person": {"pseudonym": "S1"},
    "Joint": {"arms_mm": {"FCR": 14.0}},
    "Rates": {"eeg_hz": 500.0, "motion_hz": 250.0, "force_hz": 100.0, "ecg_hz": 250.0},
    "Converter": {"range_uv": 4000.0},
}
# Infinite on purpose: for ever, or no limit.
MAY_BE_INFINITE = {"until_months", "most", "loss_months"}


def parameter_objects() -> list[tuple[type, dict[str, Any], str]]:
    found = []
    for info in pkgutil.iter_modules(myograph.twin.__path__):
        module = importlib.import_module(f"myograph.twin.{info.name}")
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if not dataclasses.is_dataclass(kind) or kind.__module__ != module.__name__:
                continue
            if name.startswith("_") or not all(
                f.kw_only for f in dataclasses.fields(kind) if f.init
            ):
                continue
            given = NEEDED.get(name, {})
            required = {
                f.name
                for f in dataclasses.fields(kind)
                if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
            }
            if not required <= set(given):
                continue
            fields = [f for f in dataclasses.fields(kind) if f.init and f.type in ("float", float)]
            found += [(kind, given, f.name) for f in fields]
    return found


CASES = parameter_objects()


def test_there_are_many_of_them():
    assert len({kind for kind, _, _ in CASES}) > 25
    assert set(NEEDED) <= {kind.__name__ for kind, _, _ in CASES}


@pytest.mark.parametrize(
    ("kind", "given", "name"),
    CASES,
    ids=lambda x: x.__name__ if isinstance(x, type) else str(x)[:20],
)
def test_what_is_no_finite_number_is_refused(kind, given, name):
    bad = [math.nan] if name in MAY_BE_INFINITE else [math.nan, -math.inf]
    for value in bad:
        with pytest.raises(MyographError, match=r"must|needs"):
            kind(**{**given, name: value})
