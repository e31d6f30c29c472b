"""Cut recordings into windows: which stretch, whose, and what it shows.

Windows lie on one grid that starts at the first sample of the recording, so that the windows cut
offline are those that a live stream of the same samples gives; labels only choose among them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_non_negative, check_positive
from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import KIND_UNITS, Layout
from myograph.core.recording import GAP, Event, Recording
from myograph.core.sliding import SlidingWindows
from myograph.core.windows import WindowIndex, Windows

__all__ = ["Windowing"]

# Events are placed to the nearest sample; neighbours that share one are not an overlap.
_SHARED_SAMPLES = 1


@dataclass(frozen=True)
class Windowing:
    """How a recording is cut into windows, and which of them count.

    Parameters
    ----------
    length_ms, step_ms : float
        Length of a window and distance between the starts of two, rounded to whole samples.
    label_sources : tuple of str
        The label of a window is that of the event it lies in, among events from these sources.
        Empty: every window counts, without a label.
    transition_ms : float
        This much at the start and at the end of every event belongs to nobody: reaction time,
        and moving back.
    rest : {"keep", "drop"}
        Whether windows of rest count.
    rest_labels : tuple of str
        What rest is called.
    min_coverage : float
        Share of a window, above 0 and at most 1, that must lie in one event (transitions taken
        off) for the window to bear its label. Others are left out.
    target_kind : str
        Kind of the one channel (for example ``"force"``) whose mean over the window is the number
        to estimate, in place of a class label. That channel is not part of the windows.

    Notes
    -----
    Windows that touch an event labelled ``"gap"`` never count.

    Examples
    --------
    >>> windowing = Windowing(length_ms=250, step_ms=50, label_sources=())
    >>> windowing.n_samples(fs_hz=1000)
    (250, 50)
    """

    length_ms: float
    step_ms: float
    label_sources: tuple[str, ...] = ("protocol",)
    transition_ms: float = 0.0
    rest: str = "keep"
    rest_labels: tuple[str, ...] = ("rest",)
    min_coverage: float = 1.0
    target_kind: str = ""

    def __post_init__(self) -> None:
        check_positive(self.length_ms, name="length_ms")
        check_positive(self.step_ms, name="step_ms")
        check_non_negative(self.transition_ms, name="transition_ms")
        check_choice(self.rest, ("keep", "drop"), name="rest")
        if check_positive(self.min_coverage, name="min_coverage") > 1:
            raise ParameterError(f"min_coverage must be at most 1; got {self.min_coverage!r}.")
        check_choice(self.target_kind, ("", *KIND_UNITS), name="target_kind")
        for name in ("label_sources", "rest_labels"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise ParameterError(f"{name} must be a list of texts; got {value!r}.")
            object.__setattr__(self, name, tuple(value))

    def n_samples(self, *, fs_hz: float) -> tuple[int, int]:
        """Return length and step in samples at this rate."""
        length, step = round(self.length_ms * fs_hz / 1000), round(self.step_ms * fs_hz / 1000)
        for name, given, samples in (
            ("length_ms", self.length_ms, length),
            ("step_ms", self.step_ms, step),
        ):
            if samples < 1:
                raise ParameterError(
                    f"{name}={given:g} ms is shorter than one sample at {fs_hz:g} Hz "
                    f"({1000 / fs_hz:g} ms)."
                )
        return length, step

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain data."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def output_layout(self, layout: Layout) -> Layout:
        """Return the layout of the windows: without the channel that is the target."""
        rows = self._inputs(layout)
        return layout if len(rows) == layout.n_channels else layout.take(rows)

    def cut(self, recording: Recording, *, labelled: bool = True) -> Windows:
        """Cut ``recording`` into the windows that count.

        Parameters
        ----------
        recording : Recording
        labelled : bool
            False: every window that touches no gap, with an empty label, as a live stream gives
            them, whatever ``label_sources``, ``rest`` and ``target_kind`` say.

        Returns
        -------
        Windows
            A view of the recording when the windows that count follow each other evenly, otherwise
            a copy. There may be none, for example when the recording is shorter than a window.

        Raises
        ------
        DataError
            If the recording has no event from ``label_sources``, or two of them overlap.
        LayoutError
            If there is not exactly one channel of the kind ``target_kind``.
        """
        length, step = self.n_samples(fs_hz=recording.fs_hz)
        count = max(0, (recording.n_samples - length) // step + 1)
        firsts = np.arange(count, dtype=np.int64) * step
        keep = ~_touching_gaps(recording, firsts, length)
        owner = np.full(count, -1)
        events: list[Event] = []
        if labelled and self.label_sources:
            events = self._label_events(recording)
            owner = self._owners(recording, events, firsts, length)
            keep &= owner >= 0
        rows = np.flatnonzero(keep)
        target = self._target(recording, firsts[rows], length) if labelled else None
        index = _index(recording, firsts[rows], length, events, owner[rows], target)
        grid = _grid(self._input_samples(recording), length, step)
        return Windows(
            _take(grid, rows),
            index,
            self.output_layout(recording.layout),
            self._recipe(recording),
            "" if target is None else self._target_unit(recording),
        )

    def _target_unit(self, recording: Recording) -> str:
        (row,) = recording.layout.rows(kinds=(self.target_kind,))
        return recording.layout.units[row]

    def start(self, layout: Layout) -> SlidingWindows:
        """Return a fresh state that cuts pushed chunks into the windows of `cut`, labels aside."""
        length, step = self.n_samples(fs_hz=layout.fs_hz)
        inputs = self._inputs(layout)
        return SlidingWindows(layout.n_channels, length=length, step=step, inputs=inputs)

    def _recipe(self, recording: Recording) -> Any:
        source = replace(recording.recipe, source=recording.source_digest)
        return source.then("windowing", self.to_dict())

    def _inputs(self, layout: Layout) -> tuple[int, ...]:
        rows = tuple(i for i, c in enumerate(layout.channels) if c.kind != self.target_kind)
        if not rows:
            raise LayoutError(
                f"All channels are of kind {self.target_kind!r}, the target; "
                "windows need at least one other channel."
            )
        return rows

    def _input_samples(self, recording: Recording) -> NDArray[np.float32]:
        rows = self._inputs(recording.layout)
        if len(rows) == recording.n_channels:
            return recording.samples
        return recording.samples[list(rows)]

    def _label_events(self, recording: Recording) -> list[Event]:
        events = [
            event
            for event in recording.events
            if event.source in self.label_sources and event.duration_s > 0 and event.label != GAP
        ]
        if not events:
            present = sorted({event.source for event in recording.events})
            raise DataError(
                f"{recording!r} has no lasting event from label_sources="
                f"{list(self.label_sources)}; its events come from {present}. Name one of those, "
                "or give label_sources=() to cut windows without labels."
            )
        return events

    def _owners(
        self, recording: Recording, events: list[Event], firsts: NDArray[np.int64], length: int
    ) -> NDArray[np.int64]:
        """Return, for each window, the number of the event it lies in, or -1."""
        spans = np.array([_span(recording, event) for event in events])
        _refuse_overlap(events, spans)
        trim = round(self.transition_ms * recording.fs_hz / 1000)
        needed = self.min_coverage * length - 1e-9
        owner = np.full(len(firsts), -1, dtype=np.int64)
        best = np.zeros(len(firsts))
        for number, (begin, end) in enumerate(spans):
            if self.rest == "drop" and events[number].label in self.rest_labels:
                continue
            near = slice(*np.searchsorted(firsts, [begin - length, end]))
            covered = np.minimum(firsts[near] + length, end - trim)
            covered -= np.maximum(firsts[near], begin + trim)
            won = (covered >= needed) & (covered > best[near])
            owner[near][won] = number
            best[near][won] = covered[won]
        return owner

    def _target(
        self, recording: Recording, firsts: NDArray[np.int64], length: int
    ) -> NDArray[np.float64] | None:
        if not self.target_kind:
            return None
        rows = recording.layout.rows(kinds=(self.target_kind,))
        if len(rows) != 1:
            names = [recording.layout.names[row] for row in rows]
            raise LayoutError(
                f"target_kind={self.target_kind!r} needs exactly one channel of that kind; "
                f"{recording!r} has {len(rows)} {names}. Select one first."
            )
        signal = recording.samples[rows[0]]
        if len(firsts) == 0:
            return np.empty(0)
        return sliding_window_view(signal, length)[firsts].mean(axis=1, dtype=np.float64)


def _grid(samples: NDArray[np.float32], length: int, step: int) -> NDArray[np.float32]:
    """View ``samples`` as all windows on the grid, shape (n_windows, n_channels, length)."""
    if samples.shape[1] < length:
        return np.empty((0, len(samples), length), dtype=np.float32)
    return sliding_window_view(samples, length, axis=1)[:, ::step].transpose(1, 0, 2)


def _take(grid: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Take rows of the grid, as a view when they follow each other evenly."""
    if len(rows) == 0:
        return grid[:0]
    strides = np.unique(np.diff(rows))
    if len(strides) > 1:
        return grid[rows]
    stride = int(strides[0]) if len(strides) else 1
    return grid[rows[0] : rows[-1] + 1 : stride]


