"""Options: one value for all channels, or one for each pattern."""

from __future__ import annotations

import re

import pytest

from myograph.cli.files import in_flags, one_or_each, read_options
from myograph.core.errors import DataError, ParameterError


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (None, None),
        ([], None),
        (["mV"], "mV"),
        (["emg*=mV"], {"emg*": "mV"}),
        (["emg*=mV", "force=kgf"], {"emg*": "mV", "force": "kgf"}),
    ],
)
def test_one_or_each(given: list[str] | None, meant: object) -> None:
    assert one_or_each(given, "--unit") == meant


@pytest.mark.parametrize("given", [["mV", "uV"], ["emg*=mV", "uV"], ["=mV", "a=b"], ["emg="]])
def test_anything_else_is_refused(given: list[str]) -> None:
    with pytest.raises(ParameterError, match="--unit takes one value for all channels"):
        one_or_each(given, "--unit")


def test_only_what_was_said_reaches_the_reader() -> None:
    assert read_options() == {}
    assert read_options(rate=100.0, channels="a, b", gaps=True) == {
        "fs_hz": 100.0,
        "channels": ["a", "b"],
        "non_finite": "gap",
    }


@pytest.mark.parametrize(
    ("python", "flag"),
    [
        ("state it with the option fs_hz= (never guessed)", "state it with the option --rate ("),
        ("for example kinds={'NAME': 'semg'} or", "for example --kinds 'NAME=semg' or"),
        ("for example unit='mV'", "for example --unit 'mV'"),
        ("repair it (myograph.io.read(..., non_finite='gap'))", "read(..., --gaps)"),
        ("overwrite it with force=True (--force).", "overwrite it with --force."),
        ("with the option unit=.", "with the option --unit."),
        ("length_ms=200 must fit", "length_ms=200 must fit"),
    ],
)
def test_errors_speak_of_flags(python: str, flag: str) -> None:
    with pytest.raises(DataError, match=re.escape(flag)), in_flags():
        raise DataError(python)
