"""The picture of a recording's quality: every muscle channel with the grade of every second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from myograph.core.layout import MUSCLE_KINDS
from myograph.core.recording import Recording
from myograph.report.figures import short
from myograph.report.signals import spacing, thinned
from myograph.report.svg import INK, content, drawing
from myograph.report.words import amount

if TYPE_CHECKING:
    from myograph.preprocess.quality import QualityReport

__all__ = ["quality_picture"]

# From good to bad in lightness as well as in hue, so that it survives grey printing.
_GRADES = {"A": "#c7e3d9", "B": "#f3e3a6", "C": "#efb26b", "reject": "#b5461f"}


def quality_picture(recording: Recording, report: QualityReport, *, suffix: str) -> bytes:
    """Draw the muscle channels, each on a band coloured by the grade of every second.

    Parameters
    ----------
    recording : Recording
    report : QualityReport
        Of this recording.
    suffix : str
        ``".png"`` or ``".svg"``.

    Returns
    -------
    bytes
        The content of the file.
    """
    muscle = recording.select(kinds=MUSCLE_KINDS)
    samples, fs_hz = thinned(muscle.samples, muscle.fs_hz)
    time_s = muscle.start_s + np.arange(samples.shape[1]) / fs_hz
    height = spacing(samples)
    with drawing("quality", width_in=9.0, height_in=1.1 + 0.45 * muscle.n_channels) as figure:
        axes = figure.subplots()
        places = np.arange(muscle.n_channels)[::-1]
        for row, place in enumerate(places):
            _grade_band(axes, report, row, float(place))
            line = place + (samples[row] - np.median(samples[row])) / height
            axes.plot(time_s, line, color=INK, linewidth=0.5)
        names = [f"{short(c.name, 14)}  {c.grade}" for c in report.channels]
        axes.set_yticks(places, names)
        axes.set_ylim(-0.7, muscle.n_channels - 0.3)
        axes.set_xlim(time_s[0], time_s[-1])
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("time (s)")
        unit = " / ".join(dict.fromkeys(muscle.layout.units))
        axes.set_title(f"quality {report.grade}; rows are {amount(height)} {unit} apart")
        figure.legend(handles=_legend(), loc="outside right upper", title="grade")
        return content(figure, suffix)


def _grade_band(axes: Any, report: QualityReport, row: int, place: float) -> None:
    grades = report.per_second["grade"][row]
    for start_s, grade in zip(report.seconds_s, grades, strict=True):
        colour = list(_GRADES.values())[int(grade)]
        axes.fill_between(
            [start_s, start_s + 1], place - 0.46, place + 0.46, color=colour, linewidth=0
        )


def _legend() -> list[Any]:
    from matplotlib.patches import Patch

    return [Patch(facecolor=colour, label=grade) for grade, colour in _GRADES.items()]
