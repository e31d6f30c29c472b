"""Covariances of the channels in bands, and linear discriminant analysis of them, person by person.

What `ladders.py` calls its best on gestures: covariances of the channels of a window in three
bands, and of the channels beside their copies one sample later, each matrix by its logarithm or a
small power. Every person's means and spreads are computed
once, so that leaving out people costs one solve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from myograph.config.schema import WindowingConfig
from myograph.core.layout import MUSCLE_KINDS
from myograph.core.recording import Recording
from myograph.models.base import softmax
from myograph.models.riemannian import lagged
from myograph.preprocess.windowing import Windowing

Matrix = NDArray[np.float64]

#: Bands as shares of half the sampling rate; 15 to 35, 35 to 60 and 60 to 95 Hz of a Myo armband.
BANDS = ((0.15, 0.35), (0.35, 0.60), (0.60, 0.95))
CURVES: dict[str, Callable[[Matrix, float], Matrix]] = {
    "log": lambda v, noise: np.log(v + noise),
    "power 0.12": lambda v, noise: (v + noise) ** 0.12,
}
SETS = {
    "bands": ("0", "1", "2"),
    "bands and lag": ("0", "1", "2", "lag 1"),
}
BETWEEN = (1.0, 2.0)
SHRINKAGE = 0.05
#: What a person of another collection counts for.
SHARE = 0.3
#: How many windows the training people's mean counts for, before a person's own past.
PRIORS = (50.0, 200.0, 800.0)


@dataclass(frozen=True, eq=False)
class Rows:
    """Windows: whose, of which recording, what."""

    person: NDArray[np.intp]
    recording: NDArray[np.str_]
    code: NDArray[np.intp]
    #: Where there are more classes than these people show.
    most: int = 0

    @property
    def n_people(self) -> int:
        return int(self.person.max()) + 1

    @property
    def n_classes(self) -> int:
        return max(self.most, int(self.code.max()) + 1)


def spectra(
    recordings: Iterable[Recording], windowing: WindowingConfig
) -> dict[str, tuple[Matrix, Matrix]]:
    """Return eigenvalues and eigenvectors of the covariances of every window that counts."""
    cutter = Windowing(**windowing.model_dump())
    names = ("0", "1", "2", "lag 1")
    parts: dict[str, list[Matrix]] = {name: [] for name in names}
    for recording in recordings:
        muscle = recording.select(kinds=MUSCLE_KINDS)
        samples, half = np.asarray(muscle.samples, dtype=np.float64), muscle.fs_hz / 2
        wide = sosfilt(butter(2, BANDS[0][0], "highpass", output="sos"), samples)
        for number, band in enumerate(BANDS):
            sections = butter(2, [edge * half for edge in band], "bandpass", fs=2 * half,
                              output="sos")  # fmt: skip
            cut = _cut(cutter, recording, sosfilt(sections, samples))
            parts[str(number)].append(_covariance(cut))
        parts["lag 1"].append(_covariance(lagged(_cut(cutter, recording, wide), 1)))
    return {name: tuple(np.linalg.eigh(np.concatenate(each))) for name, each in parts.items()}


def _cut(cutter: Windowing, recording: Recording, samples: Matrix) -> Matrix:
    """Return the windows of filtered muscle channels, shape (n_windows, n_channels, n_samples)."""
    whole = np.array(recording.samples)
    whole[list(recording.layout.rows(kinds=MUSCLE_KINDS))] = samples
    windows = cutter.cut(recording.with_samples(whole, step="filtered", parameters={}))
    rows = list(windows.layout.rows(kinds=MUSCLE_KINDS))
    return np.asarray(windows.values[:, rows], dtype=np.float64)


def _covariance(windows: Matrix) -> Matrix:
    return np.asarray(windows @ windows.transpose(0, 2, 1) / windows.shape[2])


def vectors(values: Matrix, columns: Matrix, curve: str, noise: float) -> Matrix:
    """Return the upper triangles of a function of the matrices, as vectors."""
    curved = CURVES[curve](np.maximum(values, 0.0), noise)[:, np.newaxis]
    matrices = (columns * curved) @ columns.transpose(0, 2, 1)
    first, second = np.triu_indices(matrices.shape[1])
    return np.asarray(matrices[:, first, second])


class Summed:
    """LDA from each person's means and spreads: leaving out people costs one solve."""

    def __init__(self, values: Matrix, rows: Rows) -> None:
        self.values, self.rows = values, rows
        shape, width = (rows.n_people, rows.n_classes), values.shape[1]
        self.shown = np.zeros(shape, dtype=bool)
        self.means = np.zeros((*shape, width))
        self.spread = np.zeros((rows.n_people, width, width))
        for person, code in product(range(rows.n_people), range(rows.n_classes)):
            mine = values[(rows.person == person) & (rows.code == code)]
            if not len(mine):
                continue
            self.shown[person, code] = True
            self.means[person, code] = mine.mean(axis=0)
            centred = mine - self.means[person, code]
            self.spread[person] += centred.T @ centred / len(mine)
        self.spread /= self.shown.sum(axis=1)[:, None, None]

    def answer(
        self,
        tested: NDArray[np.bool_],
        train: NDArray[np.bool_],
        *,
        between: float,
        company: Sequence[Summed] = (),
    ) -> Matrix:
        """Return probabilities of the windows ``tested`` by a model of the ``train`` people.

        What differs between people within a class counts ``between`` times. People of other
        collections, ``company``, count `SHARE` each, and what their collection shows beside this
        one in all classes alike is taken off. A class that nobody in ``train`` shows has
        probability 0.
        """
        shown = self.shown[train]
        known = shown.any(axis=0)
        pool = _Pool(len(known), self.means.shape[2])
        own = pool.add(self.means[train], shown, self.spread[train])
        for each in company:
            pool.add(each.means, each.shown, each.spread, share=SHARE, own=own)
        means, spread = pool.means[known], pool.spread(between)
        weights = np.linalg.solve(spread, means.T)
        scores = self.asked(tested, train) @ weights - 0.5 * (means.T * weights).sum(axis=0)
        proba = np.zeros((len(scores), self.rows.n_classes))
        proba[:, known] = softmax(scores)
        return proba

    def asked(self, tested: NDArray[np.bool_], train: NDArray[np.bool_]) -> Matrix:
        """Return what is asked about the tested windows."""
        del train
        return self.values[tested]


