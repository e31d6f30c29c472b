"""Guided calibration: prompts, gate, redo, live confusion, signature, repeated wearing."""

import numpy as np
import pytest

from myograph.core.errors import DataError, FormatError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording
from myograph.stream.calibrate import Calibration, follow, run_prompts
from myograph.stream.forearm import Forearm
from myograph.stream.pictures import POSES, hand_svg, hand_text
from myograph.stream.prompts import FIRST_TIME_S, Plan
from myograph.stream.recalibrate import METHODS, combine
from myograph.stream.signature import Signature
from myograph.stream.wearer import RecordedWearer, SimulatedWearer

MOVEMENTS = ("rest", "hand close", "hand open", "wrist flexion", "wrist extension")
SMALL = Plan(("rest", "hand close", "wrist extension"), 2, countdown_s=0.5, hold_s=1.0)


def wearer(seed=1, turned_deg=0.0):
    arm = Forearm(500.0, seed=seed)
    if turned_deg:
        arm.turn_band(turned_deg, contact_seed=1)
    return SimulatedWearer(arm, seed=seed)


def begin(plan=SMALL, **options):
    return Calibration(plan, Forearm(500.0, seed=1).layout, subject="p01", **options)


@pytest.mark.parametrize("number", [2, 3, 5, 7, 9, 12])
def test_plans_fit_into_their_time(number):
    names = ("rest", *(f"m{k}" for k in range(number - 1)))
    assert Plan.first_time(names).length_s <= FIRST_TIME_S
    if number <= 7:
        short = Plan.repeat(names)
        assert short.length_s < 15.0
        assert short.repetitions == 1


def test_plans_that_do_not_fit_say_so():
    with pytest.raises(ParameterError, match=r"9 movements do not fit into 14 s: each takes"):
        Plan.repeat([f"m{k}" for k in range(9)])
    with pytest.raises(ParameterError, match="at least two different movements"):
        Plan(("rest", "rest"), 1, 1.0, 1.0)
    with pytest.raises(ParameterError, match="hold_s must be at least 1 s"):
        Plan(("rest", "a"), 1, 1.0, 0.5)


def test_it_shows_countdown_go_hold_and_done():
    guided = begin()
    seen = []
    while not guided.done:
        now = guided.situation
        seen.append((now.phase, now.prompt.movement, now.number))
        guided.push(np.zeros((8, guided.samples_left), dtype=np.float32))
    assert seen[:3] == [("ready", "rest", 1), ("go", "rest", 1), ("hold", "rest", 1)]
    assert guided.situation.phase == "done"
    assert guided.samples_left == 0


def test_chunks_do_not_matter(rng):
    def run(sizes):
        guided, person = begin(), wearer()
        verdicts, before = [], None
        while not guided.done:
            now = guided.situation
            begins, before = before != (now.number, now.phase), (now.number, now.phase)
            size = min(int(next(sizes)), guided.samples_left)
            chunk = person.give(now.prompt.movement, size, phase=now.phase, begins=begins)
            verdicts += guided.push(chunk)
        return verdicts

    one, other = run(iter([10**6] * 10**4)), run(iter(rng.integers(1, 60, 10**5)))
    assert [v.prompt for v in one] == [v.prompt for v in other]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a.recording.samples, b.recording.samples, atol=1e-3)


def test_what_is_kept_is_the_hold_under_its_event():
    guided = begin()
    run_prompts(guided, wearer())
    verdict = guided.verdicts[1]
    (event,) = verdict.recording.events
    assert (event.label, event.trial, event.duration_s) == ("hand close", "1", 1.0)
    assert event.onset_s == pytest.approx(0.3)


def test_a_bad_repetition_is_refused_with_reasons_and_asked_for_again():
    guided, person = begin(), wearer()
    spoiled = 0
    while not guided.done:
        now = guided.situation
        chunk = person.give(
            now.prompt.movement, min(25, guided.samples_left), phase=now.phase, begins=False
        ).copy()
        if now.prompt.movement == "hand close" and not now.prompt.again:
            chunk[3] = 0.0  # an electrode came off
            spoiled += 1
        guided.push(chunk)
    assert spoiled
    assert len(guided.verdicts) == 6
    assert all(v.accepted for v in guided.verdicts)
    assert guided.situation.total == 8
    assert guided.seconds == pytest.approx(8 * 1.5)


