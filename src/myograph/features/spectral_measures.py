r"""The features of the spectrum: moments and what follows from them, shape, ratios, band powers.

Moments are :math:`M_k = \sum_j f_j^k P_j` over the bins of the band (phinyomark2012).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import ParameterError
from myograph.features.shape import ratio
from myograph.features.spectral import EDGES_HZ, ESTIMATE, Band, FromSpectrum, Request, declare

__all__ = [
    "band_powers",
    "central_frequency_variance",
    "frequency_ratio",
    "mean_frequency",
    "mean_power",
    "median_frequency",
    "peak_frequency",
    "spectral_deformation",
    "spectral_entropy",
    "spectral_flatness",
    "total_power",
]

Values = NDArray[np.float64]
Answers = list[Values]


def _one_band(frequencies_hz: Values, parameters: Mapping[str, Any]) -> tuple[Band, ...]:
    return (Band.of(frequencies_hz, parameters["low_hz"], parameters["high_hz"]),)


def _moment(band: Band, order: int) -> Request:
    """Ask for a moment; a bin at 0 Hz has no part in those of negative order."""
    frequencies_hz = band.frequencies_hz
    if order < 0:
        above = frequencies_hz > 0
        weights = np.where(above, np.where(above, frequencies_hz, 1.0) ** order, 0.0)
    else:
        weights = frequencies_hz**order
    return ("weighted", band.first, band.stop, weights * band.width_hz)


def _moments(*orders: int) -> Callable[[Band], list[Request]]:
    return lambda band: [_moment(band, order) for order in orders]


_NONE = np.empty(0)


def _kind(name: str) -> Callable[[Band], Request]:
    return lambda band: (name, band.first, band.stop, _NONE)


def _median_hz(answers: Answers, band: Band) -> Values:
    place, power = answers
    median_hz: Values = np.where(power > 0, band.frequencies_hz[0] + place * band.width_hz, 0.0)
    return median_hz


def _spread(answers: Answers, band: Band) -> Values:
    del band
    m0, m1, m2 = answers
    return np.maximum(ratio(m2, m0) - np.square(ratio(m1, m0)), 0.0)


def _omega(answers: Answers, band: Band) -> Values:
    del band
    m0, m1, m2 = answers
    return np.sqrt(ratio(m2 * m0, m1 * m1))


def _entropy(answers: Answers, band: Band) -> Values:
    """With p = P / S: -sum p ln p = ln S - (sum P ln P) / S, as a share of its largest value."""
    p_log_p, power = answers
    total = power / band.width_hz
    log_total = np.log(np.where(total > 0, total, 1.0))
    entropy = np.maximum(log_total - ratio(p_log_p, total), 0.0)
    share: Values = np.where(total > 0, entropy / np.log(band.stop - band.first), 0.0)
    return share


def _flatness(answers: Answers, band: Band) -> Values:
    log_p, power = answers
    n_bins = band.stop - band.first
    return ratio(np.exp(log_p / n_bins), power / (n_bins * band.width_hz))


_MOMENT_UNITS = ("", " Hz", " Hz^2", " Hz^3", " Hz^4", " Hz^5")

mean_frequency = declare(
    "mnf",
    "Mean frequency, M_1 / M_0",
    FromSpectrum(_one_band, _moments(0, 1), lambda a, band: ratio(a[1], a[0])),
    unit="Hz",
    reference="phinyomark2012",
)
median_frequency = declare(
    "mdf",
    "Median frequency: half of the power lies below it. Each bin's power is spread evenly over "
    "its width, so\n    that the median does not jump from bin to bin",
    FromSpectrum(_one_band, lambda band: [_kind("half")(band), _moment(band, 0)], _median_hz),
    unit="Hz",
    reference="phinyomark2012",
)
peak_frequency = declare(
    "pkf",
    "Peak frequency: that of the highest bin",
    FromSpectrum(
        _one_band,
        lambda band: [_kind("highest")(band), _moment(band, 0)],
        _median_hz,
    ),
    unit="Hz",
    reference="phinyomark2012",
)
total_power = declare(
    "ttp",
    "Total power in the band, M_0",
    FromSpectrum(_one_band, _moments(0), lambda a, band: a[0]),
    unit="signal^2",
    reference="phinyomark2012",
)
mean_power = declare(
    "mnp",
    "Mean power of a bin of the band",
    FromSpectrum(_one_band, _moments(0), lambda a, band: a[0] / (band.stop - band.first)),
    unit="signal^2",
    reference="phinyomark2012",
)
for _order, _unit in enumerate(_MOMENT_UNITS):
    declare(
        f"sm{_order}",
        f"Spectral moment M_{_order}",
        FromSpectrum(_one_band, _moments(_order), lambda a, band: a[0]),
        unit=f"signal^2{_unit}",
        reference="phinyomark2012",
    )
central_frequency_variance = declare(
    "vcf",
    "Variance of the central frequency, M_2 / M_0 - (M_1 / M_0)^2",
    FromSpectrum(_one_band, _moments(0, 1, 2), _spread),
    unit="Hz^2",
    reference="phinyomark2012",
)
spectral_deformation = declare(
    "omega",
    "Spectral deformation, the root of (M_2 / M_0) / (M_1 / M_0)^2: 1 for a tone",
    FromSpectrum(_one_band, _moments(0, 1, 2), _omega),
    unit="1",
    reference="sinderby1995",
)
spectral_entropy = declare(
    "spen",
    "Entropy of the shares of power of the bins, as a share of that of a flat spectrum",
    FromSpectrum(_one_band, lambda band: [_kind("p-log-p")(band), _moment(band, 0)], _entropy),
    unit="1",
    reference="inouye1991",
)
spectral_flatness = declare(
    "flatness",
    "Geometric over arithmetic mean of the power of the bins: 1 for a flat spectrum",
    FromSpectrum(_one_band, lambda band: [_kind("log-p")(band), _moment(band, 0)], _flatness),
    unit="1",
    reference="gray1974",
)
for _order in range(1, 6):
    declare(
        f"finsm{_order}",
        f"Fatigue index, M_-1 / M_{_order}, over the stated band, which is part of its definition",
        FromSpectrum(_one_band, _moments(-1, _order), lambda a, band: ratio(a[0], a[1])),
        unit=f"Hz^-{_order + 1}",
        reference="dimitrov2006",
    )


def _two_bands(frequencies_hz: Values, parameters: Mapping[str, Any]) -> tuple[Band, ...]:
    split_hz = check_positive(parameters["split_hz"], name="split_hz")
    low_hz, high_hz = parameters["low_hz"], parameters["high_hz"]
    if not low_hz < split_hz < high_hz:
        raise ParameterError(
            f"split_hz must lie between low_hz={low_hz:g} and high_hz={high_hz:g}; "
            f"got {split_hz:g}."
        )
    below = np.nextafter(split_hz, 0.0)  # a bin at the split counts above it
    return Band.of(frequencies_hz, low_hz, below), Band.of(frequencies_hz, split_hz, high_hz)


frequency_ratio = declare(
    "fr",
    "Frequency ratio: the power below split_hz over that above, within the band",
    FromSpectrum(
        _two_bands,
        lambda *bands: [_moment(band, 0) for band in bands],
        lambda a, low, high: ratio(a[0], a[1]),
    ),
    unit="1",
    reference="phinyomark2012",
    parameters={**ESTIMATE, "low_hz": 30.0, "split_hz": 250.0, "high_hz": 500.0},
)


def _adjoining(frequencies_hz: Values, parameters: Mapping[str, Any]) -> tuple[Band, ...]:
    edges = tuple(parameters["edges_hz"])
    if len(edges) < 2 or any(a >= b for a, b in pairwise(edges)):
        raise ParameterError(
            f"edges_hz must be at least two rising frequencies; got {list(edges)}."
        )
    return tuple(
        Band.of(frequencies_hz, low, np.nextafter(high, 0.0), least=1)
        for low, high in pairwise(edges)
    )


band_powers = declare(
    "band-power",
    "Power between each two of edges_hz; what lies on an edge belongs to the band above",
    FromSpectrum(
        _adjoining,
        lambda *bands: [_moment(band, 0) for band in bands],
        lambda a, *bands: np.stack(a, axis=-1),
    ),
    unit="signal^2",
    reference="phinyomark2012",
    parameters={"edges_hz": EDGES_HZ, "method": "periodogram", "pieces": 0},
)
