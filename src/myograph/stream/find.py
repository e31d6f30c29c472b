"""Find: a source or a consumer by what a person types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from myograph.core.checks import unknown_name
from myograph.core.errors import ParameterError
from myograph.core.recording import Recording, RecordingSet
from myograph.io.read import read
from myograph.stream.ble import ArmbandSource
from myograph.stream.boards import BoardSource
from myograph.stream.consumer import Consumer
from myograph.stream.declare import Declared
from myograph.stream.faults import Faults, Faulty
from myograph.stream.generated import (
    Generated,
    fitted_twin,
    kept_person,
    simulated_body,
    simulated_person,
)
from myograph.stream.lsl import LslOutlet, LslSource
from myograph.stream.mqtt import MqttOutlet, MqttSource
from myograph.stream.replay import Replay
from myograph.stream.serial import SerialSource
from myograph.stream.source import Source
from myograph.stream.together import Together
from myograph.stream.udp import UdpOutlet
from myograph.stream.websocket import WebSocketOutlet, WebSocketSource

__all__ = ["OUTLETS", "SOURCES", "Address", "find_outlet", "find_source"]

_DECLARED = frozenset({"fs_hz", "kind", "unit", "names"})
_SCENE = ("kind", "condition", "seconds", "seed")
_FAULTS = frozenset({"loss", "doubled", "jitter_s", "outage_after_s", "outage_s", "drift_ppm"})


@dataclass(frozen=True, slots=True)
class Address:
    """What a person types, taken apart: ``scheme:place?option=value&option=value``.

    Parameters
    ----------
    scheme, place : str
    options : mapping of str to str

    Examples
    --------
    >>> Address.of("serial:/dev/ttyACM0?fs_hz=1000&names=a,b")
    Address(scheme='serial', place='/dev/ttyACM0', options={'fs_hz': '1000', 'names': 'a,b'})
    """

    scheme: str
    place: str
    options: Mapping[str, str]

    @classmethod
    def of(cls, text: str) -> Address:
        """Take a text apart."""
        front, _, query = text.partition("?")
        scheme, colon, place = front.partition(":")
        if not colon:
            raise ParameterError(
                f"A source or outlet is written scheme:place, as in lsl:Forearm; got {text!r}."
            )
        return cls(scheme, place, dict(parse_qsl(query, keep_blank_values=True)))

    def only(self, *known: str) -> Mapping[str, str]:
        """Return the options if all of them are known."""
        for name in self.options:
            if name not in known:
                raise ParameterError(
                    unknown_name(name, known, what=f"option of {self.scheme}:{self.place}")
                )
        return self.options

    def number(self, name: str, otherwise: float) -> float:
        """Return an option that is a number."""
        text = self.options.get(name)
        if text is None:
            return otherwise
        try:
            return float(text)
        except ValueError:
            raise ParameterError(
                f"Option {name} of {self.scheme}:{self.place} must be a number; got {text!r}."
            ) from None


def find_source(text: str) -> Source:
    """Return the source that ``text`` names; it is not opened.

    Several on one clock are written ``leader + name=follower``, with spaces around the plus; the
    followers' channels are called ``name.channel``. See `myograph.stream.together.Together`.

    Raises
    ------
    ParameterError
        If the scheme or an option is unknown, or a follower has no name.

    Examples
    --------
    >>> find_source("lsl:Forearm").name
    'lsl:Forearm'
    >>> find_source("lsl:Forearm + wrist=lsl:IMU").name
    'lsl:Forearm+lsl:IMU'
    """
    leader, *followers = text.split(" + ")
    if followers:
        return Together(find_source(leader.strip()), dict(map(_follower, followers)))
    address = Address.of(text)
    if address.scheme not in SOURCES:
        raise ParameterError(unknown_name(address.scheme, SOURCES, what="source"))
    return SOURCES[address.scheme](address)


def _follower(text: str) -> tuple[str, Source]:
    name, equals, source = text.strip().partition("=")
    if not equals or not name.isidentifier():
        raise ParameterError(
            "A source beside another has a name, which its channels begin with, as in "
            f"'lsl:Forearm + wrist=lsl:IMU'; got {text.strip()!r}."
        )
    return name, find_source(source)


def find_outlet(text: str) -> Consumer:
    """Return the outlet that ``text`` names; it is not started.

    Examples
    --------
    >>> find_outlet("udp:127.0.0.1:9000").port
    9000
    """
    address = Address.of(text)
    if address.scheme not in OUTLETS:
        raise ParameterError(unknown_name(address.scheme, OUTLETS, what="outlet"))
    return OUTLETS[address.scheme](address)


def _lsl(address: Address) -> Source:
    return LslSource(address.place, declared=Declared.of(address.only(*_DECLARED)))


def _board(address: Address) -> Source:
    rest = {k: v for k, v in address.options.items() if k not in _DECLARED}
    return BoardSource(address.place, parameters=rest, declared=Declared.of(address.options))


def _serial(address: Address) -> Source:
    options = address.only(*_DECLARED, "form", "baud", "counter")
    return SerialSource(
        address.place,
        declared=Declared.of(options),
        form=options.get("form", "lines"),
        baud=int(address.number("baud", 115200)),
        counter=options.get("counter", "no") in ("yes", "1", "true"),
    )


def _ble(address: Address) -> Source:
    return ArmbandSource(address.place, declared=Declared.of(address.only("names")))


def _mqtt(address: Address) -> Source:
    address.only()
    return MqttSource(_url(address))


def _ws(address: Address) -> Source:
    address.only()
    return WebSocketSource(_url(address))


def _replay(address: Address) -> Source:
    address.only("speed", "chunk_ms", "loops", "member", *_FAULTS)
    found = read(Path(address.place), non_finite="gap")
    recording = _one(found, address)
    source = Replay(
        recording,
        speed=address.number("speed", 1.0),
        chunk_ms=_chunk_ms(address),
        loops=int(address.number("loops", 1)),
    )
    source.name = f"replay:{address.place}"
    return _with_faults(source, address)


def _twin(address: Address) -> Source:
    address.only("speed", "chunk_ms", "pieces", *_SCENE, "person", *_FAULTS)
    pieces = int(address.number("pieces", 0))
    source = Generated(
        _person_of(address),
        speed=address.number("speed", 1.0),
        chunk_ms=_chunk_ms(address),
        pieces=pieces or None,
    )
    source.name = f"twin:{address.place or 1}"
    return _with_faults(source, address)


def _person_of(address: Address) -> Callable[[int], Recording]:
    """Return who is simulated: by a number, or as somebody saved them."""
    place = address.place
    body: dict[str, Any] = {}
    if "seconds" in address.options:
        body["seconds"] = address.number("seconds", 0.0)
    if "seed" in address.options:
        body["seed"] = int(address.number("seed", 0))
    if not place or place.isdigit():
        kind = address.options.get("kind")
        if "condition" in address.options:
            body["condition"] = address.options["condition"]
        if kind is None and (body or "person" in address.options):
            raise ParameterError(
                f"{address.scheme}:{place} is a quick person without a body; condition=, seconds= "
                "and seed= need kind=gestures, fatigue, progression, rehab or needle."
            )
        if kind is None:
            return simulated_person(int(place or 1))
        return simulated_body(kind, int(place or 1), **body)
    path = Path(place)
    if path.is_dir():
        return kept_person(path, address.options.get("person", ""))
    if path.suffix == ".json":
        return fitted_twin(path, **body)
    raise ParameterError(
        "A simulated person has a number, from 1 (twin:3), or is a cohort's folder (myograph "
        f"simulate cohort) or a file NAME.twin.json (myograph twin fit); got {place!r}."
    )


def _chunk_ms(address: Address) -> float | None:
    """Return how much signal comes together; what is lost on purpose is lost in small pieces."""
    given = "chunk_ms" in address.options or _FAULTS & set(address.options)
    return address.number("chunk_ms", 20.0) if given else None


def _with_faults(source: Source, address: Address) -> Source:
    given = {name: address.number(name, 0.0) for name in _FAULTS & set(address.options)}
    return Faulty(source, Faults(**given)) if given else source  # type: ignore[arg-type]


def _one(found: Recording | RecordingSet, address: Address) -> Recording:
    if isinstance(found, Recording):
        return found
    if "member" in address.options:
        return found[address.options["member"]]
    raise ParameterError(
        f"{address.place} holds several recordings {sorted(found)}; name one with member=."
    )


def _url(address: Address) -> str:
    """Return the URL of ``mqtt://host/topic``, and of ``mqtt:mqtt://host/topic``, too."""
    place = address.place
    if place.startswith((f"{address.scheme}:", "wss:")):
        return place
    return f"{address.scheme}://{place.removeprefix('//')}"


#: What can be read, by the word before the colon.
SOURCES: Mapping[str, Callable[[Address], Source]] = {
    "lsl": _lsl,
    "brainflow": _board,
    "serial": _serial,
    "ble": _ble,
    "mqtt": _mqtt,
    "ws": _ws,
    "wss": lambda address: WebSocketSource(f"wss://{address.place.removeprefix('//')}"),
    "replay": _replay,
    "twin": _twin,
}


def _served(address: Address) -> Consumer:
    host, _, port = address.place.removeprefix("//").rpartition(":")
    if not port.isdigit():
        raise ParameterError(
            f"A WebSocket outlet is ws:host:port or ws::port; got {address.place!r}."
        )
    return WebSocketOutlet(port=int(port), host=host or "127.0.0.1")


#: Who can be told, by the word before the colon.
OUTLETS: Mapping[str, Callable[[Address], Consumer]] = {
    "lsl": lambda address: LslOutlet(address.place),
    "mqtt": lambda address: MqttOutlet(_url(address)),
    "ws": _served,
    "udp": lambda address: UdpOutlet.of(address.place),
}
