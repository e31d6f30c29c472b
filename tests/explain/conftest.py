"""People whose decision hangs on one muscle, and pipelines that learned from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.explain.question import Question, Stretch, ask
from myograph.pipeline.pipeline import Pipeline

_CONFIG = {
    "windowing": {"length_ms": 200.0, "step_ms": 100.0},
    "features": ["hudgins"],
    "scaling": "standard",
}


def _person(number: int, *, fs_hz: float = 500.0) -> Recording:
    """Three channels of noise; in 'fist' the second is four times as strong, in 'open' the third.

    Every label lasts two seconds.
    """
    rng = np.random.default_rng(number)
    labels = ("rest", "fist", "open")
    n = round(2 * fs_hz)
    samples = 10 * rng.standard_normal((3, 3 * n))
    samples[1, n : 2 * n] *= 4
    samples[2, 2 * n :] *= 4
    channels = tuple(Channel(name, kind="semg") for name in ("a", "b", "c"))
    events = [Event(2.0 * k, 2.0, label, "protocol", "1") for k, label in enumerate(labels)]
    return Recording(
        samples.astype(np.float32),
        Layout(fs_hz, channels),
        events=tuple(events),
        subject=Subject(f"p{number:02d}"),
        session="1",
    )


def _fitted(
    model: str, recordings: list[Recording], *, features: tuple[str, ...] = (), **params: object
) -> Pipeline:
    whole = model in ("mdm", "tangent-space", "cnn1d", "transformer", "spectrogram-cnn")
    scaling = "none" if whole else "standard"
    config = {**_CONFIG, "scaling": scaling, "model": {"name": model, "params": params}}
    config["features"] = list(features) or _CONFIG["features"]
    pipeline = Pipeline(config)
    return pipeline.fit(pipeline.prepare(recordings))


@pytest.fixture(scope="session")
def people() -> list[Recording]:
    return [_person(k) for k in range(1, 6)]


@pytest.fixture(scope="session")
def newcomer() -> Recording:
    return _person(9)


@pytest.fixture(scope="session")
def lda(people) -> Pipeline:
    return _fitted("lda", people)


@pytest.fixture(scope="session")
def forest(people) -> Pipeline:
    return _fitted("random-forest", people, n_trees=8, min_leaf=3)


@pytest.fixture(scope="session")
def table(lda, people):
    return lda.prepare(people)


@pytest.fixture(scope="session")
def reference(lda, table) -> np.ndarray:
    return lda.taken(lda.scale(table.values))[::9]


def _fist(pipeline: Pipeline, recording: Recording, *, most: int = 60, **more: object) -> Question:
    stretch = Stretch(start_s=2.0, stop_s=4.0, most=most)
    return ask(pipeline, recording, stretch=stretch, **more)


@pytest.fixture
def question(lda, newcomer) -> Question:
    return _fist(lda, newcomer, against="rest")


def _renamed(recording: Recording, name: str) -> Recording:
    return replace(recording, subject=Subject(name))


@pytest.fixture(scope="session")
def config():
    return _CONFIG


@pytest.fixture(scope="session")
def person():
    """Make a person by number."""
    return _person


@pytest.fixture(scope="session")
def fitted():
    """Fit a model by name on recordings."""
    return _fitted


@pytest.fixture(scope="session")
def fist():
    """Ask about the two seconds of the fist."""
    return _fist


@pytest.fixture(scope="session")
def renamed():
    """Give a recording to somebody else."""
    return _renamed
