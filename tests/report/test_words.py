"""Words: figures as people read them."""

from __future__ import annotations

import math

import pytest

from myograph.core.decision import Estimate
from myograph.report.words import Measure, amount, in_order, pipeline_words, plural, split_words
from myograph.validate.splits import SPLITS


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("accuracy", 0.7534, "75.3 %"),
        ("balanced_accuracy", 1.0, "100.0 %"),
        ("person_accuracy", 0.5, "50.0 %"),
        ("roc_auc", 0.9567, "0.957"),
        ("r2", -0.25, "−0.250"),
        ("mae", 123.456, "123.46"),
        ("mae", 12345.6, "12346"),
        ("accuracy", None, "–"),
        ("r2", math.nan, "–"),
    ],
)
def test_values(key: str, value: float | None, told: str) -> None:
    assert Measure(key).value(value) == told


def test_a_loss_has_a_real_minus() -> None:
    assert Measure("accuracy").gain(-0.027) == "−2.7"
    assert Measure("r2").gain(0.1) == "+0.100"


def test_an_unknown_metric_is_still_named() -> None:
    assert Measure("target_rate").name == "target rate"


def test_told() -> None:
    estimate = Estimate(0.75, 0.7, 0.8, evidence="person", n=19)
    assert Measure("accuracy").told(estimate) == "75.0 % (70.0 to 80.0)"


@pytest.mark.parametrize(
    ("n", "noun", "told"),
    [(1, "person", "1 person"), (0, "person", "0 people"), (2, "recording", "2 recordings")],
)
def test_plural(n: int, noun: str, told: str) -> None:
    assert plural(n, noun) == told


@pytest.mark.parametrize(
    ("value", "told"), [(2254.0, "2250"), (0.012345, "0.0123"), (1.5, "1.5"), (0.0, "0")]
)
def test_amount(value: float, told: str) -> None:
    assert amount(value) == told


@pytest.mark.parametrize("name", sorted(SPLITS))
def test_every_split_has_its_sentence(name: str) -> None:
    told = split_words({"name": name, "parameters": {}})
    assert "saved split" not in told
    assert told.endswith(".")


def test_a_saved_split_is_said_to_be_one() -> None:
    assert "saved split 'mine.json'" in split_words({"name": "mine.json"})


def test_parameters_of_a_split_are_filled_in() -> None:
    told = split_words({"name": "group-k-fold", "parameters": {"n_folds": 5}})
    assert "5 groups" in told


def test_in_order() -> None:
    assert list(in_order({"b": 1, "a": 2, "z": 3, "c": 4}, ["z", "c"])) == ["z", "c", "a", "b"]


def test_stations_of_a_pipeline() -> None:
    told = dict(
        pipeline_words(
            {
                "steps": [],
                "windowing": {
                    "length_ms": 200.0,
                    "step_ms": 50.0,
                    "transition_ms": 100.0,
                    "rest": "drop",
                    "rest_labels": ["rest"],
                },
                "features": ["mav"],
                "model": {"name": "lda"},
            }
        )
    )
    assert told["filters"] == "none: the signal as recorded"
    assert told["windows"] == (
        "200 ms long, one every 50 ms; 100 ms left out at both ends of every event; without rest"
    )
    assert "scaling" not in told
