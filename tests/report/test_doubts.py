"""Doubts: what stands against the figures comes before them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from myograph.core.decision import Estimate
from myograph.report.doubts import doubts
from myograph.report.facts import Evidence
from myograph.validate.probes import Confounds, Probe
from myograph.validate.result import Audit, ValidationResult

Make = Callable[..., ValidationResult]


def _gain(low: float, value: float, high: float) -> Estimate:
    return Estimate(value, low, high, "person", 3)


def test_a_clean_run_still_says_that_nothing_is_locked(make_result: Make) -> None:
    assert [told[:13] for told in doubts(Evidence(make_result()))] == ["No model file"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"data": {"simulated": True}}, "Simulated data"),
        ({"audits": (Audit("samples", passed=False, text="shared"),)}, "audits samples failed"),
        ({"confounds": None}, "Confounds were not probed"),
        ({"split": {"name": "repetition", "scope": "within person"}}, "whose data trained"),
        ({"gain": {"forest": _gain(-0.1, 0.02, 0.1)}}, "Not shown to be better than forest"),
        ({"gain": {"lda-td": _gain(0, 0, 0)}}, "No better and no worse than lda-td"),
        ({"notes": ("Only three people.",)}, "Only three people."),
        ({"dropped": (("p9", "left out as asked for"),)}, "Not in the figures: p9"),
    ],
)
def test_each_is_said(make_result: Make, fields: dict[str, object], told: str) -> None:
    assert any(told in each for each in doubts(Evidence(make_result(**fields))))


def test_less_is_better_for_an_error(make_result: Make) -> None:
    lower = {"metrics": {"mae": _gain(0.1, 0.2, 0.3)}, "per_person": {"mae": {"p1": 0.2}}}
    result = make_result(headline="mae", gain={"mean": _gain(-0.3, -0.2, -0.1)}, **lower)
    assert not any("Not shown" in told for told in doubts(Evidence(result)))
    worse = replace(result, gain={"mean": _gain(0.1, 0.2, 0.3)})
    assert any("Not shown" in told for told in doubts(Evidence(worse)))


def test_a_probe_above_chance_is_named_and_a_rival_comes_first(make_result: Make) -> None:
    score = _gain(0.55, 0.6, 0.65)
    above = Probe("gain", score, score, above_chance=True, rival=False)
    told = doubts(Evidence(make_result(confounds=Confounds(probes=(above,), floor=0.5))))
    assert "loudness of the whole signal" in told[0]
    rival = Confounds(probes=(replace(above, rival=True),), floor=0.5)
    assert doubts(Evidence(make_result(confounds=rival)))[0] == rival.warning
