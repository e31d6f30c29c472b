"""Measuring a cohort: the front over many recordings, in processes, with what is kept of before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from myograph.core.errors import DataError, LayoutError
from myograph.core.recording import Recording
from myograph.core.table import FeatureTable
from myograph.pipeline.fanout import fan_out
from myograph.pipeline.front import Front
from myograph.pipeline.kept import KeptTables

__all__ = ["Progress", "measure_all"]

#: Called with the recordings done and the recordings in all.
Progress = Callable[[int, int], None]


def measure_all(
    front: Front,
    recordings: Sequence[Recording],
    *,
    jobs: int = 1,
    progress: Progress | None = None,
    kept: KeptTables | None = None,
) -> FeatureTable:
    """Return the features of all labelled windows, in the order of the recordings.

    Parameters
    ----------
    front : Front
    recordings : sequence of Recording
    jobs : int
        Processes to share the recordings among.
    progress : callable, optional
        Called with (recordings done, recordings in all).
    kept : KeptTables, optional
        Tables of before: what is there is not measured again, and what is measured goes there.

    Raises
    ------
    DataError
        If there is no recording, or one gives no window.
    LayoutError
        If the recordings' windows differ in rate, channels or units.
    """
    if not len(recordings):
        raise DataError("There is nothing to prepare: no recording was given.")
    done: dict[int, FeatureTable] = {}
    told = 0

    def missing() -> Iterator[tuple[Front, int, str, Recording]]:
        for number, recording in enumerate(recordings):
            key = kept.key(front, recording) if kept is not None else ""
            table = kept.read(key) if kept is not None and key else None
            if table is None:
                yield front, number, key, recording
            else:
                done[number] = table

    for number, key, table in fan_out(_measure, missing(), jobs=jobs):
        done[number] = table
        if kept is not None and key:
            kept.write(key, table)
        if progress is not None:
            told = len(done)
            progress(told, len(recordings))
    if kept is not None:
        kept.trim()
    if progress is not None and told < len(recordings):  # the last ones were all there
        progress(len(done), len(recordings))
    tables = [done[number] for number in range(len(recordings))]
    for number, table in enumerate(tables):
        _same_layout(table, tables[0], number=number)
    return FeatureTable.concatenate(tables)


def _measure(
    front: Front, number: int, key: str, recording: Recording
) -> tuple[int, str, FeatureTable]:
    return number, key, front.measure(recording, labelled=True)


def _same_layout(table: FeatureTable, first: FeatureTable, *, number: int) -> None:
    wrong = table.layout.differences(first.layout)
    if wrong:
        raise LayoutError(
            f"Recording {number} (subject {str(table.index.subject[0])!r}) differs from the first. "
            + " ".join(wrong)
        )
