"""How much alike the columns are that several folds have chosen."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from myograph.core.errors import DataError

__all__ = ["nogueira"]


def nogueira(supports: ArrayLike) -> float:
    r"""Return the stability of a selection over folds, 1 when all agree, 0 when as if by chance.

    :math:`1 - \frac{1}{d}\sum_j \frac{m}{m-1} p_j (1 - p_j) / (\frac{k}{d}(1 - \frac{k}{d}))`
    for m folds, d columns, p_j the share of the folds that took column j and k the mean number of
    columns taken (nogueira2018). Folds that share most of their training people agree more than
    independent samples would.

    Parameters
    ----------
    supports : array of bool, shape (n_folds >= 2, n_columns)

    Returns
    -------
    float
        1.0 when every fold took all columns.

    Examples
    --------
    >>> nogueira([[True, False, False], [True, False, False]])
    1.0
    >>> nogueira([[True, False], [False, True]])
    -1.0
    """
    taken = np.asarray(supports, dtype=np.float64)
    if taken.ndim != 2 or len(taken) < 2:
        raise DataError(f"Stability needs at least 2 folds x columns; got shape {taken.shape}.")
    n_folds = len(taken)
    share = taken.mean(axis=0)
    size = share.mean()
    by_chance = size * (1 - size)
    if by_chance == 0:
        return 1.0
    spread = n_folds / (n_folds - 1) * (share * (1 - share)).mean()
    return float(1 - spread / by_chance)
