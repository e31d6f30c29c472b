"""Jitter: small changes of training windows that leave what they show as it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count, check_non_negative
from myograph.core.errors import ParameterError

__all__ = ["Jitter"]

Windows = NDArray[np.float32]

# Gains of single channels differ by this share of what the gains of whole windows differ by.
_CHANNEL_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Jitter:
    """What is changed at random in every window, anew in every epoch.

    Parameters
    ----------
    gain_db : float
        Standard deviation of the gain of a window; that of each channel differs by half of it
        more. Skin, electrodes and amplifiers differ by some decibels between people.
    noise : float
        Standard deviation of added white noise, as a share of the channel's own in the window.
    shift : int
        A window is turned around its ends by at most so many samples.
    mask : int
        A stretch of at most so many samples is set to the channel's mean.
    drop : float
        Chance of each channel to be silent, below 1.
    turn : float
        A ring of electrodes, the channels in their order around the limb, is turned by at most
        this many distances between two; what lies between two is their weighted sum.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> windows = np.ones((2, 3, 50), dtype=np.float32)
    >>> bool((Jitter()(windows, rng) == windows).all())
    True
    >>> Jitter(gain_db=3.0)(windows, rng).std() > 0
    np.True_
    """

    gain_db: float = 0.0
    noise: float = 0.0
    shift: int = 0
    mask: int = 0
    drop: float = 0.0
    turn: float = 0.0

    def __post_init__(self) -> None:
        check_non_negative(self.gain_db, name="gain_db")
        check_non_negative(self.noise, name="noise")
        check_count(self.shift, name="shift", least=0)
        check_count(self.mask, name="mask", least=0)
        check_non_negative(self.turn, name="turn")
        if check_non_negative(self.drop, name="drop_channel") >= 1:
            raise ParameterError(f"drop_channel must be below 1; got {self.drop!r}.")

    def __call__(self, windows: Windows, rng: np.random.Generator) -> Windows:
        """Return changed copies of windows (n_windows, n_channels, n_samples)."""
        changed: NDArray[Any] = windows
        if self.turn:
            by = rng.uniform(-self.turn, self.turn, len(windows)).astype(np.float32)
            changed = _around(changed, by)
        if self.shift:
            changed = _turned(changed, rng.integers(-self.shift, self.shift + 1, len(windows)))
        if self.noise:
            spread = changed.std(axis=2, keepdims=True)
            changed = changed + self.noise * spread * _normal(rng, changed.shape)
        if self.mask:
            changed = self._masked(changed, rng)
        if self.gain_db:
            gain_db = _normal(rng, (len(windows), 1, 1))
            gain_db = gain_db + _CHANNEL_SHARE * _normal(rng, (*windows.shape[:2], 1))
            changed = changed * 10 ** (self.gain_db * gain_db / 20)
        if self.drop:
            changed = changed * (rng.random((*windows.shape[:2], 1)) >= self.drop)
        return changed.astype(np.float32)

    def _masked(self, windows: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        count, _, length = windows.shape
        size = rng.integers(0, min(self.mask, length) + 1, count)
        first = rng.integers(0, length - size + 1)
        moment = np.arange(length)
        hidden = (moment >= first[:, None]) & (moment < (first + size)[:, None])
        mean = windows.mean(axis=2, keepdims=True)
        return np.where(hidden[:, None], mean, windows)


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Windows:
    return rng.standard_normal(shape, dtype=np.float32)


def _turned(windows: NDArray[Any], by: NDArray[np.intp]) -> NDArray[Any]:
    length = windows.shape[2]
    source = (np.arange(length) - by[:, None]) % length
    return np.take_along_axis(windows, source[:, None], axis=2)


def _around(windows: NDArray[Any], by: NDArray[np.float32]) -> NDArray[Any]:
    """Turn the channels of each window: channel ``k`` becomes what was at ``k - by``."""
    whole = np.floor(by).astype(np.intp)
    part = (by - whole)[:, None, None]
    source = np.arange(windows.shape[1]) - whole[:, None]
    near, far = (
        np.take_along_axis(windows, (places % windows.shape[1])[:, :, None], axis=1)
        for places in (source, source - 1)
    )
    return (1 - part) * near + part * far
