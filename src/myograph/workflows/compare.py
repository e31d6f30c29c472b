"""Compare: several evaluations of the same people, pair by pair, and what luck could do."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from myograph.core.errors import ParameterError
from myograph.workflows.evaluate import REPORT, RESULT, result_folder
from myograph.workflows.outputs import check_folder, new_folder, write_json, write_text

if TYPE_CHECKING:
    from myograph.validate.contest import Contest

__all__ = ["COMPARISON", "compare"]

#: The file that every comparison's folder holds.
COMPARISON = "comparison.json"


def compare(  # noqa: PLR0913 - the verb as people type it: every option by its name
    results: Sequence[str | PathLike[str]],
    *,
    metric: str | None = None,
    test: str = "sign-flip",
    correction: str = "holm",
    reference: str | PathLike[str] | None = None,
    shared: bool = False,
    seed: int = 0,
    out: str | PathLike[str] | None = None,
    force: bool = False,
) -> Contest:
    """Compare the models of several evaluations on the same people.

    Parameters
    ----------
    results : sequence of path
        Folders that ``myograph evaluate --out`` wrote. Each is called by its folder's name, by its
        whole path where two folders have the same name.
    metric : str, optional
        The results' headline by default.
    test : str
        ``"sign-flip"`` or ``"wilcoxon"``.
    correction : str
        ``"holm"``, ``"benjamini-hochberg"`` or ``"none"``.
    reference : path, optional
        One of the results: everything is compared with it. All pairs by default.
    shared : bool
        Compare the people whom all results tested, although some tested others as well.
    seed : int
    out : path, optional
        Folder for ``comparison.json`` and ``report.html``.
    force : bool
        Replace an earlier comparison at ``out``.

    Raises
    ------
    DataError
        If a folder holds no result, or the results are about other people, recordings, classes or
        questions.
    ParameterError
        If a name is unknown, or a result is given twice.
    OutputExistsError
        If ``out`` exists and ``force`` is not given.

    Examples
    --------
    >>> found = compare(["lda", "forest"], reference="lda")  # doctest: +SKIP
    >>> found.comparisons[0].corrected  # doctest: +SKIP
    0.0312
    """
    from myograph.validate.contest import compare_results
    from myograph.validate.result import ValidationResult

    if out is not None:
        check_folder(Path(out), mark=COMPARISON, force=force)
    named = _named([result_folder(each) for each in results])
    lead = None if reference is None else _reference(reference, named)
    found = compare_results(
        {name: ValidationResult.load(folder) for name, folder in named.items()},
        metric=metric,
        reference=lead,
        test=test,
        correction=correction,
        shared=shared,
        seed=seed,
    )
    if out is not None:
        _save(found, Path(out), _command(named, found, shared=shared, seed=seed), force=force)
    return found


def _named(folders: Sequence[Path]) -> dict[str, Path]:
    places = [folder.resolve() for folder in folders]
    for place, folder in zip(places, folders, strict=True):
        if places.count(place) > 1:
            raise ParameterError(f"{folder} is given twice; a model is not compared with itself.")
    names = [place.name for place in places]
    return {
        place.name if names.count(place.name) == 1 else str(folder): folder
        for place, folder in zip(places, folders, strict=True)
    }


def _reference(reference: str | PathLike[str], named: dict[str, Path]) -> str:
    """Return the name of the result that is meant, by its name or by its path."""
    if str(reference) in named:
        return str(reference)
    wanted = Path(reference)
    wanted = wanted.parent if wanted.name == RESULT else wanted
    for name, folder in named.items():
        if folder.resolve() == wanted.resolve():
            return name
    return str(reference)  # refused by its name, beside the known ones


def _command(named: dict[str, Path], found: Contest, *, shared: bool, seed: int) -> str:
    words = ["myograph", "compare", *map(str, named.values())]
    words += ["--metric", found.metric, "--test", found.test, "--correction", found.correction]
    if found.reference is not None:
        words += ["--reference", found.reference]
    if shared:
        words.append("--shared")
    return shlex.join([*words, "--seed", str(seed)])


def _save(found: Contest, target: Path, command: str, *, force: bool) -> None:
    from myograph.report.comparison import comparison_page

    written = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    with new_folder(target, mark=COMPARISON, force=force) as folder:
        write_json(folder / COMPARISON, found.to_dict())
        page = comparison_page(found, command=command, written=written)
        write_text(folder / REPORT, page)
