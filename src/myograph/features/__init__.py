"""Features: pure functions of windows, declared so that their laws can be tested."""

from __future__ import annotations

from myograph.features import (
    autoregressive,
    complexity,
    fractal,
    hilbert_huang,
    interference,
    scattering,
    shape,
    spatial,
    spectral_measures,
    tdpsd,
    timefrequency,
    wavelets,
)
from myograph.features.amplitude import (
    integrated_emg,
    mean_absolute_value,
    root_mean_square,
    variance,
)
from myograph.features.base import (
    FEATURES,
    SETS,
    Feature,
    FeatureSpec,
    compute,
    feature,
    parse_features,
)
from myograph.features.extract import extract
from myograph.features.spectral_measures import mean_frequency, median_frequency
from myograph.features.stream import Extraction
from myograph.features.tensors import Tensor, scalogram, spectrogram
from myograph.features.thresholds import fix_thresholds
from myograph.features.waveform import (
    slope_sign_changes,
    waveform_length,
    willison_amplitude,
    zero_crossings,
)

# Last: the sets name features, so every module of features stands above.
from myograph.features import sets  # isort: skip

del autoregressive, complexity, fractal, hilbert_huang, interference, sets, shape
del scattering, spatial, spectral_measures, tdpsd, timefrequency, wavelets

__all__ = [
    "FEATURES",
    "SETS",
    "Extraction",
    "Feature",
    "FeatureSpec",
    "Tensor",
    "compute",
    "extract",
    "feature",
    "fix_thresholds",
    "integrated_emg",
    "mean_absolute_value",
    "mean_frequency",
    "median_frequency",
    "parse_features",
    "root_mean_square",
    "scalogram",
    "slope_sign_changes",
    "spectrogram",
    "variance",
    "waveform_length",
    "willison_amplitude",
    "zero_crossings",
]
