"""From flags, a file and what the data are to one complete, checked configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import MUSCLE_KINDS
from myograph.core.recording import GAP, Recording
from myograph.workflows.cohort import Cohort

if TYPE_CHECKING:
    from myograph.config.schema import EvaluationConfig

__all__ = [
    "Choices",
    "default_pipeline",
    "read_options",
    "require_network",
    "resolve",
    "same_pipeline",
    "tuning",
]

# Above this rate a recording holds the band of surface EMG, and low frequencies are movement.
# An armband at 200 Hz does not: it filters before it samples, and is taken as it is.
_FULL_BAND_HZ = 400.0
_SURFACE_HZ = (20.0, 450.0)
# Quantitative needle EMG: well above the drift and hum that differ between set-ups.
_NEEDLE_HZ = (100.0, 5000.0)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose; None means the default that fits the data.

    Parameters
    ----------
    split : str, optional
        Name of a split, or path of a saved one.
    features : str, optional
        Names of features or sets, joined by commas.
    model : str, optional
    config : path, optional
        A TOML file of `myograph.config.schema.EvaluationConfig`.
    overrides : sequence of str
        ``key.path=value``.
    seed : int, optional
    device : str, optional
        Where a network is trained, see `myograph.models.training.DEVICES`.
    """

    split: str | None = None
    features: str | None = None
    model: str | None = None
    config: str | PathLike[str] | None = None
    overrides: Sequence[str] = ()
    seed: int | None = None
    device: str | None = None


def resolve(cohort: Cohort, choices: Choices, *, people: Sequence[str] = ()) -> Any:
    """Return the complete configuration: defaults, then the file, then flags, then ``--set``.

    Returns
    -------
    EvaluationConfig

    Raises
    ------
    ParameterError
        If a key is unknown or a value breaks its rule; the message carries the key path.
    """
    from myograph.config.load import apply_overrides, load_config, parse_config
    from myograph.config.schema import EvaluationConfig

    settings: dict[str, Any] = {
        "data": cohort.name,
        "pipeline": default_pipeline(cohort.recordings[0]),
    }
    where = "the settings"
    if choices.config is not None:
        given = load_config(
            choices.config, [f"data={_quoted(cohort.name)}"], schema=EvaluationConfig
        )
        settings = _merged(settings, given.model_dump(mode="json", exclude_unset=True))
        where = str(Path(choices.config))
    settings = _merged(settings, _from_flags(choices))
    _place_training(settings["pipeline"], choices.device)
    if people:
        settings["people"] = list(people)
    found = parse_config(
        apply_overrides(settings, choices.overrides), schema=EvaluationConfig, where=where
    )
    _check_devices(found)
    return found


def read_options(given: Sequence[str]) -> dict[str, Any]:
    """Read ``key=value`` texts as options of `myograph.read`; ``unit.force=kgf`` is one of several.

    Examples
    --------
    >>> read_options(["fs_hz=2000", "unit.force=kgf"])
    {'fs_hz': 2000, 'unit': {'force': 'kgf'}}
    """
    from myograph.config.load import apply_overrides

    return apply_overrides({}, given)


def tuning(budget: Sequence[str], search: Sequence[str] = ()) -> tuple[str, ...]:
    """Return ``--tune`` and ``--search`` as settings.

    Examples
    --------
    >>> tuning(["minutes=5"], ["scaling=none,standard"])
    ('tuning.minutes=5', 'tuning.search=["scaling=none,standard"]')
    """
    import json

    if not budget and search:
        raise ParameterError(
            "--search says what to search and not for how long; add --tune minutes=5, or "
            "--tune trials=30."
        )
    for each in budget:
        if "=" not in each:
            raise ParameterError(f"--tune takes minutes=NUMBER or trials=NUMBER; got {each!r}.")
    asked = tuple(f"tuning.{each}" for each in budget)
    return (*asked, f"tuning.search={json.dumps(list(search))}") if search else asked


