"""EDF and BDF against other people's writers and readers, and against files that lie."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myograph.core.errors import DataError, FormatError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import GAP, Event, Recording, RecordingSet
from myograph.io import read, write
from myograph.io.edf_header import number_field

BOTH = pytest.mark.parametrize("suffix", [".edf", ".bdf"])


def fields(**changes: str) -> dict[str, str]:
    main = {
        "version": "0",
        "patient": "X X X X",
        "recording": "Startdate X X X X",
        "date": "01.01.85",
        "time": "00.00.00",
        "bytes": "512",
        "reserved": "",
        "records": "4",
        "duration": "1",
        "signals": "1",
    }
    return main | {k: v for k, v in changes.items() if k in main}


WIDTHS = (8, 80, 80, 8, 8, 8, 44, 8, 8, 4)
SIGNAL = {
    "label": ("EMG TA", 16),
    "transducer": ("", 80),
    "dimension": ("uV", 8),
    "physical_min": ("-3276.8", 8),
    "physical_max": ("3276.7", 8),
    "digital_min": ("-32768", 8),
    "digital_max": ("32767", 8),
    "prefilter": ("", 80),
    "samples": ("10", 8),
    "extra": ("", 32),
}


def edf_bytes(data: bytes | None = None, **changes: str) -> bytes:
    """Write an EDF file by hand, with some fields changed: one signal, 4 records of 10 samples."""
    main = fields(**changes)
    head = b"".join(
        v.ljust(w).encode("latin-1") for v, w in zip(main.values(), WIDTHS, strict=True)
    )
    for name, (value, width) in SIGNAL.items():
        head += changes.get(name, value).ljust(width).encode("latin-1")
    return head + (np.arange(40, dtype="<i2").tobytes() if data is None else data)


@pytest.fixture
def by_hand(tmp_path: Path) -> Callable[..., Path]:
    def make(data: bytes | None = None, **changes: str) -> Path:
        path = tmp_path / "hand.edf"
        path.write_bytes(edf_bytes(data, **changes))
        return path

    return make


# --- what a good file says -----------------------------------------------------------------------


def test_a_file_by_hand(by_hand: Callable[..., Path]) -> None:
    back = read(by_hand(date="29.02.24", time="23.59.58"))
    assert isinstance(back, Recording)
    assert back.layout == Layout(10.0, (Channel("EMG TA", "semg"),))
    np.testing.assert_allclose(back.samples, np.arange(40)[None] / 10, rtol=1e-6, atol=1e-4)
    assert back.started_at == datetime(2024, 2, 29, 23, 59, 58)  # noqa: DTZ001
    assert back.subject is None


@pytest.mark.parametrize(
    ("label", "transducer", "dimension", "kind"),
    [
        ("EMG TA", "", "mV", "semg"),
        ("ECG II", "", "mV", "ecg"),
        ("EEG Fpz-Cz", "", "uV", "eeg"),
        ("Ch 4", "concentric needle electrode", "uV", "needle"),
        ("EMG", "hd-emg grid 8x8", "uV", "hdemg"),
        ("wrist", "", "N", "force"),
        ("elbow", "goniometer", "deg", "angle"),
        ("Status", "", "Boolean", "trigger"),
        ("EMG TA", "", "\xb5V", "semg"),
    ],
)
def test_kinds_are_told_by_label_transducer_or_unit(
    by_hand: Callable[..., Path], label: str, transducer: str, dimension: str, kind: str
) -> None:
    back = read(by_hand(label=label, transducer=transducer, dimension=dimension))
    assert back.layout.channels[0].kind == kind  # type: ignore[union-attr]


def test_an_unknown_kind_or_unit_is_refused(by_hand: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"channel 'Ch 1': .* option kinds="):
        read(by_hand(label="Ch 1"))
    assert read(by_hand(label="Ch 1"), kinds="semg").layout.names == ("Ch 1",)  # type: ignore[union-attr]
    with pytest.raises(DataError, match=r"unknown unit 'Volz'; .* option unit="):
        read(by_hand(dimension="Volz"))
    with pytest.raises(DataError, match="nothing says in which unit"):
        read(by_hand(dimension=""))


def test_an_inverted_signal_is_read_inverted(by_hand: Callable[..., Path]) -> None:
    back = read(by_hand(physical_min="3276.7", physical_max="-3276.8"))
    assert isinstance(back, Recording)
    assert back.samples[0, 39] < back.samples[0, 0]


def test_an_unfinished_recording_is_counted(by_hand: Callable[..., Path]) -> None:
    back = read(by_hand(records="-1"))
    assert back.n_samples == 40  # type: ignore[union-attr]


def test_the_patient_is_kept_under_a_pseudonym_only(by_hand: Callable[..., Path]) -> None:
    said = {"reserved": "EDF+C", "recording": "Startdate 02-MAR-2022 X X Amp_16"}
    back = read(by_hand(patient="MCH-0234567 F 02-MAY-1951 Haagse_Harry", **said))
    assert isinstance(back, Recording)
    assert back.subject is not None
    assert back.subject.sex == "female"
    assert back.subject.age_years == 71
    assert back.subject.pseudonym.startswith("person-")
    assert "0234567" not in repr(back.subject)
    assert "Harry" not in repr(back.subject)
    assert back.device == "Amp 16"
    other = read(by_hand(patient="MCH-0234568 F 02-MAY-1951 Haagse_Harry", **said))
    assert other.subject.pseudonym != back.subject.pseudonym  # type: ignore[union-attr]
    plain = read(by_hand(patient="MCH-0234567 F 02-MAY-1951 Haagse_Harry"))
    assert plain.subject is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "changes",
    [
        {"date": "01.01.85"},
        {"date": "31.02.20"},
        {"date": "xx.xx.xx"},
        {"reserved": "EDF+C", "date": "02.03.20"},
    ],
    ids=str,
)
def test_an_unknown_start_stays_unknown(
    by_hand: Callable[..., Path], changes: dict[str, str]
) -> None:
    assert read(by_hand(**changes)).started_at is None  # type: ignore[union-attr]


# --- what a bad file says ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"records": "5"}, r"is truncated: the header promises 5 data records of 20 .* has 4"),
        ({"records": "3"}, r"holds more than its header says: .* promises 3 .* has 4"),
        ({"records": "-7"}, r"promises -7 data records"),
        ({"records": "many"}, r"'number of records' before byte 244 must be a number; .* 'many'"),
        ({"records": "1.5"}, r"'number of records' .* a whole number"),
        ({"duration": "0"}, r"record duration must be above 0 s"),
        ({"duration": "1,5"}, r"must be a number \(a decimal comma\?\); it says '1,5'"),
        ({"duration": "1e99999"}, r"a number that a computer can hold"),
        ({"signals": "0", "bytes": "256"}, r"describes 0 signals; one is the least"),
        ({"signals": "-1"}, r"describes -1 signals"),
        ({"bytes": "768"}, r"says it is 768 bytes long; with 1 signals it is 512"),
        ({"digital_min": "32767"}, r"digital minimum and maximum must satisfy .* 32767 and 32767"),
        ({"digital_min": "100", "digital_max": "-100"}, r"must satisfy -32768 <= minimum < max"),
        ({"digital_max": "40000"}, r"<= 32767; the header says -32768 and 40000"),
        ({"physical_max": "-3276.8"}, r"physical minimum and maximum must differ"),
        ({"physical_max": "1e400"}, r"a number that a computer can hold"),
        ({"physical_max": ""}, r"'physical maximum' before byte \d+ must be a number; it says ''"),
        ({"samples": "0"}, r"samples per record must be 1 or more; it says 0"),
        ({"samples": "-5"}, r"samples per record must be 1 or more"),
        ({"samples": "7"}, r"holds more than its header says: .*14 bytes, the file has 5 and 10"),
        ({"label": "EMG\x07"}, r"'label' before byte 272 must be printable text"),
        ({"records": "4\xb2"}, r"must be a number; it says '4²'"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_lying_headers(by_hand: Callable[..., Path], changes: dict[str, str], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(by_hand(**changes))


@pytest.mark.parametrize("size", [8, 100, 255, 256, 300, 511])
def test_a_header_cut_short(by_hand: Callable[..., Path], size: int) -> None:
    path = by_hand()
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FormatError, match=r"ends inside its header, at byte|none of the formats"):
        read(path)


def test_a_header_without_samples(by_hand: Callable[..., Path]) -> None:
    with pytest.raises(FormatError, match="is truncated"):
        read(by_hand(b""))
    with pytest.raises(FormatError, match="holds no samples"):
        read(by_hand(b"", records="0"))


# --- annotations ---------------------------------------------------------------------------------


def plus(lists: list[bytes], *, reserved: str = "EDF+C", n_samples: int = 10) -> bytes:
    """Write EDF+ by hand: one signal of 10 samples a record, and these annotation lists."""
    width = max(map(len, lists)) + 1 & ~1
    main = fields(reserved=reserved, records=str(len(lists)), bytes="768", signals="2")
    head = "".join(v.ljust(w) for v, w in zip(main.values(), WIDTHS, strict=True))
    listed = {
        "label": "EDF Annotations",
        "dimension": "",
        "physical_min": "-1",
        "physical_max": "1",
        "samples": str(width // 2),
    }
    for name, (value, size) in SIGNAL.items():
        head += value.ljust(size) + listed.get(name, value).ljust(size)
    body = b""
    for number, content in enumerate(lists):
        samples = np.arange(n_samples * number, n_samples * (number + 1), dtype="<i2")
        body += samples.tobytes() + content.ljust(width, b"\0")
    return head.encode() + body


def test_annotations_become_events(tmp_path: Path) -> None:
    path = tmp_path / "plus.edf"
    path.write_bytes(
        plus(
            [
                b"+0\x14\x14\x00+0.5\x150.25\x14fist\x14\x00",
                b"+1\x14\x14Recording on\x14\x00+1.5\x14a\x14b\x14\x00",
                "+2\x14\x14\x00+2\x14Schluß\x14\x00".encode(),
            ]
        )
    )
    back = read(path)
    assert isinstance(back, Recording)
    assert [(e.onset_s, e.duration_s, e.label) for e in back.events] == [
        (0.5, 0.25, "fist"),
        (1.0, 0.0, "Recording on"),
        (1.5, 0.0, "a"),
        (1.5, 0.0, "b"),
        (2.0, 0.0, "Schluß"),
    ]
    assert back.n_samples == 30


def test_the_first_record_starts_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "plus.edf"
    path.write_bytes(plus([b"+0.25\x14\x14\x00", b"+1.25\x14\x14\x00+1.5\x14x\x14\x00"]))
    back = read(path)
    assert isinstance(back, Recording)
    assert back.events == (Event(1.25, 0.0, "x"),)


@pytest.mark.parametrize("damage", [b"0\x14\x14\x00", b"+0,5\x14x\x14\x00", b"+\x14\x14\x00"])
def test_damaged_annotations_are_refused(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "plus.edf"
    path.write_bytes(plus([b"+0\x14\x14\x00", damage]))
    with pytest.raises(FormatError, match=r"data record 2 are damaged: .* an onset like \+12\.5"):
        read(path)


def test_pauses_become_gaps(tmp_path: Path) -> None:
    path = tmp_path / "plus.edf"
    lists = [b"+0\x14\x14\x00", b"+1\x14\x14\x00", b"+3.5\x14\x14\x00+3.6\x14x\x14\x00"]
    path.write_bytes(plus(lists, reserved="EDF+D"))
    back = read(path)
    assert isinstance(back, Recording)
    assert back.n_samples == 45
    assert back.events == (Event(2.0, 1.5, GAP, "reader"), Event(3.6, 0.0, "x"))
    expected = np.r_[np.arange(20), np.full(15, 19), np.arange(20, 30)] / 10
    np.testing.assert_allclose(back.samples[0], expected, atol=1e-4)
    for start_s, stop_s in [(0.0, 1.0), (1.5, 2.5), (2.1, 3.0), (2.5, 4.0), (3.4, 4.5), (0.3, 4.2)]:
        assert read(path, start_s=start_s, stop_s=stop_s) == back.crop(start_s, stop_s)


def test_records_out_of_order_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "plus.edf"
    path.write_bytes(plus([b"+0\x14\x14\x00", b"+0.5\x14\x14\x00"], reserved="EDF+D"))
    with pytest.raises(
        FormatError, match=r"record 2 begins at 0.5 s, before the end .* \(0 s \+ 1"
    ):
        read(path)
    path.write_bytes(plus([b"+0\x14\x14\x00", b""], reserved="EDF+D"))
    with pytest.raises(FormatError, match="data record 2 does not say when it begins"):
        read(path)


def test_endless_pauses_are_not_filled(tmp_path: Path) -> None:
    path = tmp_path / "plus.edf"
    lists = [b"+0\x14\x14\x00", b"+900000000\x14\x14\x00"]
    path.write_bytes(plus(lists, reserved="EDF+D"))
    with pytest.raises(DataError, match=r"were never measured; .* options start_s= and stop_s="):
        read(path)
    late = read(path, start_s=9e8)
    assert late.n_samples == 10  # type: ignore[union-attr]


def test_annotations_alone_are_no_recording(tmp_path: Path) -> None:
    import pyedflib

    path = tmp_path / "only.edf"
    with pyedflib.EdfWriter(str(path), 0) as file:
        file.writeAnnotation(0.5, 0.1, "x")
    with pytest.raises(FormatError, match=r"annotations only|holds no samples"):
        read(path)


# --- other programs ------------------------------------------------------------------------------


def peer_file(path: Path, samples: np.ndarray, fs_hz: list[int]) -> None:
    import pyedflib

    kind = pyedflib.FILETYPE_BDFPLUS if path.suffix == ".bdf" else pyedflib.FILETYPE_EDFPLUS
    limit = 8388607 if path.suffix == ".bdf" else 32767
    with pyedflib.EdfWriter(str(path), len(samples), file_type=kind) as file:
        for i, rate in enumerate(fs_hz):
            file.setSignalHeader(
                i,
                {
                    "label": f"EMG {i}",
                    "dimension": "mV",
                    "sample_frequency": rate,
                    "physical_max": 5.0,
                    "physical_min": -5.0,
                    "digital_max": limit,
                    "digital_min": -limit - 1,
                    "transducer": "",
                    "prefilter": "",
                },
            )
        file.writeSamples(list(samples))
        file.writeAnnotation(0.5, 1.0, "grip")


@BOTH
def test_files_of_pyedflib(tmp_path: Path, rng: np.random.Generator, suffix: str) -> None:
    path = tmp_path / f"peer{suffix}"
    samples = rng.standard_normal((3, 4000))
    peer_file(path, samples, [1000] * 3)
    back = read(path)
    assert isinstance(back, Recording)
    assert back.fs_hz == 1000
    assert back.events == (Event(0.5, 1.0, "grip"),)
    step_uv = 1e4 / (2**24 if suffix == ".bdf" else 2**16)
    np.testing.assert_allclose(
        back.samples, samples * 1000, atol=1.01 * step_uv + 1e-3
    )  # it truncates


@BOTH
def test_other_programs_read_our_files(tmp_path: Path, full: Recording, suffix: str) -> None:
    import mne
    import pyedflib

    path = write(full, tmp_path / f"ours{suffix}")
    with pyedflib.EdfReader(str(path)) as file:
        assert file.getSignalLabels()[:2] == ["TA left", "grid_1"]
        assert file.getPhysicalDimension(0) == "uV"
        onsets, _, texts = file.readAnnotations()
        assert "fist" in texts
        assert onsets[list(texts).index("fist")] == pytest.approx(0.25)
        theirs = np.stack([file.readSignal(i)[: full.n_samples] for i in range(full.n_channels)])
    span = np.ptp(full.samples, axis=1, keepdims=True)
    assert (np.abs(theirs - full.samples) / span).max() < 2e-5
    reader = mne.io.read_raw_bdf if suffix == ".bdf" else mne.io.read_raw_edf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it finds our units of acceleration odd
        raw = reader(path, preload=True, verbose="error")
    assert raw.info["sfreq"] == 2000
    assert raw.info["meas_date"].replace(tzinfo=None, microsecond=0) == datetime(  # noqa: DTZ001
        2024, 2, 29, 23, 59, 58
    )
    np.testing.assert_allclose(
        raw.get_data()[0, : full.n_samples] * 1e6, full.samples[0], atol=float(span[0, 0]) * 2e-5
    )
    labels = list(raw.annotations.description)
    assert raw.annotations.onset[labels.index("fist")] == pytest.approx(0.25, abs=0.26)


def test_our_samples_equal_theirs(tmp_path: Path, rng: np.random.Generator) -> None:
    import pyedflib

    path = tmp_path / "peer.bdf"
    peer_file(path, rng.standard_normal((2, 3000)), [1000, 1000])
    with pyedflib.EdfReader(str(path)) as file:
        theirs = np.stack([file.readSignal(i) for i in range(2)])
    ours = read(path)
    assert isinstance(ours, Recording)
    np.testing.assert_allclose(ours.samples, theirs * 1000, rtol=1e-6, atol=1e-3)


def test_several_rates_become_a_set(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "mixed.edf"
    fast, slow = rng.standard_normal((2, 4000)), rng.standard_normal((1, 400))
    peer_file(path, [fast[0], slow[0], fast[1]], [1000, 100, 1000])  # type: ignore[arg-type]
    back = read(path)
    assert isinstance(back, RecordingSet)
    assert list(back) == ["semg-1000Hz", "semg-100Hz"]
    assert back["semg-1000Hz"].layout.names == ("EMG 0", "EMG 2")
    assert back["semg-100Hz"].fs_hz == 100
    np.testing.assert_allclose(back["semg-100Hz"].samples, slow * 1000, atol=0.2)
    np.testing.assert_allclose(back["semg-1000Hz"].samples, fast * 1000, atol=0.2)
    assert back["semg-100Hz"].events == (Event(0.5, 1.0, "grip"),)


@BOTH
def test_edits_by_other_programs_win(tmp_path: Path, full: Recording, suffix: str) -> None:
    path = write(full, tmp_path / f"ours{suffix}")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\x14fist\x14", b"\x14Fist\x14"))
    back = read(path)
    assert isinstance(back, Recording)
    assert Event(0.25, 0.5, "Fist", "annotation") in back.events
    assert Event(0.25, 0.5, "fist", "protocol", "1") not in back.events
    path.write_bytes(data.replace(b"TA left ", b"TA right"))
    back = read(path)
    assert isinstance(back, Recording)
    assert back.layout.channels[0] == Channel(
        "TA right", "semg", "tibialis anterior", "left", (1.5, -20.25, 3.0)
    )
    assert back.subject != full.subject


# --- writing -------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("fs_hz", [0.5, 23437.5, 1024.0, 1000 / 3, 946.13, 48.828125, 2000.7])
@pytest.mark.parametrize("n_samples", [1, 999, 30001])
def test_any_rate_survives(tmp_path: Path, suffix: str, fs_hz: float, n_samples: int) -> None:
    layout = Layout(fs_hz, (Channel("a", "semg"),))
    samples = np.arange(n_samples, dtype=np.float32)[None] % 1000
    given_one = Recording(samples, layout)
    assert read(write(given_one, tmp_path / f"r{suffix}")) == given_one


@pytest.mark.parametrize("fs_hz", [1000.0, 946.13, 1000 / 3])
def test_other_programs_see_the_rate(tmp_path: Path, fs_hz: float) -> None:
    import pyedflib

    layout = Layout(fs_hz, (Channel("a", "semg"),))
    path = write(Recording(np.ones((1, 2000), np.float32), layout), tmp_path / "r.edf")
    with pyedflib.EdfReader(str(path)) as file:
        assert file.getSampleFrequency(0) == pytest.approx(fs_hz, rel=1e-6)


def test_whole_numbers_are_exact(tmp_path: Path, rng: np.random.Generator) -> None:
    layout = Layout(200.0, (Channel("myo1", "semg", scale="count"),))
    counts = rng.integers(-128, 128, (1, 500)).astype(np.float32)
    assert read(write(Recording(counts, layout), tmp_path / "r.edf")) == Recording(counts, layout)


def test_a_set_with_a_late_member_is_refused(tmp_path: Path, pair: RecordingSet) -> None:
    late = RecordingSet({"emg": pair["emg"], "imu": pair["imu"].crop(1.0, 2.0)})
    with pytest.raises(DataError, match=r"begin all channels at one moment; .* \[0.0, 1.0\] s"):
        write(late, tmp_path / "r.edf")
    assert list(tmp_path.iterdir()) == []


def test_rates_without_a_common_record_are_refused(tmp_path: Path, emg: Recording) -> None:
    odd = Recording(emg.samples, Layout(np.pi * 100, emg.layout.channels))
    with pytest.raises(DataError, match="holds whole samples of every rate; there is none for"):
        write(RecordingSet({"a": emg, "b": odd}), tmp_path / "r.edf")


def test_long_and_equal_names_get_labels_of_their_own(tmp_path: Path) -> None:
    names = (
        "a very long channel name 1",
        "a very long channel name 2",
        "ü",
        "ö",
        "EDF Annotations",
    )
    layout = Layout(100.0, tuple(Channel(name, "semg") for name in names))
    given_one = Recording(np.ones((5, 100), np.float32), layout)
    assert read(write(given_one, tmp_path / "r.edf")) == given_one


@given(st.floats(-1e7, 1e7), st.booleans())
def test_numbers_are_rounded_outwards_and_stay(value: float, up: bool) -> None:
    text = number_field(value, up=up)
    back = float(text)
    assert len(text) <= 8
    assert back >= value if up else back <= value
    assert abs(back - value) <= 0.1 * abs(value) + 1e-90
    assert number_field(back, up=up) == text
