"""Live: a saved model on a running source, its decisions to whoever wants them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from myograph.core.checks import check_positive
from myograph.core.errors import DataError, ParameterError

if TYPE_CHECKING:
    from myograph.pipeline.pipeline import Pipeline
    from myograph.pipeline.scaling import Scaler
    from myograph.stream.consumer import Consumer, Stage
    from myograph.stream.engine import Engine
    from myograph.stream.health import Health
    from myograph.stream.source import Source

__all__ = ["live"]


def live(  # noqa: PLR0913 - the verb as people type it: every option by its name
    model: str | PathLike[str] | Pipeline,
    source: str | Source,
    *,
    outlets: Sequence[str] = (),
    record: str | PathLike[str] | None = None,
    person: str | PathLike[str] | None = None,
    consumers: Sequence[Consumer] = (),
    stages: Sequence[Stage] = (),
    seconds: float | None = None,
    open_s: float = 10.0,
    give_up_s: float | None = None,
    on_constant: str = "tell",
    realtime: bool = False,
) -> Health:
    """Run a model on a source until it ends, is stopped, or the time is over.

    Parameters
    ----------
    model : path or Pipeline
        A ``.myomodel`` file, or a fitted pipeline.
    source : str or Source
        ``scheme:place?option=value``, see `myograph.stream.find.find_source`.
    outlets : sequence of str
        Who is told, see `myograph.stream.find.find_outlet`.
    record : path, optional
        Everything that comes is written there (``.myolive``); it must not exist.
    person : path, optional
        A recording of the person, for models with ``scaling="person"``.
    consumers : sequence of Consumer
        Further ones.
    stages : sequence of callable
        Done to every answer before anybody is told.
    seconds : float, optional
        How long to run.
    open_s, give_up_s : float
        How long the source is waited for at first, and when it was lost (for ever by default).
    on_constant : {"tell", "abstain"}
        What to do while a channel does not vary.
    realtime : bool
        Decide with real-time priority, see `myograph.stream.hurry.hurried`.

    Returns
    -------
    Health
        Counts, loss and latencies.

    Raises
    ------
    SourceMissingError
        If the source never appears.
    LayoutError
        If it is not what the model learned from.
    ParameterError
        If real-time priority is asked for and not allowed.
    """
    from myograph.pipeline.artifact import load_model
    from myograph.pipeline.pipeline import Pipeline
    from myograph.stream.engine import Engine, Rules
    from myograph.stream.find import find_outlet, find_source
    from myograph.stream.hurry import PRIORITY, hurried
    from myograph.stream.link import Patience
    from myograph.stream.recorder import Recorder

    if seconds is not None:
        check_positive(seconds, name="seconds")
    pipeline = model if isinstance(model, Pipeline) else load_model(model)
    opened = find_source(source) if isinstance(source, str) else source
    everybody = [*(find_outlet(text) for text in outlets), *consumers]
    if record is not None:
        everybody.insert(0, Recorder(Path(record), device=opened.name))
    scale = _own_scale(pipeline, person)

    async def run() -> Health:
        engine = Engine(
            pipeline,
            opened,
            everybody,
            stages=stages,
            person=scale,
            rules=Rules(on_constant=on_constant),
            patience=Patience(open_s=open_s, give_up_s=give_up_s),
        )
        with _stopping(engine):
            return await engine.run(seconds=seconds)

    with hurried(PRIORITY if realtime else 0):
        return asyncio.run(run())


def _own_scale(pipeline: Pipeline, person: str | PathLike[str] | None) -> Scaler | None:
    if person is None:
        return None
    if pipeline.config.scaling != "person":
        raise ParameterError(
            "person= gives a person's own scale to a model with scaling='person'; this one has "
            f"scaling={pipeline.config.scaling!r}."
        )
    from myograph.core.recording import Recording
    from myograph.io.read import read

    recording = read(person)
    if not isinstance(recording, Recording):
        raise DataError(f"{person} holds several recordings; give a file with one.")
    return pipeline.person_scaler([recording])


@contextmanager
def _stopping(engine: Engine) -> Iterator[None]:
    """Let an interrupt end the run with everything written, instead of cutting it off."""
    loop: Any = asyncio.get_running_loop()
    with ExitStack() as undo:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, engine.stop)
            except (NotImplementedError, RuntimeError, ValueError):
                continue  # not the main thread, or a system without signals
            undo.callback(loop.remove_signal_handler, number)
        yield
