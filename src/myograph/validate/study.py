"""Study: what was searched, every trial of it, and which was best; kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from myograph.core.dial import Dial
from myograph.core.errors import DataError, FormatError, ParameterError
from myograph.validate.manifest import write_text

__all__ = ["Budget", "Study", "Trial"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Budget:
    """When a search ends: whichever comes first.

    Parameters
    ----------
    minutes : float, optional
        No trial begins when the ones before it suggest that it would end later. How many trials
        that is depends on the machine.
    trials : int, optional
        The same on every machine.

    Examples
    --------
    >>> Budget(trials=20)
    Budget(minutes=None, trials=20)
    """

    minutes: float | None = None
    trials: int | None = None

    def __post_init__(self) -> None:
        if self.minutes is None and self.trials is None:
            raise ParameterError("A search needs an end: give minutes, or trials, or both.")
        if self.minutes is not None and not 0 < self.minutes < float("inf"):
            raise ParameterError(f"minutes must be above 0; got {self.minutes!r}.")
        if self.trials is not None and self.trials < 1:
            raise ParameterError(f"trials must be at least 1; got {self.trials!r}.")

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting that was tried.

    Parameters
    ----------
    number : int
        0 is the configuration as it was given.
    values : dict
        What the dials were set to; nothing in trial 0.
    score : float or None
        On the inner folds; None where the setting could not be fitted.
    seconds : float
        Of the processors, over all inner folds.
    told : str
        Why there is no score.
    """

    number: int
    values: dict[str, Any]
    score: float | None
    seconds: float = 0.0
    told: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Study:
    """A search and all of its trials.

    Parameters
    ----------
    key : str
        Digest of everything that the scores depend on: another one is another study.
    metric : str
        What was made as large as possible, a mean over people.
    space : tuple of Dial
    budget : Budget
    config : dict
        The pipeline as it was given.
    inner : dict
        Inner folds: their names and how many people, or repetitions, each tests.
    seed : int
    trials : tuple of Trial
        In the order of their numbers.
    notes : tuple of str
    spent_s : float
        On the clock, over all sittings.
    environment : dict
        Versions that the scores were computed with.
    """

    key: str
    metric: str
    space: tuple[Dial, ...]
    budget: Budget
    config: dict[str, Any]
    inner: dict[str, int]
    seed: int
    trials: tuple[Trial, ...] = ()
    notes: tuple[str, ...] = ()
    spent_s: float = 0.0
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def best(self) -> Trial:
        """The trial with the highest score; the earliest of equals.

        Raises
        ------
        DataError
            If no setting could be fitted.
        """
        scored = [trial for trial in self.trials if trial.score is not None]
        if not scored:
            why = self.trials[0].told if self.trials else "there was no trial"
            raise DataError(
                f"None of {len(self.trials)} settings could be fitted on the inner folds, so none "
                f"is best. The first: {why}"
            )
        return max(scored, key=lambda trial: (trial.score or 0.0, -trial.number))

    @property
    def given(self) -> float | None:
        """Score of the configuration as it was given."""
        return next((trial.score for trial in self.trials if trial.number == 0), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the study as plain JSON-able data."""
        return {
            "format": FORMAT,
            "key": self.key,
            "metric": self.metric,
            "space": [dial.to_dict() for dial in self.space],
            "budget": self.budget.to_dict(),
            "config": self.config,
            "inner": self.inner,
            "seed": self.seed,
            "trials": [trial.to_dict() for trial in self.trials],
            "notes": list(self.notes),
            "spent_s": self.spent_s,
            "environment": self.environment,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Study:
        """Rebuild a study from what `to_dict` gave.

        Raises
        ------
        FormatError
            If it is not a whole study of this format.
        """
        try:
            if data["format"] != FORMAT:
                raise FormatError(
                    f"A study of format {data['format']!r} was given; this version of Myograph "
                    f"reads format {FORMAT}."
                )
            return cls(
                data["key"],
                data["metric"],
                tuple(Dial.from_dict(each) for each in data["space"]),
                Budget(**data["budget"]),
                dict(data["config"]),
                dict(data["inner"]),
                int(data["seed"]),
                tuple(Trial(**each) for each in data["trials"]),
                tuple(data["notes"]),
                float(data["spent_s"]),
                dict(data["environment"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise FormatError(f"This is not a whole study: {error}.") from error

    def save(self, path: Path) -> Path:
        """Write the study as JSON; the file is the old one or the new one, never half of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.to_dict(), indent=1, sort_keys=True, allow_nan=False)
        write_text(path, text + "\n")
        return path

    @classmethod
    def load(cls, path: Path) -> Study:
        """Read what `save` wrote."""
        try:
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise FormatError(f"{path} cannot be read as a study: {error}.") from error

    def changes(self) -> list[tuple[str, Any, Any]]:
        """Return each dial with what it was set to before and in the best trial."""
        best = self.best.values
        return [(name, _at(self.config, name), value) for name, value in best.items()]


def _at(config: Mapping[str, Any], path: str) -> Any:
    value: Any = config
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