class _Pool:
    """Means of classes, spread of windows and spread of people, added up group by group."""

    def __init__(self, n_classes: int, width: int) -> None:
        self.sums, self.counts = np.zeros((n_classes, width)), np.zeros(n_classes)
        self.within, self.people = np.zeros((width, width)), 0.0
        self.away, self.cells = np.zeros((width, width)), 0.0

    def add(
        self,
        means: Matrix,
        shown: NDArray[np.bool_],
        within: Matrix,
        *,
        share: float = 1.0,
        own: Matrix | None = None,
    ) -> Matrix:
        """Add people, each for ``share``; return their mean of each class, NaN where not shown.

        With ``own``, the means of another group, theirs are moved there by what the classes that
        both show have in common.
        """
        many = shown.sum(axis=0)
        centre = np.where(
            many[:, None] > 0, means.sum(axis=0) / np.maximum(many, 1)[:, None], np.nan
        )
        moved = centre if own is None else centre + np.nanmean(own - centre, axis=0)
        self.sums += share * many[:, None] * np.nan_to_num(moved)
        self.counts += share * many
        gaps = (means - centre)[shown]
        self.away += share * gaps.T @ gaps
        self.cells += share * len(gaps)
        self.within += share * within.sum(axis=0)
        self.people += share * len(within)
        return centre

    @property
    def means(self) -> Matrix:
        return self.sums / np.maximum(self.counts, 1e-9)[:, None]

    def spread(self, between: float) -> Matrix:
        spread = self.within / self.people + between * self.away / self.cells
        return np.asarray((1 - SHRINKAGE) * spread + SHRINKAGE * np.diag(np.diag(spread)))


class Recentred(Summed):
    """The same, on what is left when a person's own mean is taken off; no label is used.

    Training people lose the mean of all their windows. A new person loses that too, or, with
    ``prior``, what their own past says: the mean of their windows up to now, beside ``prior``
    windows at the mean of the training people.
    """

    def __init__(self, values: Matrix, rows: Rows, *, prior: float | None = None) -> None:
        self.centres = np.stack(
            [values[rows.person == p].mean(axis=0) for p in range(rows.n_people)]
        )
        super().__init__(values - self.centres[rows.person], rows)
        self.prior = prior
        self.weight = np.zeros(len(values))
        if prior is not None:
            self.raw, past, many = values, np.zeros_like(values), np.zeros(len(values))
            for person in range(rows.n_people):
                mine = np.flatnonzero(rows.person == person)
                past[mine] = np.cumsum(values[mine], axis=0)
                many[mine] = np.arange(1, len(mine) + 1)
            self.past = past / (prior + many)[:, None]
            self.weight = prior / (prior + many)

    def asked(self, tested: NDArray[np.bool_], train: NDArray[np.bool_]) -> Matrix:
        if self.prior is None:
            return self.values[tested]
        known = self.centres[train].mean(axis=0)
        return self.raw[tested] - self.past[tested] - self.weight[tested, None] * known


Answer = Callable[[NDArray[np.bool_], NDArray[np.bool_]], Matrix]
Spectra = dict[str, tuple[Matrix, Matrix]]


def candidates(
    found: Spectra, rows: Rows, *, noise: float, company: Sequence[tuple[Spectra, Rows]] = ()
) -> dict[str, Answer]:
    """Return every setting by name: a function of tested windows and training people.

    With ``company``, spectra and windows of other collections, each also with these people.
    """
    said: dict[str, Answer] = {}
    for curve, (name, keys) in product(CURVES, SETS.items()):
        summed = Summed(_joined(found, keys, curve, noise), rows)
        others = [Summed(_joined(each, keys, curve, noise), whose) for each, whose in company]
        for between in BETWEEN:
            label = f"{name}, {curve}, people x{between:g}"
            said[label] = _answer(summed, between)
            if others:
                said[f"{label}, with others"] = _answer(summed, between, others)
    return said


def recentred(found: Spectra, rows: Rows, *, noise: float, past: bool) -> dict[str, Answer]:
    """Return settings that take off a person's own mean, of everything or of their past."""
    said: dict[str, Answer] = {}
    for curve, prior in product(CURVES, PRIORS if past else (None,)):
        values = _joined(found, SETS["bands and lag"], curve, noise)
        label = curve if prior is None else f"{curve}, {prior:g} windows before"
        said[label] = _answer(Recentred(values, rows, prior=prior), 1.0)
    return said


def _joined(found: Spectra, keys: Sequence[str], curve: str, noise: float) -> Matrix:
    return np.concatenate([vectors(*found[key], curve, noise) for key in keys], axis=1)


def _answer(summed: Summed, between: float, company: Sequence[Summed] = ()) -> Answer:
    def answer(tested: NDArray[np.bool_], train: NDArray[np.bool_]) -> Matrix:
        return summed.answer(tested, train, between=between, company=company)

    return answer


def deal(people: NDArray[Any], n_groups: int) -> list[NDArray[Any]]:
    """Deal people into groups, the same on every call."""
    return [people[k::n_groups] for k in range(min(n_groups, len(people)))]
