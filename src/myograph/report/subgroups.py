"""Scores of groups of people: the table of a report and of a terminal, and its words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from myograph.report.html import Html, element, table
from myograph.report.words import Measure, plural

if TYPE_CHECKING:
    from myograph.core.decision import Estimate
    from myograph.validate.heterogeneity import Heterogeneity
    from myograph.validate.subgroups import Subgroup

__all__ = ["site_words", "subgroup_parts", "subgroup_rows", "subgroup_words"]

_SMALL = "few people: shown, not to be relied on"


def subgroup_rows(
    subgroups: Sequence[Subgroup], headline: str
) -> list[tuple[str, str, str, str, str, str]]:
    """Return one row per group: factor, level, people, figure, difference, a word of caution."""
    measure = _measure(headline)
    return [
        (
            each.factor,
            each.level,
            str(each.people),
            "" if each.score is None else measure.told(each.score),
            "" if each.difference is None else _difference(each.difference, measure),
            _SMALL if each.small else "",
        )
        for each in subgroups
    ]


def subgroup_parts(
    subgroups: Sequence[Subgroup], headline: str, sites: Heterogeneity | None = None
) -> Iterator[Html]:
    """Return what is said between sites, and the table."""
    if sites is not None:
        yield element("p", site_words(sites, headline))
    if not subgroups:
        return
    yield table(
        ["known", "group", "people", _name(headline), "than everybody else", ""],
        subgroup_rows(subgroups, headline),
        caption="The figure in every group that the headers tell apart, mean over its people with "
        "its 95 % interval.",
        numbers_from=2,
    )


def site_words(sites: Heterogeneity, headline: str) -> str:
    """Say how much sites differ, each judged by models that have not seen it."""
    measure = Measure(headline)
    told = (
        f"Pooled over {sites.pooled.n} sites that the models had not seen, {measure.name} "
        f"{measure.told(sites.pooled)}; {100 * sites.i_squared:.0f} % of the variation between "
        f"sites is more than chance (I²; p {sites.p:.3f})."
    )
    if sites.prediction is not None:
        low, high = (measure.value(each) for each in sites.prediction)
        told += f" A further site is expected between {low} and {high} (95 %)."
    if sites.left_out:
        told += f" Not in it, for want of people who differ: {', '.join(sites.left_out)}."
    return told


def subgroup_words(subgroups: Sequence[Subgroup], headline: str) -> str:
    """Say the same in one line, small groups marked."""
    measure = _measure(headline)
    return "; ".join(
        f"{each.factor} {each.level} ({plural(each.people, 'person')}"
        f"{', few' if each.small else ''}): "
        + ("no score" if each.score is None else f"{_name(headline)} {measure.told(each.score)}")
        for each in subgroups
    )


def _measure(headline: str) -> Measure:
    return Measure("mae" if headline == "r2" else headline)


def _name(headline: str) -> str:
    return _measure(headline).name


def _difference(difference: Estimate, measure: Measure) -> str:
    if max(-difference.low, difference.high) == float("inf"):
        return f"{measure.gain(difference.value)} (one person)"
    ends = f"{measure.gain(difference.low)} to {measure.gain(difference.high)}"
    return f"{measure.gain(difference.value)} ({ends})"
