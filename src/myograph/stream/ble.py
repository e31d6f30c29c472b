"""Bluetooth LE: an armband that notifies eight muscle channels, like the Myo.

The Myo's protocol is public (thalmic2015): four characteristics take turns, each notification
holds two samples of eight channels as int8. What the steps are in microvolts was never published,
so the channels are counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

from myograph.core.errors import LayoutError
from myograph.core.layout import Channel, Layout
from myograph.core.optional import needs
from myograph.stream.declare import Declared
from myograph.stream.mailbox import Mailbox
from myograph.stream.source import Chunk, Source, SourceLostError, SourceMissingError, now

__all__ = ["COMMAND", "EMG", "ArmbandSource"]

_BASE = "d506{}-a904-deb9-4748-2c7f4a124842"
#: The characteristic that takes commands, and the four that notify EMG.
COMMAND = _BASE.format("0401")
EMG = tuple(_BASE.format(f"0{k}05") for k in (1, 2, 3, 4))
# Set mode: filtered EMG on, motion and poses off; never sleep.
_STREAM, _AWAKE = bytes([0x01, 0x03, 0x02, 0x00, 0x00]), bytes([0x09, 0x01, 0x01])
_FS_HZ, _N_CHANNELS, _PER_PACKET = 200.0, 8, 2


class ArmbandSource(Source):
    """Receives an armband over Bluetooth.

    The characteristics take turns, so that up to three lost packets in a row are counted exactly;
    longer losses are told by time.

    Parameters
    ----------
    device : str
        Its name or its address.
    declared : Declared, optional
        Names of the channels.
    silence_s : float
        An armband that says nothing for longer is lost.
    client, scan : callable, optional
        Stand in for ``bleak.BleakClient`` and ``bleak.BleakScanner.discover``.
    """

    timing = "counted"
    scheme = "ble"

    def __init__(
        self,
        device: str,
        *,
        declared: Declared | None = None,
        silence_s: float = 2.0,
        client: Callable[..., Any] | None = None,
        scan: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__(f"ble:{device}")
        self._device, self._silence_s = device, silence_s
        self._client_type, self._scan = client, scan
        names = (declared.names if declared else ()) or tuple(f"emg{k + 1}" for k in range(8))
        if len(names) != _N_CHANNELS:
            raise LayoutError(
                f"{self.name} sends {_N_CHANNELS} channels, and {len(names)} names were given: "
                f"{list(names)}."
            )
        channels = tuple(Channel(name, kind="semg", scale="count") for name in names)
        self._layout = Layout(_FS_HZ, channels)
        self._client: Any = None
        self._mailbox: Mailbox | None = None
        self._turn = -1
        self._packet = 0
        self._last_s = 0.0

    async def open(self, *, timeout_s: float) -> Layout:
        """Find the armband, connect and ask for its signals."""
        found = await self._find(timeout_s)
        make = self._client_type
        if make is None:
            make = needs("bleak", to="use Bluetooth", extra="stream").BleakClient
        mailbox = self._mailbox = Mailbox(deliver=self.deliver)
        self._client = make(found, disconnected_callback=lambda _: self._gone(mailbox))
        try:
            async with asyncio.timeout(timeout_s):
                await self._client.connect()
                for turn, characteristic in enumerate(EMG):
                    await self._client.start_notify(characteristic, self._receiver(turn, mailbox))
                await self._client.write_gatt_char(COMMAND, _AWAKE, response=True)
                await self._client.write_gatt_char(COMMAND, _STREAM, response=True)
        except (TimeoutError, OSError, _error()) as error:
            await self.close()
            raise SourceMissingError(
                f"{self.name} was found and does not answer ({error!r})."
            ) from error
        return self._layout

    async def read(self) -> Chunk | None:
        """Wait for the next packet."""
        if self._mailbox is None:
            raise SourceLostError(f"{self.name} is not open.")
        return await self._mailbox.get(silence_s=self._silence_s, name=self.name)

    async def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None and client.is_connected:
            await client.disconnect()

    async def _find(self, timeout_s: float) -> Any:
        scan = self._scan
        if scan is None:
            scan = needs("bleak", to="use Bluetooth", extra="stream").BleakScanner.discover
        begin, seen = now(), "no device at all"
        while True:
            left_s = timeout_s - (now() - begin)
            try:
                devices = await scan(timeout=max(0.1, min(2.0, left_s)))
            except (OSError, _error()) as error:
                devices, seen = [], f"Bluetooth cannot be used here ({error})"
            for device in devices:
                if self._device in (device.name, device.address):
                    return device
            if devices:
                seen = "; ".join(sorted(f"{one.name} ({one.address})" for one in devices))
            if now() - begin >= timeout_s:
                raise SourceMissingError(
                    f"{self.name} did not appear within {timeout_s:g} s. Seen: {seen}."
                )
            await asyncio.sleep(0.05)

    def _gone(self, mailbox: Mailbox) -> None:
        mailbox.fail(SourceLostError(f"{self.name} is out of reach or switched off."))

    def _receiver(self, turn: int, mailbox: Mailbox) -> Callable[[Any, bytearray], None]:
        def receive(_: Any, content: bytearray) -> None:
            arrived_s = now()
            if len(content) != _PER_PACKET * _N_CHANNELS:
                return  # not a packet of this kind: its place stays empty
            self._count(turn, arrived_s)
            samples = np.frombuffer(bytes(content), dtype=np.int8)
            values = samples.reshape(_PER_PACKET, _N_CHANNELS).T.astype(np.float32)
            mailbox.put(Chunk(values, None, arrived_s, _PER_PACKET * self._packet))

        return receive

    def _count(self, turn: int, arrived_s: float) -> None:
        """Give the packet its number: by whose turn it is, and by time when rounds are missing."""
        if self._turn >= 0:
            step = (turn - self._turn) % len(EMG) or len(EMG)
            elapsed = (arrived_s - self._last_s) * _FS_HZ / _PER_PACKET
            if elapsed > 25:  # a quarter of a second: jitter does not reach so far
                step += len(EMG) * max(0, round((elapsed - step) / len(EMG)))
            self._packet += step
        self._turn, self._last_s = turn, arrived_s


def _error() -> type[Exception]:
    found: type[Exception] = needs("bleak.exc", to="use Bluetooth", extra="stream").BleakError
    return found
