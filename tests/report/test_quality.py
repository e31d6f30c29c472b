"""The picture of quality: an image of the right kind, the same every time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from myograph.core.recording import Recording
from myograph.preprocess.quality import assess
from myograph.report.quality import quality_picture


@pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_a_picture(suffix: str, begins: bytes, make_recording: Callable[..., Recording]) -> None:
    recording = make_recording()
    report = assess(recording)
    drawn = quality_picture(recording, report, suffix=suffix)
    assert drawn.startswith(begins)
    assert drawn == quality_picture(recording, report, suffix=suffix)
