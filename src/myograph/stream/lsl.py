"""LSL: streams of the lab's network, found by name, on a common clock."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np

from myograph.core.layout import Layout
from myograph.core.optional import needs
from myograph.stream.answer import Answer, Notice
from myograph.stream.consumer import Consumer
from myograph.stream.declare import Declared, Described
from myograph.stream.mailbox import Mailbox
from myograph.stream.source import Chunk, Source, SourceLostError, SourceMissingError, now

__all__ = ["LslOutlet", "LslSource", "lsl_streams"]

_UNITS = {"microvolts": "uV", "microvolt": "uV", "millivolts": "mV", "volts": "V", "": ""}
_RESOLVE_S = 1.0
_CORRECT_EVERY_S = 5.0


def lsl_streams(*, wait_s: float = _RESOLVE_S) -> list[str]:
    """Return what is on the network: name, type, channels and rate of each stream."""
    found = _pylsl().resolve_streams(wait_s)
    return sorted(
        f"{info.name()} ({info.type()}, {info.channel_count()} channels, "
        f"{info.nominal_srate():g} Hz)"
        for info in found
    )


class LslSource(Source):
    """Receives a stream of the Lab Streaming Layer.

    Labels, units and types of its description say what the channels are; time stamps are brought
    to this machine's clock by LSL's own measurement of the offset.

    Parameters
    ----------
    stream : str
        The stream's name.
    declared : Declared, optional
        What the description leaves open.
    silence_s : float
        A stream that says nothing for longer is lost.
    """

    timing = "stamped"
    tolerance_s = 0.05
    scheme = "lsl"

    def __init__(
        self, stream: str, *, declared: Declared | None = None, silence_s: float = 5.0
    ) -> None:
        super().__init__(f"lsl:{stream}")
        self._stream, self._declared = stream, declared or Declared()
        self._silence_s = silence_s
        self._inlet: Any = None
        self._mailbox: Mailbox | None = None
        self._thread: threading.Thread | None = None
        self._leave = threading.Event()
        self._factors: Any = None

    async def open(self, *, timeout_s: float) -> Layout:
        """Find the stream and begin to pull from it."""
        loop = asyncio.get_running_loop()
        info = await loop.run_in_executor(None, self._find, timeout_s)
        self._inlet = _pylsl().StreamInlet(info, max_buflen=10, recover=False)
        full = await loop.run_in_executor(None, self._inlet.info, timeout_s)
        described = _described(full)
        rate_hz = full.nominal_srate() or None
        layout, self._factors = self._declared.layout(described, fs_hz=rate_hz, where=self.name)
        await loop.run_in_executor(None, self._inlet.open_stream, timeout_s)
        self._mailbox, self._leave = Mailbox(deliver=self.deliver), threading.Event()
        self._thread = threading.Thread(
            target=self._pull,
            args=(self._inlet, self._mailbox, self._leave),
            name=self.name,
            daemon=True,
        )
        self._thread.start()
        return layout

    async def read(self) -> Chunk | None:
        """Wait for the next samples."""
        if self._mailbox is None:
            raise SourceLostError(f"{self.name} is not open.")
        return await self._mailbox.get(silence_s=self._silence_s, name=self.name)

    async def close(self) -> None:
        """Stop pulling."""
        self._leave.set()
        thread, self._thread = self._thread, None
        inlet, self._inlet = self._inlet, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(None, thread.join)
        if inlet is not None:
            inlet.close_stream()

    def _find(self, timeout_s: float) -> Any:
        pylsl = _pylsl()
        begin = now()
        while (left_s := timeout_s - (now() - begin)) > 0:
            found = pylsl.resolve_byprop("name", self._stream, timeout=min(left_s, _RESOLVE_S))
            if found:
                return found[0]
        seen = lsl_streams()
        raise SourceMissingError(
            f"No LSL stream is called {self._stream!r} after {timeout_s:g} s. Seen: "
            f"{'; '.join(seen) or 'no stream at all'}."
        )

    def _pull(self, inlet: Any, mailbox: Mailbox, leave: threading.Event) -> None:
        pylsl = _pylsl()
        offset_s, corrected_s = 0.0, -_CORRECT_EVERY_S
        try:
            while not leave.is_set():
                if now() - corrected_s > _CORRECT_EVERY_S:
                    offset_s, corrected_s = _offset(inlet, offset_s), now()
                one, stamp = inlet.pull_sample(timeout=0.2)
                if one is None:
                    continue
                more, stamps = inlet.pull_chunk(timeout=0.0)
                arrived_s = now()
                samples = np.array([one, *more], dtype=np.float32).T * self._factors[:, None]
                # LSL's clock and ours are both steady; what lies between them is constant.
                between_s = arrived_s - pylsl.local_clock()
                times = np.array([stamp, *stamps]) + offset_s + between_s
                mailbox.put_from_thread(Chunk(samples, times, arrived_s))
        except (RuntimeError, pylsl.util.LostError) as error:
            reason = str(error) or "its outlet is gone"
            mailbox.fail_from_thread(SourceLostError(f"{self.name} is lost: {reason}."))


class LslOutlet(Consumer):
    """Sends decisions as two LSL streams: the label as text, the probabilities as numbers.

    Parameters
    ----------
    name : str
        The streams are called ``name`` and ``name probabilities``. An abstention sends an empty
        label and NaN. Of a regression the numbers are the values, and the label says which.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._labels: Any = None
        self._numbers: Any = None
        self._nothing: list[float] = []

    async def start(self, layout: Layout, classes: tuple[str, ...]) -> None:
        """Open the outlets."""
        del layout
        pylsl = _pylsl()
        word = f"myograph-{self._name}"
        self._labels = pylsl.StreamOutlet(
            pylsl.StreamInfo(self._name, "Markers", 1, pylsl.IRREGULAR_RATE, "string", word)
        )
        name = f"{self._name} probabilities"
        info = pylsl.StreamInfo(
            name, "Probabilities", len(classes), pylsl.IRREGULAR_RATE, "double64", f"{word}-p"
        )
        channels = info.desc().append_child("channels")
        for label in classes:
            channels.append_child("channel").append_child_value("label", label)
        self._numbers = pylsl.StreamOutlet(info)
        self._nothing = [float("nan")] * len(classes)

    def take(self, answer: Answer) -> None:
        """Send an answer."""
        decision = answer.decision
        label = "" if decision.rejected else decision.label
        self._labels.push_sample([label])
        told = [value.value for value in answer.values] or decision.probabilities.tolist()
        self._numbers.push_sample(self._nothing if answer.abstains == "gap" else told)

    def hear(self, notice: Notice) -> None:
        """Notices have no stream of their own."""

    async def stop(self) -> None:
        """Close the outlets."""
        self._labels = self._numbers = None


def _pylsl() -> Any:
    return needs("pylsl", to="use the Lab Streaming Layer", extra="stream")


def _offset(inlet: Any, last_s: float) -> float:
    """Return the offset of the sender's clock; the last one known while it cannot be measured."""
    try:
        return float(inlet.time_correction(timeout=1.0))
    except TimeoutError:
        return last_s


def _described(info: Any) -> list[Described]:
    """Return the channels as the stream's description words them."""
    described = []
    channel = info.desc().child("channels").child("channel")
    for number in range(info.channel_count()):
        label = channel.child_value("label") or f"ch{number + 1}"
        unit = channel.child_value("unit")
        text = channel.child_value("type") or info.type()
        described.append(Described(label, _UNITS.get(unit.lower(), unit), text))
        channel = channel.next_sibling("channel")
    return described
