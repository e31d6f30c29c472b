"""An explanation: one decision, what mattered in it, and how far each part is to be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.table import FeatureTable
from myograph.explain.cases import Cases
from myograph.explain.counterfactual import Counterfactual
from myograph.explain.explanation import Attribution, Heat
from myograph.explain.faithfulness import Faithfulness
from myograph.explain.importance import Importance
from myograph.explain.question import Question
from myograph.explain.rest import Rest

__all__ = ["Explained", "Judged", "JudgedHeat", "Reference", "loudest"]

Array = NDArray[np.float64]

# Rows of training people that lend features.
_N_REFERENCE = 100


@dataclass(frozen=True, eq=False)
class Reference:
    """Windows of training people, which some explanations compare with.

    Parameters
    ----------
    table : FeatureTable
        As the pipeline measures them, labelled.
    name : str
        Of the data.
    same : bool
        Whether these are exactly the windows that the model learned from, by their digest.
    importance : tuple of Importance
        Permutation importance on these people, if it was asked for.
    rest : Rest, optional
        How quiet muscles and bands are in them.
    """

    table: FeatureTable
    name: str = ""
    same: bool = False
    importance: tuple[Importance, ...] = ()
    rest: Rest | None = None

    def taken(self, question: Question, *, most: int = _N_REFERENCE) -> Array:
        """Return what the model takes of up to ``most`` windows, evenly spread."""
        pipeline = question.pipeline
        values = np.asarray(self.table.values)
        if pipeline.config.scaling == "person":
            from myograph.pipeline.scaling import scale_people

            values = scale_people(values, self.table.index.subject)
        else:
            values = pipeline.scale(values)
        rows = np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int)
        return np.asarray(pipeline.taken(values[rows]))


@dataclass(frozen=True, eq=False)
class Judged:
    """An attribution with what the checks say about it.

    Parameters
    ----------
    found : Attribution
    faithfulness : Faithfulness or None
        None where there are fewer parts than orders can be told apart by.
    """

    found: Attribution
    faithfulness: Faithfulness | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        told = None if self.faithfulness is None else self.faithfulness.to_dict()
        return {**self.found.to_dict(), "faithfulness": told}


@dataclass(frozen=True, eq=False)
class JudgedHeat:
    """Heat on the signal with what the checks say about it."""

    heat: Heat
    faithfulness: Faithfulness | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        told = None if self.faithfulness is None else self.faithfulness.to_dict()
        return {**self.heat.to_dict(), "faithfulness": told}


@dataclass(frozen=True, eq=False)
class Explained:
    """Everything that was found about one decision.

    Parameters
    ----------
    question : Question
    method : str
    bars : tuple of Judged
        By muscle, by band, by feature family, by feature.
    heats : tuple of JudgedHeat
    cases : Cases or None
    counterfactuals : tuple of Counterfactual
    importance : tuple of Importance
        Of the model, over people; not of this decision.
    notes : tuple of str
        What a reader has to know.
    """

    question: Question
    method: str
    bars: tuple[Judged, ...] = ()
    heats: tuple[JudgedHeat, ...] = ()
    cases: Cases | None = None
    counterfactuals: tuple[Counterfactual, ...] = ()
    importance: tuple[Importance, ...] = ()
    notes: tuple[str, ...] = ()

    def bar(self, about: str) -> Judged | None:
        """Return the attribution to parts of this kind."""
        return next((each for each in self.bars if each.found.about == about), None)

    @property
    def evidence(self) -> float:
        """Mean evidence over the windows."""
        return float(self.question.evidence.mean())

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        asked = self.question
        index = asked.windows.index
        classes = asked.classes
        decision: dict[str, Any] = {"evidence": self.evidence, "unit": asked.unit}
        if classes:
            proba = dict(zip(classes, asked.proba.tolist(), strict=True))
            decision |= {
                "label": asked.decided,
                "probabilities": proba,
                "explained": asked.target,
                "against": asked.against,
            }
        return {
            "method": self.method,
            "decision": decision,
            "windows": {
                "number": asked.rows.tolist(),
                "start_s": index.start_s.tolist(),
                "stop_s": index.stop_s.tolist(),
                "evidence": asked.evidence.tolist(),
            },
            "attributions": [each.to_dict() for each in self.bars],
            "heat": [each.to_dict() for each in self.heats],
            "cases": None if self.cases is None else self.cases.to_dict(),
            "counterfactuals": [each.to_dict() for each in self.counterfactuals],
            "importance": [each.to_dict() for each in self.importance],
            "notes": list(self.notes),
        }


def loudest(bars: Sequence[Judged]) -> list[tuple[str, str, float]]:
    """Return the strongest part of each kind: what it is, its name and its value."""
    return [(each.found.about, *each.found.strongest(1)[0]) for each in bars]
