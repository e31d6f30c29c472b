"""One kind of registry for every family: steps, features, models, datasets, readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from myograph.core.checks import unknown_name
from myograph.core.errors import ParameterError

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Names and what they stand for; an unknown name lists the known ones.

    Parameters
    ----------
    what : str
        What the entries are, in the singular, for messages.

    Examples
    --------
    >>> shapes = Registry("shape")
    >>> shapes.add("square", 4)
    4
    >>> shapes["sqare"]
    Traceback (most recent call last):
    myograph.core.errors.ParameterError: shape must be one of ['square']; got 'sqare'. Did you ...
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> T:
        """Register ``entry`` under ``name``, once, and return it."""
        if name in self._entries:
            raise ParameterError(f"{self.what} {name!r} is registered twice; names are unique.")
        self._entries[name] = entry
        return entry

    def register(self, name: str) -> Callable[[T], T]:
        """Decorate an entry to register it under ``name``."""
        return lambda entry: self.add(name, entry)

    def __getitem__(self, name: str) -> T:
        """Return the entry called ``name``; an unknown name is a `ParameterError`."""
        if name not in self._entries:
            raise ParameterError(unknown_name(name, self._entries, what=self.what))
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        """Say whether ``name`` is registered."""
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names in the order of registration."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Count the entries."""
        return len(self._entries)
