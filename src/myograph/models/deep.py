"""Networks under the contract of models: what they share, whatever they are made of.

A network takes whole windows. It learns in single precision, see `myograph.models.training`, and
answers in double precision on the CPU: so a window alone, the same window among others, and
another machine agree to rounding, and what runs live is what ran offline.

To make a new one, subclass `DeepClassifier` or `DeepRegressor`, register it, and write `_body`:
see `myograph.models.cnn`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_choice, check_count, check_positive
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.core.optional import needs
from myograph.models.base import Classifier, Model, Regressor, softmax
from myograph.models.budget import spread_rows
from myograph.models.holding import hold_out
from myograph.models.jitter import Jitter
from myograph.models.shape import Shape
from myograph.models.training import Examples, Settings, pick_device, teach

__all__ = ["BALANCES", "DeepClassifier", "DeepRegressor", "Network", "Shape"]

#: What counts alike: every window, every class, or every person.
BALANCES = ("windows", "classes", "people")

# Samples answered at once, to bound memory.
_BLOCK = 1 << 21
# Begins the names of the network's own arrays.
_NET = "net."
# Longest window that a saved network may say it takes.
_MOST_SAMPLES = 1 << 20
# Most blocks.
_MOST_DEPTH = 64


class Network(Model):
    """What classifiers and regressors share.

    Parameters
    ----------
    width, depth : int, optional
        Channels of the first layer and number of blocks; what it means exactly, and what it is
        when left out, is the network's own (`own_width`, `own_depth`).
    dropout : float
        Share of inner values left out at random while learning.
    epochs, patience, batch, rate, schedule, decay, clip, precision, device
        See `myograph.models.training.Settings`.
    balance : str
        One of `BALANCES`.
    held_out : float
        Share of the people who are not learned from and say when to stop; 0 goes through all
        epochs. See `myograph.models.holding.hold_out`.
    gain_db, noise, drop_channel, turn : float
        Augmentation, see `myograph.models.jitter.Jitter`.
    shift_ms, mask_ms : float
        Augmentation too: its ``shift`` and ``mask``.
    max_windows : int, optional
        Train on at most so many windows, spread evenly over classes and people. None takes all.
    fs_hz : float, optional
        Samples per second of the windows. A pipeline gives that of its windows.
    seed : int

    Attributes
    ----------
    module_ : torch.nn.Module
        The fitted network, in double precision, in its answering mode, on the CPU: a
        `myograph.models.nets.frame.Framed`. ``module_(model.input_of(X))`` are the scores
        (logits) of the classes or the estimates; ``module_.last_convolution`` is the last
        convolution, or None.
    curve_ : ndarray, shape (n_epochs, 4)
        Loss, held-out loss, held-out score, learning rate of every epoch; see
        `myograph.models.training.Taught`.
    """

    eats = "windows"
    uses_groups = True
    packages = ("skorch", "torch")

    state = ("n_samples_", "fs_hz_", "curve_")

    #: ``width`` and ``depth`` where they are left out.
    own_width = 32
    own_depth = 3

    n_samples_: NDArray[np.int64]
    fs_hz_: NDArray[np.float64]
    curve_: NDArray[np.float64]
    weights_: dict[str, NDArray[Any]]

    def __init__(  # noqa: PLR0913 - settings of the model, by their names
        self,
        *,
        width: int | None = None,
        depth: int | None = None,
        dropout: float = 0.2,
        epochs: int = 60,
        patience: int = 10,
        batch: int = 64,
        rate: float = 2e-3,
        schedule: str = "cosine",
        decay: float = 0.01,
        clip: float = 1.0,
        balance: str = "classes",
        held_out: float = 0.2,
        gain_db: float = 0.0,
        noise: float = 0.0,
        shift_ms: float = 0.0,
        mask_ms: float = 0.0,
        drop_channel: float = 0.0,
        turn: float = 0.0,
        precision: str = "auto",
        device: str = "auto",
        max_windows: int | None = None,
        fs_hz: float | None = None,
        seed: int = 0,
    ) -> None:
        self.width = width
        self.depth = depth
        self.dropout = dropout
        self.epochs = epochs
        self.patience = patience
        self.batch = batch
        self.rate = rate
        self.schedule = schedule
        self.decay = decay
        self.clip = clip
        self.balance = balance
        self.held_out = held_out
        self.gain_db = gain_db
        self.noise = noise
        self.shift_ms = shift_ms
        self.mask_ms = mask_ms
        self.drop_channel = drop_channel
        self.turn = turn
        self.precision = precision
        self.device = device
        self.max_windows = max_windows
        self.fs_hz = fs_hz
        self.seed = seed

    # --- what a network is made of ---------------------------------------------------------------

    @abstractmethod
    def _body(self, shape: Shape) -> Any:
        """Return a fresh network: standardised windows to ``shape.n_outputs`` numbers.

        Its random weights are torch's, which is seeded by the caller. Refuses windows that are
        too short (`Shape.require`).
        """

    @abstractmethod
    def _n_outputs(self) -> int:
        """Return how many numbers the network gives for a window."""

    def _sizes(self) -> tuple[int, int]:
        """Return checked width and depth."""
        width = self.own_width if self.width is None else self.width
        depth = self.own_depth if self.depth is None else self.depth
        if check_count(depth, name="depth") > _MOST_DEPTH:
            raise ParameterError(f"depth must be at most {_MOST_DEPTH}; got {depth}.")
        return check_count(width, name="width"), depth

    def _dropout(self) -> float:
        if not 0 <= self.dropout < 1:
            raise ParameterError(f"dropout must be at least 0 and below 1; got {self.dropout!r}.")
        return float(self.dropout)

    # --- learning --------------------------------------------------------------------------------

    def _settings(self, shape: Shape) -> Settings:
        def samples(length_ms: float) -> int:
            return round(length_ms * shape.fs_hz / 1000)

        jitter = Jitter(
            self.gain_db,
            self.noise,
            samples(self.shift_ms),
            samples(self.mask_ms),
            self.drop_channel,
            self.turn,
        )
        return Settings(
            epochs=self.epochs,
            patience=self.patience,
            batch=self.batch,
            rate=self.rate,
            schedule=self.schedule,
            decay=self.decay,
            clip=self.clip,
            jitter=jitter,
            precision=self.precision,
            device=self.device,
            seed=self.seed,
        )

    def _shape(self, n_samples: int) -> Shape:
        if self.fs_hz is None:
            raise ParameterError(
                f"{type(self).__name__} is built for windows of a known rate; give fs_hz, their "
                "samples per second (a pipeline does)."
            )
        fs_hz = check_positive(self.fs_hz, name="fs_hz")
        return Shape(self.n_features_in_, n_samples, fs_hz, self._n_outputs())

    def _teach(
        self, X: NDArray[np.float64], targets: NDArray[Any], people: NDArray[np.intp]
    ) -> None:
        check_choice(self.balance, BALANCES, name="balance")
        shape = self._shape(X.shape[2])
        settings = self._settings(shape)
        pick_device(settings.device)  # refused before any work is done
        codes = targets if targets.dtype.kind == "i" else np.zeros_like(people)
        rows, notes = spread_rows(codes, people, most=self.max_windows)
        X, targets, people, codes = X[rows], targets[rows], people[rows], codes[rows]
        held, told = hold_out(codes, people, share=self.held_out, seed=self.seed)
        weights = _weights(codes, people, self.balance)
        examples = Examples(X.astype(np.float32), targets, weights.astype(np.float32))
        module = self._module(shape, seed=self.seed)
        learned, kept = examples.take(~held), examples.take(held) if held.any() else None
        module.measure(learned.values, None if targets.dtype.kind == "i" else learned.targets)
        taught = teach(module, learned, kept, settings)
        self.n_samples_ = np.asarray(shape.n_samples, dtype=np.int64)
        self.fs_hz_ = np.asarray(shape.fs_hz)
        self.curve_ = taught.curve
        self.weights_ = taught.state
        self.notes_ = (*notes, *told, *taught.notes)
        self._settle()

    def _module(self, shape: Shape, *, seed: int = 0, device: str = "cpu") -> Any:
        """Return a fresh network in its frame; on the device "meta" it has shapes, and no room."""
        torch = needs("torch", to="build a network", extra="deep")
        from myograph.models.nets.frame import Framed

        with torch.random.fork_rng(devices=[]), torch.device(device):
            torch.manual_seed(seed)
            return Framed(self._body(shape), n_channels=shape.n_channels)

    def _settle(self) -> None:
        """Make the network that answers out of the saved arrays."""
        torch = needs("torch", to="answer with a network", extra="deep")
        fs_hz = float(self.fs_hz_)
        shape = Shape(self.n_features_in_, int(self.n_samples_), fs_hz, self._n_outputs())
        try:
            planned = self._module(shape, device="meta")
        except RuntimeError as error:  # torch's, for a size that no number holds
            raise ArtifactError(f"{type(self).__name__} cannot be built: {error}.") from error
        self._check_weights(planned)
        module = self._module(shape)
        module.load_state_dict(
            {name: torch.from_numpy(np.array(array)) for name, array in self.weights_.items()}
        )
        self.module_ = module.double().eval().requires_grad_(requires_grad=False)

    def _check_weights(self, module: Any) -> None:
        """Refuse arrays that are not those of this network, before there is room for it."""
        expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
        if set(expected) != set(self.weights_):
            raise ArtifactError(
                f"{type(self).__name__} is rebuilt from the arrays "
                f"{sorted(_NET + name for name in expected)}, among others; got "
                f"{sorted(_NET + name for name in self.weights_)}."
            )
        for name, size in expected.items():
            array = self.weights_[name]
            if array.shape != size or array.dtype.kind not in "fi":
                raise ArtifactError(
                    f"Array {_NET + name!r} of {type(self).__name__} must have shape {size} and "
                    f"hold numbers; got {array.shape} and {array.dtype}."
                )

    # --- answering -------------------------------------------------------------------------------

    def input_of(self, X: ArrayLike) -> Any:
        """Return windows as the tensor that ``module_`` takes.

        Parameters
        ----------
        X : array, shape (n_windows, n_channels, n_samples)

        Returns
        -------
        torch.Tensor of float64, shape (n_windows, n_channels, n_samples)
            In the unit of the channels: the network standardises them itself.
        """
        return self._tensor(self._rows(X))

    def _tensor(self, X: NDArray[np.float64]) -> Any:
        torch = needs("torch", to="answer with a network", extra="deep")
        if X.shape[2] != int(self.n_samples_):
            raise DataError(
                f"{type(self).__name__} learned from windows of {int(self.n_samples_)} samples; "
                f"these have {X.shape[2]}."
            )
        return torch.tensor(X, dtype=torch.float64)

    def _outputs(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        torch = needs("torch", to="answer with a network", extra="deep")
        step = max(1, _BLOCK // max(1, X.shape[1] * X.shape[2] * self._sizes()[0]))
        tensor = self._tensor(X)
        with torch.no_grad():
            parts = [self.module_(tensor[k : k + step]).numpy() for k in range(0, len(X), step)]
        return np.concatenate(parts) if parts else np.empty((0, self._n_outputs()))

    # --- as arrays -------------------------------------------------------------------------------

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything that was learned, as named arrays."""
        return {
            **super().to_arrays(),
            **{_NET + name: array for name, array in self.weights_.items()},
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], **params: Any) -> Self:
        """Rebuild a fitted network from what `to_arrays` gave and its parameters.

        Raises
        ------
        ArtifactError
            If an array is missing or unknown, or the arrays do not fit together.
        """
        net = {k.removeprefix(_NET): v for k, v in arrays.items() if k.startswith(_NET)}
        rest = {k: v for k, v in arrays.items() if not k.startswith(_NET)}
        rebuilt = super().from_arrays(rest, **params)
        rebuilt.weights_ = net
        rebuilt._settle()
        return rebuilt

    def _check_state(self) -> None:
        self._expect("n_samples_", kind="i")
        self._expect("fs_hz_")
        self._expect("curve_", len(np.atleast_1d(self.curve_)), 4)
        if not 0 < int(self.n_samples_) <= _MOST_SAMPLES or not float(self.fs_hz_) > 0:
            raise ArtifactError(
                f"A network for windows of {int(self.n_samples_)} samples at "
                f"{float(self.fs_hz_):g} Hz cannot be."
            )


class DeepClassifier(Network, Classifier):
    """A network that names a class; subclasses write `_body`."""

    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        self._teach(X, codes.astype(np.int64), people)

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return softmax(self._outputs(X))


class DeepRegressor(Network, Regressor):
    """A network that estimates a number; subclasses write `_body`."""

    def _n_outputs(self) -> int:
        return 1

    def _learn(
        self, X: NDArray[np.float64], y: NDArray[np.float64], people: NDArray[np.intp]
    ) -> None:
        self._teach(X, y.astype(np.float32), people)

    def _estimate(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._outputs(X)[:, 0]


def _weights(
    codes: NDArray[np.intp], people: NDArray[np.intp], balance: str
) -> NDArray[np.float64]:
    """Return how much each row counts, 1 on average."""
    if balance == "windows":
        return np.ones(len(codes))
    cells = codes if balance == "classes" else people
    _, numbers, counts = np.unique(cells, return_inverse=True, return_counts=True)
    return len(cells) / (len(counts) * counts[numbers].astype(np.float64))
