"""The demo: real people when there are any, simulated ones otherwise, and it says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from myograph import datasets
from myograph.core.errors import OutputExistsError
from myograph.datasets import Dataset, SimulatedCohort
from myograph.workflows import demo as module
from myograph.workflows.demo import demo, find_real


@pytest.fixture
def _nothing_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MYOGRAPH_MIRROR", raising=False)
    monkeypatch.setenv("MYOGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "__file__", str(tmp_path / "a" / "b" / "c" / "d" / "demo.py"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def _few_people(monkeypatch: pytest.MonkeyPatch) -> None:
    small = SimulatedCohort(
        fs_hz=500.0, n_people=4, n_sessions=1, n_repetitions=3, n_channels=4, hold_s=1.0
    )

    def load(name: str, **_: object) -> Dataset:
        assert name == "simulated"
        return datasets.simulate(small)

    monkeypatch.setattr(datasets, "load", load)


@pytest.mark.usefixtures("_nothing_real", "_few_people")
def test_without_real_recordings_people_are_simulated_and_called_so(cli, tmp_path: Path) -> None:
    out = tmp_path / "runs" / "demo"
    said = cli("demo", "--out", out, "-j", 1)
    assert said.code == 0, said.err
    assert "4 SIMULATED people, no real recordings are at hand" in said.out
    assert "never clinical performance" in said.out
    for name in ("lda", "svm", "random-forest", "chance", "audits for leakage: all passed"):
        assert name in said.out
    assert str(out / "evaluation" / "report.html") in said.out
    assert (out / "best.myomodel").is_file()
    page = (out / "evaluation" / "report.html").read_text()
    assert "Simulated data: no person was measured." in page
    assert "svm" in page
    assert "Corrected for 2 comparisons (Holm)" in page
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "cache") == ["runs"]


@pytest.mark.usefixtures("_nothing_real", "_few_people")
def test_it_may_run_again_and_never_touches_other_folders(tmp_path: Path) -> None:
    first = demo(tmp_path / "demo", jobs=1)
    again = demo(tmp_path / "demo", jobs=1)
    assert first.person == again.person
    assert first.accuracy == again.accuracy
    assert first.person in again.trained.left_out
    assert again.trained.people == 3
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputExistsError, match="holds other things"):
        demo(tmp_path / "mine", jobs=1)


@pytest.mark.usefixtures("_nothing_real")
def test_real_recordings_are_found_beside_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_real() is None
    beside = tmp_path / "shared" / "data"
    beside.mkdir(parents=True)
    (beside / "uci-gestures.tar.xz").write_bytes(b"")
    here = tmp_path / "checkout"
    here.mkdir()
    monkeypatch.chdir(here)
    found = find_real()
    assert found is not None
    assert found[0] == "uci-gestures"
    (beside / "myo-cotellard.tar.xz").write_bytes(b"")
    found = find_real()
    assert found is not None
    assert found[0] == "myo-cotellard"


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_on_real_people(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYOGRAPH_MIRROR", str(mirror))
    done = demo(tmp_path / "demo", jobs=2)
    assert not done.simulated
    assert done.data == "myo-cotellard"
    for result in done.results.values():
        assert result.passed
        assert len(result.people) == 19
        assert 0.70 < result.metrics["accuracy"].value < 0.85
    assert 0.6 < done.accuracy < 0.95
