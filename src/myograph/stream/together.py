"""Together: several sources on one clock, as one: EMG with motion, EEG or ECG beside it.

The first source leads: its samples set the grid. The others are put at the moments of its samples
by linear interpolation, behind a low-pass when they are faster. All moments are on this program's
clock: time stamps are brought there by the shortest delay that was seen, arrivals by a fit that
follows each clock's drift.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.signal.filters import CausalFilter, design_lowpass
from myograph.stream.answer import Notice
from myograph.stream.clock import ClockFit
from myograph.stream.link import Link, Patience, Stretch
from myograph.stream.source import Chunk, Source, now

__all__ = ["Together"]

# What is kept of a follower: enough for the longest wait and any jitter.
_KEPT_S = 10.0
# A follower is filtered below this share of the leader's rate, if it is the faster one.
_BELOW = 0.4
# A follower whose newest sample lies further back is not there.
_STALE_S = 1.0


class Together(Source):
    """Several sources as one.

    Parameters
    ----------
    leader : Source
        Its rate and grid are those of the whole.
    followers : mapping of str to Source
        Their channels come behind the leader's, called ``name.channel``.
    wait_s : float
        How long the leader's samples wait for the followers'; then NaN stands in their place.
    patience : Patience, optional
        Of every follower.
    """

    timing = "counted"
    scheme = ""

    def __init__(
        self,
        leader: Source,
        followers: Mapping[str, Source],
        *,
        wait_s: float = 0.1,
        patience: Patience | None = None,
    ) -> None:
        if not followers:
            raise ParameterError("followers must name at least one source; got none.")
        super().__init__("+".join([leader.name, *(one.name for one in followers.values())]))
        self.patient = leader.patient
        self._wait_s = check_positive(wait_s, name="wait_s")
        self._own_patience = patience is not None
        self._lead = Link(leader, patience=patience)
        self._follow = {
            name: _Follower(name, Link(source, patience=patience))
            for name, source in followers.items()
        }
        self._clock = _Local()
        self._fs_hz = 0.0
        #: What happened to each of them, newest last; whoever reads the whole is told, too.
        self.notices: list[Notice] = []

    async def open(self, *, timeout_s: float) -> Layout:
        """Open all of them."""
        within_s = None if self._own_patience else timeout_s
        layout = await self._lead.open(within_s=within_s)
        channels: list[Channel] = list(layout.channels)
        self._fs_hz = layout.fs_hz
        for follower in self._follow.values():
            channels += await follower.open(layout.fs_hz, within_s)
        names = [channel.name for channel in channels]
        if len(set(names)) < len(names):
            raise LayoutError(f"{self.name}: channels share names: {names}.")
        self._lead.start()
        for follower in self._follow.values():
            follower.start()
        return Layout(layout.fs_hz, tuple(channels))

    async def read(self) -> Chunk | None:
        """Return the leader's next samples, with the followers' beside them."""
        while True:
            item = await self._lead.get()
            if item is None:
                return None
            if isinstance(item, Stretch):
                break
            if item.kind != "ended":  # the end of the leader is that of the whole, and told as such
                self._note(item)
        size = item.samples.shape[1]
        last_s = (item.first + size - 1) / self._fs_hz
        self._clock.add(last_s, item.arrived_s)
        moments = self._clock.at(last_s) - np.arange(size - 1, -1, -1) / self._fs_hz
        deadline_s = now() + self._wait_s
        parts = [item.samples]
        for follower in self._follow.values():
            parts.append(await follower.at(moments, deadline_s))
            for notice in follower.notices:
                self._note(notice)
            follower.notices.clear()
        samples = np.concatenate(parts).astype(np.float32)
        return Chunk(samples, moments, item.arrived_s, item.first)

    async def close(self) -> None:
        """Close all of them."""
        for link in (self._lead, *(one.link for one in self._follow.values())):
            await link.close()

    def timing_of(self) -> dict[str, dict[str, object]]:
        """Return what was measured of each source's clock; see `Timeline.to_dict`."""
        return {
            "leader": self._lead.timeline.to_dict(),
            **{name: one.link.timeline.to_dict() for name, one in self._follow.items()},
        }

    def _note(self, notice: Notice) -> None:
        self.notices.append(notice)
        del self.notices[:-100]
        if self.tell is not None:
            time_s = self._lead.timeline.next / self._fs_hz
            self.tell(replace(notice, time_s=time_s))


