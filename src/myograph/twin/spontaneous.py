"""Spontaneous activity of a resting muscle at a needle, with the truth about every discharge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import Event
from myograph.core.registry import Registry
from myograph.twin.fibre import Fibres
from myograph.twin.muscle import Muscle
from myograph.twin.needle import Needle, NeedleLibrary, fibre_potentials
from myograph.twin.physiology import Range
from myograph.twin.reinnervation import denervated_months
from myograph.twin.resting_rhythm import RHYTHMS
from myograph.twin.resting_wave import WAVES
from myograph.twin.seeds import stream

__all__ = [
    "SPONTANEOUS",
    "Spontaneous",
    "SpontaneousKind",
    "denervation_activity",
    "fasciculations",
    "joined",
    "spontaneous",
]

Floats = NDArray[np.float64]

# Hearing distance: fibres farther than this from the needle's surface add nothing one could see.
_HEARD_MM = 1.2
# A fibre begins to fibrillate some weeks after it lost its nerve, and falls silent over years.
_SILENT_MONTHS, _FADING_MONTHS = 0.6, 36.0
# Share of the active fibres that the needle hurts.
_HURT = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class SpontaneousKind:
    """A kind of spontaneous activity.

    Parameters
    ----------
    rhythm, wave : str
        Keys of `RHYTHMS` and `WAVES`.
    rate_hz : tuple of 2 floats
        A source's rate is drawn between them, evenly on a logarithmic scale.
    seen_hz : tuple of 2 floats
        Rates measured in people; others warn.
    """

    rhythm: str
    wave: str
    rate_hz: tuple[float, float]
    seen_hz: tuple[float, float]


#: Kinds of spontaneous activity by the name that their events carry.
SPONTANEOUS: Registry[SpontaneousKind] = Registry("spontaneous activity")
for _name, _rhythm, _wave, _usual, _seen in (
    ("fibrillation", "regular", "fibre", (1.0, 10.0), (0.5, 15.0)),
    ("positive sharp wave", "regular", "positive sharp", (1.0, 10.0), (0.5, 15.0)),
    ("fasciculation", "sporadic", "unit", (0.1, 2.0), (0.01, 10.0)),
    ("complex repetitive discharge", "complex repetitive", "complex", (20.0, 50.0), (5.0, 150.0)),
    ("myotonic discharge", "myotonic", "fibre", (35.0, 60.0), (20.0, 80.0)),
    ("myokymic discharge", "myokymic", "unit", (10.0, 40.0), (5.0, 60.0)),
    ("neuromyotonic discharge", "neuromyotonic", "unit", (160.0, 280.0), (150.0, 300.0)),
    ("end-plate noise", "irregular", "end-plate noise", (20.0, 40.0), (10.0, 500.0)),
    ("end-plate spike", "irregular", "end-plate spike", (8.0, 30.0), (5.0, 50.0)),
    ("single unit discharge", "single unit", "unit", (3.0, 10.0), (1.3, 18.1)),
):
    SPONTANEOUS.add(
        _name, SpontaneousKind(rhythm=_rhythm, wave=_wave, rate_hz=_usual, seen_hz=_seen)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Spontaneous:
    """Spontaneous activity, on its own: what it adds to a recording, and what it is.

    Parameters
    ----------
    samples_uv : ndarray of float32, shape (n_samples,)
    fs_hz : float
    events : tuple of Event
        One for each stretch that one would call one discharge, with its kind as the label, the
        source's name as the trial and ``"twin"`` as the source.
    times_s : mapping of str to ndarray
        Every single potential, by source name.
    """

    samples_uv: NDArray[np.float32]
    fs_hz: float
    events: tuple[Event, ...]
    times_s: dict[str, Floats]


def spontaneous(
    kind: str,
    *,
    duration_s: float,
    fs_hz: float,
    seed: int,
    rate_hz: float | None = None,
    wave_uv: ArrayLike | None = None,
) -> Spontaneous:
    """Return the activity of one source.

    Parameters
    ----------
    kind : str
        One of `SPONTANEOUS`.
    duration_s, fs_hz : float
    seed : int
        Rhythm, rate and shape have streams of their own.
    rate_hz : float, optional
        Drawn when not given.
    wave_uv : array_like, shape (n,), optional
        The source's potential at ``fs_hz``, for example from a needle model; drawn from `WAVES`
        when not given.

    Examples
    --------
    >>> quiet = spontaneous("fibrillation", duration_s=5.0, fs_hz=10000.0, seed=1, rate_hz=4.0)
    >>> quiet.events[0].label, 12 < len(quiet.times_s["fibrillation-1"]) < 25
    ('fibrillation', True)
    """
    law = SPONTANEOUS[kind]
    check_positive(duration_s, name="duration_s")
    check_positive(fs_hz, name="fs_hz")
    if fs_hz < 4000:
        raise ParameterError(
            f"fs_hz={fs_hz:g} cannot show needle potentials; take 4000 Hz or more (20000 usual)."
        )
    if rate_hz is None:
        low, high = np.log(law.rate_hz)
        rate_hz = float(np.exp(stream(seed, kind, "rate").uniform(low, high)))
    Range(*law.seen_hz, "Hz", least=1e-3, most=5000).check(rate_hz, name="rate_hz")
    rhythm = RHYTHMS[law.rhythm](duration_s, rate_hz, stream(seed, kind, "rhythm"))
    if wave_uv is None:
        wave = WAVES[law.wave](fs_hz, stream(seed, kind, "wave"))
    else:
        wave = np.asarray(wave_uv, float).ravel()
        if not wave.size or not np.isfinite(wave).all():
            raise DataError("wave_uv must be finite and not empty.")
    name = f"{kind}-{seed}"
    events = tuple(
        Event(start, end - start, kind, source="twin", trial=name) for start, end in rhythm.spans
    )
    samples = _placed(wave, rhythm.times_s, rhythm.scale, round(duration_s * fs_hz), fs_hz)
    return Spontaneous(samples, fs_hz, events, {name: rhythm.times_s})


def joined(parts: Iterable[Spontaneous]) -> Spontaneous:
    """Add up several sources of one length and rate."""
    found = list(parts)
    if not found:
        raise DataError("There is nothing to join.")
    shapes = {(len(part.samples_uv), part.fs_hz) for part in found}
    if len(shapes) != 1:
        raise DataError(f"Sources to join must have one length and rate; got {sorted(shapes)}.")
    total = np.zeros(len(found[0].samples_uv))
    for part in found:
        total += part.samples_uv
    times: dict[str, Floats] = {}
    for part in found:
        clash = set(times) & set(part.times_s)
        if clash:
            raise DataError(f"Two sources have one name: {sorted(clash)}; use different seeds.")
        times |= part.times_s
    events = tuple(sorted(event for part in found for event in part.events))
    return Spontaneous(total.astype(np.float32), found[0].fs_hz, events, times)


def denervation_activity(
    muscle: Muscle,
    needle: Needle,
    *,
    duration_s: float,
    fs_hz: float,
    seed: int,
    active: float = 0.1,
) -> Spontaneous:
    """Return fibrillations and positive sharp waves of the denervated fibres around a needle.

    A third of the active fibres are hurt by the needle and give positive sharp waves.

    Parameters
    ----------
    muscle : Muscle
        A healthy one is silent.
    needle : Needle
    duration_s, fs_hz : float
    seed : int
        Every fibre has streams of its own.
    active : float
        Share of the freshly denervated fibres that fibrillate during a recording. It begins two
        to three weeks after the loss of the nerve and fades over years.
    """
    Range(0, 1, most=1).check(active, name="active")
    rows, hurt = _active_fibres(muscle.fibres, needle, active, seed)
    parts = [_silence(duration_s, fs_hz)]
    if not rows.size:
        return parts[0]
    chosen = muscle.fibres.keep(rows)
    # The impulse starts at the old junction or anywhere else.
    place = stream(seed, "fibrillation-start").random(len(muscle.fibres))[rows]
    start = chosen.left_mm + 1 + place * (chosen.right_mm - chosen.left_mm - 2)
    waves = fibre_potentials(chosen.change(endplate_mm=start), needle, fs_hz=fs_hz)
    for row, wave, is_hurt in zip(rows.tolist(), waves, hurt, strict=True):
        own = int(stream(seed, "denervated-fibre", row).integers(1 << 31))
        kind, shape = "fibrillation", np.asarray(wave, np.float64)
        if is_hurt:
            kind = "positive sharp wave"
            sharp = WAVES["positive sharp"](fs_hz, stream(own, kind, "wave"))
            shape = sharp / np.ptp(sharp) * np.ptp(wave)
        parts.append(spontaneous(kind, duration_s=duration_s, fs_hz=fs_hz, seed=own, wave_uv=shape))
    return joined(parts)


def _active_fibres(
    fibres: Fibres, needle: Needle, active: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the rows that fire by themselves near a needle, and which of them it hurts."""
    months = denervated_months(fibres)
    near = np.hypot(fibres.x_mm - needle.x_mm, fibres.y_mm - needle.y_mm) < _HEARD_MM
    ready = np.exp(-months / _FADING_MONTHS) * (months > _SILENT_MONTHS)
    chance = stream(seed, "fibrillating").random(len(fibres))
    rows = np.flatnonzero(near & ~fibres.innervated & (chance < active * ready))
    return rows, stream(seed, "hurt").random(len(fibres))[rows] < _HURT


