"""OTB+ and OTB4, on archives made here after the published structure."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from myograph.core.errors import DataError, FormatError, ParameterError
from myograph.core.recording import Event, Recording, RecordingSet
from myograph.io import FORMATS, read, write

RNG = np.random.default_rng(4)


def archive(path: Path, members: Mapping[str, bytes | str], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in members.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


# --- OTB+ -----------------------------------------------------------------------------------------

STORED = RNG.integers(-2000, 2000, (500, 20)).astype("<i2")


def device(name: str = "QUATTROCENTO", n_total: int = 20) -> str:
    grid = "".join(
        f'<Channel Index="{i}" ID="GR08MM1305" Prefix="MULTIPLE IN 1" Muscle="Soleus" '
        'Side="Left" Gain="1" Description="Array 64 electrodes"/>'
        for i in range(16)
    )
    return (
        f'<Device Name="{name}" ad_bits="16" SampleFrequency="2048" '
        f'DeviceTotalChannels="{n_total}">'
        "<Channels>"
        f'<Adapter ID="AdapterHD" ChannelStartIndex="0" Gain="1">{grid}</Adapter>'
        '<Adapter ID="AdapterBipolar" ChannelStartIndex="16" Gain="1">'
        '<Channel Index="0" ID="IN5" Muscle="Not defined" Side="Right" Gain="1"/></Adapter>'
        '<Adapter ID="AdapterLoadCell" ChannelStartIndex="17" Gain="1">'
        '<Channel Index="0" ID="LoadCell" Gain="1"/></Adapter>'
        '<Adapter ID="AdapterControl" ChannelStartIndex="18" Gain="1">'
        '<Channel Index="0" ID="BufferChannel" Gain="1"/>'
        '<Channel Index="1" ID="RampChannel" Gain="1"/></Adapter>'
        "</Channels></Device>"
    )


PATIENT = (
    "<patient><family_name>Doe</family_name><first_name>Jane</first_name>"
    "<place>lab 2</place><time>2024-05-06 07:08:09</time></patient>"
)
MARKERS = (
    "<ArrayOfMarker><Marker><Milliseconds>100</Milliseconds><Description>start </Description>"
    "</Marker></ArrayOfMarker>"
)
TRACE = (
    "<Info><fsample>2048</fsample><description>performed path</description>"
    "<unity_of_measurement>%</unity_of_measurement></Info>"
)
PATH_VALUES = np.linspace(0, 50, 300)


def plus(**changes: bytes | str | None) -> dict[str, bytes | str]:
    members: dict[str, bytes | str | None] = {
        "rec1.sig": STORED.tobytes(),
        "rec1.xml": device(),
        "patient.xml": PATIENT,
        "markers_0.xml": MARKERS,
        "markers_1.xml": MARKERS,
    }
    members |= {name.replace("_dot_", "."): content for name, content in changes.items()}
    return {name: content for name, content in members.items() if content is not None}


def read_one(path: Path, **options: object) -> Recording:
    found = read(path, **options)  # type: ignore[arg-type]
    assert isinstance(found, Recording)
    return found


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_otb_plus(tmp_path: Path, mode: str) -> None:
    found = read_one(archive(tmp_path / "a.otb+", plus(), mode))
    assert found.fs_hz == 2048.0
    kinds = [c.kind for c in found.layout.channels]
    assert kinds == ["hdemg"] * 16 + ["semg", "force", "trigger", "trigger"]
    first, bipolar, force = (found.layout.channels[i] for i in (0, 16, 17))
    assert (first.name, first.muscle, first.side) == ("MULTIPLE IN 1 1", "Soleus", "left")
    assert (bipolar.muscle, bipolar.side) == ("", "right")
    # 5 V over 16 bits, amplified 150 times: 0.50863 uV a step.
    np.testing.assert_allclose(found.samples[0], STORED[:, 0] * 0.508626, rtol=1e-5)
    assert force.scale == "count"
    np.testing.assert_array_equal(found.samples[17:], STORED[:, 17:].T)
    assert found.events == (Event(0.1, 0.0, "start"),)
    assert (found.device, found.site) == ("QUATTROCENTO", "lab 2")
    assert found.started_at == datetime(2024, 5, 6, 7, 8, 9)  # noqa: DTZ001
    assert found.subject is None  # a name is no pseudonym


def test_a_force_trace_rides_along_at_its_own_length(tmp_path: Path) -> None:
    members = plus() | {"performed.sip": PATH_VALUES.tobytes(), "performed.pro": TRACE}
    found = read(archive(tmp_path / "a.otb+", members))
    assert isinstance(found, RecordingSet)
    assert list(found) == ["emg", "feedback"]
    (force,) = found["feedback"].layout.channels
    assert (force.name, force.kind, force.scale) == ("performed path", "force", "normalised")
    np.testing.assert_allclose(found["feedback"].samples[0], PATH_VALUES / 100, rtol=1e-6)


def test_a_slice_is_the_slice_of_the_whole(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.otb+", plus())
    names = ["LoadCell", "MULTIPLE IN 1 3"]
    part = read_one(path, start_s=0.05, stop_s=0.1, channels=names)
    assert part == read_one(path).select(names).crop(0.05, 0.1)


def test_a_device_whose_steps_nobody_published_is_in_counts(tmp_path: Path) -> None:
    found = read_one(archive(tmp_path / "a.otb+", plus(rec1_dot_xml=device("NOVEL 9"))))
    assert found.layout.channels[0].scale == "count"
    np.testing.assert_array_equal(found.samples[0], STORED[:, 0])


def test_an_auxiliary_input_has_to_be_stated(tmp_path: Path) -> None:
    xml = device().replace('ID="AdapterLoadCell"', 'ID="Direct connection"')
    path = archive(tmp_path / "a.otb+", plus(rec1_dot_xml=xml.replace("LoadCell", "AUX IN 1")))
    with pytest.raises(DataError, match=r"channel 'AUX IN 1'.*kinds="):
        read(path)
    found = read_one(path, kinds={"AUX*": "force"}, unit={"AUX*": "count"})
    assert (found.layout.channels[17].kind, found.layout.channels[17].scale) == ("force", "count")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rec1.sig": STORED.tobytes()[:-3]}, r"rec1.sig: 19997 bytes do not make whole samples"),
        ({"rec1.xml": device(n_total=21)}, "20000 bytes do not make whole samples of 21"),
        ({"rec1.xml": device(n_total=4)}, "into column 4, which is taken or beyond the 4 columns"),
        (
            {"rec1.xml": device().replace("2048", "fast")},
            "SampleFrequency must be a number.*'fast'",
        ),
        ({"rec1.xml": device().replace("2048", "0")}, "SampleFrequency must be above 0"),
        ({"rec1.xml": device().replace('ad_bits="16"', 'ad_bits="24"')}, "ad_bits is 24"),
        ({"rec1.xml": device().replace('"17"', '"3"')}, "column 3, which is taken"),
        ({"rec1.xml": device().replace('"17"', '"-1"')}, "ChannelStartIndex must be a whole"),
        ({"rec1.xml": "<Device"}, r"a.otb\+, rec1.xml: its XML is damaged"),
        ({"rec1.xml": "<Other/>"}, "a Device is described there; got 'Other'"),
        (
            {"rec1.xml": device().split("<Channels>")[0] + "</Device>"},
            "it describes no channel",
        ),
        ({"rec2.sig": b"ab"}, r"one .sig; this archive has \['rec1.sig', 'rec2.sig'\]"),
        ({"rec1.sig": b""}, "0 bytes do not make whole samples"),
        ({"markers_0.xml": MARKERS.replace("100", "x")}, "Milliseconds must be a number"),
        ({"markers_0.xml": MARKERS.replace("100", "-5")}, "marker stands at -0.005 s"),
        ({"p.sip": b"12345678"}, r"names 'p.pro', and the archive has only"),
        ({"p.sip": b"12345678", "p.pro": TRACE.replace("2048", "0")}, "fsample must be above 0"),
    ],
)
def test_damaged_otb_plus(tmp_path: Path, change: dict[str, bytes | str], message: str) -> None:
    path = archive(tmp_path / "a.otb+", plus() | change)
    with pytest.raises(FormatError, match=message):
        read(path)


def test_a_description_that_is_missing(tmp_path: Path) -> None:
    members = plus()
    del members["rec1.xml"]
    with pytest.raises(FormatError, match=r"names 'rec1.xml', and the archive has only"):
        read(archive(tmp_path / "a.otb+", members))


# --- what no archive may do -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["/etc/evil.sig", "../evil.sig", "a/../../evil.sig", "C:\\evil.sig", "..\\evil.sig"]
)
def test_members_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = archive(folder / "a.otb+", plus() | {name: b"x"})
    with pytest.raises(
        FormatError, match=r"absolute path or leads out of the archive.*Do not trust"
    ):
        read(path)
    assert [p.name for p in tmp_path.rglob("*")] == ["in", "a.otb+"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = archive(tmp_path / "a.otb+", plus())
    with tarfile.open(path, "a") as tar:
        info = tarfile.TarInfo("x.sig")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(FormatError, match=r"'x.sig' is a link, a device or a repetition"):
        read(path)


def test_a_repeated_member_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.otb+", plus())
    with tarfile.open(path, "a") as tar:
        tar.addfile(tarfile.TarInfo("./rec1.xml"))
    with pytest.raises(FormatError, match="is a link, a device or a repetition"):
        read(path)


@pytest.mark.parametrize(
    "trick",
    [
        '<!DOCTYPE Device [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><Device Name="&b;"/>',
        '<!DOCTYPE Device [<!ENTITY f SYSTEM "file:///etc/passwd">]><Device Name="x">&f;</Device>',
        '<!DOCTYPE Device SYSTEM "http://example.org/d.dtd"><Device/>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(tmp_path: Path, trick: str, encoding: str) -> None:
    path = archive(tmp_path / "a.otb+", plus(rec1_dot_xml=trick.encode(encoding)))
    with pytest.raises(FormatError, match="declares a document type"):
        read(path)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_truncated_archives_are_refused(tmp_path: Path, mode: str) -> None:
    path = archive(tmp_path / "a.otb+", plus(), mode)
    whole = path.read_bytes()
    for kept in (len(whole) // 2, len(whole) // 3, 700):
        path.write_bytes(whole[:kept])
        with pytest.raises(FormatError, match=r"a.otb\+.*(truncated or damaged|archive has only)"):
            read(path)


def test_another_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar", {"readme.txt": "hello"})
    with pytest.raises(FormatError, match=r"an archive without Tracks_000.xml and without .sig"):
        read(path)


# --- OTB4 -----------------------------------------------------------------------------------------

GRID = RNG.integers(-9000, 9000, (400, 20)).astype("<i4")
AUX = RNG.integers(-9000, 9000, (400, 4)).astype("<i4")


def track(
    title: str,
    file: str,
    n: int,
    total: int,
    start: int,
    unit: str = "mV",
    size: int = 4,
    **tags: str,
) -> str:
    values = {
        "Title": title,
        "SubTitle": "",
        "Device": "Novecento+;1",
        "IsControl": "false",
        "NumberOfChannels": str(n),
        "TotalChannelsInFile": str(total),
        "AcquisitionChannel": str(start),
        "SamplingFrequency": "2000",
        "SampleSize": str(size),
        "Gain": "2",
        "ADC_Nbits": "16",
        "ADC_Range": "4",
        "UnitOfMeasurement": unit,
        "UnitOfMeasurementFactor": "1000" if unit == "mV" else "1",
        "SignalStreamPath": file,
    } | tags
    inside = "".join(f"<{tag}>{value}</{tag}>" for tag, value in values.items())
    strings = (
        "<StringsDescriptions><StartDate>2024-05-06T07:08:09</StartDate></StringsDescriptions>"
    )
    return f"<TrackInfo>{inside}{strings}</TrackInfo>"


def aux(unit: str, **tags: str) -> str:
    """A track of a device that counts its channels over the whole session."""
    return track("Novecento+", "aux.sig", 1, 4, 8, unit, **tags)


def four(*tracks: str, **more: bytes | str) -> dict[str, bytes | str]:
    listed = tracks or (
        track("IN1", "grid.sig", 16, 20, 0),
        track("IN2", "grid.sig", 2, 20, 17),
        aux("N", SubTitle="force", ChannelOffsetInSubPacket="2"),
        aux("V", SubTitle="LoadCell 1", ChannelOffsetInSubPacket="3"),
    )
    return {
        "Tracks_000.xml": f"<ArrayOfTrackInfo>{''.join(listed)}</ArrayOfTrackInfo>",
        "grid.sig": GRID.tobytes(),
        "aux.sig": AUX.tobytes(),
    } | {name.replace("_dot_", "."): content for name, content in more.items()}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_otb4(tmp_path: Path, mode: str) -> None:
    found = read_one(archive(tmp_path / "a.otb4", four(), mode))
    assert found.layout.names[15:] == ("IN1 16", "IN2 1", "IN2 2", "force", "LoadCell 1")
    assert [c.kind for c in found.layout.channels[15:]] == [
        "hdemg",
        "semg",
        "semg",
        "force",
        "force",
    ]
    step_uv = 4.0 / 2**16 / 2 * 1e6
    np.testing.assert_allclose(found.samples[:16], GRID[:, :16].T * step_uv, rtol=1e-6)
    np.testing.assert_allclose(found.samples[16:18], GRID[:, 17:19].T * step_uv, rtol=1e-6)
    np.testing.assert_allclose(found.samples[18], AUX[:, 2] * 4.0 / 2**16 / 2, rtol=1e-6)
    np.testing.assert_array_equal(found.samples[19], AUX[:, 3])
    assert [c.scale for c in found.layout.channels[18:]] == ["physical", "count"]
    assert (found.device, found.started_at) == ("Novecento+", datetime(2024, 5, 6, 7, 8, 9))  # noqa: DTZ001


def test_feedback_of_another_list_is_force(tmp_path: Path) -> None:
    feedback = track("performed", "f.sig", 1, 1, 0, unit="", size=8, SamplingFrequency="100")
    more = {"F_Tracks_001.xml": f"<ArrayOfTrackInfo>{feedback}</ArrayOfTrackInfo>"}
    members = four() | more | {"f.sig": PATH_VALUES[:20].tobytes()}
    found = read(archive(tmp_path / "a.otb4", members))
    assert isinstance(found, RecordingSet)
    assert found["feedback"].layout.fs_hz == 100.0
    assert found["feedback"].layout.channels[0].kind == "force"
    np.testing.assert_allclose(found["feedback"].samples[0], PATH_VALUES[:20] / 100, rtol=1e-6)


def test_tracks_one_after_the_other_where_no_number_fits(tmp_path: Path) -> None:
    members = four(
        track("IN1", "grid.sig", 16, 20, 64), track("Quaternion", "grid.sig", 4, 20, 80, "")
    )
    found = read_one(archive(tmp_path / "a.otb4", members))
    assert [c.kind for c in found.layout.channels[-4:]] == ["orientation"] * 4
    np.testing.assert_allclose(found.samples[16:], GRID[:, 16:].T / 2**15, rtol=1e-6)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (four(track("IN1", "gone.sig", 1, 1, 0)), "names 'gone.sig', and the archive has only"),
        (four(track("IN1", "../grid.sig", 1, 1, 0)), r"names '../grid.sig', and the archive has"),
        (four(track("IN1", "grid.sig", 16, 19, 0)), "32000 bytes do not make whole samples of 19"),
        (four(track("IN1", "grid.sig", 16, 20, 9)), "do not fit into its 20 channels"),
        (four(track("IN1", "grid.sig", 16, 20, 0, size=3)), "samples of .3. bytes in frames"),
        (four(track("IN1", "grid.sig", 0, 20, 0)), "NumberOfChannels must be a whole number of at"),
        (four(track("IN1", "grid.sig", 2, 20, 0, Gain="high")), "Gain must be a number.*'high'"),
        (four(track("I", "grid.sig", 2, 20, 0, SamplingFrequency="-1")), "must be above 0 Hz"),
        (four(Tracks_000_dot_xml="<ArrayOfTrackInfo/>"), "Tracks_000.xml lists no track"),
        (four(Tracks_000_dot_xml="nothing"), "its XML is damaged"),
    ],
)  # fmt: skip
def test_damaged_otb4(tmp_path: Path, members: dict[str, bytes | str], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(archive(tmp_path / "a.otb4", members))


def test_the_reader_is_marked_unverified_and_does_not_write(tmp_path: Path) -> None:
    assert FORMATS["otb"].verified is False
    found = read_one(archive(tmp_path / "a.otb4", four()))
    with pytest.raises(ParameterError, match="ending"):
        write(found, tmp_path / "b.otb4")
