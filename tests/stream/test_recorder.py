"""What was recorded is there, to the last bit, whatever happened to the program."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, FormatError, OutputExistsError
from myograph.core.recording import Event, Recording
from myograph.io import read
from myograph.io.journal import notes_of
from myograph.stream.engine import Engine
from myograph.stream.link import Patience
from myograph.stream.recorder import Recorder
from myograph.stream.replay import Replay


def recorded(recorder: Recorder, layout, pieces, events=()) -> Path:
    async def write() -> None:
        await recorder.start(layout, ("a", "b"))
        for first, samples in pieces:
            recorder.samples(first, samples)
        for event in events:
            recorder.mark(event)
        await recorder.stop()

    asyncio.run(write())
    return recorder.path


def test_what_was_streamed_is_read_back_exactly(pipeline, dee, tmp_path):
    recorder = Recorder(tmp_path / "a.myolive", subject=dee.subject, session="2", device="band")
    health = asyncio.run(Engine(pipeline, Replay(dee, speed=math.inf), [recorder]).run())
    back = read(recorder.path)
    assert isinstance(back, Recording)
    np.testing.assert_array_equal(back.samples, dee.samples)
    assert back.layout == dee.layout
    assert (back.subject, back.session, back.device) == (dee.subject, "2", "band")
    assert back.started_at is not None
    assert back.events == ()
    notes = notes_of(recorder.path)
    answers = [note["answer"] for note in notes if "answer" in note]
    assert len(answers) == health.decided
    assert answers[0]["label"] == pipeline.predict(dee)[0].label
    assert [note["notice"]["kind"] for note in notes if "notice" in note] == ["connected", "ended"]


def test_offline_on_the_file_is_what_was_decided_live(pipeline, dee, kept, scripted, tmp_path):
    x = dee.samples.copy()
    x[0, 1200:1210] = np.nan
    script = [(0, x[:, :511]), (800, x[:, 800:1300]), (1300, x[:, 1300:])]
    recorder = Recorder(tmp_path / "a.myolive")
    asyncio.run(Engine(pipeline, scripted(script), [recorder, kept]).run())
    back = read(recorder.path)
    gaps = [(round(e.onset_s * 500), round(e.duration_s * 500)) for e in back.events]
    assert gaps == [(511, 289), (1200, 10)]
    offline = pipeline.predict(back)
    assert [a.decision.label for a in kept.decided] == [d.label for d in offline]
    for now, then in zip(kept.decided, offline, strict=True):
        np.testing.assert_allclose(now.decision.probabilities, then.probabilities, atol=1e-9)


def test_events_that_are_marked_are_events_of_the_recording(layout, tmp_path):
    samples = np.ones((3, 500), dtype=np.float32)
    events = [Event(0.2, 0.5, "fist", "protocol", "1"), Event(0.9, 5.0, "open", "protocol")]
    path = recorded(Recorder(tmp_path / "a.myolive"), layout, [(0, samples)], events)
    first, second = read(path).events
    assert first == events[0]
    assert (second.label, second.end_s) == ("open", pytest.approx(1.0))


@given(cut=st.integers(0, 20_000))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_was_cut_anywhere_is_readable_up_to_there(layout, tmp_path, cut):
    path = tmp_path / "whole.myolive"
    if not path.exists():
        x = np.arange(1200, dtype=np.float32).reshape(3, 400)
        pieces = [(k, x[:, k : k + 20]) for k in range(0, 400, 20)]
        recorded(Recorder(path), layout, pieces)
    content = path.read_bytes()
    torn = tmp_path / "torn.myolive"
    torn.write_bytes(content[:cut])
    header = content.index(b"MYOB", content.index(b"MYOB", 68) + 1)
    if cut < header + 400:  # nothing was recorded yet: said so, never half a recording
        return
    found = read(torn)
    expected = np.arange(1200, dtype=np.float32).reshape(3, 400)[:, : found.n_samples]
    np.testing.assert_array_equal(found.samples, expected)
    block = 16 + 8 + 4 * 3 * 20
    assert found.n_samples >= 20 * ((min(cut, len(content)) - header - 600) // block)


def test_damage_in_the_middle_is_said(layout, tmp_path):
    x = np.ones((3, 20), dtype=np.float32)
    path = recorded(Recorder(tmp_path / "a.myolive"), layout, [(0, x), (20, x), (40, x)])
    content = bytearray(path.read_bytes())
    content[content.rindex(b"MYOB", 0, -300) + 40] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"damaged in the block at byte \d+: its CRC differs"):
        read(path)


def test_nothing_is_overwritten(tmp_path):
    path = tmp_path / "a.myolive"
    path.write_bytes(b"mine")
    with pytest.raises(OutputExistsError, match="never overwrites another"):
        Recorder(path)


def test_a_full_disk_is_said_and_what_was_written_is_whole(layout, tmp_path, monkeypatch):
    x = np.ones((3, 20), dtype=np.float32)
    recorder = Recorder(tmp_path / "a.myolive", flush_s=0.01)
    true_write = os.write

    async def write() -> None:
        await recorder.start(layout, ("a", "b"))
        recorder.samples(0, x)
        await asyncio.sleep(0.1)

        def full(file, content):
            if file > 2 and b"MYOB" in bytes(content[:4]):
                raise OSError(28, "No space left on device")
            return true_write(file, content)

        monkeypatch.setattr(os, "write", full)
        recorder.samples(20, x)
        await asyncio.sleep(0.1)
        recorder.samples(40, x)

    with pytest.raises(DataError, match="cannot be written: No space left on device"):
        asyncio.run(write())
    monkeypatch.undo()
    assert read(recorder.path).n_samples == 20


WRITER = """
import asyncio, sys, time
import numpy as np
from myograph.core.layout import Channel, Layout
from myograph.stream.recorder import Recorder

