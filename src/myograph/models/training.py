"""Training: the one loop that every network learns in, and how it is carried out.

What is learned depends on the data, the settings and the seed. How the learning is carried out
(where checkpoints go, who is told) does not change it, and is said around the call with
`carried_out`, so that it never gets into a model or its name.

Random numbers are drawn anew for every epoch from the seed and the number of the epoch. So a
training that was stopped goes on exactly as if it had not been: nothing of a generator has to be
kept, and the rate and the decision to stop follow from the curve so far.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_count, check_non_negative, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.core.optional import needs
from myograph.models.jitter import Jitter
from myograph.models.training_state import State, Store, run_key

__all__ = [
    "DEVICES",
    "PRECISIONS",
    "SCHEDULES",
    "Examples",
    "Progress",
    "Settings",
    "Taught",
    "carried_out",
    "pick_device",
    "teach",
]

#: Where a network can be trained.
DEVICES = ("auto", "cpu", "cuda")
#: ``"auto"`` is bfloat16 where a GPU has it, single precision elsewhere.
PRECISIONS = ("auto", "single", "mixed")
#: How the learning rate goes: down along a half cosine, down by thirds when stuck, or not at all.
SCHEDULES = ("cosine", "plateau", "constant")

# Epochs in which the rate rises to what was asked for.
_WARM_UP = 2
# Without a better loss for this share of the patience, a plateau schedule lowers the rate.
_STUCK = 0.5
_LOWER = 1 / 3


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Windows with what they show.

    Parameters
    ----------
    values : ndarray of float32, shape (n_rows, n_channels, n_samples)
    targets : ndarray, shape (n_rows,)
        Number of the class (int64), or the value to estimate (float32).
    weights : ndarray of float32, shape (n_rows,)
        How much each row counts; 1 on average.
    """

    values: NDArray[np.float32]
    targets: NDArray[Any]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.values)

    def take(self, rows: NDArray[Any]) -> Examples:
        """Return these rows (positions or a mask)."""
        return Examples(self.values[rows], self.targets[rows], self.weights[rows])


@dataclass(frozen=True, slots=True)
class Settings:
    """How a network learns.

    Parameters
    ----------
    epochs : int
        Most times that all windows are seen.
    patience : int
        Stop after so many epochs without a lower loss on what is held out.
    batch : int
        Windows per step.
    rate : float
        Learning rate of AdamW (loshchilov2019).
    schedule : str
        One of `SCHEDULES`.
    decay : float
        Decay of the weights.
    clip : float
        Longest gradient; a longer one is shortened to it.
    jitter : Jitter
    precision : str
        One of `PRECISIONS`.
    device : str
        One of `DEVICES`.
    seed : int
    """

    epochs: int = 60
    patience: int = 10
    batch: int = 64
    rate: float = 2e-3
    schedule: str = "cosine"
    decay: float = 0.01
    clip: float = 1.0
    jitter: Jitter = field(default_factory=Jitter)
    precision: str = "auto"
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        check_count(self.epochs, name="epochs")
        check_count(self.patience, name="patience")
        check_count(self.batch, name="batch", least=2)
        check_positive(self.rate, name="rate")
        check_choice(self.schedule, SCHEDULES, name="schedule")
        check_non_negative(self.decay, name="decay")
        check_positive(self.clip, name="clip")
        check_choice(self.precision, PRECISIONS, name="precision")
        check_choice(self.device, DEVICES, name="device")
        check_count(self.seed, name="seed", least=0)

    def rate_at(self, epoch: int, losses: NDArray[np.float64]) -> float:
        """Return the learning rate of ``epoch`` (from 0) after these losses of what is held out."""
        rate = self.rate * min(1.0, (epoch + 1) / _WARM_UP)
        if self.schedule == "cosine":
            return rate * 0.5 * (1 + math.cos(math.pi * epoch / self.epochs))
        if self.schedule == "plateau":
            return rate * _LOWER ** _times_stuck(losses, math.ceil(_STUCK * self.patience))
        return rate

    def rng(self, epoch: int) -> np.random.Generator:
        """Return the random numbers of an epoch."""
        return np.random.default_rng([self.seed, epoch])


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is.

    Parameters
    ----------
    epoch, epochs : int
        Done, and the most there can be.
    curve : ndarray, shape (epoch, 4)
        See `Taught`.
    seconds_left : float
        If no epoch is spared by stopping early.
    last : bool
        True once more at the end, when nothing is left to do.
    """

    epoch: int
    epochs: int
    curve: NDArray[np.float64]
    seconds_left: float
    last: bool

    @property
    def told(self) -> str:
        """The newest losses and the time left, in words."""
        loss, held_out, score, _ = self.curve[-1]
        words = f"epoch {self.epoch} of {self.epochs}, loss {loss:.3f}"
        if math.isfinite(held_out):
            words += f", held out {held_out:.3f} (score {score:.3f})"
        return words if self.last else f"{words}, at most {self.seconds_left:.0f} s left"


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What came out of a training.

    Parameters
    ----------
    state : mapping of str to ndarray
        Weights and statistics of the network after its best epoch.
    curve : ndarray, shape (n_epochs, 4)
        Of every epoch: loss, loss on what is held out, score there (share of windows named
        right, or share of the variance explained), learning rate. NaN where nothing is held out.
    best_epoch : int
        From 1.
    notes : tuple of str
    """

    state: dict[str, NDArray[Any]]
    curve: NDArray[np.float64]
    best_epoch: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Session:
    folder: Path | None = None
    progress: Callable[[Progress], None] | None = None


