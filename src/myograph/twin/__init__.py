"""The digital twin: a simulated neuromuscular patient with ground truth.

Pure numerics, seeded, every parameter with its unit and source. What comes out is engineering
verification, never clinical evidence.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "Observations": "myograph.twin.visit",
    "PatientTwin": "myograph.twin.posterior",
    "fit": "myograph.twin.inference",
    "simulate": "myograph.twin.whatif",
    "what_if": "myograph.twin.whatif",
}

__all__ = ["Observations", "PatientTwin", "fit", "simulate", "what_if"]

if TYPE_CHECKING:
    from myograph.twin.inference import fit
    from myograph.twin.posterior import PatientTwin
    from myograph.twin.visit import Observations
    from myograph.twin.whatif import simulate, what_if


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'myograph.twin' has no attribute {name!r}")
