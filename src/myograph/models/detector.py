"""The detector contract: how strange a row is, learned from normal rows without their labels."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from myograph.core.checks import unknown_name
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.core.registry import Registry
from myograph.core.saved import SavedAsArrays
from myograph.models.base import numbers_of_people

__all__ = ["DETECTORS", "Detector", "band_powers", "build_detector", "deal_people"]

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

#: Bands of each channel, for detectors of whole windows.
N_BANDS = 8
# What is added before a logarithm, as a share of the typical value.
_FLOOR = 0.1
# Share of windows with less power than what is called quiet.
_RARE = 0.05


class Detector(SavedAsArrays, BaseEstimator):
    """Learns what is normal, and says how far a row is from it; greater is stranger.

    A row is one of features, (n_features,), or a window (n_channels, n_samples), of which the
    power of each channel in 8 bands is taken. Subclasses write `_learn` and `_strangeness`.

    Parameters
    ----------
    logs : bool
        Take the logarithm of features that are never negative in what is learned from, and with
        it more nearly normal, such as amplitudes (box1964). For windows this is always done.
    """

    state: ClassVar[tuple[str, ...]] = ("floor_", "n_samples_")

    #: True when `fit` also makes use of classes.
    uses_labels: ClassVar[bool] = False
    #: Packages it learns with, besides those that all of Myograph stands on.
    packages: ClassVar[tuple[str, ...]] = ()

    #: What is added before the logarithm; 0 where none is taken. Shape (n_numbers,).
    floor_: Floats
    #: Of a window; 0 for features.
    n_samples_: NDArray[np.int64]

    def __init__(self, *, logs: bool = False) -> None:
        self.logs = logs

    def fit(
        self, X: ArrayLike, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Learn what is normal.

        Parameters
        ----------
        X : array, shape (n_rows, n_features) or (n_rows, n_channels, n_samples)
            Finite.
        y : array, shape (n_rows,), optional
            Classes; without effect unless ``uses_labels``.
        groups : array, shape (n_rows,), optional
            Person of each row; everybody counts alike.

        Raises
        ------
        DataError
            If there are fewer than 2 rows, or classes or people for another number of rows.
        """
        given = self._given(X, fresh=True)
        if len(given) < 2:
            raise DataError(
                f"{type(self).__name__} learns from at least 2 rows; n_samples = {len(given)}."
            )
        self.n_samples_ = np.asarray(given.shape[2] if given.ndim == 3 else 0, dtype=np.int64)
        rows = band_powers(given) if given.ndim == 3 else given
        self.floor_ = np.zeros(rows.shape[1])
        if given.ndim == 3:
            self.floor_ = _FLOOR * _quiet(rows)
        elif self.logs:
            self.floor_ = _floors(rows)
        people = numbers_of_people(groups, len(rows))
        kinds = np.zeros(len(rows), dtype=np.intp)
        if y is not None and self.uses_labels:
            kinds = _kinds(y, len(rows))
        self.notes_ = ()
        self._learn(_logs(rows, self.floor_), kinds, people)
        return self

    def strangeness(self, X: ArrayLike) -> Floats:
        """Return how strange each row is, shape (n_rows,); its unit is the detector's own."""
        return self._strangeness(self._numbers(X))

    def score_samples(self, X: ArrayLike) -> Floats:
        """Return minus the strangeness: scikit-learn's way round, greater is more normal."""
        return -self.strangeness(X)

    def strangeness_to_others(
        self, X: ArrayLike, y: ArrayLike | None, people: Numbers, *, folds: int, seed: int
    ) -> Floats:
        """Return the strangeness of each row to a detector that has not seen its person.

        Parameters
        ----------
        X, y
            As `fit` takes.
        people : ndarray of int, shape (n_rows,)
        folds : int
            People are dealt to so many.
        seed : int
            Of the dealing.
        """
        rows = np.asarray(X, dtype=np.float64)
        labels = None if y is None else np.asarray(y)
        found = np.empty(len(rows))
        dealt = deal_people(people, folds=folds, seed=seed)
        for fold in np.unique(dealt):
            mine = dealt == fold
            fresh = type(self)(**self.get_params())
            fresh.fit(rows[~mine], None if labels is None else labels[~mine], people[~mine])
            found[mine] = fresh.strangeness(rows[mine])
        return found

    @abstractmethod
    def _learn(self, rows: Floats, kinds: Numbers, people: Numbers) -> None:
        """Set the attributes named in ``state``."""

    @abstractmethod
    def _strangeness(self, rows: Floats) -> Floats:
        """Return how strange checked rows are."""

    def _numbers(self, X: ArrayLike) -> Floats:
        """Check ``X`` against what was learned, and return its numbers, (n_rows, n_numbers)."""
        check_is_fitted(self)
        given = self._given(X, fresh=False)
        length = given.shape[2] if given.ndim == 3 else 0
        if length != int(self.n_samples_):
            known = f"windows of {int(self.n_samples_)} samples" if self.n_samples_ else "features"
            raise DataError(
                f"{type(self).__name__} learned from {known}; got an array of shape {given.shape}."
            )
        return _logs(band_powers(given) if length else given, self.floor_)

    def _given(self, X: ArrayLike, *, fresh: bool) -> Floats:
        if np.ndim(X) == 3:
            windows: Floats = check_array(X, dtype=np.float64, allow_nd=True)
            if fresh:
                self.n_features_in_ = windows.shape[1]
            elif windows.shape[1] != self.n_features_in_:
                raise DataError(
                    f"{type(self).__name__} learned from windows of {self.n_features_in_} "
                    f"channels; these have {windows.shape[1]}."
                )
            return windows
        rows: Floats = validate_data(self, X, reset=fresh, dtype=np.float64)
        return rows

    def _require_fitted(self) -> None:
        check_is_fitted(self)

    @property
    def _n_numbers(self) -> int:
        return self.n_features_in_ * (N_BANDS if int(self.n_samples_) else 1)

    def _check_state(self) -> None:
        self._expect("n_samples_", kind="i")
        if int(self.n_samples_) < 0:
            raise ArtifactError("A window cannot have fewer than 0 samples.")
        self._expect("floor_", self._n_numbers)


