"""Challenges: what goes wrong with a recording after a model was trained, each in several sizes.

Every one changes the samples before the whole pipeline. What is random is drawn per recording from
a seed and the recording's own digest; the direction of an electrode shift per person and session,
as a band is put on once. Sizes are relative to the recording's own muscle signal, so that they mean
the same for every device. Whatever goes wrong reaches the converter first: a recording in whole
steps stays in whole steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from myograph.core.errors import LayoutError
from myograph.core.layout import MUSCLE_KINDS, Layout
from myograph.core.recording import Recording
from myograph.twin.contamination import Converter, Mains, Motion
from myograph.validate.displaced import FLAT_MM, RINGS, grid_weights, positions_of, ring_weights
from myograph.validate.perturb import Change, changed

__all__ = ["FAMILIES", "Challenge", "Challenged", "Given", "challenges_for"]

Samples = NDArray[np.float64]
Random = np.random.Generator
Wrong = Callable[[Recording, int], Recording]
Levels = Iterator[tuple[str, float, Wrong]]

#: Circumference of a forearm below the elbow that is taken when none is given.
FOREARM_MM = 250.0
#: Above this many channels, only so many of them are lost one at a time.
_MOST_LOST = 16


@dataclass(frozen=True, slots=True)
class Challenge:
    """One thing that goes wrong, in one size.

    Parameters
    ----------
    family : str
        One of `FAMILIES`.
    level : str
        The size, in words.
    size : float
        The size, in ``unit``: it orders the levels and is the axis of a picture.
    unit : str
    wrong : callable
        From a recording and a seed to the recording with this wrong in it.
    """

    family: str
    level: str
    size: float
    unit: str
    wrong: Wrong

    def apply(self, recording: Recording, *, seed: int = 0) -> Recording:
        """Return the recording with this wrong in it."""
        return self.wrong(recording, seed)


class Challenged(Sequence[Recording]):
    """Recordings, each changed when it is read.

    Parameters
    ----------
    recordings : sequence of Recording
    challenge : Challenge
    seed : int
    """

    def __init__(
        self, recordings: Sequence[Recording], challenge: Challenge, *, seed: int = 0
    ) -> None:
        self.recordings, self.challenge, self.seed = recordings, challenge, seed

    def __len__(self) -> int:
        """Count the recordings."""
        return len(self.recordings)

    def __getitem__(self, number):  # type: ignore[no-untyped-def]
        """Return a changed recording, or a part of the sequence."""
        if isinstance(number, slice):
            return Challenged(self.recordings[number], self.challenge, seed=self.seed)
        return self.challenge.apply(self.recordings[number], seed=self.seed)

    def __iter__(self) -> Iterator[Recording]:
        """Read and change one recording after the other."""
        for recording in self.recordings:
            yield self.challenge.apply(recording, seed=self.seed)


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of the recordings that are to be challenged.

    Parameters
    ----------
    layout : Layout
        Of the recordings, before the pipeline.
    device : str
        One that is known as a ring needs no positions.
    circumference_mm : float, optional
        Of the limb: says that the channels lie, in their order, evenly around it.
    """

    layout: Layout
    device: str = ""
    circumference_mm: float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Muscle channels."""
        return tuple(c.name for c in self.layout.channels if c.kind in MUSCLE_KINDS)

    @property
    def ring_mm(self) -> float | None:
        """Circumference of the ring; None when the electrodes are not known to be one."""
        if self.circumference_mm is None and self.device in RINGS:
            return FOREARM_MM
        return self.circumference_mm


@dataclass(frozen=True, slots=True)
class _Family:
    """A kind of challenge: its levels for given recordings, and what is taken for granted."""

    unit: str
    assumes: str
    levels: Callable[[Given], Levels] = field(repr=False)


def challenges_for(given: Given) -> tuple[tuple[Challenge, ...], dict[str, str], tuple[str, ...]]:
    """Return everything that can go wrong with such recordings.

    Parameters
    ----------
    given : Given

    Returns
    -------
    challenges : tuple of Challenge
        In the order of `FAMILIES`, from mild to severe.
    refused : dict of str to str
        Families that do not fit, each with the reason.
    assumptions : tuple of str
        What the others take for granted.
    """
    found: list[Challenge] = []
    refused: dict[str, str] = {}
    assumed: list[str] = []
    for name, family in FAMILIES.items():
        try:
            levels = [Challenge(name, w, s, family.unit, c) for w, s, c in family.levels(given)]
        except LayoutError as error:
            refused[name] = str(error)
            continue
        found += levels
        assumes = family.assumes
        if name == "electrode shift":
            assumes = _shift_words(given)
        assumed.append(f"{name}: {assumes}")
    return tuple(found), refused, tuple(assumed)


# --- changes: classes and partials, so that they can travel to other processes --------------------


@dataclass(frozen=True, slots=True)
class _Samples:
    """A change of samples alone."""

    change: Change

    def __call__(self, recording: Recording, seed: int) -> Recording:
        return changed(recording, partial(_in_steps, change=self.change), seed=seed)


def _in_steps(samples: Samples, fs_hz: float, random: Random, *, change: Change) -> Samples:
    """Change samples; a device that gives whole numbers rounds what reaches it."""
    after = change(samples, fs_hz, random)
    return np.rint(after) if np.array_equal(samples, np.rint(samples)) else after


@dataclass(frozen=True, slots=True)
class _Lost:
    """Channels that give nothing; with none named, ``draw`` of them."""

    rows: tuple[int, ...] = ()
    draw: int = 0

    def __call__(self, samples: Samples, fs_hz: float, random: Random) -> Samples:
        del fs_hz
        rows = self.rows or tuple(random.choice(len(samples), self.draw, replace=False))
        out = samples.copy()
        out[list(rows)] = 0.0
        return out


def _clip(samples: Samples, fs_hz: float, random: Random, *, rails: float) -> Samples:
    del fs_hz, random
    size = float(samples.std())
    return Converter(range_uv=rails * size, bits=16).apply(samples) if size > 0 else samples


def _mains(samples: Samples, fs_hz: float, random: Random, *, share: float) -> Samples:
    seed = int(random.integers(2**31))
    wave = Mains(rms_uv=1.0).waveform(samples.shape, fs_hz=fs_hz, seed=seed)
    return samples + share * float(samples.std()) * wave


def _motion(samples: Samples, fs_hz: float, random: Random, *, share: float) -> Samples:
    seed = int(random.integers(2**31))
    motion = Motion(rms_uv=10.0, knocks_per_min=60.0, knock_uv=50.0)
    wave = motion.waveform(samples.shape, fs_hz=fs_hz, seed=seed) / 10.0
    return samples + share * float(samples.std()) * wave


def _noise(samples: Samples, fs_hz: float, random: Random, *, snr_db: float) -> Samples:
    del fs_hz
    size = float(samples.std()) * 10 ** (-snr_db / 20)
    return samples + size * random.standard_normal(samples.shape)


def _gain(samples: Samples, fs_hz: float, random: Random, *, factor: float) -> Samples:
    del fs_hz, random
    return samples * factor


def _there_and_back(samples: Samples, fs_hz: float, random: Random, *, share: Fraction) -> Samples:
    del fs_hz, random
    up, down = share.numerator, share.denominator
    slow = resample_poly(samples, up, down, axis=1)
    return np.asarray(resample_poly(slow, down, up, axis=1)[:, : samples.shape[1]])


@dataclass(frozen=True, slots=True)
class _Turned:
    """Electrodes moved along the skin: around a limb, or on a grid in a drawn direction."""

    shift_mm: float
    given: Given

    def __call__(self, recording: Recording, seed: int) -> Recording:
        person = recording.subject.pseudonym if recording.subject else ""
        words = sha256(f"{seed}/{person}/{recording.session}".encode()).digest()
        weights = self.weights(np.random.default_rng(list(words[:16])))
        return _Samples(partial(_mixed, weights=weights))(recording, seed)

    def weights(self, random: Random) -> Samples:
        """Return what each channel takes from the others, in a drawn direction."""
        towards = 1 if random.random() < 0.5 else -1
        ring_mm = self.given.ring_mm
        if ring_mm is not None:
            n, shift_mm = len(self.given.names), towards * self.shift_mm
            return ring_weights(n, shift_mm, circumference_mm=ring_mm)
        places = positions_of(self.given.layout)
        angle = 2 * np.pi * random.random()
        away = np.array([np.cos(angle), np.sin(angle)])
        _, sizes, axes = np.linalg.svd(places - places.mean(axis=0))
        if len(sizes) < 2 or sizes[1] <= FLAT_MM * max(sizes[0], 1.0):
            away = towards * axes[0]  # electrodes in a line move along it
        return grid_weights(places, self.shift_mm * away)


def _mixed(samples: Samples, fs_hz: float, random: Random, *, weights: Samples) -> Samples:
    del fs_hz, random
    return np.asarray(weights @ samples)


@dataclass(frozen=True, slots=True)
class _Faster:
    """A device that takes more samples in a second than its header says."""

    percent: int

    def __call__(self, recording: Recording, seed: int) -> Recording:
        """Return a longer recording: its events stay with their samples."""
        del seed
        factor = 1 + self.percent / 100
        digest = recording.source_digest
        before = recording.samples.astype(np.float64)
        samples = resample_poly(before, 100 + self.percent, 100, axis=1)
        whole = np.array_equal(before, np.rint(before))
        samples = np.rint(samples) if whole else samples
        start_s = recording.start_s
        end_s = start_s + samples.shape[1] / recording.fs_hz
        events = []
        for event in recording.events:
            onset_s = start_s + (event.onset_s - start_s) * factor
            length_s = min(event.duration_s * factor, end_s - onset_s)
            events.append(replace(event, onset_s=onset_s, duration_s=max(length_s, 0.0)))
        return replace(
            recording,
            samples=samples.astype(np.float32),
            events=tuple(events),
            recipe=replace(recording.recipe, source=digest),
        )


# --- families -------------------------------------------------------------------------------------


def _losses(given: Given) -> Levels:
    names = given.names
    if len(names) < 2:
        raise LayoutError("There is one muscle channel; without it nothing is left to answer from.")
    chosen = np.linspace(0, len(names) - 1, min(len(names), _MOST_LOST)).round().astype(int)
    for row in np.unique(chosen).tolist():
        yield f"{names[row]} lost", 1.0, _Samples(_Lost((row,)))
    for many in (2, 4):
        if many < len(names):
            yield f"{many} channels lost", float(many), _Samples(_Lost(draw=many))


def _clippings(given: Given) -> Levels:
    del given
    for rails in (3.0, 2.0, 1.0, 0.5):
        yield f"rails at {rails:g} SD", 1 / rails, _Samples(partial(_clip, rails=rails))


def _hums(given: Given) -> Levels:
    if given.layout.fs_hz <= 2 * 51.0:
        raise LayoutError(f"At {given.layout.fs_hz:g} Hz, 50 Hz hum cannot be recorded as such.")
    for share in (0.1, 0.3, 1.0, 3.0):
        yield f"{share:g} of the signal", share, _Samples(partial(_mains, share=share))


def _motions(given: Given) -> Levels:
    if given.layout.fs_hz <= 2 * 10.0:
        raise LayoutError(f"At {given.layout.fs_hz:g} Hz, motion below 10 Hz cannot be recorded.")
    for share in (0.5, 1.0, 2.0, 5.0):
        yield f"{share:g} of the signal", share, _Samples(partial(_motion, share=share))


def _noises(given: Given) -> Levels:
    del given
    for snr_db in (20.0, 10.0, 5.0, 0.0):
        yield f"SNR {snr_db:g} dB", 10 ** (-snr_db / 20), _Samples(partial(_noise, snr_db=snr_db))


def _shifts(given: Given) -> Levels:
    if given.ring_mm is None:
        positions_of(given.layout)  # refuses what cannot be moved
    elif len(given.names) < 3:
        raise LayoutError(f"A ring needs at least 3 muscle channels; there are {len(given.names)}.")
    for shift_mm in (5.0, 10.0, 15.0, 20.0):
        yield f"{shift_mm:g} mm", shift_mm, _Turned(shift_mm, given)


def _gains(given: Given) -> Levels:
    del given
    for factor in (0.25, 0.5, 2.0, 4.0):
        yield f"× {factor:g}", factor, _Samples(partial(_gain, factor=factor))


def _rates(given: Given) -> Levels:
    for share in (Fraction(3, 4), Fraction(1, 2), Fraction(1, 4)):
        slow_hz = float(share) * given.layout.fs_hz
        yield (
            f"by way of {slow_hz:g} Hz",
            1 / float(share),
            _Samples(partial(_there_and_back, share=share)),
        )


def _clocks(given: Given) -> Levels:
    del given
    for percent in (1, 2, 5, 10):
        yield f"{percent} % faster", float(percent), _Faster(percent)


def _shift_words(given: Given) -> str:
    if given.ring_mm is None:
        return (
            "by position_mm, linear between electrodes, the nearest one beyond the edge; one "
            "direction drawn for each person and session"
        )
    said = "given" if given.circumference_mm is not None else "assumed"
    return (
        f"the channels lie evenly, in their order, around a limb of {given.ring_mm:g} mm ({said}); "
        "interpolated around it, one direction drawn for each person and session"
    )


#: Every family of challenges, in the order of a table.
FAMILIES: dict[str, _Family] = {
    "channel loss": _Family("channels", "a lost channel reads zero", _losses),
    "clipping": _Family(
        "1 / SD", "rails at a multiple of the recording's own standard deviation", _clippings
    ),
    "mains": _Family(
        "of the signal",
        "50 Hz with its third and fifth harmonic, unequal on the channels; size relative to the "
        "recording's standard deviation",
        _hums,
    ),
    "motion": _Family(
        "of the signal",
        "wandering below 10 Hz and a knock every second, five times as high; size relative to the "
        "recording's standard deviation",
        _motions,
    ),
    "broadband noise": _Family("of the signal", "white and independent on every channel", _noises),
    "electrode shift": _Family("mm", "", _shifts),
    "gain": _Family("times", "all channels alike", _gains),
    "sampling rate": _Family(
        "times slower", "recorded at another rate and brought back: what lay above is gone", _rates
    ),
    "clock": _Family(
        "%", "the device takes more samples in a second than its header says", _clocks
    ),
}
