"""The fixed fields at the head of EDF and BDF files: read strictly, written to width."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from myograph.core.errors import FormatError

__all__ = [
    "BDF_MAGIC",
    "EDF_MAGIC",
    "MONTHS",
    "EdfHeader",
    "EdfSignal",
    "number_field",
    "parse_header",
    "render_header",
    "text_field",
]

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
EDF_MAGIC = b"0".ljust(8)
BDF_MAGIC = b"\xffBIOSEMI"

_MAIN_BYTES = 256
_SIGNAL_BYTES = 256
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

# Name and width of the fields, in their order. The signals' fields come one kind after the other.
_MAIN = (
    ("version", 8),
    ("patient", 80),
    ("recording", 80),
    ("start date", 8),
    ("start time", 8),
    ("header size", 8),
    ("reserved", 44),
    ("number of records", 8),
    ("record duration", 8),
    ("number of signals", 4),
)
_SIGNAL = (
    ("label", 16),
    ("transducer", 80),
    ("physical dimension", 8),
    ("physical minimum", 8),
    ("physical maximum", 8),
    ("digital minimum", 8),
    ("digital maximum", 8),
    ("prefiltering", 80),
    ("samples per record", 8),
    ("reserved", 32),
)


@dataclass(frozen=True, slots=True)
class EdfSignal:
    """The header's words on one signal."""

    label: str
    transducer: str
    dimension: str
    physical: tuple[float, float]
    digital: tuple[int, int]
    prefiltering: str
    samples_per_record: int

    @property
    def is_annotations(self) -> bool:
        """Say whether the signal holds annotations instead of samples."""
        return self.label in ("EDF Annotations", "BDF Annotations")

    @property
    def gain(self) -> float:
        """Physical units per digital step."""
        (low, high), (least, most) = self.physical, self.digital
        return (high - low) / (most - least)

    @property
    def offset(self) -> float:
        """Physical value of the digital zero."""
        return self.physical[0] - self.gain * self.digital[0]


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """The header of an EDF or BDF file.

    Parameters
    ----------
    is_bdf : bool
        24-bit samples (BDF) instead of 16-bit ones.
    patient, recording, start_date, start_time, reserved : str
    n_records : int
        Data records, held against the file's size.
    record_s : Fraction
        Seconds in a data record, exactly as written.
    signals : tuple of EdfSignal
    """

    is_bdf: bool
    patient: str
    recording: str
    start_date: str
    start_time: str
    reserved: str
    n_records: int
    record_s: Fraction
    signals: tuple[EdfSignal, ...]

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample."""
        return 3 if self.is_bdf else 2

    @property
    def record_bytes(self) -> int:
        """Bytes of one data record."""
        return self.sample_bytes * sum(s.samples_per_record for s in self.signals)

    @property
    def n_bytes(self) -> int:
        """Bytes before the first data record."""
        return _MAIN_BYTES + _SIGNAL_BYTES * len(self.signals)

    @property
    def is_plus(self) -> bool:
        """EDF+ or BDF+: with annotations and structured patient and recording fields."""
        return self.reserved[:4] in ("EDF+", "BDF+")

    @property
    def is_discontinuous(self) -> bool:
        """EDF+D or BDF+D: records may stand apart in time."""
        return self.reserved[:5] in ("EDF+D", "BDF+D")


# --- reading -----------------------------------------------------------------------------------


class _Fields:
    """Takes the fields of a header one after the other, and knows where a bad one stands."""

    def __init__(self, data: bytes, path: Path) -> None:
        self._data = data
        self._path = path
        self._position = 0

    def text(self, name: str, width: int) -> str:
        start, self._position = self._position, self._position + width
        raw = self._data[start : self._position]
        if len(raw) < width:
            raise FormatError(
                f"{self._path} ends inside its header, at byte {len(self._data)}, in the field "
                f"{name!r}; the file is truncated."
            )
        words = raw.decode("latin-1").rstrip(" \0")
        if not words.isprintable():
            raise self.bad(name, words, "printable text")
        return words.strip()

    def number(self, name: str, width: int) -> str:
        """Return the words of a field that is a number, checked."""
        words = self.text(name, width)
        if not _NUMBER.fullmatch(words):
            comma = " (a decimal comma?)" if "," in words else ""
            raise self.bad(name, words, f"a number{comma}")
        if not math.isfinite(float(words)):
            raise self.bad(name, words, "a number that a computer can hold")
        return words

    def whole(self, name: str, width: int) -> int:
        words = self.number(name, width)
        if not float(words).is_integer():
            raise self.bad(name, words, "a whole number")
        return int(float(words))  # eight characters: exact

    def bad(self, name: str, words: str, rule: str) -> FormatError:
        return FormatError(
            f"{self._path}: the header field {name!r} before byte {self._position} must be {rule}; "
            f"it says {words!r}. The header is damaged."
        )


def parse_header(data: bytes, *, path: Path, size: int) -> EdfHeader:
    """Parse and check a header.

    Parameters
    ----------
    data : bytes
        The file's beginning: the whole header if it is complete.
    path : Path
        For messages.
    size : int
        Size of the file in bytes, which the number of records must fit.

    Raises
    ------
    FormatError
        If a field breaks its rule or contradicts the file.
    """
    fields = _Fields(data, path)
    main = dict(_MAIN)
    text = {name: fields.text(name, main[name]) for name, _ in _MAIN[:5]}
    n_bytes = fields.whole("header size", main["header size"])
    reserved = fields.text("reserved", main["reserved"])
    n_records = fields.whole("number of records", main["number of records"])
    record_s = Fraction(fields.number("record duration", main["record duration"]))
    n_signals = fields.whole("number of signals", main["number of signals"])
    if n_signals < 1:
        raise FormatError(f"{path}: the header describes {n_signals} signals; one is the least.")
    if n_bytes != _MAIN_BYTES + _SIGNAL_BYTES * n_signals:
        raise FormatError(
            f"{path}: the header says it is {n_bytes} bytes long; with {n_signals} signals it is "
            f"{_MAIN_BYTES + _SIGNAL_BYTES * n_signals}. One of the two was altered."
        )
    header = EdfHeader(
        data.startswith(BDF_MAGIC),
        text["patient"],
        text["recording"],
        text["start date"],
        text["start time"],
        reserved,
        n_records,
        record_s,
        _parse_signals(fields, n_signals),
    )
    for signal in header.signals:
        _check_signal(signal, header, path)
    return _with_true_length(header, path, size)


def _parse_signals(fields: _Fields, n_signals: int) -> tuple[EdfSignal, ...]:
    columns: list[list[Any]] = []
    for name, width in _SIGNAL:
        take: Callable[[str, int], Any] = fields.text
        if name.startswith("physical m"):
            take = fields.number
        elif name.startswith(("digital", "samples")):
            take = fields.whole
        columns.append([take(name, width) for _ in range(n_signals)])
    return tuple(
        EdfSignal(label, words, unit, (float(low), float(high)), (least, most), filters, count)
        for label, words, unit, low, high, least, most, filters, count, _ in zip(
            *columns, strict=True
        )
    )


def _check_signal(signal: EdfSignal, header: EdfHeader, path: Path) -> None:
    where = f"{path}, signal {signal.label!r}"
    if signal.samples_per_record < 1:
        raise FormatError(
            f"{where}: samples per record must be 1 or more; it says {signal.samples_per_record}."
        )
    if signal.is_annotations:
        return
    limit = 2 ** (8 * header.sample_bytes - 1)
    least, most = signal.digital
    if not -limit <= least < most < limit:
        raise FormatError(
            f"{where}: digital minimum and maximum must satisfy {-limit} <= minimum < maximum "
            f"<= {limit - 1}; the header says {least} and {most}."
        )
    low, high = signal.physical
    if low == high or not math.isfinite(high - low):
        raise FormatError(
            f"{where}: physical minimum and maximum must differ; the header says {low:g} and "
            f"{high:g}."
        )
    if header.record_s <= 0:
        raise FormatError(
            f"{path}: the record duration must be above 0 s for a file with signals; the header "
            f"says {float(header.record_s):g}."
        )


def _with_true_length(header: EdfHeader, path: Path, size: int) -> EdfHeader:
    """Hold the number of records against the file; -1, a recorder's "not closed", is counted."""
    whole, rest = divmod(size - header.n_bytes, header.record_bytes)
    if header.n_records == -1:
        values = {name: getattr(header, name) for name in header.__slots__}
        return EdfHeader(**{**values, "n_records": whole})
    if header.n_records < 0 or (whole, rest) != (header.n_records, 0):
        extra = f" and {rest} bytes" if rest else ""
        lie = "is truncated" if whole < header.n_records else "holds more than its header says"
        raise FormatError(
            f"{path} {lie}: the header promises {header.n_records} data records of "
            f"{header.record_bytes} bytes, the file has {whole}{extra}. Get the file again, or "
            "correct the number of records (bytes 236-243) if you know what happened to it."
        )
    return header


