import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recipe import Recipe
from myograph.core.table import FeatureTable
from myograph.core.windows import WindowIndex, Windows

LAYOUT = Layout(100.0, (Channel("a", kind="semg"), Channel("b", kind="semg")))


def index_of(n, **columns):
    start_s = np.arange(n) * 0.1
    return WindowIndex.of(n, start_s=start_s, stop_s=start_s + 0.2, **columns)


def windows_of(n, layout=LAYOUT, **columns):
    values = np.arange(n * 2 * 5, dtype="f4").reshape(n, 2, 5)
    return Windows(values, index_of(n, **columns), layout, Recipe(source="s"))


def table_of(n, names=("a.mav", "b.mav"), **columns):
    values = np.arange(n * len(names), dtype=float).reshape(n, len(names))
    return FeatureTable(values, names, ("uV",) * len(names), index_of(n, **columns), LAYOUT)


def test_columns_are_equally_long_and_default_to_empty_text():
    index = index_of(3, subject=["x", "y", "x"])
    assert index.trial.tolist() == ["", "", ""]
    assert len(index) == 3
    with pytest.raises(DataError, match="must be equally long"):
        WindowIndex(**{**vars(index), "label": np.array(["a"])})
    with pytest.raises(ParameterError, match=r"column must be one of .* mean 'subject'"):
        WindowIndex.of(1, subjects="x")


def test_a_window_lasts():
    with pytest.raises(DataError, match="must end after it starts"):
        WindowIndex.of(1, start_s=[1.0], stop_s=[1.0])


def test_groups_join_columns():
    index = index_of(3, subject=["x", "y", "x"], session=["1", "1", "2"])
    assert index.groups("subject").tolist() == ["x", "y", "x"]
    assert index.groups("subject", "session").tolist() == ["x/1", "y/1", "x/2"]
    with pytest.raises(ParameterError, match="grouping column must be one of"):
        index.groups("label")
    with pytest.raises(ParameterError, match="at least one of"):
        index.groups()


def test_labels_are_texts_or_numbers():
    assert index_of(2, label=["a", "b"]).label.dtype.kind == "U"
    assert index_of(2, label=[1, 2]).label.dtype == np.float64
    with pytest.raises(DataError, match="cannot be joined"):
        WindowIndex.concatenate([index_of(2, label=["a", "b"]), index_of(2, label=[1, 2])])
    with pytest.raises(DataError, match="nothing to join"):
        WindowIndex.concatenate([])


@pytest.mark.parametrize("thing", [windows_of(3), table_of(3)], ids=["windows", "table"])
def test_values_and_index_are_read_only(thing):
    with pytest.raises(ValueError, match="read-only"):
        thing.values[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        thing.index.start_s[0] = 5
    with pytest.raises(AttributeError, match="cannot assign"):
        thing.layout = None


@pytest.mark.parametrize("make", [windows_of, table_of])
def test_taking_and_joining_rows(make):
    whole = make(6, label=list("abcdef"))
    parts = [whole.take(np.arange(0, 2)), whole.take(np.arange(6) >= 2)]
    joined = type(whole).concatenate(parts)
    np.testing.assert_array_equal(joined.values, whole.values)
    assert joined.index.label.tolist() == list("abcdef")
    np.testing.assert_array_equal(joined.index.start_s, whole.index.start_s)
    assert joined.recipe == whole.recipe


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(DataError, match=r"must be \(n_windows, 2 channels, n_samples\)"):
        Windows(np.zeros((3, 1, 5), dtype="f4"), index_of(3), LAYOUT)
    with pytest.raises(DataError, match="3 windows have 2 index rows"):
        Windows(np.zeros((3, 2, 5), dtype="f4"), index_of(2), LAYOUT)
    with pytest.raises(DataError, match="The sampling rate is 50 Hz"):
        Windows.concatenate([windows_of(2), windows_of(2, Layout(50.0, LAYOUT.channels))])
    with pytest.raises(DataError, match=r"cannot be joined: \['b.mav', 'b.rms'\]"):
        FeatureTable.concatenate([table_of(2), table_of(2, ("a.mav", "b.rms"))])


def test_a_feature_table_holds_finite_numbers_with_names_of_their_own():
    with pytest.raises(DataError, match=r"Features \['b.mav'\] are not finite"):
        FeatureTable(
            np.array([[1.0, np.nan]]), ("a.mav", "b.mav"), ("uV", "uV"), index_of(1), LAYOUT
        )
    with pytest.raises(DataError, match="one unit and a name of its own"):
        table_of(2, ("a.mav", "a.mav"))
    with pytest.raises(DataError, match="must be 2 windows x 2 features"):
        FeatureTable(np.zeros((3, 2)), ("a", "b"), ("", ""), index_of(2), LAYOUT)