class _Local:
    """Where on this program's clock a source's samples lie: its fit, held to the least delay."""

    def __init__(self) -> None:
        self._fit = ClockFit()
        self._least_s = math.inf

    def add(self, x_s: float, arrived_s: float) -> None:
        self._fit.add(x_s, arrived_s)
        # The least delay creeps up slowly, so that it can follow a path that became longer.
        self._least_s = min(self._least_s + 1e-5, arrived_s - self._fit.at(x_s))

    def at(self, x_s: float) -> float:
        """Return when the sample was measured: the earliest moment that fits what was seen."""
        return self._fit.at(x_s) + min(self._least_s, 0.0)


class _Follower:
    """One source that is put at another's moments."""

    def __init__(self, name: str, link: Link) -> None:
        self._name, self.link = name, link
        self._clock = _Local()
        self._filter: CausalFilter | None = None
        self._fs_hz = 0.0
        self._times = np.empty(0)
        self._values: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.notices: list[Notice] = []

    async def open(self, leader_hz: float, within_s: float | None) -> list[Channel]:
        layout = await self.link.open(within_s=within_s)
        self._fs_hz = layout.fs_hz
        self._values = np.empty((layout.n_channels, 0), dtype=np.float32)
        if layout.fs_hz > leader_hz:
            sections = design_lowpass(_BELOW * leader_hz, order=4, fs_hz=layout.fs_hz)
            self._filter = CausalFilter(sections, n_channels=layout.n_channels)
        return [
            Channel(
                f"{self._name}.{one.name}",
                one.kind,
                one.muscle,
                one.side,
                one.position_mm,
                one.scale,
            )
            for one in layout.channels
        ]

    def start(self) -> None:
        self.link.start()
        self._task = asyncio.create_task(self._collect(), name=f"collects {self._name}")

    async def at(self, moments: NDArray[np.float64], deadline_s: float) -> NDArray[np.float32]:
        """Return the values at these moments, waiting for them until the deadline."""
        while not self.link.ended and not self._reaches(moments[-1]):
            left_s = deadline_s - now()
            if left_s <= 0:
                break
            self._news.clear()
            try:
                async with asyncio.timeout(left_s):
                    await self._news.wait()
            except TimeoutError:
                break
        return self._interpolated(moments)

    def _reaches(self, moment_s: float) -> bool:
        return bool(self._times.size and self._times[-1] >= moment_s)

    def _interpolated(self, moments: NDArray[np.float64]) -> NDArray[np.float32]:
        times, values = self._times, self._values
        out = np.full((len(values), len(moments)), np.nan, dtype=np.float32)
        if not times.size:
            return out
        # The newest value holds for one sample time; before the first there is none.
        known = (moments >= times[0]) & (moments <= times[-1] + 1 / self._fs_hz)
        place = np.searchsorted(times, moments).clip(1, max(len(times) - 1, 1))
        apart = times[np.minimum(place, len(times) - 1)] - times[place - 1]
        known &= apart < max(_STALE_S / 10, 3 / self._fs_hz)
        for row, channel in zip(out, values, strict=True):
            row[known] = np.interp(moments[known], times, channel)
        return out

    async def _collect(self) -> None:
        while True:
            item = await self.link.get()
            if item is None:
                self._news.set()
                return
            if isinstance(item, Notice):
                self.notices.append(item)
                del self.notices[:-20]
                continue
            self._keep(item)
            self._news.set()

    def _keep(self, item: Stretch) -> None:
        size = item.samples.shape[1]
        last_s = (item.first + size - 1) / self._fs_hz
        self._clock.add(last_s, item.arrived_s)
        times = self._clock.at(last_s) - np.arange(size - 1, -1, -1) / self._fs_hz
        samples = item.samples
        if self._filter is not None:
            samples = self._filter.push(np.nan_to_num(samples))
        if self._times.size:  # a moment never goes back, whatever the fit has learned meanwhile
            times = np.maximum(times, self._times[-1] + 1e-9 * np.arange(1, size + 1))
        most = round(_KEPT_S * self._fs_hz)
        self._times = np.concatenate([self._times, times])[-most:]
        self._values = np.concatenate([self._values, samples], axis=1)[:, -most:]