def fasciculations(
    muscle: Muscle,
    library: NeedleLibrary,
    *,
    duration_s: float,
    rate_hz: float,
    seed: int,
    n_sources: int = 6,
) -> Spontaneous:
    """Return fasciculations of living units at a needle.

    Parameters
    ----------
    muscle : Muscle
    library : NeedleLibrary
        Of that muscle.
    duration_s : float
    rate_hz : float
        Of all sources together (0.1 to 10 a second).
    seed : int
    n_sources : int
        How many units fasciculate.
    """
    check_count(n_sources, name="n_sources")
    Range(0.01, 10, "Hz", least=1e-4, most=200).check(rate_hz, name="rate_hz")
    seen = np.ptp(library.muaps, axis=1) > 0
    able = np.flatnonzero(muscle.pool.alive & seen)
    parts = [_silence(duration_s, library.fs_hz)]
    units = stream(seed, "fasciculating").permutation(able)[:n_sources]
    # Some units do it more than others.
    weight = stream(seed, "eagerness").gamma(1.0, 1.0, n_sources)[: len(units)]
    for unit, share in zip(units, weight / weight.sum(), strict=True):
        own = int(stream(seed, "fasciculation", int(unit)).integers(1 << 31))
        rhythm = RHYTHMS["sporadic"](
            duration_s, max(float(rate_hz * share), 1e-4), stream(own, "rhythm")
        )
        name = f"fasciculation-unit-{int(unit)}"
        events = tuple(
            Event(start, 0.0, "fasciculation", source="twin", trial=name)
            for start, _ in rhythm.spans
        )
        n = round(duration_s * library.fs_hz)
        samples = _placed(library.muaps[unit], rhythm.times_s, rhythm.scale, n, library.fs_hz)
        parts.append(Spontaneous(samples, library.fs_hz, events, {name: rhythm.times_s}))
    return joined(parts)


def _silence(duration_s: float, fs_hz: float) -> Spontaneous:
    n = round(check_positive(duration_s, name="duration_s") * fs_hz)
    return Spontaneous(np.zeros(n, np.float32), fs_hz, (), {})


def _placed(
    wave: ArrayLike, times_s: Floats, scale: Floats, n: int, fs_hz: float
) -> NDArray[np.float32]:
    """Add the wave at each time, between samples too (linear), cut at the end."""
    shape = np.asarray(wave, float)
    out = np.zeros(n + len(shape) + 2)
    place = times_s * fs_hz
    first = place.astype(np.int64)
    for start, part, size in zip(first.tolist(), (place - first).tolist(), scale, strict=True):
        out[start : start + len(shape)] += size * (1 - part) * shape
        out[start + 1 : start + 1 + len(shape)] += size * part * shape
    return out[:n].astype(np.float32)
