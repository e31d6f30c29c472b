"""The page of a patient's twin: what was found, where it misses, and what would happen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from myograph.report.html import Html, definitions, element, figure, join, listed, page, table
from myograph.report.svg import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, SKY, drawing, to_svg
from myograph.report.words import amount
from myograph.twin.posterior import LIMITS, TREATED, Found, PatientTwin
from myograph.twin.reduced import PARAMETERS
from myograph.twin.visit import MEASURES
from myograph.twin.whatif import TRACKED, WhatIf

__all__ = ["checks_figure", "courses_figure", "differences_figure", "posterior_figure", "twin_page"]

_WIDTH_IN = 7.2
_COLOURS = (GREY, BLUE, ORANGE, GREEN, RED, PURPLE, SKY)
# Ends of the 90 % interval of a standard normal number.
_Z90 = 1.645
_SHORT_LIMIT = "Research model, verified on simulated patients only: no diagnosis, no prognosis."


def twin_page(twin: PatientTwin, found: WhatIf | None = None, *, written: str = "") -> str:
    """Return the whole page as HTML.

    The same twin gives the same bytes; what depends on the clock stands in the one element with the
    id ``written``.

    Parameters
    ----------
    twin : PatientTwin
    found : WhatIf, optional
        What would happen, when that was asked.
    written : str
        When the page was made.
    """
    seen = twin.observations
    title = f"Twin of {seen.pseudonym}, {seen.muscle}"
    lead = (
        f"{seen.n_visits} visits with {seen.count} measured values, and {twin.n} simulated people "
        "who could have given them. Every number is an interval."
    )
    body = [
        element("h1", title),
        element("p", lead, class_="lead"),
        element("p", element("strong", _SHORT_LIMIT), class_="simulated"),
        *(element("p", note) for note in twin.notes()),
        *_parts(twin, found),
        element("p", f"Seed {twin.seed}. ", element("span", written, id="written"), class_="small"),
    ]
    return page(title, element("main", *body))


def posterior_figure(twin: PatientTwin) -> str:
    """Draw each parameter's 90 % interval before and after the visits."""
    names = list(PARAMETERS)
    scaled = twin.whitened[:, : len(names)]
    low, middle, high = np.quantile(scaled, [0.05, 0.5, 0.95], axis=0)
    rows = np.arange(len(names))[::-1]
    found = {row.name: row for row in twin.found()}
    with drawing("posterior", width_in=_WIDTH_IN, height_in=0.9 + 0.36 * len(names)) as canvas:
        axes = canvas.subplots()
        for row, name, start, at, end in zip(rows, names, low, middle, high, strict=True):
            axes.plot((-_Z90, _Z90), (row, row), color="#dcdcdc", linewidth=9)
            axes.plot((start, end), (row, row), color=BLUE, linewidth=4)
            axes.plot(at, row, "o", color="white", markeredgecolor=BLUE, markersize=6)
            axes.annotate(
                _told(found[name]), (1.02, row), xycoords=("axes fraction", "data"), va="center",
                fontsize=8, color=INK,
            )  # fmt: skip
        axes.set_yticks(rows, [PARAMETERS[name].title for name in names])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_xlabel("standard deviations from what is assumed of anybody")
        axes.grid(axis="x")
        told = "; ".join(f"{PARAMETERS[name].title} {_told(found[name])}" for name in names)
        alt = f"Intervals before (grey) and after (blue) the visits: {told}."
        _limited(canvas)
        return to_svg(canvas, name="posterior", alt=alt)


def checks_figure(twin: PatientTwin) -> str:
    """Draw what was measured over what the twin predicts of it, measure by measure."""
    names = twin.observations.measures
    cells = twin.check()
    with _Grid("checks", len(names)) as (canvas, panels):
        for axes, name in zip(panels, names, strict=True):
            mine = [cell for cell in cells if cell.measure == name]
            months = [cell.months for cell in mine]
            lows, highs = [c.low for c in mine], [c.high for c in mine]
            if len(mine) > 1:
                axes.fill_between(months, lows, highs, color=BLUE, alpha=0.18, linewidth=0)
                axes.plot(months, [c.median for c in mine], color=BLUE, linewidth=1.2)
            else:
                axes.plot(months * 2, (lows[0], highs[0]), color=BLUE, alpha=0.4, linewidth=5)
            for cell in mine:
                colour = INK if cell.inside else RED
                axes.plot(cell.months, cell.value, "o", color=colour, markersize=3.5)
            axes.set_title(_labelled(MEASURES[name].title, MEASURES[name].unit))
            axes.grid(axis="y")
        _bottom(panels, "months")
        inside = sum(cell.inside for cell in cells)
        alt = (
            f"Measured values (dots) over predictions with 90 % bands, for {len(names)} measures: "
            f"{inside} of {len(cells)} values lie inside."
        )
        _limited(canvas)
        return to_svg(canvas, name="checks", alt=alt)


