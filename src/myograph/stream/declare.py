"""What a person declares about a stream that does not say it itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_positive
from myograph.core.errors import DataError, LayoutError
from myograph.core.layout import KIND_UNITS, Channel, Layout
from myograph.io.kinds import infer_kind
from myograph.io.units import conversion

__all__ = ["Declared", "Described"]


@dataclass(frozen=True, slots=True)
class Described:
    """A channel as a device words it.

    Parameters
    ----------
    name, unit, text : str
        Its label, its unit, anything else that tells what it measures; empty when unknown.
    """

    name: str
    unit: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What somebody says about a stream; it wins over what the stream says.

    Parameters
    ----------
    fs_hz : float, optional
        Sampling rate.
    kind : str
        Of all channels, for example ``"semg"``.
    unit : str
        Of all channels, as sent: ``"uV"``, ``"mV"``, ``"count"``.
    names : tuple of str
        Channel names, in the order of the stream: those that the model knows.

    Examples
    --------
    >>> declared = Declared(fs_hz=1000.0, kind="semg", unit="mV", names=("TA",))
    >>> layout, factors = declared.layout([Described("0")], fs_hz=None, where="a board")
    >>> layout.names, layout.units, factors.tolist()
    (('TA',), ('uV',), [1000.0])
    """

    fs_hz: float | None = None
    kind: str = ""
    unit: str = ""
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.fs_hz is not None:
            check_positive(self.fs_hz, name="fs_hz")
        if self.kind:
            check_choice(self.kind, KIND_UNITS, name="kind")

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Declared:
        """Take ``fs_hz``, ``kind``, ``unit`` and ``names`` from texts, leaving others alone."""
        rate = options.get("fs_hz")
        names = options.get("names", "")
        return cls(
            fs_hz=None if rate is None else _number(rate),
            kind=options.get("kind", ""),
            unit=options.get("unit", ""),
            names=tuple(name.strip() for name in names.split(",") if name.strip()),
        )

    def layout(
        self, described: Sequence[Described], *, fs_hz: float | None, where: str
    ) -> tuple[Layout, NDArray[np.float32]]:
        """Return the layout, and what samples are multiplied by to be in its units.

        Raises
        ------
        DataError
            If nobody says the rate, or what a channel measures.
        LayoutError
            If there are not as many names as channels.
        """
        rate_hz = self.fs_hz or fs_hz
        if not rate_hz:
            raise DataError(
                f"{where} does not say how many samples a second it sends; state it with fs_hz= "
                "(a sampling rate is never guessed)."
            )
        if self.names and len(self.names) != len(described):
            raise LayoutError(
                f"{where} sends {len(described)} channels, and {len(self.names)} names were given: "
                f"{list(self.names)}."
            )
        channels, factors = [], []
        for number, one in enumerate(described):
            name = self.names[number] if self.names else one.name
            channel, factor = self._channel(one, name, where=f"{where}, channel {name!r}")
            channels.append(channel)
            factors.append(factor)
        return Layout(rate_hz, tuple(channels)), np.array(factors, dtype=np.float32)

    def _channel(self, one: Described, name: str, *, where: str) -> tuple[Channel, float]:
        unit = self.unit or one.unit
        kind = self.kind or infer_kind(one.name, unit=unit, text=one.text)
        if not kind:
            raise DataError(
                f"{where}: nothing says what it measures; state it with kind= (one of "
                f"{list(KIND_UNITS)})."
            )
        scale, factor = conversion(unit, kind=kind, where=where)
        return Channel(name, kind, scale=scale), factor


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DataError(f"fs_hz must be a number; got {text!r}.") from None
