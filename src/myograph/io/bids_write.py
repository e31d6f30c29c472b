"""BIDS with datatype ``emg``, written: a recording into a dataset, new or already there."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, cast

from myograph.core.errors import DataError, OutputExistsError, ParameterError
from myograph.core.layout import MUSCLE_KINDS, Channel
from myograph.core.recording import GAP, Recording, RecordingSet, Subject
from myograph.io.bids_files import DESCRIPTION, TYPES, label_of, read_table, table_text
from myograph.io.edf_write import labels_for, save_bdf
from myograph.io.header import members_of

__all__ = ["write_bids"]

_BIDS_VERSION = "1.11.1"

_PEOPLE = ("participant_id", "age", "sex", "handedness", "height", "weight", "condition")

_CHANNELS = (
    *("name", "type", "units", "sampling_frequency", "signal_electrode", "target_muscle"),
    *("kind", "side", "scale"),
)

# What the columns mean that BIDS does not define, once for the whole dataset.
_COLUMNS: Mapping[str, Mapping[str, Any]] = {
    "channels.json": {
        "kind": {"Description": "What the channel measures, in Myograph's words"},
        "side": {"Description": "Side of the body", "Levels": {"left": "left", "right": "right"}},
        "scale": {"Description": "physical, count (device steps of unknown size) or normalised"},
    },
    "events.json": {
        "trial_type": {"Description": "What happened"},
        "source": {"Description": "Who says so: protocol, annotation or a detector"},
        "trial": {"Description": "Which repetition this is"},
    },
    "participants.json": {
        "age": {"Description": "Age at the recording", "Units": "year"},
        "height": {"Description": "Body height", "Units": "cm"},
        "weight": {"Description": "Body mass", "Units": "kg"},
        "condition": {"Description": "Diagnosis or study group"},
    },
}


def write_bids(
    recording: Recording | RecordingSet,
    root: str | PathLike[str],
    *,
    task: str,
    run: int | None = None,
    sidecar: Mapping[str, Any] | None = None,
    force: bool = False,
) -> tuple[Path, ...]:
    """Write a recording into a BIDS dataset as ``sub-*/[ses-*/]emg/sub-*_task-*_emg.bdf``.

    Everything is written beside the dataset first and moved into place once complete. A person who
    is already in ``participants.tsv`` is left as they stand there.

    Parameters
    ----------
    recording : Recording or RecordingSet
        Of a person with a pseudonym, whose letters and digits name the files; so do those of the
        session. Each member of a set becomes one file, told apart by ``acq-``.
    root : path
        The dataset; made when it does not exist (its parent folder must).
    task : str
        What the person did, in letters and digits: ``"grasp"``.
    run : int, optional
        Counts repetitions of the same task in one session.
    sidecar : mapping, optional
        What Myograph cannot know of ``_emg.json``: ``EMGReference``, ``PowerLineFrequency``,
        ``EMGPlacementScheme``, ... ; they win over what it would write.
    force : bool
        Overwrite the recording if it is there.

    Returns
    -------
    tuple of Path
        The data files, one for each member.

    Raises
    ------
    OutputExistsError
        If the recording is already there and ``force`` is not given.
    DataError
        If the recording is of nobody, or ``root`` is a folder but no BIDS dataset.
    ParameterError
        If a label has other characters than letters and digits.
    """
    target = Path(root)
    members = _with_person(members_of(recording))
    plans = [
        _Plan.of(member, name, task=task, run=run, sidecar=sidecar or {})
        for name, member in members.items()
    ]
    if len({plan.stem for plan in plans}) < len(plans):
        raise ParameterError(
            f"The members {list(members)} have the same letters and digits; BIDS cannot tell them "
            "apart. Rename them."
        )
    _check_root(target)
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".myograph-") as folder:
            made = Path(folder) / "dataset"
            for plan in plans:
                plan.write(made)
            _write_dataset(made, target, plans)
            _refuse_existing(made, target, plans, force=force)
            _move(made, target, plans)
    except OSError as error:
        if isinstance(error, OutputExistsError):
            raise
        raise DataError(f"{target} could not be written: {error}. Free some space.") from error
    return tuple(target / plan.data for plan in plans)


def _with_person(members: Mapping[str, Recording]) -> dict[str, Recording]:
    """Return the members with the person and the session that one of them names for all."""
    people = [member.subject for member in members.values() if member.subject]
    if not people:
        raise DataError(
            "A BIDS dataset files recordings by person, and this one is of nobody; give it a "
            "subject first: dataclasses.replace(recording, subject=Subject('p01'))."
        )
    session = next((member.session for member in members.values() if member.session), "")
    return {
        name: replace(m, subject=m.subject or people[0], session=m.session or session)
        for name, m in members.items()
    }


@dataclass(frozen=True)
class _Plan:
    """One data file and what stands beside it."""

    recording: Recording
    subject: Subject
    folder: Path
    stem: str  # without the suffix
    place: str  # the same without task and run, which positions do not depend on
    task: str
    sidecar: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        recording: Recording,
        name: str,
        *,
        task: str,
        run: int | None,
        sidecar: Mapping[str, Any],
    ) -> _Plan:
        if not task or label_of(task) != task:
            raise ParameterError(f"task must be letters and digits only; got {task!r}.")
        subject = cast(Subject, recording.subject)  # `_with_person` has seen to it
        sub = _label(subject.pseudonym, "pseudonym")
        ses = f"_ses-{_label(recording.session, 'session')}" if recording.session else ""
        acq = f"_acq-{_label(name, 'name of the member')}" if name else ""
        number = "" if run is None else f"_run-{run}"
        folder = Path(f"sub-{sub}", *([ses[1:]] if ses else []), "emg")
        stem = f"sub-{sub}{ses}_task-{task}{acq}{number}"
        return cls(recording, subject, folder, stem, f"sub-{sub}{ses}{acq}", task, sidecar)

    @property
    def data(self) -> Path:
        """The data file, relative to the dataset."""
        return self.folder / f"{self.stem}_emg.bdf"

    @property
    def own(self) -> list[Path]:
        """All files that belong to this recording alone, whether they are written or not."""
        ends = ("emg.json", "channels.tsv", "events.tsv")
        return [self.data, *(self.folder / f"{self.stem}_{end}" for end in ends)]

    def write(self, root: Path) -> None:
        """Write the data file and its sidecars below ``root``."""
        folder = root / self.folder
        folder.mkdir(parents=True, exist_ok=True)
        save_bdf(self.recording, root / self.data)
        _write_json(folder / f"{self.stem}_emg.json", self._json())
        _write(folder / f"{self.stem}_channels.tsv", table_text(_CHANNELS, self._channels()))
        events = self._events()
        if events:
            columns = ("onset", "duration", "trial_type", "source", "trial")
            _write(folder / f"{self.stem}_events.tsv", table_text(columns, events))
        electrodes = list(_electrodes(self.recording.layout.channels))
        if electrodes:
            columns = ("name", "x", "y", "z", "coordinate_system")
            _write(folder / f"{self.place}_electrodes.tsv", table_text(columns, electrodes))
            _write_json(
                folder / f"{self.place}_coordsystem.json",
                {
                    "EMGCoordinateSystem": "Other",
                    "EMGCoordinateUnits": "mm",
                    "EMGCoordinateSystemDescription": "x along the fibres, y across, z up",
                },
            )

    def _json(self) -> dict[str, Any]:
        recording = self.recording
        channels = recording.layout.channels
        measured = any(channel.position_mm is not None for channel in channels)
        filters = {step.step: json.loads(step.parameters) for step in recording.recipe.steps}
        gaps = any(event.label == GAP for event in recording.events)
        known = {
            "TaskName": self.task,
            "EMGPlacementScheme": "Measured" if measured else "Other",
            **({} if measured else {"EMGPlacementSchemeDescription": "not known"}),
            "EMGReference": "n/a",
            "SamplingFrequency": recording.fs_hz,
            "PowerLineFrequency": "n/a",
            "SoftwareFilters": filters or "n/a",
            "EMGChannelCount": sum(channel.kind in MUSCLE_KINDS for channel in channels),
            "TriggerChannelCount": sum(channel.kind == "trigger" for channel in channels),
            "RecordingDuration": recording.duration_s,
            "RecordingType": "discontinuous" if gaps else "continuous",
            "ManufacturersModelName": recording.device,
            "InstitutionName": recording.site,
        }
        return {name: value for name, value in known.items() if value != ""} | dict(self.sidecar)

    def _channels(self) -> Iterator[dict[str, Any]]:
        channels = self.recording.layout.channels
        for channel, label in zip(channels, labels_for(channels), strict=True):
            yield {
                "name": label,
                "type": TYPES.get(channel.kind, "MISC"),
                "units": {"uV": "µV", "1": "", "count": ""}.get(channel.unit, channel.unit),
                "sampling_frequency": self.recording.fs_hz,
                "signal_electrode": channel.name if channel.position_mm is not None else "",
                "target_muscle": channel.muscle,
                "kind": channel.kind,
                "side": channel.side,
                "scale": channel.scale,
            }

    def _events(self) -> list[dict[str, Any]]:
        return [
            {
                "onset": event.onset_s - self.recording.start_s,
                "duration": event.duration_s,
                "trial_type": event.label,
                "source": event.source,
                "trial": event.trial,
            }
            for event in self.recording.events
        ]


def _label(text: str, what: str) -> str:
    label = label_of(text)
    if not label:
        raise ParameterError(
            f"The {what} {text!r} has no letter or digit, of which BIDS makes names; change it."
        )
    return label


def _electrodes(channels: Sequence[Channel]) -> Iterator[dict[str, Any]]:
    for channel in channels:
        if channel.position_mm is not None:
            x, y, z = channel.position_mm
            yield {"name": channel.name, "x": x, "y": y, "z": z}


def _check_root(root: Path) -> None:
    if not root.exists():
        if not root.parent.is_dir():
            raise DataError(f"{root.parent} is not a folder; create it before writing {root.name}.")
    elif not root.is_dir() or (any(root.iterdir()) and not (root / DESCRIPTION).is_file()):
        raise DataError(
            f"{root} is there and is no BIDS dataset (it has no {DESCRIPTION}); choose an empty or "
            "a new folder."
        )


def _write_dataset(made: Path, root: Path, plans: Sequence[_Plan]) -> None:
    """Write what the dataset has once, as far as it does not have it."""
    once = {
        DESCRIPTION: {
            "Name": root.name,
            "BIDSVersion": _BIDS_VERSION,
            "DatasetType": "raw",
            "GeneratedBy": [{"Name": "Myograph"}],
        },
        **_COLUMNS,
    }
    for name, content in once.items():
        if not (root / name).is_file():
            _write_json(made / name, content)
    if not any(root.glob("README*")):
        _write(made / "README", f"{root.name}: recordings of muscle, written by Myograph.\n")
    table = root / "participants.tsv"
    rows = read_table(table) if table.is_file() else []
    columns = list(dict.fromkeys([*(rows[0] if rows else ()), *_PEOPLE]))
    for plan in plans:
        sub = plan.folder.parts[0]
        if all(row.get("participant_id") != sub for row in rows):
            rows.append(_person(sub, plan.subject))
    _write(made / "participants.tsv", table_text(columns, rows))


def _person(sub: str, subject: Subject) -> dict[str, Any]:
    return {
        "participant_id": sub,
        "age": subject.age_years,
        "sex": subject.sex[:1].upper(),
        "handedness": {"left": "L", "right": "R", "both": "A"}.get(subject.handedness, ""),
        "height": subject.height_cm,
        "weight": subject.mass_kg,
        "condition": subject.condition,
    }


def _refuse_existing(made: Path, root: Path, plans: Sequence[_Plan], *, force: bool) -> None:
    """Refuse what is there, and positions that are not those of another run of this session."""
    if force:
        return
    found = [root / path for plan in plans for path in plan.own if (root / path).exists()]
    for plan in plans:
        for end in ("electrodes.tsv", "coordsystem.json"):
            path = plan.folder / f"{plan.place}_{end}"
            new, old = made / path, root / path
            if new.exists() and old.exists() and new.read_bytes() != old.read_bytes():
                found.append(old)
    if found:
        raise OutputExistsError(
            f"{', '.join(map(str, found))} already exists and is left as it is; choose another "
            "task or run, or overwrite it with force=True (--force)."
        )


def _move(made: Path, root: Path, plans: Sequence[_Plan]) -> None:
    """Move files into place, data last: a recording appears when all about it is there."""
    files = [path.relative_to(made) for path in sorted(made.rglob("*")) if path.is_file()]
    data = {plan.data for plan in plans}
    for path in sorted(files, key=lambda path: path in data):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).replace(root / path)
    for plan in plans:  # what an overwritten recording had and this one has not
        for path in plan.own:
            if path not in files:
                (root / path).unlink(missing_ok=True)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    _write(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
