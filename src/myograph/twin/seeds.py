"""One random stream per thing that is drawn, so that changing one thing leaves the others alone."""

from __future__ import annotations

import zlib

import numpy as np

from myograph.core.checks import check_count

__all__ = ["stream"]


def stream(seed: int, *key: str | int) -> np.random.Generator:
    """Return the random generator of one component of a simulation.

    Streams of different keys are independent; the same seed and key always give the same numbers.

    Parameters
    ----------
    seed : int
        The simulation's seed, 0 or more.
    *key : str or int
        What is drawn: ``stream(seed, "fibre", "diameter")``, ``stream(seed, "discharge", unit)``.

    Examples
    --------
    >>> a, b = stream(1, "isi", 0), stream(1, "isi", 0)
    >>> bool(a.random() == b.random())
    True
    """
    check_count(seed, name="seed", least=0)
    words = tuple(zlib.crc32(part.encode()) if isinstance(part, str) else part for part in key)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=words)))
