"""Look at recordings: what is in a file, what is wrong with it, how good it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from myograph.core.errors import DataError, MyographError
from myograph.core.layout import BIOPOTENTIALS
from myograph.core.recording import GAP, Recording, RecordingSet

if TYPE_CHECKING:
    from myograph.io.hints import ReadOptions
    from myograph.preprocess.quality import QualityReport

__all__ = ["Description", "FileReport", "Inspection", "Remark", "describe", "inspect", "quality"]

# A stretch without any change that is this long is worth a remark.
_FLAT_S = 0.5

Told = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about a recording that a person should know before using it."""

    what: str
    channels: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Description:
    """What one recording holds, as plain facts.

    Parameters
    ----------
    name : str
        Of the member when a file holds several rates.
    channels : tuple of dict
        As `Channel.to_dict` gives them, with their ``unit``.
    fs_hz, duration_s, start_s : float
    n_samples : int
    subject : dict or None
    session, site, device, started_at : str
        Empty when unknown.
    events : dict of str to (int, float)
        Label: how often, and how many seconds in all.
    trials : int
        Distinct repetitions that the events name.
    history : str
        What was done to the samples.
    digest : str
        Of the samples as they were read.
    remarks : tuple of Remark
    """

    name: str
    channels: tuple[dict[str, Any], ...]
    fs_hz: float
    duration_s: float
    start_s: float
    n_samples: int
    subject: dict[str, Any] | None
    session: str
    site: str
    device: str
    started_at: str
    events: dict[str, tuple[int, float]]
    trials: int
    history: str
    digest: str
    remarks: tuple[Remark, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the description as plain JSON-able data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file: its format and what it holds, or why it could not be read."""

    path: Path
    format: str
    recordings: tuple[Description, ...] = ()
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON-able data."""
        return {
            "file": str(self.path),
            "format": self.format,
            "recordings": [recording.to_dict() for recording in self.recordings],
            **({"error": self.error} if self.error else {}),
        }


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in some files.

    Parameters
    ----------
    files : tuple of FileReport
    duplicates : tuple of tuple of str
        Files that hold the same samples.
    """

    files: tuple[FileReport, ...]
    duplicates: tuple[tuple[str, ...], ...] = ()

    @property
    def failed(self) -> tuple[FileReport, ...]:
        """The files that could not be read."""
        return tuple(file for file in self.files if file.error)

    def to_dict(self) -> dict[str, Any]:
        """Return what was found as plain JSON-able data."""
        return {
            "files": [file.to_dict() for file in self.files],
            "duplicates": [list(group) for group in self.duplicates],
        }


def inspect(
    paths: Sequence[str | PathLike[str]],
    *,
    progress: Told | None = None,
    **options: Unpack[ReadOptions],
) -> Inspection:
    """Read files, and say what is in them and what is wrong with them.

    Parameters
    ----------
    paths : sequence of path
        Files or folders; a folder stands for every file below it.
    progress : callable, optional
        Called with (files done, files in all, the newest file).
    **options
        As for `myograph.read`.

    Raises
    ------
    MyographError
        If the only file asked for cannot be read. Among several, each failure is in its report.
    """
    from myograph.signal.defects import equal_groups

    given = [Path(path) for path in paths]
    files = list(_files(given))
    alone = len(files) == 1 and files == given
    reports = []
    for number, path in enumerate(files, start=1):
        reports.append(_report(path, options, alone=alone))
        if progress is not None:
            progress(number, len(files), path.name)
    digests = {
        f"{report.path}{f':{recording.name}' if recording.name else ''}": recording.digest
        for report in reports
        for recording in report.recordings
    }
    return Inspection(tuple(reports), tuple(equal_groups(digests)))


def describe(recording: Recording, *, name: str = "") -> Description:
    """Describe one recording, defects included."""
    counts = Counter(event.label for event in recording.events)
    lasting = {
        label: float(sum(e.duration_s for e in recording.events if e.label == label))
        for label in counts
    }
    channels = [{**c.to_dict(), "unit": c.unit} for c in recording.layout.channels]
    return Description(
        name=name,
        channels=tuple(channels),
        fs_hz=recording.fs_hz,
        duration_s=recording.duration_s,
        start_s=recording.start_s,
        n_samples=recording.n_samples,
        subject=recording.subject.to_dict() if recording.subject else None,
        session=recording.session,
        site=recording.site,
        device=recording.device,
        started_at=recording.started_at.isoformat() if recording.started_at else "",
        events={label: (n, round(lasting[label], 6)) for label, n in counts.items()},
        trials=len({e.trial for e in recording.events if e.trial}),
        history=str(recording.recipe),
        digest=recording.source_digest,
        remarks=tuple(_remarks(recording)),
    )


def quality(
    path: str | PathLike[str], **options: Unpack[ReadOptions]
) -> dict[str, tuple[Recording, QualityReport]]:
    """Grade the muscle channels of every recording in a file.

    Returns
    -------
    dict
        Member (empty for a lone recording) to the recording and its report.

    Raises
    ------
    DataError
        If the file holds no muscle channel.
    """
    from myograph.core.layout import MUSCLE_KINDS
    from myograph.preprocess.quality import assess

    members = members_of(_read(Path(path), options))
    graded = {
        name: (recording, assess(recording))
        for name, recording in members.items()
        if recording.layout.rows(kinds=MUSCLE_KINDS)
    }
    if not graded:
        kinds = sorted({c.kind for r in members.values() for c in r.layout.channels})
        raise DataError(
            f"{path} holds no muscle channel (its kinds: {kinds}); if one of them is, say so with "
            "--kinds."
        )
    return graded


def members_of(read: Recording | RecordingSet) -> dict[str, Recording]:
    """Return recordings by member name; a lone recording is called ''."""
    if isinstance(read, Recording):
        return {"": read}
    return {name: read[name] for name in read}


def _read(path: Path, options: ReadOptions) -> Recording | RecordingSet:
    from myograph.io import read

    return read(path, **options)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    from myograph.io.formats import sniff_format

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        try:
            sniff_format(path)  # a format may be a folder itself
        except MyographError:
            found = [p for p in sorted(path.rglob("*")) if p.is_file() and not _hidden(p, path)]
            if not found:
                raise DataError(f"{path} holds no files.") from None
            yield from found
        else:
            yield path


def _hidden(path: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(below).parts)


def _report(path: Path, options: ReadOptions, *, alone: bool) -> FileReport:
    from myograph.io.formats import sniff_format

    try:
        if not path.exists():
            raise DataError(f"{path} does not exist; give the path of a recording.")
        title = sniff_format(path).title
        members = members_of(_read(path, options))
        found = tuple(describe(recording, name=name) for name, recording in members.items())
    except MyographError as error:
        if alone:
            raise
        return FileReport(path, "", error=str(error))
    return FileReport(path, title, found)


def _remarks(recording: Recording) -> Iterator[Remark]:
    from myograph.signal.defects import clipped, flat_stretches, hold, similar_channels

    names = recording.layout.names
    rows = recording.layout.rows(kinds=BIOPOTENTIALS)
    gaps = [event for event in recording.events if event.label == GAP]
    if gaps:
        lost_s = sum(event.duration_s for event in gaps)
        yield Remark("gap", (), f"{len(gaps)} gaps, {lost_s:.3g} s in all, were never measured")
    if rows:
        held = hold(recording.samples[list(rows)])
        if held.held:
            yield Remark(
                "sample-and-hold",
                tuple(names[row] for row in rows),
                f"{100 * held.repeated:.0f} % of the samples repeat the one before: stored at "
                f"{recording.fs_hz:g} Hz, new values arrive at about "
                f"{held.true_rate_hz(recording.fs_hz):.0f} Hz",
            )
        for i, j, r in similar_channels(recording.samples[list(rows)]):
            pair = (names[rows[i]], names[rows[j]])
            yield Remark("same signal", pair, f"correlation {r:.4f}: bridged or copied")
    measured = [k for k, c in enumerate(recording.layout.channels) if c.kind != "trigger"]
    if not measured:
        return
    samples = recording.samples[measured]
    at_rail = clipped(samples).mean(axis=1)
    still = flat_stretches(samples, min_samples=max(2, round(_FLAT_S * recording.fs_hz)))
    constant = np.ptp(samples, axis=1) == 0
    for k, row in enumerate(measured):
        if constant[k]:
            yield Remark("flat", (names[row],), f"does not change: {samples[k, 0]:g} throughout")
            continue
        if at_rail[k] > 0:
            text = f"{100 * at_rail[k]:.2g} % of the samples are at the rail"
            yield Remark("clipping", (names[row],), text)
        if still[k].any():
            lost_s = still[k].sum() / recording.fs_hz
            yield Remark("flat", (names[row],), f"{lost_s:.3g} s without any change")
