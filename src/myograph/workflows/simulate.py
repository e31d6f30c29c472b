"""Simulate: cohorts of people who do not exist, streamed to disk with their truth beside them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from myograph.core.errors import DataError, OutputExistsError, ParameterError
from myograph.workflows.cluster import on_cluster
from myograph.workflows.outputs import read_json, write_json

if TYPE_CHECKING:
    from myograph.core.recording import Recording
    from myograph.twin.cohort import CohortKind, Scene
    from myograph.twin.truth import Truth

__all__ = ["CohortMade", "Told", "cohort_kinds", "simulate_cohort", "simulate_recording"]

#: Called with what is being done, how much of it is done, of how much, and a word about it.
Told = Callable[[str, int, int, str], None]

#: What a scene holds that is not the kind's choice when it is not given.
_SCENE = ("people", "seconds", "seed", "n_sites", "takes", "fs_hz", "own_rates", "condition")


@dataclass(frozen=True, slots=True)
class CohortMade:
    """What was written.

    Parameters
    ----------
    folder : Path
    kind : str
    people, recordings : int
    made, kept : int
        Recordings made now, and those that an earlier, interrupted run had left.
    seconds : float
        Wall time.
    """

    folder: Path
    kind: str
    people: int
    recordings: int
    made: int
    kept: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "folder": str(self.folder),
            "kind": self.kind,
            "simulated": True,
            "people": self.people,
            "recordings": self.recordings,
            "made": self.made,
            "kept": self.kept,
            "seconds": round(self.seconds, 2),
        }


def cohort_kinds() -> dict[str, CohortKind]:
    """Return the kinds of cohort by name."""
    from myograph.twin.cohorts import COHORTS

    return dict(COHORTS)


def simulate_cohort(
    kind: str,
    folder: str | PathLike[str],
    *,
    jobs: int | None = None,
    cluster: str | None = None,
    force: bool = False,
    progress: Told | None = None,
    **scene: Any,
) -> CohortMade:
    """Simulate a cohort and write it, one recording at a time.

    A run that was stopped goes on where it was when it is asked for the same again. A finished
    cohort, or another one, is left as it is unless ``force`` is given.

    Parameters
    ----------
    kind : str
        One of `cohort_kinds`.
    folder : path
        Gets ``cohort.json``, ``recordings/`` (native files) and ``truth/`` (npz and JSON).
    jobs : int, optional
        Processes; all cores by default. They change nothing in the files.
    cluster : str, optional
        Address of a Dask cluster to send the work to; its workers must see ``folder``.
    force : bool
        Replace the cohort that is there.
    progress : callable, optional
        See `Told`.
    **scene
        Fields of `myograph.twin.cohort.Scene`: ``people``, ``seconds``, ``seed``, ``takes``, ...

    Raises
    ------
    ParameterError
        If the kind or a field is unknown, or a value breaks its rule.
    OutputExistsError
        If something else, or a finished cohort, is there.

    Examples
    --------
    >>> from myograph.workflows.simulate import simulate_cohort
    >>> made = simulate_cohort("gestures", "people", people=2, seconds=20)  # doctest: +SKIP
    >>> made.recordings  # doctest: +SKIP
    2
    """
    begin = time.perf_counter()
    if jobs == 0:
        raise ParameterError("jobs must not be 0; give 1 or more, or -1 for all cores.")
    plan = _Plan.of(kind, scene)
    target = Path(folder)
    _claim(target, plan, force=force)
    _sweep(target)
    missing = plan.missing(target)
    total = sum(len(takes) for takes in plan.names)
    kept = total - sum(len(takes) for _, takes in missing)
    with on_cluster(cluster, shared=target):
        _write_all(plan, target, missing, jobs, _Told(progress, total, kept))
    write_json(target / plan.mark, {**plan.to_dict(), "complete": True}, force=True)
    return CohortMade(
        target,
        kind,
        plan.scene.people,
        total,
        total - kept,
        kept,
        time.perf_counter() - begin,
    )


def simulate_recording(
    kind: str,
    path: str | PathLike[str],
    *,
    person: int = 1,
    take: int = 1,
    force: bool = False,
    **scene: Any,
) -> tuple[Recording, Truth, tuple[Path, ...]]:
    """Simulate one recording of one person and write it with its truth beside it.

    Parameters
    ----------
    kind : str
        One of `cohort_kinds`.
    path : path
        The recording; its ending chooses the format. The truth takes its name, with
        ``.truth.npz`` and ``.truth.json``.
    person, take : int
        Which person of the cohort, and which of their recordings, from 1.
    force : bool
    **scene
        As in `simulate_cohort`; the recording is the one that the cohort would hold.

    Returns
    -------
    tuple
        The recording, the truth, and the files.
    """
    from myograph import io
    from myograph.core.checks import check_count
    from myograph.twin.cohort import sitting

    check_count(person, name="person")
    check_count(take, name="take")
    plan = _Plan.of(kind, {**scene, "people": max(int(scene.get("people", 0)), person)})
    target = Path(path)
    stem = target.with_name(target.name.removesuffix(".h5").removesuffix(".myo") + ".truth")
    files = (target, *(stem.with_name(stem.name + end) for end in (".npz", ".json")))
    for file in files:
        if file.exists() and not force:
            raise OutputExistsError(
                f"{file} already exists and is left as it is; write elsewhere, or overwrite it "
                "with force=True (--force)."
            )
    made = sitting(plan.kind, plan.scene, person - 1)(take)
    io.write(made.recording, target, force=force)
    made.truth.save(stem, force=force)
    return made.recording, made.truth, files


@dataclass(frozen=True)
class _Plan:
    """What is to be made."""

    name: str
    kind: CohortKind
    scene: Scene
    mark: str = field(default="cohort.json", init=False)

    @classmethod
    def of(cls, name: str, given: dict[str, Any]) -> _Plan:
        from myograph.core.checks import unknown_name
        from myograph.twin.cohort import Scene
        from myograph.twin.cohorts import COHORTS

        kind = COHORTS[name]
        for key in given:
            if key not in (*_SCENE, "parts"):
                raise ParameterError(unknown_name(key, _SCENE, what="setting of a cohort"))
        chosen = {key: value for key, value in given.items() if value is not None}
        scene = kind.checked(Scene(**{"seconds": kind.seconds, **chosen}))
        return cls(name, kind, scene)

    @property
    def names(self) -> list[list[str]]:
        return self.kind.names(self.scene)

    def to_dict(self) -> dict[str, Any]:
        """Return what the folder says of itself."""
        from myograph import __version__
        from myograph.datasets.folder import FORMAT

        return {
            "format": FORMAT,
            "simulated": True,
            "made_by": f"Myograph {__version__}",
            "kind": self.name,
            "title": f"SIMULATED: {self.kind.title}",
            "tasks": self.kind.tasks,
            "labels": list(self.kind.labels),
            "channel": self.kind.channel,
            "scene": self.scene.to_dict(),
            "recordings": [name for names in self.names for name in names],
            "complete": False,
        }

    def missing(self, folder: Path) -> list[tuple[int, list[int]]]:
        """Return the people with recordings still to make, and which (from 1)."""
        found = []
        for index, names in enumerate(self.names):
            takes = [n + 1 for n, name in enumerate(names) if not _is_there(folder, name)]
            if takes:
                found.append((index, takes))
        return found


@dataclass(slots=True)
class _Told:
    """Progress as recordings are finished."""

    progress: Told | None
    total: int
    done: int

    def more(self, n: int) -> None:
        self.done += n
        if self.progress is not None:
            told = f"{self.done} of {self.total} recordings"
            self.progress("simulating", self.done, self.total, told)


def _is_there(folder: Path, name: str) -> bool:
    from myograph.datasets.folder import recording_file, truth_stem

    stem = truth_stem(folder, name)
    truth = all(stem.with_name(stem.name + end).is_file() for end in (".npz", ".json"))
    return truth and recording_file(folder, name).is_file()


def _claim(target: Path, plan: _Plan, *, force: bool) -> None:
    """Make the folder ours: new, empty, an interrupted run of the same plan, or replaced."""
    wanted = plan.to_dict()
    if target.exists() and not target.is_dir():
        raise OutputExistsError(f"{target} is a file; give the name of a folder to make.")
    if not target.absolute().parent.is_dir():
        raise DataError(f"{target.absolute().parent} is not a folder; create it first.")
    mark = target / plan.mark
    if target.is_dir() and any(target.iterdir()):
        if not mark.is_file():
            raise OutputExistsError(
                f"{target} holds other files and is no cohort (no {plan.mark}), so it is left as "
                "it is even with --force; write elsewhere."
            )
        there = read_json(mark)
        if not force:
            if {**there, "complete": False} != wanted:
                raise OutputExistsError(
                    f"{target} holds another cohort ({_told(there)}); write elsewhere, or replace "
                    "it with force=True (--force)."
                )
            if there.get("complete"):
                raise OutputExistsError(
                    f"{target} holds this cohort already, complete; use it, write elsewhere, or "
                    "make it again with force=True (--force)."
                )
        elif {**there, "complete": False} != wanted or there.get("complete"):
            for part in ("recordings", "truth"):
                shutil.rmtree(target / part, ignore_errors=True)
    target.mkdir(exist_ok=True)
    write_json(mark, wanted, force=True)


def _sweep(target: Path) -> None:
    """Remove what a killed run was in the middle of writing; its names begin with a dot."""
    for part in ("recordings", "truth"):
        for rest in (target / part).glob("*/.*"):
            if rest.is_dir():
                shutil.rmtree(rest, ignore_errors=True)
            else:
                rest.unlink(missing_ok=True)


def _told(there: Any) -> str:
    scene = there.get("scene", {}) if isinstance(there, dict) else {}
    kind = there.get("kind", "of an unknown kind") if isinstance(there, dict) else "damaged"
    told = ", ".join(f"{key} {scene[key]}" for key in ("people", "seconds", "seed") if key in scene)
    return f"{kind}, {told}" if told else str(kind)


def _write_all(
    plan: _Plan,
    folder: Path,
    missing: Sequence[tuple[int, list[int]]],
    jobs: int | None,
    told: _Told,
) -> None:
    from myograph.pipeline.fanout import fan_out

    told.more(0)
    if not missing:
        return
    # One task a person: the body is built once, and no worker holds more than one recording.
    work = ((plan.name, plan.scene, folder, k, n) for k, n in missing)
    n_jobs = min(-1 if jobs is None else jobs, len(missing))
    for n in fan_out(_write_person, work, jobs=n_jobs, in_order=False):
        told.more(n)


def _write_person(name: str, scene: Scene, folder: Path, index: int, takes: list[int]) -> int:
    """Make a person and write the recordings that are missing, each complete or not at all."""
    from myograph import io
    from myograph.datasets.folder import recording_file, truth_stem
    from myograph.twin.cohort import sitting
    from myograph.twin.cohorts import COHORTS

    kind = COHORTS[name]
    names = kind.names(scene)[index]
    record = sitting(kind, scene, index)
    for take in takes:
        made = record(take)
        file, stem = recording_file(folder, names[take - 1]), truth_stem(folder, names[take - 1])
        for parent in (file.parent, stem.parent):
            parent.mkdir(parents=True, exist_ok=True)
        made.truth.save(stem, force=True)
        io.write(made.recording, file, force=True)
    return len(takes)
