"""Kinds of cohort: gestures, needle diagnosis, fatigue, progression, rehabilitation."""

from myograph.core.registry import Registry
from myograph.twin.cohort import CohortKind
from myograph.twin.cohorts.fatigue import FATIGUE
from myograph.twin.cohorts.gestures import GESTURES
from myograph.twin.cohorts.needle import NEEDLE
from myograph.twin.cohorts.progression import PROGRESSION
from myograph.twin.cohorts.rehab import REHAB

__all__ = ["COHORTS"]

#: Every kind of cohort by name.
COHORTS: Registry[CohortKind] = Registry("kind of cohort")
for _name, _kind in (
    ("gestures", GESTURES),
    ("needle", NEEDLE),
    ("fatigue", FATIGUE),
    ("progression", PROGRESSION),
    ("rehab", REHAB),
):
    COHORTS.add(_name, _kind)
