from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import myograph
from myograph.config.load import apply_overrides, load_config, parse_config
from myograph.config.schema import EvaluationConfig, ModelConfig, PipelineConfig, SplitConfig
from myograph.config.toml import to_toml
from myograph.core.errors import FormatError, MyographError, ParameterError


def evaluation(*overrides: str) -> EvaluationConfig:
    return load_config(overrides=["data=myo", *overrides], schema=EvaluationConfig)


def test_a_file_then_overrides_then_defaults(tmp_path: Path):
    path = tmp_path / "run.toml"
    path.write_text(
        'data = "uci-gestures"\nseed = 3\n'
        '[pipeline]\nsteps = [{ step = "highpass", low_hz = 20 }]\n'
        '[pipeline.model]\nname = "svm"\nparams = { cost = 10 }\n'
    )
    config = load_config(path, ["seed=5", "pipeline.steps.0.low_hz=30.5"], schema=EvaluationConfig)
    assert (config.data, config.seed) == ("uci-gestures", 5)
    assert config.pipeline.steps[0].to_dict() == {"step": "highpass", "low_hz": 30.5}
    assert config.pipeline.model == ModelConfig(name="svm", params={"cost": 10})
    assert config.split == SplitConfig(name="leave-one-subject-out")
    assert config.pipeline.windowing.length_ms == 200.0


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("data=./some folder/a.edf", "./some folder/a.edf"),
        ('data="3dc"', "3dc"),
        ("data=a-b_c.d", "a-b_c.d"),
    ],
)
def test_plain_names_and_paths_need_no_quotes(override: str, expected: str):
    assert load_config(overrides=[override], schema=EvaluationConfig).data == expected


def test_later_overrides_win_and_one_name_stands_for_a_list():
    config = evaluation("seed=1", "seed=2", "pipeline.features=td", "people=p01")
    assert config.seed == 2
    assert config.pipeline.features == ("td",)
    assert config.people == ("p01",)


def test_overrides_do_not_change_what_they_start_from():
    start = {"steps": [{"step": "highpass"}]}
    apply_overrides(start, ["steps.0.low_hz=20", "model.name=svm"])
    assert start == {"steps": [{"step": "highpass"}]}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["seeed=1"], r"key must be one of \[.*'seed'.*\]; got 'seeed'\. Did you mean 'seed'\?"),
        (["model.name=svm"], r"got 'model'\. There is 'pipeline\.model'\."),
        (
            ["pipeline.windowing.lenght_ms=5"],
            r"key in pipeline\.windowing must be one of .* Did you mean 'length_ms'\?",
        ),
        (
            ["pipeline.windowing.length_ms=-5"],
            r"pipeline\.windowing\.length_ms must be above 0; got -5\.",
        ),
        (["pipeline.windowing.length_ms='200'"], r"length_ms must be a number; got '200'"),
        (["pipeline.windowing.step_ms=nan"], r"step_ms must be finite; got nan"),
        (["pipeline.windowing.min_coverage=1.5"], r"min_coverage must be 1 or less; got 1\.5"),
        (["pipeline.scaling=persn"], r"one of \['none', 'person', 'standard'\]; got 'persn'"),
        (["pipeline.steps=[{low_hz=3}]"], r"pipeline\.steps\.0\.step is missing"),
        (["pipeline.features=[{name='zc'}]"], r"pipeline\.features\.0\.feature is missing"),
        (["pipeline.features=[3]"], r"features\.0 must be text or a table of keys; got 3"),
        (["pipeline.features=[]"], r"pipeline\.features must have at least 1 entry"),
        (["pipeline.reject_below=1"], r"reject_below must be below 1 or a table of keys; got 1"),
        (["pipeline.reject_below.fist=1.5"], r"reject_below\.fist must be below 1; got 1\.5"),
        (
            ["pipeline.reject_below=0.5", "pipeline.reject_below.fist=0.6"],
            r"reject_below is 0\.5, .* Set it whole: pipeline\.reject_below=\{fist = \.\.\.\}",
        ),
        (["people=[]"], r"people must have at least 1 entry"),
        (["jobs=1.5"], r"jobs must be a whole number; got 1\.5"),
        (["baselines=1"], r"baselines must be true or false; got 1"),
        (["seed=true"], r"seed must be a whole number; got True"),
        (["pipeline=3"], r"pipeline must be a table of keys; got 3"),
        (["bootstrap=1", "seed=-1"], r"seed must be 0 or more; got -1.*bootstrap must be 100"),
    ],
)
def test_a_refusal_carries_the_key_path_the_rule_and_what_was_given(overrides, message):
    with pytest.raises(ParameterError, match=message):
        evaluation(*overrides)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "must read key.path=value"),
        ("=3", "must read key.path=value"),
        ("a..b=3", "must read key.path=value"),
        ("seed=[1", "is not TOML"),
        ("seed=1\nother=2", "sets one value"),
        ("data.name=3", "data is 'myo', neither a table nor a list"),
        ("people.0=x", "people must be a list"),
    ],
)
def test_an_override_that_cannot_be_read(override: str, message: str):
    with pytest.raises(ParameterError, match=message):
        evaluation(override)


