"""What a calibration says: what to show, how good a repetition was, and what came of it all."""

from __future__ import annotations

from dataclasses import dataclass

from myograph.core.recording import Recording
from myograph.pipeline.pipeline import Pipeline
from myograph.stream.effort import EffortScale
from myograph.stream.prompts import Prompt
from myograph.stream.separability import Confusion, Separability
from myograph.stream.signature import Signature

__all__ = ["Calibrated", "Situation", "Verdict"]


@dataclass(frozen=True, slots=True)
class Situation:
    """What to show now.

    Parameters
    ----------
    prompt : Prompt, optional
        None when all is done.
    phase : str
        ``"ready"``: the countdown runs. ``"go"``: begin. ``"hold"``: recorded. ``"done"``.
    left_s : float
        Seconds left of the phase.
    number, total : int
        Which prompt of how many, from 1.
    """

    prompt: Prompt | None
    phase: str
    left_s: float
    number: int
    total: int


@dataclass(frozen=True, eq=False)
class Verdict:
    """What became of one repetition.

    Parameters
    ----------
    prompt : Prompt
    accepted : bool
    reasons : tuple of str
        Why not.
    recording : Recording
        The moment before the hold, and the hold under its event.
    """

    prompt: Prompt
    accepted: bool
    reasons: tuple[str, ...]
    recording: Recording


@dataclass(frozen=True, eq=False)
class Calibrated:
    """What a calibration gave.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted on the person's own repetitions.
    scale : EffortScale
        For proportional control.
    signature : Signature
    confusion : Confusion
        Repetitions held out in turn.
    separability : Separability
    recordings : tuple of Recording
        The accepted repetitions.
    seconds : float
        Signal from the first countdown to the last hold, repetitions done again included.
    """

    pipeline: Pipeline
    scale: EffortScale
    signature: Signature
    confusion: Confusion
    separability: Separability
    recordings: tuple[Recording, ...]
    seconds: float
