"""Material: what a report shows of the data beside the result itself, small enough to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from myograph.core.errors import FormatError
from myograph.core.recording import Event
from myograph.report.signals import Excerpt, Spectrum

__all__ = ["Material"]

FORMAT = 1


@dataclass(frozen=True)
class Material:
    """What is known of the data, and a few pictures' worth of it.

    Parameters
    ----------
    about : mapping
        Plain facts: ``name``, ``title``, ``simulated``, ``licence``, ``citation``, ``sources``,
        ``people``, ``tasks``, ``defects``, ``notes``, ``origin``, ``digest``, ``recordings``.
        Whatever is missing is not shown.
    excerpts : tuple of Excerpt
    spectra : tuple of Spectrum
    person_intervals : mapping of str to (low, high)
        Of the headline metric, by resampling whole repetitions of the person.
    command : str
        The one command that does it again.
    """

    about: Mapping[str, Any] = field(default_factory=dict)
    excerpts: tuple[Excerpt, ...] = ()
    spectra: tuple[Spectrum, ...] = ()
    person_intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    command: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the material as plain JSON-able data."""
        return {
            "format": FORMAT,
            "about": dict(self.about),
            "excerpts": [_excerpt_to_dict(e) for e in self.excerpts],
            "spectra": [_spectrum_to_dict(s) for s in self.spectra],
            "person_intervals": {k: list(v) for k, v in self.person_intervals.items()},
            "command": self.command,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Material:
        """Rebuild the material from what `to_dict` gave.

        Raises
        ------
        FormatError
            If the data are of another format or lack a field.
        """
        if data.get("format") != FORMAT:
            raise FormatError(
                f"Report material of format {data.get('format')!r} was given; this version of "
                f"Myograph reads format {FORMAT}."
            )
        try:
            return cls(
                about=data["about"],
                excerpts=tuple(_excerpt(e) for e in data["excerpts"]),
                spectra=tuple(_spectrum(s) for s in data["spectra"]),
                person_intervals={k: (v[0], v[1]) for k, v in data["person_intervals"].items()},
                command=data["command"],
            )
        except (KeyError, TypeError, IndexError) as error:
            raise FormatError(f"This is not whole report material: {error!r}.") from error


def _excerpt_to_dict(excerpt: Excerpt) -> dict[str, Any]:
    return {
        "title": excerpt.title,
        "names": list(excerpt.names),
        "units": list(excerpt.units),
        "samples": _rounded(excerpt.samples),
        "fs_hz": excerpt.fs_hz,
        "start_s": excerpt.start_s,
        "events": [event.to_dict() for event in excerpt.events],
    }


def _excerpt(data: Mapping[str, Any]) -> Excerpt:
    return Excerpt(
        title=data["title"],
        names=tuple(data["names"]),
        units=tuple(data["units"]),
        samples=np.array(data["samples"], dtype=np.float32),
        fs_hz=data["fs_hz"],
        start_s=data["start_s"],
        events=tuple(Event(**event) for event in data["events"]),
    )


def _spectrum_to_dict(spectrum: Spectrum) -> dict[str, Any]:
    return {
        "name": spectrum.name,
        "frequency_hz": _rounded(spectrum.frequency_hz),
        "power": _rounded(spectrum.power),
        "unit": spectrum.unit,
    }


def _spectrum(data: Mapping[str, Any]) -> Spectrum:
    return Spectrum(
        data["name"], np.array(data["frequency_hz"]), np.array(data["power"]), data["unit"]
    )


def _rounded(values: Any) -> list[Any]:
    """Return nested lists of numbers with five digits: a picture needs no more."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim > 1:
        return [_rounded(row) for row in array]
    return [float(f"{value:.5g}") for value in array]
