"""Wording what is wrong with a configuration: the key path, the rule, what was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from myograph.core.checks import unknown_name

__all__ = ["explain"]

Keys = tuple[int | str, ...]
Fault = tuple[Keys, ErrorDetails]

# What a value must do, by pydantic's name of the fault.
_RULES = {
    "greater_than": "be above {gt}",
    "greater_than_equal": "be {ge} or more",
    "less_than": "be below {lt}",
    "less_than_equal": "be {le} or less",
    "too_short": "have at least {min_length} entry",
    "float_type": "be a number",
    "int_type": "be a whole number",
    "int_from_float": "be a whole number",
    "bool_type": "be true or false",
    "string_type": "be text",
    "finite_number": "be finite",
    "list_type": "be a list",
    "tuple_type": "be a list",
    "model_type": "be a table of keys",
    "model_attributes_type": "be a table of keys",
    "dict_type": "be a table of keys",
}


def explain(error: ValidationError, *, schema: type[BaseModel], where: str) -> str:
    """Return one sentence per fault, each with its key path.

    Parameters
    ----------
    error : ValidationError
    schema : type
        The model that was being filled.
    where : str
        Origin of the values: a file, or ``"the overrides"``.
    """
    sentences = dict.fromkeys(_sentences(_faults(error, schema), schema))
    return f"In {where}: " + " ".join(sentences)


def _faults(error: ValidationError, schema: type[BaseModel]) -> Iterator[Fault]:
    """Yield the faults with their key paths, of a union only those of the branch meant."""
    paths = [(_keys(fault["loc"], schema), fault) for fault in error.errors(include_url=False)]
    deepest: dict[Keys, int] = {}
    for keys, _ in paths:
        for end in range(len(keys) + 1):
            deepest[keys[:end]] = max(deepest.get(keys[:end], 0), len(keys))
    for keys, fault in paths:
        # Where a name or a table may stand and a table was given, the name's complaint is noise.
        of_the_whole = fault["type"].endswith("_type") or fault["type"] == "too_short"
        if not of_the_whole or deepest[keys] == len(keys):
            yield keys, fault


def _sentences(faults: Iterable[Fault], schema: type[BaseModel]) -> Iterator[str]:
    rules: dict[Keys, tuple[list[str], Any]] = {}
    for keys, fault in faults:
        path = ".".join(map(str, keys))
        if fault["type"] == "extra_forbidden":
            yield _unknown_key(keys, schema)
        elif fault["type"] == "literal_error":
            sentence = unknown_name(fault["input"], _choices(keys, schema), what=path)
            yield sentence if sentence.endswith("?") else sentence + "."
        elif fault["type"] == "missing":
            yield f"{path} is missing and has no default."
        else:
            rules.setdefault(keys, ([], fault["input"]))[0].append(_rule(fault))
    for keys, (told, given) in rules.items():
        path = ".".join(map(str, keys)) or "the configuration"
        rule = told[0] + "".join(f" or {other.removeprefix('be ')}" for other in told[1:])
        yield f"{path} must {rule}; got {given!r}."


def _unknown_key(keys: Keys, schema: type[BaseModel]) -> str:
    known, inside = _known(keys[:-1], schema), ".".join(map(str, keys[:-1]))
    elsewhere = " or ".join(map(repr, _paths_to(str(keys[-1]), schema)))
    hint = f" There is {elsewhere}." if elsewhere else ""
    return unknown_name(keys[-1], known, what=f"key in {inside}" if inside else "key") + hint


def _rule(fault: ErrorDetails) -> str:
    if fault["type"] not in _RULES:
        return f"follow this rule: {fault['msg']}"
    context = fault.get("ctx", {})
    return _RULES[fault["type"]].format(
        **{k: f"{v:g}" if isinstance(v, float) else v for k, v in context.items()}
    )


def _keys(location: Sequence[int | str], schema: type[BaseModel]) -> Keys:
    """Drop the names of types and union branches that pydantic puts between the keys."""
    keys: list[int | str] = []
    models: list[type[BaseModel]] = [schema]
    for part in location:
        if isinstance(part, int):
            keys.append(part)
            continue
        fields = {name: field for model in models for name, field in model.model_fields.items()}
        if part in fields:
            keys.append(part)
            models = list(_models(fields[part].annotation))
        elif not _is_branch(part, models, first=not keys):
            keys.append(part)
    return tuple(keys)


_BRANCHES = {"str", "bool", "int", "float", "tuple", "list", "dict", "none", "constrained-float"}


def _is_branch(part: str, models: list[type[BaseModel]], *, first: bool) -> bool:
    if first:
        return False
    return part in {m.__name__ for m in models} or part.partition("[")[0] in _BRANCHES


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models inside a type such as ``tuple[str | FeatureConfig, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _at(keys: Sequence[int | str], schema: type[BaseModel]) -> list[type[BaseModel]]:
    models = [schema]
    for key in keys:
        if isinstance(key, str):
            fields = [m.model_fields[key] for m in models if key in m.model_fields]
            models = [found for field in fields for found in _models(field.annotation)]
    return models


def _known(keys: Sequence[int | str], schema: type[BaseModel]) -> list[str]:
    return [name for model in _at(keys, schema) for name in model.model_fields]


def _choices(keys: Sequence[int | str], schema: type[BaseModel]) -> list[str]:
    fields = [m.model_fields.get(str(keys[-1])) for m in _at(keys[:-1], schema)]
    return [str(choice) for field in fields if field for choice in get_args(field.annotation)]


def _paths_to(name: str, schema: type[BaseModel], head: str = "") -> list[str]:
    """Return the paths of tables in which ``name`` would be a known key."""
    found = []
    for key, field in schema.model_fields.items():
        for model in _models(field.annotation):
            if name in model.model_fields:
                found.append(f"{head}{key}.{name}")
            found += _paths_to(name, model, f"{head}{key}.")
    return found
