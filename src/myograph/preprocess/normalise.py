"""Amplitude as a share of a reference, learned from calibration data only.

The six methods of the CEDE matrix (besomi2020), z-scores per person, and a rolling z-score. What
is learned is part of the step, so the recipe of a normalised recording says method, window and
reference value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_count, check_positive
from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import MUSCLE_KINDS, Layout
from myograph.core.recipe import Recipe
from myograph.core.recording import Recording
from myograph.core.step import Step, StepState, register_step
from myograph.preprocess.reference import Trial, level_of, trials_of

__all__ = ["METHODS", "Normalise", "ZScore", "amplitude_claim"]

#: The CEDE methods: what the reference is, and how it is measured in a trial.
METHODS: Mapping[str, str] = MappingProxyType(
    {
        "task-mvc": "peak",  # 1: maximal effort in the task itself
        "standard-mvc": "peak",  # 2: maximal isometric effort in a standard posture
        "submaximal": "mean",  # 3: a standard submaximal task
        "peak-task": "peak",  # 4: the peak within the task
        "mean-task": "mean",  # 4: the mean within the task
        "none": "",  # 5: as recorded
        "mmax": "peak-to-peak",  # 6: the maximal M wave
    }
)

_MAXIMAL = ("task-mvc", "standard-mvc")
_TASK = ("peak-task", "mean-task")

# Person, channel, and the values learned for it.
Learned = tuple[str | float, ...]


@dataclass(frozen=True, kw_only=True)
class _Referenced(Step):
    """What the steps share that divide by something learned for each person and channel."""

    learns: ClassVar[bool] = True
    _n_values: ClassVar[int] = 1

    kinds: tuple[str, ...] = MUSCLE_KINDS
    learned: tuple[Learned, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", tuple(self.kinds))
        object.__setattr__(self, "learned", tuple(self._checked(self.learned)))

    def _checked(self, learned: Iterable[Sequence[str | float]]) -> Iterable[Learned]:
        for row in learned:
            if len(row) != 2 + self._n_values:
                raise ParameterError(
                    f"learned of step {self.name!r} lists (person, channel, "
                    f"{'value' if self._n_values == 1 else 'mean, spread'}); got {row!r}."
                )
            person, channel, *values = row
            numbers = tuple(float(value) for value in values)
            check_positive(numbers[-1], name=f"reference of channel {channel!r}")
            yield (str(person), str(channel), *numbers)

    @property
    def needs_person(self) -> bool:
        """Whether there is a reference for each person, and none for anybody else."""
        return self._needs()

    def people(self) -> tuple[str, ...]:
        """Return whose references are known; the empty text is somebody unnamed."""
        return tuple(dict.fromkeys(str(row[0]) for row in self.learned))

    def of(self, person: str) -> Self:
        """Return the step of one person.

        Raises
        ------
        DataError
            If nothing was learned from this person.
        """
        if self.people() == (person,):
            return self
        mine = tuple(row for row in self.learned if row[0] == person)
        if not mine:
            raise DataError(
                f"Step {self.name!r} was not fitted on calibration data of {person!r} (it knows "
                f"{list(self.people())}), and another person's reference says nothing about this "
                "one. Fit it on that person's own calibration, or use the rolling z-score "
                "(step 'rolling-zscore'), which needs none."
            )
        return replace(self, learned=mine)

    def apply(self, recording: Recording) -> Recording:
        """Normalise by the reference of the recording's person."""
        mine = self.of(_person(recording)) if self._needs() else self
        return mine._derived(recording, mine.start(recording.layout).push(recording.samples))

    def output_layout(self, layout: Layout) -> Layout:
        """Return the layout with the normalised channels' scale."""
        if not self._needs():
            return layout
        rows = set(self._rows(layout))
        return replace(
            layout,
            channels=tuple(
                replace(channel, scale="normalised") if row in rows else channel
                for row, channel in enumerate(layout.channels)
            ),
        )

    def start(self, layout: Layout) -> StepState:
        """Look up every channel's reference."""
        rows = self._rows(layout)
        if not self._needs():
            return _Linear(layout.n_channels, [], [], [])
        if len(self.people()) != 1:
            raise ParameterError(
                f"Step {self.name!r} knows references of {list(self.people())}; a stream is of one "
                "person: take step.of(person), or fit the step first."
            )
        known = {str(row[1]): row[2:] for row in self.learned}
        missing = [layout.names[row] for row in rows if layout.names[row] not in known]
        if missing:
            raise LayoutError(
                f"Step {self.name!r} has no reference for channels {missing}; it knows "
                f"{sorted(known)}. Calibrate on the same channels."
            )
        values = [tuple(float(v) for v in known[layout.names[row]]) for row in rows]
        shifts = [v[0] if self._n_values == 2 else 0.0 for v in values]
        return _Linear(layout.n_channels, rows, shifts, [v[-1] for v in values])

    def _needs(self) -> bool:
        """Say whether there is anything to divide by."""
        return True

    def _rows(self, layout: Layout) -> list[int]:
        rows = layout.rows(kinds=self.kinds)
        if not rows:
            present = sorted({channel.kind for channel in layout.channels})
            raise LayoutError(
                f"Step {self.name!r} normalises channels of kinds {list(self.kinds)}; there are "
                f"only {present}."
            )
        twice = [layout.names[row] for row in rows if layout.channels[row].scale == "normalised"]
        if twice and self._needs():
            raise LayoutError(
                f"Channels {twice} are normalised already; a second normalisation would hide the "
                "first."
            )
        return list(rows)


