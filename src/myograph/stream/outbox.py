"""Outbox: messages are written down before they are sent, and sent when it works again.

A folder of numbered files, one message each, oldest first. A message is written beside its place
and moved there, so a power cut leaves whole messages or none. What does not fit is dropped from
the old end and counted: the disk never fills.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError
from myograph.stream.delivery import Delivery, UndeliveredError

__all__ = ["Outbox"]

_DAMAGED = ".damaged"


class Outbox:
    """Store and forward.

    Parameters
    ----------
    folder : path
        Its own; made when it is not there. What an earlier run left in it is sent first.
    delivery : Delivery
    most_bytes : int
        Messages on disk together; the oldest go when a new one does not fit.
    first_wait_s, longest_wait_s : float
        After a failure the next try comes after the first wait; each further failure doubles it,
        up to the longest.

    Examples
    --------
    >>> import tempfile
    >>> from myograph.stream.delivery import CallbackDelivery
    >>> seen = []
    >>> outbox = Outbox(tempfile.mkdtemp(), CallbackDelivery(seen.append))
    >>> outbox.put({"alert": "fatigue"})
    >>> outbox.flush(0.0), seen
    (1, [{'alert': 'fatigue'}])
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        delivery: Delivery,
        *,
        most_bytes: int = 4_000_000,
        first_wait_s: float = 5.0,
        longest_wait_s: float = 600.0,
    ) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._delivery = delivery
        self._most = check_count(most_bytes, name="most_bytes")
        self._first_s = check_positive(first_wait_s, name="first_wait_s")
        self._longest_s = check_positive(longest_wait_s, name="longest_wait_s")
        self._sizes = {int(path.stem): path.stat().st_size for path in self._files()}
        self._next = max(self._sizes, default=0) + 1
        self._wait_s = 0.0
        self._not_before_s = float("-inf")
        #: Messages that were given up for want of room.
        self.dropped = 0
        #: Why the last try failed; empty when it did not.
        self.trouble = ""

    def __len__(self) -> int:
        """Count the messages that wait."""
        return len(self._sizes)

    @property
    def n_bytes(self) -> int:
        """What they take on disk."""
        return sum(self._sizes.values())

    def put(self, message: Mapping[str, Any]) -> None:
        """Write a message down.

        Raises
        ------
        DataError
            If it is larger than the whole outbox, or is not plain data.
        """
        try:
            body = json.dumps(dict(message), allow_nan=False, sort_keys=True).encode()
        except (TypeError, ValueError) as error:
            raise DataError(f"A message must be plain JSON-able data; {error}.") from error
        if len(body) > self._most:
            raise DataError(
                f"A message of {len(body)} bytes is larger than the outbox ({self._most} bytes)."
            )
        while self._sizes and self.n_bytes + len(body) > self._most:
            self._remove(min(self._sizes))
            self.dropped += 1
        path = self._path(self._next)
        beside = path.with_suffix(".part")
        with beside.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        self._sizes[self._next] = len(body)
        self._next += 1

    def flush(self, time_s: float) -> int:
        """Send what waits, oldest first, until one fails; return how many were sent.

        Parameters
        ----------
        time_s : float
            Now, on any clock that does not go back; between tries after a failure it must pass
            the wait.
        """
        if time_s < self._not_before_s:
            return 0
        sent = 0
        for number in sorted(self._sizes):
            message = self._read(number)
            if message is None:
                continue
            try:
                self._delivery.send(message)
            except UndeliveredError as error:
                self.trouble = str(error)
                self._wait_s = min(max(2 * self._wait_s, self._first_s), self._longest_s)
                self._not_before_s = time_s + self._wait_s
                return sent
            self._remove(number)
            sent += 1
        self._wait_s, self.trouble = 0.0, ""
        return sent

    def _read(self, number: int) -> dict[str, Any] | None:
        """Return a message; a damaged one is put aside, for a person to look at."""
        path = self._path(number)
        try:
            message = json.loads(path.read_bytes())
            if not isinstance(message, dict):
                raise ValueError("not an object")
        except (OSError, ValueError):
            if path.exists():
                path.replace(path.with_suffix(_DAMAGED))
            self._sizes.pop(number, None)
            self.dropped += 1
            return None
        return message

    def _remove(self, number: int) -> None:
        self._path(number).unlink(missing_ok=True)
        self._sizes.pop(number, None)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:012d}.json"

    def _files(self) -> list[Path]:
        for left in self.folder.glob("*.part"):
            left.unlink(missing_ok=True)
        return [path for path in self.folder.glob("*.json") if path.stem.isdigit()]
