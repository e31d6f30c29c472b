"""Models under one contract; importing the package registers its members."""

from __future__ import annotations

from myograph.models import baseline, forest, linear, svm
from myograph.models.base import MODELS, Classifier, Model, Regressor, build_model

__all__ = [
    "MODELS",
    "Classifier",
    "Model",
    "Regressor",
    "baseline",
    "build_model",
    "forest",
    "linear",
    "svm",
]