# --- writing -----------------------------------------------------------------------------------


def text_field(words: str, width: int) -> str:
    """Return ``words`` as printable ASCII, cut and padded to ``width``.

    Examples
    --------
    >>> text_field("Müller", 8)
    'M?ller  '
    """
    plain = words.encode("ascii", "replace").decode()
    plain = "".join(c if c.isprintable() else " " for c in plain)
    return plain[:width].ljust(width)


def number_field(value: float, *, up: bool, width: int = 8) -> str:
    """Return ``value`` rounded up or down to the most digits that fit in ``width``.

    Examples
    --------
    >>> number_field(1234.56789, up=True), number_field(-0.000123456, up=False)
    ('1234.568', '-1.3E-04')
    """
    exact = Decimal(repr(float(value)))  # the shortest text: writing what was read changes nothing
    rounding = ROUND_CEILING if up else ROUND_FLOOR
    fixed = [
        format(exact.quantize(Decimal(1).scaleb(-digits), rounding), "f")
        for digits in range(width - 2, -1, -1)
        if abs(exact) < 10**width
    ]
    fitting = [text for text in fixed if len(text) <= width]
    if fitting and (abs(value) >= 1e-3 or Decimal(fitting[0]) == exact):
        return fitting[0]
    for digits in range(width, -1, -1):  # very small or large: with an exponent
        step = Decimal(1).scaleb(exact.adjusted() - digits) if exact else Decimal(1)
        text = f"{exact.quantize(step, rounding):.{digits}E}"
        mantissa, exponent = text.split("E")
        text = f"{mantissa}E{int(exponent):+03d}"
        if len(text) <= width:
            return text
    raise ValueError(f"{value!r} does not fit in {width} characters")


