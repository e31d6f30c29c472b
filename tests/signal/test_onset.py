import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, ParameterError
from myograph.signal.adaptive import AdaptiveDoubleThreshold
from myograph.signal.conditioning import WhitenedPairs, teager_kaiser
from myograph.signal.detection import check_rest, epochs_of, without_release
from myograph.signal.levels import BayesianLevels, PeltLevels, RestModel
from myograph.signal.onset import DoubleThreshold, HodgesBui, TeagerKaiser, hodges_bui_variants
from myograph.signal.whitening import autoregression

FS = 1000.0
DETECTORS = [
    HodgesBui(),
    TeagerKaiser(),
    DoubleThreshold(window=10, needed=0, false_alarm=0.001),
    AdaptiveDoubleThreshold(),
    BayesianLevels(),
]


def burst(seed=0, *, gain=10.0, on=1.2, off=1.8, duration_s=3.0):
    t = np.arange(round(duration_s * FS)) / FS
    noise = np.random.default_rng(seed).standard_normal(len(t))
    return noise * np.where((t >= on) & (t < off), gain, 1.0)


def edges_of(detector, x, rest=800, pieces=None):
    state = detector.calibrate(x[:rest], fs_hz=FS).start()
    parts = [x] if pieces is None else np.split(x, pieces)
    return [edge for part in parts for edge in state.push(part)]


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
@pytest.mark.parametrize("seed", range(3))
def test_a_loud_burst_is_found_where_it_is(detector, seed):
    x = burst(seed, gain=20.0)
    ((onset, end),) = epochs_of(edges_of(detector, x), duration_s=3.0)
    assert onset == pytest.approx(1.2, abs=0.025)
    assert end == pytest.approx(1.8, abs=0.03)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 3000), max_size=20), seed=st.integers(0, 5))
def test_pushed_in_pieces_is_pushed_at_once(detector, cuts, seed):
    x = burst(seed, gain=4.0)
    assert edges_of(detector, x, pieces=sorted(cuts)) == edges_of(detector, x)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
@settings(max_examples=10, deadline=None)
@given(power=st.integers(-8, 8))
def test_the_unit_does_not_matter(detector, power):
    x = burst(1)
    plain, scaled = edges_of(detector, x), edges_of(detector, x * 2.0**power)
    assert [e.rising for e in plain] == [e.rising for e in scaled]
    np.testing.assert_allclose([e.at_s for e in plain], [e.at_s for e in scaled], atol=2e-3)


@pytest.mark.parametrize("detector", DETECTORS[:3], ids=lambda d: d.name)
def test_what_comes_later_comes_out_later(detector):
    ready = detector.calibrate(burst(2)[:800], fs_hz=FS)
    plain = ready.start().push(burst(2))
    more_rest = np.random.default_rng(9).standard_normal(400)
    shifted = [e for e in ready.start().push(np.concatenate([more_rest, burst(2)])) if e.at_s > 1]
    np.testing.assert_allclose([e.at_s for e in shifted], [e.at_s + 0.4 for e in plain], atol=0.002)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
def test_an_edge_is_never_known_before_it_happens(detector):
    edges = edges_of(detector, burst(3))
    assert edges
    assert all(edge.known_s >= edge.at_s for edge in edges)
    assert [edge.rising for edge in edges[:2]] == [True, False]


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
@pytest.mark.parametrize(
    ("rest", "message"),
    [
        (np.zeros(500), "do not vary"),
        (np.ones(20), "at least 0.1 s of rest"),
        (np.ones((2, 500)), "one channel"),
        (np.where(np.arange(500) == 7, np.nan, 1.0), "NaN or infinity"),
    ],
)
def test_rest_that_teaches_nothing_is_refused(detector, rest, message):
    with pytest.raises(DataError, match=message):
        detector.calibrate(rest, fs_hz=FS)


def test_all_27_variants_find_a_clear_burst():
    x = np.repeat(burst(0, gain=30.0), 2)  # at 2000 Hz, so that 500 Hz is a low-pass
    found = set()
    for variant in hodges_bui_variants():
        ready = without_release(variant.calibrate(x[:1600], fs_hz=2000.0))
        onsets = [edge.at_s for edge in ready.start().push(x) if edge.rising]
        assert min(abs(onset - 1.2) for onset in onsets) < 0.12, variant
        found.add((variant.low_pass_hz, variant.n_sd, variant.window_ms))
    assert len(found) == 27


