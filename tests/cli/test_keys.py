"""Keys of a terminal are read without waiting, and the terminal is given back as it was."""

import os
import sys

import pytest

from myograph.cli.keys import Keys


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_keys_are_read_as_they_come_and_the_terminal_is_given_back():
    import termios

    ours, theirs = os.openpty()
    try:
        before = termios.tcgetattr(theirs)
        with Keys(theirs) as keys:
            assert keys.works
            assert keys.pressed() == ""
            os.write(ours, b"rx")
            assert keys.pressed() == "rx"
            assert termios.tcgetattr(theirs) != before
        assert termios.tcgetattr(theirs) == before
        assert keys.pressed() == ""
    finally:
        os.close(ours)
        os.close(theirs)


def test_without_a_terminal_no_key_is_ever_pressed(tmp_path, monkeypatch):
    with (tmp_path / "input").open("w+") as file, Keys(file.fileno()) as keys:
        assert (keys.works, keys.pressed()) == (False, "")
    monkeypatch.setattr(sys, "stdin", None)
    with Keys() as keys:
        assert not keys.works
