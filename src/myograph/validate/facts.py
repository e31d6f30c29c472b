"""Facts about a run that a reader needs to run it again."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np

from myograph.config.schema import PipelineConfig
from myograph.core.recipe import digest_of
from myograph.core.table import FeatureTable
from myograph.core.windows import WindowIndex
from myograph.pipeline.versions import versions
from myograph.validate.checkpoint import table_digest
from myograph.validate.manifest import SplitManifest
from myograph.validate.split import Split

__all__ = ["data_facts", "environment", "split_facts"]


def split_facts(split: Split, manifest: SplitManifest) -> dict[str, Any]:
    """Say which split it was, down to its fingerprint."""
    return {
        "name": manifest.split,
        "scope": manifest.scope,
        "by": list(manifest.by),
        "parameters": split.parameters(),
        "folds": len(manifest.folds),
        "fingerprint": manifest.digest(),
    }


def data_facts(table: FeatureTable, tested: WindowIndex) -> dict[str, Any]:
    """Say which data they were, and how many of everything."""
    index = table.index
    return {
        "digest": table_digest(table),
        "windows": len(index),
        "windows_tested": len(tested),
        "people": len(np.unique(index.subject)),
        "people_tested": len(np.unique(tested.subject)),
        "recordings": len(np.unique(index.recording)),
        "features": len(table.names),
        "channels": len(table.layout.channels),
        "fs_hz": table.layout.fs_hz,
        "recipe": str(table.recipe),
        # Whatever is measured in them: by this two results are known to be about the same signals.
        "tested_digest": digest_of(np.unique(tested.recording).tolist()),
    }


def environment(*configs: PipelineConfig) -> dict[str, str]:
    """Say which versions computed the figures of these pipelines."""
    return {**versions(*configs), "machine": f"{platform.system()} {platform.machine()}"}
