"""A table of features to select from, made without any recording."""

from __future__ import annotations

import numpy as np
import pytest

from myograph.core.layout import Channel, Layout
from myograph.core.table import FeatureTable
from myograph.core.windows import WindowIndex


@pytest.fixture
def table(rng: np.random.Generator) -> FeatureTable:
    label = np.array(["fist", "rest"])[np.arange(60) % 2]
    start_s = np.arange(60) * 0.1
    index = WindowIndex.of(60, label=label, start_s=start_s, stop_s=start_s + 0.2)
    names = ("e1.mav", "e1.zc", "e2.mav", "e2.zc")
    values = rng.normal(size=(60, 4)) + np.outer(label == "fist", [3, 1, 0, 2])
    layout = Layout(1000.0, (Channel("e1", kind="semg"), Channel("e2", kind="semg")))
    return FeatureTable(values, names, ("uV", "1", "uV", "1"), index, layout)


@pytest.fixture
def shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let threads share out however little there is to do."""
    monkeypatch.setattr("myograph.features.plan._WORTH_SHARING", 0.0)