#: Every detector by name.
DETECTORS: Registry[type[Detector]] = Registry("novelty detector")


def build_detector(name: str, **params: Any) -> Detector:
    """Build an unfitted detector.

    Raises
    ------
    ParameterError
        If the detector or a parameter is unknown.

    Examples
    --------
    >>> build_detector("mahalanobis", logs=True)
    Mahalanobis(logs=True)
    """
    cls = DETECTORS[name]
    known = list(inspect.signature(cls).parameters)
    for given in params:
        if given not in known:
            raise ParameterError(unknown_name(given, known, what=f"parameter of detector {name!r}"))
    return cls(**params)


def band_powers(windows: ArrayLike, *, n_bands: int = N_BANDS) -> Floats:
    """Return the power of each channel in bands that double in width, lowest first.

    Parameters
    ----------
    windows : array, shape (n_windows, n_channels, n_samples)
    n_bands : int
        The first is what is slower than a cycle per window; the others divide the rest.

    Returns
    -------
    ndarray, shape (n_windows, n_channels * n_bands)
        In the square of the channels' unit; the bands of a channel stand together.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 8 * np.arange(64) / 64)[None, None]
    >>> band_powers(tone, n_bands=4).argmax()
    np.int64(2)
    """
    given = np.asarray(windows, dtype=np.float64)
    length = given.shape[2]
    spectrum = np.abs(np.fft.rfft(given * np.hanning(length + 2)[1:-1], axis=2)) ** 2 / length
    bins = spectrum.shape[2]
    edges = np.unique(np.round(np.geomspace(1, bins, n_bands)).astype(int))
    edges = np.concatenate([[0], edges[:-1]])
    powers = np.zeros((*given.shape[:2], n_bands))
    powers[..., : len(edges)] = np.add.reduceat(spectrum, edges, axis=2)
    return powers.reshape(len(given), -1)


def deal_people(people: Numbers, *, folds: int, seed: int) -> Numbers:
    """Return the fold of each row; a person's rows are in one, and folds have as many people."""
    known, owner = np.unique(people, return_inverse=True)
    place = np.random.default_rng(seed).permutation(len(known))
    return np.asarray(place % min(folds, len(known)), dtype=np.intp)[owner]


def _floors(rows: Floats) -> Floats:
    """Return what is added before a logarithm where one makes rows more nearly normal, or 0.

    The likelihood of a normal distribution decides, with the change of scale paid for: that of
    Box and Cox (box1964) at its powers 0 and 1.
    """
    typical = np.median(rows, axis=0)
    floor = _FLOOR * np.where(typical > 0, typical, np.maximum(rows.max(axis=0), 1.0))
    logs = np.log(np.maximum(rows, 0.0) + floor)
    with np.errstate(divide="ignore"):
        gain = np.log(rows.std(axis=0)) - np.log(logs.std(axis=0)) - logs.mean(axis=0)
    return np.where((rows >= 0).all(axis=0) & (gain > 0), floor, 0.0)


def _quiet(powers: Floats) -> Floats:
    """Return what each power rarely falls below: a silent channel lies well under it."""
    rare = np.quantile(powers, _RARE, axis=0)
    return np.where(rare > 0, rare, np.where(powers.max(axis=0) > 0, powers.mean(axis=0), 1.0))


def _logs(rows: Floats, floor: Floats) -> Floats:
    """Return rows with the logarithm of what has a floor."""
    taken = floor > 0
    if not taken.any():
        return rows
    out = rows.copy()
    out[:, taken] = np.log(np.maximum(rows[:, taken], 0.0) + floor[taken])
    return out


def _kinds(y: ArrayLike, n_rows: int) -> Numbers:
    labels = np.asarray(y).astype(np.str_)
    if labels.shape != (n_rows,):
        raise DataError(f"y must name one class per row ({n_rows}); got shape {labels.shape}.")
    return np.unique(labels, return_inverse=True)[1].astype(np.intp)
