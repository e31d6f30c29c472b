"""UDP: decisions as JSON datagrams, for whoever is quickest with a socket."""

from __future__ import annotations

import socket

from myograph.core.errors import ParameterError
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
        self._socket: socket.socket | None = None

    @classmethod
    def of(cls, address: str) -> UdpOutlet:
        """Take ``host:port``."""
        host, _, port = address.removeprefix("//").rpartition(":")
        if not host or not port.isdigit():
            raise ParameterError(f"A UDP address is host:port; got {address!r}.")
        return cls(host, int(port))

    async def start(self, layout: Layout, classes: tuple[str, ...]) -> None:
        """Open a socket."""
        del layout, classes
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.settimeout(0.0)

    def take(self, answer: Answer) -> None:
        """Send an answer; one that finds no room is dropped and counted."""
        if self._socket is None:
            return
        try:
            self._socket.sendto(answer.to_json().encode(), (self.host, self.port))
        except OSError:
            self.dropped += 1

    async def stop(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
