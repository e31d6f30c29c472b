import os
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from myograph.core.errors import DataError, ParameterError
from myograph.features import FEATURES, FeatureSpec, compute, kernels, parse_features
from myograph.features.extract import measure
from myograph.features.spectral import OF_SPECTRUM

# The package's name `extract` is the function; this is the module around it.
extracting = import_module("myograph.features.extract")


def test_the_plan_and_the_kernel_name_the_same_features():
    assert extracting._FUSED == kernels.TIME_DOMAIN
    assert set(kernels.TIME_DOMAIN) | set(OF_SPECTRUM) <= set(FEATURES)


def test_the_kernel_reads_overlapping_views_where_they_lie(rng):
    signal = rng.standard_normal((2, 1000)).astype("f4")
    view = sliding_window_view(signal, 200, axis=1)[:, ::10].transpose(1, 0, 2)
    view.flags.writeable = False
    out = kernels.time_domain(view, zc=0.0, ssc=0.0, wamp=0.0)
    np.testing.assert_allclose(out[:, :, 0], compute("mav", view, fs_hz=1.0), rtol=1e-12)


def test_splitting_into_parts_changes_nothing(rng, monkeypatch):
    values = rng.standard_normal((23, 3, 64)).astype("f4")
    specs = parse_features(["td-spectral"])
    whole = measure(values, fs_hz=1000, features=specs)
    monkeypatch.setattr(extracting, "_BLOCK", 400)
    np.testing.assert_array_equal(measure(values, fs_hz=1000, features=specs), whole)


def test_windows_are_transformed_once_for_all_spectral_features(rng, monkeypatch):
    calls = []
    original = extracting.periodogram

    def counted(*args, **kwargs):
        calls.append(1)
        return original(*args, **kwargs)

    monkeypatch.setattr(extracting, "periodogram", counted)
    values = rng.standard_normal((5, 2, 64)).astype("f4")
    specs = [FeatureSpec("mnf"), FeatureSpec("mdf"), FeatureSpec("mav")]
    measure(values, fs_hz=1000, features=specs)
    assert len(calls) == 1


def test_float64_windows_take_the_pure_functions(rng):
    values = rng.standard_normal((5, 2, 64))
    specs = parse_features(["td"])
    measured = measure(values, fs_hz=1000, features=specs).reshape(5, 2, len(specs))
    for k, spec in enumerate(specs):
        np.testing.assert_array_equal(measured[:, :, k], compute(spec.name, values, fs_hz=1000))


def test_each_count_has_its_own_threshold(rng):
    values = rng.standard_normal((5, 2, 64)).astype("f4")
    specs = [FeatureSpec(n, {"threshold": t}) for n, t in (("wamp", 1), ("zc", 2), ("ssc", 0.5))]
    measured = measure(values, fs_hz=1000, features=specs).reshape(5, 2, 3)
    for k, spec in enumerate(specs):
        pure = compute(spec.name, values, fs_hz=1000, **spec.parameters)
        np.testing.assert_array_equal(measured[:, :, k], pure)


def test_what_cannot_be_measured_is_refused():
    values = np.ones((1, 2, 50), dtype="f4")
    with pytest.raises(ParameterError, match="At least one feature"):
        measure(values, fs_hz=100, features=[])
    with pytest.raises(DataError, match=r"got shape \(2, 50\)"):
        measure(values[0], fs_hz=100, features=parse_features("mav"))
    with pytest.raises(DataError, match="at least 2 samples"):
        measure(values[..., :1], fs_hz=100, features=parse_features("mav"))
    with pytest.raises(ParameterError, match="threshold of feature 'zc' must be 0 or more"):
        measure(values, fs_hz=100, features=[FeatureSpec("zc", {"threshold": -1.0})])
    with pytest.raises(ParameterError, match="fs_hz must be above 0"):
        measure(values, fs_hz=0, features=parse_features("mav"))


def test_naming_features_does_not_load_the_compiler():
    code = "import sys, myograph.features; sys.exit('numba' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=env).returncode == 0
