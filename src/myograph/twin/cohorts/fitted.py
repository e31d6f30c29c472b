"""What the muscle of a fitted twin might give an electrode.

A fit knows motor units and nothing of electrodes. A simulated person stands in: their tibialis
anterior, in ALS, at the month at which as large a share of its units is lost as the twin's median
says. Their body, their reinnervation and the electrodes are those of the progression cohort.
"""

from __future__ import annotations

import numpy as np

from myograph.twin.cohort import Scene, Sitting
from myograph.twin.cohorts.progression import PROGRESSION, case
from myograph.twin.posterior import PatientTwin
from myograph.twin.progression import Course

__all__ = ["fitted_sitting", "months_at_loss"]

# No course is followed for longer.
_LONGEST_MONTHS = 240.0


def fitted_sitting(twin: PatientTwin, *, seconds: float = 20.0, seed: int = 0) -> Sitting:
    """Return what records a stand-in with the twin's share of motor units lost.

    Parameters
    ----------
    twin : PatientTwin
    seconds : float
        Length of each recording, about.
    seed : int
        Of the stand-in: the fit leaves open whose body it is.

    Returns
    -------
    callable
        Recording number ``take``, from 1: the same month, the electrodes placed anew.
    """
    scene = PROGRESSION.checked(Scene(people=1, seconds=seconds, seed=seed, condition="als"))
    person = case(scene, 0)
    units = float(np.median(twin.samples("units")))
    lost = 1 - float(np.median(twin.samples("units_now"))) / units
    months = months_at_loss(person.course, lost)
    return lambda take: person.record_at(months, take)


def months_at_loss(course: Course, lost: float) -> float:
    """Return the months after the onset at which a share of the units is lost.

    At most 240, for a course that never loses as many.
    """
    months = np.linspace(0.0, _LONGEST_MONTHS, 4801)
    return float(np.interp(np.clip(lost, 0.0, 1.0), course.burden(months).unit_loss, months))
