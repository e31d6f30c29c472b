import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recipe import Recipe
from myograph.core.recording import GAP, Event, Recording, Subject
from myograph.core.step import build_step
from myograph.preprocess.normalise import METHODS, Normalise, ZScore, amplitude_claim
from myograph.preprocess.rolling import RollingZScore
from myograph.signal.envelope import moving_rms

FS = 1000.0


def sine(amplitudes, *, person="p01", seconds=2.0, events=(), offset=0.0, names=("a", "b")):
    """A tone in every channel: its root mean square is the amplitude over sqrt 2."""
    t = np.arange(round(seconds * FS)) / FS
    samples = np.array([a * np.sin(2 * np.pi * 50 * t) + offset for a in amplitudes])
    channels = tuple(Channel(n, kind="semg") for n in names[: len(amplitudes)])
    return Recording(
        samples,
        Layout(FS, channels),
        events=tuple(events),
        subject=Subject(person) if person else None,
    )


def mvc(*gains, person="p01"):
    return [sine((100 * g, 40 * g), person=person) for g in gains]


def values(step):
    return {(row[0], row[1]): row[2] for row in step.learned}


def test_maximal_efforts_best_of_three():
    step = Normalise(method="standard-mvc").fit(mvc(0.8, 1.0, 0.9))
    assert values(step) == pytest.approx(
        {("p01", "a"): 100 / np.sqrt(2), ("p01", "b"): 40 / np.sqrt(2)}, rel=1e-6
    )
    mean = Normalise(method="task-mvc", over_trials="mean").fit(mvc(0.8, 1.0, 0.9))
    assert values(mean)["p01", "a"] == pytest.approx(90 / np.sqrt(2), rel=1e-6)
    out = step.apply(sine((50, 40)))
    assert np.abs(out.samples).max(axis=1) == pytest.approx([0.5 * 2**0.5, 2**0.5], rel=1e-5)
    assert out.layout.units == ("1", "1")


def test_the_peak_is_that_of_the_moving_window():
    """Half a second at 100 in two seconds at 10: the window of 500 ms finds it, one of 2 s not."""
    x = sine((10,)).samples.copy()
    x[:, 700:1200] *= 10
    recording = Recording(x, Layout(FS, (Channel("a", kind="semg"),)))
    short = Normalise(method="peak-task").fit([recording])
    assert values(short)["", "a"] == pytest.approx(100 / np.sqrt(2), rel=1e-3)
    mean = Normalise(method="mean-task", window_ms=1.0).fit([recording])
    assert values(mean)["", "a"] == pytest.approx(np.abs(x).mean(), rel=1e-3)


def test_trials_are_the_labelled_events():
    events = [Event(0.2, 0.6, "mvc", "protocol", "1"), Event(1.0, 0.8, "mvc", "protocol", "2")]
    step = Normalise(method="standard-mvc", labels=("mvc",), least_trials=2)
    assert values(step.fit([sine((10, 20), events=events)]))["p01", "b"] == pytest.approx(
        20 / np.sqrt(2), rel=1e-3
    )
    with pytest.raises(DataError, match=r"no event labelled \['mvc'\]"):
        step.fit([sine((10, 20))])


def test_the_m_wave_counts_peak_to_peak():
    step = Normalise(method="mmax").fit([sine((5000, 3000))])
    assert values(step)["p01", "a"] == pytest.approx(10_000, rel=1e-3)


def test_none_is_as_recorded():
    recording = sine((10, 20))
    step = Normalise(method="none").fit([])
    out = step.apply(recording)
    np.testing.assert_array_equal(out.samples, recording.samples)
    assert out.layout == recording.layout
    assert out.recipe.steps[0].to_dict()["parameters"]["method"] == "none"


def test_everybody_has_their_own_reference():
    step = Normalise(method="standard-mvc").fit([*mvc(1, 1, 1), *mvc(2, 2, 2, person="p02")])
    weak, strong = (step.apply(sine((50, 50), person=p)) for p in ("p01", "p02"))
    np.testing.assert_allclose(weak.samples, 2 * strong.samples, rtol=1e-5)
    assert step.people() == ("p01", "p02")
    with pytest.raises(DataError, match="not fitted on calibration data of 'p03'"):
        step.apply(sine((50, 50), person="p03"))
    with pytest.raises(ParameterError, match="a stream is of one person"):
        step.start(sine((50, 50)).layout)
    live = step.of("p02").start(sine((50, 50)).layout)
    np.testing.assert_allclose(live.push(sine((50, 50)).samples), strong.samples, rtol=1e-6)


def test_the_recipe_says_method_window_and_reference():
    step = Normalise(method="standard-mvc", window_ms=750).fit(mvc(1, 1, 1))
    record = step.apply(sine((1, 2))).recipe.steps[-1].to_dict()
    assert record["parameters"]["method"] == "standard-mvc"
    assert record["parameters"]["window_ms"] == 750
    assert record["parameters"]["learned"][0] == ["p01", "a", pytest.approx(100 / np.sqrt(2))]
    assert build_step({"step": "normalise", **record["parameters"]}) == step


def test_fitting_looks_at_calibration_only():
    """What is normalised later does not change the reference."""
    step = Normalise(method="standard-mvc").fit(mvc(1, 1, 1))
    before = step.learned
    step.apply(sine((1e4, 1e4)))
    assert step.learned == before


@pytest.mark.parametrize("method", [m for m in METHODS if m != "none"])
@settings(max_examples=10, deadline=None)
@given(power=st.integers(-8, 8))
def test_the_unit_cancels(method, power):
    gain = 2.0**power
    plain = Normalise(method=method).fit(mvc(1, 0.9, 0.8)).apply(sine((30, 30)))
    scaled = Normalise(method=method).fit(mvc(gain, 0.9 * gain, 0.8 * gain))
    np.testing.assert_allclose(
        scaled.apply(sine((30 * gain, 30 * gain))).samples, plain.samples, rtol=1e-5, atol=1e-7
    )


