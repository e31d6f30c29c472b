"""``myograph features``: the verb that measures windows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myograph.cli.files import (
    Channels,
    Gaps,
    Kinds,
    Rate,
    Start,
    Stop,
    Unit,
    Variable,
    read_options,
)
from myograph.cli.options import Config, Features, Force, Json, People, Settings, name_list, verb

if TYPE_CHECKING:
    from myograph.core.table import FeatureTable

__all__ = ["add_to"]

_SHOWN_CHANNELS, _SHOWN_FEATURES = 16, 8


def add_to(app: typer.Typer) -> None:
    """Register the verb of this module."""
    verb(
        app,
        "features",
        features,
        "myograph features forearm.edf",
        "myograph features forearm.edf --features td-spectral --out table.csv",
        "myograph features forearm.edf --windows 250/50 --set pipeline.steps=[] --out raw.parquet",
    )


def features(
    data: Annotated[str, typer.Argument(help="A recording, a folder of them, or a dataset.")],
    features: Features = None,
    windows: Annotated[
        str | None,
        typer.Option("--windows", help="LENGTH/STEP in ms; 200/100 by default."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write the table: .csv, .parquet or .json."),
    ] = None,
    config: Config = None,
    settings: Settings = None,
    people: People = None,
    rate: Rate = None,
    unit: Unit = None,
    kinds: Kinds = None,
    channels: Channels = None,
    variable: Variable = None,
    start: Start = None,
    stop: Stop = None,
    gaps: Gaps = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Measure every window of recordings: one row a window, one column a feature of a channel.

    The signal is conditioned first as for evaluate, by modality and rate; --set
    pipeline.steps=[] takes it as recorded. Without --out a summary is shown.
    """
    from myograph.cli import render
    from myograph.workflows import features as verbs
    from myograph.workflows.outputs import check_free
    from myograph.workflows.settings import Choices

    if out is not None:
        check_free(verbs.check_table(out), force=force)
    table = verbs.measure(
        data,
        Choices(features=features, config=config, overrides=settings or ()),
        cut=verbs.Cut.parse(windows) if windows is not None else None,
        people=name_list(people),
        read=read_options(
            rate=rate,
            unit=unit,
            kinds=kinds,
            channels=channels,
            variable=variable,
            start=start,
            stop=stop,
            gaps=gaps,
        ),
    )
    if out is not None:
        verbs.write_table(table, out, force=force)
    if json:
        render.print_json(verbs.table_content(table))
        return
    _show(table)
    if out is not None:
        render.line(f"table: {out} ({len(table):,} rows, {len(table.names)} features)")


def _show(table: FeatureTable) -> None:
    import numpy as np

    from myograph.cli import render
    from myograph.workflows.wording import plural

    index = table.index
    length_ms = 1000 * (index.stop_s[0] - index.start_s[0])
    render.heading(f"{len(table):,} windows of {length_ms:.4g} ms: median of each feature")
    medians = dict(zip(table.names, np.median(table.values, axis=0).tolist(), strict=True))
    units = dict(zip(table.names, table.units, strict=True))
    single = [name for name in table.names if name.rpartition(".")[0] in table.layout.names]
    listed = single or list(table.names)
    channels = list(dict.fromkeys(name.rpartition(".")[0] for name in listed))
    kinds = list(dict.fromkeys(name.rpartition(".")[2] for name in listed))
    shown = kinds[:_SHOWN_FEATURES]
    rows = [
        (channel, *(_number(medians.get(f"{channel}.{kind}")) for kind in shown))
        for channel in channels[:_SHOWN_CHANNELS]
    ]
    render.show_table(["channel", *(_head(kind, units) for kind in shown)], rows, numbers_from=1)
    more = [
        plural(len(names) - most, f"more {what}")
        for names, most, what in (
            (kinds, _SHOWN_FEATURES, "feature"),
            (channels, _SHOWN_CHANNELS, "channel"),
        )
        if len(names) > most
    ]
    if len(listed) < len(table.names):
        more.append(plural(len(table.names) - len(listed), "column") + " between channels")
    if more:
        render.line(f"and {', '.join(more)} (--out writes all)")


def _head(kind: str, units: dict[str, str]) -> str:
    """Name a feature with the units it has on the channels."""
    found = {unit for name, unit in units.items() if name.rpartition(".")[2] == kind} - {"1"}
    return f"{kind} [{', '.join(sorted(found))}]" if found else kind


def _number(value: float | None) -> str:
    if value is None:  # a measure between channels stands in a row of its own
        return ""
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
