"""The split manifest for people: who trained and who was tested in each fold."""

from __future__ import annotations

from myograph.report.document import Block, Document, Grid, Section
from myograph.report.facts import Evidence
from myograph.report.words import split_words

__all__ = ["split_sheet"]

_ABSENT = (
    "The result's folder holds no split.json: who was on which side of which fold cannot be shown. "
    "Evaluate again with --out, and write these papers from that folder."
)


def split_sheet(evidence: Evidence) -> Document:
    """Write the folds of an evaluation by name, or say that they are not known."""
    manifest = evidence.split
    lead = [split_words(evidence.result.split)]
    if manifest is None:
        return Document("split-manifest", "Split manifest", (*lead, _ABSENT), ())
    unit = "/".join(manifest.by)
    lead.append(
        f"Scope: {manifest.scope}. Units: {unit}. {len(manifest.folds)} folds. The digest of this "
        f"manifest is {manifest.digest()}; the result states the same as its fingerprint."
    )
    lead.append("For machines the folds are in split.json: myograph evaluate --split split.json.")
    rows = tuple(
        (fold.name, ", ".join(fold.test), ", ".join(fold.validation) or "–", ", ".join(fold.train))
        for fold in manifest.folds
    )
    folds: tuple[Block, ...] = (Grid(("fold", "tested", "validation", "trained"), rows),)
    unused = ", ".join(manifest.unused) or "Every unit of the data is used."
    sections = (Section("Folds", folds), Section("Not used by any fold", (unused,)))
    return Document("split-manifest", "Split manifest", tuple(lead), sections)
