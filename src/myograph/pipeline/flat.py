"""Flat channels: what does not vary says nothing, whatever a model makes of it."""

from __future__ import annotations

import numpy as np

from myograph.core.table import FeatureTable

__all__ = ["flat_notes"]

# A channel that is flat in a smaller share of a person's windows lost contact for a moment.
_LEAST = 0.5
_MOST_NAMES = 3


def flat_notes(table: FeatureTable) -> tuple[str, ...]:
    """Name the channels that do not vary in most windows of somebody.

    Examples
    --------
    >>> flat_notes(table)  # doctest: +SKIP
    ("Channel 'emg2' does not vary in most windows of 1 of 6 people (p03): ...",)
    """
    people, whose = np.unique(table.index.subject, return_inverse=True)
    windows = np.bincount(whose, minlength=len(people))
    told = []
    for channel, flat in zip(table.layout.channels, table.flagged.T, strict=True):
        share = np.bincount(whose, weights=flat, minlength=len(people)) / windows
        lost = people[share >= _LEAST].tolist()
        if not lost:
            continue
        names = ", ".join(lost[:_MOST_NAMES]) + (", ..." if len(lost) > _MOST_NAMES else "")
        told.append(
            f"Channel {channel.name!r} does not vary in most windows of {len(lost)} of "
            f"{len(people)} people ({names}): no electrode, or none that held. What is measured "
            "there is no muscle; select other channels, or leave these people out."
        )
    return tuple(told)
