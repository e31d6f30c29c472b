"""Outcome tests, the simulated user and forearm, grip and lift: measures by closed forms."""

import math

import numpy as np
import pytest

from myograph.core.decision import Decision
from myograph.core.errors import DataError, ParameterError
from myograph.stream.control import DOFS, Command
from myograph.stream.controller import EnvelopeController
from myograph.stream.effort import Envelope
from myograph.stream.forearm import Forearm, ForearmStyle
from myograph.stream.grip import ClosedLoopGrip, OpenLoopGrip
from myograph.stream.hand import GraspedObject, Hand, HandReading, random_objects
from myograph.stream.lift import LiftUser, lift_objects
from myograph.stream.motion_test import false_activations, motion
from myograph.stream.outcome import (
    Target,
    Task,
    Trial,
    fitts_targets,
    posture_targets,
    run_trials,
    summarise,
)
from myograph.stream.threshold import TwoSiteControl
from myograph.stream.user import Sight, SimulatedUser, UserStyle

FLEX = DOFS.index("flexion")


class Wish:
    """A controller that knows what the user intends: the best there can be."""

    def __init__(self, arm, speed=1.0):
        self.arm, self.speed, self.time_s = arm, speed, 0.0

    def push(self, chunk):
        self.time_s += chunk.shape[1] / self.arm.fs_hz
        velocity = np.zeros(5)
        for movement, effort in self.arm.drive.items():
            sign = 1 if movement in {"wrist flexion", "hand close"} else -1
            dof = "flexion" if "wrist" in movement else "power"
            velocity[DOFS.index(dof)] += self.speed * sign * effort
        return (Command(self.time_s, velocity),)

    def reset(self):
        self.time_s = 0.0


class Telling:
    """An arm that lets the intention be seen."""

    fs_hz = 100.0

    def __init__(self):
        self.drive = {}

    def push(self, drive, n_samples):
        self.drive = drive
        return np.zeros((1, n_samples), dtype=np.float32)


def went(path, target, reached_s):
    full = np.zeros((len(path), 5))
    full[:, [FLEX, 0]] = path
    return Trial(target, np.arange(len(path)) / 10, full, reached_s)


def test_difficulty_and_throughput_are_shannons():
    target = Target({"flexion": 0.7}, 0.1)
    assert target.difficulty_bits == pytest.approx(3.0)
    trial = went([[0, 0], [0.7, 0]], target, 1.5)
    assert trial.throughput_bits_s == pytest.approx(2.0)
    assert went([[0, 0], [0.1, 0]], target, None).throughput_bits_s == 0.0


def test_path_efficiency_is_straight_over_gone():
    target = Target({"flexion": 0.3, "power": 0.4}, 0.05)
    corner = went([[0, 0], [0.3, 0], [0.3, 0.4]], target, 0.2)
    assert corner.path_efficiency == pytest.approx(0.5 / 0.7)
    straight = went([[0, 0], [0.15, 0.2], [0.3, 0.4]], target, 0.2)
    assert straight.path_efficiency == pytest.approx(1.0)


def test_overshoots_are_leavings():
    target = Target({"flexion": 0.5}, 0.2)
    path = [[x, 0] for x in (0, 0.5, 0.7, 0.5, 0.3, 0.5, 0.5)]
    assert went(path, target, 0.5).overshoots == 2


def test_summary_counts_failures_as_nothing():
    target = Target({"flexion": 0.7}, 0.1)
    one = summarise([went([[0, 0], [0.7, 0]], target, 1.5), went([[0, 0], [0.1, 0]], target, None)])
    assert (one.completion, one.throughput_bits_s, one.throughput_completed_bits_s) == (
        0.5,
        pytest.approx(1.0),
        pytest.approx(2.0),
    )
    none = summarise([went([[0, 0], [0.1, 0]], target, None)])
    assert math.isnan(none.time_s)
    assert none.to_dict()["time_s"] is None
    with pytest.raises(DataError, match="no trial"):
        summarise([])


def test_targets():
    assert len(fitts_targets()) == 32
    assert fitts_targets(seed=3) == fitts_targets(seed=3) != fitts_targets(seed=4)
    assert {sum(v != 0 for v in t.position.values()) for t in posture_targets()} == {1, 2, 3}
    with pytest.raises(ParameterError, match="reached before it begins"):
        Target({"flexion": 0.1}, 0.4)
    with pytest.raises(ParameterError, match="degree of freedom must be one of"):
        Target({"elbow": 1.0}, 0.1)


def test_a_perfect_controller_reaches_everything_and_a_dead_one_nothing():
    targets = fitts_targets(directions=4, widths=(0.2,))
    best = summarise(run_trials(Wish(arm := Telling()), SimulatedUser(seed=1), arm, targets))
    assert best.completion == 1.0
    assert best.path_efficiency > 0.8
    dead = summarise(
        run_trials(
            Wish(arm := Telling(), 0.0),
            SimulatedUser(seed=1),
            arm,
            targets[:2],
            task=Task(limit_s=3.0),
        )
    )
    assert dead.completion == 0.0


