"""Models under one contract; importing the package registers its members."""

from __future__ import annotations

from myograph.models import (
    baseline,
    boosting,
    cnn,
    forest,
    gaussian,
    gaussian_process,
    linear,
    logistic,
    mixed,
    neighbours,
    riemannian,
    svm,
    svr,
)
from myograph.models.base import MODELS, Classifier, Model, Regressor, build_model

__all__ = [
    "MODELS",
    "Classifier",
    "Model",
    "Regressor",
    "baseline",
    "boosting",
    "build_model",
    "cnn",
    "forest",
    "gaussian",
    "gaussian_process",
    "linear",
    "logistic",
    "mixed",
    "neighbours",
    "riemannian",
    "svm",
    "svr",
]
