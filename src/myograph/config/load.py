"""Reading configuration: a TOML file, then ``key.path=value`` overrides, then the schema."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from myograph.config.explain import explain
from myograph.config.schema import Config
from myograph.core.errors import FormatError, ParameterError

__all__ = ["apply_overrides", "load_config", "parse_config"]

C = TypeVar("C", bound=Config)

# What may be written without quotes on a command line although TOML wants them: names and paths.
_BARE = re.compile(r"[A-Za-z_./~][\w./~:+@ -]*")


def load_config(
    path: str | PathLike[str] | None = None,
    overrides: Iterable[str] = (),
    *,
    schema: type[C],
) -> C:
    """Read a configuration file, apply overrides, and check the whole against ``schema``.

    Parameters
    ----------
    path : path-like, optional
        A TOML file; without one only the overrides and the defaults count.
    overrides : iterable of str
        ``key.path=value``, later ones win. The value is written as in TOML; quotes may be left
        out around a plain name. A number in the path is a position in a list.
    schema : type
        One of `myograph.config.schema`.

    Raises
    ------
    FormatError
        If the file cannot be read or is not TOML.
    ParameterError
        If a key is unknown or a value breaks its rule; the message carries the key path.

    Examples
    --------
    >>> from myograph.config.schema import PipelineConfig
    >>> load_config(overrides=["model.name=svm"], schema=PipelineConfig).model.name
    'svm'
    """
    data = {} if path is None else _read_toml(Path(path))
    where = "the overrides" if path is None else str(path)
    return parse_config(apply_overrides(data, overrides), schema=schema, where=where)


def parse_config(data: Mapping[str, Any], *, schema: type[C], where: str) -> C:
    """Check plain ``data`` against ``schema``; ``where`` names its origin in messages."""
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        raise ParameterError(explain(error, schema=schema, where=where)) from error


def apply_overrides(data: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Return a copy of ``data`` with every ``key.path=value`` set; missing tables are made.

    Examples
    --------
    >>> apply_overrides({"steps": [{"step": "highpass"}]}, ["steps.0.low_hz=20.0"])
    {'steps': [{'step': 'highpass', 'low_hz': 20.0}]}
    """
    result: dict[str, Any] = _copy(data)
    for override in overrides:
        path, equals, text = override.partition("=")
        keys = [key.strip() for key in path.split(".")]
        if not equals or not all(keys):
            raise ParameterError(
                f"An override must read key.path=value, such as model.name=svm; got {override!r}."
            )
        _set(result, keys, _value(text.strip(), override=override))
    return result


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"Configuration {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"Configuration {path} is not valid TOML: {error}.") from error


def _value(text: str, *, override: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError as error:
        if _BARE.fullmatch(text):
            return text
        raise ParameterError(
            f"The value in {override!r} is not TOML: {error}. "
            'Write a number, true, false, a name, "text" or a list such as [1, 2].'
        ) from error
    if list(parsed) != ["value"]:
        raise ParameterError(f"An override sets one value; got {override!r}.")
    return parsed["value"]


def _set(data: dict[str, Any], keys: list[str], value: Any) -> None:
    inside: Any = data
    for depth, key in enumerate(keys):
        last = depth == len(keys) - 1
        place: str | int = key
        if isinstance(inside, list):
            place = _position(key, inside, ".".join(keys[:depth]))
        elif not isinstance(inside, dict):
            raise ParameterError(
                f"{'.'.join(keys)} cannot be set: {'.'.join(keys[:depth])} is {inside!r}, "
                f"neither a table nor a list. Set it whole: {'.'.join(keys[:depth])}="
                f"{{{'.'.join(keys[depth:])} = ...}}."
            )
        if last:
            inside[place] = value
        else:
            inside = inside.setdefault(place, {}) if isinstance(inside, dict) else inside[place]


def _position(key: str, entries: list[Any], path: str) -> int:
    if not key.isdecimal() or int(key) >= len(entries):
        raise ParameterError(
            f"{path} is a list of {len(entries)}: name a position from 0 to {len(entries) - 1}; "
            f"got {key!r}."
        )
    return int(key)


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(entry) for entry in value]
    return value
