"""The figures of the data: a stretch of signal, its spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.recording import Event
from myograph.report.figures import short
from myograph.report.svg import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, SKY, drawing, to_svg
from myograph.report.words import amount

__all__ = ["Excerpt", "Spectrum", "signal_traces", "spacing", "spectra", "thinned"]

_WIDTH_IN = 7.2
# A line this long is as fine as the page can show.
_MOST_POINTS = 1400
_COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY, INK)


@dataclass(frozen=True)
class Excerpt:
    """A short stretch of a recording, enough to draw it.

    Parameters
    ----------
    title : str
        Whose it is and what it shows.
    names, units : tuple of str
        One per channel.
    samples : ndarray, shape (n_channels, n_samples)
    fs_hz, start_s : float
    events : tuple of Event
        Those that touch the stretch.
    """

    title: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    samples: NDArray[np.float32]
    fs_hz: float
    start_s: float
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Spectrum:
    """Power over frequency of one channel or one condition.

    Parameters
    ----------
    name : str
    frequency_hz, power : ndarray, shape (n_bins,)
    unit : str
        Of ``power``, for example ``uV²/Hz``.
    """

    name: str
    frequency_hz: NDArray[np.float64]
    power: NDArray[np.float64]
    unit: str


def thinned(samples: NDArray[np.float32], fs_hz: float) -> tuple[NDArray[np.float32], float]:
    """Keep the lowest and the highest of every few samples: the same picture with fewer points.

    Parameters
    ----------
    samples : ndarray, shape (n_channels, n_samples)
    fs_hz : float

    Returns
    -------
    samples : ndarray, shape (n_channels, n_points)
    fs_hz : float
        Points per second.
    """
    n_channels, n_samples = samples.shape
    size = -(-2 * n_samples // _MOST_POINTS)
    if size <= 2:
        return samples, fs_hz
    bins = samples[:, : n_samples // size * size].reshape(n_channels, -1, size)
    pairs = np.stack([bins.min(axis=2), bins.max(axis=2)], axis=2)
    return pairs.reshape(n_channels, -1), 2 * fs_hz / size


def spacing(samples: NDArray[np.float32]) -> float:
    """Height of a row: room for nearly all of the largest channel, without the rare spike."""
    centred = np.abs(samples - np.median(samples, axis=1, keepdims=True))
    height = 2.2 * float(np.quantile(centred, 0.998, axis=1).max())
    return height if height > 0 else 1.0


def signal_traces(excerpt: Excerpt, *, name: str = "signal") -> str:
    """Draw the channels one above the other on one time axis, events shaded and named."""
    n_channels, n_samples = excerpt.samples.shape
    time_s = excerpt.start_s + np.arange(n_samples) / excerpt.fs_hz
    height = spacing(excerpt.samples)
    with drawing(name, width_in=_WIDTH_IN, height_in=0.9 + 0.42 * n_channels) as figure:
        axes = figure.subplots()
        _shade_events(axes, excerpt, time_s)
        for row, samples in enumerate(excerpt.samples):
            base = (n_channels - 1 - row) * height
            axes.plot(time_s, samples - np.median(samples) + base, color=BLUE, linewidth=0.6)
        ticks = np.arange(n_channels)[::-1] * height
        axes.set_yticks(ticks, [short(channel, 16) for channel in excerpt.names])
        axes.set_ylim(-0.8 * height, (n_channels - 0.2) * height)
        axes.set_xlim(time_s[0], time_s[-1])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("time (s)")
        unit = " / ".join(dict.fromkeys(excerpt.units))
        axes.set_title(f"{short(excerpt.title, 70)}; rows are {amount(height)} {unit} apart")
        alt = (
            f"{excerpt.title}: {n_channels} channels over {n_samples / excerpt.fs_hz:.2f} s, "
            f"rows {amount(height)} {unit} apart."
        )
        return to_svg(figure, name=name, alt=alt)


def spectra(lines: Sequence[Spectrum], *, title: str, name: str = "spectrum") -> str:
    """Draw power spectral densities over frequency, power in decibels."""
    with drawing(name, width_in=_WIDTH_IN, height_in=2.9) as figure:
        axes = figure.subplots()
        for k, line in enumerate(lines):
            keep = line.power > 0
            axes.plot(
                line.frequency_hz[keep],
                10 * np.log10(line.power[keep]),
                color=_COLOURS[k % len(_COLOURS)],
                linewidth=1.1,
                linestyle="-" if k < len(_COLOURS) else "--",
                label=short(line.name, 18),
            )
        axes.set_xlim(0, max(float(line.frequency_hz[-1]) for line in lines))
        axes.grid()
        axes.set_xlabel("frequency (Hz)")
        axes.set_ylabel(f"power (dB re 1 {lines[0].unit})")
        axes.set_title(short(title, 80))
        if len(lines) > 1:
            figure.legend(loc="outside right center", fontsize=8)
        peaks = "; ".join(
            f"{line.name} peaks at {line.frequency_hz[int(np.argmax(line.power))]:.0f} Hz"
            for line in lines
        )
        return to_svg(figure, name=name, alt=f"{title}: {peaks}.")


def _shade_events(axes: Any, excerpt: Excerpt, time_s: NDArray[np.float64]) -> None:
    for k, event in enumerate(excerpt.events):
        start_s = max(event.onset_s, float(time_s[0]))
        stop_s = min(event.end_s, float(time_s[-1]))
        if stop_s <= start_s:
            continue
        gap = event.label == "gap"
        colour = "#f6c7b0" if gap else ("#eef3f7", "#e2ebf2")[k % 2]
        axes.axvspan(start_s, stop_s, color=colour, linewidth=0)
        axes.annotate(
            short(event.label, 20),
            ((start_s + stop_s) / 2, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, -9),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color="#3c3c3c",
        )
