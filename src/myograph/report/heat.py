"""The pictures of an explanation: the signal with what mattered on it, bars, curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from myograph.report.figures import short
from myograph.report.signals import spacing, thinned
from myograph.report.svg import BLUE, GREY, INK, ORANGE, RED, drawing, to_svg
from myograph.report.words import amount

if TYPE_CHECKING:
    from myograph.explain.explained import Explained, Judged, JudgedHeat
    from myograph.explain.explanation import Heat
    from myograph.explain.faithfulness import Faithfulness

__all__ = ["draw_bars", "draw_signal", "evidence_bars", "faithfulness_curves", "heated_signal"]

_WIDTH_IN = 7.2
_MOST_BARS = 12
# For the class: warm. Against it: cool. Both pale where little was at stake.
_FOR, _AGAINST = RED, BLUE


def heated_signal(found: Explained, judged: JudgedHeat, *, name: str = "heat") -> str:
    """Draw the signal on its heat, with the evidence of every window below; return SVG text."""
    height_in = 1.9 + 0.42 * len(judged.heat.names)
    with drawing(name, width_in=_WIDTH_IN, height_in=height_in) as figure:
        draw_signal(figure, found, judged)
        channel, start_s, stop_s, value = judged.heat.strongest()
        cell = f"cell is {channel} from" if channel else "moment is from"
        alt = (
            f"{judged.heat.method} over {len(judged.heat.names)} channels; the loudest {cell} "
            f"{start_s:.2f} to {stop_s:.2f} s ({_signed(value)} {judged.heat.unit})."
        )
        return to_svg(figure, name=name, alt=alt)


def draw_signal(figure: Any, found: Explained, judged: JudgedHeat) -> None:
    """Draw traces on heat, and the windows' evidence below, into a figure."""
    heat = judged.heat
    n_channels = len(heat.names)
    drawn = _drawn_channels(found, judged)
    upper, lower = figure.subplots(
        2, 1, sharex=True, height_ratios=[max(1.0, 0.42 * n_channels), 0.8]
    )
    start_s, stop_s = float(heat.edges_s[0]), float(heat.edges_s[-1])
    processed = found.question.processed.crop(start_s, stop_s)
    samples, fs_hz = thinned(processed.select(names=drawn).samples, processed.fs_hz)
    time_s = start_s + np.arange(samples.shape[1]) / fs_hz
    height = spacing(samples)
    most = float(np.abs(heat.values).max()) or 1.0
    places = np.arange(n_channels)[::-1]
    mesh = upper.pcolormesh(
        heat.edges_s,
        np.arange(n_channels + 1) - 0.5,
        heat.values[::-1],
        cmap=_colours(signed=heat.where),
        vmin=-most if heat.where else 0.0,
        vmax=most,
    )
    lines = list(zip(range(len(samples)), places, strict=False))
    if len(samples) != n_channels:  # rows are bands: the signal lies over all of them
        lines, height = [(0, (n_channels - 1) / 2)], height / n_channels
    strength = 1.0 if len(samples) == n_channels else 0.55
    for row, place in lines:
        line = place + (samples[row] - np.median(samples[row])) / height
        upper.plot(time_s, line, color=INK, linewidth=0.5 * strength, alpha=strength)
    upper.set_yticks(places, [short(each, 14) for each in heat.names])
    upper.set_ylim(-0.6, n_channels - 0.4)
    upper.set_xlim(start_s, stop_s)
    upper.tick_params(axis="y", length=0)
    unit = "/".join(dict.fromkeys(found.question.layout.units)).replace("uV", "µV")
    upper.set_title(
        f"{_asked(found, heat)}; {_height_words(len(samples) == n_channels, height, unit)}", pad=14
    )
    bar = figure.colorbar(mesh, ax=upper, fraction=0.04, pad=0.015)
    effect = f"effect on the decision ({heat.unit})"
    bar.set_label(effect if heat.where else heat.unit, fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.solids.set_rasterized(False)  # a picture inside the drawing would not be shown
    _name_events(upper, found, start_s, stop_s)
    _draw_moments(lower, found)


def _drawn_channels(found: Explained, judged: JudgedHeat) -> tuple[str, ...]:
    """Return the channels whose signal is drawn: those of the heat, or the first under bands."""
    names = found.question.layout.names
    return names if judged.heat.names == names else names[:1]


def _height_words(rows: bool, height: float, unit: str) -> str:  # noqa: FBT001
    if rows:
        return f"rows are {amount(height)} {unit} apart"
    return f"rows are bands, a row is {amount(height)} {unit} high"


def _draw_moments(axes: Any, found: Explained) -> None:
    """Draw the evidence of every window at its middle."""
    index = found.question.windows.index
    middle = (index.start_s + index.stop_s) / 2
    evidence = found.question.evidence
    if found.question.target:
        colours = [_FOR if value >= 0 else _AGAINST for value in evidence]
        width = float(np.median(np.diff(middle))) if len(middle) > 1 else 0.5
        axes.bar(middle, evidence, width=0.85 * width, color=colours, linewidth=0)
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.set_ylabel("evidence", fontsize=8)
    else:
        axes.plot(middle, evidence, color=BLUE, linewidth=1.2, marker="o", markersize=2.5)
        axes.set_ylabel(f"estimate ({found.question.unit})", fontsize=8)
    axes.tick_params(axis="y", labelsize=7)
    axes.set_xlabel("time (s); below: what each window says")
    axes.grid(axis="y")


def evidence_bars(bars: Sequence[Judged], *, name: str = "bars") -> str:
    """Draw what each part contributed, one panel a kind of part; return SVG text."""
    rows = max(min(len(each.found.names), _MOST_BARS) for each in bars)
    height_in = 0.9 + 0.24 * rows
    with drawing(name, width_in=_WIDTH_IN, height_in=height_in) as figure:
        draw_bars(figure, bars)
        told = "; ".join(
            f"by {each.found.about}: {part} {_signed(value)}"
            for each in bars
            for part, value in each.found.strongest(1)
        )
        return to_svg(figure, name=name, alt=f"Contributions. The largest {told}.")


def draw_bars(figure: Any, bars: Sequence[Judged]) -> None:
    """Draw one panel of bars for each kind of part into a figure."""
    panels = np.atleast_1d(figure.subplots(1, len(bars)))
    for axes, judged in zip(panels, bars, strict=True):
        found = judged.found
        order = np.argsort(-np.abs(found.values), kind="stable")[:_MOST_BARS]
        if found.about in ("muscle", "band") and len(found.names) <= _MOST_BARS:
            order = np.arange(len(found.names))  # as they lie
        places = np.arange(len(order))[::-1]
        values = found.values[order]
        colours = [_FOR if value >= 0 else _AGAINST for value in values]
        errors = None if found.error is None else 1.96 * found.error[order]
        axes.barh(places, values, color=colours, xerr=errors, ecolor=INK, error_kw={"lw": 0.8})
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set_yticks(places, [short(found.names[k], 20) for k in order], fontsize=8)
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", labelsize=7)
        doubt = judged.faithfulness is not None and not judged.faithfulness.faithful
        axes.set_title(f"by {found.about}" + (" (doubtful)" if doubt else ""), fontsize=9)
        axes.set_xlabel(found.unit, fontsize=8)
        axes.grid(axis="x")


def faithfulness_curves(judged: Sequence[tuple[str, Faithfulness]], *, name: str) -> str:
    """Draw evidence while parts are taken away, beside random orders; return SVG text."""
    with drawing(name, width_in=_WIDTH_IN, height_in=2.3) as figure:
        panels = np.atleast_1d(figure.subplots(1, len(judged), sharey=True))
        for axes, (what, found) in zip(panels, judged, strict=True):
            _draw_curve(axes, what, found)
        panels[0].set_ylabel(f"evidence ({judged[0][1].unit})", fontsize=8)
        told = "; ".join(
            f"{what}: {100 * found.deletion.beaten:.0f} % of random orders are slower"
            for what, found in judged
        )
        return to_svg(figure, name=name, alt=f"Taking parts away. {told}.")


def _draw_curve(axes: Any, what: str, found: Faithfulness) -> None:
    curve = found.deletion
    low, high = np.quantile(curve.random, [0.025, 0.975], axis=0)
    share = 100 * curve.share
    axes.fill_between(share, low, high, color=GREY, alpha=0.25, linewidth=0, label="random orders")
    axes.plot(share, curve.random.mean(axis=0), color=GREY, linewidth=1.0)
    axes.plot(share, curve.evidence, color=ORANGE, linewidth=1.8, label="most important first")
    axes.set_title(what, fontsize=9)
    axes.set_xlabel("parts taken away (%)", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid()
    axes.legend(fontsize=7, loc="best")


def _name_events(axes: Any, found: Explained, start_s: float, stop_s: float) -> None:
    """Write what the recording says above the traces; the model has not seen it."""
    for event in found.question.recording.events:
        first, last = max(event.onset_s, start_s), min(event.end_s, stop_s)
        if last - first < 0.04 * (stop_s - start_s):
            continue
        axes.annotate(
            short(event.label, 18),
            ((first + last) / 2, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=7,
            color="#5a5a5a",
        )
        for edge in (first, last):
            if start_s < edge < stop_s:
                axes.axvline(edge, color="#b0b0b0", linewidth=0.6)


def _colours(*, signed: bool) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    cool = ["#6fa8d6"] if signed else []
    return LinearSegmentedColormap.from_list("evidence", [*cool, "#ffffff", "#f0955a"])


def _asked(found: Explained, heat: Heat) -> str:
    asked = found.question
    if not heat.where:
        return "when it looked (the darker, the more), in no channel of its own"
    if not asked.target:
        return "what raised (warm) and lowered (cool) the estimate"
    return f"for {short(asked.target, 18)!r} (warm), for {short(asked.against, 18)!r} (cool)"


def _signed(value: float) -> str:
    return f"{value:+.2g}".replace("-", "−")