def test_a_low_pass_beyond_nyquist_is_refused():
    with pytest.raises(ParameterError, match="Nyquist"):
        HodgesBui(low_pass_hz=500.0).calibrate(burst()[:500], fs_hz=FS)


def test_more_standard_deviations_are_a_higher_threshold():
    rest = burst()[:900]
    levels = [HodgesBui(n_sd=n).calibrate(rest, fs_hz=FS).threshold for n in (1.0, 2.0, 3.0)]
    assert levels[2] - levels[1] == pytest.approx(levels[1] - levels[0])
    assert levels[0] < levels[1]


def test_teager_kaiser_energy_of_a_sine():
    """A^2 sin^2(w), everywhere."""
    n = np.arange(200)
    np.testing.assert_allclose(
        teager_kaiser(3 * np.sin(0.4 * n + 1)), 9 * np.sin(0.4) ** 2, rtol=1e-9
    )


def test_teager_kaiser_learns_from_the_conditioned_rest():
    """In squared units: ten times the amplitude, a hundred times the threshold."""
    rest = burst()[:900]
    small, large = (TeagerKaiser().calibrate(k * rest, fs_hz=FS).threshold for k in (1, 10))
    assert large == pytest.approx(100 * small, rel=1e-4)


def test_pairs_of_rest_exceed_as_often_as_asked():
    """The pairs do not overlap, so the windows' false alarms are binomial."""
    rng = np.random.default_rng(4)
    coloured = np.convolve(rng.standard_normal(200_000), [1, 0.8, 0.5, 0.2], "valid")
    detector = DoubleThreshold(window=5, needed=1, false_alarm=0.05)
    ready = detector.calibrate(coloured[:50_000], fs_hz=FS)
    points = ready.condition().push(coloured[50_000:])
    blocks = points[: len(points) // 5 * 5].reshape(-1, 5)
    rate = ((blocks > ready.threshold).sum(axis=1) >= 1).mean()
    assert rate == pytest.approx(0.05, abs=0.006)
    lagged = np.corrcoef(points[:-1], points[1:])[0, 1]
    assert abs(lagged) < 0.02


def test_pairs_share_no_sample():
    state = WhitenedPairs(np.array([1.0]))
    assert state.push(np.array([1.0, 2.0, 3.0])).tolist() == [5.0]
    assert state.push(np.array([4.0])).tolist() == [25.0]


def test_the_adaptive_rule_follows_the_noise():
    """Noise that doubles is no action; the fixed threshold takes it for one."""
    rng = np.random.default_rng(6)
    noise = rng.standard_normal(20_000) * np.linspace(1, 2, 20_000)
    t = np.arange(20_000) / FS
    x = noise * np.where((t > 15) & (t < 16), 8, 1)
    fixed = DoubleThreshold(window=20, needed=0, false_alarm=0.001)
    adaptive = AdaptiveDoubleThreshold()
    assert len(epochs_of(edges_of(fixed, x), duration_s=20)) > 5
    ((onset, end),) = epochs_of(edges_of(adaptive, x), duration_s=20)
    assert (onset, end) == (pytest.approx(15, abs=0.05), pytest.approx(16, abs=0.05))


def test_change_points_give_the_same_epochs_offline():
    x = burst(5, gain=15.0)
    rest = RestModel.of(x[:800], fs_hz=FS)
    ((onset, end),) = PeltLevels().epochs(x, rest, least_on_s=0.03, least_off_s=0.03)
    assert (onset, end) == (pytest.approx(1.2, abs=0.01), pytest.approx(1.8, abs=0.01))


def test_whitening_makes_lags_independent():
    x = np.convolve(np.random.default_rng(1).standard_normal(60_000), 0.7 ** np.arange(30), "valid")
    coefficients, variance = autoregression(x, order=3)
    assert coefficients[:2] == pytest.approx([1, -0.7], abs=0.02)
    assert variance == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HodgesBui(n_sd=0), "n_sd must be above 0"),
        (lambda: DoubleThreshold(window=3, needed=4), "needed must be at most window=3; got 4"),
        (lambda: DoubleThreshold(false_alarm=1.0), "below 1"),
        (lambda: AdaptiveDoubleThreshold(memory=1.5), "memory must be above 0 and at most 1"),
        (lambda: BayesianLevels(expected_s=0), "expected_s must be above 0"),
    ],
)
def test_contradictory_parameters_are_refused(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


def test_rest_is_returned_as_it_was():
    rest = burst()[:300]
    np.testing.assert_array_equal(check_rest(rest, fs_hz=FS), rest)
