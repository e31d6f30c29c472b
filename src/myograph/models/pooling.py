"""Attention pooling: from windows to a recording, by learning which windows to listen to."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from myograph.core.checks import check_count
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.core.saved import SavedAsArrays
from myograph.core.windows import WindowIndex
from myograph.models.aggregate import aggregate
from myograph.models.base import softmax
from myograph.models.holding import hold_out
from myograph.models.training import Examples, Settings, teach

__all__ = ["AttentionPooling"]

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

# Longest recording: more windows than this do not fit a network's memory.
_MOST_ROWS = 100_000


class AttentionPooling(SavedAsArrays):
    r"""Multiple-instance learning: one label per recording, and windows that share in it unequally.

    With features :math:`x_i` of the windows of a recording, inner values :math:`h_i =
    \tanh(E x_i)` are averaged with weights :math:`a_i \propto \exp w^T(\tanh(V h_i) \odot
    \sigma(U h_i))`, and the mean says the class. The weights sum to 1 in every recording, see
    `attention`: which windows mattered. It learns in the loop of all networks (extra ``deep``),
    stopped by people who were not learned from, and answers without torch.

    The unit of evidence is the recording; `combine_people` makes it the person.

    Parameters
    ----------
    width, gates : int
        Inner values of a window, and of what weighs it.
    dropout, hidden : float
        Share of inner values, and of the windows of a recording, left out at random in learning.
    epochs, patience, batch, rate, decay, device
        See `myograph.models.training.Settings`; a batch is of recordings.
    held_out : float
        Share of the people who say when to stop; see `myograph.models.holding.hold_out`.
    seed : int

    References
    ----------
    ilse2018

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> recordings = np.repeat(np.arange(40), 10)
    >>> ill = recordings % 2 == 1
    >>> windows = rng.standard_normal((400, 2))
    >>> windows[::10, 0] += 4 * ill[::10]  # one window in ten shows it
    >>> model = AttentionPooling(epochs=30).fit(windows, recordings, np.where(ill, "ill", "well"))
    >>> names, said = model.combine(windows, recordings)
    >>> said.shape, model.attention(windows, recordings).shape
    ((40, 2), (400,))
    """

    state = (
        "classes_", "centre_", "spread_", "embed_", "embed_level_", "bend_", "bend_level_",
        "gate_", "gate_level_", "worth_", "say_", "say_level_", "curve_",
    )  # fmt: skip

    classes_: NDArray[Any]
    centre_: Floats
    spread_: Floats
    embed_: Floats
    embed_level_: Floats
    bend_: Floats
    bend_level_: Floats
    gate_: Floats
    gate_level_: Floats
    worth_: Floats
    say_: Floats
    say_level_: Floats
    curve_: Floats

    def __init__(  # noqa: PLR0913 - settings of the model, by their names
        self,
        *,
        width: int = 32,
        gates: int = 16,
        dropout: float = 0.3,
        hidden: float = 0.3,
        epochs: int = 80,
        patience: int = 15,
        batch: int = 16,
        rate: float = 3e-3,
        decay: float = 0.1,
        held_out: float = 0.2,
        device: str = "auto",
        seed: int = 0,
    ) -> None:
        self.width = width
        self.gates = gates
        self.dropout = dropout
        self.hidden = hidden
        self.epochs = epochs
        self.patience = patience
        self.batch = batch
        self.rate = rate
        self.decay = decay
        self.held_out = held_out
        self.device = device
        self.seed = seed

    # --- learning --------------------------------------------------------------------------------

    def fit(
        self,
        rows: ArrayLike,
        recordings: ArrayLike,
        labels: ArrayLike,
        people: ArrayLike | None = None,
    ) -> Self:
        """Learn what recordings show, from their windows.

        Parameters
        ----------
        rows : array, shape (n_windows, n_features)
            Finite features of each window, or a window model's held-out log probabilities.
        recordings, labels : array, shape (n_windows,)
            Of each window; a recording has one label.
        people : array, shape (n_windows,), optional
            Whose each window is: people of a class count alike, and whole people are held out.
            Every recording is its own person when left out.

        Raises
        ------
        DataError
            If a recording has two labels or people, there is one class, or the shapes differ.
        """
        values, names, owner = _bags(rows, recordings)
        truth = np.asarray(labels).astype(np.str_)
        whose = np.asarray(recordings if people is None else people).astype(np.str_)
        self.classes_, codes = np.unique(_of_bag(truth, owner, "labels"), return_inverse=True)
        folk = np.unique(_of_bag(whose, owner, "people"), return_inverse=True)[1]
        if len(self.classes_) < 2:
            raise DataError(
                "AttentionPooling needs at least 2 classes of recordings; got one: "
                f"{self.classes_.tolist()}."
            )
        settings = self._settings()
        held, told = hold_out(codes, folk, share=self.held_out, seed=self.seed)
        weights = _alike(codes, folk)
        learned = ~held[owner]
        self.centre_, self.spread_ = _scale(values[learned])
        bags = _padded((values - self.centre_) / self.spread_, owner, len(names))
        examples = Examples(bags, codes.astype(np.int64), weights.astype(np.float32))
        kept = examples.take(held) if held.any() else None
        module = self._network(values.shape[1])
        taught = teach(module, examples.take(~held), kept, settings)
        for name, array in taught.state.items():
            part, _, kind = name.partition(".")
            taken = array[0] if part == "worth" else array
            setattr(self, f"{part}_level_" if kind == "bias" else f"{part}_", np.float64(taken))
        self.curve_ = taught.curve
        self.notes_ = (*told, *taught.notes)
        self.n_features_in_ = values.shape[1]
        return self

    def _settings(self) -> Settings:
        check_count(self.width, name="width")
        check_count(self.gates, name="gates")
        for name in ("dropout", "hidden"):
            if not 0 <= getattr(self, name) < 1:
                raise ParameterError(
                    f"{name} must be at least 0 and below 1; got {getattr(self, name)!r}."
                )
        return Settings(
            epochs=self.epochs,
            patience=self.patience,
            batch=self.batch,
            rate=self.rate,
            decay=self.decay,
            precision="single",
            device=self.device,
            seed=self.seed,
        )

    def _network(self, n_features: int) -> Any:
        from myograph.core.optional import needs

        torch = needs("torch", to="learn attention pooling", extra="deep")
        from myograph.models.nets.gated_attention import GatedAttention

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return GatedAttention(
                n_features,
                len(self.classes_),
                width=self.width,
                gates=self.gates,
                dropout=self.dropout,
                hidden=self.hidden,
            )

    # --- answering -------------------------------------------------------------------------------

    def combine(self, rows: ArrayLike, recordings: ArrayLike) -> tuple[NDArray[np.str_], Floats]:
        """Return the recordings, sorted, and their probabilities (n_recordings, n_classes)."""
        inner, share, names, owner = self._weighed(rows, recordings)
        mean = np.zeros((len(names), inner.shape[1]))
        np.add.at(mean, owner, share[:, None] * inner)
        return names, softmax(mean @ self.say_.T + self.say_level_)

    def attention(self, rows: ArrayLike, recordings: ArrayLike) -> Floats:
        """Return how much each window mattered, shape (n_windows,); 1 in all of a recording."""
        return self._weighed(rows, recordings)[1]

    def combine_people(
        self, rows: ArrayLike, index: WindowIndex
    ) -> tuple[NDArray[np.str_], Floats]:
        """Return the people, sorted, and their probabilities (n_people, n_classes).

        A person's recordings count alike: the mean of their log probabilities.
        """
        both = np.stack([index.subject, index.recording])
        whose, bag = np.unique(both, axis=1, return_inverse=True)
        names, said = self.combine(rows, np.ravel(bag))
        order = np.array([int(name) for name in names], dtype=np.intp)
        return aggregate(said, whose[0][order], method="mean-log-probability")

    def _weighed(
        self, rows: ArrayLike, recordings: ArrayLike
    ) -> tuple[Floats, Floats, NDArray[np.str_], Numbers]:
        """Return inner values and share of each window, and which recording it is of."""
        self._require_fitted()
        values, names, owner = _bags(rows, recordings)
        if values.shape[1] != self.n_features_in_:
            raise DataError(
                f"AttentionPooling learned from {self.n_features_in_} features; these windows have "
                f"{values.shape[1]}."
            )
        inner = np.tanh((values - self.centre_) / self.spread_ @ self.embed_.T + self.embed_level_)
        bent = np.tanh(inner @ self.bend_.T + self.bend_level_)
        asked = (bent * expit(inner @ self.gate_.T + self.gate_level_)) @ self.worth_
        most = np.full(len(names), -np.inf)
        np.maximum.at(most, owner, asked)
        raised = np.exp(asked - most[owner])
        whole = np.bincount(owner, raised)
        return inner, raised / whole[owner], names, owner

    # --- as arrays -------------------------------------------------------------------------------

    def _require_fitted(self) -> None:
        if not hasattr(self, "say_"):
            raise ParameterError("This model has not learned which windows matter; call fit.")

    def _check_state(self) -> None:
        width, gates, n = self.width, self.gates, self.n_features_in_
        if self.classes_.ndim != 1 or len(self.classes_) < 2:
            raise ArtifactError("AttentionPooling tells at least 2 classes apart.")
        shapes = {
            "centre_": (n,),
            "spread_": (n,),
            "embed_": (width, n),
            "embed_level_": (width,),
            "bend_": (gates, width),
            "bend_level_": (gates,),
            "gate_": (gates, width),
            "gate_level_": (gates,),
            "worth_": (gates,),
            "say_": (len(self.classes_), width),
            "say_level_": (len(self.classes_),),
            "curve_": (len(np.atleast_1d(self.curve_)), 4),
        }
        for name, shape in shapes.items():
            self._expect(name, *shape)


def _bags(rows: ArrayLike, recordings: ArrayLike) -> tuple[Floats, NDArray[np.str_], Numbers]:
    """Return checked rows, the names of the recordings, and the number of that of each row."""
    values = np.asarray(rows, dtype=np.float64)
    given = np.asarray(recordings).astype(np.str_)
    if values.ndim != 2 or given.shape != (len(values),) or not len(values):
        raise DataError(
            "Attention pooling needs windows (n_windows, n_features), at least one, and the "
            f"recording of each; got shapes {values.shape} and {given.shape}."
        )
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values).all(axis=1)).sum())
        raise DataError(f"{bad} of {len(values)} windows hold NaN or infinite features.")
    names, owner = np.unique(given, return_inverse=True)
    return values, names, owner.astype(np.intp)


def _of_bag(values: NDArray[np.str_], owner: Numbers, what: str) -> NDArray[np.str_]:
    if values.shape != owner.shape:
        raise DataError(
            f"{what} must name one per window ({len(owner)}); got shape {values.shape}."
        )
    first = np.unique(owner, return_index=True)[1]
    of_bag = values[first]
    if (of_bag[owner] != values).any():
        raise DataError(f"A recording has windows of two {what}; a recording is one case here.")
    return of_bag


def _alike(codes: Numbers, folk: Numbers) -> Floats:
    """Return how much each recording counts: classes alike, and people inside a class alike."""
    weights = np.zeros(len(codes))
    for code in np.unique(codes):
        mine = codes == code
        _, owner, counts = np.unique(folk[mine], return_inverse=True, return_counts=True)
        weights[mine] = 1 / (len(counts) * counts[owner])
    return weights * len(codes) / weights.sum()


def _scale(values: Floats) -> tuple[Floats, Floats]:
    centre, spread = values.mean(axis=0), values.std(axis=0)
    return centre, np.where(spread > 1e-12 * (1 + np.abs(centre)), spread, 1.0)


def _padded(values: Floats, owner: Numbers, n_bags: int) -> NDArray[np.float32]:
    """Return bags of one length, (n_bags, longest, n_features + 1); see `GatedAttention`."""
    counts = np.bincount(owner, minlength=n_bags)
    if counts.max() > _MOST_ROWS:
        raise DataError(
            f"A recording has {counts.max()} windows, and {_MOST_ROWS} fit; cut fewer of them "
            "(windowing.step_ms)."
        )
    order = np.argsort(owner, kind="stable")
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    bags = np.zeros((n_bags, int(counts.max()), values.shape[1] + 1), dtype=np.float32)
    bags[owner[order], place, :-1] = values[order]
    bags[owner[order], place, -1] = 1.0
    return bags
