"""Permutation importance: what a model loses when one muscle, band or family is exchanged.

The numbers are about labelled windows of several people. What is exchanged is exchanged among the
windows of one person, so that a person's own level does not pass for information. Where every
person has one label (a diagnosis) there is nothing to exchange within; then people change places
as wholes, and the answer says so. The unit of evidence is the person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.decision import Estimate
from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import Recording
from myograph.core.table import FeatureTable
from myograph.core.windows import WindowIndex, Windows
from myograph.explain.explanation import Groups
from myograph.explain.parts import band_name, muscle_name
from myograph.pipeline.front import samples_table
from myograph.pipeline.pipeline import Pipeline

__all__ = ["Importance", "band_importance", "feature_importance", "muscle_importance"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

_N_RESAMPLES = 2000


@dataclass(frozen=True)
class Importance:
    """What a model loses without the information in each part.

    Parameters
    ----------
    about : str
        What a part is.
    names : tuple of str
    losses : tuple of Estimate
        Loss of the score, mean over people with the interval over people.
    score : Estimate
        Of the model as it is: balanced accuracy, or minus the mean absolute error.
    metric : str
    exchanged : str
        Among whom.
    repeats : int
    """

    about: str
    names: tuple[str, ...]
    losses: tuple[Estimate, ...]
    score: Estimate
    metric: str
    exchanged: str
    repeats: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "method": "permutation",
            "about": self.about,
            "metric": self.metric,
            "score": self.score.to_dict(),
            "exchanged": self.exchanged,
            "repeats": self.repeats,
            "loss": {
                name: loss.to_dict() for name, loss in zip(self.names, self.losses, strict=True)
            },
        }


def feature_importance(
    pipeline: Pipeline, table: FeatureTable, groups: Groups, *, repeats: int = 10, seed: int = 0
) -> Importance:
    """Exchange groups of features among the windows of each person.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, of a model that takes features.
    table : FeatureTable
        Labelled windows, best of people the model has not seen.
    groups : Groups
        Of the columns of ``table``: `myograph.explain.parts.muscles` or ``families``.
    repeats : int
        How many times each group is exchanged.
    seed : int

    Raises
    ------
    DataError
        If windows have no label or no person.

    References
    ----------
    breiman2001
    """
    if len(groups.owner) != len(table.names):
        raise ParameterError(
            f"groups are about {len(groups.owner)} columns, and the table has {len(table.names)}."
        )
    judged = _Judged.of(pipeline, table.index)

    def answer(rows: Rows | None, part: int) -> NDArray[Any]:
        values = table.values
        if rows is not None:
            values = values.copy()
            columns = list(groups.columns[part])
            values[:, columns] = table.values[rows][:, columns]
        return judged.answers(values)

    return judged.importance(groups.about, groups.names, answer, repeats=repeats, seed=seed)


def muscle_importance(
    pipeline: Pipeline, recordings: Sequence[Recording], *, repeats: int = 5, seed: int = 0
) -> Importance:
    """Exchange channels of the signal among the windows of each person; for any model.

    Takes and raises what `band_importance` does.
    """
    windows = _labelled(pipeline, recordings)
    judged = _Judged.of(pipeline, windows.index)
    layout = windows.layout
    names = [muscle_name(layout, row) for row in range(layout.n_channels)]

    def answer(rows: Rows | None, part: int) -> NDArray[Any]:
        values = windows.values
        if rows is not None:
            values = values.copy()
            values[:, part] = windows.values[rows, part]
        return judged.answers(_measured(pipeline, windows, values))

    return judged.importance("muscle", names, answer, repeats=repeats, seed=seed)


def band_importance(
    pipeline: Pipeline,
    recordings: Sequence[Recording],
    bands: Sequence[tuple[float, float]],
    *,
    repeats: int = 5,
    seed: int = 0,
) -> Importance:
    """Exchange bands of the signal's spectrum among the windows of each person; for any model.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    recordings : sequence of Recording
        Labelled, of several people, best of people the model has not seen.
    bands : sequence of (low_hz, high_hz)
        See `myograph.explain.parts.bands_of`. Bands are those of single windows: one reaches into
        its neighbours by about one over the length of a window.
    repeats : int
        How many times each band is exchanged.
    seed : int

    Raises
    ------
    DataError
        If windows have no label or no person.
    """
    windows = _labelled(pipeline, recordings)
    judged = _Judged.of(pipeline, windows.index)
    n_samples = windows.values.shape[2]
    spectrum = np.fft.rfft(windows.values, axis=2)
    frequency_hz = np.fft.rfftfreq(n_samples, 1 / windows.fs_hz)

    def answer(rows: Rows | None, part: int) -> NDArray[Any]:
        values = windows.values
        if rows is not None:
            low_hz, high_hz = bands[part]
            last = part == len(bands) - 1
            inside = (frequency_hz >= low_hz) & ((frequency_hz < high_hz) | last)
            mixed = np.where(inside, spectrum[rows], spectrum)
            values = np.fft.irfft(mixed, n=n_samples, axis=2).astype(np.float32)
        return judged.answers(_measured(pipeline, windows, values))

    names = [band_name(*band) for band in bands]
    return judged.importance("band", names, answer, repeats=repeats, seed=seed)


@dataclass(frozen=True, eq=False)
class _Judged:
    """Labelled windows, and how answers about them are scored."""

    pipeline: Pipeline
    index: WindowIndex
    people: tuple[Rows, ...]
    within: bool

    @classmethod
    def of(cls, pipeline: Pipeline, index: WindowIndex) -> _Judged:
        if (index.subject == "").any():
            raise DataError("Importance counts people; some windows do not say whose they are.")
        numeric = index.label.dtype.kind == "f"
        if numeric != (pipeline.task == "regression") or (
            not numeric and (index.label == "").any()
        ):
            raise DataError("Importance needs windows with the labels that the model answers.")
        names, owner = np.unique(index.subject, return_inverse=True)
        people = tuple(np.flatnonzero(owner == k) for k in range(len(names)))
        within = any(len(np.unique(index.label[rows])) > 1 for rows in people)
        if not within and len(people) < 2:
            raise DataError("One person with one label says nothing about what a model uses.")
        return cls(pipeline, index, people, within)

    @property
    def exchanged(self) -> str:
        if self.within:
            return "among the windows of each person"
        return "between people, since each has one label"

    def answers(self, values: Array) -> NDArray[Any]:
        """Return what the model says about unscaled features."""
        pipeline = self.pipeline
        if pipeline.config.scaling == "person":
            scaled = np.empty_like(values)
            for rows in self.people:
                scaled[rows] = pipeline.scale(values[rows])
        else:
            scaled = pipeline.scale(values)
        return np.asarray(pipeline.model.predict(pipeline.taken(scaled)))

    def order(self, rng: np.random.Generator) -> Rows:
        """Return the window that lends its part to each."""
        lender = np.arange(len(self.index))
        if self.within:
            for rows in self.people:
                lender[rows] = rng.permutation(rows)
            return lender
        shift = rng.permutation(len(self.people))
        for mine, other in zip(shift, np.roll(shift, 1), strict=True):
            lender[self.people[mine]] = rng.choice(self.people[other], len(self.people[mine]))
        return lender

    def scores(self, said: NDArray[Any]) -> Array:
        """Return the score of each person."""
        truth = self.index.label
        if self.pipeline.task == "regression":
            return np.array([-np.abs(said[r] - truth[r]).mean() for r in self.people])
        right = said == truth
        return np.array([_balanced(right[rows], truth[rows]) for rows in self.people])

    def importance(
        self,
        about: str,
        names: Sequence[str],
        answer: Callable[[Rows | None, int], NDArray[Any]],
        *,
        repeats: int,
        seed: int,
    ) -> Importance:
        check_count(repeats, name="repeats")
        rng = np.random.default_rng(seed)
        whole = self.scores(answer(None, 0))
        orders = [self.order(rng) for _ in range(repeats)]
        losses = []
        for part in range(len(names)):
            scores = np.mean([self.scores(answer(order, part)) for order in orders], axis=0)
            losses.append(_over_people(whole - scores, seed=seed))
        metric = "balanced accuracy" if self.pipeline.task != "regression" else "-mean abs. error"
        return Importance(
            about,
            tuple(names),
            tuple(losses),
            _over_people(whole, seed=seed),
            metric,
            self.exchanged,
            repeats,
        )


def _balanced(right: NDArray[np.bool_], truth: NDArray[Any]) -> float:
    return float(np.mean([right[truth == label].mean() for label in np.unique(truth)]))


def _over_people(values: Array, *, seed: int) -> Estimate:
    """Return the mean over people with the percentile interval of resampled people."""
    mean = float(values.mean())
    if len(values) == 1:  # one person says nothing about people
        reach = max(1.0, abs(mean))
        return Estimate(mean, -reach, reach, "person", 1)
    rng = np.random.default_rng(seed)
    picked = rng.integers(len(values), size=(_N_RESAMPLES, len(values)))
    low, high = np.quantile(values[picked].mean(axis=1), [0.025, 0.975])
    return Estimate(mean, min(float(low), mean), max(float(high), mean), "person", len(values))


def _labelled(pipeline: Pipeline, recordings: Sequence[Recording]) -> Windows:
    front = pipeline.front
    parts = []
    for recording in recordings:
        pipeline.check_layout(recording.layout)
        parts.append(front.windowing.cut(front.process(recording), labelled=True))
    found = [part for part in parts if len(part)]
    if not found:
        raise DataError("No recording gives a labelled window.")
    return Windows.concatenate(found)


def _measured(pipeline: Pipeline, windows: Windows, values: NDArray[np.float32]) -> Array:
    front = pipeline.front
    if front.whole:
        changed = Windows(values, windows.index, windows.layout, windows.recipe)
        return np.asarray(samples_table(changed).values)
    from myograph.features.extract import measure

    return measure(np.ascontiguousarray(values), fs_hz=windows.fs_hz, features=front.features)
