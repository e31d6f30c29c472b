"""What hours and bad links do to a stream: memory, and what is left after faults and a kill.

1. One hour of 8 channels at 2 kHz, replayed at 50 times true speed through filter, features, model,
   recorder and a UDP outlet: the memory of the process from the tenth minute on. Samples come as
   they do by default (what is due within 20 ms, several hops together), and once more hop by hop.
2. A clean link: no sample may be lost.
3. 5 % loss, 50 ms jitter, a 10 s outage and 100 ppm drift at once, in true time: no crash, gaps
   marked, no decision inside a gap, and the recording readable with everything that came.
4. kill -9 in the middle of a recording, many times: how much signal is lost.

Writes benchmarks/results/live-endurance.json.
"""

from __future__ import annotations

import os

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ.setdefault(f"{_name}_NUM_THREADS", "1")

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
from harness import RESULTS, environment

from myograph import read
from myograph.core.recording import Recording
from myograph.stream.answer import Answer
from myograph.stream.consumer import Consumer
from myograph.stream.engine import Engine
from myograph.stream.faults import Faults, Faulty
from myograph.stream.recorder import Recorder
from myograph.stream.replay import Replay
from myograph.stream.udp import UdpOutlet
from myograph.workflows.live_bench import Setting, bench_pipeline

SETTING = Setting()


class Memory(Consumer):
    """Resident memory of the process, every so many answers."""

    def __init__(self, every: int) -> None:
        self.every, self.count = every, 0
        self.mb: list[float] = []

    def take(self, answer: Answer) -> None:
        self.count += 1
        if self.count % self.every == 0:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.mb.append(pages * os.sysconf("SC_PAGESIZE") / 2**20)


class Answers(Consumer):
    def __init__(self) -> None:
        self.all: list[Answer] = []

    def take(self, answer: Answer) -> None:
        self.all.append(answer)


def noise(seconds: float) -> Recording:
    rng = np.random.default_rng(7)
    n = round(seconds * SETTING.fs_hz)
    slow = 20 + 15 * np.sin(np.arange(n) / SETTING.fs_hz)
    samples = (slow * rng.standard_normal((SETTING.n_channels, n))).astype(np.float32)
    return Recording(samples, SETTING.layout)