def courses_figure(twin: PatientTwin, found: WhatIf) -> str:
    """Draw trajectories side by side: medians and 90 % bands of every protocol."""
    quantities = _quantities(twin)
    with _Grid("courses", len(quantities)) as (canvas, panels):
        for axes, quantity in zip(panels, quantities, strict=True):
            for k, arm in enumerate(found.arms):
                colour = _COLOURS[k % len(_COLOURS)]
                median, low, high = arm.band(quantity)
                axes.fill_between(arm.months, low, high, color=colour, alpha=0.13, linewidth=0)
                axes.plot(arm.months, low, arm.months, high, color=colour, linewidth=0.6)
                axes.plot(arm.months, median, color=colour, linewidth=1.8, label=arm.name)
            axes.set_title(_name_of(quantity))
            axes.set_ylim(bottom=0)
            axes.grid(axis="y")
        _bottom(panels, "months after the last visit")
        handles, labels = panels[0].get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside upper center", ncols=2, fontsize=8)
        told = "; ".join(
            f"{arm.name}: {_name_of(q)} {_range(arm.band(q)[:, -1])}"
            for arm in found.arms
            for q in quantities[:2]
        )
        months = found.arms[0].months[-1]
        alt = f"Courses over {months:g} months with 90 % bands. At the end, {told}."
        _limited(canvas)
        return to_svg(canvas, name="courses", alt=alt)


def differences_figure(twin: PatientTwin, found: WhatIf) -> str:
    """Draw how much each treatment changes at the end, with 90 % intervals."""
    quantities = _quantities(twin)[:3]
    arms = range(1, len(found.arms))
    height = 1.0 + 0.3 * len(found.arms)
    with drawing("differences", width_in=_WIDTH_IN, height_in=height) as canvas:
        panels = np.atleast_1d(canvas.subplots(1, len(quantities), sharey=True))
        for axes, quantity in zip(panels, quantities, strict=True):
            for k in arms:
                median, low, high = found.difference(k, quantity)[:, -1]
                colour = _COLOURS[k % len(_COLOURS)]
                axes.plot((low, high), (-k, -k), color=colour, linewidth=3)
                axes.plot(median, -k, "o", color="white", markeredgecolor=colour, markersize=6)
            axes.axvline(0, color=GREY, linewidth=1)
            axes.set_title(_name_of(quantity), fontsize=8)
            axes.grid(axis="x")
        panels[0].set_yticks([-k for k in arms], [found.arms[k].name for k in arms])
        panels[0].set_ylim(-len(found.arms) + 0.4, -0.4)
        told = "; ".join(
            f"{found.arms[k].name}: {_name_of(quantities[0])} "
            f"{_range(found.difference(k, quantities[0])[:, -1])}"
            for k in arms
        )
        alt = f"Difference from the course without treatment at the end, 90 % intervals: {told}."
        _limited(canvas)
        return to_svg(canvas, name="differences", alt=alt)


