"""What a feature costs on a device: operations per window, shared parts counted once.

An operation is what a small processor with a floating-point unit does in about one cycle: an
addition, a multiplication, a comparison, an absolute value. A division or a square root counts
14, as it does on the Cortex-M4 (arm2010), a logarithm, a power or a sine 60. These are estimates
for choosing among features, made by counting the terms of the formulas; they stand in one table,
and not with each feature, because features share work: one transform serves every spectral
feature of a channel. What a generated program really takes is measured where it is generated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from myograph.core.checks import check_count
from myograph.core.errors import ParameterError

__all__ = ["COSTS", "PARTS", "Cost", "split_column", "total_operations"]

_ROOT = 14.0  # a square root or a division
_LOG = 60.0  # a logarithm, a power, a sine

Count = Callable[[int], float]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one feature of one channel costs.

    Parameters
    ----------
    own : callable
        Window length in samples to operations that nothing shares.
    parts : tuple of str
        Keys of `PARTS`: what the feature starts from, and shares with others.
    """

    own: Count
    parts: tuple[str, ...] = ()


def _per_sample(operations: float, *, once: float = 0.0) -> Count:
    return lambda n: operations * n + once


def _transform(n: int) -> float:
    # A real transform of n points, of the next power of two, with its taper and squares.
    size = 1 << max(n - 1, 1).bit_length()
    return 2.5 * size * math.log2(size) + n + 1.5 * size


def _sort(n: int) -> float:
    return 2.0 * n * math.log2(max(n, 2))


def _wavelet(n: int) -> float:
    # Filters of 14 taps on n, n/2, n/4, ... samples: two filters, half of the outputs each.
    return 2.0 * 14 * 2 * n


