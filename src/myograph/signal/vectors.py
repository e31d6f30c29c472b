"""Sixteen numbers as one value in the compiler's own words: what compiled passes are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

__all__ = ["DOUBLES", "LANES", "SINGLES", "integer", "shuffle", "spread", "transpose"]

#: How many numbers one value holds.
LANES = 16

DOUBLES = ir.VectorType(ir.DoubleType(), LANES)
SINGLES = ir.VectorType(ir.FloatType(), LANES)


def integer(value: int) -> Any:
    """Return a constant of 64 bits."""
    return ir.Constant(ir.IntType(64), value)


def shuffle(builder: Any, first: Any, second: Any, lanes: Sequence[int]) -> Any:
    """Pick lanes: 0 to 15 from ``first``, 16 to 31 from ``second``."""
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), list(lanes))
    return builder.shuffle_vector(first, second, mask)


def spread(builder: Any, number: Any) -> Any:
    """Return a float64 in every lane."""
    unknown = ir.Constant(DOUBLES, ir.Undefined)
    one = builder.insert_element(unknown, number, ir.Constant(ir.IntType(32), 0))
    return shuffle(builder, one, unknown, [0] * LANES)


def transpose(builder: Any, rows: list[Any]) -> list[Any]:
    """Turn sixteen values, rows into columns, by halves, quarters, ..."""
    for d in (8, 4, 2, 1):
        low = [lane if not lane & d else lane - d + LANES for lane in range(LANES)]
        high = [lane + d if not lane & d else lane + LANES for lane in range(LANES)]
        turned = list(rows)
        for i in (i for i in range(LANES) if not i & d):
            turned[i] = shuffle(builder, rows[i], rows[i + d], low)
            turned[i + d] = shuffle(builder, rows[i], rows[i + d], high)
        rows = turned
    return rows
