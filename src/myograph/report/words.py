"""The sentences of a report: what a split, a pipeline or a metric is, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from myograph.config.schema import EVERY_OTHER
from myograph.core.decision import Estimate
from myograph.validate.probes import NAMES

if TYPE_CHECKING:
    from myograph.validate.probes import Confounds

__all__ = [
    "BASELINES",
    "METRICS",
    "Measure",
    "amount",
    "chance_words",
    "confound_rows",
    "dropped_words",
    "in_order",
    "pipeline_words",
    "plural",
    "rule_words",
    "selection_words",
    "signed",
    "split_words",
    "stability_rows",
]

T = TypeVar("T")

_SPLITS = {
    "leave-one-subject-out": "Each person was judged by a model that was trained on all the other "
    "people and had never seen anything of this person.",
    "group-k-fold": "People were dealt into {n_folds} groups; each group was judged by a model "
    "trained on the other groups, so that no person is on both sides.",
    "hold-out": "The people {test} were held out; the model was trained on the others.",
    "repetition": "Within each person: some repetitions trained the model, others tested it. The "
    "scores are about people the model already knows.",
    "session": "Within each person: some sessions trained the model, others tested it. The scores "
    "are about people the model already knows, on another occasion.",
    "time": "Within each recording: its beginning trained the model, its end tested it. The scores "
    "are about people the model already knows, in the same recording.",
    "leave-site-out": "Each site was judged by a model trained on the other sites only.",
}

#: Metrics in the order in which people read them, with their names.
METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "precision": "precision (mean over classes)",
    "recall": "recall (mean over classes)",
    "f1": "F1 (mean over classes)",
    "roc_auc": "area under the ROC curve",
    "pr_auc": "area under the precision-recall curve",
    "mae": "mean absolute error",
    "rmse": "root mean square error",
    "r2": "R²",
    "person_accuracy": "people called right",
    "person_balanced_accuracy": "people called right, balanced",
}

#: Baselines from the least effort to the most.
BASELINES = (
    "majority",
    "mean",
    "ridge-td",
    "lda-td",
    "lda",
    "svm",
    "random-forest",
    "all-columns",
)

#: More names than this are counted where they are not the matter.
_MOST_NAMES = 4

_REGRESSION = ("mae", "rmse", "r2")
_SHARES = ("accuracy", "precision", "recall", "f1")

_SCALING = {
    "none": "",
    "standard": "scaled by the training windows",
    "person": "scaled per person on that person's own unlabelled windows (unlabelled adaptation)",
}


class Measure:
    """How one metric is named and written.

    Parameters
    ----------
    key : str
        As in `ValidationResult.metrics`.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.name = METRICS.get(key, key.replace("_", " "))
        self.percent = key.endswith(_SHARES)

    @property
    def unit(self) -> str:
        """``" (%)"`` for a share, empty otherwise: the end of an axis label."""
        return " (%)" if self.percent else ""

    @property
    def guess(self) -> str:
        """What the figure of a method without any skill is called."""
        return "no skill" if self.key in _REGRESSION else "chance"

    def number(self, value: float | None) -> str:
        """Write a value, without its unit."""
        if value is None or value != value:
            return "–"
        if self.percent:
            return f"{100 * value:.1f}"
        digits = 3 if abs(value) < 10 else 2 if abs(value) < 1000 else 0
        return f"{value:.{digits}f}".replace("-", "−")  # a minus, not a hyphen

    def gain(self, value: float) -> str:
        """Write a difference, with its sign."""
        text = f"{100 * value:+.1f}" if self.percent else f"{value:+.3f}"
        return text.replace("-", "−")

    def value(self, value: float | None) -> str:
        """Write a value with its unit."""
        return self.number(value) + (" %" if self.percent and value is not None else "")

    def interval(self, estimate: Estimate) -> str:
        """Write the 95 % interval."""
        return f"{self.number(estimate.low)} to {self.number(estimate.high)}"

    def told(self, estimate: Estimate) -> str:
        """Write value and interval.

        Examples
        --------
        >>> Measure("accuracy").told(Estimate(0.75, 0.7, 0.8, evidence="person", n=19))
        '75.0 % (70.0 to 80.0)'
        """
        return f"{self.value(estimate.value)} ({self.interval(estimate)})"


