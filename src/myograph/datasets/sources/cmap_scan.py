"""CMAP scans: the response of a muscle to a stimulus that grows in small steps."""

from __future__ import annotations

import re
from pathlib import Path

from myograph.core.errors import FormatError
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents
from myograph.datasets.files import Files
from myograph.datasets.table import table_of

CARD = DatasetCard(
    name="cmap-scan",
    title="CMAP scans of three muscles, healthy people, two sessions",
    sources=(
        Source(
            "kelvinejones/CMAP-Scan-MUNE-Algorithms",
            commit="a917e5bc74163edd385f876366a9869ab9ff32ff",
            licence="MIT",
            keep=("Data/*.MEM", "LICENSE"),
        ),
    ),
    citation=(
        "Jones K. E. et al. Reliability and agreement of CMAP scan-derived MUNE algorithms in "
        "healthy individuals"
    ),
    people="9 healthy people, two sessions each",
    tasks=(
        "Table 'scans': every stimulus (mA) and the response to it (mV), in the order given. Table "
        "'visits': whose scan, which session, nerve and muscle, date, age, skin temperature, and "
        "the numbers of the points before and after the scan proper."
    ),
    notes=("Amplitudes of evoked responses, not signals.",),
    sha256="89b650627a85da7a6894a2b1e19019d95272550829a097d76279d1a539dfa7f4",
)

_POINT = re.compile(r"^MS\.(\d+)\s+([-\d.]+)\s+([-\d.]+)\s*$", re.MULTILINE)
_VISIT = ("person", "session", "nerve", "muscle", "date", "age_years", "sex", "temperature_c")
_BOUNDS = ("pre_first", "pre_last", "post_first", "post_last")


def read(files: Files) -> Contents:
    """Read every scan into two tables."""
    found, dropped = files.distinct(files.find(r"(MSCC\w+)_OM2\.MEM$"))
    points, visits = [], []
    for path, match in found:
        text = path.read_text(encoding="cp1252")
        visits.append([match[1], *_visit(text, path)])
        points += [[match[1], *row] for row in _POINT.findall(text)]
    scans = table_of(
        ("scan", "point", "stimulus_ma", "amplitude_mv"),
        points,
        units={"stimulus_ma": "mA", "amplitude_mv": "mV"},
        text=("scan",),
    )
    names = ("scan", *_VISIT, *_BOUNDS)
    table = table_of(names, visits, text=("scan", "person", "session"))
    return Contents(dropped=tuple(dropped), tables={"scans": scans, "visits": table})


def _visit(text: str, path: Path) -> list[str]:
    header = dict(re.findall(r"^([\w/ ]+):[ \t]+(.*?)\s*$", text, re.MULTILINE))
    try:
        *_, person, session = header["Name"].split(".")
        sites = header["S/R sites"]
        bounds = [number.strip() for number in header["Scanpts"].split(",")]
        day, month, year = header["Date"].split("/")
        nerve, _, where = sites.partition(" ")
        return [
            person,
            session,
            {"CP": "common peroneal"}.get(nerve, nerve.lower()),
            where.rpartition("-")[2],
            f"20{year}-{int(month):02d}-{int(day):02d}",
            header["Age"],
            {"M": "male", "F": "female"}[header["Sex"]],
            header["Temperature"],
            *bounds,
        ]
    except (KeyError, ValueError) as error:
        raise FormatError(f"{path}: the header of a CMAP scan is expected; {error!r}.") from error
