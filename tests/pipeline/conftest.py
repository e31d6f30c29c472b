"""A small cohort of people with three gestures that features can tell apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.core.table import FeatureTable
from myograph.pipeline.pipeline import Pipeline

FS_HZ = 500.0
LAYOUT = Layout(FS_HZ, tuple(Channel(f"emg{i + 1}", kind="semg") for i in range(3)))
EFFORT_UV = {"rest": (10, 10, 10), "fist": (60, 30, 15), "open": (15, 30, 60)}

Definition = dict[str, Any]

BANDPASS: Definition = {"step": "bandpass", "low_hz": 20.0, "high_hz": 200.0}
PLAIN: Definition = {
    "steps": [BANDPASS],
    "windowing": {"length_ms": 200.0, "step_ms": 100.0},
    "features": ["hudgins"],
}


def record(person: str, *, layout: Layout = LAYOUT, gain: float = 1.0) -> Recording:
    """Two repetitions of every gesture, each 0.8 s."""
    rng = np.random.default_rng([ord(letter) for letter in person])
    parts, events = [], []
    for number, label in enumerate([*EFFORT_UV, *EFFORT_UV]):
        effort = gain * np.resize(EFFORT_UV[label], (layout.n_channels, 1))
        parts.append(effort * rng.standard_normal((layout.n_channels, round(0.8 * layout.fs_hz))))
        events.append(Event(0.8 * number, 0.8, label, "protocol", str(number // 3)))
    samples = np.concatenate(parts, axis=1).astype(np.float32)
    return Recording(samples, layout, tuple(events), Subject(person), session="1")


@pytest.fixture(scope="session")
def layout() -> Layout:
    return LAYOUT


@pytest.fixture(scope="session")
def plain() -> Definition:
    """A definition to start from: copy it, never change it."""
    return PLAIN


@pytest.fixture(scope="session")
def make_person() -> Callable[..., Recording]:
    return record


@pytest.fixture(scope="session")
def cohort() -> tuple[Recording, ...]:
    return tuple(record(name, gain=gain) for name, gain in (("ann", 1.0), ("bo", 1.4), ("cy", 0.8)))


@pytest.fixture(scope="session")
def table(cohort: tuple[Recording, ...]) -> FeatureTable:
    return Pipeline(PLAIN).prepare(cohort)


@pytest.fixture(scope="session")
def trained(table: FeatureTable) -> Callable[..., Pipeline]:
    """Train a pipeline on the cohort: the plain one, with these changes."""

    def train(**changes: Any) -> Pipeline:
        return Pipeline({**PLAIN, **changes}).fit(table)

    return train
