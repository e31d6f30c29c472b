"""Selection: which measured numbers go on to the model, learned inside every fold.

Not part of ``myograph.features``: it needs scikit-learn, and measuring does not.
"""

from __future__ import annotations

from myograph.features.select.apply import apply_selection
from myograph.features.select.base import (
    SELECTIONS,
    Columns,
    Projection,
    Selection,
    Selector,
    build_selection,
)
from myograph.features.select.filters import Anova, ReliefF
from myograph.features.select.information import MRMR, MutualInformation
from myograph.features.select.linear import L1, RFE, Stability
from myograph.features.select.projections import NMF, PCA, Discriminants
from myograph.features.select.stable import nogueira
from myograph.features.select.wrappers import CostAware, Sequential

__all__ = [
    "L1",
    "MRMR",
    "NMF",
    "PCA",
    "RFE",
    "SELECTIONS",
    "Anova",
    "Columns",
    "CostAware",
    "Discriminants",
    "MutualInformation",
    "Projection",
    "ReliefF",
    "Selection",
    "Selector",
    "Sequential",
    "Stability",
    "apply_selection",
    "build_selection",
    "nogueira",
]
