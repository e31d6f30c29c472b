"""OTB+ and OTB4: what the amplifiers of OT Bioelettronica record, a tar of samples and XML.

Built from the structure that the vendor's scripts and other open readers publish; no file of a
device was at hand, so this reader is unverified, and it does not write. The person's name in such
a file is never read.

Force: traces that the program drew (percent of maximum, newton) come with their unit. The volts of
a load cell are held as device counts, for what a newton is was set up in the laboratory and is not
in the file. What was plugged into an auxiliary input has to be stated, for example
``read(path, kinds={"AUX*": "force"}, unit={"AUX*": "count"})``, or left out with ``channels=``.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from myograph.core.errors import FormatError
from myograph.io.formats import FORMATS, Format
from myograph.io.hints import Hints
from myograph.io.otb4 import LIST, open_otb4
from myograph.io.otb_archive import Archive
from myograph.io.otb_plus import open_otb_plus
from myograph.io.track import Track

__all__: list[str] = []

_SUFFIXES = (".otb+", ".otb4", ".otb")

# Where a tar archive says what it is.
_TAR_AT, _TAR = 257, b"ustar"


def _open(path: Path, hints: Hints) -> tuple[Track, ...]:
    del hints  # the file says everything
    archive = Archive.of(path)
    if LIST in archive.members:
        return open_otb4(archive)
    if archive.names(".sig"):
        return open_otb_plus(archive)
    raise FormatError(
        f"{path} is an archive without {LIST} and without .sig (it holds "
        f"{sorted(archive.members)[:8]}); an OTB4 has the first, an OTB+ the second."
    )


def _sniff(head: bytes, path: Path) -> bool:
    """Say whether it is a tar, plain or compressed; an old one without its magic goes by name."""
    if head[:2] == b"\x1f\x8b":
        try:
            head = zlib.decompressobj(31).decompress(head, _TAR_AT + len(_TAR))
        except zlib.error:
            return False
    magic = head[_TAR_AT : _TAR_AT + len(_TAR)]
    return magic == _TAR or (magic == b"\0" * 5 and path.name.lower().endswith(_SUFFIXES))


FORMATS.add(
    "otb",
    Format("otb", "OTB+ / OTB4", _SUFFIXES, sniff=_sniff, open=_open, verified=False, rank=1),
)