def test_what_stays_bad_is_told_at_the_end():
    guided, person = begin(), wearer()
    while not guided.done:
        now = guided.situation
        chunk = person.give(
            now.prompt.movement, min(25, guided.samples_left), phase=now.phase, begins=False
        ).copy()
        if now.prompt.movement == "hand close":
            chunk[3] = 0.0
        guided.push(chunk)
    with pytest.raises(DataError, match=r"Nothing good was recorded of \['hand close'\]\. .*emg4"):
        guided.finish(made="")


def test_lost_samples_and_silence_refuse_a_repetition():
    guided, person = begin(most_again=0), wearer()
    refused = {}
    while not guided.done:
        now = guided.situation
        movement = "rest" if now.prompt.movement == "wrist extension" else now.prompt.movement
        chunk = person.give(
            movement, min(25, guided.samples_left), phase=now.phase, begins=False
        ).copy()
        if now.prompt.movement == "hand close" and now.prompt.repetition == 1:
            chunk[:, 0] = np.nan
        for verdict in guided.push(chunk):
            if not verdict.accepted:
                refused[verdict.prompt.movement, verdict.prompt.repetition] = verdict.reasons[0]
    assert refused["hand close", 1] == "Samples were lost while it was recorded."
    assert "contract a little more" in refused["wrist extension", 1]
    assert len(refused) == 3


def test_one_repetition_can_be_done_again():
    guided, person = begin(), wearer()
    for _ in range(40):
        now = guided.situation
        guided.push(person.give(now.prompt.movement, 50, phase=now.phase, begins=False))
    guided.redo("rest", 1)
    before = guided.verdicts
    run_prompts(guided, person)
    (again,) = [v for v in guided.verdicts if v.prompt.again]
    assert (again.prompt.movement, again.prompt.repetition) == ("rest", 1)
    assert ("rest", 1) not in [(v.prompt.movement, v.prompt.repetition) for v in before]
    assert len(guided.verdicts) == 6
    with pytest.raises(ParameterError, match="no repetition 3 of 'rest'"):
        guided.redo("rest", 3)


def test_confusion_and_separability_are_there_while_it_runs():
    guided, person = begin(), wearer()
    assert guided.confusion() is None
    while len(guided.verdicts) < 3:
        now = guided.situation
        guided.push(person.give(now.prompt.movement, 50, phase=now.phase, begins=False))
    assert guided.confusion().accuracy > 0.8
    assert set(guided.separability().nearest) == set(SMALL.movements)
    assert guided.separability().index > 1


def test_a_calibrated_model_knows_its_person():
    made = follow(begin(Plan.first_time(MOVEMENTS, within_s=30)), wearer())
    assert made.confusion.accuracy > 0.9
    arm = wearer().arm
    arm.push({"hand close": 0.5}, 500)
    recording = Recording(arm.push({"hand close": 0.5}, 1000), arm.layout)
    called = [d.label for d in made.pipeline.predict(recording)]
    assert called.count("hand close") > 0.9 * len(called)
    assert set(made.scale.full) == set(MOVEMENTS) - {"rest"}


def test_a_shifted_band_is_seen_in_the_signature_and_mended_by_seconds():
    guided = begin(Plan.first_time(MOVEMENTS, within_s=40))
    first = follow(guided, wearer())
    short = Calibration(Plan.repeat(MOVEMENTS), guided.layout, subject="p01")
    moved = wearer(turned_deg=45.0)
    run_prompts(short, moved)
    again = short.finish(made="later", earlier=guided.table())
    compared = again.signature.compare(first.signature)
    assert compared.turned_channels == -1
    assert first.signature.compare(first.signature).turned_channels == 0
    assert max(first.signature.compare(first.signature).moved.values()) == 0
    assert compared.confused

    def right(pipeline):
        hits = []
        for movement in MOVEMENTS:
            drive = {} if movement == "rest" else {movement: 0.5}
            moved.arm.push(drive, 300)
            recording = Recording(moved.arm.push(drive, 600), moved.layout)
            hits += [d.label == movement for d in pipeline.predict(recording)]
        return np.mean(hits)

    assert right(again.pipeline) > 0.9
    assert right(first.pipeline) < right(again.pipeline) - 0.1


