"""File <-> Recording. A reader is chosen by the file's bytes, never by trying one after another."""

from __future__ import annotations

# Each module of a format registers it in FORMATS when it is imported.
from myograph.io import (
    bids,
    brainvision,
    c3d,
    delimited,
    edf,
    journal,
    matlab,
    native,
    npz,
    otb,
    wfdb,
    xdf,
)
from myograph.io.bids_write import write_bids
from myograph.io.formats import FORMATS, Format
from myograph.io.read import read
from myograph.io.write import write

__all__ = [
    "FORMATS",
    "Format",
    "bids",
    "brainvision",
    "c3d",
    "delimited",
    "edf",
    "journal",
    "matlab",
    "native",
    "npz",
    "otb",
    "read",
    "wfdb",
    "write",
    "write_bids",
    "xdf",
]
