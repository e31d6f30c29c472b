"""A z-score that follows the signal: causal, and without calibration."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from myograph.core.checks import check_choice, check_non_negative, check_positive
from myograph.core.errors import DataError, LayoutError
from myograph.core.layout import KIND_UNITS, MUSCLE_KINDS, Layout
from myograph.core.step import Step, register_step

__all__ = ["RollingZScore"]


@register_step("rolling-zscore")
@dataclass(frozen=True, kw_only=True)
class RollingZScore(Step):
    """Subtract the mean of the recent past and divide by its standard deviation.

    The past counts with weights that fall to 37 % after ``time_s``; at the start there is less of
    it, and the weights are those of what there is. How strong the activity is is gone afterwards
    (`myograph.preprocess.normalise.amplitude_claim`).

    Parameters
    ----------
    time_s : float
        Time constant: long against a contraction, short against a change of posture or electrode.
    least_sd : float
        In the channel's unit; the standard deviation counts as at least this, so that silence is
        not blown up to activity. A channel that does not vary at all gives 0.
    kinds : tuple of str
        Kinds of the channels to normalise.

    Examples
    --------
    >>> RollingZScore(time_s=10.0).to_dict()["step"]
    'rolling-zscore'
    """

    time_s: float
    least_sd: float = 0.0
    kinds: tuple[str, ...] = MUSCLE_KINDS

    def __post_init__(self) -> None:
        check_positive(self.time_s, name="time_s")
        check_non_negative(self.least_sd, name="least_sd")
        object.__setattr__(self, "kinds", tuple(self.kinds))
        for kind in self.kinds:
            check_choice(kind, KIND_UNITS, name="kinds of step 'rolling-zscore'")

    def output_layout(self, layout: Layout) -> Layout:
        """Return the layout with the normalised channels' scale."""
        rows = set(self._rows(layout))
        return replace(
            layout,
            channels=tuple(
                replace(channel, scale="normalised") if row in rows else channel
                for row, channel in enumerate(layout.channels)
            ),
        )

    def start(self, layout: Layout) -> _Rolling:
        """Return a fresh state: nothing is known of the past."""
        decay = float(np.exp(-1 / (self.time_s * layout.fs_hz)))
        return _Rolling(layout.n_channels, self._rows(layout), decay, self.least_sd)

    def _rows(self, layout: Layout) -> list[int]:
        rows = layout.rows(kinds=self.kinds)
        if not rows:
            present = sorted({channel.kind for channel in layout.channels})
            raise LayoutError(
                f"Step 'rolling-zscore' normalises channels of kinds {list(self.kinds)}; there are "
                f"only {present}."
            )
        return list(rows)


class _Rolling:
    __slots__ = ("_decay", "_least_sd", "_n_channels", "_rows", "_state")

    def __init__(self, n_channels: int, rows: list[int], decay: float, least_sd: float) -> None:
        self._n_channels, self._rows = n_channels, rows
        self._decay, self._least_sd = decay, least_sd
        self._state = np.zeros((3, len(rows), 1))  # sums of weights, samples and squares

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the chunk with its muscle channels as z-scores of their own past."""
        if chunk.ndim != 2 or len(chunk) != self._n_channels:
            raise LayoutError(
                f"A chunk must be ({self._n_channels} channels, n_new); got shape {chunk.shape}."
            )
        out = chunk.astype(np.float32)
        if chunk.shape[1] == 0:
            return out
        x = chunk[self._rows].astype(np.float64)
        if not np.isfinite(x).all():
            raise DataError(
                "The chunk holds non-finite samples, which a running mean would carry on for ever; "
                "repair them or declare a gap first."
            )
        given = np.stack([np.ones_like(x), x, x * x])
        sums, self._state = lfilter([1.0], [1.0, -self._decay], given, axis=2, zi=self._state)
        weight, total, square = sums
        mean = total / weight
        variance = np.maximum(square / weight - mean**2, 0)
        # What rounding leaves of a steady offset is no spread.
        variance[variance < 1e-10 * mean**2] = 0
        sd = np.maximum(np.sqrt(variance), self._least_sd)
        out[self._rows] = np.divide(x - mean, sd, out=np.zeros_like(x), where=sd > 0)
        return out
