"""Days of monitoring in seconds: bounded memory and disk, alerts, pauses, losses."""

import json
from collections import deque

import numpy as np
import pytest

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.stream.alert import AlertRule, Alerts
from myograph.stream.delivery import UndeliveredError
from myograph.stream.duty import DutyCycle
from myograph.stream.monitor import DAY_S, Monitor, MonitorSettings, load_days, quality_trend
from myograph.stream.outbox import Outbox

FS_HZ = 200.0
LAYOUT = Layout(FS_HZ, tuple(Channel(name, kind="semg") for name in ("mover", "helper")))
SETTINGS = MonitorSettings(epoch_s=4.0, helpers=("helper",), reference_epochs=4)


def signal(rng, seconds, *, level=(60.0, 20.0), slow=0.0):
    """Noise; ``slow`` is how much of it is of low frequency, as in tiring muscle."""
    white = rng.standard_normal((2, round(seconds * FS_HZ)))
    low = np.apply_along_axis(np.convolve, 1, white, np.ones(6) / 6, mode="same") * 2.4
    return np.array(level)[:, None] * ((1 - slow) * white + slow * low)


def feed(monitor, rng, start_s, seconds, **how):
    found = []
    for k in range(round(seconds / 4)):
        found += monitor.push(signal(rng, 4.0, **how), start_s + 4.0 * k)
    return found


def quiet_then(monitor, rng, **how):
    feed(monitor, rng, 0.0, 4, level=(2.0, 2.0))
    feed(monitor, rng, 4.0, 16)
    return feed(monitor, rng, 20.0, 40, **how)


@pytest.fixture(scope="module")
def unchanged():
    monitor = Monitor(LAYOUT, settings=SETTINGS)
    return quiet_then(monitor, np.random.default_rng(5))[-1].values


@pytest.mark.parametrize(
    ("measure", "how", "least"),
    [
        ("fatigue", {"slow": 0.9}, 0.15),
        ("compensation", {"level": (40.0, 60.0)}, 0.25),
        ("drift", {"level": (240.0, 20.0)}, 1.5),
    ],
)
def test_what_changes_is_measured_and_the_unchanged_is_not(measure, how, least, rng, unchanged):
    changed = quiet_then(Monitor(LAYOUT, settings=SETTINGS), rng, **how)[-1].values
    assert changed[measure] > least
    assert all(abs(unchanged[name]) < 0.06 for name in ("fatigue", "compensation", "drift"))


def test_lead_off_is_seen_and_cleared(rng):
    rule = AlertRule(name="lead-off", measure="lead_off", above=0.5, clear_below=0.1, for_s=8)
    monitor = Monitor(LAYOUT, settings=SETTINGS, alerts=Alerts([rule]))
    feed(monitor, rng, 0.0, 40)
    off = []
    for k in range(8):
        samples = signal(rng, 4.0)
        samples[0] = 0.0
        off += monitor.push(samples, 40.0 + 4.0 * k)
    on = feed(monitor, rng, 72.0, 40)
    assert [a.event for m in off for a in m.alerts] == ["raised"]
    assert [a.event for m in on for a in m.alerts] == ["cleared"]
    assert off[-1].good < on[-1].good


def test_rest_says_nothing_of_fatigue(rng):
    monitor = Monitor(LAYOUT, settings=SETTINGS)
    found = feed(monitor, rng, 0.0, 60, level=(2.0, 2.0))
    assert all(np.isnan(m.values["fatigue"]) for m in found)


def test_epochs_do_not_depend_on_chunks(rng):
    samples = signal(rng, 40.0)
    whole = Monitor(LAYOUT, settings=SETTINGS).push(samples, 0.0)
    monitor, parts, place = Monitor(LAYOUT, settings=SETTINGS), [], 0
    while place < samples.shape[1]:
        size = int(rng.integers(1, 300))
        parts += monitor.push(samples[:, place : place + size], place / FS_HZ)
        place += size
    assert [(m.time_s, m.good) for m in parts] == [(pytest.approx(m.time_s), m.good) for m in whole]
    for a, b in zip(parts, whole, strict=True):
        assert a.values == pytest.approx(b.values, nan_ok=True)


def test_a_pause_is_not_mixed_and_lost_samples_are_counted(rng):
    monitor = Monitor(LAYOUT, settings=SETTINGS)
    assert monitor.push(signal(rng, 3.0), 0.0) == ()
    assert monitor.push(signal(rng, 3.0), 100.0) == ()
    bad = signal(rng, 4.0)
    bad[0, 5] = np.nan
    assert monitor.push(bad, 200.0) == ()
    assert monitor.summary()["lost_s"] == 4.0
    assert monitor.summary()["epochs"] == 0


