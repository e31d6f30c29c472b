from __future__ import annotations

import json
import multiprocessing
import socket

import numpy as np
import pytest

from myograph.core.errors import DataError
from myograph.workflows import live_bench
from myograph.workflows.live_bench import Setting, _Play, _word

SETTING = Setting(n_channels=2, hops=3)


@pytest.fixture
def play():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        found = _Play(SETTING, ear)
        found._sent_s = np.arange(len(found._sent_s)) * 0.02
        yield found


def answer(number: int, abstains: str = "") -> bytes:
    time_s = (number + 1) * SETTING.hop_ms / 1000
    return json.dumps({"time_s": time_s, "abstains": abstains}).encode()


def test_latencies_are_of_decisions_behind_the_settling(play):
    first = live_bench._SETTLE
    for number in (first - 1, first, first + 1):
        play._heard.append((0.02 * number + 0.001, 0.0, answer(number)))
    assert play.told()["latency"] == pytest.approx([0.001, 0.001])


def test_silence_is_no_decision_even_beyond_the_end(play):
    beyond = len(play._sent_s) + 5
    play._heard.append((1.0, 0.0, answer(live_bench._SETTLE, "gap")))
    play._heard.append((9.0, 0.0, answer(beyond, "gap")))
    assert play.told()["latency"] == []


def test_a_machine_that_decides_nothing_in_time_is_said():
    with pytest.raises(DataError, match=r"None of 3 windows .* was decided about.*quieter"):
        live_bench._some([], SETTING)
    assert live_bench._some([0.1], SETTING).tolist() == [0.1]


def test_a_sender_that_dies_is_said():
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    theirs.close()
    with pytest.raises(DataError, match=r"has died; its own error is above.*again"):
        _word(ours)
    ours.close()
