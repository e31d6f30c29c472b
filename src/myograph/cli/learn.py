"""``myograph evaluate``, ``train`` and ``predict``: verbs about models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myograph.cli.options import (
    Config,
    Data,
    Device,
    Features,
    Force,
    Jobs,
    Json,
    LeaveOut,
    Model,
    Out,
    People,
    PeopleFrom,
    Read,
    Seed,
    Settings,
    Split,
    verb,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from myograph.validate.probes import Confounds
    from myograph.validate.result import ValidationResult
    from myograph.validate.trust import Trust
    from myograph.workflows.predict import Prediction

__all__ = ["add_to", "result_object", "show_result"]

_SHOWN_COLUMNS = 16


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    verb(
        app,
        "evaluate",
        evaluate,
        "myograph evaluate --data simulated",
        "myograph evaluate --data myo-cotellard --split leave-one-subject-out "
        "--features hudgins --model lda --json",
        "myograph evaluate --data recordings/ --split repetition --out result",
        "myograph evaluate --data simulated --set pipeline.windowing.length_ms=150",
    )
    verb(
        app,
        "train",
        train,
        "myograph train --data simulated --model lda --out hand.myomodel",
        "myograph train --data recordings/ --leave-out p07 --out hand.myomodel",
        "myograph train --data simulated --model cnn1d --curve curve.svg --out hand.myomodel",
    )
    verb(
        app,
        "predict",
        predict,
        "myograph predict hand.myomodel forearm.edf",
        "myograph predict hand.myomodel simulated --people sim-01 --json",
    )


def evaluate(
    data: Data,
    split: Split = None,
    features: Features = None,
    model: Model = None,
    config: Config = None,
    settings: Settings = None,
    people: People = None,
    leave_out: LeaveOut = None,
    people_from: PeopleFrom = "header",
    read: Read = None,
    seed: Seed = None,
    device: Device = None,
    jobs: Jobs = None,
    out: Out = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", help="Keep finished folds here, and go on after a stop."),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Judge a pipeline on people, sessions or repetitions that it has not seen.

    Figures are means over people with 95 % intervals over people, beside chance and simple
    baselines, with audits for leakage. --out writes a folder with the report. Exit code 1 when an
    audit fails.
    """
    from myograph.cli import render
    from myograph.workflows.evaluate import REPORT
    from myograph.workflows.evaluate import evaluate as run

    with render.stages(quiet=json) as progress:
        result = run(
            data,
            split=split,
            features=features,
            model=model,
            config=config,
            overrides=settings or (),
            seed=seed,
            people=_names(people),
            leave_out=_names(leave_out),
            people_from=people_from,
            read=_read_options(read),
            device=device,
            jobs=jobs,
            checkpoint=resume,
            out=out,
            force=force,
            progress=progress,
        )
    if json:
        render.print_json(result_object(result))
    else:
        show_result(result)
        if out is not None:
            render.place("report", out / REPORT)
    if not result.passed:
        raise typer.Exit(1)


