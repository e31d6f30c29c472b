"""How quick live decisions are: another process sends samples in real time and times the answers.

The samples go over a WebSocket, the decisions come back over UDP, both through real sockets on
this machine, whose monotonic clock both processes share. The signal is noise.

A latency begins right before the sender's call that sends the newest samples, and ends when the
sender's program has the decision: both calls into the kernel, both ways, and the waking of both
processes count. How late the sender itself woke to send does not, and is told beside it.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import resource
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError
from myograph.core.layout import Channel, Layout
from myograph.core.optional import needs
from myograph.core.recording import Event, Recording, Subject
from myograph.pipeline.pipeline import Pipeline
from myograph.stream.answer import Answer
from myograph.stream.consumer import Consumer
from myograph.stream.engine import Engine
from myograph.stream.hurry import PRIORITY, hurried
from myograph.stream.link import Patience
from myograph.stream.udp import UdpOutlet
from myograph.stream.websocket import WebSocketSource
from myograph.stream.wire import frame, hello

__all__ = ["PRIORITY", "Setting", "bench_pipeline", "loaded", "measure"]

# Decisions before the first one that counts: connections and caches settle.
_SETTLE = 50
# Asks the Linux kernel to stamp what a socket receives.
_STAMPS = 35


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
        process), ``parts_ms`` (the same of ``sending``, the sender's own call, which counts;
        ``hearing``, from the decision's arrival at the sender's socket to the program that reads
        it, which counts; ``sender late``, how late the sender woke to send, which does not),
        ``controller_delay_ms``, ``cpu_share`` (of a core, while streaming), ``lost``
        (samples), ``decided``, ``load_average``, the setting, and the engine's own ``health``.

    Raises
    ------
    DataError
        If the other process dies, or no window behind the first few was decided about.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    pipeline = bench_pipeline(setting)
    sender = context.Process(target=_send, args=(theirs, asdict(setting)), daemon=True)
    with loaded(setting.load, context):
        sender.start()
        theirs.close()  # the sender's alone now: if it dies, waiting for its word ends
        ws_port, udp_port = _word(ours)
        source = WebSocketSource(f"ws://127.0.0.1:{ws_port}")
        meter = _Meter()
        outlet = UdpOutlet("127.0.0.1", udp_port)
        with hurried(setting.priority):
            engine = Engine(pipeline, source, [outlet, meter], patience=Patience(give_up_s=10.0))
            health = asyncio.run(engine.run())
        load_average = os.getloadavg()[0]
        told = _word(ours)
    sender.join(10)
    latencies_s = _some(told.pop("latency"), setting)
    mean_ms = 1e3 * float(latencies_s.mean())
    return {
        "setting": asdict(setting),
        "hops": len(latencies_s),
        "latency_ms": _quantiles_ms(latencies_s),
        "parts_ms": {name: _quantiles_ms(values) for name, values in told.items()},
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


def _word(pipe: Any) -> Any:
    try:
        return pipe.recv()
    except EOFError:
        raise DataError(
            "The process that sends samples and times decisions has died; its own error is above. "
            "Run it again, with fewer hops or without the load."
        ) from None


def _some(latencies_s: list[float], setting: Setting) -> Any:
    if not latencies_s:
        raise DataError(
            f"None of {setting.hops} windows behind the first {_SETTLE} was decided about: the "
            "engine lost or dropped them all, so there is nothing to time. Run it on a quieter "
            "machine, without --load, or with more hops."
        )
    return np.array(latencies_s)


def _quantiles_ms(values_s: Any) -> dict[str, float]:
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {k: 1e3 * float(np.quantile(values_s, q)) for k, q in shares.items() if len(values_s)}


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
    number, parent = 0, multiprocessing.parent_process()
    # Whoever is killed leaves no load behind.
    while number or (parent is not None and os.getppid() == parent.pid):
        number = (number + 1) & 0xFFFFF


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
    with suppress(OSError):  # a system without stamps: they are left out
        ear.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)
    play = _Play(setting, ear)

    def give(connection: Any) -> None:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with hurried(setting.priority):
            play(connection)
        threading.Thread(target=server.shutdown).start()

    server = serve(give, "127.0.0.1", 0, compression=None)
    pipe.send((server.socket.getsockname()[1], ear.getsockname()[1]))
    server.serve_forever()
    pipe.send(play.told())


class _Play:
    """Sends a chunk when it is due and listens for decisions until the next one is.

    Parameters
    ----------
    setting : Setting
    ear : socket
        Where decisions come in.
    """

    def __init__(self, setting: Setting, ear: socket.socket) -> None:
        self._setting, self._ear = setting, ear
        n_sent = setting.hops + _SETTLE + round(setting.window_ms / setting.hop_ms) + 1
        self._late_s, self._sent_s, self._sending_s = np.zeros((3, n_sent))
        self._heard: list[tuple[float, float, bytes]] = []

    def __call__(self, connection: Any) -> None:
        setting, hop_s = self._setting, self._setting.hop_ms / 1000
        frames = needs("websockets.frames", to="time the live path", extra="stream")
        rng = np.random.default_rng(1)
        noise = rng.standard_normal((setting.n_channels, 50 * setting.hop))
        noise = (40 * noise).astype(np.float32)
        connection.send(hello(setting.layout))
        time.sleep(1.0)
        begin_s = time.monotonic() + hop_s
        for number in range(len(self._sent_s)):
            first = (number % 50) * setting.hop
            content = frame(noise[:, first : first + setting.hop], first=number * setting.hop)
            # Packed beforehand, as a device has its packet ready: only the call itself is timed.
            packed = frames.Frame(frames.Opcode.BINARY, content).serialize(mask=False)
            due_s = begin_s + number * hop_s
            self._listen(due_s)
            before_s = time.monotonic()
            connection.socket.sendall(packed)
            self._sending_s[number] = time.monotonic() - before_s
            self._sent_s[number], self._late_s[number] = before_s, before_s - due_s
        self._listen(time.monotonic() + 0.5)
        connection.send('{"end": true}')

    def told(self) -> dict[str, list[float]]:
        """Return seconds: latencies, and what there is to know of their parts."""
        setting = self._setting
        latency: list[float] = []
        hearing: list[float] = []
        for moment_s, stamped_s, content in self._heard:
            answer = json.loads(content)
            if answer["abstains"]:  # silence is answered before its samples, if they ever come
                continue
            number = round(answer["time_s"] * setting.fs_hz / setting.hop) - 1
            if number >= _SETTLE and len(latency) < setting.hops:
                latency.append(moment_s - self._sent_s[number])
                if stamped_s:
                    hearing.append(moment_s - stamped_s)
        return {
            "latency": latency,
            "hearing": hearing,
            "sending": self._sending_s[_SETTLE:].tolist(),
            "sender late": self._late_s[_SETTLE:].tolist(),
        }

    def _listen(self, until_s: float) -> None:
        while (left_s := until_s - time.monotonic()) > 0:
            self._ear.settimeout(left_s)
            try:
                content, ancillary, _, _ = self._ear.recvmsg(65536, 64)
            except (TimeoutError, BlockingIOError):
                return
            moment_s = time.monotonic()
            self._heard.append((moment_s, _stamped_s(ancillary, moment_s), content))


def _stamped_s(ancillary: list[tuple[int, int, bytes]], moment_s: float) -> float:
    """Return when the kernel had a datagram, on the monotonic clock; 0 when it does not say."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _STAMPS) and len(data) == 16:
            seconds, nanoseconds = struct.unpack("qq", data)
            return moment_s - (time.time() - seconds - 1e-9 * nanoseconds)
    return 0.0
