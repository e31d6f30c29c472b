"""File <-> Recording. A reader is chosen by the file's bytes, never by trying one after another."""

from __future__ import annotations

# Each module of a format registers it in FORMATS when it is imported.
from myograph.io import delimited, edf, matlab, native, npz, wfdb
from myograph.io.formats import FORMATS, Format
from myograph.io.read import read
from myograph.io.write import write

__all__ = [
    "FORMATS",
    "Format",
    "delimited",
    "edf",
    "matlab",
    "native",
    "npz",
    "read",
    "wfdb",
    "write",
]
