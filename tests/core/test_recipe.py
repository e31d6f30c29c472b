import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myograph.core.recipe import Recipe, StepRecord, canonical_json, digest_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)  # fmt: skip
PARAMETERS = st.dictionaries(st.text(min_size=1, max_size=5), VALUES, max_size=4)


@given(PARAMETERS)
def test_equal_content_has_equal_text_whatever_the_order(parameters):
    shuffled = dict(reversed(parameters.items()))
    assert canonical_json(shuffled) == canonical_json(parameters)
    assert json.loads(canonical_json(parameters)) == parameters
    assert digest_of(shuffled) == digest_of(parameters)


@given(PARAMETERS, PARAMETERS)
def test_different_content_has_a_different_digest(one, other):
    assert (digest_of(one) == digest_of(other)) == (canonical_json(one) == canonical_json(other))


def test_the_canonical_form_is_fixed():
    # Digests of old results hang on this text: it may never change.
    assert canonical_json({"b": (1, 2.5), "a": "µ", "c": None}) == (
        '{"a":"\\u00b5","b":[1,2.5],"c":null}'
    )
    assert digest_of({"a": 1}) == (
        "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    )


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_json_cannot_hold_is_refused(bad):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": bad})


@given(st.lists(st.tuples(st.text(min_size=1, max_size=5), PARAMETERS), max_size=4))
def test_a_recipe_survives_json(steps):
    recipe = Recipe(source="1f")
    for name, parameters in steps:
        recipe = recipe.then(name, parameters, version=2)
    back = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert back == recipe
    assert back.digest() == recipe.digest()


def test_order_parameters_version_and_source_all_count():
    one = Recipe(source="s").then("a", {"x": 1}).then("b", {})
    others = [
        Recipe(source="s").then("b", {}).then("a", {"x": 1}),
        Recipe(source="s").then("a", {"x": 2}).then("b", {}),
        Recipe(source="s").then("a", {"x": 1}, version=2).then("b", {}),
        Recipe(source="t").then("a", {"x": 1}).then("b", {}),
        Recipe(source="s").then("a", {"x": 1}),
    ]
    assert len({recipe.digest() for recipe in (one, *others)}) == 6


def test_a_recipe_is_frozen_hashable_and_reads_like_calls():
    recipe = Recipe().then("highpass", {"low_hz": 20.0}).then("rectify", {})
    assert str(recipe) == "highpass(low_hz=20.0) > rectify()"
    assert str(Recipe()) == "as recorded"
    assert recipe in {recipe}
    with pytest.raises(AttributeError, match="cannot assign"):
        recipe.source = "x"
    parameters = {"low_hz": 20.0}
    record = StepRecord.of("highpass", parameters)
    parameters["low_hz"] = 5.0
    assert record.to_dict()["parameters"] == {"low_hz": 20.0}
