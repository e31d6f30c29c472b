"""Separability: how well the movements of a calibration can be told apart so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.config.schema import PipelineConfig
from myograph.core.errors import DataError
from myograph.core.table import FeatureTable
from myograph.models.linear import ledoit_wolf
from myograph.pipeline.pipeline import Pipeline

__all__ = ["Confusion", "Separability", "confusion", "separability"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Confusion:
    """What repetitions were taken for by a model that had not seen them.

    Parameters
    ----------
    classes : tuple of str
    counts : ndarray of int, shape (n_classes, n_classes)
        Windows: asked for by row, called by column.
    """

    classes: tuple[str, ...]
    counts: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """Mean share called right over the movements."""
        return float(np.mean(np.diag(self.counts) / np.maximum(self.counts.sum(axis=1), 1)))

    @property
    def worst(self) -> tuple[str, str, float] | None:
        """The most confused pair (asked, called, share of windows), or None without an error."""
        shares = self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)
        np.fill_diagonal(shares, 0.0)
        row, column = np.unravel_index(int(shares.argmax()), shares.shape)
        if shares[row, column] == 0:
            return None
        return self.classes[row], self.classes[column], float(shares[row, column])

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {"classes": list(self.classes), "counts": self.counts.tolist()}


@dataclass(frozen=True, slots=True)
class Separability:
    """How far each movement lies from its nearest neighbour.

    Parameters
    ----------
    nearest : dict of str to (str, float)
        For each movement: its neighbour, and half the Mahalanobis distance between the two
        [bunderson2012]_; below about 1 the two overlap.
    """

    nearest: dict[str, tuple[str, float]]

    @property
    def index(self) -> float:
        """Mean over the movements."""
        return float(np.mean([distance for _, distance in self.nearest.values()]))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {name: {"to": to, "distance": far} for name, (to, far) in self.nearest.items()}


def confusion(config: PipelineConfig, table: FeatureTable) -> Confusion:
    """Hold out each repetition in turn; with one of each, its second half.

    A few repetitions of one person say what to repeat, not how good a model is.

    Parameters
    ----------
    config : PipelineConfig
    table : FeatureTable
        Of the calibration so far.
    """
    label = table.index.label.astype(str)
    classes = tuple(sorted(set(label)))
    if len(classes) < 2:
        raise DataError(f"At least two movements are needed to confuse them; got {classes}.")
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    for train, test in _folds(table):
        if len(set(label[train])) < 2:
            continue
        pipeline = Pipeline(config).fit(table.take(train))
        called = np.array(pipeline.classes)[pipeline.predict_proba(table.take(test)).argmax(axis=1)]
        rows = np.searchsorted(classes, label[test])
        np.add.at(counts, (rows, np.searchsorted(classes, called)), 1)
    return Confusion(classes, counts)


def separability(table: FeatureTable) -> Separability:
    """Measure the distances between movements, on the logarithm of features that allow it.

    Raises
    ------
    DataError
        With fewer than two movements.
    """
    label = table.index.label.astype(str)
    classes = sorted(set(label))
    if len(classes) < 2:
        raise DataError(f"At least two movements are needed to compare them; got {classes}.")
    values = spread_out(table.values)
    means = np.array([values[label == name].mean(axis=0) for name in classes])
    centred = values - means[np.searchsorted(classes, label)]
    inverse = np.linalg.inv(pooled(centred))
    apart = means[:, np.newaxis] - means[np.newaxis]
    distance = np.sqrt(np.maximum(np.einsum("abi,ij,abj->ab", apart, inverse, apart), 0)) / 2
    np.fill_diagonal(distance, np.inf)
    near = distance.argmin(axis=1)
    return Separability(
        {name: (classes[near[k]], float(distance[k, near[k]])) for k, name in enumerate(classes)}
    )


def spread_out(values: Floats) -> Floats:
    """Return features as logarithms where they are amplitudes: gains then only shift them."""
    positive = (values > 0).all(axis=0)
    out = values.astype(np.float64).copy()
    out[:, positive] = np.log(values[:, positive])
    return out


def pooled(centred: Floats) -> Floats:
    """Return the shrunk covariance of rows around their class means."""
    scale = centred.std(axis=0)
    scale = np.where(scale > 1e-12, scale, 1.0)
    unit = centred / scale
    amount = ledoit_wolf(unit)
    covariance = (1 - amount) * unit.T @ unit / len(unit)
    covariance += (amount * np.trace(unit.T @ unit) / unit.size + 1e-9) * np.eye(unit.shape[1])
    return np.asarray(covariance * np.outer(scale, scale))


def _folds(table: FeatureTable) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    trial, label = table.index.trial, table.index.label.astype(str)
    everything = np.arange(len(table))
    trials = np.unique(trial)
    if len(trials) > 1:
        return [(everything[trial != one], everything[trial == one]) for one in trials]
    second = np.zeros(len(table), dtype=np.bool_)
    for name in np.unique(label):
        rows = np.flatnonzero(label == name)
        second[rows[len(rows) // 2 :]] = True
    return [(everything[~second], everything[second])]
