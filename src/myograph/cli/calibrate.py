"""``myograph calibrate``: guided training of a person's own control, at the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myograph.cli.keys import Keys
from myograph.cli.options import Force, Json, name_list, verb

if TYPE_CHECKING:
    from myograph.stream.calibrate import Calibration, Verdict
    from myograph.workflows.calibrate import CalibrationResult

__all__ = ["add_to", "picture", "redo_last", "told"]

_HINT = "r: do the last one again"


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    verb(
        app,
        "calibrate",
        calibrate,
        "myograph calibrate --source simulated:7 --out monday",
        "myograph calibrate --source simulated:7?turned_deg=20 --earlier monday --out tuesday",
        "myograph calibrate --source lsl:Forearm --subject p07 --redo 2 --out p07-monday",
    )


def calibrate(
    source: Annotated[
        str,
        typer.Option(
            "--source",
            "-s",
            help="lsl:NAME, brainflow:ID, serial:DEV, ... as for live; recorded:DATA takes "
            "recorded repetitions; simulated:SEED a simulated person.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for model and signature.")],
    subject: Annotated[str, typer.Option("--subject", help="Pseudonym.")] = "p01",
    movements: Annotated[
        str | None, typer.Option("--movements", help="Joined by commas, rest among them.")
    ] = None,
    earlier: Annotated[
        Path | None,
        typer.Option("--earlier", help="The first calibration: only seconds are asked for now."),
    ] = None,
    repetitions: Annotated[int | None, typer.Option("--repetitions", min=1)] = None,
    hold_s: Annotated[float | None, typer.Option("--hold-s", help="Seconds of each hold.")] = None,
    countdown_s: Annotated[float | None, typer.Option("--countdown-s")] = None,
    method: Annotated[
        str, typer.Option("--method", help="With --earlier: aligned, pooled or new.")
    ] = "aligned",
    redo: Annotated[
        int,
        typer.Option(
            "--redo",
            min=0,
            help="How often a repetition that fails the quality gate is asked for again. At a "
            "terminal the key r does the last one again at any time.",
        ),
    ] = 1,
    force: Force = False,
    json: Json = False,
) -> None:
    """Guide somebody through movements, and learn that person's own control from them.

    A new person takes a minute; with --earlier, after the band was put on again, less than 15 s.
    Each repetition is judged when it ends, and asked for again when it is no good (--redo).
    """
    from myograph.cli import render
    from myograph.workflows.calibrate import MOVEMENTS, CalibrationAsked
    from myograph.workflows.calibrate import calibrate as run

    chosen = name_list(movements) or MOVEMENTS
    asked = CalibrationAsked(
        subject=subject,
        movements=chosen,
        earlier=earlier,
        repetitions=repetitions,
        hold_s=hold_s,
        countdown_s=countdown_s,
        method=method,
        redo=redo,
    )
    view = None if json or not sys.stderr.isatty() else _View()
    try:
        result = run(source, out, asked, show=view, force=force)
    finally:
        if view is not None:
            view.stop()
    if json:
        render.print_json(result.to_dict())
    else:
        _show(result)


def _show(result: CalibrationResult) -> None:
    from myograph.cli import render

    about = result.about
    title = f"{about['subject']}: {about['repetitions']} repetitions, {about['seconds']:.1f} s"
    render.heading(title)
    if about["simulated"]:
        render.line("SIMULATED person: engineering verification, never clinical performance.")
    found = about["confusion"]
    names, counts = found["classes"], found["counts"]
    rows = []
    for name, row in zip(names, counts, strict=True):
        near = about["separability"][name]
        right = row[names.index(name)] / max(sum(row), 1)
        rows.append((name, f"{100 * right:.0f} %", near["to"], f"{near['distance']:.1f}"))
    render.show_table(
        ["movement", "right when held out", "nearest movement", "apart"], rows, numbers_from=3
    )
    render.line()
    pairs: list[tuple[str, Any]] = [
        (f"refused: {one['movement']} {one['repetition']}", " ".join(one["why"]))
        for one in about["refused"]
    ]
    if about["worst_pair"]:
        asked, called, share = about["worst_pair"]
        pairs.append(("most confused", f"{asked} taken for {called} in {100 * share:.0f} %"))
    compared = about["compared"]
    if compared:
        turned = compared["turned_channels"]
        pairs.append(("band", f"turned by {turned:+d} electrodes" if turned else "not turned"))
        pairs.append(("level", f"{compared['louder']:.2f} times the earlier one"))
        confused = [f"{a} looks like {b}" for a, b in compared["nearest"].items() if a != b]
        pairs.append(("before this", "; ".join(confused) or "no movement looked like another"))
    render.show_pairs(pairs)
    render.place("folder", result.folder)


class _View:
    """What a person follows while it runs: picture, countdown, verdicts, confusion."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        self._live.start()
        self._keys = Keys()
        self._keys.__enter__()
        self._newest: Verdict | None = None
        self._told = ""

    def __call__(self, calibration: Calibration) -> None:
        self._judge(calibration)
        if "r" in self._keys.pressed().lower():
            self._told = redo_last(calibration) or self._told
        hint = f"{self._told}\n\n{_HINT}" if self._keys.works else self._told
        self._live.update(picture(calibration, hint), refresh=True)

    def stop(self) -> None:
        """Give the terminal back."""
        self._keys.__exit__(None, None, None)
        self._live.stop()

    def _judge(self, calibration: Calibration) -> None:
        if calibration.newest is not self._newest:
            self._newest = calibration.newest
            self._told = told(calibration)


