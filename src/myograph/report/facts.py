"""Facts: what a run says by itself, each with the place where it says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from myograph.report.material import Material
from myograph.report.refusals import refusal_words
from myograph.report.robustness import robustness_rows
from myograph.report.subgroups import site_words, subgroup_words
from myograph.report.trust import benefit_words, worth_words
from myograph.report.words import (
    Measure,
    chance_words,
    confound_rows,
    dropped_words,
    pipeline_words,
    plural,
    rule_words,
    selection_words,
    split_words,
    stability_rows,
)

if TYPE_CHECKING:
    from myograph.core.decision import Estimate
    from myograph.pipeline.lock import Lock
    from myograph.validate.compare import Comparison
    from myograph.validate.manifest import SplitManifest
    from myograph.validate.result import ValidationResult
    from myograph.validate.trust import Trust

__all__ = ["LABELS", "Evidence", "Fact", "facts"]

#: Everything a document may ask a run for, and what it is called when the run does not say it.
LABELS = {
    "title": "what was evaluated",
    "question": "who was judged by which model",
    "target": "what is told from the signal",
    "labels": "where the labels come from",
    "data": "the data",
    "simulated": "simulated or not",
    "source": "where the data come from",
    "licence": "licence of the data",
    "citation": "what to cite",
    "cohort": "people of the source, before anything was left out",
    "tasks": "what was done",
    "signals": "what was recorded",
    "defects": "known defects",
    "data-notes": "what may be concluded",
    "counts": "how many of everything",
    "balance": "tested per class",
    "known-of-people": "what is known of people and devices",
    "dropped": "what was left out, and why",
    "dropped-whole": "everything that was left out, and why",
    "digest": "digest of the data",
    "filters": "filters",
    "windows": "windows",
    "features": "what is measured in a window",
    "scaling": "scaling",
    "selection": "selection of features",
    "selected": "what the folds selected",
    "model": "model, with its parameters",
    "recipe": "every step with its parameters",
    "output": "what comes out",
    "split": "the split",
    "sides": "people on each side of the folds",
    "seed": "seed",
    "environment": "versions that computed the figures",
    "command": "the command that does it again",
    "measures": "metrics and intervals",
    "headline": "headline figure",
    "metrics": "every metric",
    "classes": "class by class",
    "people": "spread over people",
    "baselines": "beside simple methods",
    "probes": "what else tells the label",
    "matched": "score on matched people",
    "stability": "the same on changed recordings",
    "robustness": "when recordings go wrong",
    "audits": "audits for leakage",
    "notes": "notes of the run",
    "locked": "the locked model",
    "intended-use": "intended use stated in the model file",
    "training": "what the locked model learned from",
    "expects": "what the locked model expects",
    "calibration": "calibration of the probabilities",
    "benefit": "net benefit at a decision threshold",
    "refusals": "when it does not answer, and what that comes to",
    "worth": "what an answer is worth at a prevalence",
    "sites": "between sites",
    "subgroups": "scores of subgroups",
}


# Where each station of a pipeline stands in its definition, and what it is when none is defined.
_PLACES = {
    "filters": "steps",
    "windows": "windowing",
    "features": "features",
    "scaling": "scaling",
    "selection": "selection",
    "model": "model",
}
_NONE = {"scaling": "none", "selection": "none: every measured number goes on to the model"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the run says.

    Parameters
    ----------
    label, value : str
    source : str
        File of the result's folder, and the field in it.
    """

    label: str
    value: str
    source: str

    def to_dict(self) -> dict[str, str]:
        """Return it as plain JSON-able data."""
        return {"label": self.label, "value": self.value, "source": self.source}


