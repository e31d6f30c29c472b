"""How a running stream looks."""

from __future__ import annotations

import asyncio
import io

import numpy as np

from myograph.cli.live_view import Lines, TerminalView
from myograph.core.decision import Decision
from myograph.core.layout import Channel, Layout
from myograph.stream.answer import Answer, Notice, Value

LAYOUT = Layout(1000.0, tuple(Channel(f"emg{k}", kind="semg") for k in range(20)))


def answer(label: str = "open", why: str = "", level: float = 10.0) -> Answer:
    decision = Decision(label, np.array([0.25, 0.75]), ("close", "open"), 1.5, bool(why))
    levels = np.full(20, np.nan if why == "gap" else level)
    return Answer(7, decision, why, levels, 10.0, 10.002)


def seen(view: TerminalView) -> str:
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=90).print(view.picture())
    return out.getvalue()


def test_the_picture_shows_channels_decision_latency_and_loss():
    view = TerminalView()
    view.hear(Notice("lost", 0.0, "It was unplugged."))
    assert "waiting for the source" in seen(view)
    asyncio.run(view.start(LAYOUT, ("close", "open")))
    assert "waiting for the first window" in seen(view)
    assert "unplugged" in seen(view)
    view.samples(0, np.zeros((20, 900), dtype=np.float32))
    view.samples(1000, np.zeros((20, 1000), dtype=np.float32))
    view.hear(Notice("gap", 0.9, "100 samples (0.1 s) never came."))
    view.take(answer())
    shown = seen(view)
    for words in (
        "open",
        "75 %",
        "emg0",
        "emg15",
        "and 4 more",
        "10 uV",
        "p50 2.0",
        "loss 5.00 %",
        "never",
    ):
        assert words in shown
    view.take(answer(why="gap"))
    assert "abstains: gap" in seen(view)


def test_it_is_drawn_while_a_block_runs():
    from rich.console import Console

    out = io.StringIO()
    with TerminalView(Console(file=out, force_terminal=True, width=80)) as view:
        view.take(answer())
    assert "open" in out.getvalue()


def test_lines_for_people_tell_changes_only(capsys):
    view = Lines(as_json=False)
    for one in (answer(), answer(), answer("close"), answer(why="gap"), answer(why="gap")):
        view.take(one)
    view.hear(Notice("lost", 2.0, "It was unplugged."))
    out, err = capsys.readouterr()
    assert [line.split("s  ")[1] for line in out.splitlines()] == [
        "open  75 %", "close  25 %", "abstains: gap",
    ]  # fmt: skip
    assert err.strip().endswith("lost: It was unplugged.")


def estimated(value: float, time_s: float, why: str = "") -> Answer:
    decision = Decision("force", np.ones(1), ("force",), time_s, bool(why))
    levels = np.full(20, np.nan if why == "gap" else 1.0)
    return Answer(7, decision, why, levels, 10.0, 10.002, (Value("force", "N", value),))


def test_estimates_are_shown_with_their_unit():
    view = TerminalView()
    view.take(estimated(80.0, 1.0))
    view.take(estimated(40.0, 1.1))
    assert f"force 40 N          {'█' * 10}{'░' * 10}" in seen(view)
    view.take(estimated(np.nan, 1.2, "gap"))
    assert "abstains: gap" in seen(view)


def test_estimates_as_lines_come_twice_a_second(capsys):
    view = Lines(as_json=False)
    for k in range(11):
        view.take(estimated(float(k), 0.1 * k))
    for k in range(3):
        view.take(estimated(np.nan, 1.1 + k, "gap"))
    out = capsys.readouterr().out
    assert [line.split("s  ")[1] for line in out.splitlines()] == [
        "force 0 N", "force 5 N", "force 10 N", "abstains: gap",
    ]  # fmt: skip


def test_each_unit_has_bars_of_its_own():
    view = TerminalView()
    channels = (Channel("flexor carpi radialis", kind="semg"), Channel("imu.x", kind="acc"))
    asyncio.run(view.start(Layout(1000.0, channels), ("close", "open")))
    decision = Decision("open", np.array([0.25, 0.75]), ("close", "open"), 1.5)
    view.take(Answer(7, decision, "", np.array([200.0, 1.0]), 10.0, 10.002))
    rows = [line for line in seen(view).splitlines() if line.endswith(("uV", "g"))]
    assert [line.count("█") for line in rows] == [32, 32]
    assert rows[0].index("█") == rows[1].index("█")


def test_pairs_without_any_are_not_an_empty_line(capsys):
    from myograph.cli import render

    render.show_pairs({"reconnections": ""})
    render.show_pairs({"decisions": 3, "reconnections": ""})
    assert capsys.readouterr().out == "decisions  3\n"
