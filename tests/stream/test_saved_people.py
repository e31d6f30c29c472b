"""``twin:`` takes a person by number, with a body, from a cohort's folder, or as a fitted twin."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import Recording
from myograph.stream.find import find_source
from myograph.stream.generated import fitted_twin, kept_person, simulated_body
from myograph.twin.cohort import Scene
from myograph.twin.cohorts.fitted import months_at_loss
from myograph.twin.cohorts.progression import PROGRESSION, case
from myograph.twin.inference import fit
from myograph.twin.visit import Observations
from myograph.workflows.simulate import simulate_cohort


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("cohort") / "needles"
    simulate_cohort("needle", path, people=2, takes=1, seconds=2, seed=4, jobs=1)
    return path


@pytest.fixture(scope="module")
def twin_file(tmp_path_factory):
    months = np.array([0.0, 4.0, 8.0])
    visits = Observations(months, {"munix": np.array([120.0, 95.0, 70.0])}, muscle="ADM")
    path = tmp_path_factory.mktemp("twin") / "a.twin.json"
    path.write_text(json.dumps(fit(visits, seed=0, particles=150).to_dict()))
    return path


def first(source) -> tuple[int, int]:
    async def go() -> tuple[int, int]:
        layout = await source.open(timeout_s=30.0)
        chunk = await source.read()
        await source.close()
        return layout.n_channels, chunk.samples.shape[0]

    return asyncio.run(go())


@pytest.mark.slow
def test_a_cohorts_person_is_streamed_recording_after_recording(folder):
    make = kept_person(folder, "sim-002")
    assert make(0).subject.pseudonym == "sim-002"
    np.testing.assert_array_equal(make(0).samples, make(1).samples)  # there is one, again
    assert kept_person(folder)(0).subject.pseudonym == "sim-001"
    assert first(find_source(f"twin:{folder}?person=sim-002&speed=50")) == (1, 1)
    with pytest.raises(ParameterError, match=r"person of .*needles must be one of .*sim-001"):
        find_source(f"twin:{folder}?person=sim-009")


@pytest.mark.slow
def test_the_same_person_by_number_with_a_body(folder):
    live = simulated_body("needle", 2, seconds=2.0, seed=4)(0)
    assert isinstance(live, Recording)
    np.testing.assert_array_equal(live.samples, kept_person(folder, "sim-002")(0).samples)
    one = simulated_body("needle", 1, seconds=2.0, condition="myopathy")(0)
    assert one.subject.condition == "simulated: myopathy"


@pytest.mark.slow
def test_a_fitted_twin_loses_the_units_that_it_says(twin_file):
    made = fitted_twin(twin_file, seconds=6.0, seed=1)
    one, again = made(0), made(1)
    assert one.n_channels == 8
    assert one.subject.condition == "simulated: als"
    assert not np.array_equal(one.samples, again.samples)


def test_the_month_of_a_loss_is_where_the_course_has_it():
    course = case(PROGRESSION.checked(Scene(people=1, seed=2, condition="als")), 0).course
    for lost in (0.1, 0.5, 0.8):
        months = months_at_loss(course, lost)
        assert course.burden([months]).unit_loss[0] == pytest.approx(lost, abs=1e-3)
    assert months_at_loss(course, 0.0) == 0.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("twin:nobody", r"twin fit\); got 'nobody'"),
        ("twin:3?condition=als", "condition=, seconds= and seed= need kind=gestures"),
        ("twin:3?kind=gesture", "kind of cohort must be one of .* Did you mean 'gestures'"),
        ("twin:3?kind=needle&condition=flu", "condition"),
        ("twin:3?kind2=1", "option of twin"),
    ],
)
def test_whom_it_cannot_find(text, told):
    with pytest.raises(ParameterError, match=told):
        find_source(text)


@pytest.mark.parametrize(
    ("content", "told"),
    [("{}", "not a patient's twin"), ("[", "cannot be read as a twin"), (None, "cannot be read")],
)
def test_a_file_that_is_no_twin(tmp_path, content, told):
    path = tmp_path / "b.twin.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=told):
        find_source(f"twin:{path}")


def test_a_folder_that_is_no_cohort(tmp_path):
    with pytest.raises(DataError, match="is not a simulated cohort"):
        find_source(f"twin:{tmp_path}")
