"""Outcome tests of control with simulated users: engineering verification, never performance.

Every simulated user has a forearm, calibrates each controller on the same simulated EMG (each
movement three times, 36 to 50 s), and does the same tasks with each: Fitts's law in a plane, Target
Achievement Control over three degrees of freedom, gripping and lifting objects, the motion test,
and minutes in which mostly nothing is meant. The baseline is conventional two-site
threshold control with its switching by co-contraction. Differences are paired over users.

What keeps movements from beginning unmeant (the onset gate of pattern recognition, the wider dead
band of regression) was chosen on people 200 to 203; the same controllers without it do Fitts's test
and the rest beside them.

    python benchmarks/science/control.py [--users N] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from myograph.core.decision import Estimate
from myograph.core.recording import Event, Recording, Subject
from myograph.pipeline.pipeline import Pipeline
from myograph.pipeline.smoothing import MajorityVote, Rejection, Smoothing
from myograph.stream.control import VelocityControl, VelocityRamp
from myograph.stream.controller import EnvelopeController, PatternController
from myograph.stream.effort import EffortScale, Envelope
from myograph.stream.forearm import Forearm
from myograph.stream.grip import ClosedLoopGrip, OpenLoopGrip
from myograph.stream.hand import random_objects
from myograph.stream.lift import LiftUser, lift_objects
from myograph.stream.motion_test import false_activations, motion
from myograph.stream.onset_gate import OnsetGate
from myograph.stream.outcome import (
    fitts_targets,
    posture_targets,
    run_trials,
    summarise,
)
from myograph.stream.regression import SimultaneousControl, movement_targets
from myograph.stream.steady import OneEuro
from myograph.stream.threshold import TwoSiteControl
from myograph.stream.user import SimulatedUser
from myograph.validate.stats import mean_estimate, proportion_estimate, resample

FS_HZ = 1000.0
HOP_S = 0.05
MINUTES = 2.0
OBJECTS = 10
#: People and objects of the reported run: none of them was looked at while this was built.
FIRST = 9000
#: Effort at which a movement may begin, and how often in a row; dead band of regression.
GATE_ON, GATE_REPEATS, BAND = 0.18, 2, 0.18
PLAIN_BAND = 0.12
RESULTS = Path(__file__).resolve().parents[1] / "results" / "control.json"
CONFIG = {
    "steps": [{"step": "highpass", "low_hz": 20.0}],
    "windowing": {"length_ms": 150.0, "step_ms": 50.0},
    "features": ["hudgins"],
    "scaling": "standard",
    "model": {"name": "lda"},
}
#: Behind the name of a controller without what keeps it still.
UNGATED = ", without gate"
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

    def pattern(gate: OnsetGate | None) -> PatternController:
        return PatternController(
            pipeline,
            arm.layout,
            scale=scale,
            smoothing=Smoothing([Rejection(0.5), MajorityVote(3)]),
            control=VelocityControl(ramp=VelocityRamp(steps=4), dead_band=0.12, gate=gate),
        )

    def regression(dead_band: float) -> EnvelopeController:
        learned = SimultaneousControl(dead_band=dead_band).fit(
            levels, np.clip(1.25 * movement_targets(labels, efforts), -1, 1)
        )
        return EnvelopeController(arm.layout, learned, steady=OneEuro(5, speed_gain=0.5))

    strong = efforts == LEVELS[-1]
    threshold = TwoSiteControl.calibrate(
        levels[names == "rest"],
        levels[(names == "wrist flexion") & strong],
        levels[(names == "wrist extension") & strong],
        functions=functions,
    )
    gate = OnsetGate(on=GATE_ON, repeats=GATE_REPEATS)
    return {
        "pattern recognition": (pattern(gate), "one"),
        "regression": (regression(BAND), "together"),
        "threshold": (EnvelopeController(arm.layout, threshold), "switch"),
        f"pattern recognition{UNGATED}": (pattern(None), "one"),
        f"regression{UNGATED}": (regression(PLAIN_BAND), "together"),
    }


def moving(controller: Any, arm: Forearm, seed: int, minutes: float) -> tuple[list, list, list]:
    """Let somebody rest, with a strong contraction now and then; return commands and intent."""
    rng = np.random.default_rng([seed, 7])
    controller.reset()
    times, moved, meant = [], [], []
    intent, until_s = "", 0.0
    for step in range(int(60 * minutes / HOP_S)):
        now_s = step * HOP_S
        if now_s >= until_s:
            intent = "" if intent else str(rng.choice(PLANE))
            until_s = now_s + (rng.uniform(1.5, 2.5) if intent else rng.uniform(8, 16))
            effort = rng.uniform(0.3, 0.8)
            changed_s = now_s
        # Arms are never wholly still: weak, wandering tension of everything.
        idle = 0.04 * abs(rng.standard_normal())
        drive = {intent: effort} if intent else dict.fromkeys(PLANE[::2], idle)
        for command in controller.push(arm.push(drive, round(HOP_S * FS_HZ))):
            times.append(command.time_s)
            moved.append(not command.still)
            # A movement may take half a second to end: its tail is not a false activation.
            meant.append(bool(intent) or now_s - changed_s < 0.5)
    return times, moved, meant


def motion_tests(controller: PatternController, arm: Forearm, seed: int) -> dict[str, float]:
    """Prompt every movement once; smoothed decisions are judged."""
    done = []
    for movement in POSTURE:
        arm.push({}, round(FS_HZ))
        state = controller._pipeline.start(arm.layout)
        decisions = []
        for step in range(100):
            late = step * HOP_S < 0.25
            drive = {} if late else {movement: 0.5}
            decisions += state.push(arm.push(drive, round(HOP_S * FS_HZ)))
        done.append(motion(decisions, movement, start_s=0.0))
    finished = [one.completion_s for one in done if one.completion_s is not None]
    chosen = [one.selection_s for one in done if one.selection_s is not None]
    return {
        "completion": len(finished) / len(done),
        "selection_s": float(np.mean(chosen)) if chosen else math.nan,
        "completion_s": float(np.mean(finished)) if finished else math.nan,
    }


def one_user(person: int, trials: int, first: int) -> dict[str, Any]:
    found: dict[str, Any] = {"fitts": {}, "posture": {}, "false activations": {}}
    postures = posture_targets(number=6, seed=first + person)
    targets = fitts_targets(distances=(0.4, 0.8), widths=(0.1, 0.2), seed=first + person)[:trials]
    for test, movements, functions, wanted in (
        ("fitts", PLANE, ("flexion", "power"), targets),
        ("posture", POSTURE, ("flexion", "power", "rotation"), postures),
    ):
        arm = Forearm(FS_HZ, seed=first + person)
        for name, (controller, way) in controllers(arm, movements, functions).items():
            if test == "posture" and name.endswith(UNGATED):
                continue
            user = SimulatedUser(seed=first + person, way=way)
            done = run_trials(controller, user, arm, wanted)
            found[test][name] = summarise(done).to_dict()
            if test == "fitts":
                said = false_activations(*moving(controller, arm, first + person, MINUTES))
                found["false activations"][name] = said.to_dict()
            elif name == "pattern recognition":
                found["motion test"] = motion_tests(controller, arm, first + person)
    return found


def one_gripper(person: int, first: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    arm = Forearm(FS_HZ, seed=first + person)
    controller = controllers(arm, PLANE, ("power",))["threshold"][0]
    for name, grip in (("closed loop", ClosedLoopGrip()), ("open loop", OpenLoopGrip())):
        lifts = lift_objects(
            controller,
            grip,
            LiftUser(seed=first + person),
            arm,
            random_objects(OBJECTS, seed=first + person),
            seed=1000 * (first + person),
        )
        found[name] = [lift.to_dict() for lift in lifts]
    return found


def paired(values: list[float], other: list[float]) -> dict[str, Any]:
    return {
        "value": told(values),
        "baseline": told(other),
        "gain": told(np.subtract(values, other)),
    }


def told(values: Any) -> dict[str, Any]:
    drawn = resample(len(values), seed=0)
    estimate = mean_estimate(values, drawn, evidence="simulated user", bounds=(-1e9, 1e9))
    assert estimate is not None
    return estimate.to_dict()


def collect(users: list[dict[str, Any]], grippers: list[dict[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for test in ("fitts", "posture"):
        for name in ("pattern recognition", "regression"):
            for measure in ("throughput_bits_s", "completion"):
                own, base = (
                    [user[test][which][measure] for user in users] for which in (name, "threshold")
                )
                result[f"{test}: {name}, {measure}"] = paired(own, base)
    for name in ("pattern recognition", "regression"):
        own, base = (
            [user["false activations"][which]["per_hour"] for user in users]
            for which in (name, "threshold")
        )
        result[f"false activations per hour: {name}"] = paired(own, base)
        plain = f"{name}{UNGATED}"
        for measure in ("throughput_bits_s", "completion"):
            own, base = (
                [user["fitts"][which][measure] for user in users] for which in (name, plain)
            )
            result[f"fitts: {name} beside itself without gate, {measure}"] = paired(own, base)
        own, base = (
            [user["false activations"][which]["per_hour"] for user in users]
            for which in (name, plain)
        )
        result[f"false activations per hour: {name} beside itself without gate"] = paired(own, base)
    own, base = (
        [float(np.mean([lift["held"] for lift in user[which]])) for user in grippers]
        for which in ("closed loop", "open loop")
    )
    result["grip: share of objects held"] = paired(own, base)
    return result


def grips(users: list[dict[str, Any]]) -> dict[str, Any]:
    result = {}
    for name in ("closed loop", "open loop"):
        lifts = [lift for user in users for lift in user[name]]
        held = sum(lift["held"] for lift in lifts)
        result[name] = {
            "objects": len(lifts),
            "held": held,
            "share": proportion_estimate(held, len(lifts), evidence="object").to_dict(),
            "crushed": sum(lift["crushed"] for lift in lifts),
            "dropped": sum(lift["dropped"] for lift in lifts),
        }
    return result


def means(users: list[dict[str, Any]]) -> dict[str, Any]:
    def mean(values: list[Any]) -> float | None:
        known = [v for v in values if v is not None and not math.isnan(v)]
        return round(float(np.mean(known)), 4) if known else None

    out: dict[str, Any] = {}
    for test in ("fitts", "posture"):
        for name, one in users[0][test].items():
            out[f"{test}: {name}"] = {
                key: mean([user[test][name][key] for user in users]) for key in one
            }
    out["motion test"] = {
        key: mean([user["motion test"][key] for user in users]) for key in users[0]["motion test"]
    }
    return out


def kept(folder: Path | None, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what an earlier, stopped run has finished, or make it and keep it."""
    path = None if folder is None else folder / f"{name}.json"
    if path is not None and path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    made = make()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(made), encoding="utf-8")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=12)
    parser.add_argument("--grippers", type=int, default=20, help="users of the grip task")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--first", type=int, default=FIRST)
    parser.add_argument("--resume", type=Path, help="folder that keeps what is finished")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    begun = time.perf_counter()
    users = []
    for person in range(given.users):
        make = partial(one_user, person, given.trials, given.first)
        users.append(kept(given.resume, f"user-{person}", make))
        print(
            f"user {person + 1} of {given.users}, {time.perf_counter() - begun:.0f} s", flush=True
        )
    grippers = []
    for person in range(given.grippers):
        make = partial(one_gripper, person, given.first)
        grippers.append(kept(given.resume, f"gripper-{person}", make))
    if not users or not grippers:
        return
    result = {
        "simulated": "engineering verification, never clinical performance",
        "users": given.users,
        "paired": collect(users, grippers),
        "grippers": given.grippers,
        "grip": grips(grippers),
        "means": means(users),
        "seconds": None if given.resume else round(time.perf_counter() - begun, 1),
    }
    print("SIMULATED users: engineering verification, never clinical performance")
    for what, value in result["paired"].items():
        print(what)
        for part, estimate in value.items():
            print(f"  {part:<9} {Estimate(**estimate)}")
    for what, value in {**result["grip"], **result["means"]}.items():
        print(what, value)
    given.out.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{result['seconds']} s, written to {given.out}")


if __name__ == "__main__":
    main()
