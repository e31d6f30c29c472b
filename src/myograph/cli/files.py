"""``myograph info``, ``quality`` and ``convert``: verbs about files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myograph.cli.options import Force, Json, name_list, verb
from myograph.core.errors import MyographError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from myograph.io.hints import ReadOptions
    from myograph.preprocess.quality import QualityReport
    from myograph.workflows.inspect import Description, FileReport

__all__ = ["add_to", "one_or_each", "read_options"]

Rate = Annotated[
    float | None, typer.Option("--rate", help="Sampling rate in Hz, where the file has none.")
]
Unit = Annotated[
    list[str] | None,
    typer.Option("--unit", help="Unit as stored: mV for all channels, or 'emg*=mV' for some."),
]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kinds", help="What channels measure: semg for all, or 'emg*=semg' for some."),
]
Channels = Annotated[
    str | None, typer.Option("--channels", help="Only these channels, joined by commas.")
]
Variable = Annotated[
    str | None, typer.Option("--variable", help="Which array of a MAT or NPZ file.")
]
Start = Annotated[float | None, typer.Option("--start", help="From this second on.")]
Stop = Annotated[float | None, typer.Option("--stop", help="Up to this second.")]
Gaps = Annotated[
    bool, typer.Option("--gaps", help="Declare NaN and infinite samples a gap, not an error.")
]

TimeAxis = Annotated[
    int | None, typer.Option("--time-axis", help="0 or 1: along which axis of an array time runs.")
]
Stray = Annotated[
    bool, typer.Option("--drop-stray-events", help="Drop events outside the samples.")
]

_FLAGS = {
    "fs_hz=": "--rate",
    "unit=": "--unit",
    "kinds=": "--kinds",
    "channels=": "--channels",
    "variable=": "--variable",
    "time_axis=": "--time-axis",
    "start_s=": "--start",
    "stop_s=": "--stop",
    "non_finite='gap'": "--gaps",
    "stray_events='drop'": "--drop-stray-events",
    "force=True (--force)": "--force",
}
_OPTION = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, _FLAGS))})")

_SHOWN_CHANNELS = 16
# More files than this are a table, one line each.
_SHOWN_FILES = 3


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    verb(
        app,
        "info",
        info,
        "myograph info forearm.edf",
        "myograph info forearm.csv --rate 2000 --unit mV",
        "myograph info recordings/ --json",
    )
    verb(
        app,
        "quality",
        quality,
        "myograph quality forearm.edf",
        "myograph quality forearm.edf --picture quality.png",
    )
    verb(
        app,
        "convert",
        convert,
        "myograph convert forearm.edf forearm.myo",
        "myograph convert forearm.csv forearm.edf --rate 2000 --unit mV",
    )


def info(
    files: Annotated[list[Path], typer.Argument(help="Files, or folders of them.")],
    rate: Rate = None,
    unit: Unit = None,
    kinds: Kinds = None,
    channels: Channels = None,
    variable: Variable = None,
    start: Start = None,
    stop: Stop = None,
    gaps: Gaps = False,
    time_axis: TimeAxis = None,
    drop_stray_events: Stray = False,
    json: Json = False,
) -> None:
    """Say what is in recordings, and what is wrong with them.

    Channels, units, rate, length, events and person; clipping, flat stretches, sample-and-hold,
    gaps, copied channels, and files that hold the same samples.
    """
    from myograph.cli import render
    from myograph.workflows.inspect import inspect

    options = read_options(
        rate=rate,
        unit=unit,
        kinds=kinds,
        channels=channels,
        variable=variable,
        start=start,
        stop=stop,
        gaps=gaps,
        time_axis=time_axis,
        drop_stray_events=drop_stray_events,
    )
    with render.bar("reading", quiet=json) as update, in_flags():
        found = inspect(files, progress=update, **options)
    if json:
        render.print_json(found.to_dict())
    else:
        if len(found.files) > _SHOWN_FILES:
            _show_files(found.files)
        else:
            for report in found.files:
                _show_file(report)
        for group in found.duplicates:
            render.line(f"the same samples: {', '.join(group)}")
        if len(found.files) > 1:
            render.line(f"{len(found.files)} files, {len(found.failed)} could not be read")
    if found.failed:
        raise typer.Exit(3 if len(found.failed) == len(found.files) else 1)


def quality(
    file: Annotated[Path, typer.Argument(help="A recording.")],
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw signals and grades: .png or .svg.")
    ] = None,
    rate: Rate = None,
    unit: Unit = None,
    kinds: Kinds = None,
    channels: Channels = None,
    variable: Variable = None,
    gaps: Gaps = False,
    time_axis: TimeAxis = None,
    drop_stray_events: Stray = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Grade every muscle channel: A, B, C or reject, with reasons.

    Exit code 1 when a channel is rejected.
    """
    from myograph.cli import render
    from myograph.workflows import inspect
    from myograph.workflows import picture as pictures

    options = read_options(
        rate=rate, unit=unit, kinds=kinds, channels=channels, variable=variable, gaps=gaps
    )
    if picture is not None:
        pictures.check_picture(picture, force=force)
    with in_flags():
        graded = inspect.quality(file, **options)
    if picture is not None:
        recording, report = next(iter(graded.values()))
        pictures.draw_quality(recording, report, picture, force=force)
    reports = {name: report for name, (_, report) in graded.items()}
    if json:
        render.print_json(
            {"file": str(file), "recordings": {k: r.to_dict() for k, r in reports.items()}}
        )
    else:
        for name, report in reports.items():
            _show_quality(f"{file}{f' ({name})' if name else ''}", report)
        if picture is not None:
            render.place("picture", picture)
    if any(report.grade == "reject" for report in reports.values()):
        raise typer.Exit(1)


