"""The parts of a decision: muscles, bands of frequency, features and their families."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from myograph.core.errors import ParameterError
from myograph.core.layout import Layout
from myograph.explain.explanation import Groups
from myograph.features import FEATURES
from myograph.pipeline.pipeline import Pipeline

__all__ = ["band_name", "bands_of", "families", "family_of", "muscle_name", "muscles"]

_N_BANDS = 5

# Homes of features, in the words of a reader.
_FAMILIES = {
    "amplitude": "amplitude",
    "waveform": "waveform (crossings, turns, length)",
    "spectral": "spectrum",
    "spectral_measures": "spectrum",
    "timefrequency": "time and frequency",
    "hilbert_huang": "time and frequency",
    "wavelets": "wavelets",
    "scattering": "scattering",
    "autoregressive": "autoregressive model",
    "complexity": "complexity",
    "fractal": "complexity",
    "interference": "interference pattern",
    "spatial": "between muscles",
    "tensors": "between muscles",
    "shape": "shape of the distribution",
    "tdpsd": "power descriptors",
}
_SAMPLES = "samples of the signal"


def muscle_name(layout: Layout, row: int) -> str:
    """Name a channel as a reader knows it: its muscle beside its name, if that is known."""
    channel = layout.channels[row]
    told = " ".join(filter(None, (channel.side, channel.muscle)))
    return f"{channel.name} ({told})" if told and told != channel.name else channel.name


def muscles(names: Sequence[str], layout: Layout) -> Groups:
    """Group columns by the channels they were measured on.

    Examples
    --------
    >>> from myograph.core.layout import Channel
    >>> layout = Layout(1000.0, (Channel("a", kind="semg"), Channel("b", kind="semg")))
    >>> found = muscles(["a.mav", "b.mav", "a~b.correlation"], layout)
    >>> found.names, found.owner
    (('a', 'b', 'a and b'), (0, 1, 2))
    """
    told = []
    for name in names:
        where = name.rpartition(".")[0]
        channels = where.split("~")
        known = where and all(channel in layout.names for channel in channels)
        if known:
            rows = [layout.names.index(channel) for channel in channels]
            told.append(" and ".join(muscle_name(layout, row) for row in rows))
        else:
            told.append("mixed")
    return _grouped("muscle", told)


def families(names: Sequence[str]) -> Groups:
    """Group columns by the kind of feature.

    Examples
    --------
    >>> families(["a.mav", "a.zc", "b.mav"]).names
    ('amplitude', 'waveform (crossings, turns, length)')
    """
    return _grouped("feature family", [family_of(name) for name in names])


def family_of(name: str) -> str:
    """Return the kind of the feature of a column ``channel.feature``."""
    feature = name.rpartition(".")[2].partition("[")[0]
    if feature == "sample":
        return _SAMPLES
    if feature not in FEATURES:
        return "mixed"
    home = FEATURES[feature].function.__module__.rpartition(".")[2]
    return _FAMILIES.get(home, home.replace("_", " "))


def bands_of(pipeline: Pipeline, fs_hz: float) -> tuple[tuple[float, float], ...]:
    """Split the spectrum into bands that suit the pipeline, Hz.

    Where a pipeline passes a band, five bands share it, and what lies below and above has bands of
    its own: a model that lives on drift shows there.

    Parameters
    ----------
    pipeline : Pipeline
    fs_hz : float
        Of the recording.

    Returns
    -------
    tuple of (low_hz, high_hz)
        From 0 to half of ``fs_hz``, without holes.
    """
    low_hz, high_hz = 0.0, fs_hz / 2
    for step in pipeline.front.steps:
        given = step.to_dict()
        if given.get("step") in ("bandpass", "highpass"):
            low_hz = max(low_hz, float(given.get("low_hz", 0.0)))
        if given.get("step") in ("bandpass", "lowpass"):
            high_hz = min(high_hz, float(given.get("high_hz", high_hz)))
    if low_hz >= high_hz:
        raise ParameterError(f"The pipeline passes nothing: {low_hz:g} to {high_hz:g} Hz.")
    first = low_hz or high_hz / 20
    wide = high_hz / first > 10 and low_hz > 0
    inner = (
        np.geomspace(low_hz, high_hz, _N_BANDS + 1)
        if wide
        else np.linspace(low_hz, high_hz, _N_BANDS + 1)
    )
    edges = [0.0, *(_round(edge) for edge in inner if edge > 0), fs_hz / 2]
    edges = sorted({edge for edge in edges if edge <= fs_hz / 2})
    return tuple(pairwise(edges))


def band_name(low_hz: float, high_hz: float) -> str:
    """Write a band.

    Examples
    --------
    >>> band_name(20.0, 106.0)
    '20–106 Hz'
    """
    return f"{low_hz:g}–{high_hz:g} Hz"


def _round(value: float) -> float:
    """Round to three digits: a band's limit is read, not computed with."""
    return float(f"{value:.3g}")


def _grouped(about: str, told: Sequence[str]) -> Groups:
    names = tuple(dict.fromkeys(told))
    return Groups(about, names, tuple(names.index(name) for name in told))
