"""How quick live decisions are: another process sends samples in real time and times the answers.

The samples go over a WebSocket, the decisions come back over UDP, both through real sockets on
this machine, whose monotonic clock both processes share. The signal is noise.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from myograph.core.checks import check_count, check_positive
from myograph.core.layout import Channel, Layout
from myograph.core.optional import needs
from myograph.core.recording import Event, Recording, Subject
from myograph.pipeline.pipeline import Pipeline
from myograph.stream.answer import Answer
from myograph.stream.consumer import Consumer
from myograph.stream.engine import Engine
from myograph.stream.udp import UdpOutlet
from myograph.stream.websocket import WebSocketSource
from myograph.stream.wire import frame, hello

__all__ = ["Setting", "bench_pipeline", "loaded", "measure"]

# Decisions before the first one that counts: connections and caches settle.
_SETTLE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is timed.

    Parameters
    ----------
    n_channels : int
    fs_hz : float
    hop_ms, window_ms : float
    hops : int
        Decisions that count.
    load : bool
        Whether another process loads a core meanwhile.
    model : str
    priority : int
        Above 0: engine and sender run with this real-time priority (Linux, as root), so that what
        else the machine does is mere load. The engine of a prosthesis would.
    """

    n_channels: int = 8
    fs_hz: float = 2000.0
    hop_ms: float = 20.0
    window_ms: float = 160.0
    hops: int = 1000
    load: bool = True
    model: str = "lda"
    priority: int = 0

    def __post_init__(self) -> None:
        for name in ("n_channels", "hops"):
            check_count(getattr(self, name), name=name)
        for name in ("fs_hz", "hop_ms", "window_ms"):
            check_positive(getattr(self, name), name=name)

    @property
    def layout(self) -> Layout:
        """Of the stream."""
        names = [f"emg{k + 1}" for k in range(self.n_channels)]
        return Layout(self.fs_hz, tuple(Channel(name, kind="semg") for name in names))

    @property
    def hop(self) -> int:
        """Samples from window to window."""
        return round(self.hop_ms * self.fs_hz / 1000)


def bench_pipeline(setting: Setting) -> Pipeline:
    """Return a pipeline of the usual kind, trained on noise: band-pass, notch, Hudgins, a model."""
    rng = np.random.default_rng(0)
    n_samples, labels = round(4 * setting.fs_hz), ("rest", "open", "close", "pinch")
    parts = [
        (10 + 20 * k) * rng.standard_normal((setting.n_channels, n_samples))
        for k in range(len(labels))
    ]
    events = tuple(Event(4.0 * k, 4.0, label, "protocol") for k, label in enumerate(labels))
    samples = np.concatenate(parts, axis=1).astype(np.float32)
    recording = Recording(samples, setting.layout, events, Subject("noise"))
    pipeline = Pipeline(
        {
            "steps": [
                {"step": "bandpass", "low_hz": 20.0, "high_hz": min(450.0, 0.45 * setting.fs_hz)},
                {"step": "notch", "frequency_hz": 50.0},
            ],
            "windowing": {"length_ms": setting.window_ms, "step_ms": setting.hop_ms},
            "features": ["hudgins"],
            "scaling": "standard",
            "model": {"name": setting.model},
        }
    )
    return pipeline.fit(pipeline.prepare([recording]))


