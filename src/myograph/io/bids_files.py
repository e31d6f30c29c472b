"""Names and tables of BIDS: entities, the principle of inheritance, tab-separated text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from myograph.core.errors import FormatError

__all__ = [
    "DESCRIPTION",
    "NOT_KNOWN",
    "TYPES",
    "data_name",
    "entities_of",
    "inherited",
    "label_of",
    "read_json",
    "read_table",
    "root_of",
    "table_text",
]

#: The file that makes a folder a BIDS dataset.
DESCRIPTION = "dataset_description.json"

#: How a table says that a value is not known.
NOT_KNOWN = "n/a"

#: BIDS's type of each kind of channel; it has none for movement and force.
TYPES: Mapping[str, str] = MappingProxyType(
    {"semg": "EMG", "hdemg": "EMG", "needle": "EMG", "eeg": "EEG", "ecg": "ECG", "trigger": "TRIG"}
)

_DATA = re.compile(r"sub-[A-Za-z0-9]+(_[a-z]+-[A-Za-z0-9]+)*_emg\.(bdf|edf)")
_MOST_BYTES = 1 << 26  # of a table or JSON beside a recording


def data_name(path: Path) -> bool:
    """Say whether a path is that of a recording with datatype ``emg``."""
    return path.parent.name == "emg" and _DATA.fullmatch(path.name) is not None


def entities_of(name: str) -> dict[str, str]:
    """Return the entities of a file name.

    Examples
    --------
    >>> entities_of("sub-01_task-grasp_emg.bdf")
    {'sub': '01', 'task': 'grasp'}
    """
    return dict(re.findall(r"(?:^|_)([a-z]+)-([A-Za-z0-9]+)(?=_|\.|$)", name))


def label_of(text: str) -> str:
    """Return the letters and digits of a text: all that a BIDS label may have.

    Examples
    --------
    >>> label_of("patient 7-b")
    'patient7b'
    """
    return re.sub(r"[^A-Za-z0-9]", "", text)


def root_of(path: Path) -> Path | None:
    """Return the dataset that a file is part of, if there is one above it."""
    return next((p for p in path.parents if (p / DESCRIPTION).is_file()), None)


def inherited(path: Path, suffix: str) -> list[Path]:
    """Return the files that describe ``path``, from the most general to its own.

    A file describes those below it whose name has all of its entities (the inheritance principle).

    Parameters
    ----------
    path : Path
        The recording.
    suffix : str
        The end of the name: ``"channels.tsv"``.
    """
    mine = entities_of(path.name).items()
    root = root_of(path) or path.parent
    folders = [p for p in reversed(path.parents) if p == root or root in p.parents]
    found = []
    for folder in folders:
        fitting = [
            p
            for p in folder.iterdir()
            if (p.name == suffix or p.name.endswith(f"_{suffix}"))
            and entities_of(p.name).items() <= mine
        ]
        found += sorted(fitting, key=lambda p: len(entities_of(p.name)))
    return found


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that must hold an object."""
    try:
        data = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is no JSON ({error}).") from error
    if not isinstance(data, dict):
        raise FormatError(f"{path} must hold a JSON object; it holds a {type(data).__name__}.")
    return data


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a table; what is not known is empty text.

    Raises
    ------
    FormatError
        If a row is longer or shorter than the line of names.
    """
    lines = [line for line in _text(path).splitlines() if line.strip()]
    if not lines:
        raise FormatError(f"{path} is empty; a line of column names was expected.")
    names = [name.strip() for name in lines[0].split("\t")]
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != len(names):
            raise FormatError(
                f"{path}, line {number}: {len(cells)} cells under {len(names)} columns {names}; "
                "columns must be separated by tabs."
            )
        rows.append({n: "" if c == NOT_KNOWN else c for n, c in zip(names, cells, strict=True)})
    return rows


def table_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a table as text.

    Examples
    --------
    >>> table_text(["name", "x"], [{"name": "a", "x": 1.5}, {"name": "b"}]).split()
    ['name', 'x', 'a', '1.5', 'b', 'n/a']
    """
    return "".join("\t".join(line) + "\n" for line in _lines(columns, rows))


def _lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[list[str]]:
    yield list(columns)
    for row in rows:
        cells = ["" if row.get(c) is None else " ".join(str(row[c]).split()) for c in columns]
        yield [cell or NOT_KNOWN for cell in cells]


def _text(path: Path) -> str:
    if path.stat().st_size > _MOST_BYTES:
        raise FormatError(f"{path} has {path.stat().st_size} bytes; no description is that long.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not UTF-8 text ({error}).") from error