def hour(
    pipeline: Any, minutes: int, folder: Path, *, chunk_ms: float | None = None
) -> dict[str, Any]:
    memory = Memory(every=1500)
    recorder = Recorder(folder / "hour.myolive")
    source = Replay(noise(60.0), speed=50.0, chunk_ms=chunk_ms, loops=minutes)
    begin_s, begin_cpu_s = time.monotonic(), time.process_time()
    outlets = [recorder, UdpOutlet("127.0.0.1", 9), memory]
    health = asyncio.run(Engine(pipeline, source, outlets).run())
    spent_s = time.monotonic() - begin_s
    settled = np.array(memory.mb[len(memory.mb) // 6 :])
    size = recorder.path.stat().st_size
    recorder.path.unlink()
    return {
        "minutes": minutes,
        "chunk_ms": chunk_ms,
        "speed": 60 * minutes / spent_s,
        "cpu_s": time.process_time() - begin_cpu_s,
        "decided": health.decided,
        "lost": health.gap_samples,
        "memory_mb": [float(settled.min()), float(settled.max())],
        "memory_swing_mb": float(np.ptp(settled) / 2),
        "file_mb": size / 2**20,
    }


def bad_link(pipeline: Any, folder: Path, seconds: float) -> dict[str, Any]:
    faults = Faults(
        loss=0.05,
        jitter_s=0.05,
        outage_after_s=seconds / 3,
        outage_s=10.0,
        drift_ppm=100.0,
        seed=1,
    )
    recording = noise(seconds)
    source = Faulty(Replay(recording, speed=1.0, chunk_ms=20.0), faults)
    recorder, answers = Recorder(folder / "bad.myolive"), Answers()
    health = asyncio.run(Engine(pipeline, source, [recorder, answers]).run())
    back = read(recorder.path)
    fs_hz = back.fs_hz
    gap = np.zeros(back.n_samples + 1, dtype=bool)
    for event in back.events:
        gap[round(event.onset_s * fs_hz) : round(event.end_s * fs_hz)] = True
    passed = np.cumsum(gap)
    length = round(SETTING.window_ms * fs_hz / 1000)
    decided = [a for a in answers.all if a.abstains != "gap"]
    stops = np.array([round(a.decision.time_s * fs_hz) for a in decided])
    inside = int((passed[stops - 1] - passed[stops - length] + gap[stops - length] > 0).sum())
    offline = {round(d.time_s * fs_hz): d.label for d in pipeline.predict(back)}
    same = all(offline[stop] == a.decision.label for stop, a in zip(stops, decided, strict=True))
    same &= len(offline) == len(decided) + health.dropped
    whole = int((~gap[:-1]).sum())
    return {
        "seconds": seconds,
        "chunks_lost_on_purpose": source.lost,
        "gaps_marked": sum(event.label == "gap" for event in back.events),
        "gap_samples": health.gap_samples,
        "reconnections": health.reconnections,
        "decided": len(decided),
        "dropped": health.dropped,
        "decided_inside_gaps": inside,
        "abstained": health.abstained,
        "recorded_samples": whole,
        "received_samples": health.samples,
        "offline_on_the_recording_is_live": same,
        "timing": health.timing,
    }


def clean_link(pipeline: Any, seconds: float) -> dict[str, Any]:
    recording = noise(seconds)
    source = Replay(recording, speed=1.0, chunk_ms=20.0)
    health = asyncio.run(Engine(pipeline, source).run())
    return {
        "seconds": seconds,
        "sent": recording.n_samples,
        "received": health.samples,
        "lost": health.gap_samples,
        "dropped": health.dropped,
    }


WRITER = """
import asyncio, sys, time
import numpy as np
from myograph.stream.recorder import Recorder
from myograph.workflows.live_bench import Setting

async def main():
    recorder = Recorder(sys.argv[1])
    await recorder.start(Setting().layout, ("a", "b"))
    begin, number = time.monotonic(), 0
    while True:
        recorder.samples(number, np.full((8, 40), number, dtype=np.float32))
        number += 40
        print(number, flush=True)
        await asyncio.sleep(max(0, begin + number / 2000 - time.monotonic()))

asyncio.run(main())
"""


def kills(times: int, folder: Path) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    lost_s = []
    for number in range(times):
        path = folder / f"killed-{number}.myolive"
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            writer.stdout.readline()
            time.sleep(0.3 + 2 * rng.random())
            writer.send_signal(signal.SIGKILL)
            given = [int(line) for line in writer.stdout.read().split()][-1]
        lost_s.append((given - read(path).n_samples) / SETTING.fs_hz)
    return {"kills": times, "most_lost_s": max(lost_s), "mean_lost_s": float(np.mean(lost_s))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--out", type=Path, default=RESULTS / "live-endurance.json")
    given = parser.parse_args()
    pipeline = bench_pipeline(SETTING)
    found: dict[str, Any] = {"environment": environment("scipy", "numba")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, run in (
            ("clean_link", lambda: clean_link(pipeline, given.seconds / 2)),
            ("bad_link", lambda: bad_link(pipeline, folder, given.seconds)),
            ("kill", lambda: kills(given.kills, folder)),
            ("hour", lambda: hour(pipeline, given.minutes, folder)),
            (
                "hour_hop_by_hop",
                lambda: hour(pipeline, given.minutes, folder, chunk_ms=SETTING.hop_ms),
            ),
        ):
            found[what] = run()
            print(what, json.dumps(found[what]), flush=True)
    given.out.write_text(json.dumps(found, indent=2) + "\n")
    print(f"Saved in {given.out}")


if __name__ == "__main__":
    main()
