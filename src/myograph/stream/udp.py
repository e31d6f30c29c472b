"""UDP: decisions as JSON datagrams, for whoever is quickest with a socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import Layout
from myograph.stream.answer import Answer
from myograph.stream.consumer import Consumer

__all__ = ["UdpOutlet"]


class UdpOutlet(Consumer):
    """Sends every answer as one datagram of JSON.

    Parameters
    ----------
    host : str
    port : int

    Examples
    --------
    >>> UdpOutlet.of("127.0.0.1:9000").port
    9000
    """

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.name = f"udp:{host}:{port}"
        self._socket: socket.socket | None = None

    @classmethod
    def of(cls, address: str) -> UdpOutlet:
        """Take ``host:port``."""
        host, _, port = address.removeprefix("//").rpartition(":")
        if not host or not port.isdigit():
            raise ParameterError(f"A UDP address is host:port; got {address!r}.")
        return cls(host.strip("[]"), int(port))

    async def start(self, layout: Layout, classes: tuple[str, ...]) -> None:
        """Find the host, once, and open a socket.

        Raises
        ------
        DataError
            If nobody knows the host.
        """
        del layout, classes
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)
        except OSError as error:
            raise DataError(
                f"{self.name} cannot be told: nobody knows the host {self.host!r} "
                f"({error}); give its address."
            ) from error
        family, _, _, _, address = found[0]
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.settimeout(0.0)
        self._socket.connect(address)

    def take(self, answer: Answer) -> None:
        """Send an answer; one that finds no room is dropped and counted."""
        if self._socket is None:
            return
        text = answer.to_json().encode()
        try:
            self._socket.send(text)
        except ConnectionRefusedError:  # said of the one before, and instead of this one
            self.dropped += 1
            with contextlib.suppress(OSError):
                self._socket.send(text)
        except OSError:
            self.dropped += 1

    async def stop(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
