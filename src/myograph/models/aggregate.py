"""From windows to a recording, from recordings to a person: many opinions, one answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_choice
from myograph.core.errors import DataError
from myograph.core.windows import WindowIndex
from myograph.models.base import softmax

__all__ = ["METHODS", "aggregate", "aggregate_people"]

METHODS = ("mean-log-probability", "vote")

# One window's zero must not silence all the others.
_LEAST = 1e-6


def aggregate(
    proba: ArrayLike, groups: ArrayLike, *, method: str
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Combine the probabilities of the members of each group.

    Parameters
    ----------
    proba : array, shape (n_rows, n_classes)
        Rows sum to 1.
    groups : array, shape (n_rows,)
        Which group each row belongs to.
    method : str
        ``"mean-log-probability"``: the mean of the logarithms, as if the members were one piece of
        evidence seen several times, since neighbouring windows are anything but independent.
        ``"vote"``: the share of members for which a class is the most probable.

    Returns
    -------
    names : ndarray, shape (n_groups,)
        Sorted.
    combined : ndarray, shape (n_groups, n_classes)
        Rows sum to 1.

    Examples
    --------
    >>> names, combined = aggregate([[0.9, 0.1], [0.4, 0.6]], ["r1", "r1"], method="vote")
    >>> names.tolist(), combined.tolist()
    (['r1'], [[0.5, 0.5]])
    """
    check_choice(method, METHODS, name="aggregate method")
    rows = np.asarray(proba, dtype=np.float64)
    names, owner = np.unique(np.asarray(groups), return_inverse=True)
    if rows.ndim != 2 or len(rows) != len(owner) or len(rows) == 0:
        raise DataError(
            f"aggregate needs one group per row of probabilities, and at least one row; got "
            f"{rows.shape} probabilities and {len(owner)} groups."
        )
    if method == "vote":
        said = np.zeros_like(rows)
        said[np.arange(len(rows)), rows.argmax(axis=1)] = 1.0
    else:
        said = np.log(np.maximum(rows, _LEAST))
    means = np.zeros((len(names), rows.shape[1]))
    np.add.at(means, owner, said)
    means /= np.bincount(owner)[:, None]
    return names, means if method == "vote" else softmax(means)


def aggregate_people(
    proba: ArrayLike, index: WindowIndex, *, method: str
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Combine windows into recordings and recordings into people.

    A person's recordings count alike, however long they are.

    Returns
    -------
    people : ndarray of str, shape (n_people,)
    combined : ndarray, shape (n_people, n_classes)
    """
    names, owner = np.unique(
        np.stack([index.subject, index.recording]), axis=1, return_inverse=True
    )
    _, recordings = aggregate(proba, np.ravel(owner), method=method)
    return aggregate(recordings, names[0], method=method)
