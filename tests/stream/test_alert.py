"""Alerts: hysteresis, acknowledgement, reminders, rate limit."""

import math

import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.stream.alert import RULES, AlertRule, Alerts


def rule(**options):
    given = {"name": "fatigue", "measure": "m", "above": 0.5, "clear_below": 0.3} | options
    return AlertRule(**given)


def told(alerts, values, step_s=10.0, start_s=0.0):
    return [
        (a.event, a.time_s)
        for k, v in enumerate(values)
        for a in alerts.push({"m": v}, start_s + step_s * k)
    ]


def test_raised_once_held_between_and_cleared_once():
    assert told(Alerts([rule()]), [0.1, 0.6, 0.9, 0.4, 0.6, 0.2, 0.1]) == [
        ("raised", 10.0),
        ("cleared", 50.0),
    ]


def test_it_must_last():
    alerts = Alerts([rule(for_s=20.0)])
    assert told(alerts, [0.6, 0.6, 0.1, 0.6, 0.6, 0.6]) == [("raised", 50.0)]


def test_not_again_too_soon():
    alerts = Alerts([rule(again_s=100.0)])
    assert told(alerts, [0.6, 0.1, 0.6, 0.1, 0.6]) == [("raised", 0.0), ("cleared", 10.0)]
    assert told(alerts, [0.6], start_s=100.0) == [("raised", 100.0)]


def test_reminders_stop_when_acknowledged():
    alerts = Alerts([rule(remind_s=30.0)])
    assert told(alerts, [0.6] * 5) == [("raised", 0.0), ("reminder", 30.0)]
    assert alerts.acknowledge("fatigue", 45.0).event == "acknowledged"
    assert told(alerts, [0.6] * 10, start_s=50.0) == []
    assert told(alerts, [0.1, 0.6], start_s=200.0) == [("cleared", 200.0), ("raised", 210.0)]


def test_an_hour_has_a_limit_over_all_rules():
    rules = [rule(name=str(k)) for k in range(5)]
    alerts = Alerts(rules, most_per_hour=3)
    assert len(told(alerts, [0.6])) == 3
    assert alerts.withheld == 2
    assert len(alerts.raised) == 5


def test_what_is_not_measured_changes_nothing():
    alerts = Alerts([rule(for_s=10.0)])
    alerts.push({"m": 0.6}, 0.0)
    assert alerts.push({"m": math.nan}, 5.0) == ()
    assert alerts.push({}, 6.0) == ()
    assert [a.event for a in alerts.push({"m": 0.6}, 10.0)] == ["raised"]


def test_bad_input():
    with pytest.raises(ParameterError, match="must clear below"):
        rule(clear_below=0.5)
    with pytest.raises(ParameterError, match="names of their own"):
        Alerts([rule(), rule()])
    alerts = Alerts([rule()])
    with pytest.raises(ParameterError, match="is not raised"):
        alerts.acknowledge("fatigue", 0.0)
    with pytest.raises(ParameterError, match="alert must be one of"):
        alerts.acknowledge("fatige", 0.0)
    alerts.push({"m": 0.1}, 5.0)
    with pytest.raises(DataError, match="came after those at 5 s"):
        alerts.push({"m": 0.1}, 4.0)


def test_the_default_rules_are_about_what_the_monitor_measures():
    assert [one.name for one in RULES] == ["fatigue", "compensation", "lead-off", "drift"]
    assert all(one.text for one in RULES)
