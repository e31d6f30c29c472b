"""Contest: results of several models on the same people, side by side, and what luck could do.

Only what was measured on the same recordings of the same people, in the same classes and by the
same metric is compared; everything else is refused, with what differs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from myograph.core.checks import unknown_name
from myograph.core.decision import Estimate
from myograph.core.errors import DataError, ParameterError
from myograph.validate.compare import Comparison, compare_models
from myograph.validate.metrics import METRICS
from myograph.validate.result import ValidationResult
from myograph.validate.stats import mean_estimate, resample

__all__ = ["Contest", "Entry", "compare_results"]

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of a contest.

    Parameters
    ----------
    name : str
    config : dict
        Its pipeline, as `ValidationResult.config`.
    estimate : Estimate
        Mean over the people whom all models have a score for.
    people : dict of str to float
        Their scores.
    """

    name: str
    config: dict[str, Any]
    estimate: Estimate
    people: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "name": self.name,
            "config": self.config,
            "estimate": self.estimate.to_dict(),
            "people": self.people,
        }


@dataclass(frozen=True, slots=True)
class Contest:
    """Models compared on the same people.

    Parameters
    ----------
    metric, test, correction : str
    reference : str or None
        What everything was compared with; None: all pairs.
    data : str
        Name of the data.
    simulated : bool
    scope : str
        Of the splits: about people never seen, or people already known.
    entries : tuple of Entry
        In the order given.
    comparisons : tuple of Comparison
    left_out : dict of str to str
        People without a say, and why.
    notes : tuple of str
        What a reader has to know, the gravest first.
    """

    metric: str
    test: str
    correction: str
    reference: str | None
    data: str
    simulated: bool
    scope: str
    entries: tuple[Entry, ...]
    comparisons: tuple[Comparison, ...]
    left_out: dict[str, str]
    notes: tuple[str, ...]

    @property
    def people(self) -> tuple[str, ...]:
        """The people whom all models have a score for."""
        return tuple(self.entries[0].people)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "metric": self.metric,
            "higher_is_better": METRICS[self.metric].higher_is_better,
            "test": self.test,
            "correction": self.correction,
            "reference": self.reference,
            "data": self.data,
            "simulated": self.simulated,
            "scope": self.scope,
            "people": list(self.people),
            "left_out": self.left_out,
            "models": [each.to_dict() for each in self.entries],
            "comparisons": [each.to_dict() for each in self.comparisons],
            "notes": list(self.notes),
        }


def compare_results(  # noqa: PLR0913 - what is compared, and how
    results: Mapping[str, ValidationResult],
    *,
    metric: str | None = None,
    reference: str | None = None,
    test: str = "sign-flip",
    correction: str = "holm",
    shared: bool = False,
    seed: int = 0,
) -> Contest:
    """Compare the models of several results on the same people.

    Parameters
    ----------
    results : mapping of str to ValidationResult
        Name, and what `myograph.validate.run.evaluate` gave.
    metric : str, optional
        The headline of the results by default.
    reference : str, optional
        Compare everything with this one; all pairs if left out.
    test, correction : str
        See `myograph.validate.compare.compare_models`.
    shared : bool
        Compare the people whom all results tested, although some tested others as well.
    seed : int
        Of signs and bootstrap.

    Raises
    ------
    DataError
        If there are fewer than two results, or they are about other classes, people, recordings,
        or another question.
    ParameterError
        If the metric is not in all of them, or the reference is none of them.

    Examples
    --------
    >>> results = {"lda": lda, "forest": forest}  # doctest: +SKIP
    >>> compare_results(results, reference="lda").comparisons[0].corrected  # doctest: +SKIP
    0.0312
    """
    if len(results) < 2:
        raise DataError(
            f"A comparison needs the results of at least 2 models; got {list(results)}."
        )
    if reference is not None and reference not in results:
        raise ParameterError(unknown_name(reference, results, what="reference"))
    _check_question(results)
    _check_people(results, shared=shared)
    _check_recordings(results, shared=shared)
    chosen = _metric(results, metric)
    scores = {name: result.per_person[chosen] for name, result in results.items()}
    kept, left_out = _scored(scores)
    if len(kept) < 2:
        raise DataError(
            f"{len(kept)} people have a {chosen} by every model; comparing them needs at least 2."
        )
    known = {name: {p: float(each[p] or 0.0) for p in kept} for name, each in scores.items()}
    first = next(iter(results.values()))
    return Contest(
        chosen,
        test,
        correction,
        reference,
        str(first.data.get("name", "recordings")),
        bool(first.data.get("simulated")),
        str(first.split.get("scope", "")),
        tuple(
            Entry(name, dict(results[name].config), _mean(chosen, each, seed=seed), each)
            for name, each in known.items()
        ),
        compare_models(known, reference=reference, test=test, correction=correction, seed=seed),
        left_out,
        _notes(results),
    )


def _check_question(results: Mapping[str, ValidationResult]) -> None:
    """Refuse results about other classes, or about people who are known to some models only."""
    (one, first), *others = results.items()
    for name, result in others:
        if result.task != first.task:
            raise DataError(
                f"{one!r} does {first.task} and {name!r} {result.task}; a comparison needs one "
                "question."
            )
        if set(result.classes) != set(first.classes):
            apart = sorted(set(result.classes) ^ set(first.classes))
            raise DataError(
                f"{one!r} and {name!r} tell other classes apart: {apart} stand in one of them "
                "only. Evaluate both on the same labels (windowing.rest, windowing.label_sources)."
            )
        if result.split.get("scope") != first.split.get("scope"):
            raise DataError(
                f"{one!r} was judged {first.split.get('scope')} ({first.split.get('name')}), "
                f"{name!r} {result.split.get('scope')} ({result.split.get('name')}): other "
                "questions. Evaluate both with the same --split."
            )


