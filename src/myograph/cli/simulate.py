"""``myograph simulate``: people who do not exist, with the truth about every recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from myograph.cli.options import Cluster, Force, Jobs, Json, verb

__all__ = ["app"]

app = typer.Typer(
    name="simulate",
    help="People who do not exist, with the truth about every recording: engineering verification, "
    "never clinical evidence.",
    no_args_is_help=True,
)

Kind = Annotated[str, typer.Argument(help="gestures, needle, ... (myograph simulate kinds).")]
Seconds = Annotated[
    float | None,
    typer.Option("--seconds", help="Length of a recording, about.", show_default=False),
]
Seed = Annotated[int, typer.Option("--seed", help="Same seed, same samples, bit for bit.")]
Rate = Annotated[
    float | None, typer.Option("--fs-hz", help="Sampling rate; the usual one of the kind.")
]
OwnRates = Annotated[
    bool, typer.Option("--own-rates", help="Leave each site's device its own sampling rate.")
]
Condition = Annotated[
    str | None, typer.Option("--condition", help="Everybody has this; a mixture by default.")
]
Sites = Annotated[int, typer.Option("--sites", help="Places of recording, a device each.")]
Parts = Annotated[
    bool, typer.Option("--parts", help="Keep noise, hum and movement as signals in the truth.")
]


def kinds(json: Json = False) -> None:
    """List the kinds of cohort."""
    from myograph.cli import render
    from myograph.workflows.simulate import cohort_kinds

    found = cohort_kinds()
    if json:
        told = [
            {
                "kind": name,
                "title": kind.title,
                "tasks": kind.tasks,
                "labels": list(kind.labels),
                "conditions": list(kind.conditions),
                "fs_hz": kind.fs_hz,
                "recordings_a_person": kind.takes,
                "seconds": kind.seconds,
            }
            for name, kind in found.items()
        ]
        render.print_json({"kinds": told})
        return
    rows = [
        (name, f"{kind.takes} x {kind.seconds:g} s", f"{kind.fs_hz:g} Hz", kind.title)
        for name, kind in found.items()
    ]
    render.show_table(["kind", "a person", "rate", "what"], rows)


def cohort(
    kind: Kind,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to make.")],
    people: Annotated[int, typer.Option("--people", "-n", help="How many.")] = 10,
    seconds: Seconds = None,
    seed: Seed = 0,
    takes: Annotated[
        int, typer.Option("--takes", help="Recordings of each person; 0 as usual in the kind.")
    ] = 0,
    fs_hz: Rate = None,
    own_rates: OwnRates = False,
    condition: Condition = None,
    sites: Sites = 3,
    parts: Parts = False,
    jobs: Jobs = None,
    cluster: Cluster = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Simulate a cohort into a folder, one recording at a time, the truth beside each.

    A run that was stopped goes on when it is given again. The folder is data for every other verb:
    myograph evaluate --data FOLDER. Whatever is measured on it is marked as simulated.
    """
    from myograph.cli import render
    from myograph.workflows.simulate import simulate_cohort
    from myograph.workflows.wording import plural

    scene = _scene(
        people=people, seconds=seconds, seed=seed, takes=takes, fs_hz=fs_hz, own_rates=own_rates,
        condition=condition, n_sites=sites, parts=parts,
    )  # fmt: skip
    with render.stages(quiet=json) as progress:
        made = simulate_cohort(
            kind, out, jobs=jobs, cluster=cluster, force=force, progress=progress, **scene
        )
    if json:
        render.print_json(made.to_dict())
        return
    who = f"{plural(made.people, 'person')}, {plural(made.recordings, 'recording')}"
    render.heading(f"SIMULATED {kind}: {who}")
    kept = f", {made.kept} were there already" if made.kept else ""
    render.line(f"{made.made} made in {render.duration(made.seconds)}{kept}")
    render.place("folder", made.folder)
    render.line("Engineering verification, never clinical performance.")
    render.note(f"Use it: myograph evaluate --data {made.folder}")


def recording(
    kind: Kind,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file: NAME.myo.h5, .edf, ...")],
    person: Annotated[int, typer.Option("--person", help="Which person, from 1.")] = 1,
    take: Annotated[int, typer.Option("--take", help="Which of their recordings, from 1.")] = 1,
    seconds: Seconds = None,
    seed: Seed = 0,
    fs_hz: Rate = None,
    own_rates: OwnRates = False,
    condition: Condition = None,
    sites: Sites = 3,
    parts: Parts = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Simulate one recording of one person, the truth beside it."""
    from myograph.cli import render
    from myograph.workflows.simulate import simulate_recording

    scene = _scene(
        seconds=seconds, seed=seed, fs_hz=fs_hz, own_rates=own_rates, condition=condition,
        n_sites=sites, parts=parts,
    )  # fmt: skip
    made, truth, files = simulate_recording(
        kind, out, person=person, take=take, force=force, **scene
    )
    fired = {name: int((t.counts > 0).sum()) for name, t in truth.discharges.items()}
    if json:
        render.print_json(
            {
                "files": [str(file) for file in files],
                "simulated": True,
                "kind": kind,
                "subject": made.subject.to_dict() if made.subject else None,
                "site": made.site,
                "fs_hz": made.fs_hz,
                "channels": made.n_channels,
                "seconds": made.duration_s,
                "units_fired": fired,
                "events": [event.to_dict() for event in made.events],
            }
        )
        return
    subject = made.subject
    render.heading(f"SIMULATED {kind}: {subject.pseudonym if subject else ''}")
    render.show_pairs(
        {
            "person": "" if subject is None else f"{subject.sex}, {subject.age_years:g} years",
            "condition": "" if subject is None else subject.condition,
            "recorded": f"{made.n_channels} channels at {made.fs_hz:g} Hz, {made.duration_s:g} s",
            "at": f"{made.site} with {made.device}",
            "units that fired": ", ".join(f"{name} {n}" for name, n in fired.items()),
        }
    )
    for what, file in zip(("recording", "truth", "truth"), files, strict=True):
        render.place(what, file)
    render.line("Engineering verification, never clinical performance.")


def _scene(**given: Any) -> dict[str, Any]:
    """Leave out what was not said, so that the kind decides."""
    return {name: value for name, value in given.items() if value is not None}


verb(app, "kinds", kinds, "myograph simulate kinds", "myograph simulate kinds --json")
verb(
    app,
    "cohort",
    cohort,
    "myograph simulate cohort gestures --people 10 --out people",
    "myograph simulate cohort needle --people 30 --seconds 5 --seed 1 --jobs 2 --out clinic",
)
verb(
    app,
    "recording",
    recording,
    "myograph simulate recording needle --condition neuropathy --out one.myo.h5",
    "myograph simulate recording gestures --person 3 --seconds 30 --out three.myo.h5",
)
