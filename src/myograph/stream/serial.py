"""Serial lines: sensors that print numbers (MyoWare on an Arduino), or send frames."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_count
from myograph.core.errors import DataError
from myograph.core.layout import Layout
from myograph.core.optional import needs
from myograph.stream.boards import serial_ports
from myograph.stream.declare import Declared, Described
from myograph.stream.mailbox import Mailbox
from myograph.stream.source import Chunk, Source, SourceLostError, SourceMissingError, now
from myograph.stream.wire import FrameReader

__all__ = ["LineReader", "SerialSource"]

# So many lines alike that are not what was declared are no accident.
_MOST_ALIKE = 50
_APART = re.compile(rb"[,;\s]+")


class LineReader:
    r"""Turns lines of numbers into samples, past what is no such line.

    Parameters
    ----------
    n_channels : int
    counter : bool
        Whether the first number of each line counts the lines.

    Examples
    --------
    >>> reader = LineReader(2)
    >>> samples, first = reader.push(b"booting\n512,498\n511, 5")
    >>> samples.tolist(), first
    ([[512.0], [498.0]], -1)
    >>> reader.push(b"00\n")[0].tolist(), reader.skipped
    ([[511.0], [500.0]], 1)
    """

    def __init__(self, n_channels: int, *, counter: bool = False) -> None:
        self._width = check_count(n_channels, name="n_channels") + counter
        self._counter = counter
        self._rest = b""
        #: Lines that were not as many numbers as there are channels, and those that were.
        self.skipped = self.good = 0
        #: The newest one that was not, how many numbers it had, and how often in a row now.
        self.strange, self.others, self.alike = b"", 0, 0

    def push(self, content: bytes) -> tuple[NDArray[np.float32], int]:
        """Return the samples (n_channels, n_new) that these bytes complete, and the first's number.

        Lines that count are given back only as far as they follow each other; see `rest`.
        """
        *lines, self._rest = (self._rest + content).split(b"\n")
        if len(self._rest) > 4096:  # no line is so long: this is not text
            self._skip(self._rest, 0)
            self._rest = b""
        rows = [row for row in map(self._parsed, lines) if row is not None]
        if not rows:
            return np.empty((self._width - self._counter, 0), dtype=np.float32), -1
        values = np.array(rows)
        if not self._counter:
            return values.T.astype(np.float32), -1
        return self._placed(values)

    def _placed(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float32], int]:
        """Put counted lines where their numbers say, NaN where one is missing."""
        numbers = values[:, 0].astype(np.int64)
        first, span = int(numbers[0]), int(numbers[-1] - numbers[0]) + 1
        if not (np.diff(numbers) > 0).all() or span > 4 * len(numbers) + 64:
            return values[:, 1:].T.astype(np.float32), first
        placed = np.full((self._width - 1, span), np.nan, dtype=np.float32)
        placed[:, numbers - first] = values[:, 1:].T
        return placed, first

    def _parsed(self, line: bytes) -> list[float] | None:
        words = [word for word in _APART.split(line.strip()) if word]
        if not words:
            return None
        try:
            row = [float(word) for word in words]
        except ValueError:
            row = []
        if len(row) != self._width:
            self._skip(line, len(row))
            return None
        self.good += 1
        self.alike = 0
        return row

    def _skip(self, line: bytes, width: int) -> None:
        self.skipped += 1
        self.alike = self.alike + 1 if width == self.others else 1
        self.strange, self.others = line[:40], width


class SerialSource(Source):
    """Receives samples over a serial line.

    Parameters
    ----------
    device : str
        ``"/dev/ttyACM0"``, ``"COM3"``.
    declared : Declared
        Rate, kind, unit and names: a serial line says nothing itself.
    form : {"lines", "frames"}
        Numbers as text, a line per sample, or the frames of `myograph.stream.wire`.
    baud : int
    counter : bool
        With lines: whether the first number of each counts them, so that lost ones are known.
    silence_s : float
        A line that says nothing for longer is lost.
    """

    scheme = "serial"

    def __init__(
        self,
        device: str,
        *,
        declared: Declared,
        form: str = "lines",
        baud: int = 115200,
        counter: bool = False,
        silence_s: float = 3.0,
    ) -> None:
        super().__init__(f"serial:{device}")
        check_choice(form, ("lines", "frames"), name="form")
        self._device, self._declared, self._form = device, declared, form
        self._baud = check_count(baud, name="baud")
        self._counter = counter
        self._silence_s = silence_s
        self.timing = "counted" if counter or form == "frames" else "arrival"
        names = declared.names
        if not names:
            raise DataError(
                f"{self.name}: a serial line does not say what it sends; name its channels with "
                "names=, their kind= and unit=, and the rate with fs_hz=."
            )
        described = [Described(name) for name in names]
        self._layout, self._factors = declared.layout(described, fs_hz=None, where=self.name)
        self._lines = LineReader(self._layout.n_channels, counter=counter)
        self._port: Any = None
        self._mailbox: Mailbox | None = None
        self._thread: threading.Thread | None = None

    async def open(self, *, timeout_s: float) -> Layout:
        """Open the port, waiting for it to appear."""
        serial = needs("serial", to="read a serial line", extra="stream")
        begin = now()
        while True:
            try:
                self._port = serial.Serial(self._device, self._baud, timeout=0.2)
                break
            except (OSError, ValueError) as error:
                if now() - begin > timeout_s:
                    raise SourceMissingError(
                        f"{self.name} could not be opened within {timeout_s:g} s ({error}). "
                        f"Serial ports seen: {serial_ports() or 'none'}."
                    ) from error
                await asyncio.sleep(0.1)
        self._lines = LineReader(self._layout.n_channels, counter=self._counter)
        self._mailbox = Mailbox(deliver=self.deliver)
        self._thread = threading.Thread(
            target=self._listen, args=(self._port, self._mailbox), name=self.name, daemon=True
        )
        self._thread.start()
        return self._layout

    async def read(self) -> Chunk | None:
        """Wait for the next samples."""
        if self._mailbox is None:
            raise SourceLostError(f"{self.name} is not open.")
        try:
            return await self._mailbox.get(silence_s=self._silence_s, name=self.name)
        except SourceLostError as error:
            if not self._lines.alike or self._form != "lines":
                raise
            raise SourceLostError(
                f"{error} What came instead is no line of {self._layout.n_channels} numbers, such "
                f"as {self._lines.strange!r}; check names=, baud= ({self._baud} now) and form=."
            ) from error

    async def close(self) -> None:
        """Close the port."""
        port, self._port = self._port, None
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(None, thread.join)
        if port is not None:
            port.close()

    def _listen(self, port: Any, mailbox: Mailbox) -> None:
        lines, frames = self._lines, FrameReader()
        try:
            while self._port is port:
                content = port.read(max(1, port.in_waiting))
                arrived_s = now()
                if not content:
                    continue
                if self._form == "lines":
                    samples, first = lines.push(content)
                    self._check(lines)
                    self._deliver(mailbox, samples, arrived_s, first)
                else:
                    for found in frames.push(content):
                        self._deliver(mailbox, found.samples, arrived_s, found.first)
        except (OSError, TypeError) as error:  # TypeError: closed while it was being read
            lost = SourceLostError(f"{self.name} is unplugged ({error}).")
            mailbox.fail_from_thread(lost)
        except DataError as error:
            mailbox.fail_from_thread(error)

    def _check(self, lines: LineReader) -> None:
        """Refuse a line that sends other channels, from the first on, than were declared."""
        if lines.others and not lines.good and lines.alike >= _MOST_ALIKE:
            counts = " and counter=, so one more is expected" if self._counter else ""
            raise DataError(
                f"{self.name} sends lines of {lines.others} numbers, such as {lines.strange!r}; "
                f"{self._layout.n_channels} names were given{counts}."
            )

    def _deliver(
        self, mailbox: Mailbox, samples: NDArray[np.float32], arrived_s: float, first: int
    ) -> None:
        if len(samples) != self._layout.n_channels:
            raise DataError(
                f"{self.name} sends {len(samples)} channels; {self._layout.n_channels} names were "
                "given."
            )
        if samples.shape[1]:
            scaled = samples * self._factors[:, None]
            mailbox.put_from_thread(Chunk(scaled, None, arrived_s, first))