def redo_last(calibration: Calibration) -> str:
    """Ask for the repetition that was made last once more; say so, or nothing before the first.

    Asked for already, whether by itself or by a key, it is not asked for twice.
    """
    last = calibration.newest
    if last is None:
        return ""
    name = f"{last.prompt.movement} {last.prompt.repetition}"
    if not calibration.asks_again(last.prompt.movement, last.prompt.repetition):
        calibration.redo(last.prompt.movement, last.prompt.repetition)
    return f"{name}: once more, next."


def told(calibration: Calibration) -> str:
    """Say how the newest repetition was, and how well the movements can be told apart so far."""
    last = calibration.newest
    if last is None:
        return ""
    name = f"{last.prompt.movement} {last.prompt.repetition}"
    again = calibration.asks_again(last.prompt.movement, last.prompt.repetition)
    verdict = "again." if again else "left out."
    lines = [f"{name}: good" if last.accepted else f"{name}: {verdict} {' '.join(last.reasons)}"]
    so_far, apart = calibration.confusion(), calibration.separability()
    if so_far is not None and apart is not None:
        worst = so_far.worst
        mixed = f", most confused: {worst[0]} for {worst[1]}" if worst else ""
        lines.append(f"so far {100 * so_far.accuracy:.0f} % right when held out{mixed}")
        near = min(apart.nearest.items(), key=lambda one: one[1][1])
        lines.append(f"closest: {near[0]} and {near[1][0]}, {near[1][1]:.1f} apart")
    return "\n".join(lines)


def picture(calibration: Calibration, text: str) -> Any:
    """Return what the screen shows now."""
    from rich.panel import Panel

    from myograph.stream.pictures import POSES, hand_text

    now = calibration.situation
    if now.prompt is None:
        return Panel(text or "done", title="calibration")
    words = {"ready": "get ready", "go": "GO", "hold": "hold"}
    movement = now.prompt.movement
    hand = hand_text(movement) if movement in POSES else ""
    bar = "█" * round(20 * now.left_s / max(now.prompt.hold_s, now.prompt.countdown_s))
    body = f"{hand}\n\n{words[now.phase]:<9} {now.left_s:4.1f} s {bar}\n\n{text}"
    title = f"{now.number} of {now.total}: {movement}"
    return Panel(body, title=title, width=72)
