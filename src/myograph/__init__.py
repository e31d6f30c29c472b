"""Myograph: from the electrode to a decision that a person can check.

The names below are loaded when they are first used, so ``import myograph`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Channel": "myograph.core.layout",
    "Event": "myograph.core.recording",
    "FeatureTable": "myograph.core.table",
    "Finding": "myograph.core.decision",
    "Decision": "myograph.core.decision",
    "Layout": "myograph.core.layout",
    "Recording": "myograph.core.recording",
    "RecordingSet": "myograph.core.recording",
    "Subject": "myograph.core.recording",
    "Windows": "myograph.core.windows",
    "evaluate": "myograph.workflows.evaluate",
    "load_model": "myograph.pipeline.artifact",
    "read": "myograph.io.read",
    "train": "myograph.workflows.train",
    "write": "myograph.io.write",
}
_PACKAGES = (
    "config",
    "core",
    "datasets",
    "explain",
    "features",
    "io",
    "models",
    "pipeline",
    "preprocess",
    "report",
    "signal",
    "twin",
    "validate",
    "workflows",
)

__all__ = ["__version__", *_HOMES, *_PACKAGES]

if TYPE_CHECKING:
    from myograph.core.decision import Decision, Finding
    from myograph.core.layout import Channel, Layout
    from myograph.core.recording import Event, Recording, RecordingSet, Subject
    from myograph.core.table import FeatureTable
    from myograph.core.windows import Windows
    from myograph.io.read import read
    from myograph.io.write import write
    from myograph.pipeline.artifact import load_model
    from myograph.workflows.evaluate import evaluate
    from myograph.workflows.train import train


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _PACKAGES:
        return import_module(f"myograph.{name}")
    raise AttributeError(f"module 'myograph' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
