r"""How irregular a window is: entropies of matches and of patterns, and Lempel-Ziv complexity.

**Matches.** A *template* is m samples in a row, and two templates match when no pair of their
samples is further apart than a tolerance. The tolerance is ``r`` times the standard deviation of
the window (about its mean, over N), or, when ``tolerance`` is given, an amplitude in the unit of
the channel, one for all channels or one each: then two recordings are compared on one scale, and
the noise of the amplifier counts as what it is. A difference counts as within the tolerance up
to a part in 10^9 beyond it, so that the rounding of a standard deviation decides nothing.

**Where nothing is defined.** A flat window matches everywhere and gives 0. Where no pair of
templates matches, the logarithm is of 0; the value is then the largest that a window of its
length can have, :math:`\ln(T(T-1)/2)` for T templates (richman2000), finite and the same for all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.features.amplitude import Windows3D, as_float64
from myograph.features.base import feature
from myograph.features.thresholds import amplitudes

__all__ = [
    "MARGIN",
    "approximate_entropy",
    "entropy_of_counts",
    "fuzzy_entropy",
    "lempel_ziv_complexity",
    "lempel_ziv_of",
    "log_of_patterns",
    "multiscale_entropy",
    "permutation_entropy",
    "sample_entropy",
    "tolerances",
]

#: How far beyond the tolerance a difference still counts as within it.
MARGIN = 1.0 + 1e-9

_R = 0.2
_MATCHES: Mapping[str, Any] = {"m": 2, "r": _R, "tolerance": 0.0}
_MAX_M, _MAX_ORDER, _MAX_SCALES = 10, 7, 20

Values = NDArray[np.float64]
Truths = NDArray[np.bool_]


def check_matches(name: str) -> Callable[..., None]:
    """Return the check of a feature of matches."""

    def check(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
        del fs_hz
        m = check_count(parameters["m"], name=f"m of feature {name!r}")
        if m > _MAX_M:
            raise ParameterError(f"m of feature {name!r} must be 1 to {_MAX_M}; got {m}.")
        r = check_positive(parameters["r"], name=f"r of feature {name!r}")
        if np.any(_absolute(parameters["tolerance"])) and r != _R:
            raise ParameterError(
                f"Feature {name!r} is given two tolerances, r={r:g} standard deviations and "
                f"tolerance={parameters['tolerance']} in the unit of the channel. Leave one out."
            )
        check_positive(parameters.get("power", 1.0), name=f"power of feature {name!r}")
        scales = check_count(parameters.get("scales", 1), name=f"scales of feature {name!r}")
        if scales > _MAX_SCALES:
            raise ParameterError(
                f"scales of feature {name!r} must be 1 to {_MAX_SCALES}; got {scales}."
            )
        if n_samples // scales < m + 2:
            raise DataError(
                f"Feature {name!r} needs windows of at least {scales * (m + 2)} samples for m={m}"
                + (f" at {scales} scales" if scales > 1 else "")
                + f"; these have {n_samples}. Lengthen the windows, or lower m"
                + (" or the scales." if scales > 1 else ".")
            )

    return check


def _absolute(tolerance: Any) -> Any:
    # Multiples of a noise that is still to be measured are amplitudes too.
    return 1.0 if isinstance(tolerance, Mapping) else tolerance


def tolerances(x: Values, r: float, tolerance: Any, *, name: str) -> Values:
    """Return the tolerance of every window, shape (n_windows, n_channels)."""
    given = amplitudes(tolerance, n_channels=x.shape[1], name=f"tolerance of feature {name!r}")
    spread = (x - x[..., :1]).std(axis=-1)
    return np.where(given > 0, given, r * spread) * MARGIN


def _together(close: Truths, m: int, count: int) -> Truths:
    """Say which of the first ``count`` places begin m that are all true."""
    all_of = close[..., :count]
    for q in range(1, m):
        all_of = all_of & close[..., q : q + count]
    return all_of


def _entropy_of_samples(x: Values, tolerance: Values, m: int) -> Values:
    n = x.shape[-1]
    templates = n - m
    short, long = np.zeros(x.shape[:2]), np.zeros(x.shape[:2])
    for lag in range(1, templates):
        close = np.abs(x[..., lag:] - x[..., :-lag]) <= tolerance[..., None]
        matched = _together(close, m, templates - lag)
        short += matched.sum(axis=-1)
        long += (matched & close[..., m : m + templates - lag]).sum(axis=-1)
    return entropy_of_counts(short, long, templates)


def entropy_of_counts(short: Values, long: Values, templates: Any) -> Values:
    """Return ln(short / long), and the largest possible value where either is 0."""
    none = long <= 0
    largest = np.log(np.multiply(templates, np.subtract(templates, 1)) / 2)
    return np.where(none, largest, np.log(np.where(none, 1, short) / np.where(none, 1, long)))


@feature(
    "sampen",
    unit="1",
    amplitude_power=0,
    reference="richman2000",
    parameters=_MATCHES,
    in_signal_units=("tolerance",),
    check=check_matches("sampen"),
)
def sample_entropy(
    windows: Windows3D, fs_hz: float, *, m: int = 2, r: float = _R, tolerance: Any = 0.0
) -> Values:
    r"""Sample entropy, :math:`-\ln(A / B)` (richman2000).

    B is the number of pairs among the first N - m templates of length m that match, A of length
    m + 1; no template is compared with itself.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    m : int
        Samples in a template, 1 to 10.
    r : float
        Tolerance in standard deviations of the window.
    tolerance : float or sequence of float
        Tolerance in the unit of the channel, instead of ``r``; 0 where ``r`` rules.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        In nats: 0 for a flat or strictly repeating window, about 2.2 for white noise and r = 0.2.
    """
    del fs_hz
    x = as_float64(windows)
    return _entropy_of_samples(x, tolerances(x, r, tolerance, name="sampen"), m)


@feature(
    "apen",
    unit="1",
    amplitude_power=0,
    reference="pincus1991",
    parameters=_MATCHES,
    in_signal_units=("tolerance",),
    check=check_matches("apen"),
)
def approximate_entropy(
    windows: Windows3D, fs_hz: float, *, m: int = 2, r: float = _R, tolerance: Any = 0.0
) -> Values:
    r"""Approximate entropy, :math:`\Phi^m - \Phi^{m+1}` (pincus1991).

    :math:`\Phi^m` is the mean over the N - m + 1 templates of the logarithm of the share of
    templates that match it, itself among them: so it is always defined, and too low on short
    windows.

    See `sample_entropy` for the parameters and the result.
    """
    del fs_hz
    x = as_float64(windows)
    limit = tolerances(x, r, tolerance, name="apen")[..., None]
    n = x.shape[-1]
    counts = [np.ones((*x.shape[:2], n - length + 1)) for length in (m, m + 1)]
    for lag in range(1, n - m + 1):
        close = np.abs(x[..., lag:] - x[..., :-lag]) <= limit
        for length, count in zip((m, m + 1), counts, strict=True):
            pairs = n - length + 1 - lag
            if pairs > 0:
                matched = _together(close, length, pairs)
                count[..., :pairs] += matched
                count[..., lag:] += matched
    phi = [np.log(count / count.shape[-1]).mean(axis=-1) for count in counts]
    return phi[0] - phi[1]


@feature(
    "fuzzyen",
    unit="1",
    amplitude_power=0,
    reference="chen2007",
    parameters={**_MATCHES, "power": 2.0},
    in_signal_units=("tolerance",),
    check=check_matches("fuzzyen"),
)
def fuzzy_entropy(
    windows: Windows3D,
    fs_hz: float,
    *,
    m: int = 2,
    r: float = _R,
    tolerance: Any = 0.0,
    power: float = 2.0,
) -> Values:
    r"""Fuzzy entropy, :math:`\ln \phi^m - \ln \phi^{m+1}` (chen2007).

    Every template is taken about its own mean, and two of them at the largest distance d match to
    the degree :math:`\exp(-(d/r)^p)`; :math:`\phi` is the mean degree over all pairs of the first
    N - m templates. With the tolerance inside the power the value does not depend on the unit;
    other programs divide :math:`d^p` by r.

    Parameters
    ----------
    windows, fs_hz, m, r, tolerance
        As for `sample_entropy`.
    power : float
        p: how steep the edge of the tolerance is.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
    """
    del fs_hz
    x = as_float64(windows)
    limit = tolerances(x, r, tolerance, name="fuzzyen")[..., None]
    # In a flat window every distance is 0, whatever it is divided by.
    per_limit = np.divide(1.0, limit, out=np.zeros_like(limit), where=limit > 0)
    templates = x.shape[-1] - m
    degrees = []
    for length in (m, m + 1):
        rows = np.stack([x[..., q : q + templates] for q in range(length)])
        rows = (rows - rows.mean(axis=0)) * per_limit
        total = np.zeros(x.shape[:2])
        for lag in range(1, templates):
            distance = np.abs(rows[..., lag:] - rows[..., :-lag]).max(axis=0)
            total += np.exp(-(distance**power)).sum(axis=-1)
        degrees.append(total)
    return entropy_of_counts(degrees[0], degrees[1], templates)


@feature(
    "mse",
    unit="1",
    amplitude_power=0,
    reference="costa2002",
    parameters={**_MATCHES, "scales": 5},
    in_signal_units=("tolerance",),
    check=check_matches("mse"),
)
def multiscale_entropy(
    windows: Windows3D,
    fs_hz: float,
    *,
    m: int = 2,
    r: float = _R,
    tolerance: Any = 0.0,
    scales: int = 5,
) -> Values:
    """Sample entropy of the window at scales 1, 2, ... (costa2002).

    At scale s the samples are the means of s in a row. The tolerance is that of the window itself
    at every scale, so what averages out lowers the entropy.

    Parameters
    ----------
    windows, fs_hz, m, r, tolerance
        As for `sample_entropy`.
    scales : int
        How many scales, 1 to 20.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, scales)
    """
    del fs_hz
    x = as_float64(windows)
    limit = tolerances(x, r, tolerance, name="mse")
    x = x - x[..., :1]
    found = []
    for scale in range(1, scales + 1):
        count = x.shape[-1] // scale
        parts = x[..., : count * scale].reshape(*x.shape[:2], count, scale)
        coarse = parts.sum(axis=-1) / scale
        found.append(_entropy_of_samples(coarse, limit, m))
    return np.stack(found, axis=-1)


def _check_permutations(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
    del fs_hz
    order = check_count(parameters["order"], name="order of feature 'permen'", least=2)
    delay = check_count(parameters["delay"], name="delay of feature 'permen'")
    if order > _MAX_ORDER:
        raise ParameterError(f"order of feature 'permen' must be 2 to {_MAX_ORDER}; got {order}.")
    least = (order - 1) * delay + 2
    if n_samples < least:
        raise DataError(
            f"Feature 'permen' of order {order} and delay {delay} needs windows of at least "
            f"{least} samples; these have {n_samples}. Lower either or lengthen the windows."
        )


@feature(
    "permen",
    unit="1",
    amplitude_power=0,
    reference="bandt2002",
    parameters={"order": 3, "delay": 1},
    check=_check_permutations,
)
def permutation_entropy(
    windows: Windows3D, fs_hz: float, *, order: int = 3, delay: int = 1
) -> Values:
    r"""Permutation entropy, :math:`-\sum_\pi p_\pi \ln p_\pi / \ln(order!)` (bandt2002).

    A pattern is how ``order`` samples, ``delay`` apart, are ordered by size; of equal samples the
    earlier one counts as the smaller. Only the order of the samples matters, no amplitude.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    order : int
        Samples in a pattern, 2 to 7.
    delay : int
        Samples from one sample of a pattern to the next.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        From 0, one pattern only (a flat window), to 1, all equally often.
    """
    del fs_hz
    x = as_float64(windows)
    count = x.shape[-1] - (order - 1) * delay
    rows = np.stack([x[..., q * delay : q * delay + count] for q in range(order)], axis=-1)
    ranks = np.argsort(rows, axis=-1, kind="stable")
    codes = (ranks * order ** np.arange(order)).sum(axis=-1)
    out = np.zeros(x.shape[:2])
    for at in np.ndindex(*out.shape):
        share = np.unique(codes[at], return_counts=True)[1] / count
        out[at] = -(share * np.log(share)).sum() + 0.0
    return out / log_of_patterns(order)


def log_of_patterns(order: int) -> float:
    """Return the entropy of all patterns of an order, equally often."""
    return math.log(math.factorial(order))


def _check_lempel_ziv(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
    del parameters, fs_hz
    if n_samples < 3:
        raise DataError(
            f"Feature 'lziv' needs windows of at least 3 samples; these have {n_samples}."
        )


@feature("lziv", unit="1", amplitude_power=0, reference="lempel1976", check=_check_lempel_ziv)
def lempel_ziv_complexity(windows: Windows3D, fs_hz: float) -> Values:
    r"""Lempel-Ziv complexity, :math:`c \log_2(N) / N` (lempel1976, kaspar1987).

    A sample is 1 above the median of the window and 0 otherwise (aboy2006); c is into how many
    pieces the sequence falls when each piece is the shortest that did not occur before.

    See `permutation_entropy` for the parameters.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        About 1 for noise, :math:`2 \log_2(N) / N` for a flat window, which has two pieces.
    """
    del fs_hz
    x = as_float64(windows)
    above = x > np.median(x, axis=-1, keepdims=True)
    n = x.shape[-1]
    out = np.empty(x.shape[:2])
    for at in np.ndindex(*out.shape):
        out[at] = _pieces(above[at].astype(np.uint8).tobytes())
    return lempel_ziv_of(out, n)


def lempel_ziv_of(pieces: Values, n_samples: int) -> Values:
    """Return the complexity from the number of pieces."""
    return pieces * (math.log2(n_samples) / n_samples)


def _pieces(sequence: bytes) -> int:
    """Return into how many pieces a sequence falls, the last of them perhaps not new."""
    count, start = 0, 0
    while start < len(sequence):
        length = 1
        # A piece may overlap its earlier copy, so the copy only has to start before it.
        while (
            start + length <= len(sequence)
            and sequence.find(sequence[start : start + length], 0, start + length - 1) >= 0
        ):
            length += 1
        count += 1
        start += length
    return count
