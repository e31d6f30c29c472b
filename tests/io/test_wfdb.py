"""WFDB records against the package of their inventors, and against headers that lie."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from myograph.core.errors import DataError, FormatError
from myograph.core.recording import Event, Recording, RecordingSet
from myograph.io import read, write

# The package's own use of pandas is behind the times; nothing of ours is.
pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    wfdb = pytest.importorskip("wfdb")

# Samples and bytes of a group, by storage format.
GROUPS = {16: (1, 2), 24: (1, 3), 32: (1, 4), 61: (1, 2), 80: (1, 1), 160: (1, 2)}
GROUPS |= {212: (2, 3), 310: (3, 4), 311: (3, 4)}


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a header, and samples of format 16."""

    def make(header: str, samples: Any = range(20), name: str = "r") -> Path:
        (tmp_path / f"{name}.dat").write_bytes(np.asarray(samples, "<i2").tobytes())
        path = tmp_path / f"{name}.hea"
        path.write_text(header)
        return path

    return make


@pytest.mark.parametrize("storage", sorted(GROUPS))
@pytest.mark.parametrize("n_channels", [1, 2, 3])
def test_every_storage_agrees_with_the_inventors(
    tmp_path: Path, rng: np.random.Generator, storage: int, n_channels: int
) -> None:
    samples, n_bytes = GROUPS[storage]
    n_frames = 102
    data = rng.bytes(-(-n_frames * n_channels // samples) * n_bytes)  # any bytes are samples
    if storage == 311:  # but for the two highest bits of its words, which mean nothing
        data = (np.frombuffer(data, "<u4") & 0x3FFFFFFF).tobytes()
    (tmp_path / "r.dat").write_bytes(data)
    lines = [f"r.dat {storage} 200(3)/mV" for _ in range(n_channels)]
    (tmp_path / "r.hea").write_text("\n".join([f"r {n_channels} 1000 {n_frames}", *lines]) + "\n")
    theirs = wfdb.rdrecord(str(tmp_path / "r")).p_signal.T * 1000
    back = read(tmp_path / "r.hea", kinds="semg", non_finite="gap")
    assert isinstance(back, Recording)
    measured = np.isfinite(theirs)
    assert measured.mean() > 0.9
    np.testing.assert_allclose(back.samples[measured], theirs[measured], rtol=1e-6, atol=1e-3)
    part = read(tmp_path / "r.dat", kinds="semg", non_finite="gap", start_s=0.013, stop_s=0.058)
    both = measured[:, 13:58]
    np.testing.assert_array_equal(
        part.samples[both],  # type: ignore[union-attr]
        back.samples[:, 13:58][both],
    )


@pytest.mark.parametrize(
    ("storage", "data"),
    [
        # 1, -2, 3 in ten bits each: 310 shifts by one and splits the third sample,
        (310, [(1 << 1) | (3 << 11), ((-2 & 0x3FF) << 1)]),
        # 311 packs them into the low 30 bits.
        (
            311,
            [(1 | (-2 & 0x3FF) << 10 | 3 << 20) & 0xFFFF, (1 | (-2 & 0x3FF) << 10 | 3 << 20) >> 16],
        ),
    ],
)
def test_ten_bit_samples_by_hand(
    record: Callable[..., Path], storage: int, data: list[int]
) -> None:
    path = record(f"r 1 100 3\nr.dat {storage} 1/uV 10 0 0 2 0 EMG\n", np.array(data, "<u2"))
    np.testing.assert_array_equal(read(path).samples, [[1, -2, 3]])  # type: ignore[union-attr]


def test_the_inventors_read_our_records(tmp_path: Path, full: Recording) -> None:
    path = write(full, tmp_path / "rec.hea")
    theirs = wfdb.rdrecord(str(path.with_suffix("")))
    assert theirs.fs == 2000
    assert theirs.sig_name[:2] == ["TA left", "grid_1"]
    assert theirs.units[:2] == ["uV", "uV"]
    assert str(theirs.base_time) == "23:59:58.250000"
    span = np.ptp(full.samples, axis=1)
    assert (np.abs(theirs.p_signal.T - full.samples).max(axis=1) / span).max() < 2e-7
    notes = wfdb.rdann(str(path.with_suffix("")), "atr")
    assert notes.sample.tolist() == [500, 500, 2001, 2500]
    assert notes.aux_note[0].rstrip("\0") == "fist"


def test_their_annotations_become_events(tmp_path: Path, record: Callable[..., Path]) -> None:
    record("r 1 100 200000\nr.dat 16 10/uV 16 0 0 0 0 EMG\n", np.zeros(200000))
    wfdb.wrann(
        "r",
        "atr",
        sample=np.array([10, 20, 100000]),
        symbol=["N", '"', "+"],
        aux_note=["", "a note", "(AFIB"],
        write_dir=str(tmp_path),
        fs=100,
    )
    back = read(tmp_path / "r.hea")
    assert isinstance(back, Recording)
    assert back.events == (Event(0.1, 0, "N"), Event(0.2, 0, "a note"), Event(1000.0, 0, "(AFIB"))


def test_several_rates_become_a_set(record: Callable[..., Path]) -> None:
    header = "r 2 100 4\nr.dat 16x4 1/uV\nr.dat 16 1/N\n"
    back = read(record(header), kinds={"signal1": "semg", "signal2": "force"})
    assert isinstance(back, RecordingSet)
    assert list(back) == ["400Hz", "100Hz"]
    np.testing.assert_array_equal(
        back["400Hz"].samples[0], np.arange(20).reshape(4, 5)[:, :4].ravel()
    )
    np.testing.assert_array_equal(back["100Hz"].samples[0], [4, 9, 14, 19])


def test_missing_samples_are_gaps(record: Callable[..., Path]) -> None:
    path = record("r 1 100 5\nr.dat 16 1/uV\n", [1, 2, -32768, -32768, 5])
    with pytest.raises(DataError, match="2 non-finite"):
        read(path, kinds="semg")
    back = read(path, kinds="semg", non_finite="gap")
    assert back.events == (Event(0.02, 0.02, "gap", "reader"),)  # type: ignore[union-attr]


def test_an_uncalibrated_signal_needs_its_unit(record: Callable[..., Path]) -> None:
    path = record("r 1 100 20\nr.dat 16\n")
    with pytest.raises(DataError, match=r"option unit="):
        read(path, kinds="semg")
    back = read(path, kinds="semg", unit="count")
    np.testing.assert_array_equal(back.samples, [np.arange(20)])  # type: ignore[union-attr]


def test_an_older_records_annotations_do_not_stay(full: Recording, tmp_path: Path) -> None:
    write(full, tmp_path / "rec.hea")
    silent = full.with_events(())
    write(silent, tmp_path / "rec.hea", force=True)
    assert read(tmp_path / "rec.hea").events == ()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("r 1 100 30\nr.dat 16 1/uV\n", r"promises 30 samples a signal, r.dat holds 20"),
        ("r 1 100 10\nr.dat 16 1/uV\n", r"promises 10 samples a signal, r.dat holds 20"),
        ("r 2 100 20\nr.dat 16 1/uV\n", r"promises 2 signals, 1 are described"),
        ("r 0 100 20\n", r"promises 0 signals"),
        ("r 1 100 20\nother.dat 16 1/uV\n", r"signal file other.dat is not beside it"),
        ("r 1 100 20\n../r.dat 16 1/uV\n", r"named plainly and lie beside the header"),
        ("r 1 100 20\n/etc/passwd 16 1/uV\n", r"named plainly and lie beside the header"),
        ("r 1 100 20\nr.dat 516 1/uV\n", r"format 516 are not read \(known: \[16, 24"),
        ("r 1 100 20\nr.dat 16:5 1/uV\n", r"skew"),
        ("r 1 100 20\nr.dat x 1/uV\n", r"does not describe a signal: 'r.dat x 1/uV'"),
        ("r/3 1 100 20\nr.dat 16 1/uV\n", r"record of 3 segments"),
        ("r 1 0 20\nr.dat 16 1/uV\n", r"must be above 0 Hz; the file says 0.0"),
        ("r 1\nr.dat 16 1/uV\n", r"option fs_hz="),
        ("r 1 100 20\nr.dat 16 1/uV 16 0 0 7 0 EMG\n", r"do not add up to the header's checksum"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_lying_headers(record: Callable[..., Path], header: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(record(header), kinds="semg")


def test_a_stated_length_is_optional(record: Callable[..., Path]) -> None:
    assert read(record("r 1 100\nr.dat 16 1/uV\n"), kinds="semg").n_samples == 20  # type: ignore[union-attr]


def test_a_damaged_annotation_file_is_refused(record: Callable[..., Path], tmp_path: Path) -> None:
    path = record("r 1 100 20\nr.dat 16 1/uV\n")
    (tmp_path / "r.atr").write_bytes((22 << 10).to_bytes(2, "little") + b"\xff\xfe" + b"short")
    with pytest.raises(FormatError, match=r"r.atr is damaged: a note at byte 2 has no end"):
        read(path, kinds="semg")
