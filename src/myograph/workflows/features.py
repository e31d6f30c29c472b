"""Features: the windows of recordings measured, as a table that other programs read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from myograph import __version__
from myograph.core.errors import LayoutError, ParameterError
from myograph.core.optional import needs
from myograph.core.recording import GAP, Recording
from myograph.core.table import FeatureTable
from myograph.workflows.cohort import Data, Selection, open_cohort
from myograph.workflows.outputs import write_bytes
from myograph.workflows.settings import Choices, resolve

if TYPE_CHECKING:
    from myograph.pipeline.front import Front

__all__ = ["SUFFIXES", "Cut", "check_table", "measure", "table_content", "write_table"]

#: Endings of a table's file.
SUFFIXES = (".csv", ".parquet", ".json")

_INDEX = ("subject", "session", "trial", "label", "start_s", "stop_s")


@dataclass(frozen=True, slots=True)
class Cut:
    """How recordings are cut into windows.

    Parameters
    ----------
    length_ms, step_ms : float, optional
        Length of a window and distance between the starts of two; as the settings say when left
        out.

    Examples
    --------
    >>> Cut.parse("250/50")
    Cut(length_ms=250.0, step_ms=50.0)
    """

    length_ms: float | None = None
    step_ms: float | None = None

    @classmethod
    def parse(cls, text: str) -> Cut:
        """Read ``LENGTH/STEP`` in milliseconds."""
        length, slash, step = text.partition("/")
        try:
            return cls(float(length), float(step))
        except ValueError:
            told = "" if slash else " (no slash)"
            raise ParameterError(
                "Windows are given as LENGTH/STEP in milliseconds, such as 200/100; "
                f"got {text!r}{told}."
            ) from None

    @property
    def overrides(self) -> tuple[str, ...]:
        """The same as settings."""
        given = {"length_ms": self.length_ms, "step_ms": self.step_ms}
        return tuple(
            f"pipeline.windowing.{name}={value!r}"
            for name, value in given.items()
            if value is not None
        )


def measure(
    data: Data,
    choices: Choices | None = None,
    *,
    cut: Cut | None = None,
    people: Sequence[str] = (),
    read: Mapping[str, Any] | None = None,
) -> FeatureTable:
    """Measure every window of recordings, labelled or not.

    The signal is conditioned as for `myograph.workflows.evaluate.evaluate`: a band that suits
    modality and rate, unless the settings say otherwise.

    Parameters
    ----------
    data : str, path, Dataset or sequence of Recording
        Files need not say whose they are.
    choices : Choices, optional
        Of features and settings.
    cut : Cut, optional
        Over what ``choices`` say about windows.
    people : sequence of str
        Only these.
    read : mapping, optional
        Options for reading files, as for `myograph.read`.

    Returns
    -------
    FeatureTable
        One row per window. The label is that of the event that the window lies in, empty where
        there is none.

    Raises
    ------
    DataError
        If a recording is shorter than a window.
    LayoutError
        If the recordings differ in rate, channels or units.
    ParameterError
        If a feature or setting is unknown or does not suit the signal.

    Examples
    --------
    >>> table = measure("forearm.edf", Choices(features="hudgins"))  # doctest: +SKIP
    """
    from myograph.features import parse_features
    from myograph.pipeline.front import build_front

    choices = choices or Choices()
    if choices.features is not None:  # refused before anything is read
        parse_features([name.strip() for name in choices.features.split(",")])
    cohort = open_cohort(data, Selection(people, people_from="file", read=read or {}))
    settings = resolve(cohort, _with(choices, cut or Cut()))
    windowing = settings.pipeline.windowing.model_copy(update={"target_kind": ""})
    front = build_front(settings.pipeline.model_copy(update={"windowing": windowing}))
    if front.learns:
        raise ParameterError(
            f"The pipeline learns from training recordings ({', '.join(front.learned_parts)}), "
            "which a table of features has none of; leave that out, and give thresholds as "
            "amplitudes."
        )
    tables = [_measure_one(front, recording) for recording in cohort.recordings]
    for number, table in enumerate(tables[1:], start=1):
        wrong = table.layout.differences(tables[0].layout)
        if wrong:
            raise LayoutError(
                f"Recording {number + 1} differs from the first and cannot share its columns. "
                + " ".join(wrong)
            )
    return FeatureTable.concatenate(tables)


def write_table(table: FeatureTable, path: str | PathLike[str], *, force: bool = False) -> Path:
    """Write a table; the ending chooses CSV, Parquet or JSON.

    The first columns say whose window it is, from when, until when, what it shows, and which
    channels were flat in it, so that their features mean nothing. In CSV the
    unit stands behind the name of a feature, in brackets; Parquet and JSON keep it beside the
    name, with the recipe that led to the numbers.

    Raises
    ------
    ParameterError
        If the ending is none of `SUFFIXES`.
    OutputExistsError
        If the file is there and ``force`` is not given.
    MissingExtraError
        If Parquet is asked for and pyarrow is not installed.
    """
    target = check_table(Path(path))
    writers = {".csv": _csv, ".parquet": _parquet, ".json": _json}
    return write_bytes(target, writers[target.suffix.lower()](table), force=force)


def check_table(path: Path) -> Path:
    """Return ``path`` if a table can be written under that name, before any work is done."""
    if path.suffix.lower() not in SUFFIXES:
        raise ParameterError(f"A table's file ends in one of {list(SUFFIXES)}; got {path.name!r}.")
    if path.suffix.lower() == ".parquet":
        needs("pyarrow.parquet", to="write Parquet", extra="table")
    return path


def table_content(table: FeatureTable) -> dict[str, Any]:
    """Return a table as plain JSON-able data, with units and provenance."""
    return {
        **_provenance(table),
        "features": [
            {"name": name, "unit": unit}
            for name, unit in zip(table.names, table.units, strict=True)
        ],
        "windows": _index(table),
        "values": table.values.tolist(),
    }


def _index(table: FeatureTable) -> dict[str, list[Any]]:
    """Return the columns that say what a window is, the channels that are flat in it last."""
    told = {name: getattr(table.index, name).tolist() for name in _INDEX}
    names = np.array(table.layout.names, dtype=object)
    return {**told, "flat": ["; ".join(names[row]) for row in table.flagged]}


def _provenance(table: FeatureTable) -> dict[str, Any]:
    """Say which samples the numbers come from, and what was done to them."""
    return {
        "myograph": __version__,
        "fs_hz": table.layout.fs_hz,
        "steps": table.recipe.to_dict()["steps"],
        "recordings": np.unique(table.index.recording).tolist(),
    }


def _with(choices: Choices, cut: Cut) -> Choices:
    return replace(choices, overrides=(*choices.overrides, *cut.overrides))


def _measure_one(front: Front, recording: Recording) -> FeatureTable:
    """Measure all windows, and give those that lie in one event its label and repetition."""
    table = front.measure(recording, labelled=False)
    sources = front.windowing.label_sources
    if not any(e.source in sources and e.label != GAP for e in recording.events):
        return table
    keep_all = replace(front.windowing, rest="keep")
    told = keep_all.cut(front.process(recording), labelled=True).index
    rows = np.searchsorted(table.index.start_s, told.start_s - 1e-9)
    columns = {}
    for name in ("label", "trial"):
        given = getattr(told, name)
        column = np.full(len(table), "", dtype=given.dtype if len(given) else "<U1")
        column[rows] = given
        columns[name] = column
    return replace(table, index=replace(table.index, **columns))


def _csv(table: FeatureTable) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = [
        name if unit == "1" else f"{name} [{unit}]"
        for name, unit in zip(table.names, table.units, strict=True)
    ]
    index = _index(table)
    writer.writerow([*index, *heads])
    for *told, numbers in zip(*index.values(), table.values.tolist(), strict=True):
        writer.writerow([*told, *numbers])
    return text.getvalue().encode("utf-8")


def _json(table: FeatureTable) -> bytes:
    return (json.dumps(table_content(table), allow_nan=False) + "\n").encode("utf-8")


def _parquet(table: FeatureTable) -> bytes:
    pa = needs("pyarrow", to="write Parquet", extra="table")
    parquet = needs("pyarrow.parquet", to="write Parquet", extra="table")
    index = {name: pa.array(column) for name, column in _index(table).items()}
    fields = [pa.field(name, array.type) for name, array in index.items()]
    fields += [
        pa.field(name, pa.float64(), metadata={"unit": unit})
        for name, unit in zip(table.names, table.units, strict=True)
    ]
    schema = pa.schema(fields, metadata={"myograph": json.dumps(_provenance(table))})
    columns = [*index.values(), *(pa.array(column) for column in table.values.T)]
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(columns, schema=schema), buffer)
    return buffer.getvalue()
