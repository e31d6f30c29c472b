"""Commands: directions, proportion, ramps, limits, emergency; two sites and regression."""

import numpy as np
import pytest

from myograph.core.decision import Decision
from myograph.core.errors import ArtifactError, DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.stream.control import DOFS, MOVEMENTS, Command, VelocityControl, VelocityRamp
from myograph.stream.controller import EnvelopeController
from myograph.stream.effort import EffortScale, Envelope
from myograph.stream.regression import SimultaneousControl, movement_targets
from myograph.stream.safety import Safety, SafetyLimits
from myograph.stream.threshold import Site, TwoSiteControl

CLASSES = tuple(MOVEMENTS)
CLOSE = np.array([1.0, 0, 0, 0, 0])
LAYOUT = Layout(1000.0, (Channel("a", kind="semg"), Channel("b", kind="semg")))


def say(label, time_s=0.0, *, rejected=False):
    return Decision(label, np.eye(len(CLASSES))[CLASSES.index(label)], CLASSES, time_s, rejected)


@pytest.mark.parametrize("movement", MOVEMENTS)
def test_every_movement_moves_what_it_says(movement):
    command = VelocityControl().push(say(movement), effort=0.5)
    wanted = [0.5 * MOVEMENTS[movement].get(dof, 0.0) for dof in DOFS]
    assert command.velocity.tolist() == wanted
    assert command.still == (movement == "rest")


def test_speed_is_proportional_beyond_the_dead_band():
    control = VelocityControl(dead_band=0.2)
    speeds = [
        control.push(say("pinch", e), effort=e).velocity[1] for e in (0.1, 0.2, 0.6, 1.0, 2.0)
    ]
    np.testing.assert_allclose(speeds, [0, 0, 0.5, 1.0, 1.0])


def test_rejected_decisions_move_nothing():
    command = VelocityControl().push(say("pinch", rejected=True))
    assert command.still
    assert command.reason == "rejected"


def test_ramp_dampens_a_stray_decision():
    control = VelocityControl(ramp=VelocityRamp(steps=4))
    labels = ["pinch"] * 6 + ["hand open"] + ["pinch"] * 3
    speeds = [control.push(say(name, 0.1 * k)).velocity for k, name in enumerate(labels)]
    assert [s[1] for s in speeds[:6]] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert abs(speeds[6][1]) == 0.25
    assert speeds[7][1] == 0.75


def test_unknown_movements_and_efforts_are_refused():
    other = Decision("wave", np.array([1.0]), ("wave",), 0.0)
    with pytest.raises(ParameterError, match="movement must be one of"):
        VelocityControl().push(other)
    with pytest.raises(DataError, match="effort must be finite"):
        VelocityControl().push(say("pinch"), effort=float("nan"))
    with pytest.raises(ParameterError, match="what 'wave' moves must be one of"):
        VelocityControl({"wave": {"elbow": 1.0}})
    with pytest.raises(DataError, match="5 finite velocities"):
        Command(0.0, np.array([1.0, np.nan, 0, 0, 0]))


# --- safety --------------------------------------------------------------------------------------


def test_nothing_passes_the_limits(rng):
    limits = SafetyLimits(most_speed=0.6, most_change_per_s=4.0)
    gate, before = Safety(limits), np.zeros(5)
    for k in range(400):
        out = gate.push(Command(0.05 * k, rng.uniform(-3, 3, 5))).velocity
        assert np.abs(out).max() <= 0.6
        grown = np.abs(out) - np.where(out * before > 0, np.abs(before), 0.0)
        assert grown.max() <= 4.0 * 0.05 + 1e-12
        before = out


def test_stopping_is_never_slowed():
    gate = Safety()
    for k in range(10):
        gate.push(Command(0.05 * k, CLOSE))
    assert gate.push(Command(0.5, 0 * CLOSE)).still


