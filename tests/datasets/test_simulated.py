"""The simulated cohort is reproducible, plausible, not trivial, and always called simulated."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from myograph import datasets
from myograph.core.errors import ParameterError
from myograph.core.recording import Recording
from myograph.datasets.simulated import GESTURES, SimulatedCohort, simulate

SMALL = SimulatedCohort(fs_hz=500.0, n_people=2, n_sessions=1, n_repetitions=2, hold_s=1.0)


def test_the_same_seed_gives_the_same_samples_and_another_seed_others() -> None:
    one, same = simulate(SMALL), simulate(SMALL)
    assert one.digest() == same.digest()
    for mine, yours in zip(one.recordings, same.recordings, strict=True):
        assert mine == yours
    other = simulate(SimulatedCohort(fs_hz=500.0, n_people=2, hold_s=1.0, seed=1))
    assert not np.array_equal(one.recordings[0].samples, other.recordings[0].samples)
    assert one.digest() != other.digest()


def test_people_sessions_and_repetitions_all_differ() -> None:
    cohort = simulate(SimulatedCohort(fs_hz=500.0, n_people=2, n_sessions=2, n_repetitions=2))
    digests = {recording.source_digest for recording in cohort.recordings}
    assert len(digests) == len(cohort.recordings) == 8


def test_it_says_that_it_is_simulated_wherever_one_looks() -> None:
    dataset = datasets.load("simulated", people=["sim-02"])
    recording = dataset.recordings[0]
    assert dataset.card.simulated
    assert "SIMULATED" in dataset.card.title
    assert "simulated" in dataset.name
    assert "do not exist" in dataset.origin
    assert "Engineering verification" in dataset.card.notes[0]
    assert recording.device == "simulated"
    assert recording.subject is not None
    assert recording.subject.condition == "simulated"
    assert "simulate(" in str(recording.recipe)


def test_every_gesture_is_held_once_in_each_repetition() -> None:
    for recording in simulate(SMALL).recordings:
        assert sorted(e.label for e in recording.events) == sorted(GESTURES)
        assert {e.duration_s for e in recording.events} == {1.0}
        assert {e.source for e in recording.events} == {"protocol"}
    trials = [recording.events[0].trial for recording in simulate(SMALL).recordings]
    assert trials == ["1", "2", "1", "2"]


def test_the_signal_has_the_band_and_the_size_of_surface_emg() -> None:
    recording = simulate(SimulatedCohort(fs_hz=1000.0, n_people=1)).recordings[0]
    held = [e for e in recording.events if e.label != "rest"]
    rest = next(e for e in recording.events if e.label == "rest")
    active = np.concatenate([_samples(recording, e.onset_s, e.end_s) for e in held], axis=1)
    quiet = _samples(recording, rest.onset_s, rest.end_s)
    assert 10 < active.std(axis=1).max() < 500
    assert active.std() > 4 * quiet.std()
    power = (np.abs(np.fft.rfft(active, axis=1)) ** 2).mean(axis=0)
    f_hz = np.fft.rfftfreq(active.shape[1], 1e-3)
    share = power[(f_hz > 20) & (f_hz < 450)].sum() / power.sum()
    assert share > 0.9
    assert 60 < (f_hz * power).sum() / power.sum() < 150


def test_recordings_can_be_sent_to_other_processes() -> None:
    sent = pickle.loads(pickle.dumps(simulate(SMALL).recordings))
    assert sent[1] == simulate(SMALL).recordings[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [({"n_people": 0}, "n_people"), ({"fs_hz": -1.0}, "fs_hz"), ({"hold_s": 0.0}, "hold_s")],
)
def test_impossible_cohorts_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        SimulatedCohort(**{"fs_hz": 1000.0, **change})


def test_people_are_harder_than_repetitions_and_neither_is_trivial() -> None:
    features, labels, people, trials = _features(simulate())
    across = [_score(features, labels, people != p, people == p) for p in np.unique(people)]
    within = [
        _score(features, labels, (people == p) & (trials != "4"), (people == p) & (trials == "4"))
        for p in np.unique(people)
    ]
    assert 0.60 < np.mean(across) < 0.90
    assert np.mean(within) > np.mean(across) + 0.10
    assert np.mean(within) > 0.90
    assert max(across) < 0.97


def _score(x: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> float:
    model = LinearDiscriminantAnalysis().fit(x[train], y[train])
    return float(model.score(x[test], y[test]))


def _samples(recording: Recording, start_s: float, stop_s: float) -> np.ndarray:
    return recording.crop(start_s, stop_s).samples


def _features(dataset: datasets.Dataset) -> tuple[np.ndarray, ...]:
    """Mean absolute value and waveform length of 200 ms stretches: enough to tell."""
    rows, labels, people, trials = [], [], [], []
    for recording in dataset.recordings:
        for values, label, trial in _stretches(recording):
            rows.append(np.r_[np.abs(values).mean(axis=1), np.abs(np.diff(values)).sum(axis=1)])
            labels.append(label)
            trials.append(trial)
            people.append(recording.subject.pseudonym if recording.subject else "")
    return np.array(rows), np.array(labels), np.array(people), np.array(trials)


def _stretches(recording: Recording) -> Iterator[tuple[np.ndarray, str, str]]:
    for event in recording.events:
        held = _samples(recording, event.onset_s, event.end_s)
        n = round(0.2 * recording.fs_hz)
        for first in range(0, held.shape[1] - n + 1, n):
            yield held[:, first : first + n], event.label, event.trial
