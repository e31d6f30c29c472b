"""The page of a patient's twin."""

from __future__ import annotations

import numpy as np
import pytest

from myograph.report.patient_twin import twin_page
from myograph.twin.inference import fit
from myograph.twin.posterior import LIMITS, TREATED
from myograph.twin.visit import MEASURES, Observations
from myograph.twin.whatif import what_if


@pytest.fixture(scope="module")
def twin():
    values = {"cmap_mv": [9.0, 8.0, 7.5, 6.5], "mvc_n": [20, np.nan, 17, 14]}
    seen = Observations([0, 3, 6, 9], values, pseudonym="<b>p07</b>")
    return fit(seen, seed=1, particles=150)


def test_a_page_says_everything_and_its_limits(twin):
    page = twin_page(twin)
    assert page == twin_page(twin)
    assert page.count("<svg") == 2
    assert "&lt;b&gt;p07" in page
    assert "<b>p07" not in page
    for limit in LIMITS:
        assert limit.split(":")[0].replace("'", "&#x27;") in page
    # Every picture carries the words, and so does its caption.
    for picture in page.split("<figure>")[1:]:
        assert picture.split("</figure>")[0].count("Research model, verified on simulated") == 2


def test_a_page_with_what_would_happen(twin):
    found = what_if(twin, {"riluzole": "riluzole", "both": ["riluzole", "tofersen"]}, months=12)
    page = twin_page(twin, found, written="today")
    assert page.count("<svg") == 4
    assert TREATED.split(";")[0] in page
    assert "as it goes on" in page
    assert 'id="written">today' in page
    assert twin_page(twin, what_if(twin, {}, months=12)).count("<svg") == 3


def test_a_single_visit_of_every_measure_can_be_drawn():
    values = {name: [np.sqrt(max(m.low, 1) * m.high)] for name, m in MEASURES.items()}
    values |= {"cmap_mv": [8.0], "munix": [100.0], "score_percent": [80.0], "mvc_n": [20.0]}
    values |= {"muap_size_index": [0.7], "decrement_percent": [2.0], "mdf_fall_percent": [4.0]}
    values |= {"muap_amplitude_uv": [700.0], "rate_mvc_hz": [31.0], "rate_hz": [15.0]}
    values |= {"muap_duration_ms": [9.0], "mdf_hz": [130.0], "jitter_us": [18.0]}
    values.pop("musix_uv")
    twin = fit(Observations([0.0], values), seed=1, particles=150)
    assert twin_page(twin).count("<svg") == 2
