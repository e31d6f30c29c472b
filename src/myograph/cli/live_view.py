"""How a running stream looks: a picture in a terminal, lines in a pipe."""

from __future__ import annotations

import json
import sys
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from myograph.core.layout import Layout
from myograph.stream.answer import Answer, Notice
from myograph.stream.consumer import Consumer
from myograph.stream.histogram import Histogram

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["Lines", "TerminalView"]

_PER_SECOND = 6
_BAR = 32
_MOST_CHANNELS = 16
_VALUE_EVERY_S = 0.5


class _Shown(Consumer):
    """A consumer that is shown while a block runs."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace


class Lines(_Shown):
    """One line for every decision (JSON), or whenever the decision changes (for people).

    What a regression estimates always changes: people get a line twice a second of signal.

    Parameters
    ----------
    as_json : bool
    """

    def __init__(self, *, as_json: bool) -> None:
        self._json = as_json
        self._last: str | None = None
        self._told_s = -np.inf

    def take(self, answer: Answer) -> None:
        """Print a decision."""
        if self._json:
            self._write(f'{{"answer": {answer.to_json()}}}')
            return
        decision = answer.decision
        told = answer.abstains or decision.label
        due = bool(answer.values) and decision.time_s >= self._told_s + _VALUE_EVERY_S
        if told == self._last and (answer.abstains or not due):
            return
        self._last, self._told_s = told, decision.time_s
        if answer.abstains:
            self._write(f"{decision.time_s:9.2f} s  abstains: {answer.abstains}")
        elif answer.values:
            values = "  ".join(str(value) for value in answer.values)
            self._write(f"{decision.time_s:9.2f} s  {values}")
        else:
            self._write(f"{decision.time_s:9.2f} s  {told}  {100 * decision.confidence:.0f} %")

    def hear(self, notice: Notice) -> None:
        """Print a notice."""
        if self._json:
            self._write(json.dumps({"notice": notice.to_dict()}))
        else:
            sys.stderr.write(f"{notice.time_s:9.2f} s  {notice.kind}: {notice.text}\n")

    def _write(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


class TerminalView(_Shown):
    """Bars of the channels, the decision and its confidence, latency and loss.

    Drawn by a thread of its own, a few times a second, from what was taken last.

    Parameters
    ----------
    console : rich.console.Console, optional
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console
        self._names: tuple[str, ...] = ()
        self._units: tuple[str, ...] = ()
        self._answer: Answer | None = None
        self._peaks: dict[str, float] = {}
        self._largest: dict[str, float] = {}
        self._latency = Histogram()
        self._seen = self._missing = 0
        self._next = 0
        self._fs_hz = 1.0
        self._notices: deque[Notice] = deque(maxlen=4)
        self._drawn: Any = None

    def __enter__(self) -> Self:
        from rich.live import Live

        self._drawn = Live(
            get_renderable=self.picture,
            console=self._console,
            refresh_per_second=_PER_SECOND,
            transient=True,
        )
        # The thread that draws gives way to the one that decides within a millisecond.
        sys.setswitchinterval(0.001)
        self._drawn.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace
        self._drawn.stop()

    async def start(self, layout: Layout, classes: tuple[str, ...]) -> None:
        """Learn what there is to show."""
        del classes
        self._names, self._units, self._fs_hz = layout.names, layout.units, layout.fs_hz

    def take(self, answer: Answer) -> None:
        """Keep the newest answer."""
        self._answer = answer
        if answer.abstains != "gap":
            self._latency.add(answer.latency_s)
            self._follow(answer.level)
            for one in answer.values:
                self._largest[one.name] = max(self._largest.get(one.name, 1e-9), abs(one.value))

    def _follow(self, levels: NDArray[np.float64]) -> None:
        """Keep the loudest of each unit lately: its bar is full."""
        largest: dict[str, float] = {}
        for unit, level in zip(self._units_of(len(levels)), levels.tolist(), strict=True):
            largest[unit] = max(largest.get(unit, 1e-9), level)
        for unit, level in largest.items():
            self._peaks[unit] = max(0.995 * self._peaks.get(unit, 0.0), level)

    def _units_of(self, n_channels: int) -> tuple[str, ...]:
        # A pipeline may drop channels: then whose unit is whose is not known here.
        return self._units if len(self._units) == n_channels else ("",) * n_channels

    def samples(self, first: int, samples: np.ndarray) -> None:
        """Count what came and what did not."""
        self._missing += max(0, first - self._next)
        self._next = first + samples.shape[1]
        self._seen += samples.shape[1]

    def hear(self, notice: Notice) -> None:
        """Keep the newest notices."""
        self._notices.append(notice)

    def picture(self) -> RenderableType:
        """Return what is seen now."""
        from rich.console import Group
        from rich.text import Text

        answer = self._answer
        parts: list[Any] = []
        if answer is None:
            what = "first window" if self._names else "source"
            parts.append(Text(f"waiting for the {what} ...", style="dim"))
        else:
            values = [] if answer.abstains else self._values(answer)
            parts += [*(values or [self._decision(answer)]), *self._bars(answer)]
            parts.append(Text(self._figures(), style="dim"))
        parts += [
            Text(f"{one.time_s:8.1f} s  {one.kind}: {one.text}", style="yellow")
            for one in self._notices
        ]
        return Group(*parts)

    def _decision(self, answer: Answer) -> Any:
        from rich.text import Text

        decision = answer.decision
        if answer.abstains:
            return Text(f"  -  abstains: {answer.abstains}", style="bold yellow")
        share = decision.confidence
        full = round(share * 20)
        return Text.assemble(
            (f"  {decision.label:<20}", "bold green"),
            ("█" * full + "░" * (20 - full), "green"),
            f" {100 * share:3.0f} %",
        )

    def _values(self, answer: Answer) -> list[Any]:
        """Return what was estimated, each beside a bar up to the largest so far."""
        from rich.text import Text

        rows = []
        for one in answer.values:
            full = round(20 * min(abs(one.value) / self._largest[one.name], 1.0))
            rows.append(
                Text.assemble(
                    (f"  {one!s:<20}", "bold green"), ("█" * full + "░" * (20 - full), "green")
                )
            )
        return rows

    def _bars(self, answer: Answer) -> list[Any]:
        from rich.text import Text

        rows = []
        names = self._names if len(self._names) == len(answer.level) else ()
        width = min(24, max((len(name) for name in names[:_MOST_CHANNELS]), default=0))
        units = self._units_of(len(answer.level))
        for k, level in enumerate(answer.level[:_MOST_CHANNELS]):
            name = f"{names[k] if names else f'channel {k + 1}':<{max(width, 12)}.24}"
            if np.isnan(level):
                rows.append(Text(f"  {name} {'·' * _BAR}", style="dim"))
                continue
            unit = units[k]
            full = round(min(level / self._peaks.get(unit, np.inf), 1.0) * _BAR)
            rows.append(Text(f"  {name} {'█' * full}{'░' * (_BAR - full)} {level:8.3g} {unit}"))
        if len(answer.level) > _MOST_CHANNELS:
            rows.append(Text(f"  and {len(answer.level) - _MOST_CHANNELS} more", style="dim"))
        return rows

    def _figures(self) -> str:
        whole = self._seen + self._missing
        loss = 100 * self._missing / whole if whole else 0.0
        latency = self._latency
        told = "-"
        if latency.count:
            told = (
                f"p50 {1e3 * latency.quantile(0.5):.2f} ms, p99 {1e3 * latency.quantile(0.99):.2f} "
                f"ms, max {1e3 * latency.longest_s:.1f} ms"
            )
        return f"  {self._next / self._fs_hz:8.1f} s   latency {told}   loss {loss:.2f} %"
