"""Options of a run over folds: none of them changes the model's figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from myograph.core.checks import check_count
from myograph.core.errors import ParameterError
from myograph.core.table import FeatureTable
from myograph.validate.nuisance import Nuisance
from myograph.validate.progress import Progress
from myograph.validate.trust import PREVALENCES

__all__ = ["RunOptions"]


@dataclass(frozen=True, slots=True, eq=False)
class RunOptions:
    """How a run is carried out; none of it changes the model's figures.

    Parameters
    ----------
    jobs : int
        Processes to share the folds among.
    checkpoint : Path, optional
        Folder to keep finished folds in; a run that was stopped goes on from there.
    progress : callable, optional
        Called with a `Progress` after every fold.
    baselines : bool
        Also evaluate the ladder of baselines on the same folds.
    baseline_table : FeatureTable, optional
        Time-domain features of the same windows, for the LDA of the ladder, when the evaluated
        table holds others.
    bootstrap : int
        Resamples behind every interval.
    nuisance : Nuisance, optional
        What probes may see, see `myograph.validate.nuisance.measure_nuisance`; without it nothing
        is probed.
    changed : mapping of str to FeatureTable
        The same windows, measured on changed recordings: see `myograph.validate.perturb`.
    prevalences : sequence of float
        Shares of cases at which answers about people are judged.
    """

    jobs: int = 1
    checkpoint: Path | None = None
    progress: Callable[[Progress], None] | None = None
    baselines: bool = True
    baseline_table: FeatureTable | None = None
    bootstrap: int = 2000
    nuisance: Nuisance | None = None
    changed: Mapping[str, FeatureTable] = field(default_factory=dict)
    prevalences: Sequence[float] = PREVALENCES

    def __post_init__(self) -> None:
        check_count(self.bootstrap, name="bootstrap", least=100)
        if self.jobs == 0:
            raise ParameterError("jobs must not be 0; give 1 or more, or -1 for all cores.")
