"""The drawing board of every figure: one look, and SVG text that is the same for the same data."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "PURPLE",
    "RED",
    "SKY",
    "content",
    "drawing",
    "to_svg",
]

# Okabe and Ito's palette: told apart by readers with any form of colour blindness.
BLUE, ORANGE, GREEN, RED = "#0072b2", "#e69f00", "#009e73", "#d55e00"
SKY, PURPLE, GREY, INK = "#56b4e9", "#cc79a7", "#767676", "#1a1a1a"

# On a page the 9-point text of a figure stands as large as the text around it.
_PIXELS_PER_POINT = 1.45

# Of a picture made of pixels.
_DPI = 150

_LOOK = {
    "svg.fonttype": "none",  # real text: it can be selected, searched and read aloud
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 9,
    "axes.edgecolor": "#8a8a8a",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlesize": 9,
    "axes.titleweight": "normal",
    "axes.titlelocation": "left",
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.8,
    "xtick.color": "#4a4a4a",
    "ytick.color": "#4a4a4a",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "path.simplify": False,
    "text.parse_math": False,  # a label with a dollar sign is a label, not a formula
}


@contextmanager
def drawing(name: str, *, width_in: float, height_in: float) -> Iterator[Any]:
    """Give a matplotlib figure with the house look, without touching the user's settings.

    Parameters
    ----------
    name : str
        Unique within a page: it seeds the identifiers inside the SVG.
    width_in, height_in : float
        Size in inches (72 SVG points each).

    Yields
    ------
    matplotlib.figure.Figure
        Made without pyplot, so no window system and no global state is involved.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context({**_LOOK, "svg.hashsalt": name}), warnings.catch_warnings():
        # Only the layout uses our font; the reader's browser has glyphs for every script.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        FigureCanvasSVG(figure)
        yield figure


def content(figure: Any, suffix: str) -> bytes:
    """Return the figure as the content of a file of its own; call it inside `drawing`.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    suffix : str
        ``".png"`` or ``".svg"``.
    """
    buffer = io.BytesIO()
    if suffix == ".png":
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    else:
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def to_svg(figure: Any, *, name: str, alt: str) -> str:
    """Return the figure as one ``<svg>`` element, ready to stand inside a page.

    Call it inside `drawing`. Nothing in it depends on the clock or on the process: the same data
    give the same text.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name : str
        Prefix of every identifier, so that several figures can share a page.
    alt : str
        What the figure shows, for a reader who cannot see it.
    """
    buffer = io.StringIO()
    empty = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=empty)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # matplotlib's own style rule would reach every element of the page: scope it to the drawing.
    text = re.sub(r"<style type=\"text/css\">.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"\bid=\"([^\"]+)\"", rf'id="{name}-\1"', text)
    text = re.sub(r"href=\"#([^\"]+)\"", rf'href="#{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r"\s+<defs>\s*</defs>", "", text)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)  # comments repeat every label
    text = re.sub(r"\n\s*", "\n", text)
    return _label(text.strip(), name=name, alt=alt)


def _label(text: str, *, name: str, alt: str) -> str:
    opening, rest = text.split(">", 1)
    opening = re.sub(r" (xmlns:xlink|version)=\"[^\"]*\"", "", opening)
    opening = re.sub(r"\b(width|height)=\"([\d.]+)pt\"", _pixels, opening)
    rest = rest.replace("xlink:href", "href")
    return (
        f'{opening} role="img" aria-labelledby="{name}-alt" '
        f'stroke-linejoin="round" stroke-linecap="butt">'
        f'<title id="{name}-alt">{escape(alt)}</title>{rest}'
    )


def _pixels(match: re.Match[str]) -> str:
    return f'{match[1]}="{float(match[2]) * _PIXELS_PER_POINT:.0f}"'
