"""What every format owes, tested over the registry: a new format is tested the day it exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from myograph.core.errors import DataError, MyographError, OutputExistsError, ParameterError
from myograph.core.recording import Recording, RecordingSet
from myograph.io import FORMATS, Format, read, write
from myograph.io.formats import METADATA, sniff_format

WRITABLE = [entry for entry in FORMATS.values() if entry.save]
SETS = [entry for entry in WRITABLE if "sets" in entry.holds]
by_name = pytest.mark.parametrize("entry", WRITABLE, ids=lambda entry: entry.name)

Save = Callable[[Recording | RecordingSet, Format], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def save(recording: Recording | RecordingSet, entry: Format) -> Path:
        suffix = entry.suffixes[0] if entry.suffixes else ".mat"
        return write(recording, tmp_path / f"rec{suffix}", as_format=entry.name)

    return save


def assert_close(back: Recording, given: Recording, entry: Format) -> None:
    span = np.ptp(given.samples, axis=1, keepdims=True)
    error = np.abs(back.samples.astype(np.float64) - given.samples) / np.where(span > 0, span, 1)
    assert error.max() <= entry.relative_error


def known(recording: Recording, what: str) -> object:
    """Return what a recording knows under one of the names of METADATA."""
    of_channels = {"kinds": "kind", "muscles": "muscle", "sides": "side"}
    of_channels |= {"positions": "position_mm", "scales": "scale"}
    if what in of_channels:
        return [getattr(channel, of_channels[what]) for channel in recording.layout.channels]
    if what == "events":
        return [(e.onset_s, e.duration_s, e.label) for e in recording.events]
    if what in ("event_sources", "trials"):
        return [getattr(e, what.removeprefix("event_")[:-1]) for e in recording.events]
    return getattr(recording, what)


@by_name
def test_holds_names_known_metadata(entry: Format) -> None:
    assert entry.holds <= METADATA
    assert entry.title
    assert entry.name == entry.name.lower()


@by_name
def test_what_a_format_says_it_holds_survives(entry: Format, full: Recording, save: Save) -> None:
    back = read(save(full, entry))
    assert isinstance(back, Recording)
    assert (back.layout.names, back.fs_hz) == (full.layout.names, full.fs_hz)
    for what in sorted(entry.holds - {"sets"}):
        assert known(back, what) == known(full, what), what
    if entry.holds >= METADATA - {"sets"}:
        assert replace(back, samples=full.samples) == full
    assert_close(back, full, entry)


@by_name
def test_recipe_and_clock_survive(entry: Format, full: Recording, save: Save) -> None:
    derived = full.select(kinds=["semg"]).crop(0.5, 2.0)
    back = read(save(derived, entry))
    assert isinstance(back, Recording)
    for what in sorted(entry.holds - {"sets"}):
        assert known(back, what) == known(derived, what), what
    if "recipe" in entry.holds:
        assert back.source_digest == full.source_digest


@by_name
@pytest.mark.parametrize(
    ("start_s", "stop_s"),
    [(0.0, 2.5005), (0.0, 0.0005), (0.3, 0.9), (1.0, 2.0), (2.4999, 2.5005), (0.9995, 1.001)],
)
@pytest.mark.parametrize("names", [None, ["myo3", "TA left"], ["acc"]])
def test_slices_agree_with_cropping(
    entry: Format,
    full: Recording,
    save: Save,
    start_s: float,
    stop_s: float,
    names: list[str] | None,
) -> None:
    path = save(full, entry)
    whole = read(path)
    assert isinstance(whole, Recording)
    wanted = whole.select(names) if names else whole
    options = {"channels": names} if names else {}
    everything = (start_s, stop_s) == (0.0, 2.5005)
    expected = wanted if everything else wanted.crop(start_s, stop_s)
    assert read(path, start_s=start_s, stop_s=stop_s, **options) == expected


@by_name
def test_slices_outside_the_recording_are_refused(
    entry: Format, emg: Recording, save: Save
) -> None:
    path = save(emg, entry)
    with pytest.raises(ParameterError, match=r"0 <= start_s < stop_s <= 1; got start_s=0.5, stop_"):
        read(path, start_s=0.5, stop_s=1.5)
    with pytest.raises(ParameterError, match="start_s < stop_s"):
        read(path, start_s=0.5, stop_s=0.5)


@by_name
def test_unknown_channels_are_refused(entry: Format, emg: Recording, save: Save) -> None:
    with pytest.raises(DataError, match=r"one of \['emg1', 'emg2'\]; got 'emg3'. Did you mean"):
        read(save(emg, entry), channels=["emg3"])


@by_name
def test_options_without_meaning_are_refused(entry: Format, emg: Recording, save: Save) -> None:
    path = save(emg, entry)
    for option, value in {"fs_hz": 500.0, "variable": "x", "time_axis": 0}.items():
        if option not in entry.options:
            with pytest.raises(ParameterError, match=f"{option}= has no meaning for"):
                read(path, **{option: value})


@by_name
def test_one_format_knows_a_written_file(entry: Format, emg: Recording, save: Save) -> None:
    path = save(emg, entry)
    assert sniff_format(path) is entry
    with path.open("rb") as file:
        head = file.read(4096)
    knowing = [other.name for other in FORMATS.values() if other.sniff(head, path)]
    ranks = [FORMATS[name].rank for name in knowing]
    assert ranks.count(min(ranks)) == 1, knowing


@by_name
def test_an_existing_file_is_left_alone(entry: Format, emg: Recording, save: Save) -> None:
    path = save(emg, entry)
    before = path.read_bytes()
    with pytest.raises(OutputExistsError, match="already exists and is left as it is"):
        save(emg, entry)
    assert path.read_bytes() == before
    assert write(emg.crop(0.0, 0.5), path, force=True, as_format=entry.name) == path
    back = read(path)
    assert isinstance(back, Recording)
    assert back.duration_s == 0.5


@pytest.mark.parametrize("entry", SETS, ids=lambda entry: entry.name)
def test_sets_survive(entry: Format, pair: RecordingSet, save: Save) -> None:
    back = read(save(pair, entry))
    assert isinstance(back, RecordingSet)
    assert list(back) == list(pair)
    for name in pair:
        assert replace(back[name], samples=pair[name].samples) == pair[name]
        assert_close(back[name], pair[name], entry)


@pytest.mark.parametrize("entry", SETS, ids=lambda entry: entry.name)
def test_channels_are_chosen_across_a_set(entry: Format, pair: RecordingSet, save: Save) -> None:
    path = save(pair, entry)
    back = read(path, channels=["grip", "acc"])
    assert isinstance(back, RecordingSet)
    assert {name: back[name].layout.names for name in back} == {"emg": ("acc",), "imu": ("grip",)}
    alone = read(path, channels=["grip"])
    assert list(alone) == ["imu"]
    with pytest.raises(DataError, match=r"has no channels \['nothing'\]; it has \['TA left'"):
        read(path, channels=["grip", "nothing"])


@pytest.mark.parametrize(
    "entry", [e for e in WRITABLE if e not in SETS], ids=lambda entry: entry.name
)
def test_sets_are_refused_where_they_do_not_fit(
    entry: Format, pair: RecordingSet, save: Save, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"this set has 2 recordings \(\['emg', 'imu'\]\)"):
        save(pair, entry)
    assert list(tmp_path.iterdir()) == []


@by_name
def test_empty_files_are_refused(entry: Format, tmp_path: Path) -> None:
    path = tmp_path / f"rec{(*entry.suffixes, '.mat')[0]}"
    path.touch()
    with pytest.raises(DataError, match="is empty"):
        read(path)


@by_name
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999])
def test_truncated_files_are_refused(
    entry: Format, emg: Recording, save: Save, share: float
) -> None:
    path = save(emg, entry)
    if entry.name == "wfdb":
        path = path.with_suffix(".dat")
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(MyographError, match="rec"):
        read(path)