@dataclass(frozen=True, eq=False)
class Evidence:
    """Everything that documents about one evaluation are written from.

    Parameters
    ----------
    result : ValidationResult
    material : Material
    split : SplitManifest or None
    lock : Lock or None
        Of the model file that goes with the evaluation.
    model : mapping
        The manifest of that file; empty without one.
    """

    result: ValidationResult
    material: Material = field(default_factory=Material)
    split: SplitManifest | None = None
    lock: Lock | None = None
    model: Mapping[str, Any] = field(default_factory=dict)


def facts(evidence: Evidence) -> dict[str, Fact]:
    """Return what the run says, by the keys of `LABELS`; what it does not say is not there."""
    found: dict[str, Fact] = {}
    for group in (_task, _data, _pipeline, _split, _results, _doubts, _spoilt, _locked):
        for key, value, source in group(evidence):
            if value not in ("", "None"):
                found[key] = Fact(LABELS[key], value, source)
    return found


_Told = Iterator[tuple[str, str, str]]


def _task(evidence: Evidence) -> _Told:
    result = evidence.result
    model = result.config.get("model", {}).get("name", "model")
    split = result.split.get("name", "")
    title = f"{model} on {result.data.get('name', 'recordings')}, {split}"
    yield "title", title, "result.json: config, data, split"
    yield "question", split_words(result.split), "result.json: split"
    windowing = result.config.get("windowing", {})
    if result.classes:
        told = f"one of {len(result.classes)} classes: {', '.join(result.classes)}"
        yield "target", told, "result.json: classes"
    elif windowing.get("target_kind"):
        told = f"the mean {windowing['target_kind']} in the window"
        yield "target", told, "result.json: config.windowing.target_kind"
    if windowing.get("label_sources") and result.classes:
        told = f"events of the source {', '.join(windowing['label_sources'])} in the recordings"
        yield "labels", told, "result.json: config.windowing.label_sources"


def _data(evidence: Evidence) -> _Told:
    result, about = evidence.result, evidence.material.about
    name = " – ".join(str(about[key]) for key in ("name", "title") if about.get(key))
    yield "data", name, "material.json: about"
    known = about.get("simulated", result.data.get("simulated"))
    if known is not None:
        told = "simulated: no person was measured" if known else "not marked as simulated"
        yield "simulated", told, "result.json: data.simulated"
    for key, name in (
        ("source", "sources"),
        ("licence", "licence"),
        ("citation", "citation"),
        ("cohort", "people"),
        ("tasks", "tasks"),
        ("signals", "signals"),
        ("defects", "defects"),
        ("data-notes", "notes"),
        ("digest", "digest"),
    ):
        yield key, _joined(about.get(name)), f"material.json: about.{name}"
    yield "counts", _counts(result.data), "result.json: data"
    if result.classes and result.confusion.size:
        sums = result.confusion.sum(axis=1)
        unit = "people" if result.headline.startswith("person_") else "windows"
        told = ", ".join(f"{name} {n:,}" for name, n in zip(result.classes, sums, strict=True))
        yield "balance", f"{told} ({unit})", "result.json: confusion"
    whole = "; ".join(f"{what}: {why}" for what, why in result.dropped)
    short = "; ".join(dropped_words(what, why) for what, why in result.dropped)
    nothing = "nothing was left out"
    yield "dropped", short or nothing, "result.json: dropped"
    yield "dropped-whole", whole or nothing, "result.json: dropped"
    if result.confounds is not None and result.confounds.unasked:
        told = "; ".join(f"{what}: {why}" for what, why in sorted(result.confounds.unasked.items()))
        yield "known-of-people", told, "result.json: confounds.unasked"


def _counts(data: Mapping[str, Any]) -> str:
    told = []
    for key, name in (
        ("people", "people"),
        ("people_tested", "of them tested"),
        ("recordings", "recordings"),
        ("windows", "windows"),
        ("windows_tested", "of them tested"),
        ("channels", "channels"),
        ("features", "features"),
    ):
        if data.get(key) is not None:
            told.append(f"{data[key]:,} {name}")
    if data.get("fs_hz") is not None:
        told.append(f"{data['fs_hz']:g} Hz")
    return ", ".join(told)


