"""Recorder: everything that comes, on disk at once, readable whatever happens to the program."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import DataError, OutputExistsError
from myograph.core.layout import Layout
from myograph.core.recording import Event, Subject
from myograph.io.header import Header
from myograph.io.journal import block, opening, sample_block
from myograph.stream.answer import Answer, Notice
from myograph.stream.consumer import Consumer

__all__ = ["Recorder"]


class Recorder(Consumer):
    """Writes samples, decisions and notices to a journal (`myograph.io.journal`).

    Blocks are handed to the operating system by a thread of their own: killing the program loses
    at most ``flush_s`` of them, and a power cut about a second. `myograph.read` gives the file back
    as a `Recording`, what never came as gaps.

    Parameters
    ----------
    path : path
        Ends in ``.myolive`` by convention; must not exist.
    subject : Subject, optional
    session, device : str
        As in `Recording`.
    flush_s : float
        How often blocks go to the operating system.
    answers : bool
        Whether decisions are written too.

    Raises
    ------
    OutputExistsError
        If the file exists.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        subject: Subject | None = None,
        session: str = "",
        device: str = "",
        flush_s: float = 0.2,
        answers: bool = True,
    ) -> None:
        self.path = Path(path)
        if self.path.exists():
            raise OutputExistsError(f"{self.path} exists; a recording never overwrites another.")
        self._about = (subject, session, device)
        self._flush_s = check_positive(flush_s, name="flush_s")
        self._answers = answers
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._pending: list[bytes] = []
        self._thread: threading.Thread | None = None
        self._failure: OSError | None = None
        self._stopping = False
        #: Samples of the grid that were written.
        self.written = 0

    async def start(self, layout: Layout, classes: tuple[str, ...]) -> None:
        """Create the file and write its header."""
        subject, session, device = self._about
        header = Header(
            layout,
            0,
            subject=subject,
            session=session,
            device=device,
            started_at=datetime.now(UTC),
        )
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        _write_all(file, opening(header) + _note({"classes": list(classes)}))
        self._thread = threading.Thread(
            target=self._keep_writing, args=(file,), name=f"writes {self.path.name}", daemon=True
        )
        self._thread.start()

    def samples(self, first: int, samples: NDArray[np.float32]) -> None:
        """Write samples."""
        self._put(sample_block(first, samples))
        self.written += samples.shape[1]

    def take(self, answer: Answer) -> None:
        """Write a decision."""
        if self._answers:
            told = f'{{"answer": {answer.to_json(level=False)}}}'
            self._put(block(b"A", told.encode()))

    def hear(self, notice: Notice) -> None:
        """Write a notice."""
        self._put(_note({"notice": notice.to_dict()}))

    def mark(self, event: Event) -> None:
        """Write an event of the recording: a prompt, a label."""
        self._put(block(b"E", json.dumps(event.to_dict()).encode()))

    async def stop(self) -> None:
        """Write what is left and close the file."""
        if self._thread is None:
            return
        self._stopping = True
        self._wake.set()
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
        self._thread = None
        self._raise_failure()

    def _put(self, content: bytes) -> None:
        if self._failure is not None:
            self._raise_failure()
        with self._lock:
            self._pending.append(content)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise DataError(
                f"{self.path} cannot be written: {self._failure.strerror}. What was written before "
                "is whole."
            ) from self._failure

    def _keep_writing(self, file: int) -> None:
        rounds, sync_every = 0, max(1, round(1.0 / self._flush_s))
        try:
            while True:
                stopping = self._stopping
                with self._lock:
                    pending, self._pending = self._pending, []
                if pending:
                    _write_all(file, b"".join(pending))
                rounds += 1
                if stopping or rounds % sync_every == 0:
                    os.fdatasync(file)
                if stopping:
                    return
                self._wake.wait(self._flush_s)
        except OSError as error:
            self._failure = error
        finally:
            os.close(file)


def _note(content: dict[str, Any]) -> bytes:
    return block(b"A", json.dumps(content, allow_nan=False).encode())


def _write_all(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]