def test_a_stuck_movement_is_stopped_until_it_rests():
    gate = Safety(SafetyLimits(longest_move_s=1.0))
    moved = [not gate.push(Command(0.05 * k, CLOSE)).still for k in range(60)]
    assert any(moved[5:20])
    assert not any(moved[24:])
    gate.push(Command(3.0, 0 * CLOSE))
    gate.push(Command(3.05, CLOSE))
    assert not gate.push(Command(3.1, CLOSE)).still


def test_watchdog_stops_a_silent_stream():
    gate = Safety(SafetyLimits(watchdog_s=0.3))
    assert gate.tick(5.0) is None
    gate.push(Command(0.0, CLOSE))
    gate.push(Command(0.1, CLOSE))
    assert gate.tick(0.2) is None
    late = gate.tick(0.5)
    assert late.still
    assert late.reason == "late"


def test_emergency_opens_whatever_is_decided_and_ends_only_when_cleared():
    gate = Safety(SafetyLimits(release_s=1.0))
    gate.push(Command(0.0, CLOSE))
    assert gate.emergency(0.1).velocity[0] < 0
    assert gate.push(Command(0.5, CLOSE)).velocity[0] < 0
    after = gate.push(Command(1.5, CLOSE))
    assert after.still
    assert after.reason == "emergency"
    assert gate.tick(9.0).reason == "emergency"
    gate.clear()
    gate.push(Command(10.0, CLOSE))
    assert gate.push(Command(10.1, CLOSE)).velocity[0] > 0


def test_time_goes_on_and_limits_make_sense():
    gate = Safety()
    gate.push(Command(1.0, CLOSE))
    with pytest.raises(ParameterError, match="came after one at 1 s"):
        gate.push(Command(0.5, CLOSE))
    with pytest.raises(ParameterError, match="at most 1"):
        SafetyLimits(most_speed=1.5)


# --- effort --------------------------------------------------------------------------------------


def test_envelope_does_not_depend_on_chunks(rng):
    samples = rng.standard_normal((2, 1000))
    whole = Envelope(LAYOUT).push(samples)
    parts = Envelope(LAYOUT)
    for first in range(0, 1000, 37):
        level = parts.push(samples[:, first : first + 37])
    np.testing.assert_allclose(level, whole, rtol=1e-12)


def test_envelope_reaches_the_mean_absolute_value():
    level = Envelope(LAYOUT, average_ms=50.0).push(np.full((2, 2000), -3.0))
    np.testing.assert_allclose(level, 3.0, rtol=1e-6)
    with pytest.raises(LayoutError, match="2 channels"):
        Envelope(LAYOUT).push(np.ones((3, 5)))
    with pytest.raises(DataError, match="NaN or infinite"):
        Envelope(LAYOUT).push(np.full((2, 5), np.nan))


def test_effort_scale_is_the_persons_own(rng):
    labels = ["rest"] * 50 + ["pinch"] * 50
    levels = np.concatenate([rng.uniform(4, 6, (50, 3)), rng.uniform(40, 60, (50, 3))])
    scale = EffortScale.of(levels, labels)
    assert scale.effort("pinch", 5.0) == pytest.approx(0.0, abs=0.02)
    assert scale.effort("pinch", 200.0) == 1.0
    with pytest.raises(ParameterError, match="louder than rest"):
        EffortScale(10.0, {"pinch": 9.0})
    with pytest.raises(DataError, match="must be 'rest'"):
        EffortScale.of(levels, ["pinch"] * 100)


# --- two sites -----------------------------------------------------------------------------------


def two_sites(**options):
    return TwoSiteControl(Site(0, 0.0, 100.0, 0.2), Site(1, 0.0, 100.0, 0.2), **options)


def test_sites_drive_the_active_function_both_ways():
    control = two_sites(functions=("power", "rotation"))
    assert control.push([100.0, 0.0], 0.0).velocity[0] == 1.0
    assert control.push([0.0, 60.0], 0.1).velocity[0] == pytest.approx(-0.5)
    assert control.push([19.0, 19.0], 0.2).still


