"""Cluster: the same work on many machines, through joblib and Dask."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from myograph.core.checks import check_count
from myograph.core.errors import DataError, ParameterError
from myograph.core.optional import needs

__all__ = ["local_cluster", "on_cluster"]

#: What is computed does not leave this machine unless somebody asks for it.
_HERE = "127.0.0.1"
# A fold's table travels with its task, so that no worker's death can lose it.
_SETTINGS = {"distributed.admin.large-graph-warning-threshold": "10 GB"}


@contextmanager
def on_cluster(
    address: str | None, *, shared: Path | None = None, patience_s: float = 10.0
) -> Iterator[None]:
    """Send what the block fans out to the Dask cluster at ``address``; None leaves it here.

    Results are those of a run on this machine, bit for bit, as long as the workers run the same
    versions on the same kind of machine, which is checked. A worker that dies costs the time of
    its tasks: others do them again.

    Parameters
    ----------
    address : str, optional
        Of the scheduler, for example ``tcp://127.0.0.1:8786``.
    shared : Path, optional
        A folder that tasks write into: every worker has to see it.
    patience_s : float
        How long to wait for an answer before a cluster counts as not there.

    Raises
    ------
    ParameterError
        If no cluster answers, it has no workers, or they run other versions.
    DataError
        If tasks kill the workers that they land on, or a worker does not see ``shared``.
    """
    if address is None:
        yield
        return
    distributed = _distributed()
    dask = needs("dask", to="send work to a cluster", extra="cluster")
    import joblib

    with ExitStack() as stack:
        stack.enter_context(dask.config.set(_SETTINGS))
        client = stack.enter_context(_connected(distributed, address, patience_s))
        _check_workers(client, address)
        if shared is not None:
            _check_shared(client, shared)
        stack.enter_context(joblib.parallel_config(backend=_backend(client)))
        try:
            yield
        except distributed.KilledWorker as error:
            raise DataError(
                f"A task was given up on the cluster at {address}: every worker that tried it "
                "died, most likely for want of memory. Give workers more memory, or use less data; "
                f"finished folds are kept with --resume. ({error})"
            ) from error


@contextmanager
def local_cluster(workers: int | None = None) -> Iterator[str]:
    """Run a cluster of processes on this machine, reachable from this machine only.

    Parameters
    ----------
    workers : int, optional
        Processes of one thread each; one per core by default.

    Yields
    ------
    str
        The address, for `on_cluster`.
    """
    n_workers = check_count(os.cpu_count() or 1 if workers is None else workers, name="workers")
    distributed = _distributed()
    with distributed.LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=True,
        host=_HERE,
        dashboard_address=f"{_HERE}:0",
        worker_dashboard_address=f"{_HERE}:0",
        silence_logs=50,
    ) as cluster:
        yield str(cluster.scheduler_address)


@dataclass(frozen=True)
class _Lost:
    """What comes back in place of the result of a task that the cluster gave up."""

    error: BaseException


def _backend(client: Any) -> Any:
    """Return joblib's way to a cluster, one that says so when the cluster gives a task up.

    joblib itself waits for such a task for ever: it is told of results and of errors that tasks
    raise, and of nothing else.
    """
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):
        def submit(self, func: Any, callback: Callable[[Any], None] | None = None) -> Any:
            future = super().submit(func, callback)

            def tell(done: Any) -> None:
                error = done.exception()
                if error is not None and callback is not None:
                    callback(_Lost(error))

            future.add_done_callback(tell)
            return future

        def retrieve_result_callback(self, out: Any) -> Any:
            if isinstance(out, _Lost):
                raise out.error
            return super().retrieve_result_callback(out)

    return Backend(client=client)


def _distributed() -> Any:
    return needs("distributed", to="send work to a cluster", extra="cluster")


def _connected(distributed: Any, address: str, patience_s: float) -> Any:
    try:
        return distributed.Client(address, timeout=patience_s, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"No Dask cluster answers at {address!r} ({type(error).__name__}: {error}). Start one "
            "on this machine with: myograph cluster start, and give the address that it prints."
        ) from error


def _check_workers(client: Any, address: str) -> None:
    here = _compared()
    # A model that learns with one of these refuses by itself where it is missing.
    may_lack = _learning()
    try:
        there = client.run(_versions)
    except ModuleNotFoundError as error:
        raise ParameterError(
            f"Workers of the cluster at {address} lack a package ({error}); install the same "
            "version of Myograph on every machine."
        ) from error
    if not there:
        raise ParameterError(
            f"The cluster at {address} has no workers; start some (dask worker {address})."
        )
    for worker, versions in sorted(there.items()):
        differ = [
            f"{name} {versions.get(name)} there, {value} here"
            for name, value in here.items()
            if versions.get(name) != value and (name in versions or name not in may_lack)
        ]
        if differ:
            raise ParameterError(
                f"Worker {worker} would not compute what this machine does: {'; '.join(differ)}. "
                "Install the same versions on every machine."
            )


def _compared() -> dict[str, str]:
    return _versions()


def _versions() -> dict[str, str]:
    from myograph.pipeline.kept import code_facts

    return {**code_facts(), **_learning()}


def _learning() -> dict[str, str]:
    from myograph.pipeline.versions import LEARNING, installed

    return installed(LEARNING)


def _check_shared(client: Any, folder: Path) -> None:
    seen = client.run(_sees, str(folder.absolute()))
    blind = [worker for worker, sees in seen.items() if not sees]
    if blind:
        raise DataError(
            f"Worker {sorted(blind)[0]} does not see {folder.absolute()}, which its recordings go "
            "into; use a folder that all machines share, or leave --cluster out."
        )


def _sees(folder: str) -> bool:
    return Path(folder).is_dir()
