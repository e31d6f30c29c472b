"""Gesture: a file that holds one repetition of one gesture, as most armband sources have it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject

__all__ = ["MYO", "MYO_FS_HZ", "gesture", "myo_layout", "numbered"]

MYO = "Myo armband"
MYO_FS_HZ = 200.0


def numbered(n_channels: int, *, scale: str) -> tuple[Channel, ...]:
    """Return surface channels ``emg1``, ``emg2``, ..."""
    return tuple(Channel(f"emg{i + 1}", kind="semg", scale=scale) for i in range(n_channels))


def myo_layout() -> Layout:
    """Return the layout of a Myo armband: 8 channels of 8-bit counts at 200 Hz.

    Its maker never published the size of a count, so it is not turned into microvolts.
    """
    return Layout(MYO_FS_HZ, numbered(8, scale="count"))


def gesture(
    samples: NDArray[np.floating],
    layout: Layout,
    *,
    label: str,
    trial: int,
    subject: Subject,
    session: str,
) -> Recording:
    """Return a recording of a Myo that is one gesture from its first sample to its last."""
    duration_s = samples.shape[1] / layout.fs_hz
    return Recording(
        samples.astype(np.float32),
        layout,
        events=(Event(0.0, duration_s, label, "protocol", str(trial)),),
        subject=subject,
        session=session,
        device=MYO,
    )
