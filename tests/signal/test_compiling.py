"""A compiled pass comes from disk in the next process, without the compiler's tables."""

import os
import subprocess
import sys

import pytest

MODULE = """
import sys
from numba import types
from myograph.signal.compiling import kernel


@kernel(types.float64[::1], types.float64, returns=types.float64)
def add(x, more):
    \"\"\"Add.\"\"\"
    total = more
    for i in range(len(x)):
        total += x[i]
    return total


@kernel(types.float64[::1])
def double(x):
    for i in range(len(x)):
        x[i] *= 2
"""
USE = """
import sys
import numpy as np
import passes
x = np.array([1.0, 2.0, 4.0])
passes.double(x)
print(passes.add(x, 0.5), passes.add.__doc__, "numba.np.linalg" in sys.modules)
"""


@pytest.mark.slow
def test_the_next_process_loads_what_the_first_compiled(tmp_path):
    (tmp_path / "passes.py").write_text(MODULE, encoding="utf-8")
    paths = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHONPATH": os.pathsep.join(paths),
    }
    told = [
        subprocess.run(
            [sys.executable, "-c", USE], env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert told == [["14.5", "Add.", "True"], ["14.5", "Add.", "False"]]


def test_where_nothing_can_be_loaded_it_compiles_and_refuses_other_types(monkeypatch):
    import numpy as np
    from numba import types

    from myograph.signal import compiling

    @compiling.kernel(types.float64[::1])
    def double(x):
        for i in range(len(x)):
            x[i] *= 2

    # A compiler whose shelf has another name compiles, and does the same.
    monkeypatch.setattr(compiling, "_loaded", lambda dispatcher, signature: False)
    x = np.array([1.0, 2.0])
    double(x)
    assert x.tolist() == [2.0, 4.0]
    with pytest.raises(TypeError, match="No matching definition"):
        double(np.array([1, 2]))
