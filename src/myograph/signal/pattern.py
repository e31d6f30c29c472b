"""The spatial pattern across channels: electrodes that moved, and crosstalk between neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_non_negative, check_positive
from myograph.core.errors import DataError
from myograph.signal.filters import design_highpass, zero_phase

__all__ = ["best_rotation", "crosstalk", "loudness_patterns", "pattern_distance", "ring_order"]

# Crosstalk arrives at once: it is a field, not a wave along the fibres.
_LAG_S = 0.0025

# Movement is common to neighbours without being muscle.
_FROM_HZ = 20.0


def loudness_patterns(
    samples: NDArray[np.floating], *, fs_hz: float, length_s: float = 0.25
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how loud each channel is beside the others, stretch by stretch.

    Parameters
    ----------
    samples : ndarray, shape (n_channels, n_samples)
        At least two channels.
    fs_hz, length_s : float

    Returns
    -------
    patterns : ndarray, shape (n_stretches, n_channels)
        Root mean squares, each pattern scaled to length 1; all equal where nothing moves.
    loudness : ndarray, shape (n_stretches,)
        The length before scaling.
    """
    length = round(check_positive(length_s, name="length_s") * fs_hz)
    if samples.ndim != 2 or len(samples) < 2 or samples.shape[1] < max(length, 2):
        raise DataError(
            f"A spatial pattern needs at least 2 channels and {length} samples; got shape "
            f"{samples.shape}."
        )
    count = samples.shape[1] // length
    frames = samples[:, : count * length].reshape(len(samples), count, length)
    rms = frames.std(axis=2, dtype=np.float64).T
    loudness = np.linalg.norm(rms, axis=1)
    even = np.full(rms.shape, 1 / np.sqrt(len(samples)))
    patterns = np.divide(rms, loudness[:, None], out=even, where=loudness[:, None] > 0)
    return patterns, loudness


