"""Models under one contract; importing the package registers its members."""

from __future__ import annotations

from myograph.models import (
    attention,
    baseline,
    boosting,
    cnn,
    covariance,
    forest,
    gaussian,
    gaussian_process,
    imaging,
    kernel_logistic,
    linear,
    logistic,
    mixed,
    neighbours,
    recurrent,
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
    "attention",
    "baseline",
    "boosting",
    "build_model",
    "cnn",
    "covariance",
    "forest",
    "gaussian",
    "gaussian_process",
    "imaging",
    "kernel_logistic",
    "linear",
    "logistic",
    "mixed",
    "neighbours",
    "recurrent",
    "riemannian",
    "svm",
    "svr",
]
