from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from myograph.pipeline.fanout import fan_out

GROWING = """
import time

KEPT = []


def grow(k):
    KEPT.append(bytearray(b"1") * 310_000_000)
    time.sleep(1.1)
    return k
"""
RUN = """
import warnings
import growing
from myograph.pipeline.fanout import fan_out

warnings.simplefilter("error")
print(sorted(fan_out(growing.grow, [(k,) for k in range(6)], jobs=2, in_order=False)))
"""


def test_one_job_gives_the_results_in_order():
    assert list(fan_out(divmod, [(7, 2), (9, 4)])) == [(3, 1), (2, 1)]


@pytest.mark.parametrize("in_order", [True, False])
def test_jobs_change_nothing(in_order):
    found = list(fan_out(pow, [(2, k) for k in range(6)], jobs=2, in_order=in_order))
    assert sorted(found) == [1, 2, 4, 8, 16, 32]
    assert not in_order or found == sorted(found)


def test_a_worker_that_grows_is_replaced_even_where_warnings_are_errors(tmp_path):
    pytest.importorskip("psutil", reason="without psutil joblib never looks at a worker's memory")
    (tmp_path / "growing.py").write_text(GROWING)
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2] / "src")])
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.stdout == "[0, 1, 2, 3, 4, 5]\n", done.stderr