def amount(value: float) -> str:
    """Write a number with three digits that count, without an exponent where a person reads it.

    Examples
    --------
    >>> amount(2254.0), amount(0.01234), amount(18.0)
    ('2250', '0.0123', '18')
    """
    rounded = float(f"{value:.3g}")
    return f"{rounded:.0f}" if abs(rounded) >= 1000 else f"{rounded:g}"


def chance_words(p: float) -> str:
    """Write a p-value.

    Examples
    --------
    >>> chance_words(0.0123), chance_words(0.00001), chance_words(1.0)
    ('p 0.012', 'p < 0.001', 'p 1')
    """
    return "p < 0.001" if p < 0.001 else f"p {p:.2g}"


def dropped_words(what: str, why: str) -> str:
    """Say what was left out in a line: of a long list of names the first, and how many more.

    Examples
    --------
    >>> dropped_words("p1, p2", "left out as asked for")
    'p1, p2 (left out as asked for)'
    >>> dropped_words("p1, p2, p3, p4, p5, p6", "left out as asked for")
    'p1, p2, p3 and 3 more (left out as asked for)'
    """
    names = what.split(", ")
    if len(names) > _MOST_NAMES:
        what = f"{', '.join(names[:3])} and {len(names) - 3} more"
    return f"{what} ({why})"


def in_order(given: Mapping[str, T], known: Iterable[str]) -> dict[str, T]:
    """Sort entries: the known ones in their order, the others after them by name.

    Examples
    --------
    >>> in_order({"x": 1, "mae": 2, "accuracy": 3}, ["accuracy", "mae"])
    {'accuracy': 3, 'mae': 2, 'x': 1}
    """
    first = [name for name in known if name in given]
    return {name: given[name] for name in (*first, *sorted(set(given) - set(first)))}


def plural(n: int, noun: str) -> str:
    """Count things.

    Examples
    --------
    >>> plural(1, "person"), plural(3, "person"), plural(2, "class")
    ('1 person', '3 people', '2 classes')
    """
    many = {"person": "people", "class": "classes", "repetition": "repetitions"}
    return f"{n} {noun if n == 1 else many.get(noun, noun + 's')}"


def signed(value: float) -> str:
    """Write a number with its sign, two digits behind the point.

    Examples
    --------
    >>> signed(1.234), signed(-0.5)
    ('+1.23', '−0.50')
    """
    return f"{value:+.2f}".replace("-", "−")


def split_words(split: Mapping[str, Any]) -> str:
    """Say what a split holds out, and from whom."""
    parameters = dict(split.get("parameters") or {})
    known = _SPLITS.get(str(split.get("name")), "")
    if not known:
        return f"The folds of the saved split {split.get('name')!r} were used as they are written."
    shown = {k: ", ".join(v) if isinstance(v, list | tuple) else v for k, v in parameters.items()}
    try:
        return known.format(**shown)
    except (KeyError, IndexError):
        return known


