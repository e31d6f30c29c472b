"""Golden vectors: inputs with the outputs they gave, so that a model file proves itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import ArtifactError, LayoutError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Recording
from myograph.pipeline.pipeline import Pipeline

__all__ = ["TOLERANCE", "check_golden", "make_golden"]

#: Largest difference allowed between an output and its golden value, see `check_golden`: room for
#: another processor's rounding, none for another model.
TOLERANCE = 1e-6

_NAMES = {"signal", "signal_output", "features", "features_output"}
# Kept besides by a pipeline that has a threshold for each class.
_REFUSED = {"signal_refused", "features_refused"}
_LEAST = 1e-300
_N_WINDOWS = 16
_N_ROWS = 64
# Typical size of muscle activity, by unit, for the synthetic signal.
_AMPLITUDE = {"uV": 100.0, "count": 30.0}


def make_golden(pipeline: Pipeline) -> dict[str, NDArray[Any]]:
    """Return golden inputs and the outputs of a fitted pipeline.

    The inputs are made up from fixed random numbers: no signal of any person travels in a model.

    Returns
    -------
    dict
        ``signal`` (n_channels, n_samples) in the layout's units and ``signal_output``, one row per
        window; ``features`` (n_rows, n_features), unscaled, and ``features_output``. A pipeline
        with thresholds by class also keeps which answers it refused: ``signal_refused`` and
        ``features_refused``.
    """
    signal = _signal(pipeline)
    measured = _measured(pipeline, signal)
    features = _features(measured)
    golden: dict[str, NDArray[Any]] = {
        "signal": signal,
        "signal_output": _answer(pipeline, measured),
        "features": features,
        "features_output": _answer(pipeline, features),
    }
    if _by_class(pipeline):
        for name in ("signal", "features"):
            golden[f"{name}_refused"] = pipeline.unsure(golden[f"{name}_output"])
    return golden


def check_golden(pipeline: Pipeline, golden: Mapping[str, NDArray[Any]]) -> None:
    """Refuse a pipeline that no longer gives its golden outputs.

    Raises
    ------
    ArtifactError
        If an output differs by more than `TOLERANCE`, or is not a number.
    """
    names = _NAMES | _REFUSED if _by_class(pipeline) else _NAMES
    if set(golden) != names:
        raise ArtifactError(f"its golden vectors must be {sorted(names)}; got {sorted(golden)}.")
    measured = _measured(pipeline, golden["signal"])
    for name, values in (("signal", measured), ("features", golden["features"])):
        expected, given = golden[f"{name}_output"], _answer(pipeline, values)
        if given.shape != expected.shape or not len(given):
            raise ArtifactError(
                f"it gives {given.shape} outputs for its golden {name}, and {expected.shape} are "
                "expected."
            )
        gap = _gap(given, expected, task=pipeline.task)
        if not gap <= TOLERANCE:  # also refuses NaN
            raise ArtifactError(
                f"it misses its golden outputs for {name} by {gap:.2e} (allowed "
                f"{TOLERANCE:.0e}), so it would not decide here as it did where it was trained. "
                "Install the versions its manifest names, or train it again."
            )
        if _by_class(pipeline):
            _check_refused(pipeline, golden, name)


def _check_refused(pipeline: Pipeline, golden: Mapping[str, NDArray[Any]], name: str) -> None:
    """Refuse a pipeline that answers where it refused, or the other way round.

    What lies at its threshold, to within the tolerance, may fall on either side.
    """
    proba, kept = golden[f"{name}_output"], golden[f"{name}_refused"]
    if kept.shape != (len(proba),) or kept.dtype != np.bool_:
        raise ArtifactError(
            f"its golden {name} need one yes or no per output; got {kept.dtype} {kept.shape}."
        )
    limits = np.array(pipeline.thresholds)[proba.argmax(axis=1)]
    clear = ~(np.abs(proba.max(axis=1) - limits) <= TOLERANCE)
    differ = int(((pipeline.unsure(proba) != kept) & clear).sum())
    if differ:
        raise ArtifactError(
            f"it answers otherwise than it did where it was trained: {differ} of {len(kept)} "
            f"golden {name} are refused there and not here, or here and not there. Its thresholds "
            "were changed; train it again."
        )


def _by_class(pipeline: Pipeline) -> bool:
    """Whether there are thresholds to prove: one number for all classes proves itself."""
    config = pipeline.config
    return config.reject is not None or isinstance(config.reject_below, Mapping)


def _gap(given: NDArray[np.float64], expected: NDArray[np.float64], *, task: str) -> float:
    """Return the largest difference, relative for what is larger than 1.

    Probabilities are compared by their logarithms: those of a sure model are all 0 or 1, and would
    hide that it had become another one.
    """
    if task == "classification":
        given, expected = np.log(np.maximum(given, _LEAST)), np.log(np.maximum(expected, _LEAST))
    return float((np.abs(given - expected) / (1 + np.abs(expected))).max())


def _measured(pipeline: Pipeline, signal: NDArray[np.float32]) -> NDArray[np.float64]:
    """Measure a signal in the layout of the windows.

    Steps that give other channels or units than they take cannot be run on their own output, nor
    those that know several people: then the proof is of what follows them.
    """
    recording, front = Recording(signal, pipeline.layout), pipeline.front
    try:
        same = not front.output_layout(pipeline.layout).differences(pipeline.layout)
    except LayoutError:
        same = False
    if not same:
        front = replace(front, steps=())
    return front.measure(recording, labelled=False).values


def _answer(pipeline: Pipeline, measured: NDArray[np.float64]) -> NDArray[np.float64]:
    taken = pipeline.taken(pipeline.scale(measured))
    model = pipeline.model
    if pipeline.task == "regression":
        return np.asarray(model.predict(taken), dtype=np.float64)
    return np.asarray(model.predict_proba(taken), dtype=np.float64)


def _signal(pipeline: Pipeline) -> NDArray[np.float32]:
    """Noise that swells and fades, at another moment in each channel: silence to strong effort."""
    layout: Layout = pipeline.layout
    length, step = pipeline.front.windowing.n_samples(fs_hz=layout.fs_hz)
    n_samples = length + (_N_WINDOWS - 1) * step
    rng = np.random.default_rng(0)
    phase = np.arange(n_samples) / n_samples + np.arange(layout.n_channels)[:, None] / 4
    size = 10 ** np.sin(2 * np.pi * phase) * [[_amplitude(c)] for c in layout.channels]
    return (size * rng.standard_normal(size.shape)).astype(np.float32)


def _amplitude(channel: Channel) -> float:
    return _AMPLITUDE.get(channel.unit, 1.0)


def _features(measured: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mix the measured windows, so that the model is asked about more than noise gives."""
    rng = np.random.default_rng(1)
    picked = rng.integers(len(measured), size=(_N_ROWS, measured.shape[1]))
    return np.take_along_axis(measured, picked, axis=0)
