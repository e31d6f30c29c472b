"""WebSocket: samples from, and decisions to, anybody who speaks it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import socket
from collections import deque
from functools import partial
from typing import Any

import numpy as np

from myograph.core.errors import DataError, FormatError
from myograph.core.layout import Layout
from myograph.core.optional import needs
from myograph.stream.answer import Answer, Notice
from myograph.stream.consumer import Consumer
from myograph.stream.listening import listening
from myograph.stream.mailbox import Mailbox
from myograph.stream.source import Chunk, Source, SourceLostError, SourceMissingError
from myograph.stream.wire import check_channels, layout_from_hello, read_frame

__all__ = ["WebSocketOutlet", "WebSocketSource"]


class WebSocketSource(Source):
    """Receives frames (`myograph.stream.wire`); the first message is the hello.

    Parameters
    ----------
    url : str
        ``"ws://host:port/path"`` or ``"wss://..."``.
    silence_s : float
        A sender that says nothing for longer is lost.
    """

    timing = "counted"
    scheme = "ws"

    def __init__(self, url: str, *, silence_s: float = 5.0) -> None:
        self._url = url if url.startswith(("ws://", "wss://")) else f"ws://{url}"
        super().__init__(self._url)
        self._silence_s = silence_s
        self._socket: Any = None
        self._mailbox: Mailbox | None = None
        self._layout: Layout | None = None

    async def open(self, *, timeout_s: float) -> Layout:
        """Connect, trying again until the time is over, and read the hello."""
        client = needs("websockets.asyncio.client", to="use WebSockets", extra="stream")
        connection = listening()
        self._layout, self._mailbox = None, Mailbox(deliver=self.deliver)
        hello: asyncio.Future[Layout] = asyncio.get_running_loop().create_future()
        hear = partial(self._hear, self._mailbox, hello)
        gone = partial(self._gone, self._mailbox, hello)
        seen = "nobody answers there"
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    try:
                        self._socket = await client.connect(
                            self._url,
                            compression=None,
                            proxy=None,
                            create_connection=partial(connection, hear, gone),
                        )
                        break
                    except (OSError, _errors()) as error:
                        seen = str(error) or type(error).__name__
                        await asyncio.sleep(0.1)
                seen = "it is connected and says nothing"
                return await hello
        except TimeoutError:
            await self.close()
            raise SourceMissingError(
                f"{self._url} gave no samples within {timeout_s:g} s: {seen}."
            ) from None

    async def read(self) -> Chunk | None:
        """Wait for the next frame."""
        if self._mailbox is None or self._layout is None:
            raise SourceLostError(f"{self._url} is not open.")
        return await self._mailbox.get(silence_s=self._silence_s, name=self._url)

    async def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            taken, self._socket = self._socket, None
            await taken.close()

    def _hear(
        self,
        mailbox: Mailbox,
        hello: asyncio.Future[Layout],
        content: bytes | str,
        *,
        more: bool,
        arrived_s: float,
    ) -> None:
        """Take one message, in the callback of the socket."""
        try:
            if self._layout is None:
                self._layout = layout_from_hello(content, where=self._url)
                if not hello.done():
                    hello.set_result(self._layout)
            elif content == _END:
                mailbox.end()
            else:
                mailbox.put(self._chunk(content, self._layout, arrived_s), more=more)
        except DataError as error:
            self._gone(mailbox, hello, error)

    def _chunk(self, content: bytes | str, layout: Layout, arrived_s: float) -> Chunk:
        if isinstance(content, str):
            raise FormatError(f"{self._url} sent text where samples were expected.")
        found = read_frame(content)
        check_channels(found, layout, where=self._url)
        times = None
        if not math.isnan(found.time_s):
            size = found.samples.shape[1]
            times = found.time_s - np.arange(size - 1, -1, -1) / layout.fs_hz
        return Chunk(found.samples, times, arrived_s, found.first)

    def _gone(
        self, mailbox: Mailbox, hello: asyncio.Future[Layout], error: Exception | None
    ) -> None:
        if not isinstance(error, DataError):
            error = SourceLostError(f"{self._url} closed the connection ({error}).")
        if not hello.done():
            hello.set_exception(error)
        mailbox.fail(error)


#: What a sender says when it has no more samples.
_END = '{"end": true}'


class WebSocketOutlet(Consumer):
    """Serves decisions and notices as JSON to everybody who connects.

    Parameters
    ----------
    port : int
        0 takes a free one; see `port` after the start.
    host : str
        Loopback by default: nobody outside this machine can listen.
    most_waiting : int
        Messages that wait for a slow listener; then its oldest are dropped and counted.
    """

    def __init__(self, *, port: int, host: str = "127.0.0.1", most_waiting: int = 64) -> None:
        self.port, self._host, self._most = port, host, most_waiting
        self.name = f"ws:{host}:{port}"
        self._queues: dict[Any, tuple[deque[str], asyncio.Event]] = {}
        self._hello = ""
        self._server: Any = None

    async def start(self, layout: Layout, classes: tuple[str, ...]) -> None:
        """Begin to listen."""
        server = needs("websockets.asyncio.server", to="use WebSockets", extra="stream")
        self._hello = json.dumps({"classes": list(classes), "layout": layout.to_dict()})
        self._server = await server.serve(self._serve, self._host, self.port, compression=None)
        self.port = self._server.sockets[0].getsockname()[1]

    def take(self, answer: Answer) -> None:
        """Send an answer."""
        if self._queues:
            self._send(f'{{"answer": {answer.to_json()}}}')

    def hear(self, notice: Notice) -> None:
        """Send a notice."""
        if self._queues:
            self._send(json.dumps({"notice": notice.to_dict()}))

    async def stop(self) -> None:
        """Close every connection."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _send(self, text: str) -> None:
        for waiting, ready in self._queues.values():
            if len(waiting) >= self._most:
                waiting.popleft()
                self.dropped += 1
            waiting.append(text)
            ready.set()

    async def _serve(self, connection: Any) -> None:
        waiting: deque[str] = deque([self._hello])
        ready = asyncio.Event()
        ready.set()
        sock = connection.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._queues[connection] = (waiting, ready)
        feeding = asyncio.create_task(_feed(connection, waiting, ready))
        try:
            await connection.wait_closed()
        finally:
            del self._queues[connection]
            feeding.cancel()


async def _feed(connection: Any, waiting: deque[str], ready: asyncio.Event) -> None:
    with contextlib.suppress(_errors()):
        while True:
            await ready.wait()
            ready.clear()
            while waiting:
                await connection.send(waiting.popleft())


def _errors() -> type[Exception]:
    found: type[Exception] = needs(
        "websockets.exceptions", to="use WebSockets", extra="stream"
    ).WebSocketException
    return found
