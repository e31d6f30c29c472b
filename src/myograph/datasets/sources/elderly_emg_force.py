"""Isometric contractions of four leg muscles in older adults, with force and balance score."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents, Entry
from myograph.datasets.files import Dropped, Files
from myograph.datasets.spreadsheet import read_sheet, sheet_names
from myograph.datasets.table import read_table

FS_HZ = 2000.0
NEWTON_PER_KGF = 9.80665
MUSCLES = {
    "VL": "vastus lateralis",
    "BF": "biceps femoris",
    "TA": "tibialis anterior",
    "LG": "lateral gastrocnemius",
}

CARD = DatasetCard(
    name="elderly-emg-force",
    title="Isometric contractions of 4 leg muscles with force, older adults, Berg balance score",
    sources=(
        Source(
            "hermescb/Electromyography-and-Dynamometry-of-the-Lower-Limb-of-the-Elderly",
            commit="f35f0d178837e758ab0d1669ec2c5bb3b56b7e29",
            licence="CC0-1.0",
            keep=("*.xlsx", "*.txt", "README.md"),
        ),
    ),
    citation=(
        "Silva D. A., Castelo Branco N. F. L., Andrade Mesquita L. S., Castelo Branco H. M. G., "
        "Barreto G. A. (2024). Electromyography and dynamometry in the prediction of risk of falls "
        "in the elderly using machine learning tools. Biomedical Signal Processing and Control 88, "
        "105635. doi:10.1016/j.bspc.2023.105635"
    ),
    citation_key="elderly2024",
    people="30 numbers in the source; many look like two numbers for one person",
    kinds=("semg", "force"),
    fs_hz=(FS_HZ,),
    tasks=(
        "One recording for each muscle's isometric contraction (10 s): 4 EMG channels and the "
        "force of that contraction. Label = the contracting muscle; session = the source's number."
    ),
    labels=tuple(MUSCLES.values()),
    defects=(
        (
            "Numbers with near-equal age, height, weight and score look like one person: they are "
            "grouped as one ('person-NN'), as the mirror's labels suspect. The source itself has "
            "no such column: read from there, every number stands alone."
        ),
        (
            "Numbers 05 and 06 end after 5 s for VL and BF (their force is missing from there on): "
            "cut to what was measured."
        ),
        "One array is misnamed EMB_TA: read as EMG_TA.",
        (
            "The source does not state the unit of the EMG: held as counts (the size suggests "
            "microvolts). Force is kgf there, newton here."
        ),
    ),
    notes=("The spreadsheets of the source are read by their description; unverified.",),
    sha256="d06e3946f2ea47f9c9cfd0c29e9df1164d3dd344cca35c379accad787337e52a",
)


def read(files: Files) -> Contents:
    """Find the contractions, in the mirror's arrays or in the source's spreadsheets."""
    if files.any(r"dev\.npz$"):
        return _from_arrays(files)
    return _from_spreadsheets(files)


def _from_arrays(files: Files) -> Contents:
    ((path, _), *_) = files.find(r"dev\.npz$")
    table = read_table(files.find(r"dev_labels\.csv$")[0][0])
    with np.load(path, allow_pickle=False) as held:
        names = {(name[:2], name[-2:]): name for name in held.files if "_EM" in name}
    entries = []
    for number, person in zip(table["ID"], table["suspected_person"], strict=True):
        subject, digest = Subject(f"person-{int(person):02d}"), files.sha256(path)
        for short in MUSCLES:
            stem = f"{int(number):02d}"
            source = names.get((stem, short))
            if source is None:
                continue
            load = partial(_from_npz, path, source, short, subject)
            name, session = f"{stem}/{short}", f"id-{stem}"
            entries.append(Entry(name, subject, load, session, digest=f"{digest} {source}"))
    return Contents(tuple(entries), _short(path, names), {"people": table})


def _short(path: Path, names: dict[tuple[str, str], str]) -> tuple[Dropped, ...]:
    with np.load(path, allow_pickle=False) as held:
        lengths = {name: len(held[name]) for name in names.values()}
    full = max(lengths.values())
    return tuple(
        Dropped(f"force of {name} after {n / FS_HZ:.1f} s", "nothing was measured from there on")
        for name, n in lengths.items()
        if n < full
    )


def _from_npz(path: Path, source: str, short: str, subject: Subject) -> Recording:
    with np.load(path, allow_pickle=False) as held:
        emg, force = held[source], held[f"{source[:2]}_DNM"]
    return _recording(emg, force, short, subject, f"id-{source[:2]}")


def _from_spreadsheets(files: Files) -> Contents:
    entries = []
    for path, match in files.find(r"ID (\d+)\.xlsx$"):
        session = f"id-{int(match[1]):02d}"
        subject, digest = Subject(session), files.sha256(path)
        for short in MUSCLES:
            load = partial(_from_workbook, path, short, subject, session)
            name = f"{files.name(path)}/{short}"
            entries.append(Entry(name, subject, load, session, digest=f"{digest} {short}"))
    return Contents(tuple(entries))


def _from_workbook(path: Path, short: str, subject: Subject, session: str) -> Recording:
    names = {name.strip().upper(): name for name in sheet_names(path)}
    # The source writes both LG and GL, and once EMB for EMG.
    wanted = [f"EM{letter}_{end}" for letter in "GB" for end in (short, short[::-1])]
    sheet = next((names[name] for name in wanted if name in names), f"EMG_{short}")
    emg = _matrix(read_sheet(path, sheet))
    force = _matrix(read_sheet(path, names.get("DNM", "DNM")))
    return _recording(emg, force, short, subject, session)


def _matrix(rows: list[list[str]]) -> NDArray[np.float32]:
    numeric = [row for row in rows if re.match(r"\s*[-+\d.]", row[0] or "nan")]
    return np.array([[float(cell or "nan") for cell in row[:4]] for row in numeric], np.float32)


def _recording(
    emg: NDArray[np.float32],
    force: NDArray[np.float32],
    short: str,
    subject: Subject,
    session: str,
) -> Recording:
    measured = np.isfinite(force[: len(emg), list(MUSCLES).index(short)])
    # Numbers 05 and 06 were stopped early: everything up to the first missing value is whole.
    n = int(np.argmin(measured)) if not measured.all() else len(measured)
    newton = force[:n, list(MUSCLES).index(short)] * NEWTON_PER_KGF
    channels = [
        Channel(name, kind="semg", muscle=muscle, scale="count") for name, muscle in MUSCLES.items()
    ]
    layout = Layout(FS_HZ, (*channels, Channel("force", kind="force")))
    return Recording(
        np.vstack([emg[:n].T, newton]),
        layout,
        events=(Event(0.0, n / FS_HZ, MUSCLES[short], "protocol", "1"),),
        subject=subject,
        session=session,
        device="SAS1000 V8",
    )
