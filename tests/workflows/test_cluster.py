"""Work on a cluster: the results of a serial run, whatever happens to a worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from myograph.config.schema import PipelineConfig
from myograph.core.errors import DataError, ParameterError
from myograph.pipeline.fanout import fan_out
from myograph.validate.run import RunOptions, evaluate
from myograph.validate.splits import make_split
from myograph.workflows import cluster as cluster_module
from myograph.workflows.cluster import local_cluster, on_cluster

distributed = pytest.importorskip("distributed")
SOURCE = Path(__file__).parents[2] / "src"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with local_cluster(2) as where:
        yield where


def processes(address: str) -> set[int]:
    with distributed.Client(address, set_as_default=False) as client:
        return set(client.run(os.getpid).values())


def where_and_what(number: int) -> tuple[int, int]:
    return os.getpid(), number * number


def die_once(number: int, mark: str) -> int:
    """Be killed the first time that task 3 is done, wherever that is."""
    if number == 3 and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def always_die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_work_goes_to_the_workers_and_comes_back_in_order(address):
    with on_cluster(address):
        found = list(fan_out(where_and_what, [(k,) for k in range(12)]))
    assert [square for _, square in found] == [k * k for k in range(12)]
    assert {process for process, _ in found} <= processes(address)
    assert os.getpid() not in {process for process, _ in found}
    assert [process for process, _ in fan_out(where_and_what, [(1,)])] == [os.getpid()]


def test_an_evaluation_is_the_serial_one_to_the_last_bit(address):
    random = np.random.default_rng(0)
    from myograph.core.layout import Channel, Layout
    from myograph.core.table import FeatureTable
    from myograph.core.windows import WindowIndex

    n = 240
    index = WindowIndex.of(
        n,
        subject=np.repeat(["a", "b", "c", "d"], n // 4),
        recording=np.repeat(["r1", "r2", "r3", "r4"], n // 4),
        trial=np.tile(["1", "2"], n // 2),
        label=random.choice(["fist", "open"], n),
        start_s=np.arange(n, dtype=float),
        stop_s=np.arange(n) + 0.2,
    )
    values = random.standard_normal((n, 4)) + (index.label == "fist")[:, None]
    names = tuple(f"emg1.{name}" for name in ("mav", "zc", "ssc", "wl"))
    layout = Layout(200.0, (Channel("emg1", kind="semg"),))
    table = FeatureTable(values, names, ("uV",) * 4, index, layout)
    split = make_split("leave-one-subject-out")
    serial = evaluate(PipelineConfig(), table, split)
    with on_cluster(address):
        there = evaluate(PipelineConfig(), table, split, options=RunOptions(jobs=-1))
    assert there.to_dict() == serial.to_dict()
    np.testing.assert_array_equal(there.predictions.output, serial.predictions.output)


def test_a_killed_worker_costs_time_and_no_result(address, tmp_path):
    mark = str(tmp_path / "died")
    with on_cluster(address):
        found = list(fan_out(die_once, [(k, mark) for k in range(8)], in_order=False))
    assert Path(mark).exists()
    assert sorted(found) == [k * k for k in range(8)]


def fan_out_there(address: str, function, arguments) -> list[int]:
    with on_cluster(address):
        return list(fan_out(function, arguments))


def test_work_that_kills_every_worker_is_given_up_and_said():
    dask = pytest.importorskip("dask")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        local_cluster(2) as where,
        pytest.raises(DataError, match=r"every worker that tried it died.*--resume"),
    ):
        fan_out_there(where, always_die, [(k,) for k in range(4)])


def test_other_versions_are_refused(address, monkeypatch):
    here = cluster_module._versions()
    monkeypatch.setattr(cluster_module, "_compared", lambda: {**here, "numpy": "0.1"})
    with (
        pytest.raises(ParameterError, match=r"Worker .* would not compute.*numpy .* there, 0.1 h"),
        on_cluster(address),
    ):
        pass


def test_nobody_there():
    with (
        pytest.raises(ParameterError, match=r"No Dask cluster answers.*myograph cluster start"),
        on_cluster("tcp://127.0.0.1:9", patience_s=1),
    ):
        pass


def test_not_an_address():
    with (
        pytest.raises(ParameterError, match="No Dask cluster answers at 'nonsense://x'"),
        on_cluster("nonsense://x", patience_s=1),
    ):
        pass


def test_a_folder_that_workers_do_not_see(address, tmp_path):
    with on_cluster(address, shared=tmp_path):
        pass
    with (
        pytest.raises(DataError, match="does not see"),
        on_cluster(address, shared=tmp_path / "none"),
    ):
        pass


def test_no_address_is_this_machine():
    with on_cluster(None):
        assert list(fan_out(where_and_what, [(2,)])) == [(os.getpid(), 4)]


def test_it_listens_on_this_machine_alone(address):
    assert address.startswith("tcp://127.0.0.1:")
    with distributed.Client(address, set_as_default=False) as client:
        facts = client.scheduler_info()
    for worker in facts["workers"]:
        assert worker.startswith("tcp://127.0.0.1:")
    assert all(_local(process) for process in [os.getpid(), *processes(address)])


def _local(process: int) -> bool:
    """Look at what a process listens on: only 127.0.0.1 (0100007F in the kernel's table)."""
    sockets = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            sockets.add(target[8:-1])
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            cells = line.split()
            listens = cells[3] == "0A" and cells[9] in sockets
            if listens and not cells[1].startswith("0100007F"):
                return False
    return True


def test_workers_below_one_are_refused():
    with pytest.raises(ParameterError, match="workers must be at least 1"), local_cluster(0):
        pass


def test_the_command_prints_an_address_and_stops_when_asked():
    program = [sys.executable, "-W", "error", "-m", "myograph"]
    command = [*program, "cluster", "start", "--workers", "1", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as started:
        told = "".join(started.stdout.readline() for _ in range(3))
        where = json.loads(told)["address"]
        workers = processes(where)
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=120)
    assert where.startswith("tcp://127.0.0.1:")
    assert started.returncode == 0, said
    assert "Traceback" not in said
    assert not any(Path(f"/proc/{process}").exists() for process in workers)
