"""Several sources on one clock, and sources with faults."""

from __future__ import annotations

import asyncio
import math

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Recording
from myograph.io import read
from myograph.stream.consumer import Callback
from myograph.stream.engine import Engine
from myograph.stream.faults import Faults, Faulty
from myograph.stream.generated import Generated, simulated_person
from myograph.stream.link import Patience
from myograph.stream.recorder import Recorder
from myograph.stream.replay import Replay
from myograph.stream.source import Chunk, Source, SourceMissingError, now
from myograph.stream.together import Together


class Sine(Source):
    """A sine of true time, from a clock of its own rate, in chunks of its own size."""

    def __init__(self, fs_hz: float, *, kind: str, ppm: float = 0.0, late_s: float = 0.0) -> None:
        super().__init__(kind)
        self._true_hz = fs_hz / (1 + 1e-6 * ppm)
        self._layout = Layout(fs_hz, (Channel("a", kind=kind),))
        self._late_s, self._number, self._size = late_s, 0, max(1, round(0.02 * fs_hz))
        self.timing = "counted"

    async def open(self, *, timeout_s: float) -> Layout:
        return self._layout

    async def read(self) -> Chunk | None:
        if self._number / self._true_hz > 3.0:
            return None
        first = self._number
        self._number += self._size
        due_s = BEGIN[0] + (self._number - 1) / self._true_hz + self._late_s
        await asyncio.sleep(max(0.0, due_s - now()))
        t = np.arange(first, self._number) / self._true_hz
        values = np.sin(2 * np.pi * 2.0 * t)[None].astype(np.float32)
        return Chunk(values, None, now(), first)

    async def close(self) -> None:
        return


BEGIN = [0.0]


async def everything(source: Source) -> tuple[Layout, np.ndarray]:
    BEGIN[0] = now() + 0.05
    layout = await source.open(timeout_s=1.0)
    parts = []
    while (chunk := await source.read()) is not None:
        parts.append(chunk.samples)
    await source.close()
    return layout, np.concatenate(parts, axis=1)


def test_sources_of_other_rates_are_put_at_the_leaders_moments():
    source = Together(
        Sine(1000.0, kind="semg"),
        {"imu": Sine(100.0, kind="acc"), "ecg": Sine(2000.0, kind="ecg", ppm=100)},
    )
    layout, samples = asyncio.run(everything(source))
    assert layout.names == ("a", "imu.a", "ecg.a")
    assert layout.fs_hz == 1000.0
    settled = samples[:, 1000:-100]
    assert np.isfinite(settled).mean() > 0.95
    lead = settled[0]
    for other, most in ((settled[1], 0.2), (settled[2], 0.3)):
        both = np.isfinite(other)
        # 2 Hz: 0.2 is 16 ms, which a machine busy with other things needs to deliver.
        assert np.median(np.abs(other[both] - lead[both])) < most
    told = source.timing_of()
    assert set(told) == {"leader", "imu", "ecg"}


def test_a_follower_that_is_gone_leaves_nan_and_never_stops_the_leader(make_recording, layout):
    slow = Recording(np.ones((1, 20), dtype=np.float32), Layout(50.0, (Channel("a", kind="acc"),)))
    source = Together(
        Replay(make_recording(5), speed=1.0), {"imu": Replay(slow, speed=1.0)}, wait_s=0.05
    )

    async def some() -> np.ndarray:
        await source.open(timeout_s=1.0)
        parts = []
        for _ in range(60):
            chunk = await source.read()
            parts.append(chunk.samples)
        await source.close()
        return np.concatenate(parts, axis=1)

    samples = asyncio.run(some())
    assert np.isfinite(samples[:3]).all()
    assert np.isfinite(samples[3, 50:150]).any()
    assert np.isnan(samples[3, 400:]).all()


def test_somebody_has_to_follow(make_recording):
    with pytest.raises(ParameterError, match=r"followers must name at least one"):
        Together(Replay(make_recording(5)), {})


