"""Notices: many are told, too many are counted, and the count is told."""

import pytest

from myograph.core.errors import ParameterError
from myograph.stream.answer import Notice
from myograph.stream.notices import NoticeLimit


def told(limit, kind, time_s):
    return [(n.kind, n.samples) for n in limit.push(Notice(kind, time_s, "."), time_s)]


def test_days_of_gaps_flood_nobody():
    limit, heard = NoticeLimit(10), 0
    day_s = 24 * 3600
    for second in range(0, 3 * day_s, 5):
        heard += len(told(limit, "gap", float(second)))
    left = list(limit.finish(3.0 * day_s))
    assert heard <= 2 * 10 * 72
    # Nothing is lost without a word: what was told and what was said to be withheld is all.
    assert limit.withheld == {"gap": 3 * day_s // 5 - 10 * 72}
    assert [n.kind for n in left] == ["withheld"]


def test_kinds_have_limits_of_their_own_and_the_ends_have_none():
    limit = NoticeLimit(1)
    assert [told(limit, "lost", 0.0), told(limit, "gap", 0.0)] == [[("lost", 0)], [("gap", 0)]]
    assert [told(limit, "lost", k) for k in (1.0, 2.0, 3.0)] == [[], [], []]
    assert told(limit, "lost", 3600.0) == [("withheld", 3), ("lost", 0)]
    assert all(told(limit, "ended", k) for k in (1.0, 2.0))
    assert list(limit.finish(3601.0)) == []


def test_a_limit_of_none_is_refused():
    with pytest.raises(ParameterError, match="most"):
        NoticeLimit(0)
