"""Checks at the boundary: each returns the value it checked, or says why not.

Inside the boundary nobody checks again.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import DataError, ParameterError

__all__ = [
    "check_below_nyquist",
    "check_choice",
    "check_count",
    "check_non_negative",
    "check_positive",
    "check_samples",
    "unknown_name",
]


def check_positive(value: float, *, name: str) -> float:
    """Return ``value`` as a finite float above zero."""
    number = _finite(value, name=name)
    if number <= 0:
        raise ParameterError(f"{name} must be above 0; got {value!r}.")
    return number


def check_non_negative(value: float, *, name: str) -> float:
    """Return ``value`` as a finite float of at least zero."""
    number = _finite(value, name=name)
    if number < 0:
        raise ParameterError(f"{name} must be 0 or more; got {value!r}.")
    return number


def check_count(value: int, *, name: str, least: int = 1) -> int:
    """Return ``value`` as a whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ParameterError(f"{name} must be a whole number; got {value!r}.")
    if value < least:
        raise ParameterError(f"{name} must be at least {least}; got {value!r}.")
    return int(value)


def check_choice(value: str, known: Collection[str], *, name: str) -> str:
    """Return ``value`` if it is one of ``known``."""
    if value not in known:
        raise ParameterError(unknown_name(value, known, what=name))
    return value


# Among so many names the nearest alone is often not the one that was meant.
_MANY = 20
# So many of a long list show what names look like.
_FIRST = 3


def unknown_name(
    value: object, known: Collection[str], *, what: str, most: int | None = None
) -> str:
    """Word the refusal of an unknown name: the known ones, and the nearest.

    Parameters
    ----------
    value : object
    known : collection of str
    what : str
    most : int, optional
        Of more names than this only the first are listed, and how many there are.

    Examples
    --------
    >>> unknown_name("mva", ["mav", "mnf"], what="feature")
    "feature must be one of ['mav', 'mnf']; got 'mva'. Did you mean 'mav'?"
    """
    near = get_close_matches(str(value), list(known), n=3)
    # Letters that changed places are the likeliest slip, and count for more than one wrong letter.
    near = sorted(near, key=lambda name: sorted(name) != sorted(str(value)))
    swapped = bool(near) and sorted(near[0]) == sorted(str(value))
    best = near[:1] if swapped or len(known) < _MANY else near
    hint = f" Did you mean {' or '.join(map(repr, best))}?" if best else ""
    listed = f"one of {sorted(known)}"
    if most is not None and len(known) > most:
        listed = f"one of {len(known)} known ones ({', '.join(sorted(known)[:_FIRST])}, ...)"
    return f"{what} must be {listed}; got {value!r}.{hint}"


def check_below_nyquist(frequency_hz: float, *, fs_hz: float, name: str) -> float:
    """Return ``frequency_hz`` if a signal sampled at ``fs_hz`` can hold it."""
    frequency = check_positive(frequency_hz, name=name)
    if frequency >= fs_hz / 2:
        raise ParameterError(
            f"{name}={frequency:g} Hz is at or above the Nyquist frequency ({fs_hz / 2:g} Hz) of "
            f"a signal sampled at {fs_hz:g} Hz; choose a lower frequency or a faster recording."
        )
    return frequency


def check_samples(samples: ArrayLike, *, name: str = "samples") -> NDArray[np.float32]:
    """Return ``samples`` as finite, contiguous float32 of shape (n_channels, n_samples).

    Raises
    ------
    DataError
        If the array is not two-dimensional, has no rows or no columns, or holds NaN or infinity.
    """
    try:
        with np.errstate(over="ignore"):  # a value beyond float32 becomes inf and is refused below
            array = np.ascontiguousarray(samples, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must be an array of numbers; {error}.") from error
    if array.ndim != 2:
        raise DataError(
            f"{name} must be 2-D (n_channels, n_samples); got shape {array.shape}. "
            "A single channel has shape (1, n_samples)."
        )
    if array.size == 0:
        raise DataError(f"{name} is empty: shape {array.shape}; at least one sample is needed.")
    _refuse_non_finite(array, name=name)
    return array


def _refuse_non_finite(array: NDArray[np.float32], *, name: str) -> None:
    # The sum is finite exactly when nothing is NaN or infinite, unless it overflows: float64 is
    # wide enough that it cannot for float32 data, so one fast pass decides the usual case.
    with np.errstate(invalid="ignore"):  # infinities of both signs: refused below
        total = float(array.sum(dtype=np.float64))
    if math.isfinite(total):
        return
    finite = np.isfinite(array)
    rows = np.flatnonzero(~finite.all(axis=1)).tolist()
    first = int(np.flatnonzero(~finite[rows[0]])[0])
    raise DataError(
        f"{name} has {int(array.size - finite.sum())} non-finite values (NaN or infinity), in "
        f"channel rows {rows}, the first at sample {first} of row {rows[0]}; repair them or "
        "declare the stretch a gap first (myograph.io.read(..., non_finite='gap'))."
    )


def _finite(value: Any, *, name: str) -> float:
    if isinstance(value, bool | str):
        raise ParameterError(f"{name} must be a number; got {value!r}.")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name} must be a number; got {value!r}.") from error
    if not math.isfinite(number):
        raise ParameterError(f"{name} must be finite; got {value!r}.")
    return number