def train(
    data: Data,
    out: Annotated[Path, typer.Option("--out", "-o", help="The model's file: NAME.myomodel.")],
    features: Features = None,
    model: Model = None,
    config: Config = None,
    settings: Settings = None,
    people: People = None,
    leave_out: LeaveOut = None,
    people_from: PeopleFrom = "header",
    read: Read = None,
    validation: Annotated[
        Path | None,
        typer.Option("--validation", help="Folder of evaluate --out: goes into the model."),
    ] = None,
    seed: Seed = None,
    device: Device = None,
    jobs: Jobs = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", help="Keep a network's epochs here, and go on after a stop."),
    ] = None,
    curve: Annotated[
        Path | None,
        typer.Option("--curve", help="Draw a network's loss by epoch as it learns: .svg or .png."),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Fit a pipeline on everybody given and save it as one file of data, with its proof."""
    from myograph.cli import render
    from myograph.workflows.train import train as run

    with render.stages(quiet=json) as progress:
        trained = run(
            data,
            out,
            features=features,
            model=model,
            config=config,
            overrides=settings or (),
            seed=seed,
            people=_names(people),
            leave_out=_names(leave_out),
            people_from=people_from,
            read=_read_options(read),
            validation=validation,
            device=device,
            jobs=jobs,
            checkpoint=resume,
            curve=curve,
            force=force,
            progress=progress,
        )
    if json:
        render.print_json(trained.to_dict())
        return
    render.show_pairs(
        {
            "model": trained.model,
            "learned": f"{trained.windows:,} windows of {trained.people} people",
            "classes": ", ".join(trained.classes),
            "unseen": ", ".join(trained.left_out),
        }
    )
    render.place("file", trained.path)
    if curve is not None and curve.exists():
        render.place("curve", curve)
    for note in trained.notes:
        render.line(f"note: {note}")


def predict(
    model: Annotated[Path, typer.Argument(help="A .myomodel file.")],
    data: Annotated[str, typer.Argument(help="A recording, a folder of them, or a dataset.")],
    people: People = None,
    read: Read = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write every decision to a CSV file.")
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Let a saved model decide about every window of recordings."""
    from myograph.cli import render
    from myograph.workflows.outputs import check_free
    from myograph.workflows.predict import predict as run
    from myograph.workflows.predict import write_decisions

    if out is not None:
        check_free(out, force=force)
    found = run(model, data, people=_names(people), read=_read_options(read))
    if out is not None:
        write_decisions(found, out, force=force)
    if json:
        render.print_json({"model": str(model), "recordings": [p.to_dict() for p in found]})
        return
    if len(found) == 1:
        _show_one(found[0])
    else:
        render.show_table(
            ["person", "session", "truth", "called", "windows", "right"],
            [_prediction_row(prediction) for prediction in found],
            numbers_from=4,
        )
        _show_total(found)
    if out is not None:
        render.place("decisions", out)


def result_object(result: ValidationResult) -> dict[str, Any]:
    """Return the one object that ``--json`` prints."""
    whole = result.to_dict()
    return {
        "data": whole["data"],
        "split": whole["split"],
        "people": list(result.people),
        "headline": result.headline,
        "metrics": whole["metrics"],
        "chance": result.chance,
        "ladder": whole["ladder"],
        "gain": whole["gain"],
        "per_person": whole["per_person"],
        "classes": list(result.classes),
        "confusion": whole["confusion"],
        "selection": whole["selection"],
        "passed": result.passed,
        "audits": whole["audits"],
        "confounds": whole["confounds"],
        "trust": whole["trust"],
        "notes": whole["notes"],
        "dropped": whole["dropped"],
        "config": whole["config"],
        "seed": result.seed,
        "environment": result.environment,
        "seconds": result.run.to_dict()["seconds"],
    }


def show_result(result: ValidationResult) -> None:
    """Print a result: what was asked, the figures, the ladder, the audits."""
    from myograph.cli import render
    from myograph.workflows.wording import Measure, plural, split_words

    measure = Measure(result.headline)
    headline = result.metrics[result.headline]
    model = result.config["model"]["name"]
    if result.confounds is not None and result.confounds.warning:
        render.line(result.confounds.warning)
    render.heading(f"{model} on {result.data.get('name')}, {result.split['name']}")
    if result.data.get("simulated"):
        render.line("SIMULATED people: engineering verification, never clinical performance.")
    render.line(split_words(result.split))
    render.show_table(
        ["metric", "mean", "95 % interval", "evidence"],
        [
            (
                Measure(k).name,
                Measure(k).value(e.value),
                Measure(k).interval(e),
                plural(e.n, e.evidence),
            )
            for k, e in result.metrics.items()
        ],
    )
    render.line()
    rows = [(f"{model} (this one)", measure.value(headline.value), measure.interval(headline), "")]
    for name, estimate in result.ladder.items():
        gain = result.gain.get(name)
        better = "" if gain is None else measure.gain(gain.value)
        rows.append((name, measure.value(estimate.value), measure.interval(estimate), better))
    if result.chance is not None:
        rows.append((measure.guess, measure.value(result.chance), "", ""))
    render.show_table([measure.name, "mean", "95 % interval", "this one gains"], rows)
    if result.selection:
        _show_selection(result.selection)
    if result.confounds is not None:
        _show_confounds(result.confounds, measure)
    if result.trust is not None:
        _show_trust(result.trust)
    render.line()
    told = [("passed" if a.passed else "FAILED", f"{a.name}: {a.text}") for a in result.audits]
    told += [("note", note) for note in result.notes]
    told += [("left out", f"{what}: {why}") for what, why in result.dropped]
    render.show_pairs(told)
    seconds = result.run.to_dict()["seconds"]
    if seconds is not None:
        render.line(f"took {render.duration(seconds)}, seed {result.seed}")


def _show_confounds(confounds: Confounds, measure: Any) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import confound_rows, stability_rows

    render.line()
    render.show_table(
        ["seen alone", measure.name, "95 % interval", "verdict"], confound_rows(confounds, measure)
    )
    if confounds.matched:
        rows = [
            (
                " or ".join(pair.classes),
                pair.probe,
                f"{pair.auc.value:.3f}",
                f"{pair.auc.low:.3f} to {pair.auc.high:.3f}",
            )
            for pair in confounds.matched
        ]
        render.show_table(["model on matched pairs", "matched on", "AUC", "95 % interval"], rows)
    if confounds.stability:
        render.show_table(
            ["tested recordings changed", measure.name, "change", "95 % interval"],
            stability_rows(confounds, measure),
        )


def _show_trust(trust: Trust) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import coverage_rows, reliability_rows

    render.line()
    render.show_table(
        ["probabilities", "calibration error", "95 % interval", "Brier score"],
        reliability_rows(trust),
    )
    render.show_table(
        ["sets", "people", "hold the truth", "95 % interval", "classes per set"],
        coverage_rows(trust)[:1],
    )


def _show_selection(selection: Mapping[str, Any]) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import selection_words

    render.line(selection_words(selection))
    columns = sorted(selection.get("columns", {}).items(), key=lambda column: -column[1])
    if columns:
        rows = [(name, f"{100 * share:.0f} %") for name, share in columns[:_SHOWN_COLUMNS]]
        render.show_table(["column", "folds that took it"], rows, numbers_from=1)
    if len(columns) > _SHOWN_COLUMNS:
        render.line(f"and {len(columns) - _SHOWN_COLUMNS} more (--json shows all)")
    for what, value in selection["figures"].items():
        render.line(f"{what}: {value:.4g}")


def _show_one(prediction: Prediction) -> None:
    from myograph.cli import render

    person = f"{prediction.subject}, " if prediction.subject else ""
    render.heading(f"{person}{len(prediction.decisions)} windows")
    if prediction.stretches:
        rows = [
            (f"{s.start_s:.2f}", f"{s.stop_s:.2f}", s.truth, s.called, f"{100 * s.right:.0f} %")
            for s in prediction.stretches
        ]
        headers = ["from (s)", "to (s)", "the recording says", "mostly called", "right"]
        render.show_table(headers, rows)
        right = 100 * (prediction.accuracy or 0.0)
        render.line(f"{right:.1f} % of {prediction.labelled} labelled windows were called right")
        return
    shares = [(label, f"{100 * share:.1f} %") for label, share in prediction.shares.items()]
    render.show_table(["called", "windows"], shares, numbers_from=1)
    whole = prediction.whole
    told = "rejected: not sure enough" if whole.rejected else f"{100 * whole.confidence:.0f} % sure"
    render.line(f"the whole recording: {whole.label} ({told})")


def _show_total(predictions: Sequence[Prediction]) -> None:
    from myograph.cli import render

    labelled = sum(prediction.labelled for prediction in predictions)
    if labelled:
        right = sum((p.accuracy or 0.0) * p.labelled for p in predictions)
        share = f"{100 * right / labelled:.1f} % of {labelled:,} labelled windows"
        render.line(f"{share} were called right, in {len(predictions)} recordings")


def _prediction_row(prediction: Prediction) -> Sequence[object]:
    truths = sorted({truth for truth in prediction.truth if truth})
    right = "" if prediction.accuracy is None else f"{100 * prediction.accuracy:.0f} %"
    several = len(truths) > 1
    return (
        prediction.subject,
        prediction.session,
        f"{len(truths)} classes" if several else "".join(truths),
        "" if several else prediction.whole.label,
        len(prediction.decisions),
        right,
    )


def _names(joined: str | None) -> list[str]:
    return [name.strip() for name in joined.split(",") if name.strip()] if joined else []


def _read_options(given: list[str] | None) -> dict[str, Any]:
    """Read ``fs_hz=2000`` and ``unit.force=kgf`` as options of `myograph.read`."""
    from myograph.workflows.settings import read_options

    return read_options(given or ())
