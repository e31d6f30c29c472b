"""What a channel measures, told from its label, its transducer and its unit."""

from __future__ import annotations

import re

from myograph.core.errors import DataError
from myograph.core.layout import BIOPOTENTIALS, KIND_UNITS
from myograph.io.units import kinds_in

__all__ = ["infer_kind", "refuse_kind"]

# Looked for in this order: the narrower word first ("needle EMG" is not surface EMG).
_WORDS: tuple[tuple[str, str], ...] = (
    ("hdemg", r"hd[ _-]?s?emg|high[ -]density"),
    ("needle", r"needle|concentric|fine[ -]?wire|intramuscular"),
    ("semg", r"emg|electromyogra"),
    ("eeg", r"(?<![a-z])eeg"),
    ("ecg", r"(?<![a-z])(ecg|ekg)"),
    ("gyro", r"gyr|angular[ _-]?velocity"),
    ("acc", r"(?<![a-z])acc"),
    ("orientation", r"quat|orientation"),
    ("torque", r"torque"),
    ("force", r"force|dynamom|load[ _-]?cell|(?<![a-z])fsr"),
    ("angle", r"angle|goniomet"),
    ("trigger", r"trig|^status$|^event$|^marker$|(?<![a-z])ttl(?![a-z])"),
)
_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _WORDS)


def infer_kind(label: str, *, unit: str = "", text: str = "") -> str:
    """Return the kind of a channel, or empty text when its words do not tell.

    Parameters
    ----------
    label : str
        The channel's name in the file (EDF+ begins it with ``EMG``, ``EEG``, ``ECG``, ...).
    unit : str
        As the file words it. A unit that only one kind is held in (``N``, ``deg/s``) tells it; a
        word whose unit contradicts it does not.
    text : str
        Anything else the file says, like the transducer; read before the label, as it is longer.

    Examples
    --------
    >>> infer_kind("EMG TA", unit="uV")
    'semg'
    >>> infer_kind("EMG TA", text="concentric needle")
    'needle'
    >>> infer_kind("grip", unit="kgf")
    'force'
    >>> infer_kind("channel 3", unit="mV")
    ''
    """
    possible = kinds_in(unit)
    if len(possible) == 1:
        return possible[0]
    for words in (text.lower(), label.lower()):
        for kind, pattern in _PATTERNS:
            if pattern.search(words) and (not possible or kind in possible):
                return kind
    return ""


def refuse_kind(where: str, *, unit: str) -> DataError:
    """Word the refusal of a channel whose kind nobody knows."""
    choices = kinds_in(unit) or tuple(KIND_UNITS)
    return DataError(
        f"{where}: neither its label nor its transducer says what it measures; state it with the "
        f"option kinds= (one of {list(choices)}, for example kinds={{'NAME': '{choices[0]}'}} or "
        f"kinds='{BIOPOTENTIALS[0]}' for all), or leave the channel out with the option channels=."
    )
