"""The page of an explanation: its sentences keep to what was not found wanting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from myograph.core.recording import Event
from myograph.explain.explainer import explain_question
from myograph.explain.question import Stretch, ask
from myograph.pipeline.pipeline import Pipeline
from myograph.report.explanation import explanation_page, explanation_picture
from myograph.report.gist import faithfulness_rows, summary_sentences


@pytest.fixture
def pipeline(make_recording):
    recordings = []
    for k in range(3):
        recording = make_recording(subject=f"p{k}", n_channels=1, fs_hz=500.0)
        samples = recording.samples.copy()
        for event in recording.events[1::2]:
            first, last = (round(t * 500) for t in (event.onset_s, event.end_s))
            samples[:, first:last] *= 5
        recordings.append(replace(recording, samples=samples))
    fitted = Pipeline({"features": ["hudgins"], "scaling": "standard", "model": {"name": "lda"}})
    return fitted.fit(fitted.prepare(recordings)), recordings[0]


def test_one_channel_is_told_by_band(pipeline):
    fitted, recording = pipeline
    question = ask(fitted, recording, stretch=Stretch(start_s=1.0, stop_s=2.0))
    found = explain_question(question, method="shap")
    assert [each.found.about for each in found.bars] == ["band"]
    assert found.heats[0].heat.names[0].endswith("Hz")
    page = explanation_page(found, written="today")
    assert "Why &#x27;fist&#x27;" in page
    assert page.count("<svg") >= 3
    assert explanation_page(found, written="today") == page
    assert explanation_picture(found, suffix=".png")[:4] == b"\x89PNG"


def test_labels_are_text_and_never_markup(pipeline):
    fitted, recording = pipeline
    strange = recording.with_events([Event(0.5, 1.5, "<script>x</script>", "protocol")])
    found = explain_question(ask(fitted, strange), method="occlusion")
    assert "<script>" not in explanation_page(found)


def test_doubtful_explanations_are_named_and_not_told(pipeline):
    fitted, recording = pipeline
    question = ask(fitted, recording, stretch=Stretch(start_s=1.0, stop_s=2.0))
    found = explain_question(question, method="shap")
    wrong = found.bars[0]
    upside_down = replace(wrong.found, values=-wrong.found.values)
    from myograph.explain.faithfulness import Faithfulness, Randomisation, judge
    from myograph.explain.parts import bands_of
    from myograph.explain.signal_game import BandGame

    game = BandGame(question, bands_of(fitted, 500.0))
    judged = replace(wrong, found=upside_down, faithfulness=judge(game, upside_down.values))
    told = " ".join(summary_sentences(replace(found, bars=(judged,), heats=())))
    assert "no better than chance on this recording: the explanation by band (shap)." in told
    assert "spoke for it most" not in told
    fast = replace(judged.faithfulness.deletion, evidence=np.zeros(6), random=np.ones((20, 6)))
    slow = replace(judged.faithfulness.insertion, evidence=np.ones(6), random=np.zeros((20, 6)))
    same = Faithfulness(fast, slow, "log-odds", Randomisation(alike=(0.9,)))
    assert not same.faithful
    told = " ".join(
        summary_sentences(replace(found, bars=(replace(wrong, faithfulness=same),), heats=()))
    )
    assert "models with shuffled parameters get nearly the same: the explanation by band" in told
    assert "chance" not in told
    assert faithfulness_rows(replace(found, bars=(judged,)))[0][-1] == "not to be relied on"
    assert np.isfinite(judged.faithfulness.score)
