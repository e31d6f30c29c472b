"""The novelty gate inside a pipeline: fitted on training windows, and asked about every other."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from myograph.config.schema import PipelineConfig
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.core.table import FeatureTable
from myograph.models.novelty import DETECTORS, NoveltyGate, build_detector, fit_novelty_gate

__all__ = ["check_novelty", "fit_gate", "restore_gate"]


def check_novelty(config: PipelineConfig, *, task: str, seed: int) -> None:
    """Refuse a gate that cannot be, before any work is done.

    Raises
    ------
    ParameterError
        If the detector or a parameter is unknown, or the model estimates numbers.
    """
    if config.novelty is None:
        return
    name, params = _detector(config, seed)
    build_detector(name, **params)
    if task != "classification":
        raise ParameterError(
            f"A novelty gate refuses decisions, and model {config.model.name!r} does {task}; leave "
            "novelty out."
        )


def fit_gate(
    config: PipelineConfig, table: FeatureTable, values: NDArray[Any], *, seed: int
) -> NoveltyGate | None:
    """Fit the gate of a configuration on training windows; None when it has none.

    Parameters
    ----------
    config : PipelineConfig
    table : FeatureTable
        Of the windows.
    values : ndarray
        Their features before any scaling, or whole windows for a model that takes those.
    seed : int

    Raises
    ------
    DataError
        If the windows are of one person.
    """
    if config.novelty is None:
        return None
    name, params = _detector(config, seed)
    labels = table.index.label if DETECTORS[name].uses_labels else None
    return fit_novelty_gate(
        values,
        table.index.subject,
        labels=labels,
        false_alarms=config.novelty.false_alarms,
        method=name,
        **params,
    )


def restore_gate(
    config: PipelineConfig, arrays: Mapping[str, NDArray[Any]], *, seed: int, width: int
) -> NoveltyGate | None:
    """Rebuild a fitted gate from what was saved; ``width`` is of features, or of channels.

    Raises
    ------
    ArtifactError
        If the arrays do not fit the configuration.
    """
    if config.novelty is None:
        if arrays:
            raise ArtifactError(f"it has no novelty gate, and arrays of one: {sorted(arrays)}.")
        return None
    name, params = _detector(config, seed)
    gate = NoveltyGate.from_arrays(arrays, method=name, **params)
    if gate.detector.n_features_in_ != width:
        raise ArtifactError(
            f"The novelty gate knows {gate.detector.n_features_in_} numbers; {width} are measured."
        )
    return gate


def _detector(config: PipelineConfig, seed: int) -> tuple[str, dict[str, Any]]:
    if config.novelty is None:
        raise DataError("This pipeline has no novelty gate.")
    params = config.novelty.to_dict()
    name = params.pop("name")
    del params["false_alarms"]
    params.setdefault("logs", True)
    if "seed" in inspect.signature(DETECTORS[name]).parameters:
        params.setdefault("seed", seed)
    return name, params
