"""Sixteen numbers as one value inside compiled code.

The compiler finds parallel work only in simple loops. Butterflies and comparator networks are
none, so the kernels that need them name the lanes themselves: each lane belongs to one window,
nothing is ever added across windows, and so a window gives the same bits whatever its neighbours
are. Processors with narrower registers do the same arithmetic in more instructions.

For a transform the lanes are two numbers for each of eight windows, the *halves*: the real and
the imaginary parts, or two consecutive samples or bins.

``load`` and ``store`` do not check bounds: callers allocate what they index.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core.datamodel import models
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, register_model

from myograph.signal.vectors import DOUBLES, LANES, SINGLES, integer, shuffle, spread, transpose

__all__ = [
    "LANES", "add_scaled", "conjugate", "exceeds", "higher", "last", "lay_out", "load", "lower",
    "meet", "running", "scale", "scale_halves", "store", "turn", "twist", "widen",
]  # fmt: skip

_HALF = LANES // 2
_LOW, _HIGH = range(_HALF), range(_HALF, LANES)
_SECOND_LOW, _SECOND_HIGH = range(LANES, LANES + _HALF), range(LANES + _HALF, 2 * LANES)
_VECTORS = {types.float32: SINGLES, types.float64: DOUBLES}


class _Lanes(types.Type):
    def __init__(self, number: Any) -> None:
        self.vector = _VECTORS[number]
        super().__init__(name=f"lanes({number})")


_LANES = {number: _Lanes(number) for number in _VECTORS}
_SINGLE, _DOUBLE = _LANES.values()
_NUMBER = types.float64


@register_model(_Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, kind.vector)


# --- memory -----------------------------------------------------------------------------------


@intrinsic
def load(typing_context, array, index):  # type: ignore[no-untyped-def]  # called by the compiler
    """Return ``array[index : index + 16]`` of a one-dimensional, contiguous array."""
    del typing_context
    kind = _LANES[array.dtype]

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value = builder.load(_pointer(context, builder, sig, args))
        value.align = sig.args[0].dtype.bitwidth // 8
        return value

    return kind(array, types.intp), generate


@intrinsic
def store(typing_context, array, index, value):  # type: ignore[no-untyped-def]
    """Set ``array[index : index + 16]`` to the lanes of ``value``."""
    del typing_context

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        written = builder.store(args[2], _pointer(context, builder, sig, args))
        written.align = sig.args[0].dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


def _pointer(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    array = sig.args[0]
    start = context.make_array(array)(context, builder, args[0]).data
    return builder.bitcast(builder.gep(start, [args[1]]), _LANES[array.dtype].vector.as_pointer())


@intrinsic
def _tile(typing_context, memory, starts, at, x):  # type: ignore[no-untyped-def]
    """Copy samples ``at`` to ``at + 15`` of sixteen rows to ``x``, row by row of each sample."""
    del typing_context
    kind = _LANES[x.dtype]

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        first, places, goal = (
            context.make_array(sig.args[k])(context, builder, args[k]).data for k in (0, 1, 3)
        )
        rows = []
        for lane in range(LANES):
            place = builder.add(builder.load(builder.gep(places, [integer(lane)])), args[2])
            begin = builder.gep(first, [place])
            rows.append(builder.load(builder.bitcast(begin, SINGLES.as_pointer())))
            rows[-1].align = 4
        for t, value in enumerate(transpose(builder, rows)):
            place = builder.mul(builder.add(args[2], integer(t)), integer(LANES))
            begin = builder.bitcast(builder.gep(goal, [place]), kind.vector.as_pointer())
            wide = value if kind is _SINGLE else builder.fpext(value, kind.vector)
            builder.store(wide, begin).align = x.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(memory, starts, types.intp, x), generate


@njit(nogil=True)
def lay_out(memory, starts, n, x):  # type: ignore[no-untyped-def]
    """Copy ``n`` samples of sixteen rows of float32 to ``x``, side by side, as its numbers."""
    whole = n // LANES * LANES
    for i in range(0, whole, LANES):
        _tile(memory, starts, i, x)
    for lane in range(LANES):
        for i in range(whole, n):
            x[i * LANES + lane] = memory[starts[lane] + i]


# --- arithmetic, lane by lane -------------------------------------------------------------------


def _operator(symbol: Any, instruction: str) -> None:
    """Let ``symbol`` work on two values of float64 lanes."""

    @infer_global(symbol)
    class _Template(ConcreteTemplate):
        cases = (signature(_DOUBLE, _DOUBLE, _DOUBLE),)

    @lower_builtin(symbol, _DOUBLE, _DOUBLE)
    def _lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        del context, sig
        return getattr(builder, instruction)(*args)


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")


def _function(result: Any, *arguments: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate what writes the instructions of a function with these types."""

    def decorate(emit: Callable[..., Any]) -> Any:
        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            del context, sig
            return emit(builder, *args)

        # The compiler counts the parameters, so each number of them has its own form.
        def one(typing_context, a):  # type: ignore[no-untyped-def]
            return result(*arguments), generate

        def two(typing_context, a, b):  # type: ignore[no-untyped-def]
            return result(*arguments), generate

        def three(typing_context, a, b, c):  # type: ignore[no-untyped-def]
            return result(*arguments), generate

        typed = (one, two, three)[len(arguments) - 1]
        typed.__name__, typed.__doc__ = emit.__name__, emit.__doc__
        return intrinsic(typed)

    return decorate


