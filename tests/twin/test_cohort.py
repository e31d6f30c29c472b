from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import welch

from myograph.core.errors import ParameterError
from myograph.twin.cohort import Scene, member, person_seed, sitting
from myograph.twin.cohorts import COHORTS

NEEDLE = COHORTS["needle"]
SMALL = Scene(people=3, seconds=1.0, seed=4, fs_hz=8000.0)


def same(a, b):
    return np.array_equal(a.recording.samples, b.recording.samples)


@pytest.mark.parametrize("name", list(COHORTS))
def test_every_kind_says_what_it_is(name):
    kind = COHORTS[name]
    assert kind.title
    assert kind.tasks
    assert kind.labels
    assert kind.conditions
    names = [n for person in kind.names(Scene(people=12)) for n in person]
    assert len(set(names)) == len(names) == 12 * kind.takes
    assert kind.checked(Scene()) == Scene()


def test_a_scene_gives_the_same_bits_again():
    assert same(sitting(NEEDLE, SMALL, 1)(1), sitting(NEEDLE, SMALL, 1)(1))


def test_another_seed_or_take_gives_others():
    first = sitting(NEEDLE, SMALL, 1)(1)
    assert not same(first, sitting(NEEDLE, SMALL, 1)(2))
    assert not same(first, sitting(NEEDLE, replace(SMALL, seed=5), 1)(1))


def test_a_person_does_not_depend_on_how_many_there_are_or_what_was_made_before():
    many = replace(SMALL, people=200)
    assert person_seed(SMALL, 2) == person_seed(many, 2)
    late = sitting(NEEDLE, SMALL, 0)
    late(2)
    assert same(late(1), sitting(NEEDLE, many, 0)(1))


def test_the_site_changes_the_recording_and_not_the_person():
    here = member(NEEDLE, SMALL, 1)
    there = member(NEEDLE, replace(SMALL, n_sites=9), 1)
    assert here.person == there.person
    made = [sitting(NEEDLE, replace(SMALL, n_sites=n), 1)(1) for n in (3, 9)]
    first, second = (m.truth.discharges["BB"].times_s for m in made)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_devices_keep_their_own_rates_when_asked():
    scene = Scene(people=8, own_rates=True, n_sites=8)
    assert len({member(NEEDLE, scene, k).device.fs_hz for k in range(8)}) > 1
    assert {member(NEEDLE, Scene(people=8), k).device.fs_hz for k in range(8)} == {NEEDLE.fs_hz}


def test_people_differ_and_take_turns_with_conditions():
    people = [member(NEEDLE, Scene(people=6), k) for k in range(6)]
    assert len({who.person.age_years for who in people}) == 6
    assert [who.condition for who in people] == list(NEEDLE.conditions) * 2
    assert {who.condition for who in people} == set(NEEDLE.labels)


def test_the_truth_is_what_was_recorded():
    """The spike-triggered average of the loudest unit is its potential in the truth."""
    made = sitting(NEEDLE, replace(SMALL, seconds=12.0), 0)(1)
    x, fs_hz = made.recording.samples[0].astype(float), made.recording.fs_hz
    truth = made.truth
    muaps, trains = truth.muaps["BB"][:, 0], truth.discharges["BB"].times_s
    loud = np.ptp(muaps, axis=1) * (np.array([len(t) for t in trains]) > 30)
    unit, n = int(loud.argmax()), 100
    places = [round(t * fs_hz) for t in trains[unit] if t * fs_hz + n < len(x)]
    average = np.mean([x[p : p + n] for p in places], axis=0)
    expected = muaps[unit][:n]
    fit = float(average @ expected / (expected @ expected))
    assert np.corrcoef(average, expected)[0, 1] > 0.95
    assert fit == pytest.approx(1.0, abs=0.15)


def test_the_truth_says_who_where_and_what():
    made = sitting(NEEDLE, SMALL, 1)(1)
    labels = made.truth.labels
    assert labels["simulated"]
    assert labels["condition"] == "neuropathy"
    assert labels["severity"] > 0
    assert labels["units_alive"] < made.truth.discharges["BB"].n_units
    assert made.recording.subject.condition == "simulated: neuropathy"
    assert made.recording.site == labels["site"]
    assert made.recording.events[0].label == "neuropathy"
    assert labels["device"]["name"] in made.recording.device
    assert 0.5 <= labels["action_mm"] <= 1.0
    middle = 0.5 * 130.0  # of the innervation zone of the biceps
    assert 8.0 <= abs(labels["needle"][2] - middle) <= 30.0
    assert 0.0 < labels["force"] <= 0.5


