"""Heterogeneity: how much a figure differs between sites beyond what chance explains.

A random-effects summary of sites (dersimonian1986), with the share of the variation that is not
chance (higgins2002) and the interval in which the figure of one more site is expected
(higgins2009).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from scipy.stats import chi2
from scipy.stats import t as student

from myograph.core.decision import Estimate
from myograph.core.errors import DataError

__all__ = ["Heterogeneity", "pool_sites", "site_heterogeneity"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Sites together.

    Parameters
    ----------
    pooled : Estimate
        Mean over sites, with its 95 % interval.
    prediction : tuple of 2 floats or None
        Where 95 % of further sites are expected; needs three sites.
    i_squared : float
        Share of the variation between sites that is more than chance, 0 to 1.
    tau : float
        Standard deviation between sites, in the unit of the figure.
    q, p : float
        Cochran's statistic and its p-value, which says little when there are few sites.
    left_out : tuple of str
        Sites that could not be used, for want of people.
    """

    pooled: Estimate
    prediction: tuple[float, float] | None
    i_squared: float
    tau: float
    q: float
    p: float
    left_out: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Heterogeneity:
        """Rebuild it from what `to_dict` gave."""
        low_high = data["prediction"]
        both = None if low_high is None else (float(low_high[0]), float(low_high[1]))
        pooled, left_out = Estimate(**data["pooled"]), tuple(data["left_out"])
        return cls(**{**data, "pooled": pooled, "prediction": both, "left_out": left_out})

    def within(self, low: float, high: float) -> Heterogeneity:
        """Return it with intervals cut to where the figure can lie."""
        p, further = self.pooled, self.prediction
        value = min(max(p.value, low), high)
        pooled = replace(p, value=value, low=max(p.low, low), high=min(p.high, high))
        if further is not None:
            further = (max(further[0], low), min(further[1], high))
        return replace(self, pooled=pooled, prediction=further)


def pool_sites(values: ArrayLike, errors: ArrayLike) -> Heterogeneity:
    """Pool the figures of sites.

    Parameters
    ----------
    values : array, shape (n_sites,)
        One figure per site, from a model that has not seen the site.
    errors : array, shape (n_sites,)
        Standard errors; above 0.

    Raises
    ------
    DataError
        With fewer than 2 sites, or errors that are not above 0.

    Examples
    --------
    >>> found = pool_sites([0.80, 0.90, 0.60], [0.02, 0.02, 0.02])
    >>> round(found.i_squared, 3), round(found.tau, 3)
    (0.983, 0.151)
    """
    y, s = np.asarray(values, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if y.ndim != 1 or y.shape != s.shape or len(y) < 2:
        raise DataError(
            f"Heterogeneity needs a figure and a standard error of at least 2 sites; got shapes "
            f"{y.shape} and {s.shape}."
        )
    if not (np.isfinite(y) & np.isfinite(s) & (s > 0)).all():
        raise DataError(f"Standard errors must be finite and above 0; got {s.tolist()}.")
    k = len(y)
    w = s**-2.0
    q = float(w @ (y - (w @ y) / w.sum()) ** 2)
    tau2 = max(0.0, (q - (k - 1)) / float(w.sum() - (w @ w) / w.sum()))
    weights = 1 / (s**2 + tau2)
    mean = float(weights @ y / weights.sum())
    error = float(weights.sum() ** -0.5)
    half = float(ndtri(0.975)) * error
    prediction = None
    if k > 2:
        reach = float(student.ppf(0.975, k - 2)) * math.sqrt(tau2 + error**2)
        prediction = (mean - reach, mean + reach)
    return Heterogeneity(
        Estimate(mean, mean - half, mean + half, "site", k),
        prediction,
        max(0.0, (q - (k - 1)) / q) if q > 0 else 0.0,
        math.sqrt(tau2),
        q,
        float(chi2.sf(q, k - 1)),
    )


def site_heterogeneity(
    scores: ArrayLike, sites: ArrayLike, *, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> Heterogeneity:
    """Pool sites from the scores of their people.

    Parameters
    ----------
    scores : array, shape (n_people,)
        Of models that have not seen the person's site; NaN where not defined.
    sites : array, shape (n_people,)
    bounds : tuple of 2 floats
        Least and greatest possible score; intervals are cut to it.

    Returns
    -------
    Heterogeneity
        Every site's figure is the mean over its people, with the standard error of that mean. A
        site with fewer than two people, or without any spread between them, has no standard error:
        it is named in ``left_out``.
    """
    given = np.asarray(scores, dtype=np.float64)
    names = np.asarray(sites, dtype=np.str_)
    if given.ndim != 1 or given.shape != names.shape:
        raise DataError(
            f"Heterogeneity needs a score and a site per person; got shapes {given.shape} and "
            f"{names.shape}."
        )
    means, errors, left_out = [], [], []
    for name in np.unique(names).tolist():
        mine = given[(names == name) & np.isfinite(given)]
        error = float(mine.std(ddof=1)) / math.sqrt(len(mine)) if len(mine) > 1 else 0.0
        if error <= 0:
            left_out.append(name)
            continue
        means.append(float(mine.mean()))
        errors.append(error)
    if len(means) < 2:
        raise DataError(
            f"Only {len(means)} of {len(means) + len(left_out)} sites have two people who differ; "
            "heterogeneity needs at least 2 such sites."
        )
    found = replace(pool_sites(means, errors), left_out=tuple(left_out))
    return found.within(*bounds)