def test_contracting_both_switches_once_and_moves_nothing():
    control = two_sites(functions=("power", "rotation"))
    for k in range(10):
        assert control.push([90.0, 90.0], 0.05 * k).still
    assert control.function == "rotation"
    assert control.push([50.0, 0.0], 0.6).still  # the end of a switch is not a movement
    control.push([0.0, 0.0], 0.7)
    assert control.push([100.0, 0.0], 0.8).velocity[DOFS.index("rotation")] == 1.0


def test_a_short_cocontraction_does_not_switch():
    control = two_sites(functions=("power", "rotation"), switch_s=0.3)
    control.push([90.0, 90.0], 0.0)
    control.push([90.0, 90.0], 0.1)
    control.push([0.0, 0.0], 0.2)
    assert control.function == "power"


def test_sites_are_chosen_by_what_tells_the_movements_apart(rng):
    rest, flexed, extended = (rng.uniform(1, 2, (20, 4)) for _ in range(3))
    flexed[:, 2] += 50
    extended[:, 1] += 40
    flexed[:, 1] += 10
    control = TwoSiteControl.calibrate(rest, flexed, extended, functions=("power",))
    assert (control.flexor.row, control.extensor.row) == (2, 1)
    assert control.push(flexed[0], 0.0).velocity[0] > 0.5
    with pytest.raises(DataError, match="look alike"):
        TwoSiteControl.calibrate(rest, rest, rest, functions=("power",))
    with pytest.raises(ParameterError, match="function must be one of"):
        two_sites(functions=("elbow",))


# --- regression ----------------------------------------------------------------------------------


def test_movements_made_together_add_up(rng):
    mixing = np.array([[1.0, 0.1], [0.0, 0.9], [0.5, 0.5]])
    labels, efforts, levels = [], [], []
    for _ in range(300):
        label = str(rng.choice(["power grip", "pronation", "rest"]))
        effort = float(rng.uniform(0, 1)) if label != "rest" else 0.0
        drive = np.array([effort * (label == "power grip"), effort * (label == "pronation")])
        labels.append(label)
        efforts.append(effort)
        levels.append(mixing @ drive + 0.01 * rng.uniform(size=3))
    control = SimultaneousControl(alpha=1e-4).fit(levels, movement_targets(labels, efforts))
    both = control.push(mixing @ np.array([0.6, 0.6]), 0.0).velocity
    assert both[DOFS.index("power")] > 0.3
    assert both[DOFS.index("rotation")] > 0.3
    assert control.push(np.zeros(3) + 0.005, 0.1).still


def test_regression_is_arrays(rng):
    levels = np.abs(rng.standard_normal((50, 3)))
    control = SimultaneousControl().fit(levels, rng.uniform(-1, 1, (50, 5)))
    again = SimultaneousControl.from_arrays(control.to_arrays())
    np.testing.assert_array_equal(again.estimate(levels), control.estimate(levels))
    with pytest.raises(ArtifactError, match="rebuilt from"):
        SimultaneousControl.from_arrays({})
    with pytest.raises(DataError, match="has not learned"):
        SimultaneousControl().push(levels[0], 0.0)
    with pytest.raises(DataError, match="learned from 3 channels; got 4"):
        control.push(np.ones(4), 0.0)


def test_controller_commands_do_not_depend_on_chunks(rng):
    samples = 30 * rng.standard_normal((2, 2000))

    def commands(sizes):
        control = EnvelopeController(LAYOUT, two_sites(functions=("power",)))
        out, place = [], 0
        while place < 2000:
            size = int(next(sizes))
            out += control.push(samples[:, place : place + size])
            place += size
        return [(c.time_s, *c.velocity) for c in out]

    whole = commands(iter([2000]))
    parts = commands(iter(rng.integers(1, 90, 2000)))
    assert len(whole) == 40
    np.testing.assert_allclose(parts, whole, atol=1e-9)
