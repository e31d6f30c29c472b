"""What is known about a recording besides muscle: length, gain, drift, hum, noise, device, person.

None of it should tell the label. Where it does, a model may have learned that instead of muscle,
and no held-out person would show it: everybody was recorded in the same way. The measures are
taken from the recordings as they were read, before any step of the pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.core.layout import MUSCLE_KINDS
from myograph.core.recording import Recording
from myograph.core.windows import WindowIndex
from myograph.pipeline.fanout import fan_out
from myograph.signal.spectrum import band_power, psd
from myograph.validate.probes import NAMES

__all__ = ["Nuisance", "measure_nuisance", "nuisance_of"]

Values = NDArray[np.float64]

_TINY = 1e-12
_MAINS_HZ = (50.0, 60.0)
_FRAME_S = 0.05


@dataclass(frozen=True, eq=False)
class Nuisance:
    """Families of numbers about windows that are not about muscle.

    Parameters
    ----------
    families : dict of str to ndarray, shape (n_windows, n_numbers)
        Keys of `myograph.validate.probes.NAMES`; only what was known and varied.
    unknown : dict of str to str
        Why the others cannot be asked.
    """

    families: dict[str, Values]
    unknown: dict[str, str]


def measure_nuisance(
    recordings: Sequence[Recording], index: WindowIndex, *, jobs: int = 1
) -> Nuisance:
    """Measure the recordings that windows were cut from.

    Where a recording shows several labels, every labelled stretch of it is measured by itself.

    Parameters
    ----------
    recordings : sequence of Recording
        In any order; read one by one.
    index : WindowIndex
    jobs : int
        Processes to share the recordings among.

    Raises
    ------
    DataError
        If windows come from a recording that is not among ``recordings``.
    """
    stretches, owner = _stretches(index)
    found: dict[int, dict[str, Values]] = {}
    arguments = ((recording, stretches) for recording in recordings)
    for numbers, each in fan_out(_one, arguments, jobs=jobs):
        found.update(dict(zip(numbers, each, strict=True)))
    missing = [number for number in range(len(stretches)) if number not in found]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(stretches)} stretches of windows come from recordings that "
            "were not given; give the recordings that the table was measured on."
        )
    families, unknown = {}, {}
    for name in NAMES:
        rows = [found[number].get(name) for number in range(len(stretches))]
        known = [row for row in rows if row is not None]
        if len(known) < len(rows):
            unknown[name] = f"unknown for {len(rows) - len(known)} of {len(rows)} stretches"
            continue
        values = _coded(known) if known[0].dtype.kind == "U" else np.stack(known)
        varied = np.ptp(values, axis=0) > _TINY
        if varied.any():
            families[name] = values[:, varied][owner]
        else:
            unknown[name] = "the same for all"
    return Nuisance(families, unknown)


@dataclass(frozen=True, slots=True)
class _Stretch:
    recording: str
    start_s: float
    stop_s: float


def _stretches(index: WindowIndex) -> tuple[list[_Stretch], NDArray[np.intp]]:
    """Return what is measured, and which of them each window belongs to."""
    cells = [index.recording, index.trial]
    if index.label.dtype.kind == "U":
        cells.append(index.label)
    keys = np.stack([np.unique(cell, return_inverse=True)[1] for cell in cells], axis=1)
    owner = np.ravel(np.unique(keys, axis=0, return_inverse=True)[1])
    first, last = np.full(owner.max() + 1, np.inf), np.full(owner.max() + 1, -np.inf)
    np.minimum.at(first, owner, index.start_s)
    np.maximum.at(last, owner, index.stop_s)
    where = np.unique(owner, return_index=True)[1]
    names = index.recording[where]
    return [
        _Stretch(str(name), float(start), float(stop))
        for name, start, stop in zip(names, first, last, strict=True)
    ], owner.astype(np.intp)


def _one(
    recording: Recording, stretches: Sequence[_Stretch]
) -> tuple[list[int], list[dict[str, Values]]]:
    digest = recording.source_digest
    mine = [k for k, stretch in enumerate(stretches) if stretch.recording == digest]
    rows = recording.layout.rows(kinds=MUSCLE_KINDS) or range(recording.n_channels)
    samples = np.asarray(recording.samples[list(rows)], dtype=np.float64)
    about = _about(recording)
    alone = len(mine) == 1
    measured = []
    for number in mine:
        first, last = 0, recording.n_samples
        if not alone:
            first = round((stretches[number].start_s - recording.start_s) * recording.fs_hz)
            last = round((stretches[number].stop_s - recording.start_s) * recording.fs_hz)
        measured.append({**about, **nuisance_of(samples[:, first:last], recording.fs_hz)})
    return mine, measured


def _about(recording: Recording) -> dict[str, Values]:
    """Return what the header says, nothing where it does not."""
    told: dict[str, Values] = {}
    subject = recording.subject
    texts = {
        "device": recording.device,
        "site": recording.site,
        "sex": subject.sex if subject else "",
    }
    for name, text in texts.items():
        if text:
            told[name] = np.array([text])
    if subject is not None and subject.age_years is not None:
        told["age"] = np.array([float(subject.age_years)])
    told["length"] = np.array([np.log10(recording.n_samples / recording.fs_hz)])
    return told


def nuisance_of(samples: Values, fs_hz: float) -> dict[str, Values]:
    """Measure samples (n_channels, n_samples); over channels, the mean of each number."""
    if samples.shape[1] < 4:
        return {}
    frequencies, density = psd(samples, fs_hz=fs_hz, segment_s=1.0)
    # Above 16 Hz: what lies below is the business of drift.
    loud = np.sqrt(band_power(frequencies, density, low_hz=16.0, high_hz=fs_hz))
    told = {
        "gain": [np.log10(loud + _TINY)],
        "drift": [
            np.abs(samples.mean(axis=1)) / (loud + _TINY),
            _log_power(frequencies, density, 0.0, 3.0),
            _log_power(frequencies, density, 3.0, 16.0),
        ],
        "hum": [
            _peak(frequencies, density, mains * k)
            for mains in _MAINS_HZ
            for k in (1, 3)
            if mains * k < 0.45 * fs_hz
        ],
        "noise-floor": [_floor(samples, fs_hz)],
    }
    return {
        name: np.array([each.mean() for each in parts]) for name, parts in told.items() if parts
    }


def _log_power(frequencies: Values, density: Values, low_hz: float, high_hz: float) -> Values:
    return np.log10(band_power(frequencies, density, low_hz=low_hz, high_hz=high_hz) + _TINY)


def _peak(frequencies: Values, density: Values, at_hz: float) -> Values:
    """Return how far a line stands above its surroundings, log10."""
    near = np.abs(frequencies - at_hz)
    line = density[:, near <= 1.5].max(axis=1, initial=0.0)
    around = np.median(density[:, (near > 3) & (near <= 10)], axis=1)
    return np.log10((line + _TINY) / (around + _TINY))


def _floor(samples: Values, fs_hz: float) -> Values:
    """Return the log10 of the quiet frames' deviation: the tenth centile of 50 ms frames."""
    steps = np.diff(samples, axis=1)  # drift is not noise
    length = max(2, min(round(_FRAME_S * fs_hz), steps.shape[1]))
    count = steps.shape[1] // length
    frames = steps[:, : count * length].reshape(len(steps), count, length).std(axis=2)
    return np.log10(np.percentile(frames, 10, axis=1) + _TINY)


def _coded(texts: Sequence[Values]) -> Values:
    """Return one column of 0 and 1 per text."""
    told = np.concatenate(texts)
    return (told[:, np.newaxis] == np.unique(told)).astype(np.float64)
