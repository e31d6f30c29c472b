"""What a clinic measures at a visit: measures, their errors, and the table of a patient's visits.

Each measure has a scale on which its errors are even (most are read on a logarithmic one), the
error of one measurement repeated on another day, and how much healthy people of one build differ in
it for reasons that the reduced model does not have. These numbers decide how much a visit can tell;
where no study of test and retest was found they are assumed, and say so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import unknown_name
from myograph.core.errors import DataError, ParameterError
from myograph.twin.anatomy import MUSCLES
from myograph.twin.physiology import Range

__all__ = ["MEASURES", "TYPICAL", "Measure", "Observations", "typical"]

Floats = NDArray[np.float64]

# Motor unit size index times number over the response: further from 1 they contradict each other.
_SAME_RESPONSE = 1.25
# Spread between people of what nothing is known about, on a logarithmic scale.
_UNKNOWN_SPREAD = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One quantity that is measured at a visit.

    Parameters
    ----------
    title, unit : str
    logarithmic : bool
        Whether errors are even on a logarithmic scale.
    noise : float
        Standard deviation of one measurement about the truth of that day, on its scale (0.1: about
        10 %).
    spread : float
        Standard deviation between people that is not explained by the model's parameters, on its
        scale.
    low, high : float
        Beyond these no person has been measured: refused.
    source : str
        Where the noise is from; ``"assumed"`` when from nowhere.
    note : str
        What exactly is measured.
    """

    title: str
    unit: str
    logarithmic: bool = True
    noise: float
    spread: float
    low: float
    high: float
    source: str
    note: str = ""

    def to_scale(self, values: ArrayLike) -> Floats:
        """Bring values to the scale of the errors; NaN stays."""
        given = np.asarray(values, np.float64)
        return np.log(given) if self.logarithmic else given

    def from_scale(self, values: ArrayLike) -> Floats:
        """Bring scaled values back to the measure's unit."""
        given = np.asarray(values, np.float64)
        return np.exp(given) if self.logarithmic else given


#: Measures by the name of their column.
MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "cmap_mv": Measure(
            title="motor response", unit="mV", noise=0.10, spread=0.15, low=0.02, high=40.0,
            source="assumed", note="negative peak of the compound muscle action potential",
        ),
        "munix": Measure(
            title="motor unit number index", unit="", noise=0.14, spread=0.15, low=0.5, high=900.0,
            source="neuwirth2016", note="read at a surface interference pattern area of 20 mV ms",
        ),
        "musix_uv": Measure(
            title="motor unit size index", unit="µV", noise=0.14, spread=0.15, low=3.0, high=3000.0,
            source="alix2020", note="response over index: counts once when all three are given",
        ),
        "muap_amplitude_uv": Measure(
            title="unit potential amplitude", unit="µV", noise=0.14, spread=0.14, low=20.0,
            high=30_000.0, source="assumed",
            note="mean of about 20 potentials at a concentric needle, peak to peak",
        ),
        "muap_duration_ms": Measure(
            title="unit potential duration", unit="ms", noise=0.06, spread=0.10, low=1.0, high=60.0,
            source="assumed", note="mean of about 20 potentials",
        ),
        "muap_size_index": Measure(
            title="unit potential size index", unit="", logarithmic=False, noise=0.15, spread=0.15,
            low=-4.0, high=8.0, source="assumed",
            note="2 log10 of the amplitude in mV plus area over amplitude in ms (sonoo1993)",
        ),
        "rate_hz": Measure(
            title="discharge rate at a fifth of the force", unit="Hz", noise=0.07, spread=0.10,
            low=2.0, high=60.0, source="assumed",
            note="mean over active units at 20 % of the present maximum",
        ),
        "rate_mvc_hz": Measure(
            title="discharge rate at full effort", unit="Hz", noise=0.08, spread=0.10, low=2.0,
            high=100.0, source="assumed", note="mean over active units",
        ),
        "mvc_n": Measure(
            title="maximal force", unit="N", noise=0.07, spread=0.20, low=0.01, high=10_000.0,
            source="assumed", note="best of three maximal voluntary contractions",
        ),
        "mdf_hz": Measure(
            title="median frequency", unit="Hz", noise=0.07, spread=0.12, low=15.0, high=450.0,
            source="assumed", note="surface EMG at half of the present maximum, rested",
        ),
        "mdf_fall_percent": Measure(
            title="fall of the median frequency", unit="%", logarithmic=False, noise=2.5,
            spread=2.0, low=-30.0, high=90.0, source="assumed",
            note="over 60 s at half of the present maximum",
        ),
        "decrement_percent": Measure(
            title="decrement at 3 Hz", unit="%", logarithmic=False, noise=2.0, spread=1.0,
            low=-40.0, high=100.0, source="assumed", note="first to fourth response",
        ),
        "jitter_us": Measure(
            title="jitter", unit="µs", noise=0.08, spread=0.12, low=3.0, high=500.0,
            source="assumed", note="mean of stimulated single fibres, MCD",
        ),
        "score_percent": Measure(
            title="score of function", unit="%", logarithmic=False, noise=4.0, spread=6.0, low=0.0,
            high=100.0, source="assumed", note="any scale of function, as a share of its maximum",
        ),
    }
)  # fmt: skip

