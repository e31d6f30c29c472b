"""Fixtures that every part of the suite shares."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20)


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder with archives of real recordings; the test is skipped, saying so, without one."""
    folder = os.environ.get("MYOGRAPH_MIRROR", "")
    if not folder:
        pytest.skip("real recordings needed: set MYOGRAPH_MIRROR to a folder that holds them")
    return Path(folder)


@pytest.fixture
def make_recording(rng: np.random.Generator) -> Callable[..., Recording]:
    """Make a noise recording with labelled repetitions: subject, n_channels, fs_hz, ... vary."""

    def make(
        *,
        subject: str = "p01",
        n_channels: int = 3,
        fs_hz: float = 1000.0,
        duration_s: float = 4.0,
        labels: tuple[str, ...] = ("rest", "fist"),
    ) -> Recording:
        channels = tuple(Channel(f"emg{i + 1}", kind="semg") for i in range(n_channels))
        samples = 50 * rng.standard_normal((n_channels, round(duration_s * fs_hz)))
        length_s = duration_s / (2 * len(labels))
        events = [
            Event(
                k * length_s, length_s, labels[k % len(labels)], "protocol", str(k // len(labels))
            )
            for k in range(2 * len(labels))
        ]
        return Recording(
            samples.astype(np.float32),
            Layout(fs_hz, channels),
            events=tuple(events),
            subject=Subject(subject),
            session="1",
        )

    return make
