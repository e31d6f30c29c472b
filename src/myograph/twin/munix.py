"""The motor unit number index: graded contractions seen from the skin, and the index they give.

MUNIX is a function of the motor response's size (bostock2019): it follows the number of units
loosely and is not a count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError
from myograph.twin.cmap import Responses
from myograph.twin.contraction import excitation_for_force
from myograph.twin.discharge import Firing, discharges
from myograph.twin.drive import Drive, with_noise
from myograph.twin.emg import synthesise
from myograph.twin.muap import MuapLibrary
from myograph.twin.muscle import Muscle
from myograph.twin.seeds import stream

__all__ = ["Munix", "interference_epochs", "munix"]

Floats = NDArray[np.float64]

#: Interference pattern area at which the index is read, mV ms.
REFERENCE_AREA_MV_MS = 20.0
#: Length of one epoch, s.
EPOCH_S = 0.5
# Epochs that do not meet these are not used.
_LEAST_AREA_MV_MS, _MOST_COUNT, _LEAST_AREA_RATIO, _LEAST_CMAP_MV = 20.0, 100.0, 1.0, 0.5
# Rate of the drive; the unit potentials have a rate of their own.
_CONTROL_HZ = 500.0


@dataclass(frozen=True, slots=True, eq=False)
class Munix:
    """The index and what it was computed from.

    Parameters
    ----------
    munix : float
        NaN when the response is too small or too few epochs are usable.
    musix_uv : float
        Amplitude of the response over the index, µV.
    exponent : float
        Of the power law that was fitted.
    area_mv_ms, count : ndarray, shape (n_used,)
        Area of each epoch used and its ideal case motor unit count.
    """

    munix: float
    musix_uv: float
    exponent: float
    area_mv_ms: Floats
    count: Floats


def interference_epochs(
    muscle: Muscle,
    library: MuapLibrary,
    forces: ArrayLike,
    *,
    seed: int,
    firing: Firing | None = None,
    noise_uv: float = 5.0,
) -> NDArray[np.float32]:
    """Return one epoch of surface EMG per level of force.

    The person holds a share of the muscle's present maximum; the excitation is solved for it, so
    that fewer units fire faster.

    Parameters
    ----------
    muscle : Muscle
    library : MuapLibrary
        Of that muscle, from `myograph.twin.cmap.motor_units`.
    forces : array_like, shape (n_epochs,)
        Shares of the maximal force, above 0 to 1.
    seed : int
    firing : Firing, optional
    noise_uv : float
        Baseline noise, µV RMS.

    Returns
    -------
    ndarray of float32, shape (n_epochs, n_samples)
        µV, half a second each.
    """
    levels = np.atleast_1d(np.asarray(forces, float))
    if not np.isfinite(levels).all() or (levels <= 0).any() or (levels > 1).any():
        raise DataError("forces must be shares of the maximum, above 0 and at most 1.")
    if muscle.mvc_n <= 0:
        raise DataError(f"{muscle.name!r} has no force left: no contraction is possible.")
    excitation, _ = excitation_for_force(muscle.pool, levels * muscle.mvc_n)
    lead = round(0.5 * _CONTROL_HZ)  # recruitment settles before the epoch begins
    n_control = lead + round(EPOCH_S * _CONTROL_HZ)
    n = round(EPOCH_S * library.fs_hz)
    epochs = np.zeros((len(levels), n), np.float32)
    for i, level in enumerate(excitation):
        own = int(stream(seed, "epoch", i).integers(1 << 31))
        drive = with_noise(Drive(np.full((1, n_control), level), _CONTROL_HZ), seed=own)
        trains = discharges(muscle.pool, drive, seed=own, firing=firing)
        epochs[i] = synthesise(trains, library)[0, -n:]
        epochs[i] += noise_uv * stream(own, "baseline").standard_normal(n).astype(np.float32)
    return epochs


def munix(
    response: Responses, epochs: ArrayLike | Sequence[Floats], *, least_epochs: int = 10
) -> Munix:
    """Compute the index from a motor response and epochs of voluntary activity (nandedkar2010).

    For each epoch the ideal case motor unit count is (power of the response times area of the
    epoch) over (power of the epoch times area of the response); a power law of the epoch's area is
    fitted to it and read at 20 mV ms.

    Parameters
    ----------
    response : Responses
        The first row is used.
    epochs : array_like, shape (n_epochs, n_samples)
        µV, at the rate of the response. 20 or more, from slight to full force.
    least_epochs : int
        Fewer usable ones give NaN.
    """
    check_count(least_epochs, name="least_epochs", least=2)
    rate_hz = check_positive(response.fs_hz, name="fs_hz")
    step_ms = 1000 / rate_hz
    wave = np.asarray(response.samples_uv[0], float) / 1000
    voluntary = np.atleast_2d(np.asarray(epochs, float)) / 1000
    amplitude_mv = float(response.amplitudes_mv[0])
    wave_area, wave_power = np.abs(wave).sum() * step_ms, (wave**2).sum() * step_ms
    area = np.abs(voluntary).sum(axis=1) * step_ms
    power = (voluntary**2).sum(axis=1) * step_ms
    nothing = Munix(np.nan, np.nan, np.nan, np.empty(0), np.empty(0))
    if amplitude_mv < _LEAST_CMAP_MV:
        return nothing
    with np.errstate(divide="ignore"):
        count = wave_power * area / (power * wave_area)
    usable = (area > _LEAST_AREA_MV_MS) & (count < _MOST_COUNT)
    usable &= area / wave_area > _LEAST_AREA_RATIO
    if usable.sum() < least_epochs:
        return nothing
    exponent, intercept = np.polyfit(np.log(area[usable]), np.log(count[usable]), 1)
    found = float(np.exp(intercept) * REFERENCE_AREA_MV_MS**exponent)
    return Munix(found, 1000 * amplitude_mv / found, float(exponent), area[usable], count[usable])
