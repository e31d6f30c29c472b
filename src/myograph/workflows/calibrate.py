"""Calibrate: guide somebody through movements, and keep the model and the signature."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import GAP, Event, Recording
from myograph.io.read import read as read_file
from myograph.io.write import write as write_file
from myograph.workflows.cohort import Selection, open_cohort
from myograph.workflows.outputs import check_folder, new_folder, read_json, write_json

if TYPE_CHECKING:
    from myograph.core.layout import Layout
    from myograph.stream.calibrate import Calibrated, Calibration
    from myograph.stream.prompts import Plan
    from myograph.stream.source import Source
    from myograph.stream.wearer import Wearer

__all__ = ["MOVEMENTS", "CalibrationAsked", "CalibrationResult", "calibrate"]

#: What is asked for unless told otherwise.
MOVEMENTS = ("rest", "hand close", "hand open", "wrist flexion", "wrist extension")

#: The mark of a calibration's folder.
MARK = "calibration.json"
_MODEL, _SIGNATURE, _SAMPLES = "hand.myomodel", "signature.json", "repetitions.myo"

#: Called whenever something may have to be drawn anew.
Show = Callable[["Calibration"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationAsked:
    """What is asked of a person.

    Parameters
    ----------
    subject : str
        Pseudonym.
    movements : sequence of str
        With rest among them.
    earlier : path, optional
        Folder of the person's first calibration: this one is then a short one after the band was
        put on again.
    repetitions, hold_s, countdown_s : optional
        Instead of what fits into a minute (14 s with ``earlier``).
    method : str
        How the short one and the first are combined, see `myograph.stream.recalibrate.combine`.
    pipeline : mapping, optional
        What is learned; see `myograph.stream.calibrate.PIPELINE`.
    redo : int
        How often a repetition that fails the quality gate is asked for again by itself.
    timeout_s : float
        Until the source must have appeared, or given its next samples.
    """

    subject: str
    movements: Sequence[str] = MOVEMENTS
    earlier: str | PathLike[str] | None = None
    repetitions: int | None = None
    hold_s: float | None = None
    countdown_s: float | None = None
    method: str = "aligned"
    pipeline: Mapping[str, Any] | None = None
    redo: int = 1
    timeout_s: float = 10.0


@dataclass(frozen=True, eq=False)
class CalibrationResult:
    """What a calibration gave, and where it is.

    Parameters
    ----------
    folder : Path
    calibrated : Calibrated
    about : dict
        What ``calibration.json`` says.
    """

    folder: Path
    calibrated: Calibrated
    about: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {"folder": str(self.folder), **self.about}


def calibrate(
    source: str,
    out: str | PathLike[str],
    asked: CalibrationAsked,
    *,
    show: Show | None = None,
    force: bool = False,
) -> CalibrationResult:
    """Guide a person, a recording or a simulated person through a calibration, and save it.

    Parameters
    ----------
    source : str
        ``recorded:DATA`` takes the repetitions of a recording or dataset as they are asked for;
        ``simulated:SEED`` a simulated person, ``simulated:SEED?turned_deg=15`` with a band that
        was turned. Anything else is a live source as of ``myograph live``, and whoever wears it
        follows the prompts that ``show`` draws.
    out : path
        Folder for model, signature and repetitions.
    asked : CalibrationAsked
    show : callable, optional
        Called with the `Calibration` after every chunk; it may call its `redo`.
    force : bool
        Replace an earlier calibration at ``out``.

    Raises
    ------
    DataError
        If a movement could not be recorded well, the source ended or never appeared, or its
        layout is not that of the earlier calibration.
    """
    target = check_folder(Path(out), mark=MARK, force=force)
    earlier = None if asked.earlier is None else _Earlier.load(Path(asked.earlier))
    shown = show or (lambda _: None)
    kind, _, place = source.partition(":")
    if kind in {"recorded", "simulated"}:
        wearer = _recorded(place, asked) if kind == "recorded" else _simulated(place, asked)
        guided = _begin(asked, wearer.layout, earlier)
        _follow(guided, wearer, shown)
    else:
        from myograph.stream.find import find_source

        guided = asyncio.run(_guide(find_source(source), asked, earlier, shown))
    made = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    calibrated = guided.finish(
        made=made, earlier=None if earlier is None else earlier.table(guided), method=asked.method
    )
    about = _about(guided, calibrated, earlier, source)
    with new_folder(target, mark=MARK, force=force) as folder:
        _save(folder, calibrated, about)
    return CalibrationResult(target, calibrated, about)


# --- the earlier calibration ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Earlier:
    folder: Path
    about: Mapping[str, Any]
    recording: Recording

    @classmethod
    def load(cls, folder: Path) -> _Earlier:
        about = read_json(folder / MARK)
        recording = read_file(folder / _SAMPLES)
        if not isinstance(about, dict) or not isinstance(recording, Recording):
            raise DataError(f"{folder} is not a calibration (calibrate --out wrote none there).")
        return cls(folder, about, recording)

    def table(self, guided: Calibration) -> Any:
        from myograph.pipeline.pipeline import Pipeline

        return Pipeline(guided.config).prepare([self.recording])


def _begin(asked: CalibrationAsked, layout: Layout, earlier: _Earlier | None) -> Calibration:
    from myograph.core.layout import MUSCLE_KINDS
    from myograph.stream.calibrate import Calibration

    if not layout.rows(kinds=MUSCLE_KINDS):
        raise DataError(f"The source has no channel of muscle ({MUSCLE_KINDS}): {layout.names}.")
    if earlier is not None:
        wrong = layout.differences(earlier.recording.layout)
        if wrong:
            raise DataError(
                f"The source is not that of the calibration in {earlier.folder}. " + " ".join(wrong)
            )
    movements = asked.movements if earlier is None else tuple(earlier.about["movements"])
    return Calibration(
        _plan(asked, movements, short=earlier is not None),
        layout,
        subject=asked.subject,
        pipeline=asked.pipeline,
        most_again=asked.redo,
    )


def _plan(asked: CalibrationAsked, movements: Sequence[str], *, short: bool) -> Plan:
    from myograph.stream.prompts import Plan

    fits = Plan.repeat(movements) if short else Plan.first_time(movements)
    return Plan(
        tuple(movements),
        asked.repetitions or fits.repetitions,
        asked.countdown_s or fits.countdown_s,
        asked.hold_s or fits.hold_s,
    )


# --- who follows the prompts ---------------------------------------------------------------------


def _recorded(place: str, asked: CalibrationAsked) -> Wearer:
    from myograph.stream.wearer import RecordedWearer

    # Of a dataset only this person's files are read; a file need not say whose it is.
    if not Path(place).exists():
        cohort = open_cohort(place, Selection(people=(asked.subject,)))
        return RecordedWearer(list(cohort.recordings))
    cohort = open_cohort(place, Selection(people_from="file"))
    wanted = [r for r in cohort.recordings if r.subject and r.subject.pseudonym == asked.subject]
    people = sorted({r.subject.pseudonym for r in cohort.recordings if r.subject})
    if not wanted and len(people) > 1:
        raise ParameterError(f"--subject must be one of {people}; got {asked.subject!r}.")
    return RecordedWearer(wanted or list(cohort.recordings))


def _simulated(place: str, asked: CalibrationAsked) -> Wearer:
    from myograph.stream.find import Address
    from myograph.stream.forearm import Forearm
    from myograph.stream.wearer import SimulatedWearer

    del asked
    address = Address.of(f"simulated:{place}")
    address.only("turned_deg", "fs_hz")
    if not address.place.isdigit():
        raise ParameterError(f"simulated: needs the person's seed, a number; got {place!r}.")
    seed = int(address.place)
    arm = Forearm(address.number("fs_hz", 1000.0), seed=seed)
    turned_deg = address.number("turned_deg", 0.0)
    if turned_deg:
        arm.turn_band(turned_deg, contact_seed=round(abs(turned_deg)))
    return SimulatedWearer(arm, seed=seed + round(turned_deg))


def _follow(guided: Calibration, wearer: Wearer, show: Show) -> None:
    size = max(1, round(0.05 * guided.layout.fs_hz))
    before = None
    while not guided.done:
        now = guided.situation
        if now.prompt is None:
            return
        begins, before = before != (now.number, now.phase), (now.number, now.phase)
        take = min(size, guided.samples_left)
        guided.push(wearer.give(now.prompt.movement, take, phase=now.phase, begins=begins))
        show(guided)


async def _guide(
    source: Source, asked: CalibrationAsked, earlier: _Earlier | None, show: Show
) -> Calibration:
    layout = await source.open(timeout_s=asked.timeout_s)
    try:
        guided = _begin(asked, layout, earlier)
        next_number = None
        while not guided.done:
            try:
                chunk = await asyncio.wait_for(source.read(), asked.timeout_s)
            except TimeoutError:
                raise DataError(
                    f"{source.name} gave no samples for {asked.timeout_s:g} s, in prompt "
                    f"{guided.situation.number} of {guided.situation.total}; nothing was kept. "
                    "Look at the device and begin again."
                ) from None
            if chunk is None:
                raise DataError(
                    f"{source.name} ended in prompt {guided.situation.number} of "
                    f"{guided.situation.total}; nothing was kept."
                )
            samples = chunk.samples
            if next_number is not None and chunk.first > next_number:
                # What was lost is NaN: the repetition is refused, and the clock stays right.
                lost = min(chunk.first - next_number, round(60 * layout.fs_hz))
                guided.push(np.full((layout.n_channels, lost), np.nan, dtype=np.float32))
            next_number = None if chunk.first < 0 else chunk.first + samples.shape[1]
            guided.push(samples)
            show(guided)
    finally:
        await source.close()
    return guided


# --- what is kept --------------------------------------------------------------------------------


def _about(
    guided: Calibration, calibrated: Calibrated, earlier: _Earlier | None, source: str
) -> dict[str, Any]:
    from myograph.stream.signature import Signature

    compared = None
    if earlier is not None:
        before = Signature.load(earlier.folder / _SIGNATURE)
        compared = calibrated.signature.compare(before).to_dict()
    refused = [
        {"movement": v.prompt.movement, "repetition": v.prompt.repetition, "why": list(v.reasons)}
        for v in guided.verdicts
        if not v.accepted
    ]
    worst = calibrated.confusion.worst
    return {
        "subject": calibrated.signature.subject,
        "made": calibrated.signature.made,
        "simulated": source.startswith(("simulated:", "twin:")),
        "seconds": calibrated.seconds,
        "movements": list(guided.plan.movements),
        "repetitions": len(calibrated.recordings),
        "refused": refused,
        "own_accuracy": calibrated.confusion.accuracy,
        "worst_pair": None if worst is None else list(worst),
        "confusion": calibrated.confusion.to_dict(),
        "separability": calibrated.separability.to_dict(),
        "separability_index": calibrated.separability.index,
        "effort": calibrated.scale.to_dict(),
        "compared": compared,
    }


def _save(folder: Path, calibrated: Calibrated, about: Mapping[str, Any]) -> None:
    from myograph.pipeline.artifact import save_model

    lines = [
        f"# A calibration of {about['subject']}, {about['made']}",
        "",
        "Research software and decision support: not a medical device.",
        "",
        f"- learned from {about['repetitions']} repetitions of one person, for that person",
        f"- movements: {', '.join(about['movements'])}",
        "",
        "## Validation",
        "",
        "Not validated: repetitions of one sitting say nothing of another day.",
    ]
    save_model(calibrated.pipeline, folder / _MODEL, card="\n".join([*lines, ""]))
    text = json.dumps(calibrated.signature.to_dict(), allow_nan=False)
    (folder / _SIGNATURE).write_text(text + "\n", encoding="utf-8")
    write_file(_joined(calibrated.recordings), folder / _SAMPLES)
    write_json(folder / MARK, dict(about))


def _joined(recordings: Sequence[Recording]) -> Recording:
    """Return repetitions end to end, with a short gap between two so that none runs on."""
    first = recordings[0]
    gap = max(2, round(0.05 * first.fs_hz))
    parts, events, place = [], [], 0
    for recording in recordings:
        event = recording.events[0]
        at_s = place / first.fs_hz
        events.append(
            Event(at_s + event.onset_s, event.duration_s, event.label, event.source, event.trial)
        )
        end_s = at_s + recording.n_samples / first.fs_hz
        events.append(Event(end_s, gap / first.fs_hz, GAP, "calibration"))
        filler = np.zeros((first.n_channels, gap), dtype=np.float32)
        parts += [recording.samples, filler]
        place += recording.n_samples + gap
    return Recording(
        np.concatenate(parts, axis=1),
        first.layout,
        tuple(events),
        subject=first.subject,
        session=first.session,
    )
