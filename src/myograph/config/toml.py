"""Writing configuration as TOML that reads back to the same configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from myograph.config.schema import Config

__all__ = ["to_toml"]


def to_toml(config: Config) -> str:
    """Write ``config`` as TOML, every default spelled out.

    Examples
    --------
    >>> from myograph.config.schema import ModelConfig
    >>> print(to_toml(ModelConfig(name="svm")))
    name = "svm"
    <BLANKLINE>
    [params]
    <BLANKLINE>
    """
    return "\n".join(_table(config.to_dict(), ())) + "\n"


def _table(data: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield the plain keys first, then the tables inside: TOML reads them in that order."""
    tables = {key: value for key, value in data.items() if isinstance(value, dict)}
    for key, value in data.items():
        if key not in tables and value is not None:  # TOML has no null: a key left out is None
            yield f"{_key(key)} = {_value(value)}"
    for key, value in tables.items():
        inner = (*path, key)
        yield f"\n[{'.'.join(map(_key, inner))}]"
        yield from _table(value, inner)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        # A JSON string is a TOML basic string, but for the one control character JSON lets pass.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    kept = {key: entry for key, entry in value.items() if entry is not None}
    return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in kept.items()) + " }"


def _key(key: str) -> str:
    plain = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if plain else _value(key)
