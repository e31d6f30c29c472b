"""Displaced: what the electrodes would have seen a few millimetres away, from what they saw.

Around a limb, the channels are taken as evenly spaced samples of one turn, and the signal between
them follows from the Fourier series over the ring: a shift by one electrode is then exactly the
rotation of the channels, and a shift there and back changes nothing but what the ring is too coarse
to hold. On a grid, the signal between electrodes is linear between the nearest three (two on a
line); beyond the edge it is that of the nearest electrode.

Neither knows the tissue: a measured shift also changes how far each muscle is from the skin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError, LayoutError
from myograph.core.layout import MUSCLE_KINDS, Layout

__all__ = ["FLAT_MM", "RINGS", "grid_weights", "positions_of", "ring_weights"]

Weights = NDArray[np.float64]

#: Devices whose channels are known to lie, in their order, evenly around a limb.
RINGS = ("Myo armband", "3DC armband")
#: Electrodes nearer than this to one line are a line.
FLAT_MM = 1e-6


def ring_weights(n_channels: int, shift_mm: float, *, circumference_mm: float) -> Weights:
    """Return what each channel of a ring takes from the others after a turn.

    Parameters
    ----------
    n_channels : int
        At least 3.
    shift_mm : float
        Along the skin, towards the next channel.
    circumference_mm : float
        Of the limb.

    Returns
    -------
    ndarray, shape (n_channels, n_channels)
        ``weights @ samples`` are the samples after the shift.

    Examples
    --------
    >>> ring_weights(4, 25.0, circumference_mm=100.0).round(6).argmax(axis=1).tolist()
    [1, 2, 3, 0]
    """
    n = check_count(n_channels, name="n_channels")
    if n < 3:
        raise DataError(f"A ring needs at least 3 channels; got {n}.")
    turn = shift_mm / check_positive(circumference_mm, name="circumference_mm") * n
    order = np.fft.rfftfreq(n, 1 / n)
    factor = np.exp(2j * np.pi * order * turn / n)
    if n % 2 == 0:
        factor[-1] = np.cos(np.pi * turn)  # the finest pattern has no direction
    spectrum = np.fft.rfft(np.eye(n), axis=0) * factor[:, np.newaxis]
    return np.asarray(np.fft.irfft(spectrum, n, axis=0), dtype=np.float64)


def grid_weights(positions_mm: ArrayLike, shift_mm: ArrayLike) -> Weights:
    """Return what each electrode of a grid or line takes from the others after a shift.

    Parameters
    ----------
    positions_mm : array, shape (n_channels, 2)
        On the skin.
    shift_mm : array, shape (2,)

    Returns
    -------
    ndarray, shape (n_channels, n_channels)
        Rows sum to 1.

    Examples
    --------
    >>> grid_weights([[0, 0], [10, 0], [20, 0]], [5, 0]).tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]]
    """
    places = np.asarray(positions_mm, dtype=np.float64)
    shift = np.asarray(shift_mm, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != 2 or shift.shape != (2,):
        raise DataError(
            f"A grid needs positions (n, 2) and a shift (2,); got {places.shape}, {shift.shape}."
        )
    centred = places - places.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=True)
    if len(places) < 3 or sizes[-1] <= FLAT_MM * max(sizes[0], 1.0):
        return _line_weights(centred @ axes[0], float(shift @ axes[0]))
    from scipy.interpolate import LinearNDInterpolator

    weights = LinearNDInterpolator(places, np.eye(len(places)))(places + shift)
    outside = ~np.isfinite(weights).all(axis=1)
    away = np.linalg.norm((places + shift)[outside, np.newaxis] - places, axis=2)
    weights[outside] = np.eye(len(places))[away.argmin(axis=1)]
    return np.asarray(weights, dtype=np.float64)


def _line_weights(along: Weights, shift: float) -> Weights:
    order = np.argsort(along, kind="stable")
    columns = [
        np.interp(along + shift, along[order], np.eye(len(along))[k][order])
        for k in range(len(along))
    ]
    return np.stack(columns, axis=1)


def positions_of(layout: Layout) -> Weights:
    """Return x and y of the muscle channels, shape (n_channels, 2).

    Raises
    ------
    LayoutError
        If one of them has no position, or there are fewer than two different ones.
    """
    channels = [channel for channel in layout.channels if channel.kind in MUSCLE_KINDS]
    unknown = [channel.name for channel in channels if channel.position_mm is None]
    if unknown:
        raise LayoutError(
            f"Electrodes cannot be moved without knowing where they are: {unknown} have no "
            "position_mm, and the device is not known as a ring. Give positions, or say with "
            f"circumference_mm that the channels lie around a limb. Known rings: {list(RINGS)}."
        )
    known = [c.position_mm[:2] for c in channels if c.position_mm is not None]
    places = np.array(known, dtype=np.float64).reshape(len(known), 2)
    if len(np.unique(places, axis=0)) < 2:
        raise LayoutError(
            "Electrodes that are all at one place cannot be moved to where another was; a shift "
            "needs at least two places."
        )
    return places
