"""Boards: whatever BrainFlow drives, one source for all of them."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from myograph.core.checks import unknown_name
from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import Layout
from myograph.core.optional import needs
from myograph.stream.declare import Declared, Described
from myograph.stream.mailbox import Mailbox
from myograph.stream.source import Chunk, Source, SourceLostError, SourceMissingError, now

__all__ = ["BoardSource"]

# BrainFlow tells nobody when samples are there: its buffer is looked at so often.
_LOOK_EVERY_S = 0.004


class BoardSource(Source):
    """Receives the muscle channels of a board that BrainFlow knows.

    Parameters
    ----------
    board : str
        Its number or its name, for example ``"SYNTHETIC_BOARD"`` or ``"CYTON_BOARD"``.
    parameters : mapping of str to str
        ``serial_port``, ``mac_address``, ``ip_address``, ...: what the board needs to be found.
    declared : Declared, optional
        Names of the channels; BrainFlow numbers them only.
    silence_s : float
        A board that says nothing for longer is lost.
    """

    timing = "stamped"
    tolerance_s = 0.2
    scheme = "brainflow"

    def __init__(
        self,
        board: str,
        *,
        parameters: Mapping[str, str] | None = None,
        declared: Declared | None = None,
        silence_s: float = 3.0,
    ) -> None:
        super().__init__(f"brainflow:{board}")
        self._board, self._parameters = board, dict(parameters or {})
        self._declared = declared or Declared()
        self._silence_s = silence_s
        self._shim: Any = None
        self._mailbox: Mailbox | None = None
        self._thread: threading.Thread | None = None
        self._leave = threading.Event()

    async def open(self, *, timeout_s: float) -> Layout:
        """Prepare the board and start its stream."""
        shim_type, params_type, board_id = self._known()
        params = params_type()
        for name, value in self._parameters.items():
            if not hasattr(params, name):
                known = [key for key in vars(params) if not key.startswith("_")]
                raise ParameterError(unknown_name(name, known, what="board parameter"))
            current = getattr(params, name)
            setattr(params, name, int(value) if isinstance(current, int) else value)
        with _its_library_found():
            shim_type.disable_board_logger()
        self._shim = shim_type(board_id, params)
        rows = _muscle_rows(shim_type, board_id, self.name)
        rate_hz = float(shim_type.get_sampling_rate(board_id))
        described = [Described(f"emg{k + 1}", "uV", "EMG") for k in range(len(rows))]
        layout, factors = self._declared.layout(described, fs_hz=rate_hz, where=self.name)
        await self._begin(timeout_s)
        stamps = int(shim_type.get_timestamp_channel(board_id))
        self._mailbox, self._leave = Mailbox(deliver=self.deliver), threading.Event()
        self._thread = threading.Thread(
            target=self._look,
            args=(self._shim, self._mailbox, self._leave, (rows, stamps, factors)),
            name=self.name,
            daemon=True,
        )
        self._thread.start()
        return layout

    async def read(self) -> Chunk | None:
        """Wait for the next samples."""
        if self._mailbox is None:
            raise SourceLostError(f"{self.name} is not open.")
        return await self._mailbox.get(silence_s=self._silence_s, name=self.name)

    async def close(self) -> None:
        """Stop the board."""
        self._leave.set()
        thread, self._thread = self._thread, None
        shim, self._shim = self._shim, None
        loop = asyncio.get_running_loop()
        if thread is not None:
            await loop.run_in_executor(None, thread.join)
        if shim is not None and shim.is_prepared():
            await loop.run_in_executor(None, shim.release_session)

    def _known(self) -> tuple[Any, Any, int]:
        flow = needs("brainflow.board_shim", to="read a board", extra="stream")
        names = {one.name: one.value for one in flow.BoardIds}
        if self._board.lstrip("-").isdigit() and int(self._board) in names.values():
            return flow.BoardShim, flow.BrainFlowInputParams, int(self._board)
        if self._board.upper() not in names:
            raise ParameterError(unknown_name(self._board, names, what="board"))
        return flow.BoardShim, flow.BrainFlowInputParams, names[self._board.upper()]

    async def _begin(self, timeout_s: float) -> None:
        flow = needs("brainflow.exit_codes", to="read a board", extra="stream")
        loop, begin = asyncio.get_running_loop(), now()
        while True:
            try:
                await loop.run_in_executor(None, self._shim.prepare_session)
                await loop.run_in_executor(None, self._shim.start_stream)
                return
            except flow.BrainFlowError as error:
                if now() - begin > timeout_s:
                    seen = f"BrainFlow says: {error}"
                    raise SourceMissingError(
                        f"{self.name} did not start within {timeout_s:g} s. {seen}; parameters "
                        f"given: {self._parameters or 'none'}; serial ports seen: "
                        f"{serial_ports()}."
                    ) from error
                await asyncio.sleep(0.2)

    def _look(
        self, shim: Any, mailbox: Mailbox, leave: threading.Event, places: tuple[Any, int, Any]
    ) -> None:
        rows, stamps, factors = places
        flow = needs("brainflow.exit_codes", to="read a board", extra="stream")
        try:
            while not leave.wait(_LOOK_EVERY_S):
                data = shim.get_board_data()
                if data.shape[1]:
                    samples = data[rows].astype(np.float32) * factors[:, None]
                    mailbox.put_from_thread(Chunk(samples, data[stamps], now()))
        except flow.BrainFlowError as error:
            mailbox.fail_from_thread(SourceLostError(f"{self.name} is lost: {error}."))


@contextmanager
def _its_library_found() -> Iterator[None]:
    """Let BrainFlow find its compiled library while it loads it.

    On Python 3.11, BrainFlow 5.23 asks pkg_resources, which setuptools 82 and later do not have.
    """
    if find_spec("pkg_resources") is not None:
        yield
        return
    stand_in = ModuleType("pkg_resources")
    stand_in.__dict__["resource_filename"] = lambda name, path: str(
        Path(sys.modules[name].__file__ or "").parent / path
    )
    sys.modules["pkg_resources"] = stand_in
    try:
        yield
    finally:
        del sys.modules["pkg_resources"]


def serial_ports() -> list[str]:
    """Return the serial ports of this machine."""
    tools = needs("serial.tools.list_ports", to="list serial ports", extra="stream")
    return sorted(port.device for port in tools.comports())


def _muscle_rows(shim_type: Any, board_id: int, where: str) -> list[int]:
    flow = needs("brainflow.exit_codes", to="read a board", extra="stream")
    try:
        return list(shim_type.get_emg_channels(board_id))
    except flow.BrainFlowError as error:
        raise LayoutError(f"{where} has no muscle channels; choose another board.") from error
