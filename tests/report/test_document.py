"""Documents: the same content as Markdown and as HTML, and text is never markup."""

from __future__ import annotations

from myograph.report.document import Document, Grid, Listing, Section
from myograph.report.dossier_page import dossier_page

HOSTILE = "<script>alert(1)</script> [x](http://x) | `a`\n# b"


def _document(text: str) -> Document:
    grid = Grid(("a", "b"), ((text, "2"),), "Caption.")
    return Document("doc", "Title", (text,), (Section("Part", (text, grid, Listing((text,)))),))


def test_markdown() -> None:
    assert _document("x").to_markdown() == (
        "# Title\n\nx\n\n## Part\n\nx\n\nCaption.\n\n| a | b |\n| --- | --- |\n| x | 2 |\n\n- x\n"
    )


def test_hostile_text_stays_text() -> None:
    text = _document(HOSTILE).to_markdown()
    assert "\n# b" not in text
    assert r"\<script\>" in text
    assert r"\[x\](http" in text
    row = next(line for line in text.splitlines() if line.startswith(r"| \<script"))
    assert row.replace(r"\|", "").count("|") == 3
    page = dossier_page(HOSTILE, [_document(HOSTILE)], against=[HOSTILE], files={HOSTILE: HOSTILE})
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_page_links_to_each_paper() -> None:
    page = dossier_page("t", [_document("x")], against=["Beware."], files={"a.json": "b"})
    assert 'href="#doc"' in page
    assert 'id="doc"' in page
    assert page.index("Beware.") < page.index("Caption.")


def test_a_digest_may_break_and_loses_nothing() -> None:
    page = _document("f00d" * 16).to_html()
    assert "<wbr>" in page
    assert page.replace("<wbr>", "").count("f00d" * 16) == 4
    assert "<wbr>" not in _document("plain words only").to_html()
