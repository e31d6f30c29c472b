"""The page of an evaluation: complete, safe, accessible, the same for the same result."""

from __future__ import annotations

import math
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from myograph.core.decision import Estimate
from myograph.core.recording import Event
from myograph.report.evaluation import evaluation_page
from myograph.report.material import Material
from myograph.report.signals import Excerpt, Spectrum
from myograph.validate.result import Audit, RunInfo, ValidationResult

HOSTILE = "<script>alert(1)</script>\"'&</svg>"
VOID = {"meta", "path", "use"}


class _Outline(HTMLParser):
    """Tags, headings and identifiers of a page; fails on a tag that is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [given["id"]] if given.get("id") else []
        self.links += [given["href"]] if tag == "a" and given.get("href") else []
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def _estimate(value: float, n: int = 3) -> Estimate:
    return Estimate(value, value - 0.05, value + 0.05, evidence="person", n=n)


def _result(name: str = "fist", person: str = "p10") -> ValidationResult:
    scores = {"p2": 0.6, person: 0.9, "p1": None}
    classes = ("rest", name)
    return ValidationResult(
        task="classification",
        headline="accuracy",
        config={
            "steps": [{"step": "bandpass", "high_hz": 450.0, "low_hz": 20.0}],
            "windowing": {"length_ms": 200.0, "step_ms": 100.0},
            "features": ["hudgins", {"feature": "wamp", "threshold": 5.0}],
            "scaling": "person",
            "model": {"name": name, "params": {"cost": 1.0}},
        },
        split={
            "name": "leave-one-subject-out",
            "scope": "across people",
            "parameters": {},
            "folds": 3,
            "fingerprint": "f00d",
        },
        data={"name": name, "digest": "beef", "windows": 1234, "people": 3},
        seed=5,
        classes=classes,
        per_person={"accuracy": scores, "f1": scores},
        metrics={"f1": _estimate(0.7), "accuracy": _estimate(0.75)},
        audits=(Audit("people", True, f"Nobody {name}."),),
        per_class={k: {"f1": _estimate(0.7), "recall": _estimate(0.7)} for k in classes},
        distribution={"accuracy": {"min": 0.6, "q1": 0.65, "median": 0.75, "q3": 0.8, "max": 0.9}},
        confusion=np.array([[30, 10], [5, 35]]),
        chance=0.5,
        ladder={"random-forest": _estimate(0.74), "majority": _estimate(0.5)},
        gain={"majority": Estimate(0.25, -0.01, math.inf, evidence="person", n=3)},
        notes=(f"A note about {name}.",),
        dropped=((f"recording {name}", "the same samples as another"),),
        environment={"numpy": "2", "myograph": "0.1.0"},
        run=RunInfo(seconds=12.0),
    )


def _material(name: str = "fist") -> Material:
    samples = np.sin(np.arange(400.0)).reshape(2, 200).astype(np.float32)
    event = Event(0.1, 0.5, name)
    return Material(
        about={
            "name": name,
            "title": f"title {name}",
            "licence": f"licence {name}",
            "citation": f"cite {name}",
            "sources": [f"source {name}"],
            "defects": [f"defect {name}"],
            "notes": [f"note {name}"],
            "digest": "cafe",
        },
        excerpts=(Excerpt(name, (name, "b"), ("uV", "uV"), samples, 200.0, 0.0, (event,)),),
        spectra=(Spectrum(name, np.arange(1.0, 9.0), np.ones(8), "uV²/Hz"),),
        person_intervals={"p2": (0.5, 0.7)},
        command=f"myograph evaluate --data '{name}'",
    )


def test_everything_a_reader_needs_is_there() -> None:
    page = evaluation_page(_result(), _material(), written="today")
    for told in (
        "75.0 %",
        "95 % confidence interval 70.0 to 80.0 %, over people, not over windows",
        "chance 50.0 %",
        "licence fist",
        "cite fist",
        "the same samples as another",
        "f00d",
        "beef",
        "cafe",
        "bandpass (low_hz = 20, high_hz = 450)",
        "wamp (threshold = 5)",
        "unlabelled adaptation",
        "200 ms long, one every 100 ms",
        "not a medical device",
        "A note about fist.",
        "myograph 0.1.0, numpy 2",
        "had never seen anything of this person",
        "Written today. The evaluation took 12.0 s.",
    ):
        assert told in page, told


def test_hostile_names_are_text_everywhere() -> None:
    plain = _Outline(evaluation_page(_result(), _material()))
    spoiled = evaluation_page(_result(HOSTILE, HOSTILE), _material(HOSTILE))
    assert "<script" not in spoiled
    assert _Outline(spoiled).tags == plain.tags


def test_the_page_is_well_formed_and_can_be_walked() -> None:
    outline = _Outline(evaluation_page(_result(), _material()))
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert {link[1:] for link in outline.links} <= set(outline.ids)
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    steps = np.diff(outline.headings)
    assert steps.max() <= 1  # no level is skipped


def test_order_does_not_depend_on_the_file() -> None:
    result = _result()
    turned = replace(
        result,
        metrics=dict(reversed(result.metrics.items())),
        ladder=dict(reversed(result.ladder.items())),
        per_class=dict(reversed(result.per_class.items())),
        per_person={k: dict(reversed(v.items())) for k, v in result.per_person.items()},
    )
    page = evaluation_page(result, _material())
    assert page == evaluation_page(turned, _material())
    rows = [page.index(f'<th scope="row">{person}<') for person in ("p1", "p2", "p10")]
    assert rows == sorted(rows)


def test_only_one_element_tells_the_time() -> None:
    first = evaluation_page(_result(), _material(), written="today")
    second = evaluation_page(
        replace(_result(), run=RunInfo(seconds=99.0)), _material(), written="tomorrow"
    )
    assert first != second
    head, _, tail = first.partition('<p id="written">')
    other_head, _, other_tail = second.partition('<p id="written">')
    assert head == other_head
    assert tail.partition("</p>")[2] == other_tail.partition("</p>")[2]


def test_a_failed_audit_is_said_first() -> None:
    failed = replace(_result(), audits=(Audit("people", False, "p1 is on both sides."),))
    page = evaluation_page(failed, _material())
    assert page.index("Do not rely on the figures below: people failed") < page.index("75.0 %")
    assert "Do not rely" not in evaluation_page(_result(), _material())


def test_simulated_people_are_called_so() -> None:
    material = replace(_material(), about={**_material().about, "simulated": True})
    page = evaluation_page(_result(), material)
    assert page.count("never clinical performance") == 2
    assert page.index("never clinical performance") < page.index("75.0 %")
    assert "never clinical performance" not in evaluation_page(_result(), _material())


def test_scores_within_people_are_called_so() -> None:
    split = {"name": "repetition", "scope": "within person", "parameters": {}, "folds": 3}
    page = evaluation_page(replace(_result(), split=split), _material())
    assert "people it already knows" in page
    assert "The scores are about people whose data trained the model." in page


def test_a_regression_has_no_confusion_and_no_percent() -> None:
    scores = {"p1": 0.5, "p2": -0.2}
    result = replace(
        _result(),
        task="regression",
        headline="r2",
        classes=(),
        per_person={"r2": scores},
        metrics={"r2": _estimate(0.15, n=2)},
        per_class={},
        confusion=np.zeros((0, 0), dtype=np.int64),
        chance=None,
        ladder={"mean": _estimate(-0.1)},
        gain={},
        distribution={},
    )
    page = evaluation_page(result, _material())
    assert "Class by class" not in page
    assert '<p class="big">0.150</p>' in page


def test_a_page_needs_nothing_but_the_result() -> None:
    page = evaluation_page(_result(), Material())
    assert "What the signals look like" not in page
    assert "myograph evaluate --seed 5" in page


@pytest.mark.parametrize("dropped", [(), (("a", "b"),)])
def test_what_was_left_out_is_always_answered(dropped: tuple[tuple[str, str], ...]) -> None:
    page = evaluation_page(replace(_result(), dropped=dropped), _material())
    assert ("Nothing was left out." in page) == (not dropped)
