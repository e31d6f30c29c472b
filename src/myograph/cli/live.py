"""``myograph live`` and ``bench live``: a model on a running source, and how quick it is."""

from __future__ import annotations

import json as jsonlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myograph.cli.options import Force, Json, verb

if TYPE_CHECKING:
    from myograph.stream.health import Health

__all__ = ["add_to"]


Realtime = Annotated[
    bool,
    typer.Option(
        "--realtime/--no-realtime", help="Let decisions go before everything else (Linux, as root)."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    verb(
        app,
        "live",
        live,
        "myograph live hand.myomodel --source lsl:Forearm",
        "myograph live hand.myomodel --source 'serial:/dev/ttyACM0?fs_hz=1000&kind=semg"
        "&unit=count&names=emg1,emg2' --record session.myolive",
        "myograph live hand.myomodel --source twin:3 --out udp:127.0.0.1:9000 --json",
        "myograph live hand.myomodel --source 'replay:session.myolive?speed=10'",
    )
    bench = typer.Typer(help="Measure how quick Myograph is on this machine.", no_args_is_help=True)
    verb(bench, "live", bench_live, "myograph bench live", "myograph bench live --channels 64")
    app.add_typer(bench, name="bench")


def live(
    model: Annotated[Path, typer.Argument(help="A .myomodel file.")],
    source: Annotated[
        str,
        typer.Option(
            "--source",
            "-s",
            help="lsl:NAME, brainflow:ID, serial:DEVICE, ble:NAME, mqtt:URL, ws:URL, replay:FILE "
            "or twin:PERSON (a number, a cohort's folder or NAME.twin.json); "
            "?option=value&option=value behind it.",
        ),
    ],
    out: Annotated[
        list[str] | None,
        typer.Option(
            "--out", "-o", help="Who is told: lsl:NAME, mqtt:URL, ws::PORT, udp:HOST:PORT."
        ),
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", help="Write everything that comes to this file.")
    ] = None,
    person: Annotated[
        Path | None,
        typer.Option("--person", help="A recording of the person, for scaling='person'."),
    ] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="Stop after so long.")] = None,
    wait: Annotated[
        float, typer.Option("--wait", help="Seconds to wait for the source to appear.")
    ] = 10.0,
    give_up: Annotated[
        float | None,
        typer.Option("--give-up", help="Stop when the source was lost for so many seconds."),
    ] = None,
    abstain_when_constant: Annotated[
        bool,
        typer.Option(
            "--abstain-when-constant", help="Decide nothing while a channel does not vary."
        ),
    ] = False,
    realtime: Realtime = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print every decision as a line of JSON.")
    ] = False,
) -> None:
    """Let a saved model decide about signals as they come.

    Shows channels, decision, confidence, latency and loss. Nothing is decided on samples that
    never came; a source that is lost is looked for until it is back. Ctrl-C ends with a summary.
    """
    from myograph.cli.live_view import Lines, TerminalView
    from myograph.core.checks import check_positive
    from myograph.workflows.live import live as run

    for name, value in (("--seconds", seconds), ("--wait", wait), ("--give-up", give_up)):
        if value is not None:
            check_positive(value, name=name)
    view: Any = TerminalView() if not json and sys.stdout.isatty() else Lines(as_json=json)
    with view:
        health = run(
            model,
            source,
            outlets=out or (),
            record=record,
            person=person,
            consumers=[view],
            seconds=seconds,
            open_s=wait,
            give_up_s=give_up,
            on_constant="abstain" if abstain_when_constant else "tell",
            realtime=realtime,
        )
    if json:
        sys.stdout.write(jsonlib.dumps({"health": health.to_dict()}) + "\n")
        return
    _show_health(health)
    if record is not None:
        from myograph.cli import render

        render.place("recording", record)


def bench_live(
    channels: Annotated[int, typer.Option("--channels", help="Channels of the stream.")] = 8,
    rate: Annotated[float, typer.Option("--rate", help="Samples per second.")] = 2000.0,
    hop: Annotated[float, typer.Option("--hop", help="Milliseconds from window to window.")] = 20.0,
    hops: Annotated[int, typer.Option("--hops", help="How many decisions are timed.")] = 1000,
    load: Annotated[
        bool, typer.Option("--load/--no-load", help="Let another process load a core meanwhile.")
    ] = True,
    realtime: Realtime = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the figures as JSON.")
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Time the way from the newest sample to the decision, over real sockets on this machine.

    Another process sends samples over a WebSocket in real time and gets the decisions back over
    UDP. The signal is noise: this says how quick decisions are, never how good.
    """
    from myograph.cli import render
    from myograph.workflows.live_bench import PRIORITY, Setting, measure
    from myograph.workflows.outputs import check_free, write_json

    if out is not None:
        check_free(out, force=force)
    setting = Setting(
        n_channels=channels,
        fs_hz=rate,
        hop_ms=hop,
        hops=hops,
        load=load,
        priority=PRIORITY if realtime else 0,
    )
    found = measure(setting)
    if out is not None:
        write_json(out, found, force=force)
    if json:
        render.print_json(found)
        return
    latency = found["latency_ms"]
    render.heading(f"{channels} channels at {rate:g} Hz, a decision every {hop:g} ms")
    render.show_pairs(
        {
            "sample to decision": ", ".join(f"{k} {v:.2f} ms" for k, v in latency.items()),
            "controller delay": f"{found['controller_delay_ms']:.1f} ms (half a window, half a "
            "hop, and the latency)",
            "processor": f"{100 * found['cpu_share']:.1f} % of a core",
            "decisions": f"{found['decided']:,} of {found['hops']:,}; lost {found['lost']}",
            "of it": _parts(found["parts_ms"]),
            "load average": f"{found['load_average']:.1f} on {found['cores']} cores",
            "priority": "real-time" if realtime else "ordinary",
        }
    )


def _parts(parts: dict[str, dict[str, float]]) -> str:
    """Word what the sender itself contributes."""
    told = [
        f"{words} {parts[name]['p50']:.2f} ms"
        for name, words in (("sending", "the sender's call"), ("hearing", "its ear"))
        if parts.get(name)
    ]
    return ", ".join(told) + " (p50); how late it sent does not count"


def _show_health(health: Health) -> None:
    from myograph.cli import render

    latency = health.stopwatch.to_dict()["total"]
    timing = health.timing
    told = "none"
    if latency["count"]:
        told = ", ".join(f"{name} {latency[f'{name}_ms']:.2f} ms" for name in ("p50", "p99", "max"))
    render.show_pairs(
        {
            "decisions": f"{health.decided:,}, abstained {health.abstained:,}, dropped "
            f"{health.dropped:,}",
            "latency": told,
            "controller delay": f"{health.controller_delay_ms:.1f} ms",
            "samples": f"{health.samples:,}; {health.gap_samples:,} never came in {health.gaps} "
            f"gaps ({100 * health.loss:.2f} %)",
            "late, doubled": f"{timing.get('late', 0)}, {timing.get('doubled', 0)}",
            "reconnections": health.reconnections or "",
            "not passed on": "; ".join(f"{name}: {n}" for name, n in health.untold.items()),
            "not told": ", ".join(f"{n} of {kind}" for kind, n in health.withheld.items()),
        }
    )