@_function(_SINGLE, _SINGLE, _SINGLE)
def lower(builder: Any, first: Any, second: Any) -> Any:
    """Return the smaller of two float32 values."""
    return builder.select(builder.fcmp_ordered("<", first, second), first, second)


@_function(_SINGLE, _SINGLE, _SINGLE)
def higher(builder: Any, first: Any, second: Any) -> Any:
    """Return the larger of two float32 values."""
    return builder.select(builder.fcmp_ordered(">", first, second), first, second)


@_function(_DOUBLE, _SINGLE)
def widen(builder: Any, value: Any) -> Any:
    """Return float32 lanes as float64 lanes."""
    return builder.fpext(value, _DOUBLE.vector)


@_function(_DOUBLE, _DOUBLE, _DOUBLE)
def exceeds(builder: Any, value: Any, limit: Any) -> Any:
    """Return 1 where ``value`` is above ``limit``, else 0."""
    return builder.uitofp(builder.fcmp_ordered(">", value, limit), _DOUBLE.vector)


@_function(_DOUBLE, _DOUBLE, _NUMBER)
def scale(builder: Any, value: Any, number: Any) -> Any:
    """Return ``value`` times a number."""
    return builder.fmul(value, spread(builder, number))


@_function(_DOUBLE, _DOUBLE, _DOUBLE, _NUMBER)
def add_scaled(builder: Any, total: Any, value: Any, number: Any) -> Any:
    """Return ``total`` plus ``value`` times a number, rounded once where the processor can."""
    product = builder.fmul(value, spread(builder, number), flags=("contract",))
    return builder.fadd(total, product, flags=("contract",))


# --- halves -------------------------------------------------------------------------------------


@_function(_DOUBLE, _DOUBLE, _NUMBER, _NUMBER)
def scale_halves(builder: Any, value: Any, low: Any, high: Any) -> Any:
    """Return ``value`` with its halves times a number each."""
    both = shuffle(builder, spread(builder, low), spread(builder, high), [*_LOW, *_SECOND_LOW])
    return builder.fmul(value, both)


@_function(_DOUBLE, _DOUBLE)
def turn(builder: Any, value: Any) -> Any:
    """Return eight complex numbers times -i."""
    return _turn(builder, value)


@_function(_DOUBLE, _DOUBLE, _NUMBER, _NUMBER)
def twist(builder: Any, value: Any, real: Any, imaginary: Any) -> Any:
    """Return eight complex numbers times ``real + i imaginary``."""
    along = builder.fmul(value, spread(builder, real))
    across = builder.fmul(_turn(builder, value), spread(builder, imaginary))
    return builder.fsub(along, across)


@_function(_DOUBLE, _DOUBLE)
def conjugate(builder: Any, value: Any) -> Any:
    """Return the conjugates of eight complex numbers."""
    return builder.fmul(value, _signs())


@_function(_DOUBLE, _DOUBLE, _DOUBLE)
def meet(builder: Any, first: Any, second: Any) -> Any:
    """Return the sum of the halves of ``first``, then that of the halves of ``second``."""
    low = shuffle(builder, first, second, [*_LOW, *_SECOND_LOW])
    high = shuffle(builder, first, second, [*_HIGH, *_SECOND_HIGH])
    return builder.fadd(low, high)


@_function(_DOUBLE, _DOUBLE)
def running(builder: Any, value: Any) -> Any:
    """Return the low half, then the sum of both."""
    none = ir.Constant(_DOUBLE.vector, [0.0] * LANES)
    return builder.fadd(value, shuffle(builder, none, value, [*_LOW, *_SECOND_LOW]))


@_function(_DOUBLE, _DOUBLE)
def last(builder: Any, value: Any) -> Any:
    """Return the high half twice."""
    return shuffle(builder, value, value, [*_HIGH, *_HIGH])


def _turn(builder: Any, value: Any) -> Any:
    # (re + i im) (-i) = im - i re
    swapped = shuffle(builder, value, value, [*_HIGH, *_LOW])
    return builder.fmul(swapped, _signs())


def _signs() -> Any:
    return ir.Constant(_DOUBLE.vector, [1.0] * _HALF + [-1.0] * _HALF)
