"""Choosing which windows to train on when all of them would take too long."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.errors import ParameterError

__all__ = ["spread_rows"]


def spread_rows(
    codes: NDArray[np.intp],
    people: NDArray[np.intp],
    *,
    most: int | None,
    name: str = "max_windows",
) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Return at most ``most`` rows that keep every class of every person, as evenly as it goes.

    Nothing is drawn: each class of each person is thinned at equal distances, which keeps the
    whole course of its recordings and drops neighbours, that overlap and say nearly the same.

    Parameters
    ----------
    codes, people : ndarray of int, shape (n_rows,)
        Class and person of each row.
    most : int, optional
        Rows to return; all when left out or when there are fewer.
    name : str
        What the model calls that number, for the notes and errors.

    Returns
    -------
    rows : ndarray of int
        Positions, in order.
    notes : tuple of str
        What to tell the reader of the result: nothing when all rows are kept.

    Raises
    ------
    ParameterError
        If there are more classes of people than rows allowed.

    Examples
    --------
    >>> import numpy as np
    >>> spread_rows(np.array([0, 0, 0, 0, 1, 1]), np.zeros(6, int), most=4)[0].tolist()
    [0, 2, 4, 5]
    """
    if most is None or len(codes) <= check_count(most, name=name):
        return np.arange(len(codes)), ()
    cells = np.unique(np.stack([codes, people]), axis=1, return_inverse=True)[1].ravel()
    members = np.split(np.argsort(cells, kind="stable"), np.cumsum(np.bincount(cells))[:-1])
    if len(members) > most:
        raise ParameterError(
            f"{name}={most} cannot hold one window of every class of every person "
            f"({len(members)}); allow more, or None for all."
        )
    quotas = _share(np.array([len(rows) for rows in members]), most)
    kept = [
        rows[np.arange(quota) * len(rows) // quota]
        for rows, quota in zip(members, quotas, strict=True)
    ]
    note = f"The model learned from {most} of {len(codes)} training windows ({name}), spread "
    return np.sort(np.concatenate(kept)), (note + "evenly over classes and people.",)


def _share(sizes: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Share ``most`` among cells evenly; what a small cell leaves goes to the larger ones."""
    quotas = np.zeros(len(sizes), dtype=np.intp)
    left = most
    for rank, cell in enumerate(np.argsort(sizes, kind="stable")):
        quotas[cell] = min(sizes[cell], left // (len(sizes) - rank))
        left -= quotas[cell]
    return quotas
