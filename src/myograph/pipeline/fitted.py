"""What a pipeline learned besides its model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from myograph.core.layout import Layout
from myograph.core.table import FeatureTable
from myograph.features.select import Selection
from myograph.models.novelty import NoveltyGate
from myograph.pipeline.rejecting import Refusal
from myograph.pipeline.scaling import Scaler

__all__ = ["Fitted", "training_summary"]


@dataclass(frozen=True, eq=False)
class Fitted:
    """What `Pipeline.fit` learned besides the model.

    Parameters
    ----------
    layout : Layout
        Of the windows.
    names : tuple of str
        Of the features.
    scaler : Scaler or None
        Over the training windows, for ``scaling="standard"``.
    training : mapping
        What was learned from, see `training_summary`.
    selection : Selection or None
        Of the scaled features.
    gate : NoveltyGate or None
        Of the features before scaling, or of whole windows.
    refusal : Refusal or None
        Of answers that are not sure enough.
    """

    layout: Layout
    names: tuple[str, ...]
    scaler: Scaler | None
    training: Mapping[str, Any]
    selection: Selection | None = None
    gate: NoveltyGate | None = None
    refusal: Refusal | None = None

    @property
    def names_taken(self) -> tuple[str, ...]:
        """Names of the numbers that the model takes."""
        if self.selection is None:
            return self.names
        return tuple(self.selection.get_feature_names_out(np.array(self.names, dtype=object)))


def training_summary(table: FeatureTable) -> dict[str, Any]:
    """Count and fingerprint training windows, without a word about any person.

    Returns
    -------
    dict
        ``windows``, ``people``, ``recordings`` (counts) and ``digest``: sha256 over feature
        values, labels, sources and times, which changes when any of them does; ``target_unit``
        when values were learned and have one unit.
    """
    index = table.index
    digest = hashlib.sha256(np.ascontiguousarray(table.values).tobytes())
    for column in (index.label, index.recording, index.start_s):
        digest.update(np.ascontiguousarray(column).tobytes())
    unit = {"target_unit": table.target_unit} if table.target_unit else {}
    return {
        "windows": len(table),
        "people": len(np.unique(index.subject)),
        "recordings": len(np.unique(index.recording)),
        "digest": digest.hexdigest(),
        **unit,
    }
