"""A device that sends at another rate than it says is found out; jitter and bursts are not."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.stream.engine import Engine
from myograph.stream.pace import Pace
from myograph.stream.source import Chunk, now


@pytest.mark.parametrize(("rate", "times"), [(2000, 1), (500, 1), (1050, 0), (950, 0)])
def test_another_rate_is_told_once(rate, times):
    pace = Pace(1000.0)
    assert sum(pace.look(rate * second, float(second)) for second in range(30)) == times


def test_a_burst_after_a_stall_is_none():
    pace, passed, told = Pace(1000.0), 0, 0
    for second in range(40):
        passed += (0 if second % 5 == 3 else 2000 if second % 5 == 4 else 1000) * 2
        told += pace.look(passed, 2.0 * second)
    assert told == 0


def test_a_rate_that_cannot_be():
    with pytest.raises(ParameterError, match=r"fs_hz must be above 0"):
        Pace(0.0)


def test_a_device_that_sends_twice_as_fast_as_it_says_is_named(
    pipeline, layout, kept, scripted, monkeypatch
):
    monkeypatch.setattr("myograph.stream.sweep._EVERY_S", 0.1)

    class Quick(scripted):
        async def read(self) -> Chunk | None:
            await asyncio.sleep(0.02)
            rng = np.random.default_rng(0)
            samples = rng.standard_normal((3, round(0.04 * layout.fs_hz)))
            return Chunk(samples.astype(np.float32), None, now())

    source = Quick([], timing="arrival", patient=False)
    asyncio.run(Engine(pipeline, source, [kept]).run(seconds=1.5))
    (told,) = (notice.text for notice in kept.notices if notice.kind == "rate")
    assert "scripted sends about" in told
    assert "and says 500" in told