def _check_people(results: Mapping[str, ValidationResult], *, shared: bool) -> None:
    """Refuse results about other people, and say whom they share."""
    (one, first), *others = results.items()
    for name, result in others:
        mine, theirs = set(first.people), set(result.people)
        both = mine & theirs
        if mine == theirs:
            continue
        if not both:
            raise DataError(
                f"{one!r} tested {_named(mine)} of {first.data.get('name')}, {name!r} tested "
                f"{_named(theirs)} of {result.data.get('name')}: no person is in both, so there is "
                "nothing to compare person by person."
            )
        if not shared:
            apart = [
                f"only {where!r} tested {_named(who)}"
                for where, who in ((one, mine - theirs), (name, theirs - mine))
                if who
            ]
            raise DataError(
                f"{one!r} and {name!r} share {_named(both)}; {' and '.join(apart)}. Their models "
                "learned from other people too, so part of a difference may be that. Evaluate both "
                "on the same people (--people), or compare the shared ones knowing this "
                "(shared=True, --shared)."
            )


def _check_recordings(results: Mapping[str, ValidationResult], *, shared: bool) -> None:
    (one, first), *others = results.items()
    for name, result in others:
        if set(result.people) != set(first.people) and shared:
            same = result.data.get("name") == first.data.get("name")
        elif first.data.get("tested_digest") and result.data.get("tested_digest"):
            same = first.data["tested_digest"] == result.data["tested_digest"]
        else:  # results of 0.1 may lack it
            same = all(first.data.get(k) == result.data.get(k) for k in ("name", "recordings"))
        if not same:
            raise DataError(
                f"{one!r} is about {_data(first)}, {name!r} about {_data(result)}: people of the "
                "same names, and other recordings. Evaluate both on the same data."
            )


def _data(result: ValidationResult) -> str:
    told = f"{result.data.get('name')}, {result.data.get('recordings')} recordings"
    digest = result.data.get("tested_digest")
    return f"{told} (digest {digest[:12]})" if digest else told


def _metric(results: Mapping[str, ValidationResult], metric: str | None) -> str:
    in_all = [
        key
        for key in next(iter(results.values())).per_person
        if all(key in result.per_person for result in results.values())
    ]
    if metric is not None:
        if metric not in in_all:
            raise ParameterError(
                unknown_name(metric, in_all, what="A metric that every result has for each person")
            )
        return metric
    headlines = {result.headline for result in results.values()}
    if len(headlines) > 1:
        raise ParameterError(
            f"The results are headed by other metrics, {sorted(headlines)}; name one that all "
            f"have: {in_all} (metric=, --metric)."
        )
    return headlines.pop()


def _scored(
    scores: Mapping[str, Mapping[str, float | None]],
) -> tuple[list[str], dict[str, str]]:
    """Return the people with a score by every model, and why others have none."""
    everybody = list(dict.fromkeys(person for each in scores.values() for person in each))
    left_out: dict[str, str] = {}
    for person in everybody:
        missing = [
            name
            for name, each in scores.items()
            if (value := each.get(person)) is None or not math.isfinite(value)
        ]
        if missing:
            left_out[person] = f"no score by {', '.join(missing)}"
    return [person for person in everybody if person not in left_out], left_out


def _mean(metric: str, people: Mapping[str, float], *, seed: int) -> Estimate:
    found = mean_estimate(
        list(people.values()),
        resample(len(people), seed=seed),
        evidence="person",
        bounds=METRICS[metric].bounds,
    )
    if found is None:
        raise DataError("Nobody has a score; there is nothing to compare.")
    return found


def _notes(results: Mapping[str, ValidationResult]) -> tuple[str, ...]:
    told = []
    for name, result in results.items():
        failed = [audit.name for audit in result.audits if not audit.passed]
        if failed:
            told.append(
                f"Do not rely on this comparison: {name} failed the audits {', '.join(failed)}."
            )
    for name, result in results.items():
        if result.confounds is not None and result.confounds.warning:
            told.append(f"{name}: {result.confounds.warning}")
    if len({result.split.get("fingerprint") for result in results.values()}) > 1:
        splits = ", ".join(f"{n} {r.split.get('name')}" for n, r in results.items())
        told.append(
            f"The folds differ ({splits}): models learned from other people too, and part of a "
            "difference may be that. --split FOLDER/split.json takes the same folds."
        )
    if len({(r.data.get("windows_tested")) for r in results.values()}) > 1:
        counts = ", ".join(f"{n} {r.data.get('windows_tested')}" for n, r in results.items())
        told.append(f"The recordings were cut into different windows ({counts}).")
    if (
        len({result.people for result in results.values()}) > 1
        and len({frozenset(result.people) for result in results.values()}) > 1
    ):
        told.append(
            "The results are about different people; only those in all of them are compared."
        )
    versions = {result.environment.get("myograph") for result in results.values()}
    if len(versions) > 1:
        told.append(
            f"The results are by different versions of Myograph: {sorted(map(str, versions))}."
        )
    return tuple(told)


def _named(people: Sequence[str] | set[str]) -> str:
    names = sorted(people)
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return f"{len(names)} {'person' if len(names) == 1 else 'people'} ({shown})"
