"""What kernels are made with: the decorator that compiles them, and the bits of numbers."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from myograph.signal.compiling import kernel

__all__ = ["count_bits", "from_bits", "kernel", "to_bits"]


@intrinsic
def to_bits(typing_context, number):  # type: ignore[no-untyped-def]  # called by the compiler
    """Return the bits of a float64 as an int64."""
    del typing_context, number

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        del context, sig
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), generate


@intrinsic
def from_bits(typing_context, bits):  # type: ignore[no-untyped-def]  # called by the compiler
    """Return the float64 with these bits."""
    del typing_context, bits

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        del context, sig
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), generate


@intrinsic
def count_bits(typing_context, bits):  # type: ignore[no-untyped-def]  # called by the compiler
    """Return how many bits of a uint64 are set, as an int64."""
    del typing_context, bits

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        del context, sig
        return builder.ctpop(args[0])

    return types.int64(types.uint64), generate