def _parts(twin: PatientTwin, found: WhatIf | None) -> Iterator[Html]:
    if found is not None:
        yield element("h2", "What would happen")
        caption = f"Medians and 90 % bands, side by side. {_SHORT_LIMIT}"
        yield figure(courses_figure(twin, found), caption)
        if len(found.arms) > 1:
            told = f"At the end, minus the course without treatment; same people. {_SHORT_LIMIT}"
            yield figure(differences_figure(twin, found), told)
            yield _treatments(found)
    yield element("h2", "What was found")
    told = f"Grey: assumed of anybody. Blue: after the visits, 90 %. {_SHORT_LIMIT}"
    yield figure(posterior_figure(twin), told)
    yield _numbers(twin.found())
    yield _apart(twin)
    yield element("h2", "Does the twin give what was measured?")
    told = f"Dots: measured; bands: predicted with errors, 90 %; red: outside. {_SHORT_LIMIT}"
    yield figure(checks_figure(twin), told)
    cells = twin.check()
    inside = sum(cell.inside for cell in cells)
    share = f"{inside} of {len(cells)} values lie in their 90 % predictions"
    yield element(
        "p",
        f"{share}. The same visits made the twin, so more than 90 % is usual and proves little.",
    )
    yield element("h2", "Limits")
    yield listed([*LIMITS, *([TREATED] if found is not None else [])])


def _numbers(found: Sequence[Found]) -> Html:
    rows = []
    for row in found:
        known = np.isfinite(row.narrowed)
        before = f"{amount(row.prior_low)} to {amount(row.prior_high)}" if known else ""
        narrowed = f"{100 * row.narrowed:.0f} %" if known else ""
        rows.append((_labelled(row.title, row.unit), _told(row), before, narrowed))
    return table(
        ["quantity", "median (90 % interval)", "before any visit", "narrowed by"],
        rows,
        caption="Narrowed by: how much of the assumed variance the visits took away. Near 0 %, the "
        "number is what is assumed of anybody.",
        numbers_from=1,
    )


def _apart(twin: PatientTwin) -> Html:
    pairs = twin.confounded()
    if not pairs:
        return element("p", "No two parameters are strongly correlated in the posterior.")
    told = [
        f"{PARAMETERS[a].title} and {PARAMETERS[b].title}: correlation {r:+.2f}".replace("-", "−")
        for a, b, r in pairs
    ]
    return join([element("p", "These visits cannot tell apart:"), listed(told)])


def _treatments(found: WhatIf) -> Html:
    effects = {p.effect.title: p.effect for arm in found.arms for p in arm.phases}
    told = {
        title: f"{effect.note or 'no note'} (source: {effect.source})"
        for title, effect in effects.items()
    }
    return join([element("h3", "What the treatments are taken to do"), definitions(told)])


def _quantities(twin: PatientTwin) -> list[str]:
    usual = [
        m for m in ("cmap_mv", "munix", "mvc_n", "score_percent") if m in twin.observations.values
    ]
    others = [m for m in twin.observations.measures if m not in usual]
    return ["units", "strength_percent", *[*usual, *others][:4]]


class _Grid:
    """Panels, three in a row; the rest of the last row stays empty."""

    def __init__(self, name: str, count: int) -> None:
        self.count = count
        rows = -(-count // 3)
        self.board = drawing(name, width_in=_WIDTH_IN, height_in=0.6 + 1.75 * rows)
        self.shape = (rows, min(count, 3))

    def __enter__(self) -> tuple[Any, list[Any]]:
        canvas = self.board.__enter__()
        panels = list(np.atleast_1d(canvas.subplots(*self.shape, squeeze=False)).ravel())
        for axes in panels[self.count :]:
            axes.set_visible(False)
        return canvas, panels[: self.count]

    def __exit__(self, *told: Any) -> None:
        self.board.__exit__(*told)


def _limited(canvas: Any) -> None:
    """Write the limit of use into the picture: it may leave its page."""
    canvas.supxlabel(_SHORT_LIMIT, fontsize=7, color=GREY)


def _bottom(panels: Sequence[Any], label: str) -> None:
    for axes in panels[-3:]:
        axes.set_xlabel(label)


def _name_of(quantity: str) -> str:
    if quantity in TRACKED:
        title, unit = TRACKED[quantity]
        return _labelled("strength" if quantity == "strength_percent" else title, unit)
    return _labelled(MEASURES[quantity].title, MEASURES[quantity].unit)


def _labelled(title: str, unit: str) -> str:
    return f"{title} ({unit})" if unit else title


def _told(row: Found) -> str:
    return f"{amount(row.median)} ({amount(row.low)} to {amount(row.high)})"


def _range(band: Any) -> str:
    median, low, high = band
    return f"{amount(median)} ({amount(low)} to {amount(high)})"
