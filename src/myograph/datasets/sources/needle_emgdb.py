"""PhysioNet's three example needle recordings: healthy, myopathy, neuropathy."""

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

CONDITIONS = ("healthy", "myopathy", "neuropathy")

CARD = DatasetCard(
    name="needle-emgdb",
    title="Needle EMG of tibialis anterior, one person each: healthy, myopathy, neuropathy",
    sources=(
        Source(
            "udityamerit/Deep-Learning-Project-for-finding-the-Disease-based-on-Emg-Signals",
            commit="04ddac80ce066f058155f78dfc58a961df5f6385",
            licence="none stated in the copy",
            keep=("emg_*.dat", "emg_*.hea", "*/emg_*.dat", "*/emg_*.hea"),
        ),
    ),
    citation=(
        "Goldberger A. et al. (2000). PhysioBank, PhysioToolkit, and PhysioNet. Circulation "
        "101(23), e215-e220; Examples of electromyograms (emgdb)"
    ),
    citation_key="goldberger2000",
    people="3, one per condition",
    kinds=("needle",),
    fs_hz=(4000.0,),
    tasks="Gentle dorsiflexion, then rest; label = condition, over the whole recording.",
    labels=CONDITIONS,
    notes=(
        "One person per class: any score is a score of telling these three people apart.",
        "Sampled at 4 kHz: too slow for motor-unit potential shape.",
    ),
    sha256="504adbe77a16bb450461c8d175c154b2699ef95bcaa8a8e077497591665d474d",
)


def read(files: Files) -> Contents:
    """Find the records; one recording each."""
    entries = []
    for path, match in files.find(r"emg_(healthy|myopathy|neuropathy)\.hea$"):
        text = path.read_text(encoding="ascii", errors="replace")
        about = dict(re.findall(r"<(age|sex)>: (\w+)", text))
        subject = Subject(
            match[1],
            age_years=float(about["age"]) if "age" in about else None,
            sex={"F": "female", "M": "male"}.get(about.get("sex", ""), ""),
            condition=match[1],
        )
        signal = path.with_suffix(".dat")
        load = partial(_recording, path, subject)
        entries.append(Entry(files.name(path), subject, load, digest=files.sha256(signal)))
    return Contents(tuple(entries))


def _recording(path: Path, subject: Subject) -> Recording:
    """Read one signal of 16-bit integers, the only kind these three records use."""
    record, signal, *_ = path.read_text(encoding="ascii", errors="replace").splitlines()
    _, n_signals, rate, length, *_ = record.split()
    form = re.match(r"\S+ 16 ([\d.]+)/mV ", signal, re.IGNORECASE)
    if n_signals != "1" or form is None:
        raise FormatError(f"{path}: one signal of format 16 with a gain per mV is expected.")
    counts = np.fromfile(path.with_suffix(".dat"), dtype="<i2")
    if len(counts) != int(length):
        raise FormatError(f"{path}: {length} samples are promised; the file has {len(counts)}.")
    fs_hz = float(rate)
    microvolts = (counts / float(form[1]) * 1e3).astype(np.float32)
    event = Event(0.0, len(counts) / fs_hz, subject.condition, "protocol", "1")
    channel = Channel("needle", kind="needle", muscle="tibialis anterior")
    layout = Layout(fs_hz, (channel,))
    return Recording(microvolts[np.newaxis], layout, events=(event,), subject=subject)
