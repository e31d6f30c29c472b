"""Steps that clean a recording, the windows cut from it, and what its quality is."""

from __future__ import annotations

from myograph.preprocess.artifacts import Artifact, ArtifactLimits, find_artifacts
from myograph.preprocess.bands import BANDS, BandStep, Drift, Modality, band_remarks
from myograph.preprocess.displacement import Displacement, find_displacement
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
from myograph.preprocess.line_noise import (
    ConditionalNotch,
    InterpolateMains,
    SubtractMains,
    find_mains,
)
from myograph.preprocess.montage import Montage, Select
from myograph.preprocess.normalise import Normalise, ZScore
from myograph.preprocess.quality import QualityReport, QualityThresholds, assess, withheld
from myograph.preprocess.repair import Repair, SubtractHeart
from myograph.preprocess.resample import Resample, ZeroPhaseResample
from myograph.preprocess.rolling import RollingZScore
from myograph.preprocess.segment import Segmenter
from myograph.preprocess.whiten import WhitenChannels
from myograph.preprocess.windowing import Windowing

__all__ = [
    "BANDS",
    "Artifact",
    "ArtifactLimits",
    "BandStep",
    "Bandpass",
    "ConditionalNotch",
    "Displacement",
    "Drift",
    "Highpass",
    "InterpolateMains",
    "Lowpass",
    "Modality",
    "Montage",
    "Normalise",
    "Notch",
    "QualityReport",
    "QualityThresholds",
    "Repair",
    "Resample",
    "RollingZScore",
    "Segmenter",
    "Select",
    "SubtractHeart",
    "SubtractMains",
    "WhitenChannels",
    "Windowing",
    "ZScore",
    "ZeroPhaseBandpass",
    "ZeroPhaseHighpass",
    "ZeroPhaseLowpass",
    "ZeroPhaseNotch",
    "ZeroPhaseResample",
    "assess",
    "band_remarks",
    "find_artifacts",
    "find_displacement",
    "find_mains",
    "withheld",
]
