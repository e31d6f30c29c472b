"""Options: one value for all channels, or one for each pattern."""

from __future__ import annotations

import pytest

from myograph.cli.files import one_or_each, read_options
from myograph.core.errors import ParameterError


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
