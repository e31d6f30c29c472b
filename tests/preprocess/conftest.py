"""A recording with known defects in known places."""

import numpy as np
import pytest

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Recording
from myograph.signal.filters import CausalFilter, design_bandpass

FS_HZ = 1000.0
SECONDS = 20


def band_noise(rng, n_channels, n):
    band = CausalFilter(design_bandpass(20, 250, order=2, fs_hz=FS_HZ), n_channels=n_channels)
    x = band.push(rng.standard_normal((n_channels, n)).astype("f4")).astype(float)
    return 50 * x / x.std(axis=1, keepdims=True)


@pytest.fixture
def make_muscle(rng):
    """Return a maker: samples (n_channels, n) of 50 uV muscle, to be spoiled, then recorded."""

    def make(n_channels=1, seconds=SECONDS):
        return band_noise(rng, n_channels, int(seconds * FS_HZ))

    return make


@pytest.fixture
def record():
    """Return a function that stores samples with a step of 0.1 uV."""

    def recorded(samples, *, kind="semg", events=(), start_s=0.0):
        channels = tuple(Channel(f"e{i}", kind=kind) for i in range(len(samples)))
        stored = (np.round(samples / 0.1) * 0.1).astype("f4")
        return Recording(stored, Layout(FS_HZ, channels), events=events, start_s=start_s)

    return recorded
