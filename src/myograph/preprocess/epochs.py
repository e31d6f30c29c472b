"""Epochs of muscle action: what was found, how sure it is, and what was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from myograph.core.recording import Event, Recording

__all__ = ["ChannelActivity", "Epoch", "Segmentation"]


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch of action of one channel.

    Parameters
    ----------
    channel : str
    onset_s, end_s : float
        On the clock of the recording.
    method : str
        What found it: the source of its event.
    snr_db : float
        Power of the action over that of rest, noise taken off.
    accepted : bool
        Whether it is given out as an event.
    reason : str
        Why, or why not.
    onset_interval_s, end_interval_s : tuple of 2 floats, optional
        95 % intervals of the edges, from methods that give them.
    confidence : float, optional
        Probability that the onset lies within 10 ms of ``onset_s``, from methods that give it. It
        holds for the model (Gaussian, steady rest): motor-unit bursts make it optimistic.
    """

    channel: str
    onset_s: float
    end_s: float
    method: str
    snr_db: float
    accepted: bool
    reason: str
    onset_interval_s: tuple[float, float] | None = None
    end_interval_s: tuple[float, float] | None = None
    confidence: float | None = None

    @property
    def duration_s(self) -> float:
        """Seconds from onset to end."""
        return self.end_s - self.onset_s

    def event(self, label: str) -> Event:
        """Return the epoch as an event; the method is its source."""
        return Event(self.onset_s, self.duration_s, label, self.method)

    def to_dict(self) -> dict[str, Any]:
        """Return the epoch as plain JSON-able data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class ChannelActivity:
    """What the search in one channel was based on.

    Parameters
    ----------
    channel : str
    method : str
        The method used; under ``"auto"``, the one chosen.
    rest_source : str
        ``"given"``, ``"events"`` or ``"quietest stretch"``.
    rest_rms : float
        Root mean square of rest, in the channel's unit.
    snr_db : float, optional
        Median over the epochs found; None when none were.
    """

    channel: str
    method: str
    rest_source: str
    rest_rms: float
    snr_db: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Epochs of every channel, those refused with their reasons.

    Parameters
    ----------
    epochs : tuple of Epoch
        Accepted, by onset.
    refused : tuple of Epoch
        Found and not given out.
    channels : tuple of ChannelActivity
        One per channel that was searched.
    label : str
        What the events are called.
    """

    epochs: tuple[Epoch, ...]
    refused: tuple[Epoch, ...]
    channels: tuple[ChannelActivity, ...]
    label: str = "active"

    def events(self) -> tuple[Event, ...]:
        """Return the accepted epochs as events; with several channels the label names each."""
        if len(self.channels) == 1:
            return tuple(epoch.event(self.label) for epoch in self.epochs)
        return tuple(epoch.event(f"{self.label} {epoch.channel}") for epoch in self.epochs)

    def mark(self, recording: Recording) -> Recording:
        """Return the recording with these events beside its own."""
        return recording.with_events((*recording.events, *self.events()))

    def of(self, channel: str) -> tuple[Epoch, ...]:
        """Return the accepted epochs of one channel."""
        return tuple(epoch for epoch in self.epochs if epoch.channel == channel)

    def to_dict(self) -> dict[str, Any]:
        """Return the segmentation as plain JSON-able data."""
        return {
            "epochs": [epoch.to_dict() for epoch in self.epochs],
            "refused": [epoch.to_dict() for epoch in self.refused],
            "channels": [channel.to_dict() for channel in self.channels],
        }