@register_step("normalise")
@dataclass(frozen=True, kw_only=True)
class Normalise(_Referenced):
    """Divide by a reference amplitude of the same person and channel (besomi2020).

    Fit it on calibration recordings only: what is learned there is applied to everything else, one
    value for all trials and tasks.

    Parameters
    ----------
    method : str
        One of `METHODS`: ``"task-mvc"``, ``"standard-mvc"``, ``"submaximal"``, ``"peak-task"``,
        ``"mean-task"``, ``"none"``, ``"mmax"``.
    labels : tuple of str
        Events that are the reference contractions. Without any, every calibration recording is one
        trial.
    window_ms : float
        Of the moving root mean square; 500 to 1000 for maximal efforts. The M wave has none: its
        peak-to-peak amplitude counts.
    over_trials : {"best", "mean"}
        Which value of the trials is the reference.
    least_trials : int
        Fewer are refused for maximal efforts: the first one is rarely the best.
    kinds : tuple of str
        Kinds of the channels to normalise.
    learned : tuple of (person, channel, value)
        The references; `fit` fills it, or give values measured elsewhere.

    Notes
    -----
    Method 4 (``"peak-task"``, ``"mean-task"``) takes away how strong a person's activity is
    compared with other people's: strength and atrophy cannot be read from it (`amplitude_claim`).
    Band-pass first: an electrode offset is no amplitude.

    Examples
    --------
    >>> Normalise(method="standard-mvc", learned=(("p01", "TA", 480.0),)).people()
    ('p01',)
    """

    method: str
    labels: tuple[str, ...] = ()
    window_ms: float = 500.0
    over_trials: str = "best"
    least_trials: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.method, METHODS, name="method")
        check_choice(self.over_trials, ("best", "mean"), name="over_trials")
        check_positive(self.window_ms, name="window_ms")
        check_count(self.least_trials, name="least_trials")
        if isinstance(self.labels, str):
            raise ParameterError(f"labels must be a list of texts; got {self.labels!r}.")
        object.__setattr__(self, "labels", tuple(self.labels))
        if self.method == "none" and self.learned:
            raise ParameterError("method='none' divides by nothing; it takes no learned values.")

    def fit(self, recordings: Sequence[Recording]) -> Self:
        """Learn each person's reference from calibration recordings.

        Raises
        ------
        DataError
            If there are too few trials, or one is shorter than the window, touches a gap or has an
            offset.
        """
        if not self._needs():
            return self
        found: dict[tuple[str, str], list[float]] = {}
        for trial in trials_of(recordings, labels=self.labels, kinds=self.kinds):
            for channel, level in self._levels(trial).items():
                found.setdefault((trial.person, channel), []).append(level)
        if not found:
            raise DataError(
                f"There is no reference contraction to learn from: no event labelled "
                f"{list(self.labels)} in {len(recordings)} calibration recordings."
            )
        return replace(
            self, learned=tuple((*key, self._over(key, levels)) for key, levels in found.items())
        )

    def _levels(self, trial: Trial) -> dict[str, float]:
        return level_of(trial, how=METHODS[self.method], window_ms=self.window_ms)

    def _over(self, key: tuple[str, str], levels: list[float]) -> float:
        if self.method in _MAXIMAL and len(levels) < self.least_trials:
            raise DataError(
                f"Channel {key[1]!r} of {key[0]!r} has {len(levels)} maximal efforts and "
                f"least_trials={self.least_trials}: the first effort is rarely the best. Record "
                "more, or state fewer."
            )
        return float(np.max(levels) if self.over_trials == "best" else np.mean(levels))

    def _needs(self) -> bool:
        return self.method != "none"


