"""The context-informed incremental learning recordings: little training data, and a moved band."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from myograph.core.recording import Recording, Subject
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents, Entry
from myograph.datasets.files import Dropped, Files, numbers
from myograph.datasets.sources.gesture import gesture, myo_layout

SHIFT, MINIMAL = "electrode-shift", "minimal"
GESTURES = ("hand close", "hand open", "rest", "wrist extension", "wrist flexion")

CARD = DatasetCard(
    name="ciil",
    title="Myo armband, 5 gestures: 1 s of training data (11 people), a moved band (21 people)",
    sources=(
        Source(
            "LibEMG/CIILData",
            commit="b7230dd253b3cd2c2603f5fdeb0c3711551ba19f",
            licence="none stated",
            keep=("ElectrodeShift/*/R_*.csv", "MinimalTrainingData/*/R_*.csv"),
        ),
    ),
    citation=(
        "Context-informed incremental learning for myoelectric control. Journal of "
        "NeuroEngineering and Rehabilitation (2024). doi:10.1186/s12984-024-01355-4"
    ),
    citation_key="ciil2024",
    people="21 (electrode-shift) and 11 (minimal)",
    kinds=("semg",),
    fs_hz=(200.0,),
    tasks=(
        "Part electrode-shift: session 'training' (5 repetitions of about 3 s) before the band was "
        "moved, sessions 'trial_1' to 'trial_4' (2 repetitions) after it. Part minimal: session "
        "'train' (one repetition of 1 s), sessions 'test-0' to 'test-6'. Trial = repetition."
    ),
    labels=GESTURES,
    defects=(
        (
            "Shift people 13 and 16 have a further session 'trial_0', which the others have not: "
            "dropped, so that everybody has the same sessions."
        ),
        "The game logs of one person are no recordings: not read.",
    ),
    notes=(
        (
            "Class 3 is wrist extension and class 4 wrist flexion, as the source's own metadata "
            "say (some software that reads these files has them the other way round)."
        ),
        (
            "Both parts number their people from 0. Nothing in the signals says that equal numbers "
            "are the same person, and nothing excludes it: do not train on one part and test on "
            "the other as if the people were different."
        ),
    ),
    parts=(SHIFT, MINIMAL),
    sha256="d3572a6920d9bcd31f1525ead6df135c903e76b40082792261138556961ee596",
)

_PATTERN = (
    r"(?:(ElectrodeShift)|(MinimalTrainingData))/subject(\d+)/"
    r"(?:(training|trial_\d+)|(train)|test/trial_(\d+))/R_(\d+)_C_(\d+)\.csv$"
)


def read(files: Files) -> Contents:
    """Find the gesture files of both parts; one recording each."""
    found, dropped = files.distinct(files.find(_PATTERN))
    entries = []
    extra: dict[str, int] = {}
    for path, match in found:
        part = SHIFT if match[1] else MINIMAL
        session = match[4] or match[5] or f"test-{match[6]}"
        person = f"{'shift' if match[1] else 'minimal'}-{int(match[3]):02d}"
        if session == "trial_0":
            extra[person] = extra.get(person, 0) + 1
            continue
        subject = Subject(person)
        load = partial(_recording, path, subject, session, int(match[7]), int(match[8]))
        digest = files.sha256(path)
        entries.append(Entry(files.name(path), subject, load, session, part, digest))
    reason = "only this person and one other have this session"
    dropped += [Dropped(f"{who}, trial_0 ({n} files)", reason, SHIFT) for who, n in extra.items()]
    return Contents(tuple(entries), tuple(dropped))


def _recording(
    path: Path, subject: Subject, session: str, repetition: int, number: int
) -> Recording:
    return gesture(
        numbers(path, columns=8).T,
        myo_layout(),
        label=GESTURES[number],
        trial=repetition + 1,
        subject=subject,
        session=session,
    )
