"""Read a recording from any file that Myograph knows."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Unpack

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.recording import Recording, RecordingSet
from myograph.io.formats import FORMATS, Format, sniff_format
from myograph.io.hints import Hints, ReadOptions
from myograph.io.track import Track

__all__ = ["read"]

# Options that only some formats take; an option without effect would be silently ignored.
_SPECIAL = frozenset({"fs_hz", "variable", "time_axis"})


def read(path: str | PathLike[str], **options: Unpack[ReadOptions]) -> Recording | RecordingSet:
    """Read a recording; the format is told from the file's bytes.

    Samples come back in the units of `myograph.core.layout.KIND_UNITS`. What a file leaves open
    (its rate, its unit, what a channel measures) is refused with the option that states it.

    Parameters
    ----------
    path : path
        A file, or the folder of a format that is one.
    **options
        See `myograph.io.hints.Hints`: ``fs_hz``, ``unit``, ``kinds``, ``channels``, ``start_s``,
        ``stop_s``, ``variable``, ``time_axis``, ``non_finite``, ``stray_events``.

    Returns
    -------
    Recording or RecordingSet
        A set when the file holds several rates.

    Raises
    ------
    DataError
        If the file does not exist, is damaged, or does not say enough.
    ParameterError
        If an option is unknown or has no meaning for the file's format.

    Examples
    --------
    >>> import myograph
    >>> myograph.read("forearm.csv", fs_hz=2000, unit="mV")  # doctest: +SKIP
    <Recording 8 channels x 20000 samples, 2000 Hz, 10 s, 0 events>
    """
    hints = Hints.of(options)
    source = Path(path)
    if not source.exists():
        raise DataError(f"{source} does not exist; give the path of a recording.")
    found = sniff_format(source)
    _check_options(found, hints)
    try:
        tracks = found.open(source, hints)
        return _load(tracks, hints)
    except OSError as error:
        raise DataError(f"{source} could not be read: {error}.") from error


def _check_options(found: Format, hints: Hints) -> None:
    for name in sorted(hints.given() & _SPECIAL):
        if name not in found.options:
            takers = [entry.title for entry in FORMATS.values() if name in entry.options]
            raise ParameterError(
                f"The option {name}= has no meaning for {found.title}, which says it itself; "
                f"it is for {', '.join(takers)}."
            )


def _load(tracks: tuple[Track, ...], hints: Hints) -> Recording | RecordingSet:
    if len(tracks) == 1 and not tracks[0].name:
        return tracks[0].load(hints)
    if hints.channels is None:
        return RecordingSet({track.name: track.load(hints) for track in tracks})
    return _load_chosen(tracks, hints, list(hints.channels))


def _load_chosen(tracks: tuple[Track, ...], hints: Hints, wanted: list[str]) -> RecordingSet:
    """Load from each track the channels it has; a track without any is left out."""
    loaded, left = {}, set(wanted)
    for track in tracks:
        own = {signal.name for signal in track.signals}
        mine = [name for name in wanted if name in own]
        if mine:
            loaded[track.name] = track.load(hints.only(mine))
            left -= own
    if left:
        known = sorted(signal.name for track in tracks for signal in track.signals)
        raise LayoutError(f"{tracks[0].path} has no channels {sorted(left)}; it has {known}.")
    return RecordingSet(loaded)
