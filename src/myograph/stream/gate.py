"""Gate: whether a repetition of a calibration is good enough to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from myograph.core.checks import check_non_negative
from myograph.core.recording import Recording
from myograph.preprocess.quality import QualityThresholds, assess

__all__ = ["THRESHOLDS", "Gate"]

#: Those of any recording, but for clipping: an armband of 8 bits clips a little in a strong
#: contraction, it will do so in use too, and doing it again does not help.
THRESHOLDS = QualityThresholds(clip_percent=(0.0, 1.0, 5.0))

_SEEN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a repetition must be like.

    Parameters
    ----------
    thresholds : QualityThresholds
        Of its quality; a channel graded ``reject`` refuses the repetition.
    most_bad_channels : int
        So many rejected channels are still taken.
    louder_db : float
        A movement's loudest channel must be louder than the same channel at rest by this.
    """

    thresholds: QualityThresholds = THRESHOLDS
    most_bad_channels: int = 0
    louder_db: float = 3.0

    def __post_init__(self) -> None:
        check_non_negative(self.most_bad_channels, name="most_bad_channels")
        check_non_negative(self.louder_db, name="louder_db")

    def reasons(self, hold: Recording, rest: Recording | None) -> tuple[str, ...]:
        """Return, in sentences, why a hold is not taken; empty when it is.

        Parameters
        ----------
        hold : Recording
            As recorded, the hold alone.
        rest : Recording, optional
            An accepted hold of rest; None for rest itself, or before there is one.
        """
        report = assess(hold, thresholds=self.thresholds)
        bad = [channel for channel in report.channels if channel.grade == "reject"]
        found = []
        if len(bad) > self.most_bad_channels:
            found += [f"{one.name}: {'; '.join(one.reasons)}." for one in bad[:_SEEN]]
            if len(bad) > _SEEN:
                found.append(f"{len(bad) - _SEEN} more channels are as bad.")
        if rest is not None:
            louder_db = self._louder_db(hold, rest)
            if louder_db < self.louder_db:
                found.append(
                    f"The movement is only {louder_db:.1f} dB louder than rest in its loudest "
                    f"channel, and {self.louder_db:g} dB are needed: contract a little more."
                )
        return tuple(found)

    @staticmethod
    def _louder_db(hold: Recording, rest: Recording) -> float:
        moved, quiet = (part.samples.std(axis=1, dtype=np.float64) + 1e-9 for part in (hold, rest))
        return float(20 * np.log10(moved / quiet).max())