def test_a_trial_takes_reaction_movement_and_dwell():
    style = UserStyle(noise=0.0, misjudged=0.0)
    arm = Telling()
    user = SimulatedUser(seed=0, style=style)
    (trial,) = run_trials(Wish(arm), user, arm, [Target({"flexion": 0.8}, 0.2)])
    assert trial.reached_s > style.reaction_s + 0.7 / 0.8
    assert trial.time_s[-1] == pytest.approx(trial.reached_s + 1.0)


def test_user_waits_acts_in_proportion_and_learns():
    style = UserStyle(noise=0.0, misjudged=0.0)
    user = SimulatedUser(seed=0, style=style, way="together")
    sight = Sight(np.array([0.35, 0, 0, 0, -0.14]), np.full(5, 0.05))
    assert user.act(sight, 0.0) == {}
    assert user.act(sight, 0.2) == {}
    done = user.act(sight, 0.25)
    assert done == {"hand close": pytest.approx(0.5), "wrist extension": pytest.approx(0.2)}
    left = [user.practised]
    for _ in range(3):
        user.begin()
        left.append(user.practised)
    assert left == sorted(left, reverse=True)
    with pytest.raises(ParameterError, match="way must be one of"):
        SimulatedUser(seed=0, way="wish")


def test_one_at_a_time_finishes_what_it_began():
    user = SimulatedUser(seed=0, style=UserStyle(noise=0.0, misjudged=0.0))
    seen = []
    for k, missing in enumerate([(0.5, 0.4), (0.5, 0.4), (0.3, 0.4), (0.0, 0.4), (0.0, 0.4)]):
        row = np.array([missing[0], 0, 0, 0, missing[1]])
        seen.append(user.act(Sight(row, np.full(5, 0.05)), 0.3 * k))
    moves = [next(iter(one), "") for one in seen]
    assert moves == ["", "hand close", "hand close", "hand close", "wrist flexion"]


# --- forearm -------------------------------------------------------------------------------------


def test_forearm_is_the_seeds_and_chunks_do_not_matter():
    whole = Forearm(1000.0, seed=5).push({"pinch": 0.5}, 300)
    arm = Forearm(1000.0, seed=5)
    parts = np.concatenate([arm.push({"pinch": 0.5}, n) for n in (1, 99, 0, 150, 50)], axis=1)
    np.testing.assert_allclose(parts, whole, atol=1e-3)
    assert not np.allclose(Forearm(1000.0, seed=6).push({"pinch": 0.5}, 300), whole)


def test_more_effort_is_louder_and_rest_is_the_noise():
    arm = Forearm(1000.0, seed=5, style=ForearmStyle(noise_uv=4.0))
    level = []
    for effort in (0.0, 0.25, 0.5, 1.0):
        arm.push({"hand close": effort}, 500)
        level.append(arm.push({"hand close": effort}, 3000).std(axis=1).max())
    assert level[0] == pytest.approx(4.0, rel=0.1)
    assert level == sorted(level)
    assert level[3] == pytest.approx(2 * level[2], rel=0.2)


def test_a_turned_band_sees_the_pattern_under_its_neighbours():
    arm = Forearm(1000.0, seed=5, style=ForearmStyle(noise_uv=0.1))
    arm.push({"wrist flexion": 0.7}, 500)
    straight = arm.push({"wrist flexion": 0.7}, 4000).std(axis=1)
    arm.turn_band(45.0)
    turned = arm.push({"wrist flexion": 0.7}, 4000).std(axis=1)
    np.testing.assert_allclose(np.roll(turned, 1), straight, rtol=0.1)
    with pytest.raises(ParameterError, match="movement must be one of"):
        arm.push({"wave": 1.0}, 10)
    with pytest.raises(ParameterError, match="at least 100"):
        Forearm(50.0, seed=1)


# --- hand and grip -------------------------------------------------------------------------------

CUP = GraspedObject(width_m=0.06, mass_kg=0.1, stiffness_n_m=400.0, friction=0.5, breaks_n=4.0)
STEP_S = 0.005


def drive(hand, grip, command, seconds, load_n=0.0):
    reading = HandReading(hand.aperture_m, hand.force_n, slipping=False)
    for _ in range(round(seconds / STEP_S)):
        reading = hand.step(grip.push(command, reading, STEP_S), STEP_S, load_n=load_n)
    return reading


def test_hand_holds_within_friction_and_slides_beyond_it():
    hand = Hand(CUP, seed=0)
    hand.aperture_m = 0.06 - 1.2 * CUP.needed_n / 400
    hand.step(0.0, STEP_S, load_n=0.1 * 9.81)
    assert hand.slip_m == 0.0
    hand.aperture_m = 0.06 - 0.5 * CUP.needed_n / 400
    for _ in range(20):
        hand.step(0.0, STEP_S, load_n=0.1 * 9.81)
    # Half the weight is carried, so it slides at half of gravity.
    assert hand.slip_m == pytest.approx(0.25 * 9.81 * 0.1**2, rel=0.1)


