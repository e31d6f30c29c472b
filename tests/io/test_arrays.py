"""Bare arrays in MAT and NPZ files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from myograph.core.errors import DataError, FormatError
from myograph.core.recording import Recording
from myograph.io import read, write

Make = Callable[..., Path]
KNOWN: dict[str, Any] = {"unit": "mV", "kinds": "semg"}


@pytest.fixture(params=["npz", "mat", "mat73"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Return a function that writes named arrays as another program would."""

    def npz(**arrays: Any) -> Path:
        path = tmp_path / "x.npz"
        np.savez(path, **arrays)
        return path

    def mat(**arrays: Any) -> Path:
        savemat(tmp_path / "x.mat", arrays)
        return tmp_path / "x.mat"

    def mat73(**arrays: Any) -> Path:
        path = tmp_path / "x.mat"
        with h5py.File(path, "w", userblock_size=512) as file:
            for name, value in arrays.items():
                file[name] = np.atleast_2d(np.asarray(value)).T
        with path.open("rb+") as file:
            file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
        return path

    chosen: Make = {"npz": npz, "mat": mat, "mat73": mat73}[request.param]
    return chosen


def test_the_longer_axis_is_time(make: Make, rng: np.random.Generator) -> None:
    values = rng.standard_normal((500, 3))
    tall = read(make(emg=values), fs_hz=1000, **KNOWN)
    wide = read(make(emg=values.T), fs_hz=1000, **KNOWN)
    assert isinstance(tall, Recording)
    assert tall == wide
    assert tall.layout.names == ("emg_1", "emg_2", "emg_3")
    np.testing.assert_allclose(tall.samples, values.T * 1000, rtol=1e-6)


def test_a_square_array_needs_its_axis(make: Make) -> None:
    values = np.arange(9.0).reshape(3, 3)
    path = make(emg=values)
    with pytest.raises(DataError, match=r"square \(3 x 3\).* option time_axis=0"):
        read(path, fs_hz=1000, **KNOWN)
    rows = read(path, fs_hz=1000, time_axis=0, **KNOWN)
    np.testing.assert_allclose(rows.samples, values.T * 1000)  # type: ignore[union-attr]
    columns = read(path, fs_hz=1000, time_axis=1, **KNOWN)
    np.testing.assert_allclose(columns.samples, values * 1000)  # type: ignore[union-attr]


def test_the_rate_may_be_a_variable(make: Make) -> None:
    path = make(emg=np.ones((100, 2)), fs=2048.0)
    assert read(path, variable="emg", **KNOWN).fs_hz == 2048  # type: ignore[union-attr]
    assert read(path, variable="emg", fs_hz=100, **KNOWN).fs_hz == 100  # type: ignore[union-attr]


def test_a_rate_that_nobody_states_is_refused(make: Make) -> None:
    with pytest.raises(DataError, match="option fs_hz="):
        read(make(emg=np.ones((100, 2))), **KNOWN)


def test_one_of_several_variables_must_be_named(make: Make) -> None:
    path = make(emg=np.ones((100, 2)), force=np.ones((100, 1)))
    with pytest.raises(DataError, match=r"option variable=. It holds: emg 100x2, force 100x1"):
        read(path, fs_hz=1000, **KNOWN)
    assert read(path, variable="emg", fs_hz=1000, **KNOWN).n_channels == 2  # type: ignore[union-attr]
    force = read(path, variable="force", fs_hz=1000, unit="kgf")
    assert force.layout.channels[0].kind == "force"  # type: ignore[union-attr]


def test_a_missing_variable_lists_those_present(make: Make) -> None:
    with pytest.raises(DataError, match=r"has no variable 'signal'; it holds: emg 100x2\."):
        read(make(emg=np.ones((100, 2))), variable="signal", fs_hz=1000)


def test_integers_and_vectors(make: Make) -> None:
    back = read(make(emg=np.arange(-50, 50, dtype=np.int16)), fs_hz=200, unit="count")
    assert isinstance(back, Recording)
    np.testing.assert_array_equal(back.samples, np.arange(-50, 50)[None])
    assert back.layout.channels[0].scale == "count"