def _pipeline(evidence: Evidence) -> _Told:
    result = evidence.result
    stations = {**_NONE, **dict(pipeline_words(result.config))} if result.config else {}
    for key, place in _PLACES.items():
        yield key, stations.get(key, ""), f"result.json: config.{place}"
    yield "recipe", str(result.data.get("recipe", "")), "result.json: data.recipe"
    if result.selection:
        yield "selected", selection_words(result.selection), "result.json: selection"
    if result.task == "classification":
        told = "a probability for each class in every window; the most probable one is the answer"
        refused = rule_words(result.config)
        if refused:
            told += f"; refused are answers {refused}"
        yield "output", told, "result.json: task, config.reject_below, config.reject"
    else:
        yield "output", "a value for every window", "result.json: task"


def _split(evidence: Evidence) -> _Told:
    result = evidence.result
    split = result.split
    told = (
        f"{split.get('name', '')}, {split.get('scope', '')}, "
        f"{plural(int(split.get('folds', 0)), 'fold')}, fingerprint {split.get('fingerprint', '')}"
    )
    yield "split", told, "result.json: split"
    if evidence.split is not None:
        yield "sides", _sides(evidence.split), "split.json: folds"
    yield "seed", str(result.seed), "result.json: seed"
    versions = ", ".join(f"{k} {v}" for k, v in sorted(result.environment.items()))
    yield "environment", versions, "result.json: environment"
    yield "command", evidence.material.command, "material.json: command"


def _sides(manifest: SplitManifest) -> str:
    told = []
    for side in ("train", "validation", "test"):
        sizes = [len(getattr(fold, side)) for fold in manifest.folds]
        if any(sizes):
            few, many = min(sizes), max(sizes)
            told.append(f"{side} {few}" if few == many else f"{side} {few} to {many}")
    return f"units ({'/'.join(manifest.by)}) in a fold: {', '.join(told)}"


def _results(evidence: Evidence) -> _Told:
    result = evidence.result
    measure = Measure(result.headline)
    estimate = result.metrics[result.headline]
    told = (
        f"{_figure(result.headline, estimate)}, mean over {plural(estimate.n, estimate.evidence)}"
    )
    if result.chance is not None:
        told += f"; {measure.guess} {measure.value(result.chance)}"
    yield "headline", told, f"result.json: metrics.{result.headline}"
    named = ", ".join(Measure(key).name for key in result.metrics)
    told = f"{named}; mean over people with the 95 % interval over people, never over windows"
    yield "measures", told, "result.json: metrics"
    told = "; ".join(_figure(key, each) for key, each in result.metrics.items())
    yield "metrics", told, "result.json: metrics"
    told = "; ".join(
        f"{name}: " + ", ".join(f"{key} {Measure(key).told(each)}" for key, each in group.items())
        for name, group in result.per_class.items()
    )
    yield "classes", told, "result.json: per_class"
    spread = result.distribution.get(result.headline, {})
    told = ", ".join(
        f"{name.replace('_', ' ')} {measure.value(spread[name])}"
        for name in ("min", "q1", "median", "q3", "max", "worst_decile")
        if name in spread
    )
    yield "people", told, f"result.json: distribution.{result.headline}"
    told = "; ".join(
        f"{name} {measure.told(each)}"
        + _gained(result.gain.get(name), measure)
        + _tested(result.comparisons, name)
        for name, each in result.ladder.items()
    )
    yield "baselines", told, "result.json: ladder, gain, comparisons"
    if result.trust is not None:
        yield "calibration", _calibration(result.trust), "result.json: trust"
        yield "benefit", benefit_words(result.trust), "result.json: trust.benefit"
        yield "worth", worth_words(result.trust), "result.json: trust.worth"
    if result.refusals is not None:
        yield "refusals", refusal_words(result.refusals), "result.json: refusals"
    elif result.classes and not rule_words(result.config):
        yield "refusals", "never: every window is answered", "result.json: config"
    told = subgroup_words(result.subgroups, result.headline)
    yield "subgroups", told, "result.json: subgroups"
    if result.sites is not None:
        yield "sites", site_words(result.sites, result.headline), "result.json: sites"