def test_hand_crushes_and_objects_make_sense():
    hand = Hand(CUP, seed=0)
    drive(hand, OpenLoopGrip(), 1.0, 2.0)
    assert hand.crushed
    assert hand.peak_n > CUP.breaks_n
    with pytest.raises(ParameterError, match="cannot be lifted by anybody"):
        GraspedObject(width_m=0.06, mass_kg=1.0, stiffness_n_m=400.0, friction=0.5, breaks_n=4.0)
    with pytest.raises(ParameterError, match="does not go in"):
        GraspedObject(width_m=0.2, mass_kg=0.1, stiffness_n_m=400.0, friction=0.5, breaks_n=4.0)
    assert all(o.breaks_n > o.needed_n for o in random_objects(100, seed=1))


def test_closed_loop_touches_gently_and_holds_the_touch():
    hand, grip = Hand(CUP, seed=0), ClosedLoopGrip()
    while hand.force_n < 0.4:
        drive(hand, grip, 0.8, STEP_S)
    reading = drive(hand, grip, 0.0, 2.0)
    assert reading.force_n == pytest.approx(0.5, abs=0.25)
    assert not hand.crushed


def test_a_slide_is_caught_and_the_grip_stays_below_breaking():
    hand, grip = Hand(CUP, seed=0), ClosedLoopGrip()
    while hand.force_n < 0.4:
        drive(hand, grip, 0.8, STEP_S)
    drive(hand, grip, 0.0, 0.5)
    for share in np.linspace(0, 1, 12):
        drive(hand, grip, 0.0, 0.05, load_n=share * 0.1 * 9.81)
    drive(hand, grip, 0.0, 3.0, load_n=0.1 * 9.81)
    assert not hand.dropped
    assert not hand.crushed
    assert hand.force_n > CUP.needed_n


def test_opening_is_never_argued_with():
    hand, grip = Hand(CUP, seed=0), ClosedLoopGrip()
    while hand.force_n < 0.4:
        drive(hand, grip, 0.8, STEP_S)
    drive(hand, grip, -1.0, 1.0)
    assert hand.force_n == 0.0
    assert grip.target_n is None
    with pytest.raises(DataError, match="from -1 to 1"):
        grip.push(2.0, HandReading(0.1, 0.0, slipping=False), STEP_S)


def test_closed_loop_holds_more_objects_than_open_loop():
    arm = Forearm(500.0, seed=3)
    levels = {}
    for name, wanted in (
        ("rest", {}),
        ("flex", {"wrist flexion": 0.7}),
        ("ext", {"wrist extension": 0.7}),
    ):
        envelope = Envelope(arm.layout)
        arm.push(wanted, 250)
        levels[name] = [envelope.push(arm.push(wanted, 50)) for _ in range(20)][8:]
    sites = TwoSiteControl.calibrate(
        levels["rest"], levels["flex"], levels["ext"], functions=("power",)
    )
    control = EnvelopeController(arm.layout, sites)
    held = {}
    for name, grip in (("closed", ClosedLoopGrip()), ("open", OpenLoopGrip())):
        user, objects = LiftUser(seed=3), random_objects(8, seed=3)
        held[name] = sum(x.held for x in lift_objects(control, grip, user, arm, objects, seed=3))
    assert held["closed"] >= 7
    assert held["closed"] > held["open"]


# --- motion test and false activations -----------------------------------------------------------


def say(label, time_s):
    return Decision(
        label, np.array([1.0, 0.0]) if label == "a" else np.array([0.0, 1.0]), ("a", "b"), time_s
    )


def test_motion_needs_right_decisions_that_add_up():
    said = [say("b" if 5 < k < 30 and k % 2 else "a", k / 10) for k in range(1, 60)]
    one = motion(said, "b", start_s=0.0, whole_s=1.0)
    assert one.selection_s == pytest.approx(0.7)
    assert one.completion_s == pytest.approx(2.5)
    assert motion(said, "b", start_s=0.0, whole_s=2.5).completed is False
    assert motion(said[:3], "b", start_s=0.0).selection_s is None


def test_false_activations_count_onsets_at_rest():
    times = np.arange(0, 3600, 0.1)
    moving = np.zeros(len(times), dtype=bool)
    moving[1000:1010] = moving[1012:1020] = True  # one, with a short pause in it
    moving[5000] = True
    moving[20000:20100] = True
    meant = np.zeros(len(times), dtype=bool)
    meant[20000:20100] = True
    found = false_activations(times, moving, meant)
    assert found.count == 2
    assert found.per_hour == pytest.approx(2.0, rel=0.01)
    assert found.moving_share == pytest.approx(19 / 35900)
    with pytest.raises(DataError, match="Rest was never meant"):
        false_activations(times, moving, ~np.zeros(len(times), dtype=bool))
    with pytest.raises(DataError, match="Times must rise"):
        false_activations(times[::-1], moving, meant)
