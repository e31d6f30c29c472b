"""Figures: valid, the same for the same data, told in words, safe with any name."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from myograph.core.decision import Estimate
from myograph.core.recording import Event
from myograph.report.figures import Rung, confusion_matrix, ladder, people_scores, short
from myograph.report.signals import Excerpt, Spectrum, signal_traces, spacing, spectra, thinned
from myograph.report.words import Measure

SVG = "{http://www.w3.org/2000/svg}"
ACCURACY = Measure("accuracy")
HOSTILE = "</svg><script>alert(1)</script>$\\frac{"


def _root(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own text


def _estimate(value: float) -> Estimate:
    return Estimate(value, value - 0.05, value + 0.05, evidence="person", n=3)


def _people(names: tuple[str, str, str] = ("p1", "p2", "p3")) -> str:
    scores = dict(zip(names, (0.6, 0.9, 0.75), strict=True))
    return people_scores(
        scores,
        measure=ACCURACY,
        estimate=_estimate(0.75),
        chance=0.25,
        intervals={names[0]: (0.5, 0.7)},
    )


def _ladder(name: str = "majority") -> str:
    rungs = [Rung("lda", _estimate(0.75), ours=True), Rung(name, _estimate(0.3))]
    return ladder(rungs, measure=ACCURACY, chance=0.25)


def _confusion(name: str = "fist") -> str:
    return confusion_matrix(["rest", name], np.array([[9, 1], [5, 5]]))


def _signal(name: str = "emg1") -> str:
    samples = np.sin(np.arange(200.0))[None].astype(np.float32)
    event = Event(0.1, 0.3, name)
    return signal_traces(Excerpt(name, (name,), ("uV",), samples, 200.0, 0.0, (event,)))


def _spectrum(name: str = "emg1") -> str:
    frequency_hz = np.arange(1.0, 100.0)
    return spectra([Spectrum(name, frequency_hz, 1 / frequency_hz, "uV²/Hz")] * 2, title=name)


FIGURES: list[Callable[..., str]] = [_people, _ladder, _confusion, _signal, _spectrum]


@pytest.mark.parametrize("draw", FIGURES)
def test_a_figure_is_one_labelled_svg_element(draw: Callable[..., str]) -> None:
    root = _root(draw())
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    title = root.find(f"{SVG}title")
    assert title is not None
    assert root.get("aria-labelledby") == title.get("id")
    assert len(title.text or "") > 20


@pytest.mark.parametrize("draw", FIGURES)
def test_the_same_data_give_the_same_bytes(draw: Callable[..., str]) -> None:
    assert draw() == draw()


@pytest.mark.parametrize("draw", FIGURES)
def test_identifiers_are_unique_and_references_resolve(draw: Callable[..., str]) -> None:
    text = draw()
    root = _root(text)
    names = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(names) == len(set(names))
    wanted = [e.get("href", "")[1:] for e in root.iter(f"{SVG}use")]
    assert set(wanted) <= set(names)
    assert "<style" not in text


@pytest.mark.parametrize("draw", [_ladder, _confusion, _signal, _spectrum])
def test_a_hostile_name_is_text(draw: Callable[..., str]) -> None:
    text = draw(HOSTILE)
    tags = {element.tag for element in _root(text).iter()}
    assert f"{SVG}script" not in tags
    assert "<script" not in text


def test_hostile_people_are_text() -> None:
    assert "<script" not in _people((HOSTILE, "b", "c"))


def test_people_are_told_from_lowest_to_highest() -> None:
    assert "from 60.0 % (p1) to 90.0 % (p2); the mean is 75.0 % (70.0 to 80.0)" in _people()


def test_confusion_is_in_percent_of_the_truth() -> None:
    text = _confusion()
    assert "rest 90 %; fist 50 %" in text
    assert ">90</text>" in text
    assert ">50</text>" in text


def test_confusion_of_a_class_without_windows() -> None:
    assert "b 0 %" in confusion_matrix(["a", "b"], np.array([[3, 0], [0, 0]]))


def test_regression_figures_have_no_percent() -> None:
    text = people_scores(
        {"p1": -0.4, "p2": 0.6}, measure=Measure("r2"), estimate=_estimate(0.1), chance=None
    )
    assert "%" not in text.partition("</title>")[0]


def test_thinning_keeps_the_extremes() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(2, 100_000)).astype(np.float32)
    thin, fs_hz = thinned(samples, 2000.0)
    assert thin.shape[1] <= 1400
    np.testing.assert_allclose(thin.shape[1] / fs_hz, 50.0, rtol=0.01)
    np.testing.assert_array_equal(thin.max(axis=1), samples[:, :].max(axis=1))
    np.testing.assert_array_equal(thin.min(axis=1), samples[:, :].min(axis=1))


def test_short_signals_are_not_thinned() -> None:
    samples = np.ones((1, 500), dtype=np.float32)
    assert thinned(samples, 200.0) == (pytest.approx(samples), 200.0)


def test_silence_has_a_height() -> None:
    assert spacing(np.zeros((2, 10), dtype=np.float32)) == 1.0


@pytest.mark.parametrize(("text", "told"), [("fist", "fist"), ("x" * 30, "x" * 21 + "…")])
def test_short(text: str, told: str) -> None:
    assert short(text) == told