#: Typical healthy values by muscle, and how much people differ where that is not in `MEASURES`.
#: What is not here is unknown: the first visits then tell it.
TYPICAL: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "ADM": {"cmap_mv": 11.6, "munix": 179.0, "muap_amplitude_uv": 610.0,
                "muap_duration_ms": 8.5, "muap_size_index": 0.7, "mdf_hz": 140.0},
        "APB": {"cmap_mv": 10.2, "munix": 191.0, "muap_amplitude_uv": 610.0,
                "muap_duration_ms": 8.5, "muap_size_index": 0.7},
        "FDI": {"cmap_mv": 12.0, "muap_amplitude_uv": 752.0, "muap_duration_ms": 9.4,
                "mdf_hz": 120.0},
        "TA": {"cmap_mv": 6.5, "munix": 152.0, "muap_amplitude_uv": 661.5,
               "muap_duration_ms": 9.35, "muap_size_index": 0.93, "mdf_hz": 100.0},
        "BB": {"munix": 180.0, "muap_amplitude_uv": 436.0, "muap_duration_ms": 9.9,
               "mdf_hz": 80.0},
    }
)  # fmt: skip


def typical(muscle: str, measure: str) -> tuple[float, float]:
    """Return a measure's typical healthy value and the spread between people on its scale.

    Parameters
    ----------
    muscle : str
        Key of `myograph.twin.anatomy.MUSCLES`.
    measure : str
        Key of `MEASURES`. Rates, force, jitter, decrement and fatigue are not looked up here: the
        model has them from the muscle's pool and end-plates.

    Examples
    --------
    >>> typical("ADM", "cmap_mv")
    (11.6, 0.15)
    """
    rule = MEASURES[measure]
    known = TYPICAL.get(muscle, {})
    if measure in known:
        return known[measure], rule.spread
    middle = float(np.sqrt(max(rule.low, 1e-3) * rule.high)) if rule.logarithmic else 0.0
    return middle, _UNKNOWN_SPREAD


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """The visits of one patient: months against measures, with gaps.

    Parameters
    ----------
    months : array_like, shape (n_visits,)
        Since the first visit, or since any other day; ascending.
    values : mapping of str to array_like, shape (n_visits,)
        Measures by name, in their unit; NaN where nothing was measured.
    muscle : str
        Key of `myograph.twin.anatomy.MUSCLES`: whose healthy values stand behind the prior.
    pseudonym : str
    norms : mapping of str to float
        The laboratory's own typical healthy values by measure, where it has them.

    Raises
    ------
    DataError
        If the months repeat or go back, if a value is impossible, if measures contradict each
        other, or if there is nothing to fit.

    Examples
    --------
    >>> seen = Observations([0, 3, 6], {"cmap_mv": [9.0, 8.2, 7.9], "munix": [90, np.nan, 71]})
    >>> seen.n_visits, seen.count, seen.measures
    (3, 5, ('cmap_mv', 'munix'))
    """

    months: Floats
    values: Mapping[str, Floats]
    muscle: str = "ADM"
    pseudonym: str = "patient"
    norms: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        if self.muscle not in MUSCLES:
            raise ParameterError(unknown_name(self.muscle, MUSCLES, what="muscle"))
        months = _checked_months(self.months)
        values = {
            name: _checked_values(name, self.values[name], months) for name in _known(self.values)
        }
        values = {name: column for name, column in values.items() if np.isfinite(column).any()}
        if not values:
            raise DataError(
                "There is nothing to fit: no visit has a measure. Give at least one of "
                f"{sorted(MEASURES)}."
            )
        notes = _reconciled(months, values)
        norms = {name: float(self.norms[name]) for name in _known(self.norms)}
        for name, value in norms.items():
            _checked_values(name, [value], np.zeros(1), where="as the typical healthy value")
        kept = {"months": months, "values": values, "norms": norms, "notes": notes}
        for name, own in kept.items():
            object.__setattr__(self, name, own)

    @property
    def n_visits(self) -> int:
        """Count the visits."""
        return len(self.months)

    @property
    def count(self) -> int:
        """Count the measured values."""
        return int(sum(np.isfinite(column).sum() for column in self.values.values()))

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures, in the order of `MEASURES`."""
        return tuple(name for name in MEASURES if name in self.values)

    def until(self, months: float) -> Observations:
        """Return the visits up to some months, the last included."""
        early = self.months <= months
        kept = {name: column[early] for name, column in self.values.items()}
        return Observations(self.months[early], kept, self.muscle, self.pseudonym, self.norms)

    def to_dict(self) -> dict[str, Any]:
        """Return the visits as plain JSON-able data; gaps are None."""
        return {
            "muscle": self.muscle,
            "pseudonym": self.pseudonym,
            "norms": dict(self.norms),
            "months": self.months.tolist(),
            "values": {
                name: [None if np.isnan(v) else float(v) for v in self.values[name]]
                for name in self.measures
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Observations:
        """Rebuild what `to_dict` gave."""
        values = {
            name: np.array([np.nan if v is None else v for v in column], float)
            for name, column in data["values"].items()
        }
        months = np.asarray(data["months"], float)
        return cls(months, values, data["muscle"], data["pseudonym"], data["norms"])

    def digest(self) -> str:
        """Return the SHA-256 of the visits."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _known(values: Mapping[str, Any]) -> list[str]:
    for name in values:
        if name not in MEASURES:
            raise DataError(unknown_name(name, MEASURES, what="measure"))
    return [name for name in MEASURES if name in values]