def render_header(header: EdfHeader) -> bytes:
    """Write a header's bytes; its fields are cut to their widths."""
    n_signals = len(header.signals)
    main = (
        header.patient,
        header.recording,
        header.start_date,
        header.start_time,
        str(header.n_bytes),
        header.reserved,
        str(header.n_records),
        _decimal(header.record_s),
        str(n_signals),
    )
    parts = [text_field(words, w) for words, (_, w) in zip(main, _MAIN[1:], strict=True)]
    rows = [
        (
            signal.label,
            signal.transducer,
            signal.dimension,
            number_field(signal.physical[0], up=False),
            number_field(signal.physical[1], up=True),
            str(signal.digital[0]),
            str(signal.digital[1]),
            signal.prefiltering,
            str(signal.samples_per_record),
            "",
        )
        for signal in header.signals
    ]
    for column, (_, width) in enumerate(_SIGNAL):
        parts += [text_field(row[column], width) for row in rows]
    magic = BDF_MAGIC if header.is_bdf else EDF_MAGIC
    return magic + "".join(parts).encode("ascii")


def _decimal(value: Fraction, width: int = 8) -> str:
    """Write a fraction that has an exact short decimal form, or its nearest one."""
    if value.denominator == 1:
        return str(value.numerator)
    return format(float(value), f".{width - 2}f")[:width].rstrip("0")
