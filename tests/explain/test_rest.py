"""Rest: what is left where a muscle is taken away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from myograph.core.errors import DataError
from myograph.explain.explanation import Attribution
from myograph.explain.question import ask
from myograph.explain.rest import Rest, band_levels, factors, quietest
from myograph.explain.shapley import shapley
from myograph.explain.signal_game import MuscleGame

BANDS = [(0.0, 100.0), (100.0, 250.0)]


def louder(recording, by: float):
    return replace(recording, samples=np.float32(by) * recording.samples)


def asked(pipeline, recording):
    return ask(pipeline, recording, target="fist", against="rest")


@pytest.mark.parametrize("chance", [0.05, 0.2])
def test_the_quietest_windows_tell_the_middle_of_rest(rng, chance):
    levels = np.exp(chance * rng.standard_normal((2000, 3)))
    levels[1200:] *= 5  # what is done in two fifths of the time
    found = quietest(levels)
    np.testing.assert_allclose(found, 1.0, rtol=0.05 + chance / 4)
    lowest = np.quantile(levels, 0.05, axis=0)
    assert (np.abs(np.log(found)) < np.abs(np.log(lowest))).all()


def test_quiet_is_never_above_the_median_and_one_window_is_itself(rng):
    levels = np.exp(rng.standard_normal(40))  # nothing but change: none of it is chance
    assert quietest(levels) <= np.median(levels)
    assert quietest(levels[:1]) == levels[0]
    assert quietest(np.zeros(9)) < 1e-9


def test_bands_share_the_power_of_a_channel(rng):
    x = rng.standard_normal((4, 2, 100))
    parts = band_levels(x, 500.0, BANDS)
    np.testing.assert_allclose((parts**2).sum(axis=0), x.var(axis=2))


def test_nothing_grows_louder():
    left = factors(np.array([2.0, 1.0, 0.0]), np.array([1.0, 2.0, 4.0]), quiet=0.01)
    assert left.tolist() == [1.0, 0.5, 0.01]


def test_where_recordings_hold_rest_it_is_this_persons(lda, people, newcomer):
    rest = Rest.of(lda, people, BANDS)
    assert (rest.trust == 1).all()
    for by in (0.5, 1.0, 1.8):
        level = rest.here(asked(lda, louder(newcomer, by)))
        assert level.shape == (3, 3)
        assert level[0] / (10 * by) == pytest.approx(np.ones(3), rel=0.15)


def test_what_is_much_louder_than_anybodys_rest_is_none(lda, people, newcomer):
    rest = Rest.of(lda, people, BANDS)
    level = rest.here(asked(lda, louder(newcomer, 5.0)))
    assert level[0] == pytest.approx(rest.typical[0])


def test_where_recordings_hold_one_grasp_rest_is_that_of_training_people(lda, people, newcomer):
    unlike = [louder(r, 1 + 0.1 * k) for k, r in enumerate(people)]
    grasps = [r.crop(start, start + 2.0) for r in unlike for start in (0.0, 2.0, 4.0)]
    rest = Rest.of(lda, grasps, BANDS)
    assert (rest.trust[0, 1:] < 0.2).all()  # the second and third muscle do not rest in all of them
    assert rest.trust[0, 0] > 0.8  # the first does
    fist = newcomer.crop(2.0, 4.0)
    level = rest.here(asked(lda, fist))
    assert level[0, 1] < 1.5 * rest.typical[0, 1]  # and not 40, at which it is all the time
    found = shapley(MuscleGame(asked(lda, fist), rest))
    assert found.names[int(found.values.argmax())] == "b"


def test_a_person_of_louder_skin_is_not_active_everywhere(lda, people, newcomer):
    """A muscle that only rests adds nothing, however loud its rest."""
    samples = newcomer.samples.copy()
    samples[0] *= 1.6
    question = asked(lda, replace(newcomer, samples=samples))
    found: Attribution = shapley(MuscleGame(question, Rest.of(lda, people, BANDS)))
    assert np.abs(found.values[0]) < 0.1 * np.abs(found.values).max()


def test_training_people_without_windows_are_refused(lda, newcomer):
    with pytest.raises(DataError, match="training people give no window"):
        Rest.of(lda, [newcomer.crop(0.0, 0.1)], BANDS)
