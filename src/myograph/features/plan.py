"""The plan of an extraction: what is refused, and which pass measures what, before anything runs.

Features come in families, and a family measures all of its features that were asked for at once:
one pass over the samples for every sum, one transform for every spectral feature, one sorting, one
lattice per model. What belongs to no family is measured by its own function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Layout
from myograph.core.sliding import SlidingWindows
from myograph.features.base import FEATURES, FeatureSpec
from myograph.features.cost import COSTS, total_operations
from myograph.features.families import FAMILIES, SUMS_FAMILY, Job, running_sums
from myograph.features.from_sums import divisors_of

__all__ = ["Hops", "Plan"]

# Samples turned into float64 at once by a function of its own, to bound memory.
_BLOCK = 1 << 19

# Operations, as `myograph.features.cost` counts them, that take about 10 ms: threads that share
# less out cost more than they save.
_WORTH_SHARING = 5e7

Values = NDArray[np.float64]


class Plan:
    """How a set of features is measured on windows of one shape.

    Parameters
    ----------
    features : sequence of FeatureSpec
    fs_hz : float
        Sampling rate.
    n_samples : int
        Length of the windows.
    layout : Layout, optional
        Channels whose units are checked; without it they are not.

    Raises
    ------
    ParameterError
        If no feature is given or a parameter does not suit the windows.
    DataError
        If the windows are too short for a feature.
    LayoutError
        If a feature means nothing in the unit of a channel.
    """

    def __init__(
        self,
        features: Sequence[FeatureSpec],
        *,
        fs_hz: float,
        n_samples: int,
        layout: Layout | None = None,
    ) -> None:
        self.features = tuple(features)
        self.fs_hz = check_positive(fs_hz, name="fs_hz")
        self.n_samples = n_samples
        if not self.features:
            raise ParameterError("At least one feature is needed; see myograph.features.SETS.")
        for spec in self.features:
            entry = FEATURES[spec.name]
            entry.refuse(spec.parameters, n_samples=n_samples, fs_hz=self.fs_hz)
            for channel in layout.channels if layout else ():
                entry.refuse_unit(channel.name, channel.unit)
        if layout:
            self._check_across(layout)
        families = [
            (family, tuple(s for s in self.features if family.measures(s, n_samples)))
            for family in FAMILIES
        ]
        self._families = [(family, specs) for family, specs in families if specs]
        in_family = {spec for _, specs in families for spec in specs}
        self._across = [spec for spec in self.features if FEATURES[spec.name].across]
        in_family.update(self._across)
        self._single = [spec for spec in self.features if spec not in self._across]
        self._alone = [spec for spec in self.features if spec not in in_family]

    def blocks(self, values: NDArray[np.float32], *, threads: int = 1) -> list[Values]:
        """Measure windows.

        Parameters
        ----------
        values : ndarray of float32, shape (n_windows, n_channels, n_samples)
            Other types take the pure functions.
        threads : int
            The windows, or the channels where there are more of those, are shared out among them,
            where there is enough to do.

        Returns
        -------
        list of ndarray, shape (n_windows, n_channels, k)
            One per feature; for those across channels the second axis is that of
            `Feature.places`. The same bits for any number of threads.
        """
        self._check(values)
        return self._with_across(self._of_channels(values, threads), values)

    def _with_across(self, blocks: list[Values], values: NDArray[np.float32]) -> list[Values]:
        if not self._across:
            return blocks
        found = dict(zip(self._single, blocks, strict=True))
        job = Job(values, self.fs_hz)
        found |= _by_parts(job, lambda part: _one_by_one(part, self._across))
        return [found[spec] for spec in self.features]

    def _of_channels(self, values: NDArray[np.float32], threads: int) -> list[Values]:
        check_count(threads, name="threads")
        parts = _shares(values, threads) if threads > 1 and self._worth_sharing(values) else []
        if len(parts) < 2:
            return self._measured(Job(values, self.fs_hz))
        axis = 0 if parts[0][0] != slice(None) else 1
        jobs = [Job(values[part], self.fs_hz, part[1], values.shape[1]) for part in parts]
        with ThreadPoolExecutor(len(jobs)) as pool:
            found = list(pool.map(self._measured, jobs))
        return [np.concatenate(same, axis=axis) for same in zip(*found, strict=True)]

    def _worth_sharing(self, values: NDArray[np.float32]) -> bool:
        """Say whether there is so much to do that starting threads is worth their time."""
        names = {f".{spec.name}" for spec in self._single if spec.name in COSTS}
        each = total_operations(names, n_samples=self.n_samples) if names else 0.0
        unknown = any(spec.name not in COSTS for spec in self._single)
        return unknown or each * values.shape[0] * values.shape[1] >= _WORTH_SHARING

    def table(self, values: NDArray[np.float32], *, threads: int = 1) -> Values:
        """Measure windows; shape (n_windows, n_columns), one channel after the other."""
        return self._joined(self.blocks(values, threads=threads))

    def start(self, *, n_channels: int, step: int) -> Hops:
        """Return what measures the windows of one stream, which are ``step`` samples apart."""
        return Hops(self, n_channels=n_channels, step=step)

    def row(self, job: Job) -> Values:
        """Measure one window of a stream; what `table` gives for it."""
        return self._joined(self._with_across(self._measured(job), job.values))

    def of_sums(self) -> tuple[FeatureSpec, ...]:
        """Return the features that follow from sums over samples."""
        return next((specs for family, specs in self._families if family is SUMS_FAMILY), ())

    def _joined(self, blocks: list[Values]) -> Values:
        if self._across:
            return joined(blocks, self.features)
        table = np.concatenate(blocks, axis=2)
        return table.reshape(len(table), table.shape[1] * table.shape[2])

    def _check_across(self, layout: Layout) -> None:
        """Refuse features of pairs where there are none, or of channels in different units."""
        for spec in (spec for spec in self.features if FEATURES[spec.name].across):
            entry = FEATURES[spec.name]
            if not entry.places(layout.n_channels):
                raise LayoutError(
                    f"Feature {spec.name!r} is measured between channels; this recording has "
                    f"{layout.n_channels}. Leave it out, or record at least 2."
                )
            units = {channel.unit for channel in layout.channels}
            if len(units) > 1 and "signal" in entry.unit:
                raise LayoutError(
                    f"Feature {spec.name!r} compares channels, and theirs are in different units: "
                    f"{sorted(units)}. Select channels of one unit, or normalise them."
                )

    def _check(self, values: NDArray[np.float32]) -> None:
        if values.ndim != 3 or values.shape[2] != self.n_samples:
            raise DataError(
                f"Windows must be 3-D (n_windows, n_channels, {self.n_samples} samples); "
                f"got shape {values.shape}."
            )

    def _measured(self, job: Job) -> list[Values]:
        found: dict[FeatureSpec, Values] = {}
        alone = self._alone
        if job.values.dtype == np.float32:
            for family, specs in self._families:
                found.update(family.measure(job, specs))
        else:
            alone = self._single
        if alone:
            found |= _by_parts(job, lambda part: _one_by_one(part, alone))
        return [found[spec] for spec in self._single]


class Hops:
    """A plan on the windows of one stream: what two windows share is summed once.

    Parameters
    ----------
    plan : Plan
    n_channels, step : int
        Of the windows, and samples from the start of one to the start of the next.
    """

    __slots__ = ("_divisors", "_empty", "_plan", "_shape", "_sums")

    def __init__(self, plan: Plan, *, n_channels: int, step: int) -> None:
        self._plan = plan
        self._shape = np.array([1, n_channels, plan.n_samples, 0, 0])
        self._empty: Values | None = None
        specs = plan.of_sums()
        sizes = {"n_channels": n_channels, "n_samples": plan.n_samples, "step": step}
        self._sums = running_sums(specs, **sizes) if specs else None
        self._divisors = divisors_of(plan.features, plan.n_samples)

    def next(self, sliding: SlidingWindows) -> Values:
        """Measure the windows that were completed last.

        Parameters
        ----------
        sliding : SlidingWindows
            Its windows are measured each time that it completes some.

        Returns
        -------
        ndarray, shape (n_windows, n_columns)
            What `Plan.table` gives, bit for bit.
        """
        plan = self._plan
        if sliding.count == 0:
            if self._empty is None:
                self._empty = plan.table(sliding.windows())
            return self._empty
        if sliding.count > 1:
            if self._sums is not None:
                self._sums.forget()
            return plan.table(sliding.windows())
        shape = self._shape
        shape[4] = sliding.per_channel
        rows = sliding.memory, shape
        if self._divisors is not None and self._sums is not None:
            # All there is are sums over numbers: they are columns at once.
            n_channels, n_columns = int(shape[1]), len(self._divisors)
            table = np.empty(n_channels * n_columns)
            blocks = table.reshape(n_channels, 1, n_columns).transpose(2, 1, 0)
            self._sums.divided(rows, self._divisors, blocks)
            return table[None]
        return plan.row(Job(sliding.windows(), plan.fs_hz, None, 0, rows, self._sums))


def flat_windows(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return where all samples of a window are equal, shape (n_windows, n_channels)."""
    found: NDArray[np.bool_] = np.empty(values.shape[:2], dtype=np.bool_)
    step = max(1, _BLOCK // max(values.shape[1] * values.shape[2], 1))
    for first in range(0, len(values), step):
        part = values[first : first + step]
        # Most windows are told by two samples.
        found[first : first + step] = part[..., 0] == part[..., part.shape[2] // 2]
    for at in zip(*np.nonzero(found), strict=True):
        found[at] = bool((values[at] == values[at][0]).all())
    return found


def joined(blocks: Sequence[Values], specs: Sequence[FeatureSpec]) -> Values:
    """Return the blocks of features as columns, one channel after the other, then the pairs."""
    pairs = list(zip(blocks, specs, strict=True))
    single = [block for block, spec in pairs if not FEATURES[spec.name].across]
    across = [block for block, spec in pairs if FEATURES[spec.name].across]
    parts = ([np.concatenate(single, axis=2)] if single else []) + across
    flat = [part.reshape(len(part), part.shape[1] * part.shape[2]) for part in parts]
    return flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)


def _shares(values: NDArray[np.float32], threads: int) -> list[tuple[slice, slice]]:
    """Share windows or channels out, whichever are more."""
    axis = 0 if values.shape[0] >= values.shape[1] else 1
    count = values.shape[axis]
    edges = np.linspace(0, count, min(threads, max(count, 1)) + 1).astype(int)
    pieces = [slice(int(a), int(b)) for a, b in pairwise(edges)]
    whole = slice(None)
    return [(piece, whole) if axis == 0 else (whole, piece) for piece in pieces]


def _one_by_one(job: Job, specs: Sequence[FeatureSpec]) -> dict[FeatureSpec, Values]:
    blocks = {}
    for spec in specs:
        block = FEATURES[spec.name].function(job.values, job.fs_hz, **job.parameters(spec))
        blocks[spec] = block if block.ndim == 3 else block[..., None]
    return blocks


def _by_parts(
    job: Job, of_part: Callable[[Job], dict[FeatureSpec, Values]]
) -> dict[FeatureSpec, Values]:
    """Measure a few windows at a time and join the results."""
    step = max(1, _BLOCK // max(job.values.shape[1] * job.values.shape[2], 1))
    parts = [
        of_part(job.rows(slice(first, first + step)))
        for first in range(0, max(len(job.values), 1), step)
    ]
    return {spec: np.concatenate([part[spec] for part in parts]) for spec in parts[0]}
