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
from myograph.preprocess.montage import Montage, Select
from myograph.preprocess.normalise import Normalise, ZScore
from myograph.preprocess.quality import QualityReport, QualityThresholds, assess
from myograph.preprocess.rolling import RollingZScore
from myograph.preprocess.segment import Segmenter
from myograph.preprocess.windowing import Windowing, WindowingState

__all__ = [
    "Bandpass",
    "Highpass",
    "Lowpass",
    "Montage",
    "Normalise",
    "Notch",
    "QualityReport",
    "QualityThresholds",
    "RollingZScore",
    "Segmenter",
    "Select",
    "Windowing",
    "WindowingState",
    "ZScore",
    "ZeroPhaseBandpass",
    "ZeroPhaseHighpass",
    "ZeroPhaseLowpass",
    "ZeroPhaseNotch",
    "assess",
]