def kept(thing):
    """Numbers and entries that something holds, all the way down."""
    if isinstance(thing, np.ndarray):
        return thing.size
    if isinstance(thing, dict):
        return len(thing) + sum(map(kept, thing.values()))
    if isinstance(thing, list | tuple | deque):
        return len(thing) + sum(map(kept, thing))
    if hasattr(thing, "__slots__") and not isinstance(thing, Layout):
        return sum(kept(getattr(thing, name)) for name in thing.__slots__)
    return kept(vars(thing)) if hasattr(thing, "__dict__") else 1


def test_two_days_in_bounded_memory_and_disk_with_an_outage(tmp_path, rng):
    """Two days at a duty of 4 s an hour, with a network that is away for six hours."""
    duty, line = DutyCycle(4.0, 3600.0), {"away": False, "seen": []}

    class Line:
        def send(self, message):
            if line["away"]:
                raise UndeliveredError("no network")
            line["seen"].append(message)

    rule = AlertRule(name="fatigue", measure="fatigue", above=0.15, clear_below=0.08)
    monitor = Monitor(LAYOUT, folder=tmp_path / "days", settings=SETTINGS, alerts=Alerts([rule]))
    outbox = Outbox(tmp_path / "outbox", Line(), first_wait_s=60.0)
    monitor.push(signal(rng, 4.0, level=(2.0, 2.0)), 0.0)
    now_s, sizes, most_waiting = 3600.0, [], 0
    while now_s < 2.4 * DAY_S:
        assert duty.on(now_s)
        tired = (now_s % DAY_S) > 0.75 * DAY_S
        for measured in monitor.push(signal(rng, 4.0, slow=0.9 * tired), now_s):
            for alert in measured.alerts:
                outbox.put({"day": int(now_s // DAY_S), **alert.to_dict()})
        line["away"] = 0.7 * DAY_S < now_s < 0.95 * DAY_S
        outbox.flush(now_s)
        most_waiting = max(most_waiting, len(outbox))
        sizes.append(kept(monitor))
        now_s = duty.next_on_s(now_s + duty.on_s)
    monitor.close()
    assert sizes[-1] == pytest.approx(sizes[8], abs=20)
    assert most_waiting == 1
    assert [(m["day"], m["event"]) for m in line["seen"]] == [
        (0, "raised"),
        (1, "cleared"),
        (1, "raised"),
        (2, "cleared"),
    ]
    days = load_days(tmp_path / "days")
    assert [day["day"] for day in days] == [0, 1, 2]
    assert days[1]["epochs"] == 24
    assert days[1]["alerts"] == {"fatigue cleared": 1, "fatigue raised": 1}
    assert all(good is not None for good in days[1]["good_by_hour"])
    assert abs(quality_trend(days)) < 0.2
    assert sum(path.stat().st_size for path in (tmp_path / "days").iterdir()) < 10_000


def test_old_days_go(tmp_path, rng):
    settings = MonitorSettings(epoch_s=4.0, keep_days=3)
    monitor = Monitor(LAYOUT, folder=tmp_path, settings=settings)
    for day in range(6):
        monitor.push(signal(rng, 4.0), day * DAY_S)
    monitor.close()
    assert [day["day"] for day in load_days(tmp_path)] == [3, 4, 5]


def test_a_new_calibration_begins_the_references_anew(rng):
    monitor = Monitor(LAYOUT, settings=SETTINGS)
    quiet_then(monitor, rng, level=(240.0, 20.0))
    monitor.calibrated()
    feed(monitor, rng, 200.0, 4, level=(2.0, 2.0))
    after = feed(monitor, rng, 204.0, 40, level=(240.0, 20.0))
    assert after[-1].values["drift"] < 0.2


def test_bad_input(tmp_path, rng):
    monitor = Monitor(LAYOUT, settings=SETTINGS)
    with pytest.raises(LayoutError, match=r"2 channels, n_new\); got \(3, 4\)"):
        monitor.push(np.zeros((3, 4)), 0.0)
    monitor.push(signal(rng, 4.0), 10.0)
    with pytest.raises(DataError, match="came after 14 s"):
        monitor.push(signal(rng, 4.0), 5.0)
    with pytest.raises(ParameterError, match="are not channels"):
        Monitor(LAYOUT, settings=MonitorSettings(helpers=("toe",)))
    with pytest.raises(DataError, match="no summary of a day"):
        load_days(tmp_path)
    (tmp_path / "day-000001.json").write_text("{")
    with pytest.raises(DataError, match="is damaged"):
        load_days(tmp_path)
    with pytest.raises(ParameterError, match="every_s must be at least on_s"):
        DutyCycle(10.0, 5.0)
    assert json.loads(json.dumps(monitor.summary()))["epochs"] == 1
    assert quality_trend([]) is None