def measure(setting: Setting) -> dict[str, Any]:
    """Time the way from the newest sample to the decision.

    Returns
    -------
    dict
        ``latency_ms`` (p50, p95, p99, max: newest sample sent to decision received by the other
        process), ``controller_delay_ms``, ``cpu_share`` (of a core, while streaming), ``lost``
        (samples), ``decided``, ``load_average``, the setting, and the engine's own ``health``.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    pipeline = bench_pipeline(setting)
    sender = context.Process(target=_send, args=(theirs, asdict(setting)), daemon=True)
    with loaded(setting.load, context):
        sender.start()
        ws_port, udp_port = ours.recv()
        source = WebSocketSource(f"ws://127.0.0.1:{ws_port}")
        meter = _Meter()
        outlet = UdpOutlet("127.0.0.1", udp_port)
        with _hurried(setting.priority):
            health = asyncio.run(Engine(pipeline, source, [outlet, meter]).run())
        load_average = os.getloadavg()[0]
        latencies_s = np.array(ours.recv())
    sender.join(10)
    quantiles = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    latency_ms = {k: 1e3 * float(np.quantile(latencies_s, q)) for k, q in quantiles.items()}
    mean_ms = 1e3 * float(latencies_s.mean())
    return {
        "setting": asdict(setting),
        "hops": len(latencies_s),
        "latency_ms": latency_ms,
        "mean_ms": mean_ms,
        "controller_delay_ms": setting.window_ms / 2 + setting.hop_ms / 2 + mean_ms,
        "cpu_share": meter.share,
        "lost": health.gap_samples,
        "decided": health.decided,
        "dropped": health.dropped,
        "load_average": load_average,
        "cores": os.cpu_count(),
        "health": health.to_dict(),
    }


@contextmanager
def _hurried(priority: int) -> Iterator[None]:
    """Run the block with real-time priority, which no child inherits."""
    if not priority:
        yield
        return
    fast = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
    os.sched_setscheduler(0, fast, os.sched_param(priority))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))


class _Meter(Consumer):
    """Measures the processor's time while samples come, and nothing before."""

    def __init__(self) -> None:
        self._begin: tuple[float, float] | None = None
        self.share = 0.0

    def take(self, answer: Answer) -> None:
        """Begin with the first answer, and measure up to the newest one."""
        moment_s, spent_s = answer.decided_s, _cpu_s()
        if self._begin is None:
            self._begin = (moment_s, spent_s)
        elif moment_s > self._begin[0]:
            self.share = (spent_s - self._begin[1]) / (moment_s - self._begin[0])


@contextmanager
def loaded(wanted: bool, context: Any) -> Iterator[None]:  # noqa: FBT001 - a context's first word
    """Let another process load a core while the block runs."""
    hog = context.Process(target=_spin, daemon=True) if wanted else None
    if hog is not None:
        hog.start()
    try:
        yield
    finally:
        if hog is not None:
            hog.kill()
            hog.join()


def _spin() -> None:
    number = 0
    while True:
        number = (number + 1) & 0xFFFF


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _send(pipe: Any, given: dict[str, Any]) -> None:
    """Serve samples in real time and time the decisions; runs in a process of its own."""
    serve = needs("websockets.sync.server", to="time the live path", extra="stream").serve

    setting = Setting(**given)
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.bind(("127.0.0.1", 0))
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    total = setting.hops + _SETTLE + round(setting.window_ms / setting.hop_ms) + 1
    sent_s = np.zeros(total)
    heard: list[tuple[float, float]] = []
    done = threading.Event()

    def listen() -> None:
        ear.settimeout(0.5)
        with _hurried(setting.priority):
            while not done.is_set():
                try:
                    content = ear.recv(65536)
                except TimeoutError:
                    continue
                heard.append((time.monotonic(), json.loads(content)["time_s"]))

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()

    def give(connection: Any) -> None:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with _hurried(setting.priority):
            _play(connection, setting, sent_s)
        threading.Thread(target=server.shutdown).start()

    server = serve(give, "127.0.0.1", 0, compression=None)
    pipe.send((server.socket.getsockname()[1], ear.getsockname()[1]))
    server.serve_forever()
    time.sleep(0.5)
    done.set()
    listener.join()
    pipe.send(_latencies(heard, sent_s, setting))


def _play(connection: Any, setting: Setting, sent_s: Any) -> None:
    rng = np.random.default_rng(1)
    noise = (40 * rng.standard_normal((setting.n_channels, 50 * setting.hop))).astype(np.float32)
    connection.send(hello(setting.layout))
    time.sleep(1.0)
    begin_s = time.monotonic()
    for number in range(len(sent_s)):
        first = (number % 50) * setting.hop
        content = frame(noise[:, first : first + setting.hop], first=number * setting.hop)
        time.sleep(max(0.0, begin_s + number * setting.hop_ms / 1000 - time.monotonic()))
        sent_s[number] = time.monotonic()
        connection.send(content)
    connection.send('{"end": true}')


def _latencies(heard: list[tuple[float, float]], sent_s: Any, setting: Setting) -> list[float]:
    """Pair each decision with the moment at which its newest sample was sent."""
    found = []
    for moment_s, time_s in heard:
        number = round(time_s * setting.fs_hz / setting.hop) - 1
        if number >= _SETTLE:
            found.append(moment_s - sent_s[number])
    return found[: setting.hops]
