"""Fitting on rows of a table and answering for others: what every fold, inner or outer, does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from myograph.config.schema import PipelineConfig
from myograph.core.table import FeatureTable
from myograph.pipeline.pipeline import Pipeline
from myograph.pipeline.rejecting import known_thresholds
from myograph.validate.fold import Rows

__all__ = ["answer", "fit_rows", "one_thread"]


def one_thread() -> threadpool_limits:
    """Return a context in which sums are added in one order.

    So a result does not depend on the machine's load or on how many processes share it. Entering
    it takes milliseconds: once for all that is fitted on a fold.
    """
    return threadpool_limits(limits=1)


def fit_rows(config: PipelineConfig, table: FeatureTable, rows: Rows, *, seed: int) -> Pipeline:
    """Fit a pipeline, built from its configuration alone, on these rows.

    A class that stands in the table and not in these rows needs no threshold: it is never answered.
    """
    part = table.take(rows)
    if isinstance(config.reject_below, Mapping):
        shown, known = (set(np.unique(each.index.label).tolist()) for each in (part, table))
        config = known_thresholds(config, shown, known)
    return Pipeline(config, seed=seed).fit(part)


def answer(
    pipeline: Pipeline, table: FeatureTable, classes: tuple[str, ...]
) -> NDArray[np.float64]:
    """Return probabilities of ``classes``, or estimates where there are none.

    Returns
    -------
    ndarray, shape (n_windows, n_classes) or (n_windows,)
        A class that no training window shows has probability 0.
    """
    if not classes:
        return pipeline.estimate(table)
    known = pipeline.predict_proba(table)
    if pipeline.classes == classes:
        return known
    whole = np.zeros((len(known), len(classes)))
    whole[:, [classes.index(name) for name in pipeline.classes]] = known
    return whole
