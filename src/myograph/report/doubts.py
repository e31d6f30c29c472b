"""Doubts: what stands against the figures of an evaluation, said before the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from myograph.report.comparison import reach_words
from myograph.report.facts import Evidence
from myograph.report.words import dropped_words
from myograph.validate.metrics import METRICS
from myograph.validate.probes import NAMES

if TYPE_CHECKING:
    from myograph.core.decision import Estimate
    from myograph.validate.result import ValidationResult

__all__ = ["doubts"]

_SIMULATED = "Simulated data: engineering verification, never clinical performance."
_UNPROBED = "Confounds were not probed: whether something else tells the label is not known."
_UNLOCKED = (
    "No model file was given: nothing is locked, and these papers are about a procedure, not about "
    "a model that could be used."
)
#: A difference is shown when luck alone gives one as large at most so often, corrected for how
#: many were tested.
_LEVEL = 0.05
_UNTESTED = (
    "The locked file itself was not tested: the figures are those of models made in the same way "
    "in the folds."
)


def doubts(evidence: Evidence) -> list[str]:
    """Say what stands against the figures, the gravest first, then the notes of the run."""
    result = evidence.result
    simulated = evidence.material.about.get("simulated") or result.data.get("simulated")
    told = [_SIMULATED] if simulated else []
    failed = [audit.name for audit in result.audits if not audit.passed]
    if failed:
        told.append(f"Do not rely on the figures: the audits {', '.join(failed)} failed.")
    told += _without_muscle(result)
    told += _not_better(result)
    if result.split.get("scope") != "across people":
        told.append("The scores are about people whose data trained the model.")
    told += [f"Not in the figures: {dropped_words(what, why)}." for what, why in result.dropped]
    told.append(_UNLOCKED if evidence.lock is None else _UNTESTED)
    return [*told, *result.notes]


def _without_muscle(result: ValidationResult) -> list[str]:
    confounds = result.confounds
    if confounds is None:
        return [_UNPROBED]
    if confounds.warning:
        return [confounds.warning]
    found = ", ".join(NAMES[probe.name] for probe in confounds.probes if probe.above_chance)
    if not found:
        return []
    return [f"Each alone tells the label better than a guess: {found}."]


def _not_better(result: ValidationResult) -> list[str]:
    """Say which simple methods the model equals, and which it is not shown to surpass."""
    equal = [n for n, gain in result.gain.items() if gain.low == gain.value == gain.high == 0]
    found = result.comparisons
    people = min((each.difference.n for each in found), default=0)
    reach = reach_words(people, "holm", len(found)) if found else ""
    # So few people that no p-value could be small: the intervals are all there is.
    chance = {} if reach else {each.second: each.corrected for each in found}
    rivals = [
        name
        for name, gain in result.gain.items()
        if name not in equal
        and not (_better(result.headline, gain) and chance.get(name, 0.0) <= _LEVEL)
    ]
    told = [reach] if reach else []
    if equal:
        told.append(f"No better and no worse than {', '.join(equal)}, person by person.")
    if rivals:
        told.append(f"Not shown to be better than {', '.join(rivals)}.")
    return told


def _better(metric: str, gain: Estimate) -> bool:
    known = METRICS.get(metric)
    return gain.low > 0 if known is None or known.higher_is_better else gain.high < 0
