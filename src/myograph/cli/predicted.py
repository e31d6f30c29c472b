"""What ``myograph predict`` shows: decisions about windows, or estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from myograph.workflows.estimate import Estimation
    from myograph.workflows.predict import Prediction

__all__ = ["keep", "show"]

# Rows of a table that is still read at a glance; --out and --json have all of them.
_ROWS = 12


def keep(found: Sequence[Prediction] | Sequence[Estimation], path: Path, *, force: bool) -> None:
    """Write every answer to a CSV file."""
    from myograph.workflows.estimate import Estimation, write_estimates
    from myograph.workflows.predict import write_decisions

    if found and isinstance(found[0], Estimation):
        write_estimates(cast("Sequence[Estimation]", found), path, force=force)
    else:
        write_decisions(cast("Sequence[Prediction]", found), path, force=force)


def show(found: Sequence[Prediction] | Sequence[Estimation]) -> None:
    """Print what there is to say about one recording, or a line about each."""
    from myograph.workflows.estimate import Estimation

    if found and isinstance(found[0], Estimation):
        _show_estimates(cast("Sequence[Estimation]", found))
        return
    predictions = cast("Sequence[Prediction]", found)
    if len(predictions) == 1:
        _show_one(predictions[0])
    else:
        _show_all(predictions)


def _show_estimates(found: Sequence[Estimation]) -> None:
    from myograph.cli import render

    first, unit = found[0], found[0].unit
    named = f"{first.target} ({unit})" if unit else first.target
    if len(found) == 1:
        person = f"{first.subject}, " if first.subject else ""
        render.heading(f"{person}{len(first.values)} windows")
        step = max(1, -(-len(first.values) // _ROWS))
        rows = [
            (f"{first.time_s[k]:.2f}", f"{first.values[k]:.4g}", _told(first.truth[k]))
            for k in range(0, len(first.values), step)
        ]
        render.show_table(["time (s)", named, "measured"], rows, numbers_from=0)
        if step > 1:
            render.line(f"one window in {step}; --out and --json have all of them")
    else:
        lines = [
            (one.subject, one.session, len(one.values), *map(_told, one.scores.values()))
            for one in found
        ]
        headers = ["person", "session", "windows", "mean error", "rms error", "R2"]
        render.show_table(headers, lines, numbers_from=2)
    known = [one for one in found if one.measured]
    if len(known) == 1:
        scores = known[0].scores
        render.line(
            f"beside what was measured: mean error {scores['mae']:.4g} {unit}, rms error "
            f"{scores['rmse']:.4g} {unit}, R2 {scores['r2']:.3f}, over {known[0].measured} windows"
        )
    elif not known:
        render.line(f"the recordings hold no {first.target} to compare with")


def _told(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else ""


def _show_all(predictions: Sequence[Prediction]) -> None:
    from myograph.cli import render

    render.show_table(
        ["person", "session", "truth", "called", "windows", "right"],
        [_prediction_row(prediction) for prediction in predictions],
        numbers_from=4,
    )
    _show_total(predictions)


def _show_one(prediction: Prediction) -> None:
    from myograph.cli import render

    person = f"{prediction.subject}, " if prediction.subject else ""
    render.heading(f"{person}{len(prediction.decisions)} windows")
    if prediction.stretches:
        rows = [
            (f"{s.start_s:.2f}", f"{s.stop_s:.2f}", s.truth, s.called, f"{100 * s.right:.0f} %")
            for s in prediction.stretches
        ]
        headers = ["from (s)", "to (s)", "the recording says", "mostly called", "right"]
        render.show_table(headers, rows)
        right = 100 * (prediction.accuracy or 0.0)
        render.line(f"{right:.1f} % of {prediction.labelled} labelled windows were called right")
        _show_refused([prediction])
        return
    shares = [(label, f"{100 * share:.1f} %") for label, share in prediction.shares.items()]
    render.show_table(["called", "windows"], shares, numbers_from=1)
    whole = prediction.whole
    told = "rejected: not sure enough" if whole.rejected else f"{100 * whole.confidence:.0f} % sure"
    render.line(f"the whole recording: {whole.label} ({told})")
    _show_refused([prediction])


def _show_total(predictions: Sequence[Prediction]) -> None:
    from myograph.cli import render

    labelled = sum(prediction.labelled for prediction in predictions)
    if labelled:
        right = sum((p.accuracy or 0.0) * p.labelled for p in predictions)
        share = f"{100 * right / labelled:.1f} % of {labelled:,} labelled windows"
        render.line(f"{share} were called right, in {len(predictions)} recordings")
    _show_refused(predictions)


def _show_refused(predictions: Sequence[Prediction]) -> None:
    """Say how many windows got no answer, and how often the others were right."""
    from myograph.cli import render

    refused = sum(prediction.refused for prediction in predictions)
    if not refused:
        return
    windows = sum(len(prediction.decisions) for prediction in predictions)
    pairs = [pair for p in predictions for pair in zip(p.decisions, p.truth, strict=True)]
    answered = [d.label == truth for d, truth in pairs if truth and not d.rejected]
    told = f"{refused:,} of {windows:,} windows were refused (not sure enough, or unlike any)"
    if answered:
        right = 100 * sum(answered) / len(answered)
        told += f"; of {len(answered):,} labelled answers {right:.1f} % are right"
    render.line(told)


def _prediction_row(prediction: Prediction) -> Sequence[object]:
    truths = sorted({truth for truth in prediction.truth if truth})
    right = "" if prediction.accuracy is None else f"{100 * prediction.accuracy:.0f} %"
    several = len(truths) > 1
    return (
        prediction.subject,
        prediction.session,
        f"{len(truths)} classes" if several else "".join(truths),
        "" if several else prediction.whole.label,
        len(prediction.decisions),
        right,
    )
