"""Checklists: every item has its answer or says whose it is, and none is invented."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from myograph.core.errors import ParameterError
from myograph.report.change_plan import CHANGE_PLAN
from myograph.report.checklist import AUTHORS, FROM_RUN, GIVEN, PARTLY, Checklist, item
from myograph.report.dataset_sheet import DATASET_SHEET
from myograph.report.facts import LABELS, Evidence, Fact, facts
from myograph.report.model_card import MODEL_CARD, model_card
from myograph.report.probast_ai import PROBAST_AI
from myograph.report.split_sheet import split_sheet
from myograph.report.stard_ai import STARD_AI
from myograph.report.tripod_ai import TRIPOD_AI
from myograph.validate.manifest import SplitManifest
from myograph.validate.result import ValidationResult

Make = Callable[..., ValidationResult]
ALL = (TRIPOD_AI, PROBAST_AI, STARD_AI, MODEL_CARD, DATASET_SHEET, CHANGE_PLAN)
GUIDELINES = ALL[:3]
SEED = Fact("seed", "7", "result.json: seed")


def _one(facts: str, authors: str) -> Checklist:
    return Checklist("x", "X", (), (item("1", "A", "topic", facts, authors),), "x2020", "10.1/x")


@pytest.mark.parametrize("checklist", ALL, ids=lambda c: c.name)
def test_items_ask_for_facts_that_there_are(checklist: Checklist) -> None:
    for each in checklist.items:
        assert set(each.facts) <= set(LABELS), each
        assert each.facts or each.authors, each
    names = [each.number or each.topic for each in checklist.items]
    assert len(names) == len(set(names))


def test_numbers_of_items_as_published() -> None:
    tripod = {each.number.rstrip("abcdefg") for each in TRIPOD_AI.items}
    assert tripod == {str(n) for n in range(1, 28)}
    numbers = {each.number.rstrip("abcd") for each in STARD_AI.items}
    assert numbers == {str(n) for n in range(1, 41)}
    questions = [each.number for each in PROBAST_AI.items if each.number[-2] == "."]
    assert sum(number.startswith("D") for number in questions) == 16
    assert sum(number.startswith("E") for number in questions) == 18


@pytest.mark.parametrize(
    ("wanted", "authors", "status", "left"),
    [
        ("seed", "", FROM_RUN, ""),
        ("seed", "why", PARTLY, "why"),
        ("seed licence", "", PARTLY, "not in this run: licence of the data"),
        ("licence", "", AUTHORS, "not in this run: licence of the data"),
        ("", "all of it", AUTHORS, "all of it"),
    ],
)
def test_status(wanted: str, authors: str, status: str, left: str) -> None:
    (answer,) = _one(wanted, authors).answer({"seed": SEED})
    assert (answer.status, answer.left) == (status, left)


def test_an_answer_of_the_authors_is_marked_as_theirs() -> None:
    (answer,) = _one("seed", "why").answer({"seed": SEED}, {"1": "because"})
    assert (answer.status, answer.given, answer.left) == (GIVEN, "because", "")
    assert "answered: because" in _one("seed", "why").document({}, {"1": "because"}).to_markdown()


def test_an_answer_to_no_item_is_refused() -> None:
    with pytest.raises(ParameterError, match="item of tripod-ai must be one of"):
        TRIPOD_AI.answer({}, {"99": "x"})


@pytest.mark.parametrize("checklist", GUIDELINES, ids=lambda c: c.name)
def test_without_facts_everything_is_open(checklist: Checklist) -> None:
    assert {answer.status for answer in checklist.answer({})} == {AUTHORS}


@pytest.mark.parametrize("checklist", GUIDELINES, ids=lambda c: c.name)
def test_found_values_are_those_of_the_run(checklist: Checklist, make_result: Make) -> None:
    known = facts(Evidence(make_result()))
    answers = checklist.answer(known)
    assert any(answer.found for answer in answers)
    for answer in answers:
        assert list(answer.found) == [known[key] for key in answer.item.facts if key in known]
    text = checklist.document(known).to_markdown()
    assert "not verified against the primary text" in text.replace("\n", " ")
    assert known["headline"].value in text


def test_no_judgement_on_bias_is_ever_the_runs(make_result: Make) -> None:
    answers = PROBAST_AI.answer(facts(Evidence(make_result())))
    assert FROM_RUN not in {answer.status for answer in answers}
    assert all("judgement" in answer.left for answer in answers)


def test_the_card_says_doubts_before_figures(make_result: Make) -> None:
    evidence = Evidence(make_result())
    card = model_card(evidence, facts(evidence), against=["Beware."])
    headings = [section.heading for section in card.sections]
    assert headings[0] == "Read this first"
    text = card.to_markdown()
    assert "| accuracy | 70.0 % | 65.0 to 75.0 | 3 people |" in text
    assert "| fist | 40 | 110 |" in text
    assert "| p3 | 80.0 % |" in text


def test_the_split_by_name_or_not_known(make_result: Make, manifest: SplitManifest) -> None:
    told = split_sheet(Evidence(make_result(), split=manifest)).to_markdown()
    assert "| p2 | p2 | – | p1, p3 |" in told
    assert manifest.digest() in told
    assert "cannot be shown" in split_sheet(Evidence(make_result())).to_markdown()