_ALONE = _Session()
_SESSION: ContextVar[_Session] = ContextVar("training", default=_ALONE)


@contextmanager
def carried_out(
    *,
    checkpoints: str | PathLike[str] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Iterator[None]:
    """Say how trainings inside the block are carried out; it changes nothing of what is learned.

    Parameters
    ----------
    checkpoints : path, optional
        Folder for the state after every epoch. A training that was stopped, by whatever, goes on
        from there when the same training (data, settings, versions) begins again.
    progress : callable, optional
        Called with a `Progress` after every epoch, and at the end.

    Examples
    --------
    >>> with carried_out(checkpoints="runs", progress=print):  # doctest: +SKIP
    ...     model.fit(windows, labels)
    """
    folder = None if checkpoints is None else Path(checkpoints)
    token = _SESSION.set(_Session(folder, progress))
    try:
        yield
    finally:
        _SESSION.reset(token)


def pick_device(device: str) -> str:
    """Return where to train: ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    ParameterError
        If CUDA was asked for and is not there.
    """
    torch = needs("torch", to="train a network", extra="deep")
    check_choice(device, DEVICES, name="device")
    there = bool(torch.cuda.is_available())
    if device == "cuda" and not there:
        raise ParameterError(
            f"device='cuda' was asked for, and torch {torch.__version__} finds no CUDA device "
            "here. Train on the CPU (device='cpu' or 'auto'), or install a CUDA build of torch "
            "on a machine that has one."
        )
    return "cuda" if device != "cpu" and there else "cpu"


def teach(module: Any, examples: Examples, held_out: Examples | None, settings: Settings) -> Taught:
    """Train a network until what is held out gets no better, and return its best weights.

    Parameters
    ----------
    module : torch.nn.Module
        Built, with its statistics set; see `myograph.models.nets.frame.Framed`.
    examples : Examples
    held_out : Examples, optional
        Says when to stop; without it all epochs are gone through, and the last one counts.
    settings : Settings

    Raises
    ------
    DataError
        If the loss is not a number in the first epoch already.
    ParameterError
        If the device is not there.
    """
    from myograph.models.nets.loop import Diverged, Learner

    session = _SESSION.get()
    learner = Learner(module, settings, device=pick_device(settings.device))
    store = Store(session.folder, run_key(module, examples, held_out, settings))
    state = store.read() or State.start()
    learner.restore(state)
    tell = _Teller(session.progress, settings, state.epoch)
    notes: tuple[str, ...] = ()
    while state.epoch < settings.epochs and not _enough(state, settings):
        rate = settings.rate_at(state.epoch, state.curve[:, 1])
        try:
            losses = learner.go_through(examples, held_out, epoch=state.epoch, rate=rate)
        except Diverged as found:
            notes = _diverged(str(found), state, settings)
            break
        state = state.after(learner, losses)
        store.write(state)
        tell(state.curve, last=False)
    tell(state.curve, last=True)
    return Taught(state.best, state.curve, state.best_epoch, notes)


class _Teller:
    """Tells how far a training is; the first epochs of one that goes on took no time here."""

    def __init__(
        self, progress: Callable[[Progress], None] | None, settings: Settings, before: int
    ) -> None:
        self.progress, self.epochs, self.before = progress, settings.epochs, before
        self.started_s = time.perf_counter()

    def __call__(self, curve: NDArray[np.float64], *, last: bool) -> None:
        if self.progress is None:
            return
        done = len(curve)
        per_epoch_s = (time.perf_counter() - self.started_s) / max(1, done - self.before)
        left_s = 0.0 if last else per_epoch_s * (self.epochs - done)
        self.progress(Progress(done, self.epochs, curve, left_s, last))


def _enough(state: State, settings: Settings) -> bool:
    """Say whether what is held out got no better for as long as the patience lasts."""
    stopping = state.epoch > 0 and bool(np.isfinite(state.curve[:, 1]).all())
    return stopping and state.epoch - state.best_epoch >= settings.patience


def _times_stuck(losses: NDArray[np.float64], after: int) -> int:
    """Count how often the loss went ``after`` epochs without falling."""
    lowest, waited, times = math.inf, 0, 0
    for loss in losses:
        lowest, waited = (float(loss), 0) if loss < lowest else (lowest, waited + 1)
        if waited == after:
            times, waited = times + 1, 0
    return times


def _diverged(batch: str, state: State, settings: Settings) -> tuple[str, ...]:
    """Word what happened; without an epoch that went well there is nothing to go on with."""
    told = f"the loss of epoch {state.epoch + 1}, {batch}, is not a finite number"
    way_out = f"lower rate ({settings.rate:g}) or clip ({settings.clip:g})"
    if state.epoch == 0:
        raise DataError(
            f"The network did not learn: {told}. Nothing was kept. Look for windows of extreme "
            f"size, or {way_out}."
        )
    note = (
        f"Training stopped because {told}. The weights after epoch {state.best_epoch}, the last "
        f"good ones, were kept; to go on from there, {way_out}."
    )
    return (note,)
