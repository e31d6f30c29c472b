"""Steps that clean a recording, the windows cut from it, and what its quality is."""

from __future__ import annotations

from myograph.preprocess.filtering import (
    Bandpass,
    Highpass,
    Lowpass,
    Notch,
    ZeroPhaseBandpass,
    ZeroPhaseHighpass,
    ZeroPhaseLowpass,
    ZeroPhaseNotch,
)
from myograph.preprocess.montage import Select
from myograph.preprocess.quality import QualityReport, QualityThresholds, assess
from myograph.preprocess.windowing import Windowing, WindowingState

__all__ = [
    "Bandpass",
    "Highpass",
    "Lowpass",
    "Notch",
    "QualityReport",
    "QualityThresholds",
    "Select",
    "Windowing",
    "WindowingState",
    "ZeroPhaseBandpass",
    "ZeroPhaseHighpass",
    "ZeroPhaseLowpass",
    "ZeroPhaseNotch",
    "assess",
]
