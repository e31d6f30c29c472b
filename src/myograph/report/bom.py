"""Bill of materials: which software is installed here, as CycloneDX 1.6 JSON."""

from __future__ import annotations

import platform
import re
import uuid
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageMetadata, distributions
from typing import Any

from myograph.core.recipe import digest_of

__all__ = ["bill_of_materials", "differing_versions"]

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST_LICENCE = 120


def bill_of_materials(installed: Iterable[Distribution] | None = None) -> dict[str, Any]:
    """List what is installed, with licences as the packages state them and who needs whom.

    It holds no time, and its serial number follows from its content: the same environment gives
    the same bytes. That a package is installed does not mean that the evaluation used it. The
    arrows between packages are those that packages declare, extras left out and conditions of
    platform and version not weighed. Format: CycloneDX 1.6 (``cyclonedx2024``).

    Parameters
    ----------
    installed : iterable of Distribution, optional
        Those of the running Python by default.

    Returns
    -------
    dict
        Plain JSON-able data.
    """
    found = _by_name(distributions() if installed is None else installed)
    refs = {name: _ref(name, dist.version) for name, dist in found.items()}
    python = platform.python_version()
    content: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": [
            {
                "type": "platform",
                "name": "python",
                "version": python,
                "bom-ref": f"python@{python}",
            },
            *(_component(name, dist) for name, dist in found.items() if name != "myograph"),
        ],
        "dependencies": [
            {"ref": refs[name], "dependsOn": _needed(dist, refs)} for name, dist in found.items()
        ],
    }
    if "myograph" in found:
        content["metadata"] = {"component": _component("myograph", found["myograph"])}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, digest_of(content))
    return {**content, "serialNumber": f"urn:uuid:{serial}"}


def differing_versions(bom: dict[str, Any], environment: dict[str, str]) -> list[str]:
    """Say where an environment that computed figures differs from a bill of materials.

    Parameters
    ----------
    bom : dict
        What `bill_of_materials` gave.
    environment : dict of str to str
        Package, then version, as in a result; what the bill does not list is ``not installed``.

    Examples
    --------
    >>> bom = {"components": [{"name": "numpy", "version": "2.4.6"}]}
    >>> differing_versions(bom, {"numpy": "2.0.0", "machine": "Linux x86_64"})
    ['numpy: 2.0.0 in the evaluation, 2.4.6 in the bill']
    """
    listed = [*bom["components"], bom.get("metadata", {}).get("component", {})]
    versions = {each.get("name"): each.get("version") for each in listed}
    return [
        f"{name}: {version} in the evaluation, {versions.get(name, 'none')} in the bill"
        for name, version in sorted(environment.items())
        if name != "machine" and versions.get(name) != version
    ]


def _by_name(installed: Iterable[Distribution]) -> dict[str, Distribution]:
    found: dict[str, Distribution] = {}
    for dist in installed:
        name = _first(dist.metadata, "Name")
        if name:  # the remains of a package have none
            found.setdefault(_normal(name), dist)
    return dict(sorted(found.items()))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _ref(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _component(name: str, dist: Distribution) -> dict[str, Any]:
    ref = _ref(name, dist.version)
    told: dict[str, Any] = {
        "type": "application" if name == "myograph" else "library",
        "name": name,
        "version": dist.version,
        "bom-ref": ref,
        "purl": ref,
    }
    licences = _licences(dist.metadata)
    if licences:
        told["licenses"] = licences
    else:
        told["properties"] = [{"name": "myograph:licence", "value": "none stated by the package"}]
    return told


def _licences(metadata: PackageMetadata) -> list[dict[str, Any]]:
    """Return what a package says of its licence: the SPDX expression, or names as given."""
    expression = _first(metadata, "License-Expression")
    if expression:
        return [{"expression": expression}]
    classifiers = metadata.get_all("Classifier") or []
    names = [c.split(" :: ")[-1] for c in classifiers if c.startswith("License :: ")]
    names = [name for name in names if name != "OSI Approved"]
    if not names:
        first = _first(metadata, "License").strip().splitlines()
        names = [first[0][:_LONGEST_LICENCE]] if first and first[0] != "UNKNOWN" else []
    return [{"license": {"name": name}} for name in dict.fromkeys(names)]


def _first(metadata: PackageMetadata, key: str) -> str:
    return (metadata.get_all(key) or [""])[0]


def _needed(dist: Distribution, refs: dict[str, str]) -> list[str]:
    needed = set()
    for requirement in dist.requires or ():
        name = _NAME.match(requirement)
        if name is not None and not re.search(r"\bextra\s*==", requirement):
            needed.add(refs.get(_normal(name[0]), ""))
    return sorted(needed - {""})
