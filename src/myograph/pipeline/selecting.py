"""Selection inside a pipeline: built from the configuration, fitted on training windows only."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.config.schema import PipelineConfig
from myograph.core.errors import ArtifactError, ParameterError
from myograph.core.table import FeatureTable
from myograph.features.select import SELECTIONS, Columns, Selection, build_selection

__all__ = ["fit_selection", "new_selection", "restore_selection"]


def new_selection(config: PipelineConfig, seed: int) -> Selection | None:
    """Build the unfitted selection of a configuration; None when it has none.

    Raises
    ------
    ParameterError
        If the selection or a parameter is unknown.
    """
    if config.selection is None:
        return None
    params = config.selection.to_dict()
    name = params.pop("name")
    if "seed" in inspect.signature(SELECTIONS[name]).parameters:
        params.setdefault("seed", seed)
    return build_selection(name, **params)


def fit_selection(
    selection: Selection | None, table: FeatureTable, values: NDArray[np.float64]
) -> Selection | None:
    """Fit a selection on the scaled ``values`` of a table of training windows."""
    if selection is None:
        return None
    task = "regression" if table.index.label.dtype.kind == "f" else "classification"
    if task not in selection.tasks:
        raise ParameterError(
            f"{type(selection).__name__} is for {' and '.join(selection.tasks)}, and the windows "
            f"carry labels for {task}; take another selection."
        )
    length_s = float(table.index.stop_s[0] - table.index.start_s[0])
    columns = Columns(table.names, max(1, round(length_s * table.layout.fs_hz)))
    return selection.fit(values, table.index.label, groups=table.index.subject, columns=columns)


def restore_selection(
    config: PipelineConfig, arrays: Mapping[str, NDArray[Any]], *, seed: int, n_features: int
) -> Selection | None:
    """Rebuild a fitted selection from what was saved.

    Raises
    ------
    ArtifactError
        If the arrays do not fit the configuration or the features.
    """
    unfitted = new_selection(config, seed)
    if unfitted is None:
        if arrays:
            raise ArtifactError(f"it has no selection, and arrays of one: {sorted(arrays)}.")
        return None
    rebuilt = type(unfitted).from_arrays(arrays, **unfitted.get_params())
    if rebuilt.n_features_in_ != n_features:
        raise ArtifactError(
            f"The selection takes {rebuilt.n_features_in_} features; {n_features} are named."
        )
    return rebuilt
