"""Show reStructuredText roles of docstrings as Markdown on the reference pages."""

from __future__ import annotations

import re
from typing import Any

import griffe

MATH = re.compile(r":math:`([^`]*)`")
CITATION = re.compile(r"\[(\w+)\]_")


class Roles(griffe.Extension):
    """Turn formulas and citations into code, which needs nothing loaded from elsewhere."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of every module, class, function and attribute."""
        if obj.docstring is not None:
            text = MATH.sub(r"`\1`", obj.docstring.value)
            obj.docstring.value = CITATION.sub(r"(`\1`)", text)
