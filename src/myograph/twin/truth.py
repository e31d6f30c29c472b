"""The truth behind a simulated recording: what a measurement of it should find."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_non_negative
from myograph.core.errors import FormatError, OutputExistsError, ParameterError
from myograph.core.recording import Event
from myograph.twin.discharge import Discharges

__all__ = ["Truth"]

Array = NDArray[Any]
FORMAT = "myograph-truth-1"


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Everything that was put into a simulated recording.

    Parameters
    ----------
    duration_s : float
    discharges : mapping of muscle to Discharges
    muaps : mapping of muscle to ndarray, shape (n_units, n_channels, n_samples)
        Motor-unit action potentials as the electrodes see them, µV.
    muap_fs_hz : float
        Rate of ``muaps``; 0 when there are none.
    muap_onset_sample : int
        Sample of ``muaps`` at which the discharge happens.
    events : tuple of Event
        Onsets, gestures, steps, spontaneous activity.
    forces : mapping of muscle to ndarray, shape (n_t,)
        Newtons.
    force_fs_hz : float
    contaminations : mapping of str to ndarray
        What was added to the signal, µV, each on its own.
    labels : mapping of str to JSON-able values
        Condition, severity, parameters, seed, sites, ...

    Examples
    --------
    >>> truth = Truth(duration_s=2.0, labels={"condition": "healthy"})
    >>> truth.labels["condition"]
    'healthy'
    """

    duration_s: float
    discharges: Mapping[str, Discharges] = field(default_factory=dict)
    muaps: Mapping[str, Array] = field(default_factory=dict)
    muap_fs_hz: float = 0.0
    muap_onset_sample: int = 0
    events: tuple[Event, ...] = ()
    forces: Mapping[str, Array] = field(default_factory=dict)
    force_fs_hz: float = 0.0
    contaminations: Mapping[str, Array] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_non_negative(self.duration_s, name="duration_s")
        for name in ("discharges", "muaps", "forces", "contaminations", "labels"):
            object.__setattr__(self, name, dict(getattr(self, name)))
        object.__setattr__(self, "events", tuple(sorted(self.events)))
        for name, rate in (("muaps", self.muap_fs_hz), ("forces", self.force_fs_hz)):
            if getattr(self, name) and rate <= 0:
                raise ParameterError(f"Truth with {name} needs their sampling rate; got {rate!r}.")

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> tuple[Path, Path]:
        """Write ``path``.npz (arrays) and ``path``.json (everything else) and return both.

        Raises
        ------
        OutputExistsError
            If either is there already and ``force`` is not given.
        """
        stem = Path(path)
        files = stem.with_name(stem.name + ".npz"), stem.with_name(stem.name + ".json")
        for file in files:
            if file.exists() and not force:
                raise OutputExistsError(f"{file} exists already; pass force=True to replace it.")
        arrays, header = self._to_arrays()
        text = json.dumps(header, indent=1)
        parts = [file.with_name(f".{file.name}.part") for file in files]
        try:
            with parts[0].open("wb") as handle:
                np.savez_compressed(handle, allow_pickle=False, **arrays)
            parts[1].write_text(text, encoding="utf-8")
            for part, file in zip(parts, files, strict=True):
                part.replace(file)
        finally:
            for part in parts:
                part.unlink(missing_ok=True)
        return files

    def _to_arrays(self) -> tuple[dict[str, Array], dict[str, Any]]:
        arrays: dict[str, Array] = {}
        counts: dict[str, int] = {}
        for muscle, found in self.discharges.items():
            arrays[f"discharges/{muscle}/unit"], arrays[f"discharges/{muscle}/time_s"] = found.flat
            counts[muscle] = found.n_units
        for kind in ("muaps", "forces", "contaminations"):
            arrays |= {f"{kind}/{name}": np.asarray(v) for name, v in getattr(self, kind).items()}
        header = {
            "format": FORMAT,
            "duration_s": self.duration_s,
            "n_units": counts,
            "muap_fs_hz": self.muap_fs_hz,
            "muap_onset_sample": self.muap_onset_sample,
            "force_fs_hz": self.force_fs_hz,
            "events": [event.to_dict() for event in self.events],
            "labels": dict(self.labels),
        }
        return arrays, header

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Truth:
        """Read what `save` wrote; ``path`` is the one given there.

        Raises
        ------
        FormatError
            If one of the two files is missing or damaged, or they are no ground truth.
        """
        stem = Path(path)
        try:
            text = stem.with_name(stem.name + ".json").read_text(encoding="utf-8")
            header = json.loads(text)
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                found = header.get("format") if isinstance(header, dict) else header
                raise FormatError(f"{stem}.json is not {FORMAT}; got {found!r}.")
            with np.load(stem.with_name(stem.name + ".npz"), allow_pickle=False) as data:
                arrays = {name: data[name] for name in data.files}
        except FileNotFoundError as error:
            raise FormatError(
                f"There is no ground truth at {stem}: {error.filename} is missing. It is two "
                "files, NAME.json and NAME.npz; give their place without the ending."
            ) from error
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"The ground truth at {stem} is damaged: {error}.") from error
        return cls(
            duration_s=header["duration_s"],
            discharges={m: _discharges(arrays, m, header) for m in header["n_units"]},
            muaps=_group(arrays, "muaps"),
            muap_fs_hz=header["muap_fs_hz"],
            muap_onset_sample=header["muap_onset_sample"],
            events=tuple(Event(**event) for event in header["events"]),
            forces=_group(arrays, "forces"),
            force_fs_hz=header["force_fs_hz"],
            contaminations=_group(arrays, "contaminations"),
            labels=header["labels"],
        )


def _group(arrays: dict[str, Array], kind: str) -> dict[str, Array]:
    return {n.split("/", 1)[1]: v for n, v in arrays.items() if n.startswith(f"{kind}/")}


def _discharges(arrays: dict[str, Array], muscle: str, header: dict[str, Any]) -> Discharges:
    unit = arrays[f"discharges/{muscle}/unit"]
    time_s = arrays[f"discharges/{muscle}/time_s"]
    return Discharges.from_flat(
        unit, time_s, n_units=header["n_units"][muscle], duration_s=header["duration_s"]
    )
