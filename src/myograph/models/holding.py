"""Holding out: the people, or windows, that say when a training has gone on for long enough."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_non_negative
from myograph.core.errors import ParameterError

__all__ = ["hold_out"]

Rows = NDArray[np.bool_]


def hold_out(
    codes: NDArray[np.intp], people: NDArray[np.intp], *, share: float, seed: int
) -> tuple[Rows, tuple[str, ...]]:
    """Choose what is not learned from, so that it can tell when to stop.

    Whole people are held out, at least one. Where that leaves a class without a person to learn
    it from, and with a single person, the last windows of every class are held out instead, in
    the order given: the nearest thing to a later repetition that rows without names allow.

    Parameters
    ----------
    codes : ndarray of int, shape (n_rows,)
        Class of each row; all equal for numbers.
    people : ndarray of int, shape (n_rows,)
    share : float
        Of the people, or windows, to hold out; 0 holds out nobody.
    seed : int

    Returns
    -------
    held_out : ndarray of bool, shape (n_rows,)
    notes : tuple of str

    Raises
    ------
    ParameterError
        If ``share`` is 1 or more.

    Examples
    --------
    >>> codes, people = np.array([0, 1, 0, 1, 0, 1]), np.array([0, 0, 1, 1, 2, 2])
    >>> held, notes = hold_out(codes, people, share=0.3, seed=0)
    >>> held.sum(), notes
    (np.int64(2), ('Training stopped by 1 of 3 people, who were not learned from.',))
    """
    if check_non_negative(share, name="held_out") >= 1:
        raise ParameterError(f"held_out must be below 1; got {share!r}.")
    if share == 0:
        return np.zeros(len(codes), dtype=bool), ()
    known = np.unique(people)
    if len(known) > 1:
        order = np.random.default_rng(seed).permutation(known)
        count = min(max(1, round(share * len(known))), len(known) - 1)
        held = np.isin(people, order[:count])
        if set(codes[~held].tolist()) == set(codes.tolist()):
            who = "1 of" if count == 1 else f"{count} of"
            return held, (
                f"Training stopped by {who} {len(known)} people, who were not learned from.",
            )
        why = "every class must be learned from somebody"
    else:
        why = "there is one person to learn from"
    note = (
        f"Training stopped by the last {100 * share:g} % of the windows of each class, not by "
        f"people: {why}. It may have gone on for longer than other people want."
    )
    return _last(codes, share), (note,)


def _last(codes: NDArray[np.intp], share: float) -> Rows:
    held = np.zeros(len(codes), dtype=bool)
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        count = min(max(1, round(share * len(rows))), len(rows) - 1)
        held[rows[len(rows) - count :]] = True
    return held
