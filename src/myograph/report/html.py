"""Small pieces of HTML, safe by default: whatever is not `Html` is text, and is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files

__all__ = ["Html", "code", "definitions", "element", "figure", "join", "listed", "page", "table"]

# No script, no picture from elsewhere, no request of any kind: the page is complete in itself.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class Html(str):
    """Markup that may stand in a page as it is; only this package makes it."""

    __slots__ = ()


def join(parts: Iterable[object]) -> Html:
    """Put pieces one after the other; plain text among them is escaped.

    Examples
    --------
    >>> join(["a < b", Html("<br>")])
    'a &lt; b<br>'
    """
    return Html("".join(p if isinstance(p, Html) else escape(str(p)) for p in parts))


def element(name: str, *content: object, **attributes: str) -> Html:
    """Make one element; ``class_`` becomes ``class``, ``aria_label`` becomes ``aria-label``.

    Examples
    --------
    >>> element("p", "a & b", class_="note")
    '<p class="note">a &amp; b</p>'
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value, quote=True)}"'
        for key, value in attributes.items()
    )
    return Html(f"<{name}{given}>{join(content)}</{name}>")


def code(value: object) -> Html:
    """Show something as code."""
    return element("code", value)


def listed(items: Iterable[object]) -> Html:
    """Make a bulleted list."""
    return element("ul", *(element("li", item) for item in items))


def table(
    headers: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str, numbers_from: int
) -> Html:
    """Make a table; the columns from ``numbers_from`` on hold numbers and are set flush right."""
    right = {"class_": "n"}
    head = [
        element("th", name, scope="col", **(right if k >= numbers_from else {}))
        for k, name in enumerate(headers)
    ]
    body = []
    for row in rows:
        cells = [element("th", row[0], scope="row")]
        for k, cell in enumerate(row[1:], start=1):
            cells.append(element("td", cell, **(right if k >= numbers_from else {})))
        body.append(element("tr", *cells))
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *body),
    )


def definitions(pairs: Mapping[str, object]) -> Html:
    """List terms with what they are."""
    rows = (element("div", element("dt", k), element("dd", v)) for k, v in pairs.items())
    return element("dl", *rows)


def figure(svg: str, caption: object) -> Html:
    """Stand a drawing made by `myograph.report.svg` in the page, with its caption below."""
    return element("figure", Html(svg), element("figcaption", caption))


def page(title: str, *body: object) -> str:
    """Return the whole page: one file, no script, nothing fetched from anywhere."""
    style = files("myograph.report").joinpath("page.css").read_text(encoding="utf-8")
    head = element(
        "head",
        Html('<meta charset="utf-8">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", title),
        element("style", Html(f"\n{style}")),
    )
    return f'<!doctype html>\n<html lang="en">\n{head}\n{element("body", *body)}\n</html>\n'
