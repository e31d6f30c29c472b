import numpy as np
import pytest

from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import GAP, Event, Recording
from myograph.preprocess.artifacts import ArtifactLimits, find_artifacts
from myograph.preprocess.quality import assess

FS_HZ = 1000.0


def of_kind(artifacts, kind):
    return [a for a in artifacts if a.kind == kind]


def test_clean_muscle_and_rest_have_no_artifacts(make_muscle, record):
    x = make_muscle(2)
    x[:, 8000:12000] *= 0.02
    assert find_artifacts(record(x)) == ()


def test_every_artifact_is_found_where_it_is_and_named_once(make_muscle, record, rng):
    x = make_muscle(5)
    t = np.arange(x.shape[1]) / FS_HZ
    x[0] += 60 * np.sin(2 * np.pi * 50 * t)
    x[1] += 600 * np.exp(-0.5 * ((t - 6.0) / 0.08) ** 2)
    x[2, 9000:12000] = 1500 + 0.5 * rng.standard_normal(3000)
    x[3] = np.clip(x[3], -110, 110)
    x[4, [4000, 15000]] += 900
    found = find_artifacts(record(x, start_s=100.0))
    said = {a.channel: {b.kind for b in found if b.channel == a.channel} for a in found}
    assert said == {
        "e0": {"mains"},
        "e1": {"motion"},
        "e2": {"lead-off"},
        "e3": {"clipping"},
        "e4": {"spike"},
    }
    (bump,) = of_kind(found, "motion")
    assert bump.onset_s < 106.0 < bump.onset_s + bump.duration_s
    assert bump.duration_s < 1.5
    (off,) = of_kind(found, "lead-off")
    assert (off.onset_s, off.duration_s) == pytest.approx((109.0, 3.0), abs=0.3)
    assert "level" in off.reason
    assert [round(a.onset_s, 3) for a in of_kind(found, "spike")] == [104.0, 115.0]
    (hum,) = of_kind(found, "mains")
    assert (hum.onset_s, hum.duration_s) == (100.0, 20.0)
    assert "50 Hz" in hum.reason
    onsets = [a.onset_s for a in found]
    assert onsets == sorted(onsets)


def test_artifacts_become_events_that_name_their_channel(make_muscle, record):
    x = make_muscle(1)
    x[0, 5000] += 900
    recording = record(x)
    (artifact,) = find_artifacts(recording)
    event = artifact.to_event()
    assert (event.label, event.source) == ("spike", "artifact:e0")
    assert recording.with_events([event]).events == (event,)


def test_lost_samples_are_lost_in_all_channels_at_once(make_muscle, record):
    x = make_muscle(3)
    x[:, 5000:5040] = x[:, 5000:5001]
    x[0, 9000:9040] = x[0, 9000]  # one channel alone is no lost packet
    (lost,) = of_kind(find_artifacts(record(x)), "dropped")
    assert lost.channel == "all channels"
    assert (lost.onset_s, lost.duration_s) == pytest.approx((5.001, 0.039), abs=0.002)


def test_declared_gaps_are_not_found_again(make_muscle, record):
    x = make_muscle(2)
    x[:, 5000:8000] = 0
    gap = Event(5.0, 3.0, GAP, "reader")
    assert find_artifacts(record(x, events=(gap,))) == ()
    kinds = {a.kind for a in find_artifacts(record(x))}
    assert kinds == {"lead-off", "dropped"}


def test_needles_keep_their_spikes(make_muscle, record):
    x = 0.02 * make_muscle(1)
    x[0, ::500] += 300  # potentials of a motor unit
    assert of_kind(find_artifacts(record(x, kind="needle")), "spike") == []
    assert len(of_kind(find_artifacts(record(x)), "spike")) > 20


def test_a_slow_device_does_not_tell_movement_from_muscle(rng):
    layout = Layout(200.0, (Channel("e0", kind="semg", scale="count"),))
    x = np.round(30 * rng.standard_normal((1, 4000))).astype("f4")
    x[0, 2000:2040] += 100
    assert of_kind(find_artifacts(Recording(x, layout)), "motion") == []
    parts = assess(Recording(x, layout)).channels[0].parts
    assert np.isnan(parts["motion_peak"])


def test_gain_does_not_matter(make_muscle, record):
    x = make_muscle(1)
    x[0] += 600 * np.exp(-0.5 * ((np.arange(x.shape[1]) / FS_HZ - 6.0) / 0.08) ** 2)
    one, other = (find_artifacts(record(c * x)) for c in (1.0, 50.0))
    assert [(a.kind, a.onset_s) for a in one] == [(a.kind, a.onset_s) for a in other]


def test_limits_and_input_are_checked(make_muscle, record):
    x = make_muscle(1)
    x[0] += 20 * np.sin(2 * np.pi * 50 * np.arange(x.shape[1]) / FS_HZ)
    assert of_kind(find_artifacts(record(x)), "mains")
    lax = ArtifactLimits(mains_excess=0.5)
    assert find_artifacts(record(x), limits=lax) == ()
    with pytest.raises(ParameterError, match="motion_peak must be above 0"):
        ArtifactLimits(motion_peak=0)
    with pytest.raises(LayoutError, match="No channel is left"):
        find_artifacts(record(x, kind="force"))
    assert find_artifacts(record(x[:, :3])) == ()  # three samples: nothing can be said
