import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myograph.core import errors
from myograph.core.checks import (
    check_below_nyquist,
    check_choice,
    check_count,
    check_non_negative,
    check_positive,
    check_samples,
)
from myograph.core.errors import MyographError, ParameterError


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_pass_exactly_when_they_obey_the_rule(value):
    for check, obeys in ((check_positive, value > 0), (check_non_negative, value >= 0)):
        if obeys and np.isfinite(value):
            assert check(value, name="x") == value
        else:
            with pytest.raises(ParameterError, match="x must be"):
                check(value, name="x")


@pytest.mark.parametrize("value", [True, "1", None, [1], 1j])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ParameterError, match="x must be a number"):
        check_positive(value, name="x")


@pytest.mark.parametrize("value", [1.0, True, "1", None])
def test_a_count_is_a_whole_number(value):
    with pytest.raises(ParameterError, match="whole number"):
        check_count(value, name="n")


def test_counts_have_a_least():
    assert check_count(np.int64(3), name="n", least=3) == 3
    with pytest.raises(ParameterError, match="n must be at least 4; got 3"):
        check_count(3, name="n", least=4)


def test_a_frequency_lies_below_nyquist():
    assert check_below_nyquist(499.9, fs_hz=1000, name="f") == 499.9
    with pytest.raises(ParameterError, match=r"f=500 Hz is at or above .* \(500 Hz\)"):
        check_below_nyquist(500, fs_hz=1000, name="f")


def test_a_choice_is_one_of_the_known():
    assert check_choice("a", ("a", "b"), name="x") == "a"
    with pytest.raises(ParameterError, match=r"x must be one of \['a', 'b'\]; got 'c'"):
        check_choice("c", ("b", "a"), name="x")


def test_checked_samples_are_contiguous_and_not_copied_without_need():
    samples = np.zeros((2, 5), dtype=np.float32)
    assert check_samples(samples) is samples
    assert check_samples(samples[:, ::2]).flags.c_contiguous


def test_every_error_says_how_the_command_ends():
    for name in errors.__all__:
        cls = getattr(errors, name)
        assert issubclass(cls, MyographError)
        assert cls.exit_code in (2, 3, 4)
    # What Python's own handlers expect still catches them.
    assert issubclass(errors.ParameterError, ValueError)
    assert issubclass(errors.MissingExtraError, ImportError)
    assert issubclass(errors.OutputExistsError, FileExistsError)
