"""The bill of materials: what is installed, as installed."""

from __future__ import annotations

import json
import re
from importlib.metadata import Distribution, version
from pathlib import Path
from typing import Any

import pytest

from myograph.report.bom import bill_of_materials, differing_versions


def _installed(folder: Path, name: str, *lines: str) -> Distribution:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    text = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines, "", ""])
    (info / "METADATA").write_text(text)
    return Distribution.at(info)


@pytest.fixture(scope="module")
def bom() -> dict[str, Any]:
    """The bill of this environment."""
    return bill_of_materials()


def test_versions_are_those_installed(bom: dict[str, Any]) -> None:
    listed = {each["name"]: each["version"] for each in bom["components"]}
    for name in ("numpy", "scipy", "scikit-learn"):
        assert listed[name] == version(name)
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bom["serialNumber"])
    references = [each["bom-ref"] for each in bom["components"]]
    assert len(references) == len(set(references))
    known = {*references, *(each["ref"] for each in bom["dependencies"])}
    assert all(set(each["dependsOn"]) <= known for each in bom["dependencies"])


def test_the_same_environment_gives_the_same_bytes(bom: dict[str, Any]) -> None:
    assert json.dumps(bill_of_materials(), sort_keys=True) == json.dumps(bom, sort_keys=True)


def test_licences_as_stated_or_said_to_be_missing(tmp_path: Path) -> None:
    bom = bill_of_materials(
        [
            _installed(tmp_path, "spdx", "License-Expression: MIT OR Apache-2.0"),
            _installed(tmp_path, "old", "Classifier: License :: OSI Approved :: BSD License"),
            _installed(tmp_path, "text", "License: Our own terms"),
            _installed(tmp_path, "silent", "License: UNKNOWN"),
        ]
    )
    found = {each["name"]: each for each in bom["components"]}
    assert found["spdx"]["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert found["old"]["licenses"] == [{"license": {"name": "BSD License"}}]
    assert found["text"]["licenses"] == [{"license": {"name": "Our own terms"}}]
    assert "licenses" not in found["silent"]
    assert found["silent"]["properties"][0]["value"] == "none stated by the package"


def test_who_needs_whom(tmp_path: Path) -> None:
    bom = bill_of_materials(
        [
            _installed(
                tmp_path,
                "Upper_Case",
                "Requires-Dist: lower.one>=1",
                "Requires-Dist: absent",
                "Requires-Dist: extra-one; extra == 'more'",
            ),
            _installed(tmp_path, "lower-one"),
            _installed(tmp_path, "extra-one"),
        ]
    )
    needed = {each["ref"]: each["dependsOn"] for each in bom["dependencies"]}
    assert needed["pkg:pypi/upper-case@1.0"] == ["pkg:pypi/lower-one@1.0"]
    assert needed["pkg:pypi/lower-one@1.0"] == []


def test_differences_from_the_evaluation_are_named(bom: dict[str, Any]) -> None:
    same = {"numpy": version("numpy"), "machine": "Linux x86_64"}
    assert differing_versions(bom, same) == []
    (told,) = differing_versions(bom, {**same, "numpy": "0.1"})
    assert told == f"numpy: 0.1 in the evaluation, {version('numpy')} in the bill"
    assert differing_versions(bom, {"nowhere": "1"}) == [
        "nowhere: 1 in the evaluation, none in the bill"
    ]
