"""Where samples lie in time, and which never came."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.stream.clock import ClockFit, Timeline
from myograph.stream.source import Chunk

FS_HZ = 1000.0


def chunk(size: int, arrived_s: float, *, first: int = -1, stamp_s: float | None = None) -> Chunk:
    times = None if stamp_s is None else stamp_s - np.arange(size - 1, -1, -1) / FS_HZ
    return Chunk(np.zeros((1, size), dtype=np.float32), times, arrived_s, first)


@given(st.floats(-300, 300), st.floats(-1e6, 1e6), st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_a_clock_is_followed_with_its_offset_and_drift(ppm, offset_s, seed):
    fit, rng = ClockFit(), np.random.default_rng(seed)
    for k in range(15_000):
        x_s = k * 0.02
        fit.add(x_s, offset_s + x_s * (1 + 1e-6 * ppm) + 0.05 * rng.random())
    assert fit.drift_ppm == pytest.approx(ppm, abs=25)
    truth = offset_s + 300.0 * (1 + 1e-6 * ppm) + 0.025
    assert fit.at(300.0) == pytest.approx(truth, abs=0.01)


@given(st.lists(st.tuples(st.integers(1, 50), st.booleans()), min_size=1, max_size=40))
def test_a_counter_tells_exactly_what_was_lost(packets):
    line = Timeline(fs_hz=FS_HZ, timing="counted", tolerance_s=0.2)
    number, lost, began = 70, 0, False
    for size, kept in packets:
        if kept:
            place = line.place(chunk(size, number / FS_HZ, first=number))
            assert place.skip == place.late == 0
            began = True
            assert line.next == number + size - line_start(line, number, size)
        elif began:
            lost += size
        number += size
    # What is lost at the very end is not known yet.
    assert line.lost <= lost


def line_start(line: Timeline, number: int, size: int) -> int:
    """Return the device's number of the grid's first sample."""
    return number + size - line.next


def test_a_doubled_packet_counts_once_and_a_late_one_is_told_from_it():
    line = Timeline(fs_hz=FS_HZ, timing="counted", tolerance_s=0.2)
    line.place(chunk(10, 0.0, first=0))
    assert line.place(chunk(10, 0.01, first=0)) == (10, 10, 0, 0)
    assert line.place(chunk(10, 0.03, first=20)) == (20, 0, 10, 0)
    assert line.place(chunk(10, 0.04, first=10)) == (30, 10, 0, 10)
    assert line.place(chunk(10, 0.05, first=25)) == (30, 5, 0, 0)
    assert (line.lost, line.late, line.doubled) == (10, 10, 15)


def test_a_counter_that_begins_anew_after_an_outage_is_placed_by_time():
    line = Timeline(fs_hz=FS_HZ, timing="counted", tolerance_s=0.2)
    line.place(chunk(10, 5.0, first=5000))
    line.place(chunk(10, 5.01, first=5010))
    line.resume()
    assert line.place(chunk(10, 8.01, first=0)) == (20 + 2990, 0, 2990, 0)
    assert line.place(chunk(10, 8.02, first=10)) == (3020, 0, 0, 0)


@pytest.mark.parametrize(("timing", "ppm"), [("arrival", 100), ("arrival", -100), ("stamped", 100)])
def test_drift_and_jitter_are_no_loss(timing, ppm):
    rng = np.random.default_rng(3)
    line = Timeline(fs_hz=FS_HZ, timing=timing, tolerance_s=0.2 if timing == "arrival" else 0.02)
    for k in range(1, 30_001):  # ten minutes
        true_s = 0.02 * k * (1 + 1e-6 * ppm)
        line.place(chunk(20, true_s + 0.05 * rng.random(), stamp_s=true_s))
    told = line.to_dict()
    assert (line.lost, line.next) == (0, 600_000)
    assert told["drift_ppm"] == pytest.approx(ppm, abs=15)
    if timing == "arrival":
        assert 5 < told["jitter_ms"] < 30
        assert told["worst_jitter_ms"] < 60


@pytest.mark.parametrize("timing", ["arrival", "stamped"])
def test_a_stretch_that_never_came_is_seen_by_time(timing):
    line = Timeline(fs_hz=FS_HZ, timing=timing, tolerance_s=0.1)
    moments = [0.02 * k for k in range(1, 500) if not 200 <= k < 250]
    lost = [line.place(chunk(20, s, stamp_s=s)).lost for s in moments]
    assert [n for n in lost if n] == [pytest.approx(1000, abs=2)]
    assert line.next == pytest.approx(20 * 499, abs=2)


def test_what_was_only_held_up_is_not_counted_twice():
    line = Timeline(fs_hz=FS_HZ, timing="arrival", tolerance_s=0.1)
    for k in range(1, 100):
        line.place(chunk(20, 0.02 * k))
    lost = [line.place(chunk(20, 2.5 + 0.0001 * k)).lost for k in range(25)]
    assert lost[0] > 0
    assert not any(lost[1:])


def test_stamps_that_go_back_are_doubles():
    line = Timeline(fs_hz=FS_HZ, timing="stamped", tolerance_s=0.1)
    line.place(chunk(20, 0.02, stamp_s=0.02))
    line.place(chunk(20, 0.04, stamp_s=0.04))
    assert line.place(chunk(20, 0.05, stamp_s=0.04)).skip == 20


def test_samples_that_are_due_are_counted_while_a_source_is_silent():
    line = Timeline(fs_hz=FS_HZ, timing="counted", tolerance_s=0.2)
    assert line.due(100.0) == 0
    line.place(chunk(10, 5.0, first=0))
    assert line.due(5.5) == pytest.approx(510, abs=1)
