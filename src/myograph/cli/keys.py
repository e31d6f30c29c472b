"""Keys: what is pressed at a terminal while something runs, without waiting for it."""

from __future__ import annotations

import os
import select
import sys
from types import TracebackType
from typing import Any, Self

__all__ = ["Keys"]


class Keys:
    """Reads single keys of a terminal while a block runs; anywhere else none is ever pressed.

    Parameters
    ----------
    file : int, optional
        Descriptor of the terminal; standard input when not given.

    Examples
    --------
    >>> with Keys(-1) as keys:
    ...     keys.works, keys.pressed()
    (False, '')
    """

    def __init__(self, file: int | None = None) -> None:
        self._file = _standard_input() if file is None else file
        self._before: Any = None

    @property
    def works(self) -> bool:
        """Whether keys can be read here."""
        return self._before is not None

    def __enter__(self) -> Self:
        try:
            import termios
            import tty

            if os.isatty(self._file):
                before = termios.tcgetattr(self._file)
                tty.setcbreak(self._file)
                self._before = before
        except (ImportError, OSError):  # a system without terminals of this kind
            self._before = None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace
        if self._before is not None:
            import termios

            termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)
            self._before = None

    def pressed(self) -> str:
        """Return the keys pressed since it was last asked; empty when there were none."""
        if self._before is None or not select.select([self._file], [], [], 0)[0]:
            return ""
        return os.read(self._file, 64).decode(errors="replace")


def _standard_input() -> int:
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):  # replaced, or closed
        return -1
