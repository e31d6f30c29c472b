"""Myograph's own files: exact, sliced without loading, watchful."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from myograph.core.errors import FormatError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Recording
from myograph.io import read, write


@pytest.fixture
def large(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Write 32 MB: 8 channels, a million samples each."""
    layout = Layout(10_000.0, tuple(Channel(f"e{i}", "semg") for i in range(8)))
    samples = rng.standard_normal((8, 1_000_000), dtype=np.float32)
    return write(Recording(samples, layout), tmp_path / "large.myo.h5")


def traced_peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_slice_is_read_without_the_rest(large: Path) -> None:
    read(large, stop_s=0.1)  # modules are loaded once
    part = traced_peak(lambda: read(large, start_s=50.0, stop_s=51.0, channels=["e3"]))
    whole = traced_peak(lambda: read(large))
    assert part < 2e6 < 32e6 < whole


def test_only_the_chunks_of_a_slice_are_touched(large: Path) -> None:
    with h5py.File(large, "r") as file:
        stored = file["members/0/samples"]
        chunk = stored.id.get_chunk_info_by_coord((3, 0))
        assert stored.chunks[0] == 1
        assert stored.fletcher32
    data = bytearray(large.read_bytes())
    data[chunk.byte_offset + 100] ^= 0xFF
    large.write_bytes(data)
    read(large, channels=["e2"])
    read(large, channels=["e3"], start_s=50.0, stop_s=51.0)
    with pytest.raises(FormatError, match="damaged or truncated Myograph file"):
        read(large, channels=["e3"], stop_s=1.0)


def test_a_slice_remembers_its_source(large: Path) -> None:
    whole = read(large)
    part = read(large, start_s=1.0, stop_s=2.0, channels=["e0"])
    assert isinstance(whole, Recording)
    assert isinstance(part, Recording)
    assert part.source_digest == whole.source_digest
    assert [step.step for step in part.recipe.steps] == ["select", "crop"]


def test_other_tools_can_read_it(full: Recording, tmp_path: Path) -> None:
    path = write(full, tmp_path / "rec.myo.h5")
    assert path.read_bytes().startswith(b"Myograph recording\nThis is HDF5 (from byte 512)")
    with h5py.File(path, "r") as file:
        np.testing.assert_array_equal(file["members/0/samples"][()], full.samples)


def test_a_file_with_other_samples_is_refused(full: Recording, tmp_path: Path) -> None:
    path = write(full, tmp_path / "rec.myo.h5")
    with h5py.File(path, "r+") as file:
        del file["members/0/samples"]
        file["members/0/samples"] = np.zeros((2, 3), dtype=np.float32)
    with pytest.raises(FormatError, match=r"describes 7 channels x 5001 .* shape \(2, 3\)"):
        read(path)


def test_other_hdf5_is_not_taken_for_ours(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["samples"] = np.zeros((2, 3))
    with pytest.raises(FormatError, match=r"none of the formats .* begins with b'\\x89HDF"):
        read(tmp_path / "x.h5")
