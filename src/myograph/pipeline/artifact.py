"""A trained pipeline as one file, ``.myomodel``: data that proves itself, never code.

A zip of four members: ``manifest.json`` (what it is, what it expects, what it learned from, the
sha256 of the others), ``arrays.npz`` (everything that was learned), ``golden.npz`` (inputs with
the outputs they gave) and ``card.md`` (for people). Digests catch damage and carelessness; they
do not prove who made a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph import __version__
from myograph.config.load import parse_config
from myograph.config.schema import PipelineConfig
from myograph.core.errors import ArtifactError, MyographError, ParameterError
from myograph.core.layout import Layout
from myograph.core.recipe import canonical_json, digest_of
from myograph.models import MODELS
from myograph.pipeline.archive import pack, pack_arrays, unpack, unpack_arrays, write_atomically
from myograph.pipeline.fitted import Fitted
from myograph.pipeline.golden import check_golden, make_golden
from myograph.pipeline.novelty import restore_gate
from myograph.pipeline.pipeline import Pipeline
from myograph.pipeline.rejecting import restore_refusal
from myograph.pipeline.scaling import Scaler
from myograph.pipeline.selecting import restore_selection
from myograph.pipeline.versions import versions

__all__ = ["FORMAT", "INTENDED_USE", "load_model", "read_manifest", "save_model"]

#: Version of the file format that this code writes, and the newest it reads.
FORMAT = 1

#: What a model is for unless its maker says otherwise.
INTENDED_USE = (
    "Research and education. Not a medical device; not for diagnosis, treatment or the control of "
    "anything that can hurt a person."
)

_MIB = 2**20
# Members of the file, with the most bytes each may have once unpacked.
_LIMITS = {
    "manifest.json": 8 * _MIB,
    "arrays.npz": 1024 * _MIB,
    "golden.npz": 256 * _MIB,
    "card.md": 8 * _MIB,
}


def save_model(
    pipeline: Pipeline,
    path: str | PathLike[str],
    *,
    card: str,
    intended_use: str = INTENDED_USE,
    validation: Mapping[str, Any] | None = None,
    force: bool = False,
) -> Path:
    """Save a fitted pipeline as a ``.myomodel`` file; equal pipelines give equal bytes.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    path : path-like
        Ends in ``.myomodel``.
    card : str
        Model card in Markdown: for whom, from what, how well, not for what.
    intended_use : str
    validation : mapping, optional
        Summary of how the same configuration did on people it had not seen; plain JSON data.
    force : bool
        Overwrite a file that is already there.

    Returns
    -------
    Path
        Where it was saved.

    Raises
    ------
    ParameterError
        If the pipeline is not fitted, the name has another ending, or ``validation`` is not plain
        data.
    OutputExistsError
        If the file is already there.
    """
    target = Path(path)
    if target.suffix != ".myomodel":
        raise ParameterError(f"A model file's name ends in .myomodel; got {target.name!r}.")
    if not target.parent.is_dir():
        raise ParameterError(f"The folder {target.parent} does not exist; make it first.")
    manifest = _describe(pipeline)
    members = {
        "arrays.npz": pack_arrays(_arrays(pipeline)),
        "golden.npz": pack_arrays(make_golden(pipeline)),
        "card.md": card.encode(),
    }
    manifest |= {"intended_use": intended_use, "validation": dict(validation or {})}
    manifest["sha256"] = {name: sha256(content).hexdigest() for name, content in members.items()}
    try:
        manifest["seal"] = digest_of(manifest)
        text = json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"validation must be plain JSON data: {error}.") from error
    write_atomically(target, pack({"manifest.json": text.encode(), **members}), force=force)
    return target


def load_model(path: str | PathLike[str]) -> Pipeline:
    """Load a model file: check it, rebuild the pipeline, and make it prove itself.

    Safe on files from strangers: no code in them runs, and sizes are bounded.

    Raises
    ------
    ArtifactError
        If the file is damaged, altered, incomplete or newer than this code, or the rebuilt
        pipeline does not give the golden outputs.
    """
    where = str(path)
    members = _read(Path(path))
    manifest = _check_manifest(members, where=where)
    arrays = unpack_arrays(members["arrays.npz"], where=f"arrays.npz of {where}")
    golden = unpack_arrays(members["golden.npz"], where=f"golden.npz of {where}")
    try:
        pipeline = _rebuild(manifest, arrays)
        check_golden(pipeline, golden)
    except (MyographError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ArtifactError(f"{where} cannot be used: {error}") from error
    pipeline.manifest = MappingProxyType(
        {**manifest, "card": members["card.md"].decode(errors="replace")}
    )
    return pipeline


def read_manifest(path: str | PathLike[str]) -> dict[str, Any]:
    """Return the manifest of a model file whose digests are right, without rebuilding the model."""
    return _check_manifest(_read(Path(path)), where=str(path))


def _describe(pipeline: Pipeline) -> dict[str, Any]:
    learned = pipeline.fitted
    classes = list(pipeline.classes) if pipeline.task == "classification" else []
    fitted_steps = [step.to_dict() for step in pipeline.front.steps]
    refusal = learned.refusal if learned.refusal and learned.refusal.people else None
    return {
        "format": FORMAT,
        "pipeline": pipeline.config.to_dict(),
        "steps": json.loads(canonical_json(fitted_steps)),
        "measured": json.loads(
            canonical_json([spec.to_dict() for spec in pipeline.front.features])
        ),
        "seed": pipeline.seed,
        "task": pipeline.task,
        "classes": classes,
        "layout": learned.layout.to_dict(),
        "features": list(learned.names),
        "taken": list(learned.names_taken),
        "training": dict(learned.training),
        "notes": list(pipeline.notes),
        **({"refusal": refusal.to_dict()} if refusal else {}),
        "versions": versions(pipeline.config),
    }


def _arrays(pipeline: Pipeline) -> dict[str, NDArray[Any]]:
    arrays = {f"model.{name}": value for name, value in pipeline.model.to_arrays().items()}
    scaler = pipeline.fitted.scaler
    if scaler is not None:
        arrays |= {"scaling.centre": scaler.centre, "scaling.spread": scaler.spread}
    selection = pipeline.fitted.selection
    if selection is not None:
        arrays |= {f"selection.{name}": value for name, value in selection.to_arrays().items()}
    gate = pipeline.fitted.gate
    if gate is not None:
        arrays |= {f"novelty.{name}": value for name, value in gate.to_arrays().items()}
    refusal = pipeline.fitted.refusal
    if refusal is not None:
        arrays |= {f"rejection.{name}": value for name, value in refusal.to_arrays().items()}
    return arrays


def _read(path: Path) -> dict[str, bytes]:
    most = sum(_LIMITS.values())
    try:
        if path.stat().st_size > most:
            raise ArtifactError(f"{path} is larger than any model file ({most} bytes).")
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}.") from error
    return unpack(content, _LIMITS, where=str(path))


def _check_manifest(members: Mapping[str, bytes], *, where: str) -> dict[str, Any]:
    manifest = _parse_manifest(members["manifest.json"], where=where)
    number = manifest.get("format")
    if not isinstance(number, int) or number < 1:
        raise ArtifactError(f"manifest.json of {where} states no format.")
    if number > FORMAT:
        raise ArtifactError(
            f"{where} has format {number}, written by a newer Myograph; this one "
            f"({__version__}) reads up to {FORMAT}. Update Myograph to use it."
        )
    seal = manifest.pop("seal", None)
    if seal != digest_of(manifest):
        raise ArtifactError(f"manifest.json of {where} was altered: it does not match its seal.")
    digests = manifest.get("sha256")
    if not isinstance(digests, dict) or set(digests) != set(members) - {"manifest.json"}:
        raise ArtifactError(f"manifest.json of {where} does not state the sha256 of every member.")
    for name, digest in digests.items():
        if sha256(members[name]).hexdigest() != digest:
            raise ArtifactError(f"{name} of {where} was altered: it does not match its sha256.")
    return manifest


def _parse_manifest(content: bytes, *, where: str) -> dict[str, Any]:
    try:
        manifest = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"manifest.json of {where} cannot be read: {error}.") from error
    if not isinstance(manifest, dict):
        raise ArtifactError(f"manifest.json of {where} is not a table of keys.")
    return manifest


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _rebuild(manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Pipeline:
    config = parse_config(manifest["pipeline"], schema=PipelineConfig, where="its manifest")
    layout = Layout.from_dict(manifest["layout"])
    parts: dict[str, dict[str, NDArray[Any]]] = {
        name: {} for name in ("model", "novelty", "rejection", "scaling", "selection")
    }
    for name, array in arrays.items():
        part, _, rest = name.partition(".")
        if part not in parts:
            raise ArtifactError(f"its arrays belong to {sorted(parts)}; got {name!r}.")
        parts[part][rest] = array
    scaler = None
    if config.scaling == "standard":
        scaler = _scaler(parts["scaling"], n_features=len(manifest["features"]))
    names = tuple(manifest["features"])
    selection = restore_selection(
        config, parts["selection"], seed=manifest["seed"], n_features=len(names)
    )
    whole = MODELS[config.model.name].eats == "windows"
    width = len(layout.channels) if whole else len(names)
    gate = restore_gate(config, parts["novelty"], seed=manifest["seed"], width=width)
    refusal = restore_refusal(config, parts["rejection"], classes=tuple(manifest["classes"]))
    learned = Fitted(layout, names, scaler, manifest["training"], selection, gate, refusal)
    return Pipeline.restore(
        config,
        learned,
        parts["model"],
        seed=manifest["seed"],
        steps=manifest["steps"],
        features=manifest.get("measured", ()),
    )


def _scaler(arrays: Mapping[str, NDArray[Any]], *, n_features: int) -> Scaler:
    centre, spread = arrays["centre"], arrays["spread"]
    shapes = {centre.shape, spread.shape}
    if shapes != {(n_features,)} or not np.all(spread > 0):
        raise ArtifactError(
            f"Scaling needs {n_features} centres and as many spreads above 0; got shapes {shapes}."
        )
    return Scaler(centre, spread)