def test_contaminations_are_kept_only_when_asked_and_change_nothing():
    bare = sitting(NEEDLE, SMALL, 0)(1)
    kept = sitting(NEEDLE, replace(SMALL, parts=True), 0)(1)
    assert not bare.truth.contaminations
    assert "amplifier" in kept.truth.contaminations
    assert same(bare, kept)


def test_gestures_light_up_their_muscles():
    kind = COHORTS["gestures"]
    made = sitting(kind, Scene(people=1, seconds=17.0, seed=1), 0)(1)
    found = made.recording
    assert {event.label for event in found.events} == set(kind.labels)
    rms = {e.label: found.crop(e.onset_s, e.end_s).samples.std(axis=1) for e in found.events}
    assert rms["hand close"].max() > 4 * rms["rest"].max()
    forces = made.truth.forces
    flexed = next(e for e in found.events if e.label == "wrist flexion")
    middle = round((flexed.onset_s + flexed.duration_s / 2) * made.truth.force_fs_hz)
    assert forces["FCR"][middle] > 5 * forces["ECRL"][middle]


@pytest.mark.slow
def test_a_held_contraction_slows_its_spectrum():
    kind = COHORTS["fatigue"]
    made = sitting(kind, Scene(people=1, seconds=40.0, seed=2), 0)(1)
    x, fs_hz = made.recording.samples[3], made.recording.fs_hz

    def middle(part):
        frequency, power = welch(part, fs_hz, nperseg=1000)
        return frequency[np.searchsorted(np.cumsum(power), power.sum() / 2)]

    assert middle(x[-8000:]) < 0.97 * middle(x[:8000])
    assert [e.label for e in made.recording.events] == list(kind.labels)
    capacity = made.truth.forces["capacity"]
    assert capacity[-1] < 0.9 * capacity[0]


@pytest.mark.slow
def test_a_disease_takes_units_and_force_visit_after_visit():
    kind = COHORTS["progression"]
    scene = Scene(people=2, seconds=9.0, seed=1)
    visits = [sitting(kind, scene, 1)(n).truth.labels for n in (1, 4)]
    assert visits[0]["units_alive"] > 1.5 * visits[1]["units_alive"]
    assert visits[0]["strength"] > visits[1]["strength"]
    assert visits[1]["strength"] == pytest.approx(visits[1]["expected_strength"], abs=0.15)
    well = [sitting(kind, scene, 0)(n).truth.labels for n in (1, 4)]
    assert well[0]["strength"] == well[1]["strength"] == pytest.approx(1.0)


@pytest.mark.slow
def test_after_a_stroke_the_command_comes_back():
    kind = COHORTS["rehab"]
    sessions = [sitting(kind, Scene(people=1, seconds=17.0), 0)(n) for n in (1, 4)]
    early, late = (s.truth.labels["command"] for s in sessions)
    assert early < late <= 1
    flexed = [next(e for e in s.recording.events if e.label == "wrist flexion") for s in sessions]
    rate = sessions[0].truth.force_fs_hz
    forces = [
        s.truth.forces["FCR"][round(e.onset_s * rate) : round(e.end_s * rate)].mean()
        for s, e in zip(sessions, flexed, strict=True)
    ]
    assert forces[0] < forces[1]


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"people": 0}, "people must be at least 1"),
        ({"seconds": 0.2}, "seconds must lie between"),
        ({"seconds": 1e6}, "make several recordings"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"n_sites": 0}, "n_sites must be at least 1"),
        ({"fs_hz": 9000.0, "own_rates": True}, "not both"),
    ],
)
def test_an_impossible_scene_is_refused(given, match):
    with pytest.raises(ParameterError, match=match):
        Scene(**given)


def test_what_a_kind_cannot_do_is_refused():
    with pytest.raises(ParameterError, match="condition must be one of"):
        NEEDLE.checked(Scene(condition="flu"))
    with pytest.raises(ParameterError, match="at least 8000"):
        NEEDLE.checked(Scene(fs_hz=1000.0))
    with pytest.raises(ParameterError, match=r"at most 200000; got 1e\+09.*24000 is usual"):
        NEEDLE.checked(Scene(fs_hz=1e9))
    with pytest.raises(ParameterError, match="index must lie"):
        sitting(NEEDLE, SMALL, 3)
    with pytest.raises(ParameterError, match="Did you mean 'needle'"):
        COHORTS["needel"]
