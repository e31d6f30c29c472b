"""OTB+: one ``.sig`` described by adapters and channels, and ``.sip`` traces beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from xml.etree.ElementTree import Element

import numpy as np

from myograph.core.errors import FormatError
from myograph.io.otb_archive import Archive, date_in, number_in, text_in, whole_in
from myograph.io.otb_rows import Row, emg_kind, markers_of, non_emg_kind, tracks_of
from myograph.io.track import Signal, Track

__all__ = ["open_otb_plus", "volts_per_step"]

#: Device -> (range of its converter in volts, gain of its amplifier), 16 bits, as the vendor's own
#: scripts convert them. A device that is not here, or about which published readers disagree
#: (DUE), is held in device counts.
_DEVICES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "QUATTRO": (5.0, 150.0),
        "QUATTROCENTO": (5.0, 150.0),
        "DUE+": (3.3, 202.0),
        "QUATTRO+": (3.3, 202.0),
        "SYNCSTATION": (4.8, 256.0),
        "SESSANTAQUATTRO": (4.8, 256.0),
        "SESSANTAQUATTRO+": (4.8, 256.0),
    }
)

#: Adapters of a station that amplify themselves.
_ADAPTERS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"Due+": (3.3, 202.0), "Quattro+": (3.3, 202.0)}
)

#: Inputs without an amplifier of their own.
_DIRECT = ("Direct connection", "Direct connection to Syncstation Input")

_BITS = 16


def volts_per_step(device: str, adapter: str) -> float | None:
    """Return the volts of one step of the converter; None when nobody published it.

    Examples
    --------
    >>> round(volts_per_step("QUATTROCENTO", "AdapterHD") * 1e6, 5)  # microvolts
    0.50863
    >>> volts_per_step("DUE", "") is None
    True
    """
    if adapter in _DIRECT:
        found: tuple[float, float] | None = (5.0, 0.5)
    else:
        found = _ADAPTERS.get(adapter) or _DEVICES.get(device.upper())
    return found and found[0] / 2**_BITS / found[1]


def open_otb_plus(archive: Archive) -> tuple[Track, ...]:
    """Describe the recording of an OTB+ archive, its force traces included."""
    signals = archive.names(".sig")
    if len(signals) != 1:
        raise FormatError(
            f"{archive.path}: an OTB+ recording has one .sig; this archive has {signals}. A "
            "session with imported recordings has several: export them one by one."
        )
    name = str(Path(signals[0]).with_suffix(".xml"))
    device = archive.xml(name)
    where = f"{archive.path}, {name}"
    rows = [*_rows(archive, device, signals[0], where), *_traces(archive)]
    patient = archive.xml("patient.xml") if "patient.xml" in archive.members else device
    template = Track(
        archive.path,
        rows[0].fs_hz,
        1,
        (),
        fetch=lambda rows, first, last: np.empty((len(rows), last - first)),
        events=markers_of(archive),
        device=text_in(device, "Name"),
        site=text_in(patient, "place"),
        started_at=date_in(patient, "time"),
    )
    return tracks_of(rows, template, ("emg", "feedback"))


def _rows(archive: Archive, device: Element, sig: str, where: str) -> Iterator[Row]:
    if device.tag != "Device":
        raise FormatError(f"{where}: a Device is described there; got {device.tag!r}.")
    fs_hz = number_in(device, "SampleFrequency", where=where)
    n_bits = whole_in(device, "ad_bits", where=where)
    n_channels = whole_in(device, "DeviceTotalChannels", where=where, least=1)
    if n_bits not in (12, 16):
        raise FormatError(
            f"{where}: ad_bits is {n_bits}; Myograph knows how 12- and 16-bit OTB+ files lie."
        )
    if fs_hz <= 0:
        raise FormatError(f"{where}: SampleFrequency must be above 0 Hz; it is {fs_hz:g}.")
    frames = archive.frames(sig, "<i2", n_channels)
    taken: set[int] = set()
    for adapter in device.iter("Adapter"):
        first = whole_in(adapter, "ChannelStartIndex", where=where)
        channels = list(adapter.iter("Channel"))
        for channel in channels:
            column = first + whole_in(channel, "Index", where=where)
            if column >= n_channels or column in taken:
                raise FormatError(
                    f"{where}: adapter {text_in(adapter, 'ID')!r} puts a channel into column "
                    f"{column}, which is taken or beyond the {n_channels} columns."
                )
            taken.add(column)
            signal, factor = _described(device, adapter, channel, len(channels))
            yield Row(signal, frames, column, factor, fs_hz)
    if not taken:
        raise FormatError(f"{where}: it describes no channel.")


def _described(
    device: Element, adapter: Element, channel: Element, n_channels: int
) -> tuple[Signal, float]:
    adapter_id, label = text_in(adapter, "ID"), text_in(channel, "ID")
    words = f"{adapter_id} {label} {text_in(channel, 'Description')}"
    number = int(text_in(channel, "Index"))
    connector = text_in(channel, "Prefix") or label or adapter_id or "channel"
    name = f"{connector} {number + 1}" if n_channels > 1 else connector
    kind = non_emg_kind(f"{adapter_id} {label}")
    if kind == "orientation":
        return Signal(name, "1", kind), 1 / 2**15
    if kind:
        return Signal(name, "count" if kind == "force" else "1", kind), 1.0
    step_v = volts_per_step(text_in(device, "Name"), adapter_id)
    unit, factor = ("count", 1.0) if step_v is None else ("V", step_v)
    if "aux" in f"{adapter_id} {label}".lower() or adapter_id in _DIRECT:
        return Signal(name, unit), factor  # whatever was plugged in: its kind has to be stated
    side = {"l": "left", "r": "right"}.get(text_in(channel, "Side").lower()[:1], "")
    muscle = text_in(channel, "Muscle")
    muscle = "" if muscle.lower() in ("not defined", "unknown", "none") else muscle
    kind = emg_kind(words, n_channels=n_channels)
    return Signal(name, unit, kind, muscle=muscle, side=side), factor


def _traces(archive: Archive) -> Iterator[Row]:
    """Yield the traces of force and of what was asked for: 64-bit reals at a rate of their own."""
    for name in archive.names(".sip"):
        described = str(Path(name).with_suffix(".pro"))
        where = f"{archive.path}, {described}"
        root = archive.xml(described)
        fs_hz = number_in(root, "fsample", where=where)
        if fs_hz <= 0:
            raise FormatError(f"{where}: fsample must be above 0 Hz; it is {fs_hz:g}.")
        unit = text_in(root, "unity_of_measurement")
        label = text_in(root, "description") or Path(name).stem
        yield Row(Signal(label, unit, "force"), archive.frames(name, "<f8", 1), 0, 1.0, fs_hz)
