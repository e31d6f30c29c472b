"""From discharges to a signal: every discharge adds its unit's potential, between samples too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.twin.discharge import Discharges
from myograph.twin.muap import MuapLibrary

__all__ = ["evolving", "synthesise"]

# Discharges are placed to this fraction of a sample.
_SHARES = 16


def synthesise(
    discharges: Discharges, library: MuapLibrary, *, duration_s: float | None = None
) -> NDArray[np.float32]:
    """Add up the potentials of all discharges.

    A discharge falls between samples: the potential is shifted by the nearest sixteenth of one, in
    the frequency domain, which at 2048 Hz is 15 microseconds either way.

    Parameters
    ----------
    discharges : Discharges
        One train per unit of the library.
    library : MuapLibrary
    duration_s : float, optional
        Length of the signal; that of the discharges when not given.

    Returns
    -------
    ndarray of float32, shape (n_channels, n_samples)
        µV.
    """
    return evolving(discharges, [library], [0.0], duration_s=duration_s)


def evolving(
    discharges: Discharges,
    libraries: Sequence[MuapLibrary],
    times_s: Sequence[float],
    *,
    duration_s: float | None = None,
) -> NDArray[np.float32]:
    """Add up discharges whose potentials change, as in fatigue or movement.

    Parameters
    ----------
    discharges : Discharges
    libraries : sequence of MuapLibrary
        The potentials at ``times_s``; between two of them each discharge is a weighted sum of both,
        before the first and after the last it is as they are.
    times_s : sequence of float
        Ascending.
    duration_s : float, optional

    Returns
    -------
    ndarray of float32, shape (n_channels, n_samples)
        µV.
    """
    moments = np.asarray(times_s, float)
    _check(discharges, libraries, moments)
    first = libraries[0]
    length_s = discharges.duration_s if duration_s is None else duration_s
    out = np.zeros((first.n_channels, round(length_s * first.fs_hz)), np.float32)
    for unit, times in enumerate(discharges.times_s):
        if not len(times):
            continue
        share = _shares(times, moments)
        start, phase = _grid(times * first.fs_hz)
        for state, library in enumerate(libraries):
            used = share[state] > 0
            if used.any() and library.values[unit].any():
                _scatter(
                    _shifted(library.values[unit]),
                    start[used] - library.onset_sample - 1,
                    phase[used],
                    share[state][used],
                    out,
                )
    return out


def _check(discharges: Discharges, libraries: Sequence[MuapLibrary], moments: np.ndarray) -> None:
    if not libraries or len(libraries) != len(moments) or (np.diff(moments) <= 0).any():
        raise DataError(
            "Give one library per moment, with ascending times_s; got "
            f"{len(libraries)} libraries at {moments.tolist()}."
        )
    kinds = {(x.n_units, x.n_channels, x.fs_hz) for x in libraries}
    if len(kinds) != 1:
        raise DataError(f"Libraries differ in units, channels or rate: {sorted(kinds)}.")
    if libraries[0].n_units != discharges.n_units:
        raise DataError(
            f"The library holds {libraries[0].n_units} units and there are "
            f"{discharges.n_units} trains; both must be of the same muscle."
        )


def _shares(times: NDArray[np.float64], moments: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the weight of each library at each discharge, shape (n_libraries, n_discharges)."""
    return np.stack([np.interp(times, moments, row) for row in np.eye(len(moments))]).astype(
        np.float32
    )


def _grid(place: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    fine = np.round(place * _SHARES).astype(np.int64)
    return fine // _SHARES, fine % _SHARES


def _shifted(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Delay by 0, 1/16, ... 15/16 samples, with one sample of room before: (shift, channel, n)."""
    n = values.shape[1]
    room = np.zeros((values.shape[0], n + 16))
    room[:, 1 : n + 1] = values
    frequency = np.fft.rfftfreq(room.shape[1])
    delay = np.exp(-2j * np.pi * frequency * np.arange(_SHARES)[:, None] / _SHARES)
    spectrum = np.fft.rfft(room, axis=1)
    moved = np.fft.irfft(spectrum[None] * delay[:, None, :], room.shape[1], axis=2)
    return np.ascontiguousarray(moved[:, :, : n + 4], np.float32)


@njit(cache=True, nogil=True)
def _scatter(shapes, start, phase, weight, out):  # type: ignore[no-untyped-def]
    n_channels, n = shapes.shape[1], shapes.shape[2]
    for c in range(n_channels):
        for d in range(len(start)):
            low = max(-start[d], 0)
            high = min(n, out.shape[1] - start[d])
            if high > low:
                row = shapes[phase[d], c]
                w = weight[d]
                for k in range(low, high):
                    out[c, start[d] + k] += w * row[k]
