"""The catalogue: every dataset that Myograph knows by name, and its reader."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from myograph.core.registry import Registry
from myograph.datasets import simulated
from myograph.datasets.card import DatasetCard
from myograph.datasets.dataset import Contents
from myograph.datasets.files import Files
from myograph.datasets.sources import (
    ciil,
    cmap_scan,
    dc3,
    elderly_emg_force,
    fatigue_liu,
    gait_poststroke,
    grasp_force_myo,
    knee_lowerlimb,
    lis_emg_imu,
    longitudinal,
    longterm_myo,
    motor_units,
    muap_table,
    myo_cotellard,
    needle_emgdb,
    needle_n2001,
    needle_nmd,
    uci_gestures,
)

__all__ = ["DATASETS", "READERS", "catalogue"]

#: Every dataset by name.
DATASETS: Registry[DatasetCard] = Registry("dataset")

#: What reads the files of each; the simulated cohort has none.
READERS: dict[str, Callable[[Files], Contents]] = {}

_SOURCES: tuple[ModuleType, ...] = (
    myo_cotellard,
    ciil,
    uci_gestures,
    dc3,
    longterm_myo,
    lis_emg_imu,
    grasp_force_myo,
    fatigue_liu,
    knee_lowerlimb,
    elderly_emg_force,
    gait_poststroke,
    needle_nmd,
    needle_n2001,
    needle_emgdb,
    motor_units,
    cmap_scan,
    longitudinal,
    muap_table,
)

for _source in _SOURCES:
    DATASETS.add(_source.CARD.name, _source.CARD)
    READERS[_source.CARD.name] = _source.read
DATASETS.add(simulated.CARD.name, simulated.CARD)


def catalogue() -> tuple[DatasetCard, ...]:
    """Return the card of every dataset, gestures first, simulated people last.

    Examples
    --------
    >>> [card.name for card in catalogue()][:2]
    ['myo-cotellard', 'ciil']
    """
    return tuple(DATASETS.values())