def _calibration(trust: Trust) -> str:
    before, after = (
        f"{each.ece.value:.3f} [{each.ece.low:.3f}, {each.ece.high:.3f}]"
        for each in (trust.before, trust.after)
    )
    return (
        f"expected calibration error {before} as the model says it, {after} after calibration "
        f"({trust.method}) on other people"
    )


def _figure(key: str, estimate: Estimate) -> str:
    return f"{Measure(key).name} {Measure(key).told(estimate)}"


def _gained(gain: Estimate | None, measure: Measure) -> str:
    if gain is None:
        return ""
    ends = f"{measure.gain(gain.low)} to {measure.gain(gain.high)}"
    return f", this model {measure.gain(gain.value)} ({ends})"


def _tested(comparisons: Sequence[Comparison], name: str) -> str:
    found = [each for each in comparisons if each.second == name]
    return f", {chance_words(found[0].corrected)} corrected" if found else ""


def _doubts(evidence: Evidence) -> _Told:
    result = evidence.result
    told = "; ".join(
        f"{audit.name} {'passed' if audit.passed else 'FAILED'}: {audit.text.rstrip('.')}"
        for audit in result.audits
    )
    yield "audits", told, "result.json: audits"
    yield "notes", _joined(result.notes), "result.json: notes"
    confounds = result.confounds
    if confounds is None:
        return
    measure = Measure(result.headline)
    rows = [row for row in confound_rows(confounds, measure) if row[1]]
    told = "; ".join(f"{what} {value} ({ends}), {verdict}" for what, value, ends, verdict in rows)
    yield "probes", told, "result.json: confounds.probes"
    told = "; ".join(
        f"{' or '.join(pair.classes)}, matched on {pair.probe}: AUC {pair.auc.value:.3f} "
        f"({pair.auc.low:.3f} to {pair.auc.high:.3f})"
        for pair in confounds.matched
    )
    yield "matched", told, "result.json: confounds.matched"
    changed = stability_rows(confounds, measure)
    told = "; ".join(f"{what} {value}, {by} ({ends})" for what, value, by, ends in changed)
    yield "stability", told, "result.json: confounds.stability"


def _spoilt(evidence: Evidence) -> _Told:
    robustness = evidence.result.robustness
    if robustness is None:
        return
    told = "; ".join(
        f"{family}, {level}: {value}, {change} ({ends})"
        for family, level, value, change, ends in robustness_rows(robustness)
    )
    yield "robustness", told, "result.json: robustness"


def _locked(evidence: Evidence) -> _Told:
    lock, model = evidence.lock, evidence.model
    if lock is None:
        return
    told = f"{lock.file}, {lock.size_bytes:,} bytes, sha256 {lock.sha256}"
    yield "locked", told, "locked-model.json"
    yield "intended-use", str(model.get("intended_use", "")), f"{lock.file}: intended_use"
    training = model.get("training", {})
    told = ", ".join(
        f"{training[key]:,} {key}" for key in ("people", "recordings", "windows") if key in training
    )
    if training.get("digest"):
        told += f", digest {training['digest']}"
    yield "training", told, f"{lock.file}: training"
    layout = model.get("layout", {})
    channels = layout.get("channels", ())
    if channels:
        names = ", ".join(str(each.get("name", "")) for each in channels)
        told = f"{len(channels)} channels ({names}) at {layout.get('fs_hz', 0):g} Hz"
        yield "expects", told, f"{lock.file}: layout"


def _joined(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "; ".join(str(each).rstrip(".") for each in value)
    return "" if value is None else str(value)
