import pytest

from myograph.core.errors import MissingExtraError, ParameterError
from myograph.core.optional import needs
from myograph.core.registry import Registry
from myograph.core.step import STEPS, Step, build_step, register_step


def test_names_are_unique_and_keep_their_order():
    shapes = Registry("shape")
    assert shapes.add("square", 4) == 4
    shapes.add("line", 2)
    assert list(shapes) == ["square", "line"]
    assert dict(shapes) == {"square": 4, "line": 2}
    with pytest.raises(ParameterError, match="shape 'line' is registered twice"):
        shapes.add("line", 3)
    assert shapes["line"] == 2


def test_an_unknown_name_lists_the_known_ones_and_the_nearest():
    shapes = Registry("shape")
    shapes.register("square")(4)
    with pytest.raises(
        ParameterError, match=r"shape must be one of \['square'\]; got 'sqare'. Did you mean"
    ):
        shapes["sqare"]
    assert "sqare" not in shapes
    assert shapes.get("square") == 4


def test_steps_are_built_from_data_or_refused():
    with pytest.raises(ParameterError, match=r"needs the key 'step'; got \['low_hz'\]"):
        build_step({"low_hz": 20})
    with pytest.raises(ParameterError, match="step must be one of"):
        build_step({"step": "does-not-exist"})


def test_a_step_that_is_no_dataclass_says_so():
    @register_step("for-one-test")
    class Bare(Step):
        def start(self, layout):
            return layout

    try:
        with pytest.raises(TypeError, match="must be a dataclass"):
            Bare().to_dict()
        with pytest.raises(ParameterError, match="parameter of step 'for-one-test'"):
            build_step({"step": "for-one-test", "x": 1})
    finally:
        del STEPS._entries["for-one-test"]


def test_absent_and_broken_packages_are_different_things(tmp_path, monkeypatch):
    with pytest.raises(MissingExtraError, match=r"to fly .*pip install 'myograph\[wings\]'"):
        needs("there_is_no_such_package", to="fly", extra="wings")
    (tmp_path / "broken_package.py").write_text("import there_is_no_such_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="there_is_no_such_dependency") as caught:
        needs("broken_package", to="fly", extra="wings")
    assert not isinstance(caught.value, MissingExtraError)
