"""Passport: what a recording knows besides its samples, carried through another tool.

The other tool keeps it as text and cannot read it. On the way back it is believed only where it
still fits: a channel by its name, a recipe only if the samples are the same as when they left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.layout import Channel
from myograph.core.recipe import Recipe
from myograph.core.recording import Recording
from myograph.io.header import Header, headers_from_text, headers_to_text

__all__ = ["KEY", "Passport", "join"]

#: Under this name the passport travels.
KEY = "myograph"


@dataclass(frozen=True, slots=True)
class Passport:
    """A header on its way through another tool.

    Parameters
    ----------
    header : Header
    digest : str
        sha256 of the samples when they left.
    """

    header: Header
    digest: str

    @classmethod
    def of(cls, recording: Recording) -> Passport:
        """Write the passport of ``recording``."""
        header = replace(Header.of(recording), source=recording.source_digest)
        return cls(header, _digest(recording))

    def to_text(self) -> str:
        """Return the passport as one line of ASCII text."""
        return f"{KEY} {self.digest} {headers_to_text({'': self.header})}"

    @classmethod
    def from_text(cls, text: object, *, where: str) -> Passport | None:
        """Read what `to_text` gave; None when the text is not a passport.

        Raises
        ------
        FormatError
            If it is a damaged one.
        """
        key, _, rest = str(text).partition(" ")
        if key != KEY:
            return None
        digest, _, headers = rest.partition(" ")
        return cls(next(iter(headers_from_text(headers, where=where).values())), digest)

    def channel(self, name: str) -> Channel | None:
        """Return the channel called ``name``, if it is known."""
        return next((c for c in self.header.layout.channels if c.name == name), None)

    def stamp(self, recording: Recording, *, changed_in: str) -> Recording:
        """Return what came back with its recipe.

        Samples that are no longer those that left carry a step that says where they were changed.
        """
        recipe = self.header.recipe
        if _digest(recording) != self.digest:
            recipe = replace(recipe, source=self.header.source).then("changed", {"in": changed_in})
        return replace(recording, recipe=recipe)


def join(header: Header, samples: NDArray[Any], **changes: Any) -> Recording:
    """Join samples, shape (n_channels, n_samples), with a header that has changed in parts."""
    new = replace(header, n_samples=int(np.shape(samples)[1]), recipe=Recipe(), **changes)
    return new.recording(samples)


def _digest(recording: Recording) -> str:
    return replace(recording, recipe=Recipe()).source_digest
