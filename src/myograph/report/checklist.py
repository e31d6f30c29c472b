"""Checklist: questions of a guideline or a sheet, answered as far as the run goes, no further."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from myograph.core.checks import unknown_name
from myograph.core.errors import ParameterError
from myograph.report.document import Block, Document, Grid, Section
from myograph.report.facts import LABELS, Fact

__all__ = [
    "AUTHORS", "FROM_RUN", "GIVEN", "PARTLY", "STATUSES", "Answer", "Checklist", "Item", "item",
]  # fmt: skip

#: How far an item is answered: by the run alone, by the run in part, by the authors, not yet.
FROM_RUN, PARTLY = "from the run", "in part"
GIVEN, AUTHORS = "answered by the authors", "to be answered by the authors"
STATUSES = (FROM_RUN, PARTLY, GIVEN, AUTHORS)

_NUMBERING = (
    "Topics are in Myograph's own words, not in those of the publication. Numbers follow public "
    "transcriptions of it and were not verified against the primary text: fill in the published "
    "form from this page, not from memory of it."
)
_LAST = "The run writes nothing into the last column but what is still open."


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a guideline.

    Parameters
    ----------
    number : str
        As published, as far as it is known.
    section, topic : str
        In our own words.
    facts : tuple of str
        Keys of `myograph.report.facts.LABELS` that bear on it.
    authors : str
        What no run can know; empty when the facts are the whole answer.
    """

    number: str
    section: str
    topic: str
    facts: tuple[str, ...] = ()
    authors: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An item with what the run says to it.

    Parameters
    ----------
    item : Item
    found : tuple of Fact
    missing : tuple of str
        Labels of facts that bear on it and that this run does not hold.
    given : str
        What the authors answered.
    """

    item: Item
    found: tuple[Fact, ...]
    missing: tuple[str, ...]
    given: str = ""

    @property
    def status(self) -> str:
        """One of `STATUSES`."""
        if self.given:
            return GIVEN
        if not self.found:
            return AUTHORS
        return PARTLY if self.missing or self.item.authors else FROM_RUN

    @property
    def left(self) -> str:
        """What the authors have to add; empty when nothing is left, or they have answered."""
        if self.given:
            return ""
        told = [self.item.authors] if self.item.authors else []
        if self.missing:
            told.append(f"not in this run: {', '.join(self.missing)}")
        return "; ".join(told)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "number": self.item.number,
            "section": self.item.section,
            "topic": self.item.topic,
            "status": self.status,
            "found": [fact.to_dict() for fact in self.found],
            "left": self.left,
            "authors": self.given,
        }


@dataclass(frozen=True, slots=True)
class Checklist:
    """A guideline, or a sheet that asks without being one.

    Parameters
    ----------
    name : str
        Of its file.
    title : str
    about : tuple of str
        What it is, and when it applies.
    items : tuple of Item
    reference : str
        Key in ``references.bib``.
    doi : str
        Of a guideline with numbered items; empty for a sheet.
    """

    name: str
    title: str
    about: tuple[str, ...]
    items: tuple[Item, ...]
    reference: str
    doi: str = ""

    def answer(
        self, known: Mapping[str, Fact], given: Mapping[str, str] | None = None
    ) -> tuple[Answer, ...]:
        """Answer every item from what is known of a run, and from what the authors say.

        Parameters
        ----------
        known : mapping of str to Fact
        given : mapping of str to str, optional
            Number of an item (its topic, on a sheet), and the authors' answer.

        Raises
        ------
        ParameterError
            If there is no such item.
        """
        given = given or {}
        places = [each.number or each.topic for each in self.items]
        for place in given:
            if place not in places:
                raise ParameterError(unknown_name(place, places, what=f"item of {self.name}"))
        answers = []
        for each, place in zip(self.items, places, strict=True):
            found = tuple(known[key] for key in each.facts if key in known)
            missing = tuple(LABELS[key] for key in each.facts if key not in known)
            answers.append(Answer(each, found, missing, given.get(place, "")))
        return tuple(answers)

    def document(
        self, known: Mapping[str, Fact], given: Mapping[str, str] | None = None
    ) -> Document:
        """Write the checklist with its answers; see `answer`."""
        answers = self.answer(known, given)
        statuses = [each.status for each in answers]
        told = ", ".join(f"{statuses.count(s)} {s}" for s in STATUSES if s in statuses)
        published = [f"Published as doi:{self.doi}. {_NUMBERING}"] if self.doi else []
        lead = (
            *self.about,
            *published,
            f"{len(answers)} items: {told}. {_LAST}",
        )
        names = dict.fromkeys(each.item.section for each in answers)
        sections = [
            Section(
                name,
                (_grid([a for a in answers if a.item.section == name], numbered=bool(self.doi)),),
            )
            for name in names
        ]
        return Document(self.name, self.title, lead, tuple(sections))


def item(number: str, section: str, topic: str, facts: str = "", authors: str = "") -> Item:
    """Make an item; the keys of facts are parted by spaces.

    Examples
    --------
    >>> item("1", "Title", "what was done", "title target").facts
    ('title', 'target')
    """
    return Item(number, section, topic, tuple(facts.split()), authors)


def _grid(answers: list[Answer], *, numbered: bool) -> Block:
    rows = []
    for each in answers:
        said = "; ".join(_said(fact, each.item.topic) for fact in each.found)
        where = "; ".join(dict.fromkeys(fact.source for fact in each.found))
        left = f"open: {each.left}" if each.left else "–"
        if each.given:
            left = f"answered: {each.given}"
        told = said or ("–" if each.given else AUTHORS)
        rows.append((each.item.number, each.item.topic, told, where or "–", left))
    headers = ("item", "topic", "what the run says", "where it says so", "the authors")
    first = 0 if numbered else 1
    return Grid(headers[first:], tuple(row[first:] for row in rows))


def _said(fact: Fact, topic: str) -> str:
    value = fact.value.rstrip(".")
    return value if fact.label == topic else f"{fact.label}: {value}"
