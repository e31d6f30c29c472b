"""Whatever a file holds, only Myograph's own errors come out of `read`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myograph.core.errors import MyographError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, RecordingSet
from myograph.io import FORMATS, read, write

WRITABLE = [entry.name for entry in FORMATS.values() if entry.save]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, bytes]]:
    """Return a function that gives a small good file of a format, and its bytes."""
    folder = tmp_path_factory.mktemp("hostile")
    layout = Layout(100.0, (Channel("a", "semg", muscle="soleus"), Channel("b", "force")))
    samples = np.linspace(-3, 3, 400, dtype=np.float32).reshape(2, 200)
    given_one = Recording(samples, layout, events=(Event(0.5, 0.5, "grip", "protocol", "1"),))
    made: dict[str, tuple[Path, bytes]] = {}

    def get(name: str) -> tuple[Path, bytes]:
        if name not in made:
            ending = (*FORMATS[name].suffixes, ".mat")[0]
            path = write(given_one, folder / f"{name}{ending}", as_format=name)
            made[name] = path, path.read_bytes()
        return made[name]

    return get


def outcome(path: Path) -> str:
    """Read the file: either it is a recording, or the reason it is not is told."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries, about the damage
        try:
            back = read(path, stray_events="drop")
        except MyographError as error:
            return str(error)
    assert isinstance(back, Recording | RecordingSet)
    return "read"


spots = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
)


@pytest.mark.parametrize("name", WRITABLE)
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(spots=spots, early=st.booleans())
def test_altered_bytes(
    healthy: Callable[[str], tuple[Path, bytes]],
    name: str,
    spots: list[tuple[float, int]],
    early: bool,
) -> None:
    path, good = healthy(name)
    data = bytearray(good)
    reach = min(len(data), 800) if early else len(data)  # headers stand at the beginning
    for place, value in spots:
        data[int(place * reach)] = value
    path.write_bytes(data)
    try:
        said = outcome(path)
        assert said == "read" or path.stem in said
    finally:
        path.write_bytes(good)


@pytest.mark.parametrize("name", WRITABLE)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(share=st.floats(0, 1, exclude_max=True), tail=st.binary(max_size=64))
def test_cut_and_continued(
    healthy: Callable[[str], tuple[Path, bytes]], name: str, share: float, tail: bytes
) -> None:
    path, good = healthy(name)
    path.write_bytes(good[: int(share * len(good))] + tail)
    try:
        said = outcome(path)
        assert said == "read" or path.stem in said
    finally:
        path.write_bytes(good)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=2000), name=st.sampled_from(["x.edf", "x.csv", "x.mat", "x.hea"]))
def test_random_bytes(tmp_path: Path, data: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert str(path) in outcome(path) or not data.strip()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text("0123456789.,;-+eE \t\n#anif\"'()", max_size=200))
def test_random_tables(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read(path, fs_hz=100, kinds="semg", unit="uV")
        except MyographError as error:
            said = str(error)
        else:
            said = str(path)
    assert str(path) in said
