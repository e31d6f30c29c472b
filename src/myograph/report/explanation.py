"""The page of an explanation: why this decision, in words, on the signal, how far to trust it."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from myograph.report.gist import faithfulness_rows, summary_sentences
from myograph.report.heat import (
    draw_bars,
    draw_signal,
    evidence_bars,
    faithfulness_curves,
    heated_signal,
)
from myograph.report.html import Html, element, figure, join, listed, page, table
from myograph.report.svg import drawing
from myograph.report.words import plural, signed

if TYPE_CHECKING:
    from myograph.explain.cases import Cases
    from myograph.explain.explained import Explained, Judged
    from myograph.explain.importance import Importance

__all__ = ["explanation_page", "explanation_picture"]

_SIMULATED = (
    "Simulated data: no person was measured. This is engineering verification of the software, "
    "never clinical performance."
)
_NOT_A_DEVICE = (
    "Research software and decision support: not a medical device, and nothing here is a diagnosis."
)
_NOT_A_CAUSE = (
    "An explanation tells what the model listened to. It does not tell whether the model is right, "
    "nor what happened in the muscle."
)
_EVIDENCE = (
    "Evidence about classes is told in log-odds: 0 is undecided between the two classes compared, "
    "+0.7 twice as probable, +2.3 ten times, +4.6 a hundred times. The evidence of a recording is "
    "the mean of that of its windows. Where trees or neighbours vote, half a vote is added to both "
    "classes: thirty that all say no are not odds of one to a million."
)
_COLOURS = (
    "Warm colours and bars speak for the class that is explained, cool ones for the class it is "
    "compared with."
)
_CELLS = (
    "A cell of the signal is judged by taking it away: the channel falls quiet for that moment, "
    "and the model is asked again. Quiet is this person's rest, as the recording's quietest "
    "moments and training people tell it; without training people it is a hundredth of the "
    "amplitude. What says when, and not where, is judged with all channels quiet at that moment."
)
_SHARED = (
    "SHAP values share the evidence among parts so that they sum to the whole; the gap beside them "
    "is what is missing."
)
_JUDGED = (
    "Faithfulness takes parts away, and brings them back, the most important first, and compares "
    "that with random orders; the score is how much further the evidence moves on average along "
    "the way. Where parameters can be shuffled, an explanation must change with them."
)
_READ = (_EVIDENCE, _COLOURS, _CELLS, _SHARED, _JUDGED)
_METHODS = {
    "shap": "SHAP",
    "occlusion": "Occlusion",
    "integrated-gradients": "Integrated gradients",
    "grad-cam": "Grad-CAM",
    "attention": "Attention roll-out",
}
_DPI = 150


def explanation_page(found: Explained, *, written: str = "") -> str:
    """Return the whole page as HTML.

    Parameters
    ----------
    found : Explained
    written : str
        When the page was made.
    """
    body = [
        element("h1", _title(found)),
        element("p", _lead(found), class_="lead"),
        _banner(found),
        _headline(found),
        *(_section(name, *parts) for name, parts in _sections(found)),
        _footer(found, written),
    ]
    return page(_title(found), element("main", *body))


def explanation_picture(found: Explained, *, suffix: str) -> bytes:
    """Return one picture: the signal with what mattered on it, and the bars below.

    Parameters
    ----------
    found : Explained
    suffix : str
        ``".png"`` or ``".svg"``.
    """
    bars = _shown_bars(found)
    n_channels = found.question.layout.n_channels
    height_in = (2.2 + 0.42 * n_channels) * bool(found.heats) + 3.2 * bool(bars) + 0.5
    with drawing("explanation", width_in=9.0, height_in=height_in) as whole:
        whole.suptitle("; ".join([_title(found), *summary_sentences(found)[:1]])[:150], fontsize=9)
        parts = []
        if found.heats:
            parts.append(2.2 + 0.42 * n_channels)
        if bars:
            parts.append(3.2)
        frames = iter(whole.subfigures(len(parts), 1, height_ratios=parts, squeeze=False)[:, 0]
                      if parts else ())  # fmt: skip
        if found.heats:
            draw_signal(next(frames), found, found.heats[0])
        if bars:
            draw_bars(next(frames), bars)
        buffer = io.BytesIO()
        if suffix == ".png":
            whole.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
        else:
            whole.savefig(buffer, format="svg", metadata={"Date": None})
        return buffer.getvalue()


def _title(found: Explained) -> str:
    asked = found.question
    if not asked.target:
        return f"Why {found.evidence:.3g} {asked.unit} of {asked.pipeline.target[0]}"
    if asked.target == asked.decided:
        return f"Why {asked.target!r}"
    return f"What speaks for {asked.target!r}, where the model says {asked.decided!r}"


def _lead(found: Explained) -> str:
    asked = found.question
    index = asked.windows.index
    recording = asked.recording
    who = f" of {recording.subject.pseudonym}" if recording.subject else ""
    session = f", session {recording.session}" if recording.session else ""
    model = asked.pipeline.config.model.name
    return (
        f"The model ({model}) was asked about {plural(len(index), 'window')} between "
        f"{index.start_s[0]:.2f} and {index.stop_s[-1]:.2f} s of a recording{who}{session} "
        f"({asked.layout.n_channels} channels, {recording.fs_hz:g} Hz)."
    )


def _banner(found: Explained) -> Html:
    subject = found.question.recording.subject
    if subject is not None and subject.condition.startswith("simulated"):
        return element("p", _SIMULATED, class_="simulated")
    return Html("")


def _headline(found: Explained) -> Html:
    asked = found.question
    if not asked.target:
        big = f"{found.evidence:.3g} {asked.unit}"
        small = [f"The mean estimate over {plural(len(asked.windows), 'window')}."]
    else:
        big = asked.decided
        order = sorted(
            zip(asked.classes, asked.proba.tolist(), strict=True), key=lambda each: -each[1]
        )
        likely = ", ".join(f"{name} {100 * share:.0f} %" for name, share in order[:4])
        compared = (
            f"Evidence {signed(found.evidence)} log-odds: {asked.target!r} is about "
            f"{_than(found.evidence)} {asked.against!r}."
        )
        small = [f"Probabilities: {likely}.", compared]
        truth = _truth(found)
        if truth:
            small.append(f"The recording itself says: {truth} (the model has not seen that).")
    told = join([element("p", text, class_="small") for text in small])
    return element(
        "div", element("div", big, class_="big"), element("div", told), class_="headline"
    )


def _truth(found: Explained) -> str:
    index = found.question.windows.index
    start_s, stop_s = float(index.start_s.min()), float(index.stop_s.max())
    labels = [
        event.label
        for event in found.question.recording.events
        if event.duration_s > 0 and event.onset_s < stop_s and event.end_s > start_s
    ]
    return ", ".join(dict.fromkeys(labels))


def _sections(found: Explained) -> Iterator[tuple[str, list[Html]]]:
    told = summary_sentences(found)
    if told:
        yield "In short", [listed(told)]
    if found.heats:
        yield "The signal, with what mattered on it", list(_heats(found))
    if found.bars:
        yield "Which muscle, which band, which feature", list(_bars(found))
    if found.counterfactuals:
        sentences = [each.sentence for each in found.counterfactuals]
        limit = (
            "Features of one muscle move together in a body; a change of one alone says what the "
            "model would have needed, not what a person could do."
        )
        yield "What would have to change", [listed(sentences), element("p", limit)]
    if found.cases is not None:
        yield "Similar cases", list(_cases(found.cases))
    if found.importance:
        yield "What the model lives on", list(_importances(found.importance))
    if found.bars or found.heats:
        yield "How far to believe this", list(_belief(found))
    yield "How to read it", [listed([*_READ, _NOT_A_CAUSE, *found.notes])]


def _heats(found: Explained) -> Iterator[Html]:
    for k, judged in enumerate(found.heats):
        drawn = heated_signal(found, judged, name=f"heat{k}")
        sentence = "" if judged.faithfulness is None else f" {judged.faithfulness.sentence}"
        name = _METHODS.get(judged.heat.method, judged.heat.method)
        yield figure(drawn, f"{name}. {judged.heat.note}{sentence}")


def _shown_bars(found: Explained) -> list[Judged]:
    shown = [each for each in found.bars if each.found.about != "feature"]
    single = [each for each in found.bars if each.found.about == "feature"]
    return (shown + single)[:3]


def _bars(found: Explained) -> Iterator[Html]:
    bars = list(found.bars)
    for k in range(0, len(bars), 2):
        pair = bars[k : k + 2]
        notes = " ".join(
            f"By {each.found.about}: {each.found.note}"
            + ("" if each.faithfulness is None else f" {each.faithfulness.sentence}")
            for each in pair
        )
        yield figure(evidence_bars(pair, name=f"bars{k}"), notes)


def _cases(found: Cases) -> Iterator[Html]:
    yield table(
        ["person", "session, repetition", "was", "from", "to", "distance"],
        [
            (
                case.person,
                ", ".join(filter(None, (case.session, case.trial))) or "–",
                case.label,
                f"{case.start_s:.2f} s",
                f"{case.stop_s:.2f} s",
                f"{case.distance:.2f} SD",
            )
            for case in found.nearest
        ],
        caption=(
            f"The nearest of {found.candidates} cases of {plural(found.people, 'person')}, never "
            "of the same person. Distance is the root mean square difference of the features, in "
            f"standard deviations; from a case to its nearest of another person it is usually "
            f"{found.usual:.2f}."
        ),
        numbers_from=3,
    )


def _importances(found: tuple[Importance, ...]) -> Iterator[Html]:
    yield element(
        "p",
        "About the model as a whole, not about this decision: what it loses when the information "
        f"of one part is exchanged {found[0].exchanged}. On people it has learned from this tells "
        "what the model uses, not how well it does on new people.",
    )
    for each in found:
        rows = [
            (name, _loss(loss.value), f"{_loss(loss.low)} to {_loss(loss.high)}")
            for name, loss in zip(each.names, each.losses, strict=True)
        ]
        yield table(
            [each.about, f"loss of {each.metric}", "95 % interval"],
            rows,
            caption=(
                f"By {each.about}; the model as it is reaches {each.score.value:.3f} "
                f"({plural(each.score.n, 'person')}, {plural(each.repeats, 'exchange')})."
            ),
            numbers_from=1,
        )


def _belief(found: Explained) -> Iterator[Html]:
    yield table(
        [
            "explanation",
            "faithfulness",
            "taken away",
            "brought back",
            "shuffled model",
            "gap of the sum",
            "verdict",
        ],
        faithfulness_rows(found),
        caption=(
            "Faithfulness: mean lead over random orders. Taken away, brought back: share of random "
            "orders that are slower (95 % passes). Shuffled model: rank correlation with the "
            "explanations of models whose parameters were shuffled (0.5 at most passes)."
        ),
        numbers_from=1,
    )
    curves = [
        (f"by {each.found.about}", each.faithfulness)
        for each in found.bars
        if each.faithfulness is not None
    ][:2]
    curves += [
        ("on the signal", each.faithfulness) for each in found.heats[:1] if each.faithfulness
    ]
    if curves:
        yield figure(
            faithfulness_curves(curves, name="curves"),
            "The evidence while parts are taken away: a faithful explanation falls below the "
            "random orders (grey: the middle 95 % of them).",
        )


def _section(name: str, *parts: Html) -> Html:
    return element("section", element("h2", name), *parts)


def _footer(found: Explained, written: str) -> Html:
    manifest = found.question.pipeline.manifest or {}
    lines = [_NOT_A_DEVICE]
    if manifest.get("intended_use"):
        lines.append(f"Intended use of the model: {manifest['intended_use']}")
    parts = [element("p", text) for text in lines]
    if written:
        parts.append(element("p", "Written ", element("span", written, id="written"), "."))
    return element("footer", *parts)


def _than(evidence: float) -> str:
    """Say how much more probable one class is than the other.

    Examples
    --------
    >>> _than(0.01), _than(-0.7), _than(6.0)
    ('as probable as', '2 times less probable than', '400 times more probable than')
    """
    factor = math.exp(min(abs(evidence), 13.8))
    times = f"{factor:.2g}" if factor < 10 else f"{float(f'{factor:.2g}'):,.0f}"
    if times == "1":
        return "as probable as"
    return f"{times} times {'more' if evidence > 0 else 'less'} probable than"


def _loss(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
