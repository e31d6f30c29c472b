"""Families of features: each measures all of its features that were asked for at once.

The compiled passes are imported when first used: their compiler takes longer to load than most
commands take to run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.features.amplitude import mav_weights, segment_weights
from myograph.features.autoregressive import cepstrum_of
from myograph.features.base import FEATURES, FeatureSpec
from myograph.features.complexity_passes import (
    MATCHES,
    PATTERNS,
    SCALES,
    matches,
    patterns,
    scales,
)
from myograph.features.from_sums import FROM_SUMS, finish_moments
from myograph.features.interference import FROM_TURNS, segments_of
from myograph.features.shape import histogram_limits, ratio
from myograph.features.spectral import (
    FROM_SPECTRUM,
    Band,
    FromSpectrum,
    Request,
    Tapers,
    tapers_for,
)
from myograph.features.thresholds import amplitudes
from myograph.features.timefrequency import FROM_SCALOGRAM, scalogram_measures
from myograph.features.wavelets import depth, entropy_of, filters_of

__all__ = ["FAMILIES", "SUMS_FAMILY", "Family", "Job", "running_sums"]

Values = NDArray[np.float64]


@dataclass(eq=False)
class Job:
    """Windows to be measured in one go.

    Parameters
    ----------
    values : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
    channels : slice, optional
        Which of all channels these are.
    of_channels : int
        How many channels there are in all; 0 when these are all.
    known : Rows, optional
        The windows as kernels see them, where that is known.
    running : RunningSums, optional
        For one window that follows another in a stream: the sums that it continues.
    """

    values: NDArray[np.float32]
    fs_hz: float
    channels: slice | None = None
    of_channels: int = 0
    known: Any = None
    running: Any = None

    @property
    def memory(self) -> Any:
        """The windows as kernels see them."""
        if self.known is None:
            from myograph.features.kernels.rows import rows

            self.known = rows(self.values)
        return self.known

    @property
    def n_samples(self) -> int:
        """Length of the windows."""
        return int(self.values.shape[2])

    def rows(self, windows: slice) -> Job:
        """Return a job of some of the windows."""
        return Job(self.values[windows], self.fs_hz, self.channels, self.of_channels)

    def parameters(self, spec: FeatureSpec) -> dict[str, Any]:
        """Return the parameters of a feature; of those per channel, the ones of these channels."""
        own = dict(spec.parameters)
        for name in FEATURES[spec.name].in_signal_units:
            value = own[name]
            if isinstance(value, tuple) and self.of_channels:
                amplitudes(value, n_channels=self.of_channels, name=f"{name} of {spec.name!r}")
                own[name] = value[self.channels or slice(None)]
        return own

    def amplitude(self, spec: FeatureSpec, name: str) -> Values:
        """Return a parameter that is an amplitude, one per channel."""
        if self.channels is None:
            return _amplitude(spec, name, self.values.shape[1])
        return amplitudes(
            self.parameters(spec)[name],
            n_channels=self.values.shape[1],
            name=f"{name} of feature {spec.name!r}",
        )


@lru_cache(maxsize=1024)
def _amplitude(spec: FeatureSpec, name: str, n_channels: int) -> Values:
    """Return the amplitudes of all channels: the same on every hop."""
    label = f"{name} of feature {spec.name!r}"
    return amplitudes(spec.parameters[name], n_channels=n_channels, name=label)


Found = dict[FeatureSpec, Values]
SpectralPlan = tuple[
    Tapers, Any, list[tuple[FeatureSpec, FromSpectrum, tuple[Band, ...], list[int]]]
]


@dataclass(frozen=True)
class Family:
    """Features that are measured together.

    Parameters
    ----------
    measures : callable
        ``measures(spec, n_samples)`` says whether a feature belongs to the family.
    measure : callable
        ``measure(job, specs)`` to one block (n_windows, n_channels, k) per feature.
    """

    measures: Callable[[FeatureSpec, int], bool]
    measure: Callable[[Job, Sequence[FeatureSpec]], Found]


def _named(names: Mapping[str, Any] | Sequence[str]) -> Callable[[FeatureSpec, int], bool]:
    known = frozenset(names)
    return lambda spec, n_samples: spec.name in known


def _prepare(
    specs: Sequence[FeatureSpec], n_channels: int, amplitude: Callable[[FeatureSpec, str], Values]
) -> Any:
    from myograph.features.kernels.sums import prepare_sums

    wanted: list[str] = []
    limits: dict[str, Values] = {}
    for spec in specs:
        recipe = FROM_SUMS[spec.name]
        wanted.extend(recipe.needs)
        for name, parameter in recipe.amplitudes.items():
            limits[name] = amplitude(spec, parameter)
    return prepare_sums(wanted, limits, n_channels=n_channels)


def running_sums(
    specs: Sequence[FeatureSpec], *, n_channels: int, n_samples: int, step: int
) -> Any:
    """Return what sums windows that follow each other by ``step``; see `RunningSums`."""
    from myograph.features.kernels.sums import RunningSums

    prepared = _prepare(specs, n_channels, lambda spec, name: _amplitude(spec, name, n_channels))
    return RunningSums(prepared, n_channels=n_channels, n_samples=n_samples, step=step)


def _sums(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    from myograph.features.kernels.sums import run_sums

    if job.running is not None:
        sums = job.running.next(job.memory)
    else:
        sums = run_sums(job.memory, _prepare(specs, job.values.shape[1], job.amplitude))
    n = job.n_samples
    return {spec: FROM_SUMS[spec.name].finish(sums, n)[..., None] for spec in specs}


_OF_MOMENTS = (
    "kurt", "skew", "hjorth-activity", "hjorth-mobility", "hjorth-complexity", "peak", "ptp",
)  # fmt: skip


def _moments(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    from myograph.features.kernels.moments import moments

    found = moments(job.memory)
    return {spec: finish_moments(found, spec.name)[..., None] for spec in specs}


def _weights(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    from myograph.features.kernels.moments import weighted_sizes

    rows, n = [], job.n_samples
    for spec in specs:
        if spec.name == "mavslp":
            rows.append(segment_weights(n, spec.parameters["segments"]))
        else:
            rows.append(mav_weights(n)[int(spec.name[-1]) - 1][None])
    found = weighted_sizes(job.memory, np.concatenate(rows))
    blocks = np.split(found, np.cumsum([len(row) for row in rows])[:-1], axis=2)
    return {
        spec: np.diff(block, axis=2) if spec.name == "mavslp" else block
        for spec, block in zip(specs, blocks, strict=True)
    }


def _histograms(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    from myograph.features.kernels.moments import histograms, moments
    from myograph.features.kernels.sums import window_sums

    mean_square = window_sums(job.memory, ["square"], amplitudes={})["square"] / job.n_samples
    found = {}
    for spec in specs:
        if spec.name == "crest":
            peak = finish_moments(moments(job.memory), "peak")
            found[spec] = ratio(peak, np.sqrt(mean_square))[..., None]
        else:
            limits = histogram_limits(mean_square, job.amplitude(spec, "limit"))
            found[spec] = histograms(job.memory, limits, spec.parameters["bins"])
    return found


def _order(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    from myograph.features.kernels.order import order_sums

    tolerances = np.zeros(job.values.shape[1])
    for spec in specs:
        if spec.name == "card":
            tolerances = job.amplitude(spec, "threshold")
    counted = any(spec.name == "card" for spec in specs)
    weighted, distinct = order_sums(job.memory, tolerances, distinct=counted)
    n = job.n_samples
    ways = {"ls": weighted / (n * (n - 1)), "card": distinct}
    return {spec: ways[spec.name][..., None] for spec in specs}


def _models(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    from myograph.features.kernels.autoregression import burg, yule_walker

    found: Found = {}
    done: dict[int, Values] = {}
    for spec in specs:
        order = spec.parameters["order"]
        if spec.name == "ar-yw":
            found[spec] = yule_walker(job.memory, order)
            continue
        if order not in done:
            done[order] = burg(job.memory, order)
        found[spec] = done[order] if spec.name == "ar" else cepstrum_of(done[order])
    return found


def _is_spectral(spec: FeatureSpec, n_samples: int) -> bool:
    if spec.name not in FROM_SPECTRUM:
        return False
    # Other lengths are left to the transform of numpy, through the pure functions.
    length = tapers_for(spec.parameters, n_samples=n_samples, fs_hz=1.0).weights.shape[1]
    inner = length // 2 if length % 2 == 0 else length
    for prime in (2, 3, 5):
        while inner % prime == 0:
            inner //= prime
    return inner == 1


def _spectra(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    estimates: dict[tuple[str, int], list[FeatureSpec]] = {}
    for spec in specs:
        key = spec.parameters["method"], spec.parameters["pieces"]
        estimates.setdefault(key, []).append(spec)
    found: Found = {}
    for same in estimates.values():
        found |= _one_estimate(job, same)
    return found


def _one_estimate(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    from myograph.features.kernels.transform import spectral_measures

    estimate, asked, plans = _spectral_plan(tuple(specs), job.n_samples, job.fs_hz)
    answers = spectral_measures(job.memory, estimate.starts, estimate.weights, asked)
    found = {}
    for spec, recipe, bands, places in plans:
        value = recipe.finish([answers[place] for place in places], *bands)
        found[spec] = value if value.ndim == 3 else value[..., None]
    return found


@lru_cache(maxsize=64)
def _spectral_plan(specs: tuple[FeatureSpec, ...], n_samples: int, fs_hz: float) -> SpectralPlan:
    """Return how to transform, what to ask for, and which answers each feature is made of."""
    from myograph.features.kernels.transform import ask

    estimate = tapers_for(specs[0].parameters, n_samples=n_samples, fs_hz=fs_hz)
    asked: dict[tuple[str, int, int, bytes], int] = {}
    requests: list[Request] = []
    plans = []
    for spec in specs:
        recipe = FROM_SPECTRUM[spec.name]
        bands = recipe.bands(estimate.frequencies_hz, spec.parameters)
        places = []
        for request in recipe.requests(*bands):
            key = (*request[:3], request[3].tobytes())
            if key not in asked:
                asked[key] = len(requests)
                requests.append(request)
            places.append(asked[key])
        plans.append((spec, recipe, bands, places))
    return estimate, ask(requests, length=estimate.weights.shape[1]), plans


def _turns(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    from myograph.features.kernels.turning import find_turns

    found: Found = {spec: np.empty((*job.values.shape[:2], 1)) for spec in specs}
    turns: dict[bytes, Any] = {}
    for spec in specs:
        limits = job.amplitude(spec, "threshold")
        key = limits.tobytes()
        if key not in turns:
            turns[key] = find_turns(job.memory, limits)
        places, counts = turns[key]
        own = {k: v for k, v in spec.parameters.items() if k != "threshold"}
        for at in np.ndindex(*counts.shape):
            segments = segments_of(job.values[at], places[at][: counts[at]], job.fs_hz)
            found[spec][at] = FROM_TURNS[spec.name](segments, **own)
    return found


_BANKS = ("wavelet-energy", "wavelet-entropy", "packet-energy", "packet-entropy")


def _banks(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    from myograph.features.kernels.filterbank import packet_energies, wavelet_energies

    found: Found = {}
    done: dict[tuple[Any, ...], Values] = {}
    for spec in specs:
        packets = spec.name.startswith("packet")
        key = (packets, *spec.parameters.values())
        if key not in done:
            measured = packet_energies if packets else wavelet_energies
            level = depth(spec.parameters, n_samples=job.n_samples, packets=packets)
            periodic = spec.parameters["mode"] == "periodization"
            done[key] = measured(
                job.memory, filters_of(spec.parameters["wavelet"]), level, periodic=periodic
            )
        of_bands = spec.name.endswith("entropy")
        found[spec] = entropy_of(done[key])[..., None] if of_bands else done[key]
    return found


def _scalograms(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    alike: dict[tuple[Any, ...], list[FeatureSpec]] = {}
    for spec in specs:
        alike.setdefault(tuple(spec.parameters.values()), []).append(spec)
    found: Found = {}
    for same in alike.values():
        names = tuple(spec.name for spec in same)
        blocks = scalogram_measures(names, job.values, job.fs_hz, same[0].parameters)
        for spec, block in zip(same, blocks, strict=True):
            found[spec] = block if block.ndim == 3 else block[..., None]
    return found


#: Features that follow from sums over the samples of a window.
SUMS_FAMILY = Family(_named(FROM_SUMS), _sums)

#: All families, in the order they run.
FAMILIES: list[Family] = [
    SUMS_FAMILY,
    Family(_named(_OF_MOMENTS), _moments),
    Family(_named(("mav1", "mav2", "mavslp")), _weights),
    Family(_named(("hist", "crest")), _histograms),
    Family(_named(("ls", "card")), _order),
    Family(_named(("ar", "ar-yw", "cepstrum")), _models),
    Family(_is_spectral, _spectra),
    Family(_named(FROM_TURNS), _turns),
    Family(_named(_BANKS), _banks),
    Family(_named(FROM_SCALOGRAM), _scalograms),
    Family(_named(MATCHES), matches),
    Family(_named(PATTERNS), patterns),
    Family(_named(SCALES), scales),
]
