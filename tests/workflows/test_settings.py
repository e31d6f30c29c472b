"""Settings: defaults that fit the data, then the file, then flags, then --set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording
from myograph.workflows.cohort import Cohort
from myograph.workflows.settings import Choices, default_pipeline, resolve

Make = Callable[..., Recording]


def _of(kind: str, fs_hz: float, *, others: tuple[str, ...] = (), labels: bool = True) -> Recording:
    kinds = (kind, *others)
    channels = tuple(Channel(f"c{k}", kind=name) for k, name in enumerate(kinds))
    events = (Event(0.0, 0.5, "fist", "protocol"),) if labels else ()
    samples = np.zeros((len(kinds), round(fs_hz)), dtype=np.float32)
    return Recording(samples, Layout(fs_hz, channels), events)


def _cohort(make: Make) -> Cohort:
    return Cohort("somebody", [make(fs_hz=1000.0)])


@pytest.mark.parametrize(
    ("kind", "fs_hz", "band"),
    [
        ("semg", 200.0, None),
        ("semg", 500.0, (20.0, 225.0)),
        ("semg", 2000.0, (20.0, 450.0)),
        ("hdemg", 2048.0, (20.0, 450.0)),
        ("needle", 32768.0, (100.0, 5000.0)),
        ("needle", 4000.0, (100.0, 1800.0)),
    ],
)
def test_the_band_follows_modality_and_rate(
    kind: str, fs_hz: float, band: tuple[float, float] | None
) -> None:
    steps = default_pipeline(_of(kind, fs_hz))["steps"]
    if band is None:
        assert steps == []
    else:
        assert steps == [{"step": "bandpass", "low_hz": band[0], "high_hz": band[1]}]


def test_without_labels_a_force_is_estimated() -> None:
    made = default_pipeline(_of("semg", 200.0, others=("force",), labels=False))
    assert made["windowing"]["target_kind"] == "force"
    assert made["model"] == {"name": "ridge"}


def test_labels_are_taken_from_where_they_are() -> None:
    recording = _of("semg", 200.0).with_events([Event(0.0, 0.5, "fist", "annotation")])
    assert default_pipeline(recording)["windowing"]["label_sources"] == ["annotation"]


def test_no_muscle_is_refused() -> None:
    with pytest.raises(DataError, match="no muscle channel"):
        default_pipeline(_of("eeg", 500.0))


def test_defaults_are_complete(make_recording: Make) -> None:
    settings = resolve(_cohort(make_recording), Choices())
    assert settings.split.name == "leave-one-subject-out"
    assert settings.pipeline.model.name == "lda"
    assert settings.pipeline.windowing.step_ms == 100.0
    assert settings.pipeline.steps[0].step == "bandpass"


def test_later_layers_win(make_recording: Make, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'data = "elsewhere"\nseed = 5\n[pipeline]\nfeatures = ["td"]\n'
        "[pipeline.windowing]\nlength_ms = 300.0\nstep_ms = 60.0\n"
        '[pipeline.model]\nname = "svm"\nparams = { cost = 3.0 }\n'
    )
    choices = Choices(config=path, seed=7, overrides=["pipeline.windowing.length_ms=250.0"])
    settings = resolve(_cohort(make_recording), choices)
    assert settings.data == "somebody"
    assert settings.seed == 7
    assert settings.pipeline.features == ("td",)
    assert settings.pipeline.windowing.length_ms == 250.0
    assert settings.pipeline.windowing.step_ms == 60.0
    assert settings.pipeline.model.params == {"cost": 3.0}
    assert settings.pipeline.steps[0].step == "bandpass"


def test_a_model_named_anew_starts_from_its_own_defaults(
    make_recording: Make, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[pipeline.model]\nname = "svm"\nparams = { cost = 3.0 }\n')
    settings = resolve(_cohort(make_recording), Choices(config=path, model="lda"))
    assert settings.pipeline.model.name == "lda"
    assert settings.pipeline.model.params == {}


def test_features_joined_by_commas(make_recording: Make) -> None:
    settings = resolve(_cohort(make_recording), Choices(features="mav, zc"))
    assert settings.pipeline.features == ("mav", "zc")


def test_a_wrong_key_is_named_with_its_file(make_recording: Make, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[pipeline.windowing]\nlenght_ms = 300.0\n")
    with pytest.raises(ParameterError, match=r"mine\.toml.*Did you mean 'length_ms'"):
        resolve(_cohort(make_recording), Choices(config=path))


@pytest.mark.parametrize(
    "asked",
    [
        ["pipeline.model.name=cnn1d", "pipeline.model.params.device=cuda"],
        ["pipeline.novelty={name='vae', device='cuda'}"],
    ],
)
def test_a_device_that_is_not_here_is_refused_wherever_it_is_asked_for(
    make_recording: Make, asked: list[str]
) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(ParameterError, match="no CUDA device"):
        resolve(_cohort(make_recording), Choices(overrides=asked))
