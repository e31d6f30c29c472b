"""The page of a dossier: every paper of one evaluation in one file."""

from __future__ import annotations

from collections.abc import Sequence

from myograph.report.document import Document
from myograph.report.html import code, definitions, element, listed, page

__all__ = ["dossier_page"]


def dossier_page(
    title: str, documents: Sequence[Document], *, against: Sequence[str], files: dict[str, str]
) -> str:
    """Return the whole page as HTML: the same papers give the same bytes.

    Parameters
    ----------
    title : str
    documents : sequence of Document
    against : sequence of str
        What stands against the figures, said first.
    files : dict of str to str
        Name of each other file, and what it is.
    """
    links = [element("a", d.title, href=f"#{d.name}") for d in documents]
    body = [
        element("h1", f"Papers about {title}"),
        element("p", "Filled from the run; what no run can know is left to its authors.",
                class_="lead"),
        element("section", element("h2", "Read this first", id="h-first"), listed(against),
                id="first", aria_labelledby="h-first"),
        element("nav", *links, aria_label="Papers"),
        *(document.to_html() for document in documents),
        element("section", element("h2", "Files beside this page", id="h-files"),
                definitions(dict(files.items())),
                id="files", aria_labelledby="h-files"),
        element("footer", element("p", "Made by Myograph, research software; not a clinical "
                "device. When it was written stands in ", code("dossier.json"), ".")),
    ]  # fmt: skip
    return page(f"Papers about {title}", element("main", *body))
