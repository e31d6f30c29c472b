"""Explainer: the ways of explaining a decision, each with the checks that judge it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import ParameterError
from myograph.explain import attribution
from myograph.explain.cases import similar_cases
from myograph.explain.cell_game import BandCellGame, CellGame, SpanGame
from myograph.explain.counterfactual import Counterfactual
from myograph.explain.explained import Explained, Judged, JudgedHeat, Reference
from myograph.explain.explanation import Attribution, Groups, Heat, gathered
from myograph.explain.faithfulness import (
    FEWEST_PARTS,
    Faithfulness,
    Randomisation,
    judge,
    randomisation,
)
from myograph.explain.flip import feature_counterfactual, gain_counterfactual
from myograph.explain.game import FeatureGame, Game
from myograph.explain.moments import MomentGame
from myograph.explain.parts import band_name, bands_of, families
from myograph.explain.question import Question
from myograph.explain.rest import Rest
from myograph.explain.shapley import MOST_EXACT, linear_shap, linear_weights, occlusion, shapley
from myograph.explain.signal_game import BandGame, MuscleGame
from myograph.explain.tree_shap import is_tree_model, tree_shap

__all__ = ["METHODS", "explain_question", "spans_of"]

Array = NDArray[np.float64]

#: Ways of explaining; ``"auto"`` takes those that suit the model and the data at hand.
METHODS = (
    "auto",
    "shap",
    "permutation",
    "occlusion",
    "integrated-gradients",
    "grad-cam",
    "attention",
    "cases",
    "counterfactual",
)

_MOST_SPANS, _FEWEST_SPANS = 40, 8
# Rows of training people, and of the question's windows, where every one is asked for.
_N_ROWS = 12
_ORDERS, _CELL_ORDERS = 40, 20


def explain_question(
    question: Question,
    *,
    method: str = "auto",
    reference: Reference | None = None,
    seed: int = 0,
    wanted: str = "",
) -> Explained:
    """Explain one decision, and judge every explanation.

    Parameters
    ----------
    question : Question
        See `myograph.explain.question.ask`.
    method : str
        One of `METHODS`.
    reference : Reference, optional
        Windows of training people: needed for features' SHAP values, similar cases, changes of
        features and permutation importance. A model file carries none.
    seed : int
    wanted : str
        The class that a counterfactual is to reach.

    Raises
    ------
    ParameterError
        If the method is unknown, needs ``reference`` and there is none, or does not suit the model.
    """
    if method not in METHODS:
        from myograph.core.checks import unknown_name

        raise ParameterError(unknown_name(method, METHODS, what="method"))
    if reference is None and method in ("permutation", "cases"):
        raise ParameterError(
            f"Method {method!r} needs people to compare with, and a model file carries nobody's "
            "signals; give the data it learned from (--data NAME)."
        )
    work = _Work(question, reference, seed, wanted)
    found: Explained = getattr(work, method.replace("-", "_"))()
    return found


@dataclass(frozen=True, eq=False)
class _Work:
    """The ways of explaining, one a method."""

    question: Question
    reference: Reference | None
    seed: int
    wanted: str

    @property
    def _rest(self) -> Rest | None:
        return None if self.reference is None else self.reference.rest

    def auto(self) -> Explained:
        heats = [self._heat()]
        if attribution.has_gradients(self.question):
            heats.append(self._gradient_heat("integrated-gradients"))
        reference, notes = self.reference, list(self._notes())
        counterfactuals = self._counterfactuals() if self.question.classes else ()
        return Explained(
            self.question,
            "auto",
            bars=(*self._signal_bars(shapley), *self._feature_bars()),
            heats=tuple(heats),
            cases=None if reference is None else similar_cases(self.question, reference.table),
            counterfactuals=counterfactuals,
            importance=() if reference is None else reference.importance,
            notes=tuple(notes),
        )

    def shap(self) -> Explained:
        return Explained(
            self.question,
            "shap",
            bars=(*self._signal_bars(shapley), *self._feature_bars()),
            heats=(self._heat(),),
            notes=self._notes(),
        )

    def occlusion(self) -> Explained:
        return Explained(
            self.question,
            "occlusion",
            bars=tuple(self._signal_bars(occlusion)),
            heats=(self._occlusion_heat(),),
            notes=self._notes(),
        )

    def permutation(self) -> Explained:
        importance = () if self.reference is None else self.reference.importance
        return Explained(self.question, "permutation", importance=importance, notes=self._notes())

    def cases(self) -> Explained:
        found = (
            None if self.reference is None else similar_cases(self.question, self.reference.table)
        )
        return Explained(self.question, "cases", cases=found, notes=self._notes())

    def counterfactual(self) -> Explained:
        return Explained(
            self.question,
            "counterfactual",
            counterfactuals=self._counterfactuals(),
            notes=self._notes(),
        )

    def integrated_gradients(self) -> Explained:
        return self._by_gradient("integrated-gradients")

    def grad_cam(self) -> Explained:
        return self._by_gradient("grad-cam")

    def attention(self) -> Explained:
        return self._by_gradient("attention")

    def _by_gradient(self, method: str) -> Explained:
        heat = self._gradient_heat(method)
        bars: tuple[Judged, ...] = ()
        if method == "integrated-gradients":
            bands = bands_of(self.question.pipeline, self.question.recording.fs_hz)
            game = BandGame(self.question, bands, self._rest)

            def way(each: Game) -> Attribution:
                return attribution.band_gradients(each.question, bands)

            bars = (self._judged(game, way),)
        return Explained(self.question, method, bars=bars, heats=(heat,), notes=self._notes())

    def _signal_bars(self, way: Callable[[Game], Attribution]) -> list[Judged]:
        games: list[Game] = []
        if self.question.layout.n_channels > 1:
            games.append(MuscleGame(self.question, self._rest))
        bands = bands_of(self.question.pipeline, self.question.recording.fs_hz)
        games.append(BandGame(self.question, bands, self._rest))
        return [self._judged(game, way) for game in games]

    def _feature_bars(self) -> list[Judged]:
        """Divide the evidence among features, and add them up by family and by muscle."""
        if self.reference is None or self.question.model.eats != "features":
            return []
        rows = self.reference.taken(self.question)
        by_family = families(self.question.names)
        single: Attribution | None = None
        if linear_weights(self.question) is not None:
            single = linear_shap(self.question, rows)
        elif is_tree_model(self.question):
            single = tree_shap(self.question, rows)
        if single is None:
            game = self._feature_game(rows, by_family)
            return [self._judged(game, shapley)]
        found = [self._grouped(single, rows, by_family)] if len(by_family.names) > 1 else []
        if len(single.names) > 1:
            game = self._feature_game(rows, None)
            found.append(Judged(single, self._judge(game, single.values, _CELL_ORDERS)))
        return found

    def _grouped(self, single: Attribution, rows: Array, groups: Groups) -> Judged:
        game = self._feature_game(rows, groups)
        summed = gathered(single, groups)
        return Judged(summed, self._judge(game, summed.values, _ORDERS))

    def _feature_game(self, rows: Array, groups: Groups | None) -> FeatureGame:
        few = rows[np.linspace(0, len(rows) - 1, min(len(rows), _N_ROWS)).round().astype(int)]
        return FeatureGame(self.question, few, groups=groups, most_rows=_N_ROWS)

    def _judged(self, game: Game, way: Callable[[Game], Attribution]) -> Judged:
        found = way(game)
        if len(game) < FEWEST_PARTS:
            return Judged(found, None)
        checked = randomisation(
            self.question,
            found.values,
            lambda other: way(game.with_question(other)).values,
            seed=self.seed,
        )
        return Judged(found, self._judge(game, found.values, _ORDERS, checked))

    def _judge(
        self, game: Game, values: Array, n_orders: int, checked: Randomisation | None = None
    ) -> Faithfulness | None:
        if len(game) < FEWEST_PARTS:
            return None
        return judge(game, values, n_orders=n_orders, seed=self.seed, checked=checked)

    def _heat(self) -> JudgedHeat:
        """Share out every window among its muscles, or its bands where there is one channel."""
        question = self.question
        n_channels = question.layout.n_channels
        if n_channels > MOST_EXACT:
            return self._occlusion_heat()
        bands = bands_of(question.pipeline, question.recording.fs_hz)
        inner: MuscleGame | BandGame = MuscleGame(question, self._rest)
        if n_channels == 1:
            inner = BandGame(question, bands, self._rest)
        game = MomentGame(inner)
        heat = game.shared()
        checked = randomisation(
            question,
            heat.values.ravel(),
            lambda other: game.with_question(other).shared().values.ravel(),
            n_models=3,
            seed=self.seed,
        )
        return JudgedHeat(heat, self._judge(game, heat.values.ravel(), _ORDERS, checked))

    def _occlusion_heat(self) -> JudgedHeat:
        edges_s = spans_of(self.question)
        game: CellGame | BandCellGame = CellGame(self.question, edges_s, self._rest)
        names = self.question.layout.names
        if len(names) == 1:  # one channel: which band, rather than which muscle
            bands = bands_of(self.question.pipeline, self.question.recording.fs_hz)
            game = BandCellGame(self.question, edges_s, bands, self._rest)
            names = tuple(band_name(*band) for band in bands)
        values = game.alone()
        heat = Heat(
            "occlusion",
            names,
            game.edges_s,
            values,
            game.unit,
            note=f"What the evidence loses when a cell alone is taken away; {game.away}.",
        )
        checked = randomisation(
            self.question,
            values.ravel(),
            lambda other: game.with_question(other).alone().ravel(),
            n_models=3,
            seed=self.seed,
        )
        return JudgedHeat(heat, self._judge(game, values.ravel(), _CELL_ORDERS, checked))

    def _gradient_heat(self, method: str) -> JudgedHeat:
        edges_s = spans_of(self.question)
        ways = {
            "integrated-gradients": attribution.integrated_gradients,
            "grad-cam": attribution.grad_cam,
            "attention": attribution.attention_rollout,
        }
        heat = ways[method](self.question, edges_s)
        # What says when, and not where, is judged by moments alone.
        kind = CellGame if heat.where else SpanGame

        def told(other: Heat) -> Array:
            return other.values.ravel() if other.where else other.values.sum(axis=0)

        checked = randomisation(
            self.question,
            told(heat),
            lambda other: told(ways[method](other, edges_s)),
            n_models=3,
            seed=self.seed,
        )
        game = kind(self.question, edges_s, self._rest)
        return JudgedHeat(heat, self._judge(game, told(heat), _CELL_ORDERS, checked))

    def _counterfactuals(self) -> tuple[Counterfactual, ...]:
        found = [gain_counterfactual(self.question, wanted=self.wanted)]
        if self.reference is not None and self.question.model.eats == "features":
            rows = self.reference.taken(self.question, most=2000)
            found.append(feature_counterfactual(self.question, rows, wanted=self.wanted))
        return tuple(found)

    def _notes(self) -> tuple[str, ...]:
        told = []
        question, reference = self.question, self.reference
        if reference is None:
            told.append(
                "Without the data the model learned from there are no similar cases, no changes "
                "of features and no SHAP values of features: a model file carries nobody's signals."
            )
        elif not reference.same:
            told.append(
                f"The windows of {reference.name or 'the reference'} are not exactly those the "
                "model learned from (their digests differ): similar cases may be people it has "
                "not seen."
            )
        if question.pipeline.config.aggregate == "vote" and question.target:
            told.append(
                "The recording is decided by a vote of its windows; the evidence explained is the "
                "mean of their log-odds."
            )
        return tuple(told)


def spans_of(question: Question) -> Array:
    """Return limits of spans that are short beside the windows, and not too many."""
    index = question.windows.index
    start_s, stop_s = float(index.start_s.min()), float(index.stop_s.max())
    length_s = float(index.stop_s[0] - index.start_s[0])
    wanted = round(2 * (stop_s - start_s) / length_s)
    n_samples = max(2, round((stop_s - start_s) * question.layout.fs_hz))
    n_spans = min(max(wanted, _FEWEST_SPANS), _MOST_SPANS, n_samples)
    return np.linspace(start_s, stop_s, n_spans + 1)