def _checked_months(months: ArrayLike) -> Floats:
    given = np.atleast_1d(np.asarray(months, np.float64))
    if given.ndim != 1 or not given.size or not np.isfinite(given).all():
        raise DataError(f"months must be 1-D, finite and not empty; got {months!r}.")
    step = np.diff(given)
    if (step <= 0).any():
        row = int(np.flatnonzero(step <= 0)[0]) + 1
        raise DataError(
            f"The months must ascend, one row for each visit; visit {row + 1} is at "
            f"{given[row]:g} after one at {given[row - 1]:g}. Sort the rows, and put what belongs "
            "to one day into one row."
        )
    Range(0, 600, "months", most=1500).check(
        float(given[-1] - given[0]), name="months of follow-up"
    )
    return given


def _checked_values(name: str, values: ArrayLike, months: Floats, *, where: str = "") -> Floats:
    rule = MEASURES[name]
    column = np.atleast_1d(np.asarray(values, np.float64)).copy()
    if column.shape != months.shape:
        raise DataError(
            f"{name} must have one value for each of the {len(months)} visits; got "
            f"{column.shape}. Leave gaps as NaN."
        )
    if np.isinf(column).any():
        raise DataError(f"{name} must be finite or NaN.")
    bad = np.flatnonzero((column < rule.low) | (column > rule.high))
    if bad.size:
        at = int(bad[0])
        unit = f" {rule.unit}" if rule.unit else ""
        raise DataError(
            f"{name} is {column[at]:g}{unit} {where or f'at {months[at]:g} months'}, which no "
            f"muscle has: it must lie between {rule.low:g} and {rule.high:g}{unit}. Check the "
            "unit; " + ("leave it out" if where else "leave the cell empty") + " when nothing "
            "could be measured."
        )
    return column


def _reconciled(months: Floats, values: dict[str, Floats]) -> tuple[str, ...]:
    """Let the size index count once; refuse three numbers that cannot belong together."""
    if "musix_uv" not in values:
        return ()
    blank = np.full(months.shape, np.nan)
    cmap, munix = values.get("cmap_mv", blank), values.get("munix", blank)
    size = values["musix_uv"]
    told = size * munix / (1000 * cmap)
    off = np.flatnonzero(np.abs(np.log(told)) > np.log(_SAME_RESPONSE))
    if off.size:
        at = int(off[0])
        raise DataError(
            f"At {months[at]:g} months the measures contradict each other: musix_uv is by "
            f"definition the response over the index, {1000 * cmap[at]:.4g} µV / {munix[at]:.4g} = "
            f"{1000 * cmap[at] / munix[at]:.4g}, but it is given as {size[at]:.4g}. Correct one of "
            "them, or leave one out."
        )
    derived = np.isnan(munix) & np.isfinite(cmap) & np.isfinite(size)
    if derived.any():
        values["munix"] = np.where(derived, 1000 * cmap / size, munix)
    # What the response and the index already say is not counted again.
    values["musix_uv"] = np.where(np.isfinite(cmap), np.nan, size)
    if not np.isfinite(values["musix_uv"]).any():
        del values["musix_uv"]
    return ("musix_uv is the response over munix: of the three, two were used.",)
