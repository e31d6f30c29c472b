import re

import numpy as np
import pytest

from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import KIND_UNITS, Channel, Layout
from myograph.core.recording import Recording
from myograph.preprocess.bands import BANDS, BandStep, Drift, band_remarks
from myograph.preprocess.filtering import Bandpass


def layout_of(kind, fs_hz):
    return Layout(fs_hz, (Channel("a", kind=kind), Channel("go", kind="trigger")))


@pytest.mark.parametrize("name", BANDS)
def test_every_band_keeps_its_own_rule_and_cites_it(name):
    band = BANDS[name]
    assert band_remarks(name, low_hz=band.low_hz, high_hz=band.high_hz) == ()
    assert band.low_hz <= band.latest_low_hz < band.least_high_hz <= band.high_hz
    assert set(band.kinds) <= set(KIND_UNITS)
    assert band.standard
    assert re.fullmatch(r"[a-z]+[a-z0-9_]*", band.reference)
    BandStep(name).start(layout_of(band.kinds[0], band.least_fs_hz))


@pytest.mark.parametrize("name", BANDS)
def test_the_cited_key_exists(name, pytestconfig):
    entries = (pytestconfig.rootpath / "references.bib").read_text()
    assert f"{{{BANDS[name].reference}," in entries


def test_a_band_is_the_bandpass_of_its_edges(rng):
    samples = rng.standard_normal((2, 3000)).astype("f4")
    recording = Recording(samples, layout_of("semg", 2000.0))
    out = BandStep("surface").apply(recording)
    expected = Bandpass(20, 500, 2, kinds=("semg",)).apply(recording)
    np.testing.assert_array_equal(out.samples, expected.samples)
    np.testing.assert_array_equal(out.samples[1], samples[1])


def test_the_mistake_of_the_field_is_refused_with_its_reason():
    with pytest.raises(ParameterError, match="A needle recording") as caught:
        BandStep("needle", low_hz=20, high_hz=500)
    message = str(caught.value)
    assert "needs 5 Hz or lower" in message
    assert "needs 5000 Hz or more" in message
    assert "late negative wave" in message
    assert "use the step 'bandpass'" in message
    assert band_remarks("surface", low_hz=20, high_hz=500) == ()
    assert len(band_remarks("needle", low_hz=20, high_hz=10000)) == 1


def test_a_rate_that_cannot_hold_the_band_is_refused_or_the_band_ends_early():
    assert BandStep("surface").bandpass(1000.0).high_hz == pytest.approx(475)
    assert BandStep("surface").bandpass(4000.0).high_hz == 500
    with pytest.raises(ParameterError, match="needs 5000 Hz, and a signal sampled at 4000 Hz"):
        BandStep("needle").bandpass(4000.0)


def test_other_channels_and_names_are_refused():
    with pytest.raises(LayoutError, match="filters channels of kinds"):
        BandStep("needle").start(layout_of("semg", 30000.0))
    with pytest.raises(ParameterError, match="Did you mean 'surface'"):
        BandStep("surfac")
    with pytest.raises(ParameterError, match="modality must be one of"):
        band_remarks("skin", low_hz=1, high_hz=2)


def test_drift_goes_and_the_signal_stays():
    t = np.arange(20000) / 2000
    wave = np.sin(2 * np.pi * 100 * t)
    recording = Recording(
        (np.stack([wave + 300 + 50 * np.sin(0.2 * t), t])).astype("f4"),
        layout_of("needle", 2000.0),
    )
    out = Drift(2.0).apply(recording).samples
    assert np.abs(out[0] - wave)[4000:].max() < 1.0
    assert np.abs(out[0, :100]).max() < 5  # an offset is gone at once
    np.testing.assert_array_equal(out[1], recording.samples[1])
    with pytest.raises(ParameterError, match="low_hz must be above 0"):
        Drift(0.0)
