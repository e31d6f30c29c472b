"""Hurry: real-time priority, so that what else a machine does is mere load.

The kernel then gives a processor to whoever is hurried as soon as there is work, as the controller
of a prosthesis has one of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from myograph.core.checks import check_count
from myograph.core.errors import ParameterError

__all__ = ["PRIORITY", "hurried"]

#: Above every ordinary process, below what the kernel itself runs so.
PRIORITY = 40


@contextmanager
def hurried(priority: int = PRIORITY) -> Iterator[None]:
    """Run the block, in this thread, with real-time priority that no child inherits.

    Parameters
    ----------
    priority : int
        1 to 99; 0 changes nothing.

    Raises
    ------
    ParameterError
        If this system has no such thing, or does not allow it.

    Examples
    --------
    >>> with hurried(0):
    ...     pass
    """
    check_count(priority, name="priority", least=0)
    if not priority:
        yield
        return
    if not hasattr(os, "sched_setscheduler"):
        raise ParameterError("This system has no real-time priority for programs; do without.")
    before, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        raise ParameterError(
            f"Real-time priority {priority} is refused here ({error.strerror}); run as root, allow "
            "it with `ulimit -r` or CAP_SYS_NICE, or do without."
        ) from error
    try:
        yield
    finally:
        # The flag may be set by anybody, and taken back only by root: it stays.
        os.sched_setscheduler(0, before | os.SCHED_RESET_ON_FORK, parameter)
