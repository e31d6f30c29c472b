"""Counterfactual: a change that makes the model decide otherwise, and how it is said.

It says what the model listens to, not what would happen in a body. `myograph.explain.flip` finds
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from myograph.features import FEATURES

__all__ = ["Change", "Counterfactual"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changes.

    Parameters
    ----------
    name : str
    before, after : float
        Means over the windows.
    unit : str
    size : float
        In standard deviations of training windows; for a muscle the factor of its amplitude.
    """

    name: str
    before: float
    after: float
    unit: str
    size: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A change that makes the model decide otherwise.

    Parameters
    ----------
    wanted : str
        The class it then decides for.
    changes : tuple of Change
        Empty when nothing within reach does it.
    probability : float
        Of that class after the change, as the model says.
    method : str
        ``"closed form"`` or ``"search"``.
    about : str
        ``"features"`` or ``"muscles"``.
    """

    wanted: str
    changes: tuple[Change, ...]
    probability: float
    method: str
    about: str

    @property
    def found(self) -> bool:
        """Whether there is such a change."""
        return bool(self.changes)

    @property
    def sentence(self) -> str:
        """Say it in one sentence."""
        if not self.found:
            return (
                f"No change of {self.about} within what training people show makes the model say "
                f"{self.wanted!r}."
            )
        if self.about == "muscles":
            told = [f"{c.name} been {_factor(c.size)}" for c in self.changes]
        else:
            told = [
                f"{_words(c.name)} been {_number(c.after)}{_unit(c.unit)} instead of "
                f"{_number(c.before)} "
                f"({_minus(f'{c.size:+.1f}')} SD)"
                for c in self.changes
            ]
        return (
            f"The model would have said {self.wanted!r} had {_joined(told)} "
            f"(then {100 * self.probability:.0f} % sure)."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "about": self.about,
            "wanted": self.wanted,
            "found": self.found,
            "method": self.method,
            "probability": self.probability,
            "changes": [change.to_dict() for change in self.changes],
            "sentence": self.sentence,
        }


def _unit(unit: str) -> str:
    return "" if unit in ("", "1") else f" {unit}".replace("uV", "µV")


def _words(name: str) -> str:
    """Name a column in words, with its own name behind.

    Examples
    --------
    >>> _words("emg5.mav")
    'the mean absolute value of emg5 (emg5.mav)'
    """
    where, _, feature = name.rpartition(".")
    plain = feature.partition("[")[0]
    if plain not in FEATURES or not where:
        return name
    words = FEATURES[plain].function.__name__.replace("_", " ")
    return f"the {words} of {where} ({name})" if " " in words else name


def _number(value: float) -> str:
    """Write three digits that count, without an exponent where a person reads it."""
    rounded = float(f"{value:.3g}")
    return _minus(f"{rounded:.0f}" if abs(rounded) >= 1000 else f"{rounded:g}")


def _minus(number: str) -> str:
    return number.replace("-", "−")


def _factor(gain: float) -> str:
    return f"{gain:.2g} times as strong" if gain >= 1 else f"{1 / gain:.2g} times weaker"


def _joined(told: list[str]) -> str:
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