@pytest.mark.parametrize("position", ["3", "-1", "x"])
def test_a_position_outside_a_list(position: str):
    with pytest.raises(ParameterError, match="steps is a list of 1: name a position from 0 to 0"):
        apply_overrides({"steps": [{"step": "notch"}]}, [f"steps.{position}.quality=3"])


def test_missing_data_is_said():
    with pytest.raises(ParameterError, match="data is missing and has no default"):
        load_config(schema=EvaluationConfig)


def test_the_origin_is_named(tmp_path: Path):
    path = tmp_path / "run.toml"
    path.write_text("data = 3\n")
    with pytest.raises(ParameterError, match=r"run\.toml: data must be text; got 3"):
        load_config(path, schema=EvaluationConfig)


@pytest.mark.parametrize("content", [b"data = ", b"\xff\xfe", b"[a\n"])
def test_a_file_that_is_not_toml(tmp_path: Path, content: bytes):
    path = tmp_path / "run.toml"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"run\.toml is not valid TOML"):
        load_config(path, schema=EvaluationConfig)


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(FormatError, match=r"absent\.toml cannot be read: No such file"):
        load_config(tmp_path / "absent.toml", schema=EvaluationConfig)


def test_the_configuration_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        PipelineConfig().scaling = "person"  # type: ignore[misc]


def test_equal_content_has_an_equal_digest_and_other_content_another():
    one = evaluation("pipeline.model.params={cost=1, kernel='rbf'}")
    two = evaluation("pipeline.model.params={kernel='rbf', cost=1}")
    assert one.digest() == two.digest()
    assert one.digest() != evaluation("pipeline.model.params={cost=2}").digest()


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
values = st.booleans() | numbers | texts
params = st.dictionaries(texts, values | st.lists(values, max_size=3), max_size=3)


@settings(deadline=None)
@given(
    data=texts,
    people=st.none() | st.lists(texts, min_size=1, max_size=3),
    model=st.builds(lambda name, given: {"name": name, "params": given}, texts, params),
    step=st.builds(lambda given: {**given, "step": "x"}, params),
)
def test_toml_reads_back_to_the_same_configuration(data, people, model, step):
    plain = {"data": data, "people": people, "pipeline": {"model": model, "steps": [step]}}
    config = parse_config(plain, schema=EvaluationConfig, where="here")
    text = to_toml(config)
    assert parse_config(tomllib.loads(text), schema=EvaluationConfig, where="there") == config
    assert to_toml(parse_config(tomllib.loads(text), schema=EvaluationConfig, where="x")) == text


@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_override_text_breaks_out_of_our_errors(text: str):
    try:
        config = evaluation(text)
    except MyographError:
        return
    assert isinstance(config, EvaluationConfig)


def test_importing_myograph_does_not_import_pydantic():
    source = str(Path(myograph.__file__).parents[1])
    code = f"import sys; sys.path.insert(0, {source!r}); import myograph; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert "myograph" in loaded.stdout.split()
    assert not {"pydantic", "sklearn", "numba"} & set(loaded.stdout.split())
