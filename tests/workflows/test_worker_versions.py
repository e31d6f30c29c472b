"""Workers that would compute something else are refused before anything is sent to them."""

from __future__ import annotations

from typing import Any

import pytest

from myograph.core.errors import ParameterError
from myograph.workflows import cluster


class Client:
    """A cluster of one worker that has these versions."""

    def __init__(self, versions: dict[str, str]) -> None:
        self.versions = versions

    def run(self, _function: Any, *_: Any) -> dict[str, dict[str, str]]:
        return {"tcp://there": self.versions}


def test_another_torch_trains_another_network(monkeypatch):
    monkeypatch.setattr(cluster, "_learning", lambda: {"torch": "2.13.0"})
    here = cluster._versions()
    cluster._check_workers(Client(here), "there")
    with pytest.raises(ParameterError, match=r"torch 1\.0 there, 2\.13\.0 here"):
        cluster._check_workers(Client({**here, "torch": "1.0"}), "there")


def test_a_worker_without_torch_may_do_what_needs_none(monkeypatch):
    monkeypatch.setattr(cluster, "_learning", lambda: {"torch": "2.13.0"})
    here = cluster._versions()
    without = {name: version for name, version in here.items() if name != "torch"}
    cluster._check_workers(Client(without), "there")
    del without["numpy"]
    with pytest.raises(ParameterError, match="numpy None there"):
        cluster._check_workers(Client(without), "there")
