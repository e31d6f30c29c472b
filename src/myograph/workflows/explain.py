"""Explain: why a saved model decides about a recording as it does, and how far to believe that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from myograph.core.checks import check_choice
from myograph.core.errors import ParameterError
from myograph.core.recording import Recording
from myograph.workflows.cohort import Data, Selection, open_cohort
from myograph.workflows.outputs import check_free, write_bytes, write_text

if TYPE_CHECKING:
    from myograph.explain.explained import Explained, Reference
    from myograph.pipeline.pipeline import Pipeline

__all__ = ["Asked", "People", "check_target", "explain", "write_explanation"]

#: Endings of what an explanation can be written to.
SUFFIXES = (".html", ".png", ".svg")

# Recordings of the reference that permutation importance exchanges: enough people, in minutes.
_MOST_RECORDINGS = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be explained; see `myograph.explain.question`.

    Parameters
    ----------
    time_s, start_s, stop_s : float, optional
        One window, or a stretch; the whole recording without them.
    window : int, optional
        One window by its number.
    target, against : str
        Classes: the decided one and the next by default.
    wanted : str
        The class a counterfactual is to reach.
    most : int
        Most windows that are looked at.
    """

    time_s: float | None = None
    start_s: float | None = None
    stop_s: float | None = None
    window: int | None = None
    target: str = ""
    against: str = ""
    wanted: str = ""
    most: int = 60


@dataclass(frozen=True, slots=True)
class People:
    """Training people to compare with.

    Parameters
    ----------
    data : str, path, Dataset or sequence of Recording
        What the model learned from.
    people, leave_out : sequence of str
        Only these people, or all but these, as when it was trained.
    people_from : str
        As for `myograph.workflows.evaluate.evaluate`.
    """

    data: Data
    people: Sequence[str] = ()
    leave_out: Sequence[str] = ()
    people_from: str = "header"


def explain(  # noqa: PLR0913 - the verb as people type it: every option by its name
    model: str | PathLike[str] | Pipeline,
    data: Data,
    *,
    asked: Asked | None = None,
    method: str = "auto",
    reference: People | None = None,
    person: str = "",
    number: int | None = None,
    read: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Explained:
    """Explain a decision of a model about one recording.

    Parameters
    ----------
    model : path or Pipeline
        A ``.myomodel`` file.
    data : str, path, Dataset or sequence of Recording
        The recording, or data that hold it.
    asked : Asked, optional
        Which stretch and which classes.
    method : str
        One of `myograph.explain.explainer.METHODS`.
    reference : People, optional
        The data the model learned from, for similar cases and explanations by feature.
    person : str
        Whose recording, where the data hold several people.
    number : int, optional
        Which recording, from 0, where there are several.
    read : mapping, optional
        Options for reading files, as for `myograph.read`.
    seed : int
        Of random orders.

    Raises
    ------
    ArtifactError
        If the model's file was altered, or is from a newer format.
    LayoutError
        If the recording has another rate, montage or unit than the model was trained for.
    ParameterError
        If the data hold several recordings and none is chosen, or a choice is not there.
    """
    from myograph.explain.explainer import METHODS, explain_question
    from myograph.explain.question import Stretch, ask
    from myograph.pipeline.artifact import load_model

    check_choice(method, METHODS, name="method")
    asked = asked or Asked()
    pipeline = load_model(Path(model)) if isinstance(model, str | PathLike) else model
    recording = _one(data, person=person, number=number, read=read or {})
    stretch = Stretch(asked.start_s, asked.stop_s, asked.time_s, asked.window, asked.most)
    question = ask(pipeline, recording, stretch=stretch, target=asked.target, against=asked.against)
    known = None
    if reference is not None:
        wanted = method in ("auto", "permutation")
        known = _reference(pipeline, reference, read or {}, seed=seed, importance=wanted)
    return explain_question(
        question, method=method, reference=known, seed=seed, wanted=asked.wanted
    )


def write_explanation(found: Explained, path: str | PathLike[str], *, force: bool = False) -> Path:
    """Write the page (``.html``) or the picture (``.png``, ``.svg``) of an explanation.

    Raises
    ------
    OutputExistsError
        If the file exists and ``force`` is not given.
    """
    from myograph.report.explanation import explanation_page, explanation_picture

    target = check_target(Path(path), force=force)
    if target.suffix.lower() == ".html":
        page = explanation_page(found, written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
        return write_text(target, page, force=force)
    picture = explanation_picture(found, suffix=target.suffix.lower())
    return write_bytes(target, picture, force=force)


def check_target(path: Path, *, force: bool) -> Path:
    """Return ``path`` if an explanation can be written there, before any work is done for it."""
    check_choice(path.suffix.lower(), SUFFIXES, name="the ending of an explanation's file")
    return check_free(path, force=force)


def _one(data: Data, *, person: str, number: int | None, read: Mapping[str, Any]) -> Recording:
    people = (person,) if person else ()
    cohort = open_cohort(data, Selection(people, people_from="file", read=read))
    n = len(cohort.recordings)
    if number is None and n > 1:
        whose = " of this person" if person else ""
        raise ParameterError(
            f"{cohort.name} holds {n} recordings{whose}, and one decision is explained at a time; "
            f"choose one by its number, 0 to {n - 1} (--number), and whose (--person)."
        )
    if number is not None and not 0 <= number < n:
        raise ParameterError(f"number must be 0 to {n - 1}, as {cohort.name} holds; got {number}.")
    return cohort.recordings[number or 0]


def _reference(
    pipeline: Pipeline, given: People, read: Mapping[str, Any], *, seed: int, importance: bool
) -> Reference:
    from myograph.explain.explained import Reference
    from myograph.explain.parts import bands_of
    from myograph.explain.rest import Rest
    from myograph.pipeline.fitted import training_summary

    selection = Selection(given.people, given.leave_out, given.people_from, read)
    cohort = open_cohort(given.data, selection)
    for recording in cohort.recordings[:1]:
        pipeline.check_layout(recording.layout)
    table = pipeline.prepare(cohort.recordings)
    same = training_summary(table)["digest"] == pipeline.fitted.training.get("digest")
    few = _spread(cohort.recordings)
    found = _importance(pipeline, few, table, seed) if importance else ()
    rest = Rest.of(pipeline, few, bands_of(pipeline, few[0].fs_hz))
    return Reference(table, cohort.name, same, found, rest)


def _spread(recordings: Sequence[Recording]) -> list[Recording]:
    """Return some of the recordings, evenly spread over all of them."""
    picked = np.linspace(0, len(recordings) - 1, min(_MOST_RECORDINGS, len(recordings)))
    return [recordings[k] for k in dict.fromkeys(picked.round().astype(int).tolist())]


def _importance(
    pipeline: Pipeline, recordings: Sequence[Recording], table: Any, seed: int
) -> tuple[Any, ...]:
    from myograph.explain.importance import band_importance, feature_importance, muscle_importance
    from myograph.explain.parts import bands_of, families

    found = []
    if pipeline.layout.n_channels > 1:
        found.append(muscle_importance(pipeline, recordings, repeats=2, seed=seed))
    bands = bands_of(pipeline, recordings[0].fs_hz)
    found.append(band_importance(pipeline, recordings, bands, repeats=2, seed=seed))
    groups = families(table.names)
    if not pipeline.front.whole and len(groups.names) > 1:
        found.append(feature_importance(pipeline, table, groups, repeats=2, seed=seed))
    return tuple(found)