def test_shapes_that_are_no_recording_are_refused(make: Make) -> None:
    path = make(emg=np.ones((4, 3, 2)))
    with pytest.raises(DataError, match=r"has shape \(4, 3, 2\); a recording is a non-empty"):
        read(path, variable="emg", fs_hz=1000, **KNOWN)


def test_missing_samples_are_refused(make: Make) -> None:
    values = np.ones((100, 2))
    values[7, 1] = np.nan
    with pytest.raises(DataError, match="1 non-finite values"):
        read(make(emg=values), fs_hz=1000, **KNOWN)


# --- structures ----------------------------------------------------------------------------------


def test_structures_of_version_5(tmp_path: Path) -> None:
    path = tmp_path / "x.mat"
    side = {"data": np.arange(200.0).reshape(100, 2), "fs": 500.0, "note": "left leg"}
    savemat(path, {"emg": side, "muscles": {"TA": np.arange(50.0), "SOL": np.ones((50, 1))}})
    back = read(path, variable="emg.data", **KNOWN)
    assert isinstance(back, Recording)
    assert (back.fs_hz, back.n_channels) == (500, 2)
    legs = read(path, variable="muscles", **KNOWN)
    assert isinstance(legs, Recording)
    assert legs.layout.names == ("TA", "SOL")
    np.testing.assert_allclose(legs.samples[0], 1000 * np.arange(50))
    with pytest.raises(DataError, match=r"equally long vectors; .* Name one field"):
        read(path, variable="emg", fs_hz=100, **KNOWN)


def test_structures_of_version_73(tmp_path: Path) -> None:
    path = tmp_path / "x.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["emg/data"] = np.arange(200.0).reshape(2, 100)
        file["emg/fs"] = np.array([[500.0]])
    with path.open("rb+") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    back = read(path, variable="emg.data", **KNOWN)
    assert isinstance(back, Recording)
    assert (back.fs_hz, back.n_samples) == (500, 100)


# --- our own files, seen by others ---------------------------------------------------------------


def test_matlab_finds_plain_variables(full: Recording, tmp_path: Path) -> None:
    content = loadmat(write(full, tmp_path / "x.mat"))
    np.testing.assert_array_equal(content["samples"], full.samples)
    assert content["myograph_header"][0].startswith('{"members"')


def test_version_73_looks_like_matlabs(full: Recording, tmp_path: Path) -> None:
    import pymatreader

    path = write(full, tmp_path / "x.mat", as_format="mat73")
    assert path.read_bytes()[124:128] == b"\x00\x02IM"
    content = pymatreader.read_mat(path)
    np.testing.assert_array_equal(content["samples"], full.samples)
    assert content["myograph_header"].startswith('{"members"')


def test_a_header_that_no_longer_fits_is_refused(full: Recording, tmp_path: Path) -> None:
    content = dict(np.load(write(full, tmp_path / "x.npz"), allow_pickle=False))
    content["samples"] = content["samples"][:, :100]
    np.savez(tmp_path / "y.npz", **content)
    with pytest.raises(FormatError, match=r"7 channels x 5001 samples .* shape \(7, 100\)"):
        read(tmp_path / "y.npz")
    bare = read(tmp_path / "y.npz", variable="samples", fs_hz=100, **KNOWN)
    assert bare.n_samples == 100  # type: ignore[union-attr]


# --- hostile archives ----------------------------------------------------------------------------


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, emg=np.array([{"a": 1}, None], dtype=object))
    with pytest.raises(DataError, match="it holds: no numeric array"):
        read(path, variable="emg", fs_hz=100)


def test_an_array_that_promises_more_than_it_holds(tmp_path: Path) -> None:
    import io
    import zipfile

    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 8)}
    )
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("emg.npy", head.getvalue() + bytes(80))
    with pytest.raises(FormatError, match=r"emg.npy promises 64000000000000 bytes .* holds 80"):
        read(tmp_path / "x.npz", fs_hz=100, **KNOWN)
