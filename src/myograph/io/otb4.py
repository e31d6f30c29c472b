"""OTB4: tracks listed in ``Tracks_000.xml``, each a few columns of one of the ``.sig`` files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np

from myograph.core.errors import FormatError
from myograph.io.otb_archive import Archive, date_in, number_in, text_in, whole_in
from myograph.io.otb_rows import Row, emg_kind, markers_of, non_emg_kind, tracks_of
from myograph.io.track import Signal, Track
from myograph.io.units import canonical_unit

__all__ = ["LIST", "open_otb4"]

#: The member that lists the tracks; further lists (001, ...) hold feedback and force.
LIST = "Tracks_000.xml"

_LISTS = re.compile(r"(.*/)?\w*Tracks_\d+\.xml", re.IGNORECASE)

_DTYPES = {2: "<i2", 4: "<i4", 8: "<f8"}


@dataclass(frozen=True, slots=True)
class _Block:
    """One TrackInfo: neighbouring columns of a ``.sig``."""

    element: Element
    where: str
    file: str
    n_channels: int
    total: int
    sample_bytes: int

    @classmethod
    def of(cls, element: Element, where: str) -> _Block:
        return cls(
            element,
            where,
            text_in(element, "SignalStreamPath").replace("\\", "/"),
            whole_in(element, "NumberOfChannels", where=where, least=1),
            whole_in(element, "TotalChannelsInFile", where=where, least=1),
            whole_in(element, "SampleSize", where=where),
        )

    @property
    def words(self) -> str:
        """What the device calls the track, all of it."""
        tags = ("Title", "SubTitle", "Description/Name", "Description/SensorType")
        more = ("StringsDescriptions/OriginalSensor", "StringsDescriptions/OriginalAdapter")
        return " ".join((self.element.findtext(tag) or "").strip() for tag in (*tags, *more))

    @property
    def name(self) -> str:
        """The title, and the subtitle where the title is only the device's name."""
        title, subtitle = text_in(self.element, "Title"), text_in(self.element, "SubTitle")
        device = text_in(self.element, "Device").split(";")[0]
        return (title if title and title != device else subtitle) or title or "track"


def open_otb4(archive: Archive) -> tuple[Track, ...]:
    """Describe the recording of an OTB4 archive, its force and feedback tracks included."""
    blocks = []
    for name in sorted(archive.names(".xml"), key=lambda name: name != LIST):  # the EMG first
        if _LISTS.fullmatch(name):
            where = f"{archive.path}, {name}"
            blocks += [_Block.of(e, where) for e in archive.xml(name).iter("TrackInfo")]
    if not blocks:
        raise FormatError(f"{archive.path}: {LIST} lists no track.")
    rows: list[Row] = []
    for file in dict.fromkeys(block.file for block in blocks):
        rows += _rows(archive, [block for block in blocks if block.file == file])
    first = blocks[0].element
    strings = first.find("StringsDescriptions")
    template = Track(
        archive.path,
        rows[0].fs_hz,
        1,
        (),
        fetch=lambda rows, first, last: np.empty((len(rows), last - first)),
        events=markers_of(archive),
        device=text_in(first, "Device").split(";")[0],
        started_at=None if strings is None else date_in(strings, "StartDate"),
    )
    return tracks_of(rows, template, ("emg", "feedback"))


def _rows(archive: Archive, blocks: Sequence[_Block]) -> Iterator[Row]:
    """Yield the channels of one ``.sig``."""
    total, size, where = blocks[0].total, blocks[0].sample_bytes, blocks[0].where
    if size not in _DTYPES or any((b.total, b.sample_bytes) != (total, size) for b in blocks):
        raise FormatError(
            f"{where}: the tracks of {blocks[0].file!r} have samples of "
            f"{sorted({b.sample_bytes for b in blocks})} bytes in frames of "
            f"{sorted({b.total for b in blocks})} channels; one size of {list(_DTYPES)} is known."
        )
    frames = archive.frames(blocks[0].file, _DTYPES[size], total)
    for block, start in zip(blocks, _columns(blocks, total), strict=True):
        fs_hz = number_in(block.element, "SamplingFrequency", where=where)
        if fs_hz <= 0:
            raise FormatError(f"{where}: SamplingFrequency must be above 0 Hz; it is {fs_hz:g}.")
        kind, unit, factor = _scaled(block)
        for number in range(block.n_channels):
            name = f"{block.name} {number + 1}" if block.n_channels > 1 else block.name
            yield Row(Signal(name, unit, kind), frames, start + number, factor, fs_hz)


def _columns(blocks: Sequence[_Block], total: int) -> list[int]:
    """Return the first column of each track in its file.

    Some devices count AcquisitionChannel within the file, some over the whole session; the latter
    say the column in ChannelOffsetInSubPacket, or write the tracks one after the other.
    """
    for tag in ("AcquisitionChannel", "ChannelOffsetInSubPacket"):
        if all(text_in(block.element, tag) for block in blocks):
            starts = [whole_in(block.element, tag, where=block.where) for block in blocks]
            if _fit(blocks, starts, total):
                return starts
    ends = np.cumsum([block.n_channels for block in blocks]).tolist()
    if ends[-1] == total:
        return [0, *ends[:-1]]
    raise FormatError(
        f"{blocks[0].where}: the tracks of {blocks[0].file!r} do not fit into its {total} channels "
        f"side by side (they have {[block.n_channels for block in blocks]}); the file is damaged."
    )


def _fit(blocks: Sequence[_Block], starts: Sequence[int], total: int) -> bool:
    columns = [
        c
        for b, start in zip(blocks, starts, strict=True)
        for c in range(start, start + b.n_channels)
    ]
    return len(set(columns)) == len(columns) and max(columns) < total


def _scaled(block: _Block) -> tuple[str, str, float]:
    """Return kind, unit and factor of a track."""
    element, where = block.element, block.where
    kind = non_emg_kind(block.words, is_control=text_in(element, "IsControl").lower() == "true")
    unit = text_in(element, "UnitOfMeasurement")
    if block.sample_bytes == 8:  # a trace on the screen: reals, in percent where no unit is said
        return "force", unit or "%", 1.0
    if kind == "orientation":
        return kind, "1", 1 / 2**15
    if kind == "trigger":
        return kind, "1", 1.0
    n_bits, span = (number_in(element, tag, where=where) for tag in ("ADC_Nbits", "ADC_Range"))
    gain = number_in(element, "Gain", where=where)
    known = canonical_unit(unit or "mV")
    if n_bits <= 0 or span <= 0 or gain <= 0:
        return kind or "", "count", 1.0
    volts = span / 2**n_bits / gain
    if known is not None and known[0] == "uV":
        if kind == "force":  # a load cell's volts: nobody says what a newton is
            return kind, "count", 1.0
        is_aux = re.search(r"\baux", block.words.lower()) is not None
        return "" if is_aux else emg_kind(block.words, n_channels=block.n_channels), "V", volts
    factor = number_in(element, "UnitOfMeasurementFactor", where=where)
    return kind or "force", unit, volts * factor
