"""A recording that knows as much as a recording can, drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from myograph.core.layout import KIND_UNITS, SCALES, SIDES, Channel, Layout
from myograph.core.recording import GAP, Event, Recording, Subject


@pytest.fixture(scope="session")
def draw_recording() -> Callable[..., Recording]:
    """Draw a recording from a seed; ``kinds`` limits its channels, equal lengths are in seconds."""
    return _draw


def _draw(seed: int, *, kinds: tuple[str, ...] = tuple(KIND_UNITS)) -> Recording:
    rng = np.random.default_rng(seed)
    fs_hz = float(rng.choice([128.0, 512.0, 2048.0]))  # on a binary grid times are exact
    n_channels, n_samples = int(rng.integers(1, 6)), int(rng.integers(20, 200))
    start_s = float(rng.integers(0, 3)) / 4
    channels = tuple(_channel(rng, i, kinds) for i in range(n_channels))
    size = 10.0 ** rng.integers(-3, 5, size=(n_channels, 1))
    samples = (size * rng.standard_normal((n_channels, n_samples))).astype(np.float32)
    person = Subject(
        f"p{seed % 100:02d}",
        age_years=41.5,
        sex=str(rng.choice(["", "female", "male"])),
        height_cm=171.0,
        mass_kg=float(rng.choice([61.5, 80.0])),
        handedness=str(rng.choice(["", "left", "right", "both"])),
        condition="healthy",
    )
    zone = timedelta(hours=int(rng.integers(-5, 6)))
    return Recording(
        samples,
        Layout(fs_hz, channels),
        events=_events(rng, fs_hz, start_s, n_samples),
        subject=person if rng.random() < 0.8 else None,
        session="2",
        site="clinic",
        device="amplifier",
        started_at=datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC) + zone if rng.random() < 0.5 else None,
        start_s=start_s,
    )


def _channel(rng: np.random.Generator, number: int, kinds: tuple[str, ...]) -> Channel:
    place = tuple(np.round(rng.uniform(-80, 80, 3), 2).tolist())
    return Channel(
        f"ch {number}",
        str(rng.choice(list(kinds))),
        muscle=str(rng.choice(["", "tibialis anterior", "soleus"])),
        side=str(rng.choice(SIDES)),
        position_mm=place if rng.random() < 0.5 else None,  # type: ignore[arg-type]
        scale=str(rng.choice(SCALES, p=[0.7, 0.15, 0.15])),
    )


def _events(
    rng: np.random.Generator, fs_hz: float, start_s: float, n_samples: int
) -> tuple[Event, ...]:
    """Neighbouring stretches on the sample grid, some of them unlabelled, one of them a gap."""
    cuts = np.unique(rng.integers(0, n_samples + 1, 6)).tolist()
    labels = rng.choice(["rest", "fist", "point"], len(cuts))
    events = [
        Event(start_s + a / fs_hz, (b - a) / fs_hz, str(labels[i]), "protocol", str(i))
        for i, (a, b) in enumerate(pairwise(cuts))
        if i % 3 != 2
    ]
    gap = Event(start_s + 3 / fs_hz, 4 / fs_hz, GAP, "reader")
    return (*events, gap, Event(start_s + 5 / fs_hz, 0.0, "go", "annotation"))
