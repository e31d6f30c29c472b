"""Pictures of recordings: the signals with their quality, as a PNG or an SVG file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from myograph.core.checks import check_choice
from myograph.workflows.outputs import check_free, write_bytes

if TYPE_CHECKING:
    from myograph.core.recording import Recording
    from myograph.preprocess.quality import QualityReport

__all__ = ["check_picture", "draw_quality"]

_SUFFIXES = (".png", ".svg")


def check_picture(path: Path, *, force: bool) -> Path:
    """Return ``path`` if a picture can be written there, before any work is done for it."""
    check_choice(path.suffix.lower(), _SUFFIXES, name="the ending of a picture")
    return check_free(path, force=force)


def draw_quality(
    recording: Recording, report: QualityReport, path: Path, *, force: bool = False
) -> Path:
    """Draw the muscle channels with the grade of every second below each, and write the picture."""
    from myograph.report.quality import quality_picture

    check_picture(path, force=force)
    content = quality_picture(recording, report, suffix=path.suffix.lower())
    return write_bytes(path, content, force=force)
