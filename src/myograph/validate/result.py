"""ValidationResult: what a run found, per person first, with everything needed to judge it."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.decision import Estimate
from myograph.core.errors import DataError, FormatError, OutputExistsError
from myograph.core.windows import WindowIndex
from myograph.models.aggregate import aggregate_people
from myograph.validate.compare import Comparison
from myograph.validate.heterogeneity import Heterogeneity
from myograph.validate.manifest import SplitManifest, write_bytes, write_text
from myograph.validate.probes import Confounds
from myograph.validate.refusals import Refusals
from myograph.validate.robustness import Robustness
from myograph.validate.subgroups import Subgroup
from myograph.validate.trust import Trust

__all__ = ["Audit", "Predictions", "RunInfo", "ValidationResult"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Audit:
    """One thing that was checked, whether it is as it should be, and what was seen."""

    name: str
    passed: bool
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as plain JSON-able data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """How the run went: everything that may differ between two runs with the same result."""

    seconds: float = math.nan
    started_at: str = ""
    jobs: int = 1
    folds_resumed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        seconds = self.seconds if math.isfinite(self.seconds) else None
        return {**asdict(self), "seconds": seconds}


@dataclass(frozen=True, eq=False)
class Predictions:
    """What was predicted for every tested window.

    Parameters
    ----------
    rows : ndarray of int, shape (n_tested,)
        Row of the table; a row occurs once for every fold that tested it.
    fold : ndarray of int, shape (n_tested,)
        Number of the fold.
    output : ndarray, shape (n_tested, n_classes) or (n_tested,)
        Probabilities, or estimates for a numeric target.
    index : WindowIndex
        Of the tested windows, with their true labels.
    """

    rows: NDArray[np.intp]
    fold: NDArray[np.intp]
    output: NDArray[np.float64]
    index: WindowIndex


@dataclass(frozen=True, eq=False)
class ValidationResult:
    """The outcome of an evaluation.

    Parameters
    ----------
    task : str
        ``"classification"`` or ``"regression"``.
    headline : str
        Name of the metric that ladder, gain and one-line summaries are about.
    config, split, data, environment : dict
        Plain data: the pipeline; the split with its name, scope, parameters and fingerprint;
        the table's digest and sizes; versions. Enough to run it again.
    seed : int
    classes : tuple of str
        Empty for a numeric target.
    per_person : dict of str to dict of str to float or None
        Metric, then person. None where the metric is not defined for the person.
    metrics : dict of str to Estimate
        Mean over people with its 95 % interval; the unit of evidence is in the estimate.
    per_class : dict of str to dict of str to Estimate
        Class, then ``precision``, ``recall``, ``f1``.
    distribution : dict of str to dict of str to float
        Metric, then ``min``, ``q1``, ``median``, ``q3``, ``max``, ``worst_decile`` over people.
    confusion : ndarray of int, shape (n_classes, n_classes)
        True class by predicted class, counts of windows.
    chance : float or None
        The headline figure of a guess.
    ladder : dict of str to Estimate
        The headline figure of simple baselines on the same folds.
    gain : dict of str to Estimate
        The model minus each baseline, person by person.
    comparisons : tuple of Comparison
        The model against each baseline, tested on the same people and corrected for how many there
        are (Holm); empty where one person was tested.
    audits : tuple of Audit
    confounds : Confounds or None
        What probes reach that see no muscle; None when nothing was probed.
    trust : Trust or None
        What the probabilities, sets and refusals are worth; None for a numeric target, and for
        fewer than three people.
    refusals : Refusals or None
        What the pipeline's own thresholds and gate refuse, and what that comes to; None for one
        that refuses nothing.
    subgroups : tuple of Subgroup
        Share of right answers (absolute error, for a number) of groups of people, sides, devices
        and sites, as far as they are known and differ.
    sites : Heterogeneity or None
        How much the headline figure differs between sites that the models have not seen; None
        unless whole sites were held out, and where sites have too few people.
    robustness : Robustness or None
        What the models of the folds make of spoilt recordings; None when that was not asked.
    selection : dict
        Which columns were selected in the folds, see `myograph.validate.selected`; empty without
        a selection.
    tuning : dict
        What was searched inside the folds and what was taken; empty without tuning.
    notes : tuple of str
        What a reader must know: classes never trained, people without a score, ...
    dropped : tuple of (str, str)
        What was left out of the data, and why.
    run : RunInfo
        Time and other things that are not part of the result.
    predictions : Predictions or None
    manifest : SplitManifest or None
        The split, to be saved and used again. Both are None in a result read back from JSON.
    """

    task: str
    headline: str
    config: dict[str, Any]
    split: dict[str, Any]
    data: dict[str, Any]
    seed: int
    classes: tuple[str, ...]
    per_person: dict[str, dict[str, float | None]]
    metrics: dict[str, Estimate]
    audits: tuple[Audit, ...]
    per_class: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    distribution: dict[str, dict[str, float]] = field(default_factory=dict)
    confusion: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    chance: float | None = None
    ladder: dict[str, Estimate] = field(default_factory=dict)
    gain: dict[str, Estimate] = field(default_factory=dict)
    comparisons: tuple[Comparison, ...] = ()
    confounds: Confounds | None = None
    trust: Trust | None = None
    refusals: Refusals | None = None
    subgroups: tuple[Subgroup, ...] = ()
    sites: Heterogeneity | None = None
    robustness: Robustness | None = None
    selection: dict[str, Any] = field(default_factory=dict)
    tuning: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    run: RunInfo = field(default_factory=RunInfo)
    predictions: Predictions | None = None
    manifest: SplitManifest | None = None

    @property
    def passed(self) -> bool:
        """True when no audit found leakage."""
        return all(audit.passed for audit in self.audits)

    @property
    def people(self) -> tuple[str, ...]:
        """The people who were tested."""
        return tuple(self.per_person[self.headline])

    @property
    def correctness(self) -> NDArray[np.float64]:
        """1 or 0 for every tested window, as its answer is right; the absolute error of a number.

        Where a person is one case, the window's answer is the person's.
        """
        found = self.predictions
        if found is None:
            raise DataError("This result was read without its predictions; evaluate again.")
        if not self.classes:
            error: NDArray[np.float64] = np.abs(found.output - found.index.label)
            return error
        output = found.output
        if self.headline.startswith("person_"):
            method = self.config.get("aggregate", "vote")
            people, answers = aggregate_people(output, found.index, method=method)
            output = answers[np.searchsorted(people, found.index.subject)]
        said = np.array(self.classes)[output.argmax(axis=1)]
        return (said == found.index.label).astype(np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON-able data: the same for the same seed and data.

        Time, and whatever else may differ between two runs, is in ``run`` and not here; the
        window-by-window predictions are left out as well.
        """
        plain = {name: getattr(self, name) for name in _PLAIN}
        return {
            "format": FORMAT,
            **plain,
            "passed": self.passed,
            "classes": list(self.classes),
            "selection": self.selection,
            **({"tuning": self.tuning} if self.tuning else {}),
            "notes": list(self.notes),
            "dropped": [list(pair) for pair in self.dropped],
            "metrics": _estimates(self.metrics),
            "ladder": _estimates(self.ladder),
            "gain": _estimates(self.gain),
            "comparisons": [each.to_dict() for each in self.comparisons],
            "per_class": {name: _estimates(group) for name, group in self.per_class.items()},
            "confusion": self.confusion.tolist(),
            "audits": [audit.to_dict() for audit in self.audits],
            "confounds": None if self.confounds is None else self.confounds.to_dict(),
            "trust": None if self.trust is None else self.trust.to_dict(),
            "refusals": None if self.refusals is None else self.refusals.to_dict(),
            "subgroups": [each.to_dict() for each in self.subgroups],
            "sites": None if self.sites is None else self.sites.to_dict(),
            "robustness": None if self.robustness is None else self.robustness.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ValidationResult:
        """Rebuild a result from what `to_dict` gave, without predictions.

        Raises
        ------
        FormatError
            If the data are of another format or lack a field.
        """
        if data.get("format") != FORMAT:
            raise FormatError(
                f"A validation result of format {data.get('format')!r} was given; this version "
                f"of Myograph reads format {FORMAT}."
            )
        try:
            return cls(
                **{name: data[name] for name in _PLAIN},
                classes=tuple(data["classes"]),
                selection=dict(data.get("selection", {})),  # results of 0.1 may lack it
                tuning=dict(data.get("tuning", {})),
                notes=tuple(data["notes"]),
                dropped=tuple((what, why) for what, why in data["dropped"]),
                metrics=_from_estimates(data["metrics"]),
                ladder=_from_estimates(data["ladder"]),
                gain=_from_estimates(data["gain"]),
                comparisons=tuple(Comparison.from_dict(c) for c in data.get("comparisons", ())),
                per_class={k: _from_estimates(v) for k, v in data["per_class"].items()},
                confusion=_matrix(data["confusion"]),
                audits=tuple(Audit(**audit) for audit in data["audits"]),
                confounds=_confounds(data.get("confounds")),
                trust=Trust.from_dict(data["trust"]) if data.get("trust") else None,
                refusals=Refusals.from_dict(data["refusals"]) if data.get("refusals") else None,
                subgroups=tuple(Subgroup.from_dict(each) for each in data.get("subgroups", ())),
                sites=Heterogeneity.from_dict(data["sites"]) if data.get("sites") else None,
                robustness=_robustness(data.get("robustness")),
            )
        except (KeyError, TypeError) as error:
            raise FormatError(f"This is not a whole validation result: {error}.") from error

    def save(self, folder: str | Path, *, force: bool = False) -> Path:
        """Write ``result.json``, ``run.json``, ``split.json``, ``predictions.npz`` into ``folder``.

        ``result.json`` is the same, byte for byte, for the same seed, data and versions.
        """
        folder = Path(folder)
        target = folder / "result.json"
        if target.exists() and not force:
            raise OutputExistsError(
                f"{target} is already there and is kept; give force=True (--force) to replace "
                "it, or another folder."
            )
        folder.mkdir(parents=True, exist_ok=True)
        if self.predictions is not None:
            write_bytes(folder / "predictions.npz", _npz(self.predictions))
        if self.manifest is not None:
            self.manifest.save(folder / "split.json", force=True)
        write_text(folder / "run.json", _json(self.run.to_dict()))
        write_text(target, _json(self.to_dict()))
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> ValidationResult:
        """Read what `save` wrote, without predictions."""
        path = Path(folder) / "result.json"
        try:
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise FormatError(f"{path} cannot be read as a validation result: {error}.") from error


#: Fields that are plain data as they stand.
_PLAIN = (
    "task",
    "headline",
    "config",
    "split",
    "data",
    "seed",
    "per_person",
    "distribution",
    "chance",
    "environment",
)


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def _estimates(estimates: Mapping[str, Estimate]) -> dict[str, dict[str, Any]]:
    # An end at infinity ("nothing is known") has no number in JSON.
    return {
        name: {k: None if v in (math.inf, -math.inf) else v for k, v in e.to_dict().items()}
        for name, e in estimates.items()
    }


def _from_estimates(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Estimate]:
    return {
        name: Estimate(
            e["value"],
            -math.inf if e["low"] is None else e["low"],
            math.inf if e["high"] is None else e["high"],
            e["evidence"],
            e["n"],
        )
        for name, e in data.items()
    }


def _confounds(data: Mapping[str, Any] | None) -> Confounds | None:
    return None if data is None else Confounds.from_dict(data)  # results of 0.1 may lack them


def _robustness(data: Mapping[str, Any] | None) -> Robustness | None:
    return None if data is None else Robustness.from_dict(data)


def _matrix(rows: list[list[int]]) -> NDArray[np.int64]:
    return np.array(rows, dtype=np.int64).reshape(len(rows), len(rows))


def _npz(predictions: Predictions) -> bytes:
    buffer = io.BytesIO()
    index = predictions.index
    np.savez_compressed(
        buffer,
        rows=predictions.rows,
        fold=predictions.fold,
        output=predictions.output,
        subject=index.subject,
        session=index.session,
        trial=index.trial,
        start_s=index.start_s,
        stop_s=index.stop_s,
        label=index.label,
    )
    return buffer.getvalue()
