"""MQTT: samples from, and decisions to, a broker. Small packets are sent at once (TCP_NODELAY)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import Layout
from myograph.core.optional import needs
from myograph.stream.answer import Answer, Notice
from myograph.stream.consumer import Consumer
from myograph.stream.mailbox import Mailbox
from myograph.stream.source import Chunk, Source, SourceLostError, SourceMissingError, now
from myograph.stream.wire import check_channels, layout_from_hello, read_frame

__all__ = ["Broker", "MqttOutlet", "MqttSource"]

# Without it a small packet waits for the acknowledgement of the one before: 40 ms.
_AT_ONCE = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a topic lives.

    Parameters
    ----------
    host : str
    port : int
    topic : str
    username, password : str
        Empty when the broker asks for none.

    Examples
    --------
    >>> Broker.of("mqtt://broker.local:1884/arm/left").topic
    'arm/left'
    """

    host: str
    port: int
    topic: str
    username: str = ""
    password: str = ""

    @classmethod
    def of(cls, url: str) -> Broker:
        """Take a URL apart: ``mqtt://user:password@host:port/topic``.

        Raises
        ------
        ParameterError
            If it names no host or no topic.
        """
        parts = urlsplit(url if "//" in url else f"mqtt://{url}")
        topic = unquote(parts.path).strip("/")
        if not parts.hostname or not topic:
            raise ParameterError(
                f"An MQTT address is mqtt://host:port/topic; got {url!r}, which names no "
                f"{'host' if not parts.hostname else 'topic'}."
            )
        return cls(
            parts.hostname,
            parts.port or 1883,
            topic,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    def client(self) -> Any:
        """Return a client that is not connected yet."""
        aiomqtt = needs("aiomqtt", to="use MQTT", extra="stream")
        return aiomqtt.Client(
            self.host,
            self.port,
            username=self.username or None,
            password=self.password or None,
            socket_options=_AT_ONCE,
        )


def mqtt_error() -> type[Exception]:
    """Return what the MQTT client raises."""
    found: type[Exception] = needs("aiomqtt", to="use MQTT", extra="stream").MqttError
    return found


class MqttSource(Source):
    """Receives frames (`myograph.stream.wire`) on a topic; the hello is retained at ``/layout``.

    Parameters
    ----------
    url : str
        See `Broker.of`.
    silence_s : float
        A sender that says nothing for longer is lost.
    """

    timing = "counted"
    scheme = "mqtt"

    def __init__(self, url: str, *, silence_s: float = 5.0) -> None:
        self._broker = Broker.of(url)
        super().__init__(f"mqtt://{self._broker.host}:{self._broker.port}/{self._broker.topic}")
        self._silence_s = silence_s
        self._task: asyncio.Task[None] | None = None
        self._mailbox: Mailbox | None = None
        self._layout: Layout | None = None
        self._announced = asyncio.Event()
        self._hello: bytes = b""
        self._seen = "the broker does not answer"

    async def open(self, *, timeout_s: float) -> Layout:
        """Connect, subscribe and wait for the hello."""
        needs("aiomqtt", to="use MQTT", extra="stream")
        self._mailbox = Mailbox(deliver=self.deliver)
        self._announced = asyncio.Event()
        self._seen = "the broker does not answer"
        self._task = asyncio.create_task(self._listen(self._mailbox))
        try:
            async with asyncio.timeout(timeout_s):
                await self._announced.wait()
        except TimeoutError:
            await self.close()
            raise SourceMissingError(
                f"{self.name} announced nothing within {timeout_s:g} s: {self._seen}."
            ) from None
        self._layout = layout_from_hello(self._hello, where=self.name)
        return self._layout

    async def read(self) -> Chunk | None:
        """Wait for the next frame."""
        if self._mailbox is None:
            raise SourceLostError(f"{self.name} is not open.")
        return await self._mailbox.get(silence_s=self._silence_s, name=self.name)

    async def close(self) -> None:
        """Leave the broker."""
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self, mailbox: Mailbox) -> None:
        topic = self._broker.topic
        try:
            while True:
                try:
                    async with self._broker.client() as client:
                        self._seen = f"the broker is there, and nothing is at {topic}/layout"
                        await client.subscribe(f"{topic}/#", qos=0)
                        async for message in client.messages:
                            self._receive(str(message.topic), message.payload, mailbox)
                except mqtt_error() as error:
                    if self._announced.is_set():
                        lost = SourceLostError(f"{self.name}: the broker is gone ({error}).")
                        mailbox.fail(lost)
                        return
                    self._seen = str(error)
                    await asyncio.sleep(0.1)
        except DataError as error:
            mailbox.fail(error)
            self._announced.set()

    def _receive(self, topic: str, payload: bytes, mailbox: Mailbox) -> None:
        arrived_s = now()
        if topic == f"{self._broker.topic}/layout":
            self._hello = payload
            self._announced.set()
        elif topic == f"{self._broker.topic}/end":
            mailbox.end()
        elif topic == self._broker.topic and self._announced.is_set():
            found = read_frame(payload)
            if self._layout is not None:
                check_channels(found, self._layout, where=self.name)
            mailbox.put(Chunk(found.samples, None, arrived_s, found.first))


class MqttOutlet(Consumer):
    """Publishes decisions at ``topic/decision`` and notices at ``topic/notice``, as JSON.

    Parameters
    ----------
    url : str
        See `Broker.of`.
    qos : int
        0 or 1.
    most_waiting : int
        Messages that wait while the broker is away; then the oldest are dropped and counted.
    """

    def __init__(self, url: str, *, qos: int = 0, most_waiting: int = 256) -> None:
        self._broker, self._qos, self._most = Broker.of(url), qos, most_waiting
        self.name = f"mqtt://{self._broker.host}:{self._broker.port}/{self._broker.topic}"
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.published = 0

    async def start(self, layout: Layout, classes: tuple[str, ...]) -> None:
        """Begin to connect; a broker that is away is waited for while the stream runs."""
        needs("aiomqtt", to="use MQTT", extra="stream")
        self._put("classes", json.dumps({"classes": list(classes), "fs_hz": layout.fs_hz}))
        self._task = asyncio.create_task(self._publish())

    def take(self, answer: Answer) -> None:
        """Publish an answer."""
        self._put("decision", answer.to_json())

    def hear(self, notice: Notice) -> None:
        """Publish a notice."""
        self._put("notice", json.dumps(notice.to_dict()))

    async def stop(self) -> None:
        """Publish what waits, for at most a second."""
        if self._task is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._waiting.join()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.dropped += self._waiting.qsize()

    def _put(self, what: str, text: str) -> None:
        if self._waiting.qsize() >= self._most:
            self._waiting.get_nowait()
            self._waiting.task_done()
            self.dropped += 1
        self._waiting.put_nowait((what, text))

    async def _publish(self) -> None:
        while True:
            try:
                async with self._broker.client() as client:
                    while True:
                        what, text = await self._waiting.get()
                        try:
                            await client.publish(
                                f"{self._broker.topic}/{what}", text, qos=self._qos
                            )
                        finally:
                            self._waiting.task_done()
                        self.published += 1
            except mqtt_error() as error:
                self.trouble = str(error)
                await asyncio.sleep(0.5)
