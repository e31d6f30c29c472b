"""Pictures: small drawings of the hand in each movement, for the screen and for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from myograph.core.checks import unknown_name
from myograph.core.errors import ParameterError

__all__ = ["POSES", "Pose", "hand_svg", "hand_text"]


@dataclass(frozen=True, slots=True)
class Pose:
    """How a hand is held.

    Parameters
    ----------
    curl : tuple of 5 floats
        Thumb to little finger: 0 stretched, 1 rolled in.
    bend_deg : float
        Hand against forearm in the picture's plane.
    turn : int
        -1, 0 or 1: an arrow around the forearm.
    side : bool
        Seen from the side, palm to the left.
    words : str
        What to do, in a few words.
    """

    curl: tuple[float, float, float, float, float]
    bend_deg: float = 0.0
    turn: int = 0
    side: bool = False
    words: str = ""


#: Every movement that is drawn.
POSES: Mapping[str, Pose] = {
    "rest": Pose((0.3, 0.35, 0.35, 0.35, 0.35), words="let go of everything"),
    "hand close": Pose((0.9, 1, 1, 1, 1), words="make a fist"),
    "power grip": Pose((0.6, 0.8, 0.8, 0.8, 0.8), words="close around a bottle"),
    "hand open": Pose((0, 0, 0, 0, 0), words="spread the fingers"),
    "pinch": Pose((0.45, 0.6, 0.1, 0.1, 0.1), words="thumb to forefinger"),
    "key grip": Pose((0.55, 0.95, 1, 1, 1), words="thumb onto the side of the forefinger"),
    "point": Pose((0.8, 0, 1, 1, 1), words="point with the forefinger"),
    "wrist flexion": Pose(
        (0.3, 0.3, 0.15, 0.3, 0.3), -40, side=True, words="bend the wrist to the palm"
    ),
    "wrist extension": Pose((0.3, 0.3, 0.15, 0.3, 0.3), 40, side=True, words="bend the wrist back"),
    "radial deviation": Pose((0.1, 0.2, 0.2, 0.2, 0.2), -25, words="tilt to the thumb"),
    "ulnar deviation": Pose((0.1, 0.2, 0.2, 0.2, 0.2), 25, words="tilt to the little finger"),
    "pronation": Pose((0.3, 0.3, 0.3, 0.3, 0.3), turn=-1, words="turn the palm down"),
    "supination": Pose((0.3, 0.3, 0.3, 0.3, 0.3), turn=1, words="turn the palm up"),
}

# Which fingers are seen, and the outline of the palm.
_FRONT = ((0, 1, 2, 3, 4), "M 80 146 Q 66 120 70 84 Q 98 58 126 84 Q 130 120 118 146 Z")
_SIDE = ((2,), "M 84 146 L 82 76 Q 94 62 106 76 L 114 146 Z")

_KNUCKLES = ((62, 96, -52), (76, 60, -12), (92, 55, -3), (108, 57, 5), (122, 66, 14))
_LENGTHS = (34, 42, 48, 44, 34)


def hand_svg(movement: str, *, size: int = 200) -> str:
    """Return a drawing as one SVG element, black on nothing, with a text for who cannot see it.

    Examples
    --------
    >>> hand_svg("pinch").startswith("<svg")
    True
    """
    pose = _pose(movement)
    shown = _SIDE if pose.side else _FRONT
    fingers = "".join(_finger(k, pose.curl[k]) for k in shown[0])
    arrow = ""
    if pose.turn:
        sweep, tip = (
            (1, "140,168 150,176 138,182") if pose.turn > 0 else (0, "60,168 50,176 62,182")
        )
        start, end = ("56,176", "144,176") if pose.turn > 0 else ("144,176", "56,176")
        arrow = (
            f'<path d="M {start} A 46 16 0 0 {sweep} {end}" fill="none" stroke-width="4"/>'
            f'<polygon points="{tip}" fill="currentColor"/>'
        )
    label = quoteattr(f"{movement}: {pose.words}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="{size}" '
        f'height="{size}" role="img" aria-label={label} stroke="currentColor" fill="none" '
        'stroke-linecap="round" stroke-linejoin="round">'
        f"<title>{escape(movement)}</title>"
        '<path d="M 78 198 L 80 146 M 120 198 L 118 146" stroke-width="5"/>'
        f'<g transform="rotate({pose.bend_deg:g} 99 146)">'
        f'<path d="{shown[1]}" stroke-width="5"/>'
        f"{fingers}</g>{arrow}</svg>"
    )


def hand_text(movement: str) -> str:
    """Return a drawing of a few lines for a terminal.

    Examples
    --------
    >>> hand_text("hand open").splitlines()[-1].strip()
    '|  |    spread the fingers'
    """
    pose = _pose(movement)
    thumb, *rest = pose.curl
    marks = ["." if c > 0.7 else ("n" if c > 0.2 else "|") for c in rest]
    top = "".join(marks)
    side = {-1: "<", 0: " ", 1: ">"}[(pose.bend_deg > 0) - (pose.bend_deg < 0)]
    turned = {-1: "(", 0: " ", 1: ")"}[pose.turn]
    thumb_mark = "\\" if thumb < 0.35 else ("-" if thumb < 0.7 else " ")
    lines = [
        f"   {top}",
        f" {thumb_mark}|    |{side}{turned}",
        "  |    |",
        f"   |  |    {pose.words}",
    ]
    return "\n".join(line.rstrip() for line in lines)


def _pose(movement: str) -> Pose:
    if movement not in POSES:
        raise ParameterError(unknown_name(movement, POSES, what="movement with a picture"))
    return POSES[movement]


def _finger(number: int, curl: float) -> str:
    """Draw a finger of two bones; curling shortens it towards the palm."""
    x, y, lean_deg = _KNUCKLES[number]
    length = _LENGTHS[number]
    angle = math.radians(lean_deg - 90)
    if number == 0:
        angle = math.radians(lean_deg - 90 + 75 * curl)
    first = length * 0.55 * (1 - 0.45 * curl)
    x1, y1 = x + first * math.cos(angle), y + first * math.sin(angle)
    bend = angle + math.radians(150 * curl)
    second = length * 0.5
    x2, y2 = x1 + second * math.cos(bend), y1 + second * math.sin(bend)
    return (
        f'<path d="M {x} {y} L {x1:.1f} {y1:.1f} L {x2:.1f} {y2:.1f}" stroke-width="9" '
        'opacity="0.85"/>'
    )
