"""The page that says where everything is names what exists."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "simulate-a-patient.md"


def test_every_name_of_the_page_exists():
    table = PAGE.read_text(encoding="utf-8").split("## Where everything is")[1]
    named = re.findall(r"`([a-z_]+)\.(\w+)`", table.replace("`myograph.twin`", ""))
    assert len(named) > 50
    missing = [
        f"{module}.{name}"
        for module, name in named
        if not hasattr(importlib.import_module(f"myograph.twin.{module}"), name)
    ]
    assert not missing
