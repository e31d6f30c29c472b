"""Where in the spectrum the power lies: MNF, MDF and their kin, from one shared spectrum.

Every feature states its band and its estimator:

- ``low_hz``, ``high_hz``: the band. The default, 10 to 500 Hz, suits surface EMG and ends at the
  Nyquist frequency when that is lower; a needle needs another. A ``high_hz`` that was asked for
  and lies beyond is refused.
- ``method``: ``"periodogram"`` (one Hann taper over the window), ``"welch"`` (Hann-tapered
  segments that overlap by half) or ``"multitaper"`` (sine tapers, riedel1995).
- ``pieces``: how many segments or tapers are averaged; 0 is the usual number of the method
  (1, 3 and 4). More pieces are steadier and resolve less.

Each piece is freed of its mean. Where the band holds no power (silence, a flat window) the value
is 0. The power of a bin is the one-sided density times the width of a bin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import (
    check_choice,
    check_count,
    check_non_negative,
    check_positive,
)
from myograph.core.errors import ParameterError
from myograph.features.amplitude import Windows3D, as_float64
from myograph.features.base import feature

__all__ = [
    "EDGES_HZ",
    "ESTIMATE",
    "FROM_SPECTRUM",
    "Band",
    "FromSpectrum",
    "Measures",
    "Request",
    "Tapers",
    "declare",
    "tapers",
    "tapers_for",
]

Values = NDArray[np.float64]

METHODS = {"periodogram": 1, "welch": 3, "multitaper": 4}

#: Parameters that every feature of the spectrum has.
ESTIMATE: Mapping[str, Any] = {
    "low_hz": 10.0,
    "high_hz": 500.0,
    "method": "periodogram",
    "pieces": 0,
}

#: Edges of the bands of `band-power`, Hz: six equal ones over the usual band of surface EMG.
EDGES_HZ = (20.0, 91.7, 163.3, 235.0, 306.7, 378.3, 450.0)


@dataclass(frozen=True, eq=False)
class Tapers:
    """Which pieces of a window are transformed, and with which weights.

    Parameters
    ----------
    starts : ndarray of int64, shape (n_pieces,)
    weights : ndarray, shape (n_pieces, length)
        Scaled so that the squared magnitude of the transform is the density of power.
    frequencies_hz : ndarray, shape (length // 2 + 1,)
    """

    starts: NDArray[np.int64]
    weights: Values
    frequencies_hz: Values

    def density(self, windows: Windows3D) -> Values:
        """Return the power spectral density of windows, shape (n_windows, n_channels, n_bins)."""
        x = as_float64(windows)
        n = self.weights.shape[1]
        total = np.zeros((*x.shape[:2], n // 2 + 1))
        for start, weights in zip(self.starts, self.weights, strict=True):
            piece = x[..., start : start + n]
            piece = piece - piece[..., :1]  # so that a flat stretch becomes exactly 0
            piece = piece - piece.mean(axis=-1, keepdims=True)
            spectrum = np.fft.rfft(piece * weights, axis=-1)
            total += spectrum.real**2 + spectrum.imag**2
        total *= 2 / len(self.starts)
        total[..., 0] /= 2
        if n % 2 == 0:
            total[..., -1] /= 2  # the Nyquist bin has no mirror image
        return total


@lru_cache(maxsize=64)
def tapers(n_samples: int, fs_hz: float, method: str, pieces: int) -> Tapers:
    """Return how windows of ``n_samples`` are transformed."""
    check_choice(method, METHODS, name="method")
    count = check_count(pieces, name="pieces", least=0) or METHODS[method]
    if method == "periodogram" and count != 1:
        raise ParameterError(
            f"method='periodogram' is one piece; got pieces={pieces}. Choose 'welch' or "
            "'multitaper' to average several."
        )
    length = n_samples
    starts = np.zeros(count, dtype=np.int64)
    if method == "welch":
        length = 2 * n_samples // (count + 1)
        starts = np.round(np.linspace(0, n_samples - length, count)).astype(np.int64)
    if length < 4 or count >= length:
        raise ParameterError(
            f"{count} pieces of windows of {n_samples} samples would have {length} samples each; "
            "give fewer pieces or longer windows."
        )
    place = np.arange(length)
    if method == "multitaper":
        rows = [np.sin(np.pi * (k + 1) * (place + 1) / (length + 1)) for k in range(count)]
    else:
        # The periodic form: its transform has three bins, so a tone on a bin stays within them.
        rows = [np.sin(np.pi * place / length) ** 2] * count
    weights = np.stack([row / np.sqrt(fs_hz * np.square(row).sum()) for row in rows])
    frequencies_hz = np.arange(length // 2 + 1, dtype=np.float64) * (fs_hz / length)
    return Tapers(starts, weights, frequencies_hz)


@dataclass(frozen=True)
class Band:
    """A range of bins of a spectrum.

    Parameters
    ----------
    first, stop : int
    frequencies_hz : ndarray, shape (stop - first,)
    width_hz : float
        Of one bin.
    """

    first: int
    stop: int
    frequencies_hz: Values
    width_hz: float

    @classmethod
    def of(cls, frequencies_hz: Values, low_hz: float, high_hz: float, *, least: int = 2) -> Band:
        """Find the bins from ``low_hz`` to ``high_hz``, at least so many."""
        low = check_non_negative(low_hz, name="low_hz")
        high = check_positive(high_hz, name="high_hz")
        width_hz = float(frequencies_hz[1] - frequencies_hz[0])
        if low >= high:
            raise ParameterError(
                f"low_hz must be below high_hz; got low_hz={low:g} and high_hz={high:g}."
            )
        first, stop = np.searchsorted(frequencies_hz, [low, np.nextafter(high, np.inf)])
        if stop - first < least:
            raise ParameterError(
                f"The band low_hz={low:g} to high_hz={high:g} Hz holds {stop - first} of the "
                f"frequencies of these windows (every {width_hz:g} Hz up to "
                f"{frequencies_hz[-1]:g} Hz); at least {least} needed. Widen the band, lengthen "
                "the windows or record faster."
            )
        return cls(int(first), int(stop), frequencies_hz[first:stop], width_hz)


#: A request to the compiled pass: a kind of `kernels.transform.KINDS`, a range of bins, weights.
Request = tuple[str, int, int, Values]


class Measures:
    """What can be measured in a band of spectra, from the spectra themselves.

    The compiled pass answers the same requests (`FromSpectrum`); here is what they mean.
    """

    def __init__(self, density: Values) -> None:
        self._density = density

    def __call__(self, request: Request) -> Values:
        """Answer a request; shape (n_windows, n_channels)."""
        kind, first, stop, weights = request
        power = self._density[..., first:stop]
        answers: dict[str, Callable[[], Values]] = {
            "weighted": lambda: (power * weights).sum(axis=-1),
            "half": lambda: _half(power),
            "highest": lambda: power.argmax(axis=-1).astype(np.float64),
            "p-log-p": lambda: (power * np.log(np.where(power > 0, power, 1.0))).sum(axis=-1),
            "log-p": lambda: _log(power).sum(axis=-1),
        }
        return answers[kind]()


def _log(power: Values) -> Values:
    with np.errstate(divide="ignore"):
        return np.log(power)


def _half(power: Values) -> Values:
    below = np.cumsum(power, axis=-1)  # power up to the upper edge of each bin
    half = below[..., -1:] / 2
    bins = (below < half).sum(axis=-1, keepdims=True)
    inside = np.take_along_axis(power, bins, axis=-1)
    rest = half - (np.take_along_axis(below, bins, axis=-1) - inside)
    share = np.divide(rest, inside, out=np.zeros_like(rest), where=inside > 0)
    place: Values = np.where(half > 0, bins + share - 0.5, 0.0)[..., 0]
    return place


@dataclass(frozen=True)
class FromSpectrum:
    """How a feature follows from spectra.

    Parameters
    ----------
    bands : callable
        ``bands(frequencies_hz, parameters)`` to the bands the feature looks at.
    requests : callable
        ``requests(*bands)`` to what is to be measured.
    finish : callable
        ``finish(answers, *bands)`` to the value, (n_windows, n_channels[, k]).
    """

    bands: Callable[[Values, Mapping[str, Any]], tuple[Band, ...]]
    requests: Callable[..., list[Request]]
    finish: Callable[..., Values]

    def compute(self, windows: Windows3D, fs_hz: float, parameters: Mapping[str, Any]) -> Values:
        """Measure windows through `Measures`, without the compiled pass."""
        estimate = tapers_for(parameters, n_samples=windows.shape[-1], fs_hz=fs_hz)
        bands = self.bands(estimate.frequencies_hz, parameters)
        measure = Measures(estimate.density(windows))
        return self.finish([measure(request) for request in self.requests(*bands)], *bands)


#: Features of the spectrum by name.
FROM_SPECTRUM: dict[str, FromSpectrum] = {}


def tapers_for(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> Tapers:
    """Return the pieces and tapers that the parameters of a feature ask for."""
    return tapers(n_samples, fs_hz, parameters["method"], parameters["pieces"])


def declare(
    name: str,
    description: str,
    recipe: FromSpectrum,
    *,
    unit: str,
    reference: str,
    parameters: Mapping[str, Any] = ESTIMATE,
) -> Callable[..., Values]:
    """Register a feature of the spectrum and return its pure function."""

    def check(given: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
        high_hz: Any = given.get("high_hz")
        asked = high_hz is not None and high_hz != parameters["high_hz"]
        if asked and float(high_hz) > fs_hz / 2:
            raise ParameterError(
                f"Feature {name!r} cannot look up to high_hz={high_hz:g} Hz: a signal sampled at "
                f"{fs_hz:g} Hz ends at {fs_hz / 2:g} Hz. Lower high_hz, or leave it out to take "
                "what there is of the usual band."
            )
        recipe.bands(tapers_for(given, n_samples=n_samples, fs_hz=fs_hz).frequencies_hz, given)

    def measure(windows: Windows3D, fs_hz: float, **given: Any) -> Values:
        return recipe.compute(windows, fs_hz, {**parameters, **given})

    measure.__name__ = measure.__qualname__ = name.replace("-", "_")
    measure.__doc__ = f"""{description} ({reference}).

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Sampling rate.
    **given
        Band and estimator, see `myograph.features.spectral`.

    Returns
    -------
    ndarray, shape (n_windows, n_channels) or (n_windows, n_channels, k)
    """
    FROM_SPECTRUM[name] = recipe
    declared = feature(
        name,
        unit=unit,
        amplitude_power=2 if unit.startswith("signal^2") else 0,
        reference=reference,
        parameters=parameters,
        min_samples=4,
        check=check,
    )
    return declared(measure)