def _segments(n: int) -> float:
    # Three transforms of half the window.
    return 3 * _transform(max(n // 2, 2))


def _scalogram(n: int) -> float:
    # Complex transforms of twice the window: one there, sixteen back, and their magnitudes.
    size = 1 << max(2 * n - 1, 1).bit_length()
    return 17 * 5.0 * size * math.log2(size) + 16 * (6 * size + 4 * n)


def _modes(n: int) -> float:
    # About six modes, ten sifts, two splines of a dozen operations a sample; then seven phases.
    return 6 * 10 * 2 * 12.0 * n + 7 * (4 * _transform(n) + (_LOG + _ROOT) * n)


def _paths(n: int) -> float:
    # Twenty bands of the first order and their followers, most of them thinned out.
    return 12 * _transform(2 * n) + 40.0 * n + _ROOT * 8 * n


def _pairs(operations: float) -> Count:
    """Every pair of samples is compared: the plain form of the entropies of matches."""
    return lambda n: operations * n * (n - 1) / 2


#: What features start from, once per channel.
PARTS: Mapping[str, Count] = MappingProxyType(
    {
        "steps": _per_sample(1),
        "squares": _per_sample(2),
        "sizes": _per_sample(2),
        "moments": _per_sample(7, once=_ROOT),
        "spectrum": _transform,
        "sorted": _sort,
        "wavelet": _wavelet,
        "packets": _per_sample(4 * 2 * 14.0),  # four levels of both filters on every sample
        "scalogram": _scalogram,
        "modes": _modes,
        "paths": _paths,
        "logarithms": _per_sample(_LOG),
        "burg-6": _per_sample(6 * 5.0, once=6 * _ROOT),
    }
)

_ONE = _per_sample(0, once=1)
_RATIO = _per_sample(0, once=_ROOT)
_BAND_SUM = _per_sample(0.5)  # over the bins of half a spectrum
_COUNT = _per_sample(3)
_LOGGED = _per_sample(1, once=_LOG)
_TDPSD = _per_sample(6, once=3 * _LOG)  # two orders of differences, then a power and logarithms
_TDPSD_NAMES = tuple(f"tdpsd-{name}" for name in ("irf", "m0", "m2", "m4", "sparsity", "wlf"))
_SPECTRAL_NAMES = ("band-power", "fr", "mnp", "omega", "pkf", "vcf")
_INTERFERENCE_NAMES = tuple(
    f"ip-{name}" for name in ("activity", "amplitude", "ratio", "small-segments", "turns", "uca")
)

#: Every feature by name.
COSTS: dict[str, Cost] = {
    "mav": Cost(_RATIO, ("sizes",)),
    "iemg": Cost(_ONE, ("sizes",)),
    "rms": Cost(_per_sample(0, once=2 * _ROOT), ("squares",)),
    "var": Cost(_RATIO, ("squares",)),
    "wl": Cost(_per_sample(2), ("steps",)),
    "zc": Cost(_COUNT, ("steps",)),
    "ssc": Cost(_COUNT, ("steps",)),
    "wamp": Cost(_per_sample(2), ("steps",)),
    "mnf": Cost(_per_sample(1.0, once=_ROOT), ("spectrum",)),
    "mdf": Cost(_per_sample(1.0, once=_ROOT), ("spectrum",)),
    **{name: Cost(_COUNT, ("sizes",)) for name in ("mav1", "mav2", "mavslp", "myop", "msr")},
    **{name: Cost(_COUNT, ("steps",)) for name in ("aac", "dasdv", "mfl")},
    **{name: Cost(_COUNT) for name in ("peak", "ptp", "ttp", "flat")},
    **{name: Cost(_LOGGED, ("logarithms",)) for name in ("log", "ld")},
    **{name: Cost(_RATIO, ("moments",)) for name in ("kurt", "skew", "tm3", "tm4", "tm5")},
    "ssi": Cost(_ONE, ("squares",)),
    "crest": Cost(_per_sample(1, once=2 * _ROOT), ("squares",)),
    "ls": Cost(_COUNT, ("sorted",)),
    "card": Cost(_COUNT, ("sorted",)),
    "hist": Cost(_per_sample(4)),
    "tkeo": Cost(_per_sample(4)),
    "tkeo-abs": Cost(_per_sample(5)),
    "hjorth-activity": Cost(_RATIO, ("squares",)),
    "hjorth-mobility": Cost(_per_sample(2, once=2 * _ROOT), ("steps", "squares")),
    "hjorth-complexity": Cost(_per_sample(5, once=4 * _ROOT), ("steps", "squares")),
    **{name: Cost(_TDPSD, ("steps", "squares")) for name in _TDPSD_NAMES},
    "ar": Cost(_RATIO, ("burg-6",)),
    "ar-yw": Cost(_per_sample(14, once=6 * _ROOT)),
    "cepstrum": Cost(_per_sample(0, once=60), ("burg-6",)),
    **{name: Cost(_BAND_SUM, ("spectrum",)) for name in _SPECTRAL_NAMES},
    **{name: Cost(_per_sample(0.5 * _LOG), ("spectrum",)) for name in ("spen", "flatness")},
    **{f"finsm{k}": Cost(_per_sample(2, once=_ROOT), ("spectrum",)) for k in range(1, 6)},
    **{f"sm{k}": Cost(_per_sample(1.5), ("spectrum",)) for k in range(6)},
    **{name: Cost(_per_sample(8), ("steps",)) for name in _INTERFERENCE_NAMES},
    **{name: Cost(_pairs(4), ("moments",)) for name in ("sampen", "apen")},
    "mse": Cost(_pairs(6), ("moments",)),  # 1 + 1/4 + 1/9 + ... times the pairs
    "fuzzyen": Cost(_pairs(2 * _LOG), ("moments",)),
    "permen": Cost(_per_sample(8, once=6 * _LOG)),
    "lziv": Cost(_pairs(0.5), ("sorted",)),
    "dfa": Cost(_per_sample(80, once=20 * _LOG)),  # ten sizes of boxes
    "higuchi": Cost(_per_sample(24, once=8 * _LOG)),
    "katz": Cost(_per_sample(4, once=3 * _LOG)),
    "boxdim": Cost(_per_sample(24, once=8 * _LOG)),
    "wavelet-energy": Cost(_per_sample(2, once=8 * _ROOT), ("wavelet",)),
    "wavelet-entropy": Cost(_per_sample(2, once=8 * _LOG), ("wavelet",)),
    "packet-energy": Cost(_per_sample(2, once=16 * _ROOT), ("packets",)),
    "packet-entropy": Cost(_per_sample(2, once=16 * _LOG), ("packets",)),
    "stft": Cost(_segments),
    "cwt-power": Cost(_per_sample(16), ("scalogram",)),
    "imnf": Cost(_per_sample(3 * 16 + _ROOT), ("scalogram",)),
    "imdf": Cost(_per_sample(2 * 16 + _ROOT + _LOG), ("scalogram",)),
    "hht-power": Cost(_per_sample(6 * 8.0), ("modes",)),
    "hht-mnf": Cost(_per_sample(6 * 4.0), ("modes",)),
    "scattering": Cost(_ONE, ("paths",)),
    "scattering-shape": Cost(_per_sample(0, once=60 * (_LOG + _ROOT)), ("paths",)),
    # For each two channels.
    "correlation": Cost(_per_sample(2, once=2 * _ROOT)),
    "covariance": Cost(_per_sample(2, once=_ROOT)),
    "log-covariance": Cost(_per_sample(2, once=200.0)),
    "phasor-rms": Cost(_per_sample(2, once=3 * _ROOT + _LOG)),
    "phasor-wl": Cost(_per_sample(3, once=2 * _ROOT + _LOG)),
}


def split_column(name: str) -> tuple[str, str]:
    """Return channel and feature of a column ``channel.feature`` or ``channel.feature[k]``.

    Examples
    --------
    >>> split_column("emg1.mav"), split_column("flexor 2.5.ar[3]")
    (('emg1', 'mav'), ('flexor 2.5', 'ar'))
    """
    channel, _, feature = name.rpartition(".")
    return channel, feature.partition("[")[0]


def total_operations(columns: Iterable[str], *, n_samples: int) -> float:
    """Estimate the operations per window that measuring these columns takes.

    Parameters
    ----------
    columns : iterable of str
        Names ``channel.feature``, as in a `FeatureTable`.
    n_samples : int
        Length of a window.

    Returns
    -------
    float
        A feature of several columns is paid once, and so is what features of a channel share.

    Raises
    ------
    ParameterError
        If a feature has no estimate.

    Examples
    --------
    >>> total_operations(["emg1.mav"], n_samples=400)
    814.0
    >>> total_operations(["emg1.wl", "emg1.zc"], n_samples=400)
    2400.0
    """
    check_count(n_samples, name="n_samples")
    measured = {split_column(name) for name in columns}
    unknown = sorted({feature for _, feature in measured} - set(COSTS))
    if unknown:
        raise ParameterError(
            f"Features {unknown} have no estimate of their operations "
            "(myograph.features.cost.COSTS), so they cannot be chosen by cost; leave them out, or "
            "choose without costs."
        )
    parts = {(channel, part) for channel, name in measured for part in COSTS[name].parts}
    own = sum(COSTS[name].own(n_samples) for _, name in measured)
    return own + sum(PARTS[part](n_samples) for _, part in parts)
