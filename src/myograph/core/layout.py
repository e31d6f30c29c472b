"""Layout: the header of a recording without its samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from myograph.core.checks import check_choice, check_positive, unknown_name
from myograph.core.errors import LayoutError, ParameterError

__all__ = ["BIOPOTENTIALS", "KIND_UNITS", "MUSCLE_KINDS", "SCALES", "SIDES", "Channel", "Layout"]

#: What a channel measures, and the one unit in which Myograph holds it.
KIND_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "semg": "uV",
        "hdemg": "uV",
        "needle": "uV",
        "eeg": "uV",
        "ecg": "uV",
        "acc": "g",
        "gyro": "deg/s",
        "orientation": "1",
        "angle": "deg",
        "force": "N",
        "torque": "Nm",
        "trigger": "1",
    }
)

#: Kinds that record muscle: what a pipeline takes by default.
MUSCLE_KINDS = ("semg", "hdemg", "needle")

#: Kinds that are voltages on the body.
BIOPOTENTIALS = (*MUSCLE_KINDS, "eeg", "ecg")

#: ``physical``: in the unit of the kind. ``count``: the device's own steps, whose size nobody has
#: published (never mistaken for microvolts). ``normalised``: a fraction of a reference value.
SCALES = ("physical", "count", "normalised")

SIDES = ("", "left", "right")


@dataclass(frozen=True, slots=True)
class Channel:
    """One recorded quantity.

    Parameters
    ----------
    name : str
        Unique within a layout.
    kind : str
        One of `KIND_UNITS`; it fixes the unit.
    muscle : str
        Muscle under the electrode; empty when unknown.
    side : str
        ``"left"``, ``"right"`` or empty.
    position_mm : tuple of 3 floats, optional
        Electrode position (x along the fibres, y across, z up), millimetres.
    scale : str
        ``"physical"``, ``"count"`` or ``"normalised"``, see `SCALES`.

    Examples
    --------
    >>> Channel("TA", kind="semg", muscle="tibialis anterior", side="left").unit
    'uV'
    """

    name: str
    kind: str
    muscle: str = ""
    side: str = ""
    position_mm: tuple[float, float, float] | None = None
    scale: str = "physical"

    def __post_init__(self) -> None:
        if not self.name or self.name != self.name.strip():
            raise ParameterError(
                f"A channel's name must not be empty or start or end with a space; "
                f"got {self.name!r}."
            )
        check_choice(self.kind, KIND_UNITS, name=f"kind of channel {self.name!r}")
        check_choice(self.side, SIDES, name=f"side of channel {self.name!r}")
        check_choice(self.scale, SCALES, name=f"scale of channel {self.name!r}")
        if self.position_mm is not None:
            object.__setattr__(self, "position_mm", _position(self.position_mm, self.name))

    @property
    def unit(self) -> str:
        """Unit of the samples: that of the kind, ``"count"``, or ``"1"`` once normalised."""
        if self.scale == "physical":
            return KIND_UNITS[self.kind]
        return "count" if self.scale == "count" else "1"

    def to_dict(self) -> dict[str, Any]:
        """Return the channel as plain JSON-able data."""
        return {
            "name": self.name,
            "kind": self.kind,
            "muscle": self.muscle,
            "side": self.side,
            "position_mm": None if self.position_mm is None else list(self.position_mm),
            "scale": self.scale,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Channel:
        """Rebuild a channel from what `to_dict` gave."""
        position = data.get("position_mm")
        return cls(**{**data, "position_mm": None if position is None else tuple(position)})


@dataclass(frozen=True, slots=True)
class Layout:
    """Sampling rate and channels: a stream starts from it, a model says which it expects.

    Parameters
    ----------
    fs_hz : float
        Samples per second of every channel. It has no default anywhere.
    channels : tuple of Channel
        One per row of the samples, with unique names.

    Examples
    --------
    >>> layout = Layout(fs_hz=2000.0, channels=(Channel("TA", kind="semg"),))
    >>> layout.names
    ('TA',)
    """

    fs_hz: float
    channels: tuple[Channel, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "fs_hz", check_positive(self.fs_hz, name="fs_hz"))
        object.__setattr__(self, "channels", tuple(self.channels))
        if not self.channels:
            raise LayoutError("A layout needs at least one channel; got none.")
        repeated = sorted({name for name in self.names if self.names.count(name) > 1})
        if repeated:
            raise LayoutError(f"Channel names must be unique; {repeated} occur more than once.")

    @property
    def names(self) -> tuple[str, ...]:
        """Channel names, in the order of the rows."""
        return tuple(channel.name for channel in self.channels)

    @property
    def units(self) -> tuple[str, ...]:
        """Units, in the order of the rows."""
        return tuple(channel.unit for channel in self.channels)

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.channels)

    def rows(self, *, names: Iterable[str] = (), kinds: Iterable[str] = ()) -> tuple[int, ...]:
        """Return the rows of the channels with these names (in their order) or of these kinds."""
        wanted = list(names)
        for name in wanted:
            if name not in self.names:
                raise LayoutError(unknown_name(name, self.names, what="channel"))
        if wanted:
            return tuple(self.names.index(name) for name in wanted)
        chosen = set(kinds)
        return tuple(i for i, channel in enumerate(self.channels) if channel.kind in chosen)

    def take(self, rows: Iterable[int]) -> Layout:
        """Return the layout of these rows, in their order."""
        return replace(self, channels=tuple(self.channels[row] for row in rows))

    def differences(self, expected: Layout) -> tuple[str, ...]:
        """Say, in sentences, where this layout is not the ``expected`` one.

        Examples
        --------
        >>> trained = Layout(200.0, (Channel("a", kind="semg"),))
        >>> Layout(1000.0, (Channel("a", kind="semg"),)).differences(trained)
        ('The sampling rate is 1000 Hz; 200 Hz is expected.',)
        """
        found = []
        if abs(self.fs_hz - expected.fs_hz) > 1e-6 * expected.fs_hz:
            found.append(
                f"The sampling rate is {self.fs_hz:g} Hz; {expected.fs_hz:g} Hz is expected."
            )
        if self.names != expected.names:
            found.append(_different_names(self.names, expected.names))
            return tuple(found)
        return (*found, *_different_kinds(self.channels, expected.channels))

    def to_dict(self) -> dict[str, Any]:
        """Return the layout as plain JSON-able data."""
        return {"fs_hz": self.fs_hz, "channels": [c.to_dict() for c in self.channels]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Layout:
        """Rebuild a layout from what `to_dict` gave."""
        return cls(data["fs_hz"], tuple(Channel.from_dict(c) for c in data["channels"]))


def _different_kinds(mine: tuple[Channel, ...], expected: tuple[Channel, ...]) -> list[str]:
    """Word the channels of another kind or unit, those that differ alike in one sentence."""
    alike: dict[str, list[str]] = {}
    for one, other in zip(mine, expected, strict=True):
        if (one.kind, one.unit) != (other.kind, other.unit):
            told = f"{one.kind} in {one.unit}; {other.kind} in {other.unit} is expected."
            alike.setdefault(told, []).append(repr(one.name))
    return [
        f"Channel{'s' if len(names) > 1 else ''} {', '.join(names)} "
        f"{'are' if len(names) > 1 else 'is'} {told}"
        for told, names in alike.items()
    ]


def _different_names(mine: tuple[str, ...], expected: tuple[str, ...]) -> str:
    if sorted(mine) == sorted(expected):
        return (
            f"The channels are in another order: {list(mine)}; {list(expected)} is expected "
            "(Recording.select puts them in order)."
        )
    missing = [name for name in expected if name not in mine]
    extra = [name for name in mine if name not in expected]
    parts = [f"The {len(mine)} channels are not the {len(expected)} expected ones:"]
    if missing:
        parts.append(f"missing {missing}")
    if extra:
        parts.append(("and " if missing else "") + f"not expected {extra}")
    return " ".join(parts) + "."


def _position(value: Iterable[float], name: str) -> tuple[float, float, float]:
    numbers = tuple(float(number) for number in value)
    if len(numbers) != 3:
        raise ParameterError(
            f"position_mm of channel {name!r} must be (x, y, z) in millimetres; got {value!r}."
        )
    return numbers
