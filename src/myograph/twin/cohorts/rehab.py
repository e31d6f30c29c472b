"""Gestures of the hand in the weeks and months after a stroke, while the command comes back."""

from __future__ import annotations

import numpy as np

from myograph.twin.cohort import CohortKind, Member, Scene, Simulated, Sitting, member
from myograph.twin.cohorts.gestures import (
    FOREARM_DEGREES,
    GESTURE_LABELS,
    Forearm,
    gesture_drive,
    recorded,
)
from myograph.twin.drive import Drive
from myograph.twin.seeds import stream
from myograph.twin.stroke import compensated, weakened
from myograph.twin.training import StrokeRecovery, Training

__all__ = ["REHAB"]

_EXTENSORS = ("ECU", "ED", "ECRB", "ECRL", "SUP")
_FLEXORS = tuple(name for name in FOREARM_DEGREES if name not in _EXTENSORS)
_FIRST_MONTHS, _BETWEEN_MONTHS = 0.5, 1.5
# Extensors of the hand come back later than its flexors: this much less of the command arrives
# (assumed).
_EXTENSORS_LESS = 0.8


def _prepare(scene: Scene, index: int) -> Sitting:
    who = member(REHAB, scene, index, ages=(45.0, 80.0))
    arm = Forearm.of(who)
    rng = stream(who.seed, "stroke")
    start, weeks = float(rng.uniform(0.1, 0.7)), float(rng.choice([0.0, 12.0]))
    recovery = StrokeRecovery.of_person(start=start, seed=who.seed)
    training = Training(weeks=weeks) if weeks else None

    def record(take: int) -> Simulated:
        months = _FIRST_MONTHS + _BETWEEN_MONTHS * (take - 1)
        arrives = float(recovery.arriving([months], training=training)[0])
        drive = _affected(who, gesture_drive(who, scene.seconds, session=take), arrives)
        return recorded(
            who,
            arm,
            drive,
            session=take,
            parts=scene.parts,
            months=months,
            command=arrives,
            command_at_stroke=start,
            training_weeks=weeks,
        )

    return record


def _affected(who: Member, healthy: Drive, arrives: float) -> Drive:
    """Return what is left of a drive, with coactivation of the antagonists."""
    shares = {
        name: float(np.clip(arrives * (_EXTENSORS_LESS if name in _EXTENSORS else 1.0), 0, 1))
        for name in FOREARM_DEGREES
    }
    spill = float(stream(who.seed, "coactivation").uniform(0.1, 0.4))
    return compensated(
        weakened(healthy, shares),
        healthy,
        synergists={},
        antagonists=dict.fromkeys(_EXTENSORS, _FLEXORS[:3])
        | dict.fromkeys(_FLEXORS, _EXTENSORS[:3]),
        coactivation=spill,
    )


#: Seven gestures after a stroke, four sessions over five months, with and without training.
REHAB = CohortKind(
    title="seven gestures in the months after a stroke, eight channels around the forearm",
    tasks=(
        "As the cohort of gestures, by the affected arm; session 1 to 4: half a month after the "
        "stroke, then every one and a half. Half of the people train for 12 weeks. The truth says "
        "which share of the command arrived."
    ),
    labels=GESTURE_LABELS,
    conditions=("stroke",),
    channel="semg",
    fs_hz=1000.0,
    takes=4,
    take="session",
    seconds=30.0,
    prepare=_prepare,
)