def test_the_order_of_the_channels_does_not_matter():
    step = Normalise(method="standard-mvc").fit(mvc(1, 1, 1))
    recording = sine((10, 20))
    np.testing.assert_array_equal(
        step.apply(recording.select(("b", "a"))).samples, step.apply(recording).samples[::-1]
    )


def test_zscore_of_the_calibration_itself():
    recording = sine((10, 20), offset=3.0)
    step = ZScore().fit([recording])
    out = step.apply(recording).samples
    np.testing.assert_allclose(out.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(out.std(axis=1), 1, rtol=1e-5)
    two = ZScore().fit([recording, sine((30, 30), person="p02")])
    np.testing.assert_allclose(two.apply(recording).samples, out)


def test_rolling_zscore_is_that_of_the_weighted_past():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 400)) * 20 + 5
    recording = Recording(x, Layout(FS, (Channel("a", kind="semg"),)))
    out = RollingZScore(time_s=0.05).apply(recording).samples[0]
    past = recording.samples[0, :301].astype(float)
    weights = np.exp(-np.arange(301)[::-1] / 50)
    mean = np.average(past, weights=weights)
    sd = np.sqrt(np.average((past - mean) ** 2, weights=weights))
    assert out[300] == pytest.approx((past[300] - mean) / sd, rel=1e-4)
    assert out[0] == 0


@settings(max_examples=20, deadline=None)
@given(power=st.integers(-8, 8), shift=st.floats(-1000, 1000))
def test_rolling_zscore_sees_neither_gain_nor_offset(power, shift):
    x = np.random.default_rng(1).standard_normal((1, 300)) * 30
    layout = Layout(FS, (Channel("a", kind="semg"),))
    step = RollingZScore(time_s=0.1)
    plain = step.apply(Recording(x, layout)).samples
    other = step.apply(Recording((x + shift) * 2.0**power, layout)).samples
    np.testing.assert_allclose(other[:, 5:], plain[:, 5:], atol=5e-3)


def test_silence_stays_silent():
    layout = Layout(FS, (Channel("a", kind="semg"),))
    steady = Recording(np.full((1, 100), 7.3), layout)
    assert np.abs(RollingZScore(time_s=0.1).apply(steady).samples).max() == 0
    quiet = Recording(1e-3 * np.random.default_rng(0).standard_normal((1, 100)), layout)
    assert np.abs(RollingZScore(time_s=0.1, least_sd=1.0).apply(quiet).samples).max() < 0.01


def test_claims_that_normalisation_takes_away():
    assert amplitude_claim(Recipe()) == ""
    assert amplitude_claim(Recipe().then("normalise", {"method": "standard-mvc"})) == ""
    assert "own task" in amplitude_claim(Recipe().then("normalise", {"method": "mean-task"}))
    assert "own spread" in amplitude_claim(Recipe().then("rolling-zscore", {"time_s": 1}))


def test_moving_rms_by_definition():
    x = np.random.default_rng(2).standard_normal((2, 100)) * [[1], [1e4]]
    for n in (1, 2, 7, 64, 100):
        by_hand = np.sqrt([[np.mean(row[i : i + n] ** 2) for i in range(101 - n)] for row in x])
        np.testing.assert_allclose(moving_rms(x, n_window=n), by_hand, rtol=1e-12)
    with pytest.raises(DataError, match="needs at least as many"):
        moving_rms(x, n_window=101)


@pytest.mark.parametrize(
    ("work", "error", "message"),
    [
        (lambda: Normalise(method="mvc"), ParameterError, "must be one of"),
        (lambda: Normalise(method="none", learned=(("p", "a", 1),)), ParameterError, "takes no"),
        (lambda: Normalise(method="mmax", learned=(("p", "a"),)), ParameterError, "lists"),
        (lambda: Normalise(method="mmax", learned=(("p", "a", 0),)), ParameterError, "above 0"),
        (lambda: Normalise(method="mmax", labels="mvc"), ParameterError, "list of texts"),
        (lambda: Normalise(method="task-mvc").fit(mvc(1, 1)), DataError, "has 2 maximal efforts"),
        (
            lambda: Normalise(method="peak-task").fit([sine((1, 1), seconds=0.3)]),
            DataError,
            "less than window_ms=500",
        ),
        (
            lambda: Normalise(method="peak-task").fit([sine((1, 1), offset=0.9)]),
            DataError,
            "high-pass first",
        ),
        (lambda: Normalise(method="peak-task").fit([sine((1, 0))]), DataError, "is silent"),
        (
            lambda: Normalise(method="peak-task").fit([sine((1, 1), events=[Event(1, 0.1, GAP)])]),
            DataError,
            "touches a gap",
        ),
        (lambda: ZScore().fit([sine((1, 0))]), DataError, "does not vary"),
        (lambda: ZScore().fit([]), DataError, "no calibration recording"),
        (
            lambda: Normalise(method="mmax", learned=(("p01", "a", 2.0),)).apply(sine((1, 1))),
            LayoutError,
            r"no reference for channels \['b'\]",
        ),
        (
            lambda: ZScore(learned=(("p01", "a", 0, 1),)).apply(
                ZScore(learned=(("p01", "a", 0, 1),)).apply(sine((1,)))
            ),
            LayoutError,
            "normalised already",
        ),
    ],
)
def test_refusals(work, error, message):
    with pytest.raises(error, match=message):
        work()
