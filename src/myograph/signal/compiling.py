"""Compile a kernel when it is first called, for stated types, and keep the result on disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from numba import njit, types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.runtime import rtsys

__all__ = ["kernel"]


def kernel(
    *argument_types: Any, returns: Any = types.void, freely: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a function to be compiled for these types when it is first called.

    Stated types mean one compiled form for views and copies alike; waiting for the first call
    means that nobody waits for kernels that are not used. ``freely`` lets sums be added in any
    order, the same one every time.
    """
    fastmath = {"reassoc", "nsz"} if freely else False

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @cache
        def compiled() -> Callable[..., Any]:
            made: Any = njit(cache=True, nogil=True, error_model="numpy", fastmath=fastmath)(
                function
            )
            signature = returns(*argument_types)
            with global_compiler_lock:
                if not _loaded(made, signature):
                    made.compile(signature)
            made.disable_compile()
            ready: Callable[..., Any] = made
            return ready

        @wraps(function)
        def call(*arguments: Any) -> Any:
            return compiled()(*arguments)

        return call

    return decorate


def _loaded(dispatcher: Any, signature: Any) -> bool:
    """Load what was compiled before, and say whether there was anything.

    The compiler does the same after it has filled its tables of types and functions, which are
    needed to compile, not to load, and take longer to fill than everything else here.
    """
    load = getattr(dispatcher._cache, "_load_overload", None)
    if load is None:
        return False
    rtsys.initialize(dispatcher.targetctx)
    found = load(signature, dispatcher.targetctx)
    if found is None:
        return False
    dispatcher.add_overload(found)
    return True