def _span(recording: Recording, event: Event) -> tuple[int, int]:
    first = round((event.onset_s - recording.start_s) * recording.fs_hz)
    return first, round((event.end_s - recording.start_s) * recording.fs_hz)


def _refuse_overlap(events: list[Event], spans: NDArray[np.int64]) -> None:
    # Events are sorted by onset: what overlaps anything overlaps the farthest end so far.
    for i in range(1, len(events)):
        before = int(np.argmax(spans[:i, 1]))
        if spans[before, 1] - spans[i, 0] > _SHARED_SAMPLES:
            raise DataError(
                f"Events {events[before].label!r} ({events[before].onset_s:g}-"
                f"{events[before].end_s:g} s) and {events[i].label!r} ({events[i].onset_s:g}-"
                f"{events[i].end_s:g} s) overlap, and a window has one label; "
                "choose label_sources so that only one of them counts."
            )


def _touching_gaps(
    recording: Recording, firsts: NDArray[np.int64], length: int
) -> NDArray[np.bool_]:
    touching = np.zeros(len(firsts), dtype=np.bool_)
    for event in recording.events:
        if event.label != GAP:
            continue
        # Outwards to whole samples, but not by a whole one for a rounding error.
        begin = np.floor((event.onset_s - recording.start_s) * recording.fs_hz + 1e-6)
        end = np.ceil((event.end_s - recording.start_s) * recording.fs_hz - 1e-6)
        touching |= (firsts < end) & (firsts + length > begin)
    return touching


def _index(
    recording: Recording,
    firsts: NDArray[np.int64],
    length: int,
    events: list[Event],
    owner: NDArray[np.int64],
    target: NDArray[np.float64] | None,
) -> WindowIndex:
    labels: Any = target
    if labels is None:
        labels = _texts((event.label for event in events), owner)
    return WindowIndex.of(
        len(firsts),
        subject=recording.subject.pseudonym if recording.subject else "",
        session=recording.session,
        trial=_texts((event.trial for event in events), owner),
        site=recording.site,
        recording=recording.source_digest,
        start_s=recording.start_s + firsts / recording.fs_hz,
        stop_s=recording.start_s + (firsts + length) / recording.fs_hz,
        label=labels,
    )


def _texts(values: Iterable[str], owner: NDArray[np.int64]) -> NDArray[np.str_]:
    # Windows without an owner (-1) take the last entry: an empty text.
    return np.array([*values, ""], dtype=np.str_)[owner]
