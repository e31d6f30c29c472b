"""From a table of visits to a twin on disk, and back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from myograph.core.errors import ArtifactError, DataError, OutputExistsError, ParameterError
from myograph.twin.inference import Checkpoint, fit
from myograph.workflows.twin import (
    arms_of,
    fit_twin,
    known_of,
    load_twin,
    simulate_twin,
    twin_object,
    what_if_object,
)
from myograph.workflows.visits import read_observations

TABLE = """months,muscle,pseudonym,cmap_mv,munix
0,TA,p07,6.2,140
3,TA,p07,5.9,
6,TA,p07,5.1,110
9,TA,p07,4.8,96
"""


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "visits.csv"
    file.write_text(TABLE)
    return file


def written(tmp_path, text, encoding="utf-8"):
    file = tmp_path / "other.csv"
    file.write_text(text, encoding=encoding)
    return file


def test_a_table_is_read(table):
    seen = read_observations(table)
    assert (seen.muscle, seen.pseudonym, seen.n_visits, seen.count) == ("TA", "p07", 4, 7)
    assert np.isnan(seen.values["munix"][1])
    assert read_observations(table, muscle="ADM", norms={"munix": 170}).norms == {"munix": 170}


def test_dates_semicolons_decimal_commas_and_order(tmp_path):
    text = "\ufeffdate;cmap_mv\n2026-03-01;9,5\n2026-01-01;10,25\n\n2026-07-01;NA\n"
    seen = read_observations(written(tmp_path, text))
    np.testing.assert_allclose(seen.months, [0, 59 / 30.4375, 181 / 30.4375])
    np.testing.assert_allclose(seen.values["cmap_mv"], [10.25, 9.5, np.nan])
    assert seen.pseudonym == "other"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no visit"),
        ("months,cmap_mv\n", "holds no visit"),
        ("months,cmap\n0,9\n", "Did you mean 'cmap_mv'"),
        ("cmap_mv\n9\n", "says when"),
        ("months,date,cmap_mv\n0,2026-01-01,9\n", "says when"),
        ("months,cmap_mv,cmap_mv\n0,9,9\n", "stands twice"),
        ("months,cmap_mv\n0,9,4\n", "row 2: 3 cells under 2 names"),
        ("months,cmap_mv\n0,nine\n", "row 2, column cmap_mv: 'nine' is not a number"),
        ("months,cmap_mv\n,9\n", "row 2: the visit has no months"),
        ("date,cmap_mv\n1.3.2026,9\n", "row 2: a date is written as"),
        ("months,muscle,cmap_mv\n0,TA,9\n3,ADM,8\n", "several values of muscle"),
        ("months,cmap_mv\n0,9\n0,8\n", "ascend"),
    ],
)
def test_tables_that_cannot_be_read_say_where(tmp_path, text, told):
    with pytest.raises(DataError, match=told):
        read_observations(written(tmp_path, text))


def test_files_that_are_no_tables_are_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_observations(tmp_path / "none.csv")
    with pytest.raises(DataError, match="not text"):
        read_observations(written(tmp_path, "months,cmap_mv\n0,9 µ\n", "latin-1"))


def test_a_twin_is_fitted_written_and_asked(table, tmp_path):
    out, page = tmp_path / "p07.twin.json", tmp_path / "p07.html"
    seen = []
    twin = fit_twin(
        table, out, seed=3, particles=150, report=page, progress=lambda *told: seen.append(told)
    )
    assert seen[-1][:2] == (100, 100)
    assert load_twin(out).found() == twin.found()
    assert not out.with_name("p07.twin.json.part").exists()
    assert "no diagnosis" in page.read_text()
    told = json.loads(json.dumps(twin_object(twin), allow_nan=False))
    assert told["visits"] == 4
    assert told["limits"]
    _, found = simulate_twin(out, ["riluzole"], months=6, report=tmp_path / "what.html")
    told = json.loads(json.dumps(what_if_object(twin, found), allow_nan=False))
    assert [arm["name"] for arm in told["arms"]] == ["as it goes on", "riluzole"]
    assert "difference_at_end" in told["arms"][1]["trajectories"]["units"]
    with pytest.raises(OutputExistsError, match="already exists"):
        fit_twin(table, out, particles=150)


def test_a_twin_is_not_written_under_the_name_of_a_table(table, tmp_path):
    with pytest.raises(ParameterError, match=r"ends in \.json .*got 'p07\.csv'"):
        fit_twin(table, tmp_path / "p07.csv")
    assert not (tmp_path / "p07.csv").exists()


def test_a_fit_that_was_stopped_goes_on(table, tmp_path):
    out = tmp_path / "p07.twin.json"
    part = tmp_path / "p07.twin.json.part"
    whole = fit(read_observations(table), seed=3, particles=150)

    class Stop(Exception):
        pass

    def stop(done, total, told):
        if told == "stage 2":
            raise Stop

    with pytest.raises(Stop):
        fit_twin(table, out, seed=3, particles=150, progress=stop)
    assert part.is_file()
    assert not out.exists()
    with pytest.raises(ArtifactError, match="belongs to other visits"):
        fit_twin(table, out, seed=4, particles=150)
    again = fit_twin(table, out, seed=3, particles=150)
    np.testing.assert_array_equal(again.whitened, whole.whitened)
    assert Checkpoint(print).saved is None


def test_files_that_are_no_twins_are_refused(tmp_path):
    file = tmp_path / "x.twin.json"
    with pytest.raises(DataError, match="cannot be read"):
        load_twin(file)
    file.write_text("{")
    with pytest.raises(DataError, match="not JSON"):
        load_twin(file)
    file.write_text("[]")
    with pytest.raises(ArtifactError, match="not a patient's twin"):
        load_twin(file)


def test_what_people_type():
    arms = arms_of(["riluzole@6:18", "strength training+riluzole"])
    first = arms["riluzole@6:18"][0]
    assert (first.start_months, first.stop_months) == (6, 18)
    assert len(arms["strength training+riluzole"]) == 2
    for text, told in (("riluzole@x", "NAME@START"), ("rilzole", "Did you mean 'riluzole'")):
        with pytest.raises(ParameterError, match=told):
            arms_of([text])
    with pytest.raises(ParameterError, match="asked for twice"):
        arms_of(["riluzole", "riluzole"])
    assert known_of(["units=150"]) == {"units": (150.0, 0.1)}
    with pytest.raises(ParameterError, match="NAME=MEDIAN"):
        known_of(["units"])