async def main():
    layout = Layout(2000.0, tuple(Channel(f"c{k}", kind="semg") for k in range(8)))
    recorder = Recorder(sys.argv[1])
    await recorder.start(layout, ("a", "b"))
    begin, number = time.monotonic(), 0
    while True:
        recorder.samples(number, np.full((8, 40), number, dtype=np.float32))
        number += 40
        print(number, flush=True)
        await asyncio.sleep(max(0, begin + number / 2000 - time.monotonic()))

asyncio.run(main())
"""


@pytest.mark.parametrize("after_s", [0.3, 1.1])
def test_a_killed_program_loses_less_than_a_second(tmp_path, after_s):
    path = tmp_path / "a.myolive"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline()
        time.sleep(after_s)
        writer.send_signal(signal.SIGKILL)
        given_away = [int(line) for line in writer.stdout.read().split()][-1]
    back = read(path)
    assert given_away - back.n_samples <= 2000
    first = back.samples[0, ::40]
    np.testing.assert_array_equal(first, np.arange(0, back.n_samples, 40))


def test_a_device_that_is_unplugged_loses_nothing_that_came(pipeline, dee, tmp_path, scripted):
    x = dee.samples
    script = [(0, x[:, :700]), "lost", (900, x[:, 900:1500]), (1500, x[:, 1500:1800])]
    recorder = Recorder(tmp_path / "unplugged.myolive")
    patience = Patience(backoff_s=0.01, longest_backoff_s=0.02)
    source = scripted(script, away=2)
    health = asyncio.run(Engine(pipeline, source, [recorder], patience=patience).run())
    assert health.reconnections == 1
    back = read(recorder.path)
    (gap,) = back.events
    assert gap.label == "gap"
    first, stop = round(gap.onset_s * back.fs_hz), round(gap.end_s * back.fs_hz)
    assert stop - first == health.gap_samples
    np.testing.assert_array_equal(back.samples[:, :first], x[:, :700])
    np.testing.assert_array_equal(back.samples[:, stop:], x[:, 900:1800])
    kinds = [note["notice"]["kind"] for note in notes_of(recorder.path) if "notice" in note]
    assert kinds == ["connected", "lost", "reconnected", "gap", "ended"]
    assert not any(
        note["answer"]["abstains"] == ""
        and first < round(note["answer"]["time_s"] * back.fs_hz) <= stop
        for note in notes_of(recorder.path)
        if "answer" in note
    )
