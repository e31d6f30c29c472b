"""Challenges: each does what it says, to muscle alone, and the same on every call."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.signal.spectrum import psd
from myograph.validate.challenges import FAMILIES, Challenge, Challenged, Given, challenges_for

FS_HZ = 1000.0
N = 4000


def recording(*, person: str = "p1", session: str = "1", ring: bool = True) -> Recording:
    random = np.random.default_rng(len(person) + int(session))
    channels = tuple(Channel(f"emg{k}", kind="semg") for k in range(6))
    samples = random.standard_normal((7, N)).astype(np.float32) * 20
    events = (Event(0.0, 2.0, "rest", "protocol"), Event(2.0, 2.0, "fist", "protocol"))
    return Recording(
        samples,
        Layout(FS_HZ, (*channels, Channel("force", kind="force"))),
        events=events,
        subject=Subject(person),
        session=session,
        device="Myo armband" if ring else "",
    )


def of_family(name: str, **more: object) -> list[Challenge]:
    one = recording()
    found, refused, _ = challenges_for(Given(one.layout, one.device, **more))
    assert name not in refused
    return [each for each in found if each.family == name]


def test_every_family_fits_a_ring_and_goes_from_mild_to_severe() -> None:
    one = recording()
    found, refused, assumed = challenges_for(Given(one.layout, one.device))
    assert not refused
    assert {each.family for each in found} == set(FAMILIES)
    assert len(assumed) == len(FAMILIES)
    for name in FAMILIES:
        sizes = [each.size for each in found if each.family == name]
        assert sizes == sorted(sizes)


@pytest.mark.parametrize("name", list(FAMILIES))
def test_muscle_alone_changes_and_the_recording_stays_the_same_one(name: str) -> None:
    one = recording()
    before = one.samples.copy()
    for each in of_family(name):
        spoilt, again = each.apply(one, seed=3), each.apply(one, seed=3)
        assert np.array_equal(spoilt.samples, again.samples)
        assert np.isfinite(spoilt.samples).all()
        assert spoilt.source_digest == one.source_digest
        assert not np.array_equal(spoilt.samples[:6, :100], before[:6, :100])
        if name != "clock":  # all channels of a device run on one clock
            assert np.array_equal(spoilt.samples[6], before[6])
    assert np.array_equal(one.samples, before)


@pytest.mark.parametrize("name", list(FAMILIES))
def test_a_recording_in_whole_steps_stays_in_them(name: str) -> None:
    one = recording()
    stepped = replace(one, samples=np.rint(one.samples))
    for each in of_family(name):
        spoilt = each.apply(stepped).samples[:6]
        assert np.array_equal(spoilt, np.rint(spoilt))
        assert name == "channel loss" or not np.array_equal(
            each.apply(one).samples[:6], np.rint(each.apply(one).samples[:6])
        )


def test_lost_channels_read_zero() -> None:
    found = of_family("channel loss")
    assert [each.level for each in found[:6]] == [f"emg{k} lost" for k in range(6)]
    dead = (found[2].apply(recording()).samples[:6] == 0).all(axis=1)
    assert dead.tolist() == [False, False, True, False, False, False]
    for each in found[6:]:
        assert (each.apply(recording()).samples[:6] == 0).all(axis=1).sum() == each.size


def test_noise_has_the_stated_ratio() -> None:
    one = recording()
    for each in of_family("broadband noise"):
        added = each.apply(one).samples[:6] - one.samples[:6]
        said = float(each.level.split()[1])
        ratio = 20 * np.log10(one.samples[:6].std() / added.std())
        assert abs(ratio - said) < 0.2
        assert abs(np.corrcoef(added)[0, 1]) < 0.1  # each channel has its own


def test_rails_and_gain() -> None:
    one = recording()
    size = one.samples[:6].std()
    for each in of_family("clipping"):
        assert np.abs(each.apply(one).samples[:6]).max() <= size / each.size * 1.001
    for each in of_family("gain"):
        assert np.allclose(each.apply(one).samples[:6], each.size * one.samples[:6], rtol=1e-5)


def test_mains_stands_at_50_hz_and_motion_below_20() -> None:
    one = recording()
    for each in of_family("mains"):
        added = (each.apply(one).samples - one.samples)[:6].astype(np.float64)
        at, power = psd(added, fs_hz=FS_HZ, segment_s=1.0)
        assert at[power.sum(axis=0).argmax()] == 50.0
        assert 0.6 * each.size < added.std() / one.samples[:6].std() < 1.5 * each.size
    for each in of_family("motion"):
        added = (each.apply(one).samples - one.samples)[:6].astype(np.float64)
        at, power = psd(added, fs_hz=FS_HZ, segment_s=1.0)
        assert power[:, at > 25].sum() < 0.05 * power.sum()


def test_another_rate_takes_what_lay_above() -> None:
    one = recording()
    for each in of_family("sampling rate"):
        spoilt = each.apply(one)
        assert spoilt.samples.shape == one.samples.shape
        at, power = psd(spoilt.samples[:6].astype(np.float64), fs_hz=FS_HZ, segment_s=0.25)
        limit = FS_HZ / 2 / each.size
        assert power[:, at > 1.15 * limit].sum() < 1e-3 * power[:, at < 0.8 * limit].sum()


def test_a_fast_clock_stretches_signal_and_events_alike() -> None:
    one = recording()
    for each in of_family("clock"):
        spoilt = each.apply(one)
        factor = 1 + each.size / 100
        assert abs(spoilt.n_samples - factor * N) <= 1
        assert spoilt.events[1].onset_s == pytest.approx(2.0 * factor)
        assert spoilt.events[1].end_s == pytest.approx(4.0 * factor, abs=2e-3)


def test_a_band_is_put_on_once_per_session() -> None:
    moved = of_family("electrode shift")[1]
    shifts = {
        session: moved.apply(recording(session=session)).samples[:6] for session in "123456789"
    }
    weights = set()
    for session, samples in shifts.items():
        plain = recording(session=session).samples[:6].astype(np.float64)
        weights.add(round(float((samples @ np.linalg.pinv(plain))[0, 1]), 3))
    assert len(weights) == 2  # one way round, or the other


def test_where_the_electrodes_are_must_be_known_or_said() -> None:
    one = recording(ring=False)
    _, refused, _ = challenges_for(Given(one.layout))
    assert "have no position_mm" in refused["electrode shift"]
    found, refused, assumed = challenges_for(Given(one.layout, circumference_mm=300.0))
    assert not refused
    assert any("300 mm (given)" in each for each in assumed)
    grid = Layout(
        FS_HZ,
        tuple(Channel(f"g{k}", kind="hdemg", position_mm=(8.0 * k, 0.0, 0.0)) for k in range(4)),
    )
    found, refused, assumed = challenges_for(Given(grid))
    assert not refused
    line = Recording(np.arange(8.0, dtype=np.float32).reshape(4, 2), grid, subject=Subject("p"))
    last = next(each for each in found if each.level == "20 mm")
    rows = last.apply(line).samples
    assert rows[:, 0].min() >= 0.0
    assert rows[:, 0].max() <= 6.0


def test_one_channel_cannot_be_lost() -> None:
    needle = Layout(FS_HZ, (Channel("needle", kind="needle"),))
    found, refused, _ = challenges_for(Given(needle))
    assert "nothing is left" in refused["channel loss"]
    assert "electrode shift" in refused
    assert {"gain", "clipping", "mains"} <= {each.family for each in found}


def test_what_is_read_lazily_is_changed_when_it_is_read() -> None:
    people = [recording(person=name) for name in ("a", "bb", "ccc")]
    gain = of_family("gain")[0]
    spoilt = Challenged(people, gain)
    assert len(spoilt) == 3
    assert spoilt[1] == gain.apply(people[1])
    assert [each.subject.pseudonym for each in spoilt[1:] if each.subject] == ["bb", "ccc"]