@register_step("zscore")
@dataclass(frozen=True, kw_only=True)
class ZScore(_Referenced):
    """Subtract the mean and divide by the standard deviation of a person's calibration.

    Parameters
    ----------
    kinds : tuple of str
        Kinds of the channels to normalise.
    learned : tuple of (person, channel, mean, standard deviation)
        `fit` fills it.
    """

    _n_values: ClassVar[int] = 2

    def fit(self, recordings: Sequence[Recording]) -> Self:
        """Learn mean and standard deviation of every person's calibration recordings."""
        parts: dict[tuple[str, str], list[NDArray[np.float64]]] = {}
        for trial in trials_of(recordings, labels=(), kinds=self.kinds, whole=True):
            for channel, samples in trial.samples.items():
                parts.setdefault((trial.person, channel), []).append(samples)
        if not parts:
            raise DataError("There is no calibration recording to learn a z-score from.")
        learned = []
        for (person, channel), pieces in parts.items():
            joined = np.concatenate(pieces)
            if joined.std() == 0:
                raise DataError(
                    f"Channel {channel!r} of {person!r} does not vary in the calibration, so it "
                    "has no z-score; drop the channel."
                )
            learned.append((person, channel, float(joined.mean()), float(joined.std())))
        return replace(self, learned=tuple(learned))


class _Linear:
    """Subtracts and divides some rows of each chunk, and passes the others on."""

    __slots__ = ("_n_channels", "_rows", "_scale", "_shift")

    def __init__(
        self, n_channels: int, rows: list[int], shifts: list[float], scales: list[float]
    ) -> None:
        self._n_channels, self._rows = n_channels, rows
        self._shift = np.array(shifts)[:, None]
        self._scale = np.array(scales)[:, None]

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the chunk, normalised."""
        if chunk.ndim != 2 or len(chunk) != self._n_channels:
            raise LayoutError(
                f"A chunk must be ({self._n_channels} channels, n_new); got shape {chunk.shape}."
            )
        out = chunk.astype(np.float32)
        if self._rows:
            out[self._rows] = (chunk[self._rows] - self._shift) / self._scale
        return out


def amplitude_claim(recipe: Recipe) -> str:
    """Say why amplitudes with this recipe cannot be compared between people; empty if they can.

    Asked before a statement on strength, atrophy or level of effort is made.

    Examples
    --------
    >>> recipe = Recipe().then("normalise", {"method": "peak-task"})
    >>> amplitude_claim(recipe)
    "Amplitudes were divided by the person's own task ..."
    """
    for record in recipe.steps:
        given = record.to_dict()["parameters"]
        if record.step == "normalise" and given["method"] in _TASK:
            return (
                "Amplitudes were divided by the person's own task (normalise, method "
                f"{given['method']!r}): how strong the activity is compared with other people's "
                "is gone. Use a maximal effort or the M wave as the reference."
            )
        if record.step in ("zscore", "rolling-zscore"):
            return (
                f"Amplitudes were divided by their own spread (step {record.step!r}): how strong "
                "the activity is is gone. Use a maximal effort or the M wave as the reference."
            )
    return ""


def _person(recording: Recording) -> str:
    return recording.subject.pseudonym if recording.subject else ""
