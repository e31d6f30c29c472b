"""Listening: a WebSocket client that passes messages on in the callback of its socket.

The library's own way, a queue that a task reads, costs the event loop a turn and another two. What
is no plain message (shaking hands, pings, fragments, whatever breaks the rules) stays the
library's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from myograph.core.optional import needs
from myograph.stream.source import now

__all__ = ["Splitter", "listening"]

# No frame is longer; the library has the same limit.
_LONGEST = 1 << 20
_TEXT, _MESSAGES = 1, (0, 1, 2)  # opcodes: continuation, text, binary
_OPEN = 1  # state of a connection


@lru_cache(maxsize=1)
def listening() -> type:
    """Return the class of connection, made of `hear` and `gone` and what the library gives it.

    ``hear(content, more=, arrived_s=)`` takes each message, ``gone(error)`` the end.
    """
    client = needs("websockets.asyncio.client", to="use WebSockets", extra="stream")
    return type("Listening", (_Listening, client.ClientConnection), {})


class _Listening:
    """What is put before the library's connection."""

    protocol: Any

    def __init__(
        self,
        hear: Callable[..., None],
        gone: Callable[[Exception | None], None],
        *arguments: Any,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._hear, self._gone = hear, gone
        self._parts: list[bytes] = []
        self._whole: list[bytes | str] = []
        self._text = self._shaken = False
        self._splitter = Splitter()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the socket."""
        arrived_s = now()
        if not self._shaken:
            data = self._shake(data)
        elif self.protocol.state != _OPEN:
            self._pass(data)
            return
        for content, plain in self._splitter.push(data):
            if plain and not self._parts:
                self._whole.append(content)
            else:
                self._pass(content)
        whole, self._whole = self._whole, []
        for number, message in enumerate(whole, 1):
            self._hear(message, more=number < len(whole), arrived_s=arrived_s)

    def process_event(self, event: Any) -> None:
        """Take a frame that the library has read."""
        if getattr(event, "opcode", None) not in _MESSAGES:
            super().process_event(event)  # type: ignore[misc]
            return
        if event.opcode:
            self._text = event.opcode == _TEXT
        self._parts.append(bytes(event.data))
        if event.fin:
            content, self._parts = b"".join(self._parts), []
            self._whole.append(content.decode(errors="replace") if self._text else content)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end."""
        super().connection_lost(exc)  # type: ignore[misc]
        self._gone(self.protocol.close_exc)

    def _pass(self, data: Any) -> None:
        super().data_received(data)  # type: ignore[misc]

    def _shake(self, data: bytes) -> bytes:
        """Let the library shake hands, and return what came behind that."""
        data = self._splitter.take() + data
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            self._splitter.keep(data)
            return b""
        self._pass(data[:end])
        self._shaken = True
        if self.protocol.state == _OPEN:
            return data[end:]
        self._pass(data[end:])
        return b""


class Splitter:
    r"""Cuts bytes into the frames of RFC 6455, and unpacks those that are a message of their own.

    Examples
    --------
    >>> splitter = Splitter()
    >>> list(splitter.push(b"\x82\x02ab\x89")), list(splitter.push(b"\x01x"))
    ([(b'ab', True)], [(b'\x89\x01x', False)])
    """

    def __init__(self) -> None:
        self._held = b""
        self._lawless = False

    def take(self) -> bytes:
        """Return what is held, and forget it."""
        held, self._held = self._held, b""
        return held

    def keep(self, data: bytes) -> None:
        """Hold bytes."""
        self._held = data

    def push(self, data: bytes) -> Iterator[tuple[bytes | str, bool]]:
        """Take bytes and yield what they complete: a whole message, or a frame as it came."""
        if self._held:
            data = self.take() + data
        at = 0
        while len(data) - at >= 2 and not self._lawless:
            first, size, begin = data[at], data[at + 1], at + 2
            if size in (126, 127):
                begin = at + (4 if size == 126 else 10)
                if len(data) < begin:
                    break
                size = int.from_bytes(data[at + 2 : begin], "big")
            # A server masks nothing (then the second byte is above 127), and sends nothing so long.
            self._lawless = data[at + 1] > 127 or size > _LONGEST
            if self._lawless or len(data) < begin + size:
                break
            stop = begin + size
            if first == 0x82:
                yield data[begin:stop], True
            elif first == 0x81:
                yield data[begin:stop].decode(errors="replace"), True
            else:
                yield data[at:stop], False
            at = stop
        if self._lawless:
            yield data[at:], False
        else:
            self._held = data[at:]
