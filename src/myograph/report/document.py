"""Document: headings, sentences and tables, written as Markdown or as HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from myograph.report.html import Html, element, join, listed, table

__all__ = ["Block", "Document", "Grid", "Listing", "Section", "plain"]

_LONGEST, _PIECE = 24, 16
_SPACES = re.compile(r"(\s+)")
_SPECIAL = re.compile(r"([\\`*_<>\[\]|])")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of text.

    Parameters
    ----------
    headers : tuple of str
    rows : tuple of tuple of str
        As many cells as headers.
    caption : str
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A bulleted list."""

    items: tuple[str, ...]


#: What a section is made of; text is a paragraph.
Block: TypeAlias = str | Grid | Listing


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands below it."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A document of sections.

    Parameters
    ----------
    name : str
        Of its file, without an ending; also its anchor in a page.
    title : str
    lead : tuple of str
        Paragraphs before the first section.
    sections : tuple of Section
    """

    name: str
    title: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]

    def to_markdown(self) -> str:
        r"""Write the document as Markdown; what stands in the run is text and never markup.

        Examples
        --------
        >>> print(Document("a", "A *star*", ("Lead.",), ()).to_markdown())
        # A \*star\*
        <BLANKLINE>
        Lead.
        <BLANKLINE>
        """
        parts = [f"# {plain(self.title)}", *(plain(text) for text in self.lead)]
        for section in self.sections:
            parts.append(f"## {plain(section.heading)}")
            parts += [_markdown(block) for block in section.blocks]
        return "\n\n".join(parts) + "\n"

    def to_html(self) -> Html:
        """Return the document as one section of a page."""
        parts: list[Html] = [element("h2", self.title, id=f"h-{self.name}")]
        parts += [element("p", text) for text in self.lead]
        for section in self.sections:
            parts.append(element("h3", section.heading))
            parts += [_html(block) for block in section.blocks]
        return element("section", *parts, id=self.name, aria_labelledby=f"h-{self.name}")


def plain(text: str) -> str:
    r"""Write text so that Markdown shows it as it is, on one line.

    Examples
    --------
    >>> plain("r_01 | <b>")
    'r\\_01 \\| \\<b\\>'
    """
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _markdown(block: Block) -> str:
    if isinstance(block, str):
        return plain(block)
    if isinstance(block, Listing):
        return "\n".join(f"- {plain(item)}" for item in block.items)
    lines = [_line(block.headers), _line(["---"] * len(block.headers), raw=True)]
    lines += [_line(row) for row in block.rows]
    caption = f"{plain(block.caption)}\n\n" if block.caption else ""
    return caption + "\n".join(lines)


def _line(cells: Sequence[str], *, raw: bool = False) -> str:
    return "| " + " | ".join(cell if raw else plain(cell) for cell in cells) + " |"


def _html(block: Block) -> Html:
    if isinstance(block, str):
        return element("p", block)
    if isinstance(block, Listing):
        return listed(block.items)
    rows = [tuple(_breakable(cell) for cell in row) for row in block.rows]
    return element(
        "div", table(block.headers, rows, caption=block.caption, numbers_from=99), class_="words"
    )


def _breakable(text: str) -> Html:
    """Let a digest break over lines, so that it does not push a table off the page."""
    return join(part if k % 2 else _pieces(part) for k, part in enumerate(_SPACES.split(text)))


def _pieces(word: str) -> Html | str:
    if len(word) <= _LONGEST:
        return word
    pieces = [word[k : k + _PIECE] for k in range(0, len(word), _PIECE)]
    return join(part for piece in pieces for part in (Html("<wbr>"), piece))
