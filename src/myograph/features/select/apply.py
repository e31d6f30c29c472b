"""A fitted selection applied to a whole table, for looking at it."""

from __future__ import annotations

import json

import numpy as np

from myograph.core.recipe import canonical_json
from myograph.core.table import FeatureTable
from myograph.features.select.base import Selection, Selector

__all__ = ["apply_selection"]


def apply_selection(selection: Selection, table: FeatureTable) -> FeatureTable:
    """Return the table with the columns that a fitted selection keeps, or makes.

    For looking at data. The recipe says that a selection took place, and an evaluation of such a
    table fails its audit: to evaluate, name the selection in the pipeline instead.

    Parameters
    ----------
    selection : Selection
        Fitted on these columns.
    table : FeatureTable

    Returns
    -------
    FeatureTable
        Components have the unit ``"1"``.
    """
    names = selection.get_feature_names_out(np.array(table.names, dtype=object))
    if isinstance(selection, Selector):
        units = tuple(np.array(table.units)[selection.support_].tolist())
    else:
        units = ("1",) * len(names)
    params = json.loads(canonical_json(selection.get_params()))
    return FeatureTable(
        selection.transform(table.values),
        tuple(str(name) for name in names),
        units,
        table.index,
        table.layout,
        table.recipe.then("selection", {"method": type(selection).__name__, **params}),
        table.flat,
        table.target_unit,
    )
