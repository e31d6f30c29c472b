"""Material: intervals that resample whole repetitions, pictures that show what was done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from myograph.core.errors import FormatError
from myograph.core.recording import Event, Recording
from myograph.core.windows import WindowIndex
from myograph.report.material import Material
from myograph.validate.result import Predictions, ValidationResult
from myograph.workflows.material import excerpt, person_intervals

Make = Callable[..., Recording]


def _result(right: list[list[bool]], *, headline: str = "accuracy") -> ValidationResult:
    """Make a result of one person: one list of windows for each repetition of ``fist``."""
    flat = [window for run in right for window in run]
    trials = [str(k) for k, run in enumerate(right) for _ in run]
    index = WindowIndex.of(
        len(flat), subject="p1", trial=trials, label="fist", start_s=0.0, stop_s=0.2
    )
    output = np.array([[1.0, 0.0] if hit else [0.0, 1.0] for hit in flat])
    rows = np.arange(len(flat))
    return ValidationResult(
        task="classification",
        headline=headline,
        config={},
        split={},
        data={},
        seed=0,
        classes=("fist", "rest"),
        per_person={},
        metrics={},
        audits=(),
        predictions=Predictions(rows, np.zeros_like(rows), output, index),
    )


def test_equal_repetitions_leave_no_doubt() -> None:
    assert person_intervals(_result([[True, False]] * 5)) == {"p1": (0.5, 0.5)}


@pytest.mark.parametrize("headline", ["accuracy", "balanced_accuracy"])
def test_windows_of_a_repetition_stay_together(headline: str) -> None:
    together = _result([[True] * 50, [True] * 50, [False] * 50, [False] * 50], headline=headline)
    # Taken one by one, 200 windows would give about 0.43 to 0.57.
    assert person_intervals(together)["p1"] == (0.0, 1.0)


def test_two_repetitions_are_too_few() -> None:
    assert person_intervals(_result([[True], [False]])) == {}


def test_other_metrics_have_none() -> None:
    assert person_intervals(_result([[True]] * 5, headline="r2")) == {}


def test_an_excerpt_begins_before_the_first_activity(make_recording: Make) -> None:
    shown = excerpt([make_recording(duration_s=20.0)])  # rest 0 to 5 s, fist 5 to 10 s, ...
    assert shown.start_s == pytest.approx(4.5)
    assert shown.title == "p01, 1"
    assert {event.label for event in shown.events} == {"rest", "fist"}


def test_recordings_of_one_event_stand_side_by_side(make_recording: Make) -> None:
    pieces = [
        make_recording(duration_s=3.0).with_events([Event(0.0, 3.0, label, "protocol")])
        for label in ("fist", "open", "point")
    ]
    shown = excerpt(pieces)
    assert [event.label for event in shown.events] == ["fist", "open", "point"]
    assert [event.onset_s for event in shown.events] == pytest.approx([0.0, 0.8, 1.6])
    assert shown.samples.shape[1] / shown.fs_hz == pytest.approx(2.4, rel=0.01)


def test_an_unlabelled_recording_is_shown_from_its_start(make_recording: Make) -> None:
    bare = replace(make_recording(), subject=None, session="", events=())
    assert excerpt([bare]).title == "a recording"
    assert excerpt([bare]).start_s == 0.0


def test_material_survives_its_file(make_recording: Make) -> None:
    kept = Material(about={"name": "x"}, excerpts=(excerpt([make_recording()]),), command="do")
    again = Material.from_dict(kept.to_dict())
    assert again.to_dict() == kept.to_dict()
    np.testing.assert_allclose(again.excerpts[0].samples, kept.excerpts[0].samples, rtol=1e-4)


def test_damaged_material_is_refused() -> None:
    whole = Material().to_dict()
    with pytest.raises(FormatError, match="format 9"):
        Material.from_dict({**whole, "format": 9})
    del whole["about"]
    with pytest.raises(FormatError, match="not whole report material"):
        Material.from_dict(whole)