def convert(
    source: Annotated[Path, typer.Argument(help="A recording in any format that can be read.")],
    target: Annotated[Path, typer.Argument(help="The new file; its ending chooses the format.")],
    member: Annotated[
        str, typer.Option("--member", help="Only this part of a file with several rates.")
    ] = "",
    rate: Rate = None,
    unit: Unit = None,
    kinds: Kinds = None,
    channels: Channels = None,
    variable: Variable = None,
    start: Start = None,
    stop: Stop = None,
    gaps: Gaps = False,
    time_axis: TimeAxis = None,
    drop_stray_events: Stray = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Convert a recording into another format, saying what the new one cannot hold."""
    from myograph.cli import render
    from myograph.workflows.convert import convert as run

    options = read_options(
        rate=rate,
        unit=unit,
        kinds=kinds,
        channels=channels,
        variable=variable,
        start=start,
        stop=stop,
        gaps=gaps,
        time_axis=time_axis,
        drop_stray_events=drop_stray_events,
    )
    with in_flags():
        done = run(source, target, member=member, force=force, **options)
    if json:
        render.print_json(done.to_dict())
        return
    rounding = f"samples to {done.relative_error:.1e} of a channel's range"
    exact = "samples exact" if done.relative_error == 0 else rounding
    render.line(f"{done.source} -> {done.target} ({done.format}, {exact})")
    if done.lost:
        render.line(f"{done.format} cannot hold: {', '.join(done.lost)}")


def read_options(
    *,
    rate: float | None = None,
    unit: list[str] | None = None,
    kinds: list[str] | None = None,
    channels: str | None = None,
    variable: str | None = None,
    start: float | None = None,
    stop: float | None = None,
    gaps: bool = False,
    time_axis: int | None = None,
    drop_stray_events: bool = False,
) -> ReadOptions:
    """Return what was said, in the words of `myograph.read`; nothing for what was not."""
    given: dict[str, Any] = {
        "fs_hz": rate,
        "unit": one_or_each(unit, "--unit"),
        "kinds": one_or_each(kinds, "--kinds"),
        "channels": name_list(channels) or None,
        "variable": variable,
        "start_s": start,
        "stop_s": stop,
        "non_finite": "gap" if gaps else None,
        "time_axis": time_axis,
        "stray_events": "drop" if drop_stray_events else None,
    }
    return {k: v for k, v in given.items() if v is not None}  # type: ignore[return-value]


@contextmanager
def in_flags() -> Iterator[None]:
    """Let an error speak of this command line's flags where it speaks of Python's options."""
    try:
        yield
    except MyographError as error:
        raise type(error)(_with_flags(str(error))) from error


def _with_flags(message: str) -> str:
    def flag(found: re.Match[str]) -> str:
        takes_value = message[found.end() : found.end() + 1].strip(" .,;)")
        return (
            f"{_FLAGS[found[1]]} " if found[1].endswith("=") and takes_value else _FLAGS[found[1]]
        )

    # A dictionary in Python, NAME=VALUE on the command line.
    return re.sub(r"\{'(\w+)': '(\w+)'\}", r"'\1=\2'", _OPTION.sub(flag, message))


def one_or_each(given: list[str] | None, flag: str) -> str | dict[str, str] | None:
    """Read ``mV`` as all channels, ``emg*=mV`` as some of them."""
    if not given:
        return None
    pairs = [text.partition("=") for text in given]
    if len(pairs) == 1 and not pairs[0][1]:
        return given[0]
    if not all(equals and name and value for name, equals, value in pairs):
        raise ParameterError(
            f"{flag} takes one value for all channels, or NAME=VALUE as often as needed; "
            f"got {given}."
        )
    return {name: value for name, _, value in pairs}


def _show_files(reports: Sequence[FileReport]) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import short

    rows: list[Sequence[object]] = []
    for report in reports:
        if report.error:
            told = _with_flags(report.error).removeprefix(str(report.path)).lstrip(": ")
            rows.append((report.path, "", "", "", "", f"could not be read: {short(told, 120)}"))
        for recording in report.recordings:
            name = f"{report.path}{f':{recording.name}' if recording.name else ''}"
            person = (recording.subject or {}).get("pseudonym", "")
            length = f"{recording.duration_s:.4g} s"
            remarks = ", ".join(dict.fromkeys(remark.what for remark in recording.remarks))
            signals = f"{_signals(recording)}, {recording.fs_hz:g} Hz"
            rows.append((name, signals, length, person, len(recording.events), remarks))
    render.show_table(["file", "signals", "length", "person", "events", "remarks"], rows)


def _show_file(report: FileReport) -> None:
    from myograph.cli import render

    render.heading(f"{report.path}{f'  ({report.format})' if report.format else ''}")
    if report.error:
        render.line(f"  could not be read: {_with_flags(report.error)}", style="red")
    for recording in report.recordings:
        _show_recording(recording)


def _show_recording(recording: Description) -> None:
    from myograph.cli import render

    subject = recording.subject or {}
    age = f"{subject['age_years']:g} years" if subject.get("age_years") else ""
    person = [subject.get("pseudonym"), subject.get("sex"), age, subject.get("condition")]
    render.show_pairs(
        {
            "  part": recording.name,
            "  signals": _signals(recording),
            "  rate": f"{recording.fs_hz:g} Hz",
            "  length": f"{recording.duration_s:.6g} s ({recording.n_samples:,} samples)",
            "  person": ", ".join(str(p) for p in person if p),
            "  session": recording.session,
            "  site": recording.site,
            "  device": recording.device,
            "  started": recording.started_at,
            "  events": ", ".join(
                f"{label} × {n} ({seconds:.4g} s)"
                for label, (n, seconds) in recording.events.items()
            ),
            "  trials": recording.trials or "",
            "  history": "" if recording.history == "as recorded" else recording.history,
        }
    )
    _show_channels(recording)
    for remark in recording.remarks:
        where = f"{', '.join(remark.channels)}: " if 0 < len(remark.channels) < 5 else ""
        render.line(f"  ! {remark.what}: {where}{remark.text}", style="yellow")


def _signals(recording: Description) -> str:
    kinds = Counter(f"{channel['kind']} in {channel['unit']}" for channel in recording.channels)
    return ", ".join(f"{n} {kind}" for kind, n in kinds.items())


def _show_channels(recording: Description) -> None:
    from myograph.cli import render

    columns = ("name", "kind", "unit", "muscle", "side")
    used = [c for c in columns if any(channel[c] for channel in recording.channels)]
    shown = recording.channels[:_SHOWN_CHANNELS]
    render.show_table(used, [[channel[c] for c in used] for channel in shown])
    if len(recording.channels) > len(shown):
        render.line(f"  and {len(recording.channels) - len(shown)} more (--json shows all)")


def _show_quality(title: str, report: QualityReport) -> None:
    from myograph.cli import render

    render.heading(f"{title}: {report.grade}")
    rows = []
    for channel in report.channels:
        parts = channel.parts
        rows.append(
            (
                channel.name,
                channel.grade,
                _number(parts.get("baseline_rms"), channel.unit),
                _number(parts.get("snr_db"), "dB"),
                _number(parts.get("mains_ratio")),
                _number(parts.get("motion_ratio")),
                _number(parts.get("clip_percent"), "%"),
                "; ".join(channel.reasons),
            )
        )
    headers = ["channel", "grade", "baseline", "SNR", "mains", "motion", "clipped", "why"]
    render.show_table(headers, rows)
    render.line(f"mains {report.mains_hz:g} Hz; SNR from {report.snr_from}")
    for first, second, r in report.bridged:
        render.line(f"! {first} and {second} carry the same signal (correlation {r:.3f})")
    if report.hold.held:
        render.line(f"! held: {report.hold.factor:.1f} stored samples per measured one")


def _number(value: float | None, unit: str = "") -> str:
    if value is None or value != value:
        return "–"
    return f"{value:.3g}{f' {unit}' if unit else ''}"
