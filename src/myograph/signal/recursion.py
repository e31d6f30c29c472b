"""Second-order sections over many channels at once, compiled.

A recursion has to wait for itself, but channels do not wait for each other: sixteen of them share
every instruction. Samples are laid out time by channel for a stretch that stays in the first-level
cache, pass all sections, and are laid back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from myograph.signal.compiling import kernel
from myograph.signal.vectors import DOUBLES, LANES, SINGLES, integer, spread, transpose

__all__ = ["filter_sections"]

# Samples of each channel that are worked on at once.
_STRETCH = 96


def filter_sections(
    sections: NDArray[np.float64],
    samples: NDArray[np.float32],
    before: NDArray[np.float64],
    filtered: NDArray[np.float32],
    after: NDArray[np.float64],
) -> float:
    """Filter samples forwards from a state, in float64.

    Parameters
    ----------
    sections : ndarray, shape (n_sections, 6), contiguous
        b_0, b_1, b_2, 1, a_1, a_2 of each.
    samples : ndarray of float32, shape (n_channels, n_samples)
    before : ndarray, shape (n_sections, n_channels, 2), contiguous
        What each section remembers, in transposed direct form II.
    filtered : ndarray of float32, shape (n_channels, n_samples), contiguous
        Where the result goes.
    after : ndarray, shape (n_sections, n_channels, 2), contiguous
        Where what each section remembers now goes. The same bits whatever the pieces are that a
        signal is filtered in.

    Returns
    -------
    float
        The sum of ``after``: not finite where a sample was not.
    """
    if samples.strides[1] != samples.itemsize and samples.shape[1] > 1:
        samples = np.ascontiguousarray(samples)
    total: float = _filter(sections, samples, before, filtered, after)
    return total


# --- what the compiler is told in its own words --------------------------------------------------


def _start(context: Any, builder: Any, sig: Any, args: Any, k: int) -> Any:
    """Return where argument k, an array of float64, starts, as vectors."""
    data = context.make_array(sig.args[k])(context, builder, args[k]).data
    return builder.bitcast(data, DOUBLES.as_pointer())


def _read(builder: Any, pointer: Any) -> Any:
    value = builder.load(pointer)
    value.align = 4
    return value


def _write(builder: Any, value: Any, pointer: Any) -> None:
    builder.store(value, pointer).align = 4


@intrinsic
def _run(typing_context, x, count, section, state):  # type: ignore[no-untyped-def]  # compiled
    """Pass ``count`` times sixteen samples of ``x`` through a section, and keep the state."""
    del typing_context

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        numbers = context.make_array(sig.args[2])(context, builder, args[2]).data
        loaded = (builder.load(builder.gep(numbers, [integer(k)])) for k in (0, 1, 2, 4, 5))
        b0, b1, b2, a1, a2 = (spread(builder, number) for number in loaded)
        samples, kept = (_start(context, builder, sig, args, k) for k in (0, 3))
        places = [builder.gep(kept, [integer(k)]) for k in range(2)]
        z0, z1 = (cgutils.alloca_once(builder, DOUBLES) for _ in range(2))
        for place, z in zip(places, (z0, z1), strict=True):
            builder.store(_read(builder, place), z)
        with cgutils.for_range(builder, args[1]) as loop:
            place = builder.gep(samples, [loop.index])
            v = _read(builder, place)
            y = builder.fadd(builder.fmul(b0, v), builder.load(z0))
            forward = builder.fsub(builder.fmul(b1, v), builder.fmul(a1, y))
            builder.store(builder.fadd(forward, builder.load(z1)), z0)
            builder.store(builder.fsub(builder.fmul(b2, v), builder.fmul(a2, y)), z1)
            _write(builder, y, place)
        for place, z in zip(places, (z0, z1), strict=True):
            _write(builder, builder.load(z), place)
        return context.get_dummy_value()

    return types.void(x, types.intp, section, state), generate


def _tile(context: Any, builder: Any, sig: Any, args: Any) -> list[Any]:
    """Return where sixteen rows of samples start, from channel and time on."""
    array = context.make_array(sig.args[0])(context, builder, args[0])
    steps = cgutils.unpack_tuple(builder, array.strides)
    start = builder.bitcast(array.data, ir.IntType(8).as_pointer())
    along = builder.mul(args[2], integer(4))
    places = []
    for lane in range(LANES):
        across = builder.mul(builder.add(args[1], integer(lane)), steps[0])
        place = builder.gep(start, [builder.add(across, along)])
        places.append(builder.bitcast(place, SINGLES.as_pointer()))
    return places


@intrinsic
def _lay_out(typing_context, samples, channel, time, x, at):  # type: ignore[no-untyped-def]
    """Copy sixteen samples of sixteen channels to ``x``, time by channel."""
    del typing_context

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        rows = [_read(builder, place) for place in _tile(context, builder, sig, args)]
        goal = _start(context, builder, sig, args, 3)
        for t, row in enumerate(transpose(builder, rows)):
            place = builder.gep(goal, [builder.add(args[4], integer(t))])
            _write(builder, builder.fpext(row, DOUBLES), place)
        return context.get_dummy_value()

    return types.void(samples, types.intp, types.intp, x, types.intp), generate


@intrinsic
def _lay_back(typing_context, samples, channel, time, x, at):  # type: ignore[no-untyped-def]
    """Copy sixteen times sixteen numbers of ``x`` back to samples."""
    del typing_context

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        start = _start(context, builder, sig, args, 3)
        columns = []
        for t in range(LANES):
            value = _read(builder, builder.gep(start, [builder.add(args[4], integer(t))]))
            columns.append(builder.fptrunc(value, SINGLES))
        places = _tile(context, builder, sig, args)
        for row, place in zip(transpose(builder, columns), places, strict=True):
            _write(builder, row, place)
        return context.get_dummy_value()

    return types.void(samples, types.intp, types.intp, x, types.intp), generate


@njit(nogil=True)
def _remember(before, first, used, state):  # type: ignore[no-untyped-def]
    for s in range(len(state)):
        for lane in range(used):
            state[s, lane] = before[s, first + lane, 0]
            state[s, LANES + lane] = before[s, first + lane, 1]


@njit(nogil=True)
def _keep(state, first, used, after):  # type: ignore[no-untyped-def]
    total = 0.0
    for s in range(len(state)):
        for lane in range(used):
            after[s, first + lane, 0] = state[s, lane]
            after[s, first + lane, 1] = state[s, LANES + lane]
            total += state[s, lane] + state[s, LANES + lane]
    return total


@njit(nogil=True)
def _fill(samples, first, begin, used, count, x):  # type: ignore[no-untyped-def]
    whole = count // LANES * LANES if used == LANES else 0
    for t in range(0, whole, LANES):
        _lay_out(samples, first, begin + t, x, t)
    for lane in range(used):
        for t in range(whole, count):
            x[t * LANES + lane] = samples[first + lane, begin + t]


@njit(nogil=True)
def _empty(x, first, begin, used, count, filtered):  # type: ignore[no-untyped-def]
    whole = count // LANES * LANES if used == LANES else 0
    for t in range(0, whole, LANES):
        _lay_back(filtered, first, begin + t, x, t)
    for lane in range(used):
        for t in range(whole, count):
            filtered[first + lane, begin + t] = x[t * LANES + lane]


@kernel(
    types.Array(types.float64, 2, "C", readonly=True),
    types.Array(types.float32, 2, "A", readonly=True),
    types.Array(types.float64, 3, "C", readonly=True),
    types.float32[:, ::1],
    types.float64[:, :, ::1],
    returns=types.float64,
)
def _filter(sections, samples, before, filtered, after):  # type: ignore[no-untyped-def]
    n_channels, n = samples.shape
    total = 0.0
    x = np.zeros(_STRETCH * LANES)
    state = np.zeros((len(sections), 2 * LANES))
    for first in range(0, n_channels, LANES):
        used = min(LANES, n_channels - first)
        _remember(before, first, used, state)
        for begin in range(0, n, _STRETCH):
            count = min(_STRETCH, n - begin)
            _fill(samples, first, begin, used, count, x)
            for s in range(len(sections)):
                _run(x, count, sections[s], state[s])
            _empty(x, first, begin, used, count, filtered)
        total += _keep(state, first, used, after)
    return total
