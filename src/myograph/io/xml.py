"""XML from files that nobody vouches for."""

from __future__ import annotations

from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.parsers import expat

from myograph.core.errors import FormatError

__all__ = ["parse_xml"]


def parse_xml(data: bytes, *, where: str) -> Element:
    """Parse XML that declares no document type, so that no entity can be defined in it.

    An entity may refer to others over and over (a few bytes that fill the memory) or to a file of
    this computer; recordings need none, so a document type is refused before anything is expanded.

    Raises
    ------
    FormatError
        If it declares a document type or is no XML.

    Examples
    --------
    >>> parse_xml(b"<Device Name='QUATTRO'/>", where="a.xml").get("Name")
    'QUATTRO'
    """

    def refuse(*_: object) -> NoReturn:
        raise FormatError(
            f"{where}: its XML declares a document type, through which entities could be defined; "
            "recordings need none. The file is damaged or not what it says it is."
        )

    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = refuse
    try:
        guard.Parse(data, True)  # noqa: FBT003 (the parser's own signature)
        return fromstring(data)  # noqa: S314 (the guard has seen that it defines no entity)
    except (expat.ExpatError, ParseError, LookupError, ValueError) as error:
        raise FormatError(f"{where}: its XML is damaged ({error}).") from error
