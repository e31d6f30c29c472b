"""Fixtures for files: a recording with everything a format might lose, real files from archives."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, RecordingSet, Subject

N_SAMPLES = 5001  # no record length divides it


@pytest.fixture
def full(rng: np.random.Generator) -> Recording:
    """Make a recording with every kind of metadata that a file may lose."""
    channels = (
        Channel("TA left", "semg", "tibialis anterior", "left", (1.5, -20.25, 3.0)),
        Channel("grid_1", "hdemg", "biceps brachii", "right"),
        Channel("needle at the second toe", "needle"),
        Channel("acc", "acc"),
        Channel("myo3", "semg", scale="count"),
        Channel("mvc", "semg", scale="normalised"),
        Channel("sync", "trigger"),
    )
    scales = np.array([[100.0], [2000.0], [0.5], [0.01], [40.0], [0.3], [0.0]])
    samples = (scales * rng.standard_normal((len(channels), N_SAMPLES))).astype(np.float32)
    samples[4] = np.round(samples[4])
    samples[6, 2000:2010] = 1
    events = (
        Event(0.25, 0.5, "fist", "protocol", "1"),
        Event(0.25, 0.5, 'poing fermé; 50 %, "hard"', "annotation"),
        Event(1.0005, 0.0, "onset", "detector", "2"),
        Event(1.25, 1.25, "a label that is far too long for most fields " * 2, "protocol"),
    )
    return Recording(
        samples,
        Layout(2000.0, channels),
        events=events,
        subject=Subject("p 01", 61.5, "female", 165.0, 62.5, "left", "healthy; control"),
        session="2nd visit",
        site="Zürich",
        device="Amp 16",
        started_at=datetime(2024, 2, 29, 23, 59, 58, 250_000),  # noqa: DTZ001  (files have no zone)
    )


@pytest.fixture
def pair(full: Recording, rng: np.random.Generator) -> RecordingSet:
    """Make a set of two rates on one clock."""
    layout = Layout(100.0, (Channel("x", "acc"), Channel("grip", "force")))
    slow = Recording(
        rng.standard_normal((2, 250)).astype(np.float32),
        layout,
        events=(Event(0.5, 0.25, "lift", "protocol", "1"),),
        subject=full.subject,
        started_at=full.started_at,
    )
    return RecordingSet({"emg": full, "imu": slow})


@pytest.fixture
def emg(rng: np.random.Generator) -> Recording:
    """Make a plain recording of two channels, one second, for tests of one thing."""
    layout = Layout(1000.0, (Channel("emg1", "semg"), Channel("emg2", "semg")))
    return Recording((100 * rng.standard_normal((2, 1000))).astype(np.float32), layout)


@pytest.fixture(scope="session")
def real_file(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that gives a file of an archive, unpacked with the files beside it."""

    def get(archive: str, member: str, *beside: str) -> Path:
        if (mirror / archive).is_dir():
            return mirror / archive / member
        packed = mirror / f"{archive}.tar.xz"
        if not packed.is_file():
            pytest.skip(f"{packed} is needed")
        folder = tmp_path_factory.mktemp(archive)
        with tarfile.open(packed) as tar:
            for name in (member, *beside):
                tar.extract(f"{archive}/{name}", folder, filter="data")
        return folder / archive / member

    return get
