"""Every error Myograph raises, one class per thing the caller can do about it.

A message says what went wrong, where, the rule, what was given and the way out. ``exit_code`` is
what the command line returns for it.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "ArtifactError",
    "DataError",
    "FormatError",
    "LayoutError",
    "LeakageError",
    "MissingExtraError",
    "MyographError",
    "OutputExistsError",
    "ParameterError",
]


class MyographError(Exception):
    """Anything that Myograph refuses to do, with its reason."""

    exit_code: ClassVar[int] = 3


class ParameterError(MyographError, ValueError):
    """An argument, option or configuration value breaks its rule."""

    exit_code: ClassVar[int] = 2


class DataError(MyographError, ValueError):
    """The data cannot honestly be used as asked."""


class FormatError(DataError):
    """A file is damaged, or is not what it says it is."""


class LayoutError(DataError):
    """Rate, channels or units differ from what was expected."""


class LeakageError(DataError):
    """The same person, repetition or raw samples stand on both sides of a split."""


class ArtifactError(DataError):
    """A saved model was altered, is too new, or no longer gives its golden outputs."""


class OutputExistsError(MyographError, FileExistsError):
    """The output is already there, and overwriting was not asked for."""


class MissingExtraError(MyographError, ImportError):
    """An optional dependency is needed and not installed."""

    exit_code: ClassVar[int] = 4
