"""HTML pieces: what is not markup is escaped, everywhere."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myograph.report.html import Html, code, definitions, element, figure, join, listed, page, table

HOSTILE = "<script>alert('x')</script>&\"'"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _parsed(markup: str) -> _Tags:
    parser = _Tags()
    parser.feed(markup)
    return parser


@pytest.mark.parametrize(
    "markup",
    [
        element("p", HOSTILE),
        element("p", "x", title=HOSTILE),
        join([HOSTILE]),
        code(HOSTILE),
        listed([HOSTILE]),
        definitions({HOSTILE: HOSTILE}),
        table([HOSTILE], [[HOSTILE, HOSTILE]], caption=HOSTILE, numbers_from=1),
        figure("<svg></svg>", HOSTILE),
        Html(page(HOSTILE, HOSTILE)),
    ],
)
def test_hostile_text_becomes_text(markup: str) -> None:
    parsed = _parsed(markup)
    assert "script" not in parsed.tags
    assert "<script" not in markup


@given(st.text())
def test_any_text_survives_as_text(text: str) -> None:
    parsed = _parsed(element("p", text))
    assert parsed.tags == ["p"]
    assert "".join(parsed.text).replace("\r\n", "\n") == text.replace("\r\n", "\n")


def test_markup_is_not_escaped_twice() -> None:
    assert element("p", element("b", "a < b")) == "<p><b>a &lt; b</b></p>"


def test_attributes_lose_their_underscores() -> None:
    assert element("p", aria_label="x", class_="y") == '<p aria-label="x" class="y"></p>'


def test_a_page_asks_for_nothing_from_elsewhere() -> None:
    whole = page("title", element("p", "text"))
    assert "default-src 'none'" in whole
    assert "http://" not in whole
    assert "https://" not in whole
    assert '<html lang="en">' in whole
