"""Fanning out: the same work in this process, in several, or on a cluster, as joblib is set.

Every fan-out over recordings, folds, people and trials passes here, so a cluster is a setting
(`joblib.parallel_config`) and not a second way through the code. What is fanned out does not fan
out again: a task runs alone where it lands.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import joblib

__all__ = ["fan_out"]

T = TypeVar("T")


def fan_out(
    function: Callable[..., T],
    arguments: Iterable[tuple[Any, ...]],
    *,
    jobs: int = 1,
    in_order: bool = True,
) -> Iterator[T]:
    """Yield ``function(*each)`` for each of ``arguments``.

    Parameters
    ----------
    function : callable
        Of a module, so that another process finds it.
    arguments : iterable of tuple
        Read as workers become free.
    jobs : int
        Processes; -1 for as many as there are cores. A cluster uses all it has.
    in_order : bool
        False: each result as soon as it is there.

    Examples
    --------
    >>> list(fan_out(max, [(1, 2), (4, 3)]))
    [2, 4]
    """
    kind = "generator" if in_order else "generator_unordered"
    _allow_replaced_workers()
    parallel = joblib.Parallel(n_jobs=jobs, return_as=kind)
    yield from parallel(joblib.delayed(_alone)(function, *each) for each in arguments)


def _allow_replaced_workers() -> None:
    """Let joblib replace a worker that has grown, even where warnings are errors.

    It warns of the replacement in the thread that hands out the work. As an error the warning
    ends that thread, and whoever waits for the results then waits for ever.
    """
    warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)


def _alone(function: Callable[..., T], *arguments: Any) -> T:
    with joblib.parallel_config(backend="sequential"):
        return function(*arguments)