def test_a_bad_link_is_survived_and_everything_recorded_is_readable(
    pipeline, make_recording, kept, tmp_path
):
    recording = make_recording(7, repeats=3)  # 7.2 s
    faults = Faults(
        loss=0.05,
        doubled=0.03,
        jitter_s=0.05,
        reorder=True,
        outage_after_s=2.0,
        outage_s=1.0,
        drift_ppm=100.0,
    )
    source = Faulty(Replay(recording, speed=1.0, chunk_ms=20.0), faults)
    recorder = Recorder(tmp_path / "a.myolive")
    patience = Patience(backoff_s=0.05, longest_backoff_s=0.2)
    health = asyncio.run(Engine(pipeline, source, [recorder, kept], patience=patience).run())
    assert source.lost > 0
    assert {"lost", "reconnected", "gap"} <= set(kept.kinds)
    # On a busy machine the outage may reach to the end, where no sample shows that it is a gap.
    assert recording.n_samples - health.samples >= 0.9 * 500
    back = read(recorder.path)
    assert back.n_samples == health.samples + health.gap_samples
    gaps = sum(event.duration_s for event in back.events if event.label == "gap")
    assert gaps * 500 == pytest.approx(health.gap_samples, abs=1)
    # What was measured is what was sent, at its place.
    measured = np.ones(back.n_samples, dtype=bool)
    for event in back.events:
        measured[round(event.onset_s * 500) : round(event.end_s * 500)] = False
    offset = _offset(back.samples, recording.samples)
    sent = recording.samples[:, offset : offset + back.n_samples]
    np.testing.assert_array_equal(back.samples[:, measured], sent[:, measured])
    # Live is offline on what was recorded, and abstains wherever something is missing.
    offline = pipeline.predict(back)
    live = [a.decision for a in kept.decided]
    assert [round(d.time_s, 3) for d in live] == [round(d.time_s, 3) for d in offline]
    assert [d.label for d in live] == [d.label for d in offline]


def _offset(back: np.ndarray, sent: np.ndarray) -> int:
    """Where in the recording the stream began: the first chunk may have been lost."""
    for offset in range(0, 200, 10):
        if np.array_equal(back[:, :10], sent[:, offset : offset + 10]):
            return offset
    raise AssertionError("the beginning was not found")


def test_the_simulator_goes_on_without_an_end():
    source = Generated(simulated_person(2), speed=math.inf, chunk_ms=500.0)
    source.patient = True

    async def read_some() -> tuple[Layout, list[Chunk]]:
        layout = await source.open(timeout_s=5.0)
        chunks = []
        while sum(c.samples.shape[1] for c in chunks) < 30_000:
            chunks.append(await source.read())
        await source.close()
        return layout, chunks

    layout, chunks = asyncio.run(read_some())
    assert layout.fs_hz == 1000.0
    edges = [c.first + c.samples.shape[1] for c in chunks]
    assert [c.first for c in chunks[1:]] == edges[:-1]


def test_a_simulated_stream_comes_to_its_end(trained):
    pieces = asyncio.run(_count(Generated(simulated_person(1), speed=math.inf, pieces=1)))
    assert pieces == simulated_person(1)(0).n_samples


async def _count(source: Source) -> int:
    await source.open(timeout_s=5.0)
    total = 0
    while (chunk := await source.read()) is not None:
        total += chunk.samples.shape[1]
    await source.close()
    return total


@pytest.mark.parametrize("wrong", [{"loss": 1.5}, {"doubled": -0.1}, {"outage_s": -1.0}])
def test_faults_are_shares_and_seconds(wrong):
    with pytest.raises(ParameterError, match=r"must be 0 or more|is a share, at most 1"):
        Faults(**wrong)


def test_a_callback_hears_notices_only_if_it_wants_to(pipeline, make_recording):
    seen = []
    source = Replay(make_recording(3), speed=math.inf)
    asyncio.run(Engine(pipeline, source, [Callback(seen.append)]).run())
    assert len(seen) == 47


def test_what_happens_to_one_of_several_is_told(make_recording, scripted):
    slow = Layout(50.0, (Channel("a", kind="acc"),))
    wrist = np.ones((1, 10), dtype=np.float32)
    follower = scripted([(0, wrist), "lost", 0.05, (10, wrist)], layout=slow)
    source = Together(
        Replay(make_recording(5), speed=1.0),
        {"imu": follower},
        patience=Patience(backoff_s=0.01),
    )
    heard = []

    async def some() -> None:
        source.tell = heard.append
        await source.open(timeout_s=1.0)
        for _ in range(30):
            await source.read()
        await source.close()

    asyncio.run(some())
    assert [notice.kind for notice in heard][:2] == ["lost", "reconnected"]
    assert "scripted was unplugged" in heard[0].text


def test_a_follower_that_never_appears_ends_the_wait(make_recording):
    class Nowhere(Sine):
        async def open(self, *, timeout_s: float) -> Layout:
            raise SourceMissingError(f"nothing within {timeout_s:g} s")

    source = Together(Replay(make_recording(5)), {"imu": Nowhere(100.0, kind="acc")})
    with pytest.raises(SourceMissingError, match=r"nothing within 0.3 s"):
        asyncio.run(source.open(timeout_s=0.3))
