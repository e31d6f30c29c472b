"""Robustness: what a model that was trained on good recordings makes of bad ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from myograph.core.decision import Estimate

__all__ = ["Outcome", "Robustness"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one challenge did.

    Parameters
    ----------
    family, level, size, unit
        As in `myograph.validate.challenges.Challenge`.
    score : Estimate
        Headline figure on challenged recordings.
    change : Estimate
        Person by person, against their own score on good recordings; negative is worse where more
        is better.
    per_person : dict of str to float or None
        Scores on challenged recordings.
    """

    family: str
    level: str
    size: float
    unit: str
    score: Estimate
    change: Estimate
    per_person: dict[str, float | None]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        whole = asdict(self)
        whole["score"], whole["change"] = _plain(self.score), _plain(self.change)
        return whole

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """Rebuild it from what `to_dict` gave."""
        both = {name: _estimate(data[name]) for name in ("score", "change")}
        return cls(**{**data, **both})


@dataclass(frozen=True, eq=False)
class Robustness:
    """Every challenge that was put to a model, and what it did.

    Parameters
    ----------
    headline : str
        The metric.
    plain : Estimate
        On recordings as they are.
    outcomes : tuple of Outcome
    refused : dict of str to str
        Families that do not fit these recordings, and why.
    assumptions : tuple of str
    seed : int
    """

    headline: str
    plain: Estimate
    outcomes: tuple[Outcome, ...]
    refused: dict[str, str]
    assumptions: tuple[str, ...]
    seed: int

    @property
    def worst(self) -> Outcome:
        """The challenge that changed most for the worse."""
        return min(self.outcomes, key=lambda each: each.change.value)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "headline": self.headline,
            "plain": _plain(self.plain),
            "outcomes": [each.to_dict() for each in self.outcomes],
            "refused": dict(self.refused),
            "assumptions": list(self.assumptions),
            "seed": self.seed,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Robustness:
        """Rebuild it from what `to_dict` gave."""
        return cls(
            data["headline"],
            _estimate(data["plain"]),
            tuple(Outcome.from_dict(each) for each in data["outcomes"]),
            dict(data["refused"]),
            tuple(data["assumptions"]),
            data["seed"],
        )


def _plain(estimate: Estimate) -> dict[str, Any]:
    # An end at infinity ("nothing is known") has no number in JSON.
    return {k: None if v in (math.inf, -math.inf) else v for k, v in estimate.to_dict().items()}


def _estimate(data: Mapping[str, Any]) -> Estimate:
    low = -math.inf if data["low"] is None else data["low"]
    high = math.inf if data["high"] is None else data["high"]
    return Estimate(data["value"], low, high, data["evidence"], data["n"])
