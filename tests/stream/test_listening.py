"""Frames of a WebSocket are the same however the network cuts them."""

from __future__ import annotations

import asyncio
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.stream.listening import Splitter
from myograph.stream.websocket import WebSocketSource
from myograph.stream.wire import frame, hello

websockets = pytest.importorskip("websockets")


def packed(content: bytes, opcode: int = 2, *, fin: bool = True) -> bytes:
    from websockets.frames import Frame, Opcode

    return Frame(Opcode(opcode), content, fin=fin).serialize(mask=False)


MESSAGES = [b"", b"x" * 125, b"y" * 126, b"z" * 70_000, b"end"]


@given(cuts=st.lists(st.integers(0, 70_500), max_size=6))
@settings(deadline=None, max_examples=30)
def test_messages_come_out_whole_however_they_are_cut(cuts):
    sent = b"".join(packed(content) for content in MESSAGES)
    splitter, found = Splitter(), []
    edges = [0, *sorted(cuts), len(sent)]
    for start, stop in itertools.pairwise(edges):
        found += list(splitter.push(sent[start:stop]))
    assert found == [(content, True) for content in MESSAGES]


@pytest.mark.parametrize(
    "sent",
    [packed(b"ping", 9), packed(b"part", 2, fin=False), packed(b"rest", 0), b"\x82\x84abcdefgh"],
)
def test_what_is_no_plain_message_is_left_as_it_came(sent):
    assert list(Splitter().push(sent)) == [(sent, False)]


def test_a_frame_too_long_is_left_to_the_library_with_all_that_follows():
    sent = b"\x82\x7f" + (1 << 40).to_bytes(8, "big") + b"abc"
    splitter = Splitter()
    assert list(splitter.push(sent)) == [(sent, False)]
    assert list(splitter.push(packed(b"x"))) == [(packed(b"x"), False)]


def test_fragments_and_pings_between_samples(layout):
    """A server that cuts one message into frames, and pings in the middle of it."""
    parts = [frame(np.full((3, 4), k), first=4 * k) for k in range(3)]

    async def give(connection) -> None:
        await connection.send(hello(layout))
        await connection.send(parts[0])
        middle = len(parts[1]) // 2

        async def pieces():
            yield parts[1][:middle]
            await connection.ping()
            yield parts[1][middle:]

        await connection.send(pieces())
        await connection.send(parts[2])
        await connection.send('{"end": true}')

    async def go() -> list[int]:
        from websockets.asyncio.server import serve

        async with serve(give, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            source = WebSocketSource(f"ws://127.0.0.1:{port}")
            assert await source.open(timeout_s=5.0) == layout
            found = []
            while (chunk := await source.read()) is not None:
                found.append((chunk.first, chunk.samples[0, 0]))
            await source.close()
            return found

    assert asyncio.run(go()) == [(0, 0.0), (4, 1.0), (8, 2.0)]


def test_a_server_that_refuses_the_handshake(layout):
    from myograph.stream.source import SourceMissingError

    async def go() -> None:
        async def refuse(reader, writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            await WebSocketSource(f"ws://127.0.0.1:{port}").open(timeout_s=0.5)

    with pytest.raises(SourceMissingError, match="server rejected WebSocket connection: HTTP 404"):
        asyncio.run(go())
