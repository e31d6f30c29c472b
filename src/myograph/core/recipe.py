"""Recipe: what was done to the samples, from which source; it identifies derived data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Recipe", "StepRecord", "canonical_json", "digest_of"]


def canonical_json(value: Any) -> str:
    """Write ``value`` as JSON in which equal content has equal text.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": (2, 3)})
    '{"a":[2,3],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(value: Any) -> str:
    """Return the sha256 of ``value`` in canonical JSON, as hexadecimal text."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One thing that was done: the step's name, its parameters and its version."""

    step: str
    parameters: str = "{}"  # canonical JSON: immutable, hashable, comparable
    version: int = 1

    @classmethod
    def of(cls, step: str, parameters: Mapping[str, Any], version: int = 1) -> StepRecord:
        """Record ``step`` with ``parameters`` (JSON-able values)."""
        return cls(step, canonical_json(dict(parameters)), version)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain JSON-able data."""
        return {
            "step": self.step,
            "parameters": json.loads(self.parameters),
            "version": self.version,
        }

    def __str__(self) -> str:
        """Read like a call: ``bandpass(high_hz=450, low_hz=20)``."""
        given = ", ".join(f"{k}={v}" for k, v in json.loads(self.parameters).items())
        return f"{self.step}({given})"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What was done, oldest first, to the source with digest ``source``.

    Parameters
    ----------
    steps : tuple of StepRecord
        Oldest first.
    source : str
        sha256 of the samples as they were read; empty when nothing was derived yet.

    Examples
    --------
    >>> recipe = Recipe().then("highpass", {"low_hz": 20.0})
    >>> print(recipe)
    highpass(low_hz=20.0)
    """

    steps: tuple[StepRecord, ...] = field(default=())
    source: str = ""

    def then(self, step: str, parameters: Mapping[str, Any], version: int = 1) -> Recipe:
        """Return a recipe that is one step longer."""
        return Recipe((*self.steps, StepRecord.of(step, parameters, version)), self.source)

    def digest(self) -> str:
        """Return the sha256 that identifies the derived data: the cache key."""
        return digest_of(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain JSON-able data."""
        return {"source": self.source, "steps": [step.to_dict() for step in self.steps]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """Rebuild a recipe from what `to_dict` gave."""
        steps = (StepRecord.of(s["step"], s["parameters"], s["version"]) for s in data["steps"])
        return cls(tuple(steps), data["source"])

    def __str__(self) -> str:
        """Read like a chain of calls."""
        return " > ".join(map(str, self.steps)) or "as recorded"
