"""Confound probes: whether what is not muscle can tell the label, and the model leans on it.

Each probe is a small model that sees one family of `myograph.validate.nuisance` and nothing else,
on the same folds as the model (`myograph.validate.probing`). A probe above chance says that the
label can be told from how a recording was made. It does not prove that the model does so: the
score on matched pairs, and the answers to changed recordings, say more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from myograph.core.decision import Estimate

__all__ = ["NAMES", "Confounds", "Matched", "Probe", "Stability", "judge_probes"]

#: Families of numbers that are not about muscle, and what they are called in sentences.
NAMES = {
    "length": "length of the recording",
    "gain": "loudness of the whole signal",
    "drift": "offset and drift below 16 Hz",
    "hum": "mains hum",
    "noise-floor": "noise in the quietest moments",
    "device": "device",
    "site": "site",
    "age": "age",
    "sex": "sex",
}

#: A probe that reaches this share of what the model gains over chance is a rival.
_RIVAL = 0.75
#: Less than this above a guess is of no use to a model, however sure it is.
_MATERIAL = 0.01


@dataclass(frozen=True, slots=True)
class Probe:
    """What one family of numbers that are not about muscle reaches.

    Parameters
    ----------
    name : str
        Key of `NAMES`.
    score : Estimate
        The headline metric.
    gain : Estimate or None
        The model minus the probe, person by person.
    above_chance, rival : bool
        Whether its interval lies above chance by a hundredth; whether besides that the model is not
        clearly better, or it reaches three quarters of what the model gains over chance.
    """

    name: str
    score: Estimate
    gain: Estimate | None
    above_chance: bool
    rival: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "name": self.name,
            "score": _plain(self.score),
            "gain": None if self.gain is None else _plain(self.gain),
            "above_chance": self.above_chance,
            "rival": self.rival,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Probe:
        """Rebuild it from what `to_dict` gave."""
        gain = data["gain"]
        return cls(
            data["name"],
            _estimate(data["score"]),
            None if gain is None else _estimate(gain),
            data["above_chance"],
            data["rival"],
        )


@dataclass(frozen=True, slots=True)
class Matched:
    """How well the model orders people of two classes that a probe cannot tell apart.

    Parameters
    ----------
    probe : str
    classes : tuple of str
    auc : Estimate
        Share of matched pairs in which the model finds the right one more likely; 0.5 is chance.
    """

    probe: str
    classes: tuple[str, str]
    auc: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {"probe": self.probe, "classes": list(self.classes), "auc": _plain(self.auc)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Matched:
        """Rebuild it from what `to_dict` gave."""
        first, second = data["classes"]
        return cls(data["probe"], (first, second), _estimate(data["auc"]))


@dataclass(frozen=True, slots=True)
class Stability:
    """What becomes of the model's figure when the tested recordings are changed.

    Parameters
    ----------
    name : str
        Key of `myograph.validate.perturb.PERTURBATIONS`.
    what : str
        The change, in words.
    score, change : Estimate
        The headline metric on the changed recordings, and minus that on the recordings as they
        are, person by person.
    """

    name: str
    what: str
    score: Estimate
    change: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "name": self.name,
            "what": self.what,
            "score": _plain(self.score),
            "change": _plain(self.change),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Stability:
        """Rebuild it from what `to_dict` gave."""
        score, change = _estimate(data["score"]), _estimate(data["change"])
        return cls(data["name"], data["what"], score, change)


@dataclass(frozen=True, slots=True)
class Confounds:
    """Everything an evaluation found out about confounds.

    Parameters
    ----------
    probes : tuple of Probe
    matched : tuple of Matched
    stability : tuple of Stability
        Empty when no changed recordings were measured.
    unasked : dict of str to str
        Families that could not be probed, and why.
    floor : float
        The headline figure of a guess, which probes are held against.
    """

    probes: tuple[Probe, ...] = ()
    matched: tuple[Matched, ...] = ()
    stability: tuple[Stability, ...] = ()
    unasked: dict[str, str] = field(default_factory=dict)
    floor: float = 0.0

    @property
    def warning(self) -> str:
        """The sentence that a report begins with; empty when no probe rivals the model."""
        found = [probe for probe in self.probes if probe.rival]
        if not found:
            return ""
        best = max(found, key=lambda probe: probe.score.value)
        others = len(found) - 1
        rest = f"{others} more {'probes rival' if others > 1 else 'probe rivals'} it"
        more = f" ({rest})" if others else ""
        return (
            f"A probe rivals this model: {NAMES[best.name]} alone reaches {best.score.value:.3f} "
            f"[{best.score.low:.3f}, {best.score.high:.3f}] where a guess reaches "
            f"{self.floor:.3f}; the model's figure may be about how people were recorded{more}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "probes": [probe.to_dict() for probe in self.probes],
            "matched": [pair.to_dict() for pair in self.matched],
            "stability": [each.to_dict() for each in self.stability],
            "unasked": dict(self.unasked),
            "floor": self.floor,
            "warning": self.warning,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Confounds:
        """Rebuild it from what `to_dict` gave."""
        return cls(
            tuple(Probe.from_dict(each) for each in data["probes"]),
            tuple(Matched.from_dict(each) for each in data["matched"]),
            tuple(Stability.from_dict(each) for each in data["stability"]),
            dict(data["unasked"]),
            float(data["floor"]),
        )


def judge_probes(
    scores: Mapping[str, Estimate], gains: Mapping[str, Estimate], model: Estimate, *, floor: float
) -> tuple[Probe, ...]:
    """Judge probes by their scores; ``scores`` and ``gains`` by family.

    Examples
    --------
    >>> model = Estimate(0.8, 0.75, 0.85, "person", 60)
    >>> drift = Estimate(0.7, 0.6, 0.8, "person", 60)
    >>> judge_probes({"drift": drift}, {}, model, floor=0.33)[0].rival
    True
    """
    found = []
    for name, score in scores.items():
        gain = gains.get(name)
        above = score.low > floor + _MATERIAL
        near = score.value - floor >= _RIVAL * (model.value - floor)
        not_better = gain is not None and gain.low <= 0
        found.append(Probe(name, score, gain, above, above and (near or not_better)))
    return tuple(found)


def _plain(estimate: Estimate) -> dict[str, Any]:
    # An end at infinity ("nothing is known") has no number in JSON.
    return {k: None if v in (math.inf, -math.inf) else v for k, v in estimate.to_dict().items()}


def _estimate(data: Mapping[str, Any]) -> Estimate:
    low = -math.inf if data["low"] is None else data["low"]
    high = math.inf if data["high"] is None else data["high"]
    return Estimate(data["value"], low, high, data["evidence"], data["n"])