def pattern_distance(
    patterns: NDArray[np.float64], reference: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the angle, in degrees, from each pattern to the nearest one of the reference.

    Movements seen in the reference are near it whichever they are; electrodes that moved make all
    of them strange.

    Parameters
    ----------
    patterns : ndarray, shape (n, n_channels)
    reference : ndarray, shape (m, n_channels)
        From `loudness_patterns` of a calibration.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> pattern_distance(np.eye(2), np.eye(2)[:1]).round(6).tolist()
    [0.0, 90.0]
    """
    if patterns.shape[1] != reference.shape[1]:
        raise DataError(
            f"Patterns over {patterns.shape[1]} channels cannot be compared with "
            f"{reference.shape[1]} channels."
        )
    nearest = np.full(len(patterns), -1.0)
    for first in range(0, len(patterns), 1024):
        part = slice(first, first + 1024)
        nearest[part] = (patterns[part] @ reference.T).max(axis=1)
    degrees: NDArray[np.float64] = np.degrees(np.arccos(np.clip(nearest, -1, 1)))
    return degrees


def best_rotation(
    patterns: NDArray[np.float64], reference: NDArray[np.float64]
) -> tuple[int, NDArray[np.float64]]:
    """Return by how many electrodes a ring has turned, and the mean angle at every turn.

    Parameters
    ----------
    patterns, reference : ndarray, shape (n, n_channels) and (m, n_channels)
        The channels in their order around the limb.

    Returns
    -------
    turn : int
        ``k``: what channel ``i`` showed in the reference is now at channel ``i + k``.
    degrees : ndarray, shape (n_channels,)
        Mean distance after turning back by 0, 1, ... electrodes.
    """
    n = patterns.shape[1]
    degrees = np.array(
        [pattern_distance(np.roll(patterns, -k, axis=1), reference).mean() for k in range(n)]
    )
    turn = int(np.argmin(degrees))
    return (turn - n if turn > n // 2 else turn), degrees


def ring_order(
    levels: NDArray[np.float64], reference: NDArray[np.float64]
) -> tuple[NDArray[np.intp], float]:
    """Return the order of channels in which a ring of electrodes was worn like another one.

    A band can be turned, and worn the other way up or on the other arm, which mirrors it. Of all
    turns and mirrored turns, the one is taken under which what each movement shows, beside the
    mean of the movements, is most alike.

    Parameters
    ----------
    levels : ndarray, shape (n_movements, n_channels)
        How loud each channel is in each movement, in decibels or another logarithm. NaN where a
        movement was not made.
    reference : ndarray, shape (n_movements, n_channels)
        The same movements by somebody else, or on average over people.

    Returns
    -------
    order : ndarray of int, shape (n_channels,)
        ``levels[:, order]`` is what resembles the reference.
    alike : float
        Correlation of the two, at most 1.

    Raises
    ------
    DataError
        If the shapes differ, or fewer than two movements are in both.

    Examples
    --------
    >>> worn = np.array([[0.0, 6.0, 1.0, 0.0], [3.0, 0.0, 0.0, 9.0]])
    >>> order, alike = ring_order(worn[:, [2, 1, 0, 3]], worn)  # mirrored
    >>> order.tolist(), round(alike, 6)
    ([2, 1, 0, 3], 1.0)
    """
    if levels.shape != reference.shape or levels.ndim != 2:
        raise DataError(
            "Two rings are compared movement by movement and channel by channel; got the shapes "
            f"{levels.shape} and {reference.shape}."
        )
    both = np.isfinite(levels).all(axis=1) & np.isfinite(reference).all(axis=1)
    if both.sum() < 2:
        raise DataError(
            f"Two rings are compared by at least 2 movements that both show; got {both.sum()} of "
            f"{len(levels)}."
        )
    one = levels[both] - levels[both].mean(axis=0)
    other = reference[both] - reference[both].mean(axis=0)
    places = np.arange(levels.shape[1])
    orders = [(way * places + turn) % len(places) for way in (1, -1) for turn in range(len(places))]
    length = float(np.linalg.norm(one) * np.linalg.norm(other)) or 1.0
    alike = [float((one[:, order] * other).sum()) / length for order in orders]
    best = int(np.argmax(alike))
    return orders[best], alike[best]


def crosstalk(
    samples: NDArray[np.floating], *, fs_hz: float, lag_s: float = _LAG_S
) -> NDArray[np.float64]:
    """Return, for every pair of channels, the share of power that one common wave explains.

    The largest squared correlation within 2.5 ms, above 20 Hz. It bounds crosstalk from above:
    a nerve that drives two muscles makes their envelopes alike, but not their waves; electrodes
    over the same muscle are alike without crosstalk.

    Parameters
    ----------
    samples : ndarray, shape (n_channels, n_samples)
    fs_hz, lag_s : float

    Returns
    -------
    ndarray, shape (n_channels, n_channels)
        0 to 1, symmetric, 0 on the diagonal and for channels that never change.
    """
    check_non_negative(lag_s, name="lag_s")
    x = np.asarray(samples, dtype=np.float32)
    if fs_hz > 4 * _FROM_HZ and x.shape[1] > 10:
        x = zero_phase(design_highpass(_FROM_HZ, order=2, fs_hz=fs_hz), x)
    size = np.sqrt(np.square(x, dtype=np.float64).sum(axis=1))
    moving = size > 1e-6 * max(float(np.abs(samples).max()), 1e-30)
    unit = np.divide(x, size[:, None], out=np.zeros(x.shape), where=moving[:, None])
    found = np.zeros((len(x), len(x)))
    for lag in range(min(round(lag_s * fs_hz), x.shape[1] - 1) + 1):
        product = np.square(unit[:, : x.shape[1] - lag] @ unit[:, lag:].T)
        found = np.maximum(found, np.maximum(product, product.T))
    np.fill_diagonal(found, 0.0)
    return np.clip(found, 0, 1)
