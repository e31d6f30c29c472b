"""The gist of an explanation in sentences and rows, for pages, pictures and the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from myograph.report.words import signed

if TYPE_CHECKING:
    from myograph.explain.explained import Explained, Judged, JudgedHeat
    from myograph.explain.explanation import Heat
    from myograph.explain.faithfulness import Faithfulness

__all__ = ["faithfulness_rows", "summary_sentences"]


def summary_sentences(found: Explained) -> list[str]:
    """Say what mattered most, in a few sentences; only what was not found wanting."""
    told = []
    strongest = []
    for each in found.bars:
        if each.found.about == "feature" or _doubtful(each.faithfulness):
            continue
        name, value = max(
            zip(each.found.names, each.found.values.tolist(), strict=True), key=lambda part: part[1]
        )
        if value > 0:
            strongest.append(f"{each.found.about} {name} ({signed(value)} {each.found.unit})")
    if strongest:
        told.append(f"What spoke for it most: {', '.join(strongest)}.")
    if found.heats and not _doubtful(found.heats[0].faithfulness):
        told.append(_loudest(found.heats[0].heat))
    told += [each.sentence for each in found.counterfactuals if each.found]
    if found.cases is not None and found.cases.nearest:
        nearest = found.cases.nearest[0]
        told.append(
            f"It resembles {nearest.person} most, who did {nearest.label!r} (distance "
            f"{nearest.distance:.2f} SD; usual between people {found.cases.usual:.2f})."
        )
    return [*told, *_doubts(found)]


def _doubts(found: Explained) -> list[str]:
    """Say which explanations are not to be relied on, by the reason."""
    named = [(_by(each), each.faithfulness) for each in found.bars]
    named += [(_on(each), each.faithfulness) for each in found.heats]
    doubtful = [(name, judged) for name, judged in named if judged and not judged.faithful]
    chance = [name for name, judged in doubtful if not _better(judged)]
    same = [name for name, judged in doubtful if _better(judged)]
    reasons = {
        "no better than chance on this recording": chance,
        "models with shuffled parameters get nearly the same": same,
    }
    return [
        f"Not to be relied on, because {why}: the explanation {', '.join(names)}."
        for why, names in reasons.items()
        if names
    ]


def _better(judged: Faithfulness) -> bool:
    return judged.deletion.better and judged.insertion.better


def _by(each: Judged) -> str:
    return f"by {each.found.about} ({each.found.method})"


def _on(each: JudgedHeat) -> str:
    return f"on the signal ({each.heat.method})"


def _loudest(heat: Heat) -> str:
    """Say which moment mattered most, and where if the way of explaining says it."""
    channel, start_s, stop_s, value = heat.strongest()
    when = f"{start_s:.2f} to {stop_s:.2f} s"
    if not heat.where:
        return f"The moment that was looked at most: {when}."
    way = "for" if value >= 0 else "against"
    return f"The single moment that spoke loudest, {way} it: {channel}, {when}."


def faithfulness_rows(found: Explained) -> list[tuple[str, ...]]:
    """Return one row per explanation: what, score, both checks, randomisation, sum, verdict."""
    rows: list[tuple[str, ...]] = []
    everything = [(_by(each), each.faithfulness, each.found.gap) for each in found.bars]
    everything += [(_on(each), each.faithfulness, each.heat.gap) for each in found.heats]
    for what, judged, gap in everything:
        missing = "–" if gap is None else f"{abs(gap):.1g}"
        if judged is None:
            rows.append((what, "–", "–", "–", "–", missing, "too few parts to judge"))
            continue
        alike = judged.randomisation.mean
        rows.append(
            (
                what,
                f"{signed(judged.score)} {judged.unit}",
                f"{100 * judged.deletion.beaten:.0f} %",
                f"{100 * judged.insertion.beaten:.0f} %",
                "not asked" if alike is None else f"{alike:.2f}".replace("-", "−"),
                missing,
                "faithful" if judged.faithful else "not to be relied on",
            )
        )
    return rows


def _doubtful(judged: Faithfulness | None) -> bool:
    return judged is not None and not judged.faithful
