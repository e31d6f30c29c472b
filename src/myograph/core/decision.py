"""What comes out: an estimate with its interval, a decision, a finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, ParameterError

__all__ = ["Decision", "Estimate", "Finding"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval and the unit of evidence behind it.

    Parameters
    ----------
    value, low, high : float
        The figure and its 95 % confidence interval.
    evidence : str
        What was counted as one piece of evidence: ``"person"``, ``"recording"``, ...
    n : int
        How many of them there were.

    Examples
    --------
    >>> print(Estimate(0.749, 0.70, 0.79, evidence="person", n=19))
    0.749 [0.700, 0.790] (19 persons)
    """

    value: float
    low: float
    high: float
    evidence: str
    n: int

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise ParameterError(
                f"An estimate must lie inside its interval; "
                f"got {self.value!r} in [{self.low!r}, {self.high!r}]."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as plain JSON-able data."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __str__(self) -> str:
        """Value, interval, evidence."""
        plural = "" if self.n == 1 else "s"
        return (
            f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] ({self.n} {self.evidence}{plural})"
        )


@dataclass(frozen=True, eq=False)
class Decision:
    """What a pipeline says about one window, recording or person.

    Parameters
    ----------
    label : str
        The most probable class; kept also when rejected, so that a reader sees what was refused.
    probabilities : ndarray, shape (n_classes,)
        In the order of ``classes``; they sum to 1.
    classes : tuple of str
    time_s : float
        Moment of the newest sample behind the decision, on the recording's clock.
    rejected : bool
        True when the pipeline abstains. Rejection is an answer.
    """

    label: str
    probabilities: NDArray[np.float64]
    classes: tuple[str, ...]
    time_s: float
    rejected: bool = False

    def __post_init__(self) -> None:
        probabilities = np.array(self.probabilities, dtype=np.float64)
        if probabilities.shape != (len(self.classes),):
            raise DataError(
                f"{len(self.classes)} classes need as many probabilities; "
                f"got shape {probabilities.shape}."
            )
        numbers = probabilities.tolist()  # quicker than an array when there are few
        if not min(numbers, default=0) >= 0 or not abs(sum(numbers) - 1) <= 1e-6:
            raise DataError(f"Probabilities must be 0 or more and sum to 1; got {probabilities}.")
        if self.label not in self.classes:
            raise DataError(f"Label {self.label!r} is not one of {list(self.classes)}.")
        probabilities.flags.writeable = False
        object.__setattr__(self, "probabilities", probabilities)

    @property
    def confidence(self) -> float:
        """Probability of the label."""
        return float(self.probabilities[self.classes.index(self.label)])

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as plain JSON-able data."""
        return {
            "label": self.label,
            "confidence": self.confidence,
            "rejected": self.rejected,
            "time_s": self.time_s,
            "probabilities": dict(zip(self.classes, self.probabilities.tolist(), strict=True)),
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """A measured statement with its uncertainty, yardstick and limits.

    Parameters
    ----------
    name : str
    value : float
    unit : str
    interval : tuple of 2 floats
        95 % interval of the value. No interval, no finding.
    reference_range : tuple of 2 floats
        What is normal; infinite ends are allowed.
    reference : str
        Key in ``references.bib`` of the range.
    evidence : tuple of str
        What the value was measured on.
    limits : str
        What the finding does not say.

    Examples
    --------
    >>> Finding("duration", 9.0, "ms", (8.0, 10.0), (6.0, 12.0), "x", (), "").verdict
    'inside'
    """

    name: str
    value: float
    unit: str
    interval: tuple[float, float]
    reference_range: tuple[float, float]
    reference: str
    evidence: tuple[str, ...]
    limits: str

    def __post_init__(self) -> None:
        for name, (low, high) in (
            ("interval", self.interval),
            ("reference_range", self.reference_range),
        ):
            if not low <= high:
                raise ParameterError(f"{name} of finding {self.name!r} runs from {low} to {high}.")
        if not np.isfinite([self.value, *self.interval]).all():
            raise ParameterError(f"Finding {self.name!r} needs a finite value and interval.")

    @property
    def verdict(self) -> str:
        """``inside``, ``outside``, or ``undecided`` when the interval straddles a limit."""
        low, high = self.reference_range
        start, stop = self.interval
        if low <= start and stop <= high:
            return "inside"
        if stop < low or start > high:
            return "outside"
        return "undecided"
