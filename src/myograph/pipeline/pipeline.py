"""The pipeline: from recordings to decisions, built from its configuration alone."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from myograph.config.load import parse_config
from myograph.config.schema import PipelineConfig
from myograph.core.decision import Decision
from myograph.core.errors import ArtifactError, DataError, LayoutError, ParameterError
from myograph.core.layout import Layout
from myograph.core.recording import Recording
from myograph.core.step import build_step
from myograph.core.table import FeatureTable
from myograph.features import parse_features
from myograph.models import MODELS, Model, build_model
from myograph.models.aggregate import aggregate
from myograph.pipeline.fitted import Fitted, training_summary
from myograph.pipeline.front import Front, FrontState, build_front
from myograph.pipeline.kept import KeptTables
from myograph.pipeline.live import PipelineState
from myograph.pipeline.measuring import Progress, measure_all
from myograph.pipeline.novelty import check_novelty, fit_gate
from myograph.pipeline.rejecting import Asked, check_rejection, fit_refusal
from myograph.pipeline.scaling import Scaler, scale_people
from myograph.pipeline.selecting import fit_selection, new_selection

__all__ = ["Pipeline"]


class Pipeline:
    """Steps, windows, features, scaling, a selection and a model, as one thing.

    A pipeline is its configuration: build a new one for every fold, and no fold inherits anything.
    `prepare` learns nothing, so its table may be shared by all folds; `fit` learns from the rows it
    is given and from nothing else.

    Parameters
    ----------
    config : PipelineConfig or mapping
    seed : int
        Given to a model that draws random numbers, unless its parameters name a seed.

    Examples
    --------
    >>> pipeline = Pipeline({"features": ["hudgins"], "model": {"name": "lda"}})
    >>> table = pipeline.prepare(recordings)  # doctest: +SKIP
    >>> pipeline.fit(table).predict(recording)  # doctest: +SKIP
    """

    def __init__(self, config: PipelineConfig | Mapping[str, Any], *, seed: int = 0) -> None:
        if not isinstance(config, PipelineConfig):
            config = parse_config(config, schema=PipelineConfig, where="the pipeline's definition")
        self.config = config
        self.seed = seed
        self.front: Front = build_front(config)
        self._model = _new_model(config, seed)
        new_selection(config, seed)  # an unknown one is refused before any work is done
        check_novelty(config, task=self._model.task, seed=seed)
        check_rejection(config, task=self._model.task)
        self._ready = not self.front.learns
        self._fitted: Fitted | None = None
        #: What the model file said, when the pipeline came from one.
        self.manifest: Mapping[str, Any] | None = None

    @classmethod
    def restore(
        cls,
        config: PipelineConfig,
        fitted: Fitted,
        arrays: Mapping[str, NDArray[Any]],
        *,
        seed: int,
        steps: Sequence[Mapping[str, Any]],
        features: Sequence[Mapping[str, Any]] = (),
    ) -> Self:
        """Rebuild a fitted pipeline from what was saved; see `myograph.pipeline.artifact`."""
        pipeline = cls(config, seed=seed)
        pipeline.front = replace(pipeline.front, steps=tuple(build_step(step) for step in steps))
        if features:
            pipeline.front = replace(pipeline.front, features=parse_features(features))
        pipeline._ready = True
        pipeline._model = _new_model(config, seed, fs_hz=fitted.layout.fs_hz)
        params = pipeline._model.get_params()
        pipeline._model = type(pipeline._model).from_arrays(arrays, **params)
        expected = len(fitted.names_taken)
        if pipeline._model.eats == "windows":
            expected = len(fitted.layout.channels)
        if pipeline._model.n_features_in_ != expected:
            raise ArtifactError(
                f"The model takes {pipeline._model.n_features_in_} {pipeline._model.eats}; "
                f"{expected} are named."
            )
        pipeline._fitted = fitted
        if fitted.refusal is not None and fitted.refusal.windows.classes != pipeline.classes:
            raise ArtifactError(
                f"Its thresholds are about {list(fitted.refusal.windows.classes)}, and the model "
                f"tells apart {list(pipeline.classes)}."
            )
        return pipeline

    # --- recordings to features ------------------------------------------------------------------

    @property
    def learns_steps(self) -> bool:
        """Whether `fit_steps` must see the training recordings of each fold before `prepare`."""
        return self.front.learns

    def fit_steps(self, recordings: Sequence[Recording]) -> Self:
        """Let the steps and thresholds that learn see training recordings."""
        self.front = build_front(self.config).fit(recordings)
        self._ready = True
        return self

    def prepare(
        self,
        recordings: Sequence[Recording],
        *,
        jobs: int = 1,
        progress: Progress | None = None,
        kept: KeptTables | None = None,
    ) -> FeatureTable:
        """Return the features of all labelled windows, in the order of the recordings.

        Parameters
        ----------
        recordings : sequence of Recording
        jobs : int
            Processes to share the recordings among.
        progress : callable, optional
            Called with (recordings done, recordings in all).
        kept : KeptTables, optional
            Tables of before: what is there is not measured again.

        Raises
        ------
        DataError
            If a recording gives no window.
        LayoutError
            If the recordings' windows differ in rate, channels or units.
        """
        self._require_steps()
        return measure_all(self.front, recordings, jobs=jobs, progress=progress, kept=kept)

    # --- learning --------------------------------------------------------------------------------

    def fit(self, table: FeatureTable) -> Self:
        """Learn scaling, selection and model from these windows; what was learned is forgotten.

        Raises
        ------
        DataError
            If labels are missing, or there is only one class.
        """
        model = _new_model(self.config, self.seed, fs_hz=table.layout.fs_hz)
        _check_labels(table, model)
        scaler, values = None, table.values
        if self.config.scaling == "standard":
            scaler = Scaler.of(values)
            values = scaler.apply(values)
        elif self.config.scaling == "person":
            values = scale_people(values, table.index.subject)
        selection = fit_selection(new_selection(self.config, self.seed), table, values)
        if selection is not None:
            values = selection.transform(values)
        given = {"groups": table.index.subject} if model.uses_groups else {}
        model.fit(_eaten(values, model, table.layout), table.index.label, **given)
        measured = _eaten(table.values, model, table.layout)
        gate = fit_gate(self.config, table, measured, seed=self.seed)
        classes = tuple(map(str, model.classes_)) if model.task == "classification" else ()
        ask = _inner_answers(self.config.answering(), table, classes, seed=self.seed)
        refusal = fit_refusal(self.config, table, classes, ask, seed=self.seed)
        self._model = model
        self._fitted = Fitted(
            table.layout, table.names, scaler, training_summary(table), selection, gate, refusal
        )
        return self

    @property
    def fitted(self) -> Fitted:
        """What `fit` learned besides the model."""
        if self._fitted is None:
            raise ParameterError("This pipeline has not learned anything yet; call fit first.")
        return self._fitted

    @property
    def model(self) -> Model:
        """The model; fitted once the pipeline is."""
        return self._model

    @property
    def task(self) -> str:
        """``"classification"`` or ``"regression"``."""
        return self._model.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes, in the order of the probabilities."""
        self._require("classification")
        return tuple(str(name) for name in self._model.classes_)

    @property
    def target(self) -> tuple[str, str]:
        """What is estimated, and its unit; the unit is empty when recordings differed in it."""
        self._require("regression")
        name = self.config.windowing.target_kind or "value"
        return name, str(self.fitted.training.get("target_unit", ""))

    @property
    def layout(self) -> Layout:
        """Layout of the windows that the model learned from: what a recording must provide."""
        return self.fitted.layout

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of results has to know about how this pipeline learned."""
        told = self._model.notes_
        if self._fitted is not None and self._fitted.selection is not None:
            told = (*told, *self._fitted.selection.notes_)
        if self._fitted is not None and self._fitted.gate is not None:
            told = (*told, self._fitted.gate.note)
        if self._fitted is not None and self._fitted.refusal is not None:
            told = (*told, *filter(None, [self._fitted.refusal.note]))
        if self.config.scaling == "person":
            told = (*told, _PERSON_NOTE)
        return told

    # --- answering -------------------------------------------------------------------------------

    def predict_proba(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return probabilities of `classes` for each window, shape (n_windows, n_classes)."""
        self._require("classification")
        return self._model.predict_proba(self.taken(self._scaled(table)))

    def estimate(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the estimated value for each window, shape (n_windows,)."""
        self._require("regression")
        values: NDArray[np.float64] = self._model.predict(self.taken(self._scaled(table)))
        return values

    def measure(self, recording: Recording) -> FeatureTable:
        """Return the features of every window of a recording, labelled or not, as a stream would.

        Raises
        ------
        LayoutError
            If rate, channels, their order or their units are not those learned from.
        """
        self._require_steps()
        self.check_layout(recording.layout)
        return self.front.measure(recording, labelled=False)

    def predict(
        self, recording: Recording, *, person: Scaler | None = None
    ) -> tuple[Decision, ...]:
        """Decide about every window of a recording, labelled or not.

        Parameters
        ----------
        recording : Recording
        person : Scaler, optional
            With ``scaling="person"``: what `person_scaler` measured on other unlabelled recordings
            of the person. Without it the recording itself is used, all of it.

        Raises
        ------
        LayoutError
            If rate, channels, their order or their units are not those learned from.
        DataError
            If the recording is shorter than a window.
        """
        self._require("classification")
        table = self.measure(recording)
        return self._decided(table, person)

    def estimate_recording(
        self, recording: Recording, *, person: Scaler | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Estimate the value for every window of a recording, labelled or not.

        Takes and raises what `predict` does.

        Returns
        -------
        values : ndarray, shape (n_windows,)
            In the unit of `target`.
        time_s : ndarray, shape (n_windows,)
            Moment of the newest sample of each window, on the recording's clock.
        """
        self._require("regression")
        table = self.measure(recording)
        rows = self.taken(self.scale(table.values, person=person))
        values: NDArray[np.float64] = self._model.predict(rows)
        return values, table.index.stop_s

    def predict_recording(self, recording: Recording) -> Decision:
        """Make one decision about the whole recording, from those about its windows.

        Windows that the novelty gate refuses have no say, unless it refuses all of them: then the
        decision is rejected. It is held to the thresholds of whole recordings, see
        `myograph.pipeline.rejecting.Refusal`.
        """
        self._require("classification")
        table = self.measure(recording)
        strange = self.strange(table.values)
        heard = ~strange if not strange.all() else strange
        decisions = self._decided(table, None)
        proba = np.stack([decision.probabilities for decision in decisions])[heard]
        one = np.zeros(len(proba), dtype=np.intp)
        combined = aggregate(proba, one, method=self.config.aggregate)[1][0]
        refusal = self.fitted.refusal
        unsure = refusal is not None and bool(refusal.recordings.refused(combined[None])[0])
        rejected = unsure or bool(strange.all())
        return self._decision(combined, decisions[-1].time_s, rejected=rejected)

    def person_scaler(self, recordings: Sequence[Recording]) -> Scaler:
        """Measure a person's own scale on unlabelled recordings, for ``scaling="person"``."""
        return Scaler.of(np.concatenate([self.measure(r).values for r in recordings]))

    def start(
        self, layout: Layout, *, person: Scaler | None = None, start_s: float = 0.0
    ) -> PipelineState:
        """Return a fresh live state; pushing a recording through it decides as `predict` does.

        Parameters
        ----------
        layout : Layout
            Of the stream.
        person : Scaler, optional
            Needed with ``scaling="person"``, see `person_scaler`: a stream has no future to
            measure it on.
        start_s : float
            Time of the first sample, on the clock of the decisions.

        Raises
        ------
        LayoutError
            If the stream's layout is not the one learned from.
        ParameterError
            If a step looks ahead, or the person's scale is missing.
        """
        self._require("classification")
        front = self.start_front(layout, person=person)
        return PipelineState(self, front, layout, person=person, start_s=start_s)

    def start_front(self, layout: Layout, *, person: Scaler | None = None) -> FrontState:
        """Return a fresh state from samples to features, or refuse what cannot run live.

        Takes and raises what `start` does, for classification and regression alike.
        """
        _ = self.fitted
        self._require_steps()
        self.check_layout(layout)
        if self.config.scaling == "person" and person is None:
            raise ParameterError(
                "This pipeline scales features by the person's own mean and deviation, which a "
                "stream cannot know in advance; record some unlabelled signal first and give "
                "person=pipeline.person_scaler([recording])."
            )
        return self.front.start(layout)

    def check_layout(self, layout: Layout) -> None:
        """Refuse, in sentences, a layout that does not provide what was learned from."""
        wrong = self.front.output_layout(layout).differences(self.layout)
        if wrong:
            raise LayoutError("This model was trained for another recording. " + " ".join(wrong))

    def scale(
        self, values: NDArray[np.float64], *, person: Scaler | None = None
    ) -> NDArray[np.float64]:
        """Scale features (n_windows, n_features) of one person as the selection wants them."""
        if self.config.scaling == "person":
            return (person or Scaler.of(values)).apply(values)
        scaler = self.fitted.scaler
        return scaler.apply(values) if scaler else values

    def select(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the selection lets through of scaled features; all of them without one."""
        selection = self.fitted.selection
        return values if selection is None else selection.transform(values)

    def taken(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return scaled features as the model takes them: selected, or as whole windows."""
        return _eaten(self.select(values), self._model, self.layout)

    def strange(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which windows the novelty gate refuses, shape (n_windows,); none without a gate.

        Parameters
        ----------
        values : ndarray, shape (n_windows, n_features)
            As measured, before any scaling.
        """
        gate = self.fitted.gate
        if gate is None:
            return np.zeros(len(values), dtype=np.bool_)
        return gate.stops(_eaten(values, self._model, self.layout))

    def unsure(self, proba: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which windows are not sure enough for the class they would be called.

        Parameters
        ----------
        proba : ndarray, shape (n_windows, n_classes)
            Of `classes`.

        Returns
        -------
        ndarray of bool, shape (n_windows,)
        """
        refusal = self.fitted.refusal
        if refusal is None:
            return np.zeros(len(proba), dtype=np.bool_)
        return refusal.windows.refused(proba)

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Least confidence of each of `classes` for a window to be answered; (0,) for numbers."""
        if self.task == "regression":
            return (0.0,)
        refusal = self.fitted.refusal
        if refusal is None:
            return (0.0,) * len(self.classes)
        return tuple(refusal.windows.thresholds.tolist())

    def decide(
        self,
        values: NDArray[np.float64],
        time_s: NDArray[np.float64],
        *,
        strange: NDArray[np.bool_] | None = None,
    ) -> tuple[Decision, ...]:
        """Turn scaled features (n_windows, n_features) into decisions at ``time_s``.

        What is ``strange``, see the method of that name, is rejected. The values are this
        pipeline's own and are not looked at again: scikit-learn's checks take ten times as long as
        everything else of a live hop.
        """
        proba = self._model.probabilities(self.taken(values))
        refused = self.unsure(proba) if strange is None else self.unsure(proba) | strange
        return tuple(
            self._decision(row, float(moment), rejected=bool(no))
            for row, moment, no in zip(proba, time_s, refused, strict=True)
        )

    def probabilities(
        self, values: NDArray[np.float64], *, person: Scaler | None = None
    ) -> NDArray[np.float64]:
        """Return probabilities of `classes` for features known to be this pipeline's.

        For streams, which are checked once at their start: scaling, selection and model as
        `predict` applies them, without looking at the values again.
        """
        return self._model.probabilities(self._selected(values, person))

    def estimates(
        self, values: NDArray[np.float64], *, person: Scaler | None = None
    ) -> NDArray[np.float64]:
        """Return the estimated value for features known to be this pipeline's.

        What `probabilities` is for `predict`, this is for `estimate_recording`.
        """
        told: NDArray[np.float64] = self._model.estimates(self._selected(values, person))
        return told

    # --- inside ----------------------------------------------------------------------------------

    def _selected(self, values: NDArray[np.float64], person: Scaler | None) -> NDArray[np.float64]:
        rows = self.scale(values, person=person)
        selection = self.fitted.selection
        return rows if selection is None else selection.selected(rows)

    def _decided(self, table: FeatureTable, person: Scaler | None) -> tuple[Decision, ...]:
        scaled = self.scale(table.values, person=person)
        return self.decide(scaled, table.index.stop_s, strange=self.strange(table.values))

    def _decision(self, proba: NDArray[np.float64], time_s: float, *, rejected: bool) -> Decision:
        classes = self.classes
        return Decision(classes[int(proba.argmax())], proba, classes, time_s, rejected=rejected)

    def _scaled(self, table: FeatureTable) -> NDArray[np.float64]:
        learned = self.fitted
        wrong = table.layout.differences(learned.layout)
        if not wrong and table.names != learned.names:
            differ = sorted(set(table.names) ^ set(learned.names)) or "their order"
            wrong = (f"Its features are not those learned from: {differ}.",)
        if wrong:
            raise LayoutError("This model was trained for other windows. " + " ".join(wrong))
        if self.config.scaling == "person":
            return scale_people(table.values, table.index.subject)
        return self.scale(table.values)

    def _require(self, task: str) -> None:
        if self._model.task != task:
            raise ParameterError(
                f"Model {self.config.model.name!r} does {self._model.task}, and {task} was asked "
                "for; classification names a class (predict, predict_proba), regression estimates "
                "a value (estimate)."
            )
        _ = self.fitted

    def _require_steps(self) -> None:
        if not self._ready:
            parts = ", ".join(self.front.learned_parts)
            raise ParameterError(
                f"The pipeline learns from recordings ({parts}); call fit_steps with the training "
                "recordings of the fold first."
            )


_PERSON_NOTE = (
    "Features were scaled over each person's own windows, without labels: a form of adaptation. "
    "A new person's scores need some unlabelled signal of that person first."
)


def _new_model(config: PipelineConfig, seed: int, *, fs_hz: float | None = None) -> Model:
    params = dict(config.model.params)
    known = inspect.signature(MODELS[config.model.name]).parameters
    if "seed" in known:
        params.setdefault("seed", seed)
    if "fs_hz" in known and fs_hz is not None:
        params.setdefault("fs_hz", fs_hz)
    model = build_model(config.model.name, **params)
    if model.eats == "windows" and (config.scaling != "none" or config.selection is not None):
        raise ParameterError(
            f"Model {config.model.name!r} takes whole windows, and there are no features to scale "
            "or select; set scaling='none' and no selection."
        )
    return model


def _inner_answers(
    config: PipelineConfig, table: FeatureTable, classes: tuple[str, ...], *, seed: int
) -> Asked:
    """Return what fits the pipeline on some training rows and answers for others."""

    def ask(train: NDArray[np.bool_], test: NDArray[np.bool_]) -> NDArray[np.float64]:
        inner = Pipeline(config, seed=seed).fit(table.take(np.flatnonzero(train)))
        said = inner.predict_proba(table.take(np.flatnonzero(test)))
        whole = np.zeros((len(said), len(classes)))
        whole[:, [classes.index(name) for name in inner.classes]] = said
        return whole

    return ask


def _eaten(values: NDArray[np.float64], model: Model, layout: Layout) -> NDArray[np.float64]:
    """Return rows as the model takes them: features, or channels by samples."""
    if model.eats == "features":
        return values
    return values.reshape(len(values), len(layout.channels), -1)


def _check_labels(table: FeatureTable, model: Model) -> None:
    numeric = table.index.label.dtype.kind == "f"
    if numeric != (model.task == "regression"):
        kind = "numbers to estimate" if numeric else "class labels"
        raise DataError(
            f"The windows carry {kind}, and {type(model).__name__} does {model.task}; choose "
            "another model, or set windowing.target_kind to estimate a channel."
        )
    if not numeric and (table.index.label == "").any():
        raise DataError(
            f"{int((table.index.label == '').sum())} of {len(table)} windows have no label; a "
            "model learns from labelled windows (windowing.label_sources)."
        )