def default_pipeline(recording: Recording) -> dict[str, Any]:
    """Return a sensible pipeline for recordings like this one.

    The band follows the modality and the rate: needle recordings keep their sharp potentials,
    surface recordings lose movement below 20 Hz, an armband at 200 Hz is taken as it is. Windows
    of 200 ms, one every 100 ms; time-domain features; LDA. Without labels but with a force or
    torque channel the force is estimated, by ridge regression.

    Examples
    --------
    >>> import numpy as np
    >>> from myograph.core.layout import Channel, Layout
    >>> from myograph.core.recording import Event
    >>> layout = Layout(2000.0, (Channel("TA", kind="semg"),))
    >>> recording = Recording(np.zeros((1, 500)), layout, (Event(0.0, 0.2, "fist", "protocol"),))
    >>> default_pipeline(recording)["steps"]
    [{'step': 'bandpass', 'low_hz': 20.0, 'high_hz': 450.0}]
    """
    kinds = {channel.kind for channel in recording.layout.channels}
    if not kinds & set(MUSCLE_KINDS):
        raise DataError(
            f"The recordings hold no muscle channel (their kinds: {sorted(kinds)}); if one of them "
            "is, say so when reading (kinds=, --kinds)."
        )
    windowing: dict[str, Any] = {"length_ms": 200.0, "step_ms": 100.0}
    model = "lda"
    sources = {e.source for e in recording.events if e.label != GAP and e.duration_s > 0}
    if sources:
        windowing["label_sources"] = ["protocol"] if "protocol" in sources else sorted(sources)
    else:
        target = next((kind for kind in ("force", "torque") if kind in kinds), "")
        if target:
            windowing |= {"target_kind": target, "label_sources": []}
            model = "ridge"
    return {
        "steps": _band(recording.fs_hz, kinds),
        "windowing": windowing,
        "features": ["hudgins"],
        "model": {"name": model},
    }


def _band(fs_hz: float, kinds: set[str]) -> list[dict[str, Any]]:
    if "needle" not in kinds and fs_hz <= _FULL_BAND_HZ:
        return []
    low_hz, high_hz = _NEEDLE_HZ if "needle" in kinds else _SURFACE_HZ
    return [{"step": "bandpass", "low_hz": low_hz, "high_hz": min(high_hz, 0.45 * fs_hz)}]


def _from_flags(choices: Choices) -> dict[str, Any]:
    pipeline: dict[str, Any] = {}
    if choices.features is not None:
        pipeline["features"] = [name.strip() for name in choices.features.split(",")]
    if choices.model is not None:
        pipeline["model"] = {"name": choices.model}
    settings: dict[str, Any] = {"pipeline": pipeline} if pipeline else {}
    if choices.split is not None:
        settings["split"] = {"name": choices.split}
    if choices.seed is not None:
        settings["seed"] = choices.seed
    return settings


def same_pipeline(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two definitions are of one pipeline; what an older version did not know is default.

    Examples
    --------
    >>> same_pipeline({"scaling": "none"}, {"model": {"name": "lda"}})
    True
    """
    from myograph.config.load import parse_config
    from myograph.config.schema import PipelineConfig

    whole = [
        parse_config(each, schema=PipelineConfig, where="a saved pipeline") for each in (one, other)
    ]
    return whole[0] == whole[1]


def require_network(model: str, *, what: str) -> None:
    """Refuse a model that does not learn in epochs.

    Raises
    ------
    ParameterError
    """
    from myograph.models import MODELS
    from myograph.models.deep import Network

    if not issubclass(MODELS[model], Network):
        networks = [name for name in MODELS if issubclass(MODELS[name], Network)]
        raise ParameterError(
            f"Model {model!r} does not learn in epochs and cannot be {what}; leave that option "
            f"away, or choose one of {networks}."
        )


def _place_training(pipeline: dict[str, Any], device: str | None) -> None:
    """Say where the model is trained, if it is one that can be told."""
    if device is None:
        return
    from myograph.models.training import pick_device

    require_network(pipeline["model"]["name"], what="trained on a device")
    pick_device(device)
    params = dict(pipeline["model"].get("params", {}))
    pipeline["model"] = {**pipeline["model"], "params": {**params, "device": device}}


def _check_devices(settings: EvaluationConfig) -> None:
    """Refuse a device that is not here, wherever it was asked for, before any work is done."""
    pipeline = settings.pipeline
    novelty = pipeline.novelty.to_dict() if pipeline.novelty is not None else {}
    for asked in (pipeline.model.params.get("device"), novelty.get("device")):
        if asked is not None:
            from myograph.models.training import pick_device

            pick_device(str(asked))


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one configuration over another: tables are joined, everything else is replaced.

    A model or split that is named anew starts from its own defaults.
    """
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        renamed = both and "name" in value and value["name"] != result[key].get("name")
        result[key] = _merged(result[key], value) if both and not renamed else value
    return result


def _quoted(text: str) -> str:
    import json

    return json.dumps(text)
