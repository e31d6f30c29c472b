"""The state of a training after an epoch, in memory and as a file that survives a kill."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.core.optional import needs

if TYPE_CHECKING:
    from myograph.models.training import Examples, Settings

__all__ = ["State", "Store", "run_key"]

Arrays = dict[str, NDArray[Any]]

_PARTS = ("module", "best", "optimizer")


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Everything that the next epoch depends on, and the best weights so far.

    Parameters
    ----------
    curve : ndarray, shape (n_epochs, 4)
        See `myograph.models.training.Taught`.
    best_epoch : int
        From 1; 0 before the first.
    module, best, optimizer : dict of str to ndarray
        Weights now, weights after the best epoch, and what the optimiser remembers.
    """

    curve: NDArray[np.float64]
    best_epoch: int
    module: Arrays
    best: Arrays
    optimizer: Arrays

    @classmethod
    def start(cls) -> State:
        """Return the state before the first epoch."""
        return cls(np.empty((0, 4)), 0, {}, {}, {})

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.curve)

    def after(self, learner: Any, losses: tuple[float, float, float, float]) -> State:
        """Return the state after one more epoch, whose row of the curve is ``losses``."""
        module = learner.weights()
        held_out = self.curve[:, 1]
        better = not np.isfinite(losses[1]) or not len(held_out) or losses[1] < held_out.min()
        return State(
            np.concatenate([self.curve, [losses]]),
            self.epoch + 1 if better else self.best_epoch,
            module,
            module if better else self.best,
            learner.memory(),
        )


@dataclass(frozen=True, slots=True)
class Store:
    """Where the state of one training is kept.

    Parameters
    ----------
    folder : Path or None
        Shared by all trainings; None keeps nothing.
    key : str
        Digest of everything that the training depends on.
    """

    folder: Path | None
    key: str

    @property
    def path(self) -> Path | None:
        """The file of this training."""
        return None if self.folder is None else self.folder / self.key[:16] / "epoch.npz"

    def read(self) -> State | None:
        """Return the state that was kept last, or None.

        Raises
        ------
        DataError
            If the file is damaged.
        """
        if self.path is None:
            return None
        try:
            with np.load(io.BytesIO(self.path.read_bytes()), allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in kept.files}
            parts: dict[str, Arrays] = {part: {} for part in _PARTS}
            for name in set(arrays) - {"curve", "best_epoch"}:
                part, _, rest = name.partition("/")
                parts[part][rest] = arrays[name]
            return State(arrays["curve"], int(arrays["best_epoch"]), **parts)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError, LookupError, zipfile.BadZipFile) as error:
            raise DataError(
                f"Checkpoint {self.path} is damaged ({error}); delete it, and the training begins "
                "again."
            ) from error

    def write(self, state: State) -> None:
        """Keep the state; the file appears whole or not at all."""
        if self.path is None:
            return
        arrays = {"curve": state.curve, "best_epoch": np.array(state.best_epoch)}
        for part in _PARTS:
            arrays |= {f"{part}/{name}": v for name, v in getattr(state, part).items()}
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=self.path.parent, prefix=".epoch-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(buffer.getvalue())
                file.flush()
                os.fsync(file.fileno())
            Path(beside).replace(self.path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise


def run_key(module: Any, examples: Examples, held_out: Examples | None, settings: Settings) -> str:
    """Return the sha256 of a training: network, weights at its start, windows, settings, torch."""
    torch = needs("torch", to="train a network", extra="deep")
    digest = hashlib.sha256(f"{torch.__version__}\n{settings}\n{module}".encode())
    for name, tensor in module.state_dict().items():
        digest.update(name.encode() + tensor.numpy(force=True).tobytes())
    for side in (examples, held_out):
        if side is not None:
            for array in (side.values, side.targets, side.weights):
                digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
