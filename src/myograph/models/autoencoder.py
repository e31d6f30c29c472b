"""Autoencoders that say how strange a row is, learned from normal rows alone (extra ``deep``).

They learn in the loop of all networks, see `myograph.models.training`, stopped by people who were
not learned from, and answer in double precision on the CPU.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_count, check_non_negative
from myograph.core.errors import ArtifactError
from myograph.core.optional import needs
from myograph.models.budget import spread_rows
from myograph.models.detector import DETECTORS, Detector
from myograph.models.holding import hold_out
from myograph.models.mahalanobis import SHRINKAGE
from myograph.models.training import Examples, Settings, teach

__all__ = ["SCORES", "Autoencoder", "VariationalAutoencoder"]

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

#: What makes a row strange: it is not rebuilt; its code is unusual; both, weighed by likelihood.
SCORES = ("reconstruction", "latent", "likelihood")

# Rows answered at once, to bound memory.
_BLOCK = 4096
# Begins the names of the network's own arrays.
_NET = "net."
# Fixed draws behind the likelihood of the variational one.
_DRAWS = 32


class _Rebuilder(Detector):
    """What both autoencoders share.

    Parameters
    ----------
    by : str
        One of `SCORES`.
    logs : bool
        See `Detector`.
    width : int
        Inner values between a row and its code.
    latent : int, optional
        Numbers of the code; a third of those in a row when left out.
    noise : float
        Added to rows while learning, in standard deviations.
    epochs, patience, batch, rate, device
        See `myograph.models.training.Settings`.
    held_out : float
        Share of the people who say when to stop; see `myograph.models.holding.hold_out`.
    max_windows : int, optional
        Learn from at most so many rows, spread evenly over people. None takes all.
    seed : int

    Attributes
    ----------
    module_ : torch.nn.Module
        The fitted network.
    curve_ : ndarray, shape (n_epochs, 4)
        See `myograph.models.training.Taught`.
    """

    packages = ("skorch", "torch")

    state: ClassVar[tuple[str, ...]] = (*Detector.state, "curve_")

    curve_: Floats
    weights_: dict[str, NDArray[Any]]

    def __init__(  # noqa: PLR0913 - settings of the detector, by their names
        self,
        *,
        by: str = "likelihood",
        logs: bool = False,
        width: int = 64,
        latent: int | None = None,
        noise: float = 0.1,
        epochs: int = 60,
        patience: int = 10,
        batch: int = 128,
        rate: float = 3e-3,
        held_out: float = 0.2,
        max_windows: int | None = 20_000,
        device: str = "auto",
        seed: int = 0,
    ) -> None:
        super().__init__(logs=logs)
        self.by = by
        self.width = width
        self.latent = latent
        self.noise = noise
        self.epochs = epochs
        self.patience = patience
        self.batch = batch
        self.rate = rate
        self.held_out = held_out
        self.max_windows = max_windows
        self.device = device
        self.seed = seed

    @abstractmethod
    def _network(self, n_numbers: int, *, width: int, latent: int) -> Any:
        """Return a fresh network."""

    def _learn(self, rows: Floats, kinds: Numbers, people: Numbers) -> None:
        check_choice(self.by, SCORES, name="by")
        settings = Settings(
            epochs=self.epochs,
            patience=self.patience,
            batch=self.batch,
            rate=self.rate,
            precision="single",
            device=self.device,
            seed=check_count(self.seed, name="seed", least=0),
        )
        taken, notes = spread_rows(kinds, people, most=self.max_windows)
        rows, people = rows[taken], people[taken]
        weights = _alike(people)
        held, told = hold_out(np.zeros_like(people), people, share=self.held_out, seed=self.seed)
        module = self._fresh(rows.shape[1])
        module.measure(rows[~held], weights[~held])
        examples = Examples(
            rows.astype(np.float32), np.zeros(len(rows), dtype=bool), weights.astype(np.float32)
        )
        kept = examples.take(held) if held.any() else None
        taught = teach(module, examples.take(~held), kept, settings)
        self.curve_ = taught.curve
        self.weights_ = taught.state
        self.notes_ = (*notes, *told, *taught.notes)
        self._settle()
        self._know(rows, weights)

    def _know(self, rows: Floats, weights: Floats) -> None:
        """Take from normal rows what the score needs besides the network."""

    def _fresh(self, n_numbers: int, *, device: str = "cpu") -> Any:
        torch = needs("torch", to="build a network", extra="deep")
        check_non_negative(self.noise, name="noise")
        width = check_count(self.width, name="width")
        latent = check_count(self._latent(n_numbers), name="latent")
        with torch.random.fork_rng(devices=[]), torch.device(device):
            torch.manual_seed(self.seed)
            return self._network(n_numbers, width=width, latent=latent)

    def _latent(self, n_numbers: int) -> int:
        return max(1, round(n_numbers / 3)) if self.latent is None else self.latent

    def _settle(self) -> None:
        """Make the network that answers out of the saved arrays."""
        torch = needs("torch", to="answer with a network", extra="deep")
        shapes = self._fresh(self._n_numbers, device="meta").state_dict()
        expected = {name: tuple(tensor.shape) for name, tensor in shapes.items()}
        given = {name: array.shape for name, array in self.weights_.items()}
        if set(expected) != set(given):
            raise ArtifactError(
                f"{type(self).__name__} is rebuilt from the arrays "
                f"{sorted(_NET + name for name in expected)}, among others; got "
                f"{sorted(_NET + name for name in given)}."
            )
        for name, size in expected.items():
            if given[name] != size or self.weights_[name].dtype.kind not in "fi":
                raise ArtifactError(
                    f"Array {_NET + name!r} of {type(self).__name__} must have shape {size} and "
                    f"hold numbers; got {given[name]} and {self.weights_[name].dtype}."
                )
        module = self._fresh(self._n_numbers)
        module.load_state_dict(
            {name: torch.from_numpy(np.array(array)) for name, array in self.weights_.items()}
        )
        self.module_ = module.double().eval().requires_grad_(requires_grad=False)

    def _asked(self, what: str, rows: Floats) -> Floats:
        """Return what a method of the network says of rows."""
        torch = needs("torch", to="answer with a network", extra="deep")
        ask = getattr(self.module_, what)
        parts = [
            ask(torch.tensor(rows[k : k + _BLOCK], dtype=torch.float64)).numpy()
            for k in range(0, len(rows), _BLOCK)
        ]
        return np.concatenate(parts)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything that was learned, as named arrays."""
        net = {_NET + name: array for name, array in getattr(self, "weights_", {}).items()}
        return {**super().to_arrays(), **net}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], **params: Any) -> Self:
        """Rebuild a fitted detector from what `to_arrays` gave and its parameters.

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
        super()._check_state()
        self._expect("curve_", len(np.atleast_1d(self.curve_)), 4)


@DETECTORS.register("autoencoder")
class Autoencoder(_Rebuilder):
    r"""An autoencoder: a row is strange when it is not rebuilt, or rebuilt from an unusual code.

    With code :math:`z` and what is left over :math:`r = x - \hat x`, of standardised rows, the
    scores are distances in standard deviations (Mahalanobis) of :math:`r`, of :math:`z`, and of
    both together: the likelihood of a normal distribution over :math:`(z, r)`. A network that had
    learned nothing but straight lines would give the Mahalanobis distance of the row itself.

    Parameters
    ----------
    by, logs, width, latent, noise, epochs, patience, batch, rate, held_out, max_windows
        See the base class: ``by`` is one of `SCORES`.
    device, seed
        Where and from which random numbers it learns.

    References
    ----------
    vincent2008
    """

    state = (*_Rebuilder.state, "middle_", "apart_")

    #: Mean and covariance of code and rest, shapes (n_parts,) and (n_parts, n_parts).
    middle_: Floats
    apart_: Floats

    def _network(self, n_numbers: int, *, width: int, latent: int) -> Any:
        from myograph.models.nets.autoencoders import Plain

        return Plain(n_numbers, width=width, latent=latent, noise=self.noise)

    def _know(self, rows: Floats, weights: Floats) -> None:
        parts = self._asked("parts", rows)
        self.middle_ = np.average(parts, axis=0, weights=weights)
        away = parts - self.middle_
        spread = (away * weights[:, None]).T @ away / weights.sum()
        scale = np.diag(spread).copy()
        scale[scale <= 0] = max(float(scale.max()), 1e-12)
        self.apart_ = (1 - SHRINKAGE) * spread + SHRINKAGE * np.diag(scale)

    def _strangeness(self, rows: Floats) -> Floats:
        away = self._asked("parts", rows) - self.middle_
        latent = self._latent(self._n_numbers)
        asked = {
            "reconstruction": slice(latent, None),
            "latent": slice(0, latent),
            "likelihood": slice(None),
        }[self.by]
        root = np.linalg.cholesky(self.apart_[asked, asked])
        squared = (np.linalg.solve(root, away[:, asked].T) ** 2).sum(axis=0)
        return np.asarray(np.sqrt(squared), dtype=np.float64)

    def _check_state(self) -> None:
        super()._check_state()
        check_choice(self.by, SCORES, name="by")
        parts = self._latent(self._n_numbers) + self._n_numbers
        self._expect("middle_", parts)
        self._expect("apart_", parts, parts)


@DETECTORS.register("vae")
class VariationalAutoencoder(_Rebuilder):
    """A variational autoencoder: a row is strange when the people learned from rarely give it.

    The scores are minus the log likelihood of a row given its mean code (``"reconstruction"``),
    how far the distribution of its code is from that of all (``"latent"``), and minus the log
    likelihood of the row by importance sampling with 32 fixed draws (``"likelihood"``).

    Parameters
    ----------
    by, logs, width, latent, noise, epochs, patience, batch, rate, held_out, max_windows
        See `Autoencoder`.
    device, seed
        Where and from which random numbers it learns.

    References
    ----------
    kingma2014, burda2016
    """

    def _network(self, n_numbers: int, *, width: int, latent: int) -> Any:
        from myograph.models.nets.autoencoders import Variational

        return Variational(n_numbers, width=width, latent=latent, noise=self.noise, draws=_DRAWS)

    def _strangeness(self, rows: Floats) -> Floats:
        return np.asarray(self._asked("scores", rows)[:, SCORES.index(self.by)])

    def _check_state(self) -> None:
        super()._check_state()
        check_choice(self.by, SCORES, name="by")


def _alike(people: Numbers) -> Floats:
    """Return how much each row counts, so that people count alike; 1 on average."""
    _, owner, counts = np.unique(people, return_inverse=True, return_counts=True)
    return np.asarray(len(people) / (len(counts) * counts[owner].astype(np.float64)))
