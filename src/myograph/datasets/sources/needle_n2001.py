"""Two needle recordings of EMGLAB's N2001, with every discharge marked by experts."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np

from myograph.core.errors import FormatError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents, Entry
from myograph.datasets.files import Files

EXPERT = "expert"

CARD = DatasetCard(
    name="needle-n2001",
    title="Needle EMG of one healthy person and one with ALS, discharges marked by experts",
    sources=(
        Source(
            "zuhairmhtb/EMGClassificationAlgorithms",
            commit="7962c0015716cf1b3d27eeb8f8d873b26c5df934",
            licence="none stated",
            keep=("*N2001*/data.npy", "*N2001*/data.hea", "*N2001*/data.eaf"),
        ),
    ),
    citation=(
        "Nikolic M. (2001). Detailed analysis of clinical electromyography signals. Thesis, "
        "University of Copenhagen; EMGLAB data set N2001"
    ),
    citation_key="n2001",
    people="2",
    kinds=("needle",),
    fs_hz=(23437.5,),
    tasks=(
        "A low, steady contraction of the biceps, 11.2 s; label = condition. Events of source "
        "'expert' are discharges: label = the unit's number."
    ),
    labels=("ALS", "healthy"),
    notes=("Two people: ground truth for decomposition, nothing about diagnosis.",),
    sha256="0cdb18e82af914c8902218822ac7f631fd45e3d8fd2583a3a16d9298c205fbf1",
)


def read(files: Files) -> Contents:
    """Find the recordings; one each."""
    entries = []
    for path, match in files.find(r"(N2001\w+)/data\.npy$"):
        header = _header(path.with_suffix(".hea"))
        condition = header["diagnosis"]
        subject = Subject(
            match[1],
            age_years=float(header["age"]),
            sex={"F": "female", "M": "male"}.get(header["gender"], ""),
            condition="healthy" if condition.endswith("controls") else condition,
        )
        load = partial(_recording, path, subject)
        entries.append(Entry(files.name(path), subject, load, digest=files.sha256(path)))
    return Contents(tuple(entries))


def _header(path: Path) -> dict[str, str]:
    text = path.read_text(encoding="cp1252")
    first = text.split(maxsplit=4)
    header = dict(re.findall(r"^#([^:]+):[ \t]*(.*?)\s*$", text, re.MULTILINE))
    if len(first) < 4 or not {"age", "gender", "diagnosis", "side"} <= header.keys():
        raise FormatError(f"{path}: a record line and age, gender, diagnosis, side are expected.")
    return {**header, "fs_hz": first[2], "n_samples": first[3]}


def _recording(path: Path, subject: Subject) -> Recording:
    header = _header(path.with_suffix(".hea"))
    fs_hz = float(header["fs_hz"])
    microvolts = np.load(path, allow_pickle=False)
    if microvolts.shape != (int(header["n_samples"]),):
        raise FormatError(
            f"{path}: the header promises {header['n_samples']} samples; got {microvolts.shape}."
        )
    whole = Event(0.0, len(microvolts) / fs_hz, subject.condition, "protocol", "1")
    side = header["side"].lower()
    channel = Channel("needle", kind="needle", muscle="biceps brachii", side=side)
    return Recording(
        microvolts[np.newaxis],
        Layout(fs_hz, (channel,)),
        events=(whole, *_discharges(path.with_suffix(".eaf"))),
        subject=subject,
    )


def _discharges(path: Path) -> list[Event]:
    """Read the lines ``time unit channel`` between the tags of an EMGLAB annotation file."""
    text = path.read_text(encoding="ascii", errors="replace")
    block = re.search(r"<emglab_spike_events>(.*?)</emglab_spike_events>", text, re.DOTALL)
    if block is None:
        raise FormatError(f"{path}: no <emglab_spike_events> block; is it an annotation file?")
    rows = [line.split() for line in block[1].splitlines() if line.strip()]
    try:
        return [Event(float(time_s), 0.0, f"unit {unit}", EXPERT) for time_s, unit, _ in rows]
    except ValueError as error:
        raise FormatError(f"{path}: lines of time, unit, channel are expected; {error}.") from error
