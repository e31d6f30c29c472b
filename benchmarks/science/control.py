"""Outcome tests of control with simulated users: engineering verification, never performance.

Every simulated user has a forearm, calibrates each controller on the same minute of simulated EMG
(each movement three times), and does the same tasks with each: Fitts's law in a plane, Target
Achievement Control over three degrees of freedom, gripping and lifting objects, the motion test,
and minutes in which nothing is meant. The baseline is conventional two-site threshold control with
its switching by co-contraction. Differences are paired over users.

    python benchmarks/science/control.py [--users N] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from myograph.core.recording import Event, Recording, Subject
from myograph.pipeline.pipeline import Pipeline
from myograph.pipeline.smoothing import MajorityVote, Rejection, Smoothing
from myograph.stream.control import VelocityControl, VelocityRamp
from myograph.stream.controller import EnvelopeController, PatternController
from myograph.stream.effort import EffortScale, Envelope
from myograph.stream.forearm import Forearm
from myograph.stream.outcome import (
    fitts_targets,
    posture_targets,
    run_trials,
    summarise,
)
from myograph.stream.regression import SimultaneousControl, movement_targets
from myograph.stream.threshold import TwoSiteControl
from myograph.stream.user import SimulatedUser
from myograph.validate.stats import mean_estimate

FS_HZ = 1000.0
SEED = 6
CONFIG = {
    "steps": [{"step": "highpass", "low_hz": 20.0}],
    "windowing": {"length_ms": 150.0, "step_ms": 50.0},
    "features": ["hudgins"],
    "scaling": "standard",
    "model": {"name": "lda"},
}
PLANE = ("hand close", "hand open", "wrist flexion", "wrist extension")
POSTURE = (*PLANE, "pronation", "supination")
LEVELS = (0.3, 0.55, 0.8)


def calibrate(arm: Forearm, movements: tuple[str, ...]) -> tuple[list[Recording], Any, Any, Any]:
    """Record each movement three times; return recordings, and levels with labels and efforts."""
    recordings, levels, labels, efforts = [], [], [], []
    for trial, effort in enumerate(LEVELS):
        for movement in ("rest", *movements):
            drive = {} if movement == "rest" else {movement: effort}
            arm.push(drive, round(0.4 * FS_HZ))  # reaching the effort is not recorded
            samples = arm.push(drive, round(1.6 * FS_HZ))
            arm.push({}, round(0.4 * FS_HZ))
            event = Event(0.0, 1.6, movement, "protocol", str(trial))
            recordings.append(
                Recording(samples, arm.layout, (event,), Subject("sim"), session="calibration")
            )
            envelope = Envelope(arm.layout)
            for k in range(0, samples.shape[1], 50):
                level = envelope.push(samples[:, k : k + 50])
                if k >= 400:
                    levels.append(level)
                    labels.append(movement)
                    efforts.append(effort)
    return recordings, np.array(levels), labels, np.array(efforts)


def controllers(arm: Forearm, movements: tuple[str, ...], functions: tuple[str, ...]) -> dict:
    recordings, levels, labels, efforts = calibrate(arm, movements)
    pipeline = Pipeline(CONFIG)
    pipeline.fit(pipeline.prepare(recordings))
    names = np.array(labels)
    scale = EffortScale.of(levels, labels, quantile=0.9)
    pattern = PatternController(
        pipeline,
        arm.layout,
        scale=scale,
        smoothing=Smoothing([Rejection(0.5), MajorityVote(3)]),
        control=VelocityControl(ramp=VelocityRamp(steps=4), dead_band=0.05),
    )
    regression = SimultaneousControl(dead_band=0.08).fit(
        levels, np.clip(1.25 * movement_targets(labels, efforts), -1, 1)
    )
    strong = efforts == LEVELS[-1]
    threshold = TwoSiteControl.calibrate(
        levels[names == "rest"],
        levels[(names == "wrist flexion") & strong],
        levels[(names == "wrist extension") & strong],
        functions=functions,
    )
    return {
        "pattern recognition": (pattern, "one"),
        "regression": (EnvelopeController(arm.layout, regression), "together"),
        "threshold": (EnvelopeController(arm.layout, threshold), "switch"),
    }


if __name__ == "__main__":
    import sys
    n = int(sys.argv[1])
    for person in range(n):
        arm = Forearm(FS_HZ, seed=100 + person)
        arm3 = Forearm(FS_HZ, seed=100 + person)
        for test, a, mv, fn, tg in (("fitts", arm, PLANE, ("flexion", "power"), fitts_targets(distances=(0.4,0.8), widths=(0.1,0.2), seed=person)),
            ("tac", arm3, POSTURE, ("flexion","power","rotation"), posture_targets(number=9, seed=person))):
            for name, (c, way) in controllers(a, mv, fn).items():
                t = time.perf_counter()
                user = SimulatedUser(seed=person, way=way)
                s = summarise(run_trials(c, user, a, tg))
                print(person, test, name, {k: (round(v, 2) if v is not None else v) for k, v in s.to_dict().items()}, f"{time.perf_counter()-t:.1f} s", flush=True)