def pipeline_words(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say what a pipeline does, station by station.

    Parameters
    ----------
    config : mapping
        What `PipelineConfig.to_dict` gave.
    """
    windowing = config.get("windowing", {})
    model = config.get("model", {})
    steps = [_call(step, "step") for step in config.get("steps", ())]
    features = [
        f if isinstance(f, str) else _call(f, "feature") for f in config.get("features", ())
    ]
    refused = rule_words(config)
    stations = [
        ("filters", ", then ".join(steps) or "none: the signal as recorded"),
        ("windows", _windows(windowing)),
        ("features", ", ".join(features)),
        ("scaling", _SCALING.get(config.get("scaling", "none"), str(config.get("scaling")))),
        ("selection", _selection(config.get("selection"))),
        ("model", _parameters(str(model.get("name", "")), model.get("params", {}))),
        ("refused", f"answers {refused}" if refused else ""),
    ]
    return [(name, told) for name, told in stations if told]


def rule_words(config: Mapping[str, Any]) -> str:
    """Say which answers a pipeline refuses; empty for one that refuses nothing.

    Parameters
    ----------
    config : mapping
        What `PipelineConfig.to_dict` gave.

    Examples
    --------
    >>> rule_words({"reject_below": {"fist": 0.8, "*": 0.5}})
    'less sure than 0.8 (fist), 0.5 (every other class)'
    >>> rule_words({"reject_below": 0.0, "reject": {"accuracy": 0.95}})
    'less sure than what their class was learned to need, so that 95 % of its answers are right'
    """
    told = []
    below, learned, gate = (config.get(k) for k in ("reject_below", "reject", "novelty"))
    if isinstance(below, Mapping):
        named = {k: v for k, v in below.items() if k != EVERY_OTHER}
        parts = [f"{value:g} ({name})" for name, value in named.items()]
        if EVERY_OTHER in below:
            others = "every other class" if named else "every class"
            parts.append(f"{below[EVERY_OTHER]:g} ({others})")
        told.append(f"less sure than {', '.join(parts)}")
    elif below:
        told.append(f"less sure than {below:g}")
    if learned:
        aim = (
            f"{100 * learned['accuracy']:g} % of its answers are right"
            if learned.get("accuracy")
            else f"{100 * learned['coverage']:g} % of its answers are given"
        )
        told.append(f"less sure than what their class was learned to need, so that {aim}")
    if gate:
        told.append(f"about windows unlike those learned from ({gate.get('name')})")
    return "; ".join(told)


def selection_words(selection: Mapping[str, Any]) -> str:
    """Say how much was selected, and how much alike the folds were.

    Parameters
    ----------
    selection : mapping
        As in `ValidationResult.selection`.

    Examples
    --------
    >>> taken = {"mean": 8.0, "least": 8, "most": 8}
    >>> selection_words({"name": "mrmr", "of": 32, "taken": taken, "stability": 0.91})
    'mrmr took 8 of 32 columns, in every fold; stability over folds 0.91 (1: always the same ones).'
    """
    taken = selection["taken"]
    size, when = f"{taken['least']} to {taken['most']}", "depending on the fold"
    if taken["least"] == taken["most"]:
        size, when = str(taken["least"]), "in every fold"
    if "stability" not in selection:
        return f"{selection['name']} made {size} components of {selection['of']} columns, {when}."
    told = f"{selection['name']} took {size} of {selection['of']} columns, {when}"
    if selection.get("stability") is None:
        return told + "."
    return f"{told}; stability over folds {selection['stability']:.2f} (1: always the same ones)."


def _selection(definition: Mapping[str, Any] | None) -> str:
    if not definition:
        return ""
    return f"{_call(definition, 'name')}, learned anew in every fold"


def _windows(windowing: Mapping[str, Any]) -> str:
    told = [
        f"{windowing.get('length_ms', 0):g} ms long, one every {windowing.get('step_ms', 0):g} ms"
    ]
    if windowing.get("transition_ms"):
        told.append(f"{windowing['transition_ms']:g} ms left out at both ends of every event")
    if windowing.get("rest") == "drop":
        told.append(f"without {', '.join(windowing.get('rest_labels', ()))}")
    if windowing.get("target_kind"):
        told.append(f"the value to estimate is the mean {windowing['target_kind']} in the window")
    return "; ".join(told)


def _call(definition: Mapping[str, Any], key: str) -> str:
    return _parameters(
        str(definition.get(key, "")), {k: v for k, v in definition.items() if k != key}
    )


def _parameters(name: str, parameters: Mapping[str, Any]) -> str:
    ordered = sorted(parameters, key=lambda key: (key.startswith("high"), key))  # low before high
    given = ", ".join(f"{key} = {_short_value(parameters[key])}" for key in ordered)
    return f"{name} ({given})" if given else name


def _short_value(value: Any) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "[" + ", ".join(map(str, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def confound_rows(confounds: Confounds, measure: Measure) -> list[tuple[str, str, str, str]]:
    """Return one row per probe: what it saw, figure, interval, verdict."""
    rows = []
    for probe in confounds.probes:
        verdict = "rivals the model" if probe.rival else "tells something"
        rows.append(
            (
                NAMES[probe.name],
                measure.value(probe.score.value),
                measure.interval(probe.score),
                verdict if probe.above_chance else "no better than a guess",
            )
        )
    rows += [
        (NAMES[name], "", "", confounds.unasked[name])
        for name in NAMES
        if name in confounds.unasked
    ]
    return rows


def stability_rows(confounds: Confounds, measure: Measure) -> list[tuple[str, str, str, str]]:
    """Return one row per change of the tested recordings: what, figure, change, its interval."""
    return [
        (
            each.what,
            measure.value(each.score.value),
            measure.gain(each.change.value),
            f"{measure.gain(each.change.low)} to {measure.gain(each.change.high)}",
        )
        for each in confounds.stability
    ]
