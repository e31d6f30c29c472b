"""The learner: skorch's net, with batches that follow from the seed and losses that are watched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.optional import needs

if TYPE_CHECKING:
    from myograph.models.training import Examples, Settings
    from myograph.models.training_state import State

torch = needs("torch", to="train a network", extra="deep")
skorch = needs("skorch", to="train a network", extra="deep")
callbacks = needs("skorch.callbacks", to="train a network", extra="deep")
NeuralNet: Any = skorch.NeuralNet

__all__ = ["Diverged", "Learner"]

Arrays = dict[str, NDArray[Any]]


class Diverged(ArithmeticError):  # noqa: N818 - it says what happened, and never leaves the loop
    """A loss that is not a number; its text says of which batch."""


class _Net(NeuralNet):
    """skorch's net over `Examples`: it shuffles, jitters, weighs, and stops at a loss that is NaN.

    ``examples`` and ``held_out`` are what to go through, ``epoch`` says which time it is.
    """

    examples: Examples
    held_out: Examples | None
    settings: Settings
    mixed: bool
    epoch: int

    def get_default_callbacks(self) -> list[Any]:
        """Nothing is printed and no time is kept: the loop does that."""
        return []

    def get_split_datasets(self, X: Any, y: Any = None, **params: Any) -> tuple[Any, Any]:
        """Return what is learned from and what is held out, as they were chosen before."""
        del X, y, params
        return self.examples, self.held_out

    def get_iterator(self, dataset: Examples, training: bool = False) -> Iterator[Any]:  # noqa: FBT001, FBT002
        """Return batches: of what is held out in order, of the rest shuffled and jittered."""
        rng = self.settings.rng(self.epoch) if training else None
        rows = np.arange(len(dataset)) if rng is None else rng.permutation(len(dataset))
        size = self.settings.batch if training else 4 * self.settings.batch
        edges = list(range(0, len(rows), size))
        if training and len(edges) > 1 and len(rows) - edges[-1] < 2:
            edges.pop()  # a batch of one row has no spread to normalise by
        for first, stop in zip(edges, [*edges[1:], len(rows)], strict=True):
            part = dataset.take(rows[first:stop])
            values = part.values if rng is None else self.settings.jitter(part.values, rng)
            yield values, (part.targets, part.weights)

    def infer(self, x: Any, **params: Any) -> Any:
        """Run the network, in half precision where that was chosen."""
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.mixed):
            return super().infer(x, **params).float()

    def get_loss(
        self,
        y_pred: Any,
        y_true: Any,
        X: Any = None,
        training: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        """Return the mean loss of a batch, every row by its weight; refuse what is no number."""
        del X
        targets, weights = (torch.as_tensor(part, device=self.device) for part in y_true)
        loss = (self.losses(y_pred, targets) * weights).mean()
        if not bool(torch.isfinite(loss)):
            batch = len(self.history[-1, "batches"])
            raise Diverged(f"{'batch' if training else 'held-out batch'} {batch}")
        if not training:
            self.history.record_batch("valid_score", self.score(y_pred, targets))
        return loss

    def losses(self, scores: Any, targets: Any) -> Any:
        """Return the loss of every row: cross entropy, or the square of what is missed."""
        if targets.dtype == torch.int64:
            return torch.nn.functional.cross_entropy(scores, targets, reduction="none")
        return ((scores[:, 0] - targets) / self.module_.scale) ** 2

    def score(self, scores: Any, targets: Any) -> float:
        """Return the share of rows named right, or of the training's variance explained."""
        if targets.dtype == torch.int64:
            return float((scores.argmax(dim=1) == targets).float().mean())
        return 1.0 - float(self.losses(scores, targets).mean())


class Learner:
    """A network that can be led through epochs, and whose state can be taken out and put back.

    Parameters
    ----------
    module : torch.nn.Module
    settings : Settings
    device : str
        ``"cpu"`` or ``"cuda"``.
    """

    def __init__(self, module: Any, settings: Settings, *, device: str) -> None:
        self.settings = settings
        self.net = _Net(
            module,
            criterion=torch.nn.Identity,  # the loss needs weights, see `_Net.get_loss`
            optimizer=torch.optim.AdamW,
            optimizer__weight_decay=settings.decay,
            lr=settings.rate,
            train_split=None,
            callbacks=[
                ("loss", callbacks.PassthroughScoring("train_loss", on_train=True)),
                ("clip", callbacks.GradientNormClipping(settings.clip)),
            ],
            verbose=0,
            device=device,
        )
        self.net.initialize()
        self.net.settings = settings
        self.net.mixed = settings.precision == "mixed" or (
            settings.precision == "auto" and device == "cuda" and torch.cuda.is_bf16_supported()
        )

    def go_through(
        self, examples: Examples, held_out: Examples | None, *, epoch: int, rate: float
    ) -> tuple[float, float, float, float]:
        """Learn from all examples once, and return the row of the curve.

        Raises
        ------
        Diverged
            If a loss is not a number.
        """
        net = self.net
        net.examples, net.held_out, net.epoch = examples, held_out, epoch
        for group in net.optimizer_.param_groups:
            group["lr"] = rate
        cards = [torch.cuda.current_device()] if net.device == "cuda" else []
        same = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)
        with same, torch.random.fork_rng(devices=cards):
            torch.manual_seed(int(self.settings.rng(epoch).integers(2**62)))  # of dropout
            net.fit_loop(None, epochs=1)
        held = (float("nan"), float("nan"))
        if held_out is not None:
            held = (self._mean("valid_loss"), self._mean("valid_score"))
        return float(net.history[-1, "train_loss"]), *held, rate

    def _mean(self, name: str) -> float:
        batches = self.net.history[-1, "batches"]
        told = [(b[name], b["valid_batch_size"]) for b in batches if name in b]
        values, sizes = np.array(told).T
        return float(np.average(values, weights=sizes))

    def weights(self) -> Arrays:
        """Return weights and statistics of the network."""
        return {k: _array(v) for k, v in self.net.module_.state_dict().items()}

    def memory(self) -> Arrays:
        """Return what the optimiser remembers, as ``number/name``."""
        kept = self.net.optimizer_.state_dict()["state"]
        return {f"{k}/{name}": _array(v) for k, each in kept.items() for name, v in each.items()}

    def restore(self, state: State) -> None:
        """Go back to a state; that before the first epoch changes nothing."""
        if state.epoch == 0:
            return
        self.net.module_.load_state_dict(_tensors(state.module))
        kept: dict[int, dict[str, Any]] = {}
        for name, tensor in _tensors(state.optimizer).items():
            number, _, rest = name.partition("/")
            kept.setdefault(int(number), {})[rest] = tensor
        optimizer = self.net.optimizer_
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": kept, "param_groups": groups})


def _array(tensor: Any) -> NDArray[Any]:
    copied: NDArray[Any] = tensor.detach().cpu().numpy().copy()
    return copied


def _tensors(arrays: Arrays) -> dict[str, Any]:
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
