"""``myograph compare``: evaluations of the same people, pair by pair."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myograph.cli.options import Force, Json, verb

if TYPE_CHECKING:
    from myograph.validate.contest import Contest

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Register the verb of this module."""
    verb(
        app,
        "compare",
        compare,
        "myograph compare lda forest",
        "myograph compare lda forest cnn --reference lda --out comparison",
        "myograph compare lda forest --metric balanced_accuracy --test wilcoxon --json",
    )


def compare(
    results: Annotated[list[Path], typer.Argument(help="Folders that evaluate --out wrote.")],
    metric: Annotated[
        str | None, typer.Option("--metric", help="The results' headline by default.")
    ] = None,
    test: Annotated[
        str, typer.Option("--test", help="sign-flip (of the mean), or wilcoxon (of ranks).")
    ] = "sign-flip",
    correction: Annotated[
        str, typer.Option("--correction", help="holm, benjamini-hochberg, or none.")
    ] = "holm",
    reference: Annotated[
        str | None,
        typer.Option("--reference", help="Compare everything with this one; all pairs by default."),
    ] = None,
    shared: Annotated[
        bool, typer.Option("--shared", help="Compare the shared people of results that differ.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same result.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for a page with a picture.")
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Say which model is better on the same people, by how much, and whether luck could do it.

    Models are compared person by person; p-values are corrected for how many pairs are compared.
    Results about other people, recordings, classes or metrics are refused.
    """
    from myograph.cli import render
    from myograph.workflows.compare import compare as run
    from myograph.workflows.evaluate import REPORT

    found = run(
        results,
        metric=metric,
        test=test,
        correction=correction,
        reference=reference,
        shared=shared,
        seed=seed,
        out=out,
        force=force,
    )
    if json:
        render.print_json(found.to_dict())
        return
    _show(found)
    if out is not None:
        render.place("report", out / REPORT)


def _show(found: Contest) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import (
        PAIR_HEADERS,
        Measure,
        comparison_rows,
        comparison_sentences,
        entry_rows,
        plural,
        reach_words,
        test_words,
    )

    measure = Measure(found.metric)
    many = plural(len(found.people), "person")
    render.heading(f"{found.data}: {plural(len(found.entries), 'model')}, {many}, {found.scope}")
    if found.simulated:
        render.line("Simulated data: engineering verification, never clinical performance.")
    render.show_table(
        ["model", "what it is", measure.name, "95 % interval"], entry_rows(found), numbers_from=2
    )
    # The verdict is in the sentences below; without it the table fits a terminal.
    render.show_table(PAIR_HEADERS[:-1], [row[:-1] for row in comparison_rows(found)])
    for sentence in comparison_sentences(found):
        render.line(f"- {sentence}")
    render.line(test_words(found.test, found.correction, len(found.comparisons)))
    told = [("note", reach_words(len(found.people), found.correction, len(found.comparisons)))]
    told += [("note", note) for note in found.notes]
    told += [("left out", f"{person}: {why}") for person, why in found.left_out.items()]
    render.show_pairs(told)