def test_alignment_moves_means_and_keeps_the_new_windows():
    guided, other = begin(), begin()
    run_prompts(guided, wearer())
    run_prompts(other, wearer(turned_deg=30.0))
    earlier, now = guided.table(), other.table()
    for method in METHODS:
        table = combine(earlier, now, method=method)
        assert len(table) == len(now) + (0 if method == "new" else len(earlier))
        np.testing.assert_allclose(table.values[-len(now) :], now.values)
    aligned = combine(earlier, now)
    column = aligned.names.index("emg1.mav")
    for name in SMALL.movements:
        rows = aligned.index.label == name
        logs = np.log(aligned.values[rows, column])
        new = np.log(now.values[now.index.label == name, column])
        assert logs[: -len(new)].mean() == pytest.approx(new.mean())
    with pytest.raises(ParameterError, match="recalibration method must be one of"):
        combine(earlier, now, method="magic")
    with pytest.raises(DataError, match="recalibrate with the same movements"):
        combine(earlier, now.take(now.index.label != "rest"))


def test_a_signature_is_kept_and_damage_is_seen(tmp_path):
    import json

    made = follow(begin(), wearer())
    path = tmp_path / "signature.json"
    path.write_text(json.dumps(made.signature.to_dict()))
    assert Signature.load(path).to_dict() == made.signature.to_dict()
    broken = made.signature.to_dict() | {"means": [[1.0]]}
    with pytest.raises(FormatError, match="do not fit together"):
        Signature.from_dict(broken)
    with pytest.raises(FormatError, match="not a signature"):
        Signature.from_dict({"format": 1})
    path.write_text("{")
    with pytest.raises(FormatError, match="not JSON"):
        Signature.load(path)
    narrow = follow(
        Calibration(SMALL, Forearm(400.0, seed=1).layout, subject="p01"),
        SimulatedWearer(Forearm(400.0, seed=1), seed=1),
    )
    with pytest.raises(LayoutError, match="cannot be compared"):
        narrow.signature.compare(made.signature)


def test_wrong_channels_and_a_plan_without_rest_are_refused():
    with pytest.raises(LayoutError, match=r"8 channels, n_new\); got \(3, 5\)"):
        begin().push(np.zeros((3, 5)))
    with pytest.raises(ParameterError, match="needs rest among its movements"):
        begin(Plan(("a", "b"), 1, 1.0, 1.0))


def recorded(fs_hz=500.0, seconds=2.0, labels=("rest", "hand close")):
    rng = np.random.default_rng(0)
    layout = Layout(fs_hz, (Channel("a", kind="semg"), Channel("b", kind="semg")))
    n = round(seconds * fs_hz)
    level = {"rest": 3.0, "hand close": 60.0}
    return [
        Recording(
            (level[name] * rng.standard_normal((2, n))).astype(np.float32),
            layout,
            (Event(0.0, seconds, name, "protocol", str(k)),),
        )
        for k in (1, 2)
        for name in labels
    ]


def test_recordings_can_follow_the_prompts():
    plan = Plan(("rest", "hand close"), 2, countdown_s=0.5, hold_s=1.5)
    person = RecordedWearer(recorded())
    guided = Calibration(plan, person.layout, subject="p02")
    assert follow(guided, person).confusion.accuracy == 1.0
    held = guided.verdicts[1].recording
    np.testing.assert_array_equal(held.crop(0.3, 1.8).samples, recorded()[1].samples[:, :750])


def test_recordings_that_are_too_few_or_too_short_say_so():
    person = RecordedWearer(recorded(seconds=1.2))
    plan = Plan(("rest", "hand close"), 1, countdown_s=0.5, hold_s=1.5)
    with pytest.raises(DataError, match="shorter than the hold"):
        run_prompts(Calibration(plan, person.layout, subject="p"), person)
    person = RecordedWearer(recorded())
    plan = Plan(("rest", "hand close"), 3, countdown_s=0.5, hold_s=1.5)
    with pytest.raises(DataError, match="Repetition 3 of 'rest' was asked for, and 2 were"):
        run_prompts(Calibration(plan, person.layout, subject="p"), person)


@pytest.mark.parametrize("movement", POSES)
def test_every_movement_has_its_own_picture(movement):
    drawn = hand_svg(movement)
    assert drawn.count("<svg") == drawn.count("</svg>") == 1
    assert movement in drawn
    assert POSES[movement].words in hand_text(movement)
    others = [hand_svg(name) for name in POSES if name != movement]
    assert drawn.split("<g", 1)[1] not in [one.split("<g", 1)[1] for one in others]


def test_an_unknown_movement_has_no_picture():
    with pytest.raises(ParameterError, match="movement with a picture must be one of"):
        hand_svg("wave")
