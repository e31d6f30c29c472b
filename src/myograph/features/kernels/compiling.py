"""Compile a kernel when it is first called, for stated types, and keep the result on disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["count_bits", "from_bits", "kernel", "to_bits"]


def kernel(
    *argument_types: Any, freely: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate a function to be compiled for these types when it is first called.

    Stated types mean one compiled form for views and copies alike; waiting for the first call
    means that nobody waits for kernels that are not used. ``freely`` lets sums be added in any
    order, the same one every time.
    """
    fastmath = {"reassoc", "nsz"} if freely else False

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @cache
        def compiled() -> Callable[..., None]:
            made: Callable[..., None] = njit(
                types.void(*argument_types),
                cache=True,
                nogil=True,
                error_model="numpy",
                fastmath=fastmath,
            )(function)
            return made

        @wraps(function)
        def call(*arguments: Any) -> None:
            compiled()(*arguments)

        return call

    return decorate


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
