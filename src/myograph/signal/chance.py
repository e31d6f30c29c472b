"""How often rest passes for action, and action for rest, when exceedances are counted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv

from myograph.core.errors import ParameterError

__all__ = ["ExceedanceRule", "count_rule", "detection_probability"]


@dataclass(frozen=True, slots=True)
class ExceedanceRule:
    """At least ``needed`` of ``window`` pairs with more energy than ``excess`` times their mean.

    Parameters
    ----------
    window, needed : int
    single : float
        Probability that one pair of rest exceeds.
    """

    window: int
    needed: int
    single: float

    @property
    def excess(self) -> float:
        """Threshold over the mean energy of a resting pair."""
        return -math.log(self.single)

    @property
    def false_alarm(self) -> float:
        """Probability that a window of rest passes for action."""
        return _at_least(self.needed, self.window, self.single)


def count_rule(
    window: int, *, false_alarm: float, snr_db: float, needed: int = 0
) -> ExceedanceRule:
    r"""Return the rule with this probability of a false alarm (bonato1998).

    The binomial tail :math:`\sum_{k=r_0}^{m}\binom{m}{k}P_\zeta^k(1-P_\zeta)^{m-k}` is set equal to
    ``false_alarm`` and solved for :math:`P_\zeta`.

    Parameters
    ----------
    window : int
        m.
    false_alarm : float
        Wanted probability per window.
    snr_db : float
        What the number is chosen for when ``needed`` is 0.
    needed : int
        r0; 0 takes the number with the highest probability of detection.

    Examples
    --------
    >>> rule = count_rule(5, false_alarm=0.05, snr_db=8, needed=1)
    >>> round(rule.single, 4), round(rule.false_alarm, 6)
    (0.0102, 0.05)
    """
    if not 0 < false_alarm < 1:
        raise ParameterError(f"false_alarm must be above 0 and below 1; got {false_alarm!r}.")
    choices = [needed] if needed else range(1, window + 1)
    rules = [
        ExceedanceRule(window, r, float(betaincinv(r, window - r + 1, false_alarm)))
        for r in choices
    ]
    chances = [detection_probability(rule, snr_db=snr_db) for rule in rules]
    return rules[int(np.argmax(chances))]


def detection_probability(rule: ExceedanceRule, *, snr_db: float) -> float:
    """Return the probability that a window of action this far above the noise is detected.

    Action adds ``10**(snr_db / 10)`` times the noise's power, and a pair of it is as Gaussian as
    a pair of rest.
    """
    single = math.exp(math.log(rule.single) / (1 + 10 ** (snr_db / 10)))
    return _at_least(rule.needed, rule.window, single)


def _at_least(needed: int, window: int, single: float) -> float:
    return float(betainc(needed, window - needed + 1, single))
