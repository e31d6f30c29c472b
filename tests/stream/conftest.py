"""A small pipeline, a person to stream, and sources that do as they are told."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.pipeline.pipeline import Pipeline
from myograph.stream.answer import Answer, Notice
from myograph.stream.consumer import Consumer
from myograph.stream.source import Chunk, Source, SourceLostError, SourceMissingError, now

FS_HZ = 500.0
LAYOUT = Layout(FS_HZ, tuple(Channel(f"emg{i + 1}", kind="semg") for i in range(3)))
EFFORT_UV = {"rest": (10, 10, 10), "fist": (60, 30, 15), "open": (15, 30, 60)}
PLAIN: dict[str, Any] = {
    "steps": [{"step": "bandpass", "low_hz": 20.0, "high_hz": 200.0}],
    "windowing": {"length_ms": 200.0, "step_ms": 100.0},
    "features": ["hudgins"],
}


def record(seed: int, *, repeats: int = 2, layout: Layout = LAYOUT) -> Recording:
    """Repetitions of every gesture, each 0.8 s."""
    rng = np.random.default_rng(seed)
    parts, events = [], []
    for number, label in enumerate([*EFFORT_UV] * repeats):
        effort = np.resize(EFFORT_UV[label], (layout.n_channels, 1))
        parts.append(effort * rng.standard_normal((layout.n_channels, round(0.8 * layout.fs_hz))))
        events.append(Event(0.8 * number, 0.8, label, "protocol", str(number // 3)))
    samples = np.concatenate(parts, axis=1).astype(np.float32)
    return Recording(samples, layout, tuple(events), Subject(f"p{seed}"), session="1")


class Kept(Consumer):
    """Keeps everything that it is told."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.notices: list[Notice] = []
        self.pieces: list[tuple[int, np.ndarray]] = []
        self.started = self.stopped = 0

    async def start(self, layout: Layout, classes: tuple[str, ...]) -> None:
        self.layout, self.classes = layout, classes
        self.started += 1

    def take(self, answer: Answer) -> None:
        self.answers.append(answer)

    def hear(self, notice: Notice) -> None:
        self.notices.append(notice)

    def samples(self, first: int, samples: np.ndarray) -> None:
        self.pieces.append((first, samples.copy()))

    async def stop(self) -> None:
        self.stopped += 1

    @property
    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.notices]

    @property
    def decided(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.abstains != "gap"]


class Scripted(Source):
    """Gives these chunks; ``"lost"`` raises, a number waits, ``None`` ends."""

    def __init__(
        self,
        script: Sequence[Any],
        *,
        layout: Layout = LAYOUT,
        timing: Any = "counted",
        away: int = 0,
        patient: bool = True,
        flood: bool = False,
    ) -> None:
        super().__init__("scripted")
        self._script, self._layout, self.timing = list(script), layout, timing
        self._away, self._flood = away, flood
        self.patient = patient
        self.opened = self.closed = 0

    async def open(self, *, timeout_s: float) -> Layout:
        if self.opened and self._away:
            self._away -= 1
            raise SourceMissingError("still away")
        self.opened += 1
        return self._layout

    async def read(self) -> Chunk | None:
        while self._script:
            item = self._script.pop(0)
            if item == "lost":
                raise SourceLostError("scripted was unplugged.")
            if isinstance(item, float):
                await asyncio.sleep(item)
                continue
            first, samples = item
            if not self._flood:
                await asyncio.sleep(0)
            return Chunk(np.asarray(samples, dtype=np.float32), None, now(), first)
        return None

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture(scope="session")
def layout() -> Layout:
    return LAYOUT


@pytest.fixture(scope="session")
def dee() -> Recording:
    """Somebody nobody trained on, 2400 samples."""
    return record(99)


@pytest.fixture(scope="session")
def trained() -> Callable[..., Pipeline]:
    cohort = [record(seed) for seed in (1, 2, 3)]

    def train(**changes: Any) -> Pipeline:
        pipeline = Pipeline({**PLAIN, **changes})
        return pipeline.fit(pipeline.prepare(cohort))

    return train


@pytest.fixture(scope="session")
def pipeline(trained: Callable[..., Pipeline]) -> Pipeline:
    return trained()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture
def make_recording() -> Callable[..., Recording]:
    return record


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session", autouse=True)
def _lsl_stays_at_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """LSL looks no further than this machine; its library reads this once, when it is loaded."""
    path: Path = tmp_path_factory.mktemp("lsl") / "lsl_api.cfg"
    path.write_text("[multicast]\nResolveScope = machine\n[log]\nlevel = -2\n")
    os.environ["LSLAPICFG"] = str(path)
