"""Alert: when somebody is told, once and not again every second, until it is over.

A rule watches one measure. It is raised when the measure stays above its limit, cleared when it
stays below a lower one; in between nothing changes. Whoever is told can acknowledge. Nothing here
reads a clock: time comes with the measures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from myograph.core.checks import check_count, check_non_negative, check_positive, unknown_name
from myograph.core.errors import DataError, ParameterError
from myograph.stream.allowance import Allowance

__all__ = ["RULES", "Alert", "AlertRule", "Alerts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """When an alert is raised and cleared.

    Parameters
    ----------
    name : str
        What it is about: ``"fatigue"``, ``"compensation"``, ``"lead-off"``, ``"drift"``, ...
    measure : str
        Which measure is watched.
    above : float
        Raised when the measure stays at or above this.
    clear_below : float
        Cleared when it stays below this; lower than ``above``.
    for_s : float
        How long it must stay, either way.
    again_s : float
        Raised again no sooner than this after the last time it was told.
    remind_s : float
        Told again after this while raised and not acknowledged; infinity never reminds.
    text : str
        A sentence for people.
    """

    name: str
    measure: str
    above: float
    clear_below: float
    for_s: float = 0.0
    again_s: float = 0.0
    remind_s: float = math.inf
    text: str = ""

    def __post_init__(self) -> None:
        if not self.clear_below < self.above:
            raise ParameterError(
                f"Alert {self.name!r} must clear below where it is raised ({self.above:g}); got "
                f"clear_below={self.clear_below:g}."
            )
        check_non_negative(self.for_s, name="for_s")
        check_non_negative(self.again_s, name="again_s")
        if not math.isinf(self.remind_s):
            check_positive(self.remind_s, name="remind_s")


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody is told.

    Parameters
    ----------
    name : str
    event : str
        ``"raised"``, ``"reminder"``, ``"cleared"`` or ``"acknowledged"``.
    time_s : float
    value : float
        Of the measure.
    text : str
    """

    name: str
    event: str
    time_s: float
    value: float
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {name: getattr(self, name) for name in self.__slots__}


#: Rules for the measures of `myograph.stream.monitor`; limits are starting points, not norms.
RULES: tuple[AlertRule, ...] = (
    AlertRule(
        name="fatigue",
        measure="fatigue",
        above=0.15,
        clear_below=0.08,
        for_s=60.0,
        again_s=1800.0,
        text="The spectrum has moved down as it does in tiring muscle; consider a rest.",
    ),
    AlertRule(
        name="compensation",
        measure="compensation",
        above=0.25,
        clear_below=0.15,
        for_s=60.0,
        again_s=1800.0,
        text="Helper muscles take over a larger share of the work than at first.",
    ),
    AlertRule(
        name="lead-off",
        measure="lead_off",
        above=0.5,
        clear_below=0.1,
        for_s=20.0,
        again_s=600.0,
        remind_s=3600.0,
        text="An electrode has come off; press it on, or replace it.",
    ),
    AlertRule(
        name="drift",
        measure="drift",
        above=1.0,
        clear_below=0.7,
        for_s=300.0,
        again_s=7200.0,
        text="Levels are no longer those of the calibration; calibrate again.",
    ),
)


@dataclass(slots=True)
class _State:
    raised: bool = False
    acknowledged: bool = False
    since_s: float | None = None
    told_s: float = -math.inf


class Alerts:
    """All rules of one person, pushed measures as they come.

    Parameters
    ----------
    rules : sequence of AlertRule
    most_per_hour : int
        Raised and reminders together, over all rules; what is beyond is counted and not told.

    Examples
    --------
    >>> rule = AlertRule(name="fatigue", measure="fatigue", above=0.2, clear_below=0.1, for_s=10)
    >>> alerts = Alerts([rule])
    >>> [a.event for t in range(0, 40, 5) for a in alerts.push({"fatigue": 0.3}, float(t))]
    ['raised']
    """

    def __init__(self, rules: Sequence[AlertRule] = RULES, *, most_per_hour: int = 12) -> None:
        names = [rule.name for rule in rules]
        if len(set(names)) != len(names):
            raise ParameterError(f"Alert rules need names of their own; got {names}.")
        self.rules = {rule.name: rule for rule in rules}
        check_count(most_per_hour, name="most_per_hour")
        self._allowance = Allowance(most_per_hour, within_s=3600.0)
        self._states = {name: _State() for name in names}
        self._last_s = -math.inf
        self._last_values: dict[str, float] = {}

    @property
    def withheld(self) -> int:
        """Alerts that were due and not told, for there were too many in an hour."""
        return self._allowance.withheld

    @property
    def raised(self) -> tuple[str, ...]:
        """Names of what is raised now."""
        return tuple(name for name, state in self._states.items() if state.raised)

    def push(self, measures: Mapping[str, float], time_s: float) -> tuple[Alert, ...]:
        """Take measures; a measure that is missing or NaN changes nothing.

        Raises
        ------
        DataError
            If time goes back.
        """
        if time_s < self._last_s:
            raise DataError(f"Measures at {time_s:g} s came after those at {self._last_s:g} s.")
        self._last_s = time_s
        found = []
        for rule in self.rules.values():
            value = measures.get(rule.measure, math.nan)
            if not math.isnan(value):
                self._last_values[rule.name] = value
                found += self._look(rule, self._states[rule.name], value, time_s)
        return tuple(found)

    def acknowledge(self, name: str, time_s: float) -> Alert:
        """Say that somebody knows: no reminder comes until it is cleared and raised anew.

        Raises
        ------
        ParameterError
            If no such alert is raised.
        """
        if name not in self.rules:
            raise ParameterError(unknown_name(name, self.rules, what="alert"))
        state = self._states[name]
        if not state.raised:
            raise ParameterError(f"Alert {name!r} is not raised; raised now: {list(self.raised)}.")
        state.acknowledged = True
        return Alert(name, "acknowledged", time_s, self._last_values[name], self.rules[name].text)

    def _look(self, rule: AlertRule, state: _State, value: float, time_s: float) -> list[Alert]:
        wants_change = value < rule.clear_below if state.raised else value >= rule.above
        if not wants_change:
            state.since_s = None
            return self._remind(rule, state, value, time_s)
        if state.since_s is None:
            state.since_s = time_s
        if time_s - state.since_s < rule.for_s:
            return self._remind(rule, state, value, time_s)
        if state.raised:
            state.raised, state.acknowledged, state.since_s = False, False, None
            return [Alert(rule.name, "cleared", time_s, value, rule.text)]
        if time_s - state.told_s < rule.again_s:
            return []
        state.raised, state.since_s = True, None
        return self._tell(rule, state, "raised", value, time_s)

    def _remind(self, rule: AlertRule, state: _State, value: float, time_s: float) -> list[Alert]:
        due = state.raised and not state.acknowledged and time_s - state.told_s >= rule.remind_s
        return self._tell(rule, state, "reminder", value, time_s) if due else []

    def _tell(
        self, rule: AlertRule, state: _State, event: str, value: float, time_s: float
    ) -> list[Alert]:
        state.told_s = time_s
        if not self._allowance.take(time_s):
            return []
        return [Alert(rule.name, event, time_s, value, rule.text)]
