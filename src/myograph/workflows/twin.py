"""A patient's twin from a table of visits: fit it, show it, ask it what would happen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from myograph.core.errors import ArtifactError, ParameterError
from myograph.twin.effect import EFFECTS, Phase
from myograph.twin.inference import Checkpoint, fit
from myograph.twin.posterior import LIMITS, TREATED, PatientTwin
from myograph.twin.whatif import TRACKED, WhatIf, what_if
from myograph.workflows.outputs import check_free, read_json, write_json, write_text
from myograph.workflows.visits import read_observations

if TYPE_CHECKING:
    from myograph.twin.effect import Effect

__all__ = [
    "arms_of",
    "fit_twin",
    "known_of",
    "load_twin",
    "simulate_twin",
    "twin_object",
    "what_if_object",
    "write_report",
]

Progress = Callable[[int, int, str], None]

_PART = ".part"
_WINDOW = re.compile(r"(?P<name>[^@]+)@(?P<start>[0-9.]+)(:(?P<stop>[0-9.]+))?")


def fit_twin(  # noqa: PLR0913 - the verb as people type it: every option by its name
    table: str | PathLike[str],
    out: str | PathLike[str],
    *,
    muscle: str | None = None,
    known: Mapping[str, tuple[float, float]] | None = None,
    norms: Mapping[str, float] | None = None,
    seed: int = 0,
    particles: int = 1000,
    report: str | PathLike[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> PatientTwin:
    """Fit a patient's twin to a table of visits and write it as JSON.

    A fit that was stopped goes on from its last stage: what it had is kept beside ``out`` under the
    ending ``.part``, and the end result is the same as without the stop.

    Parameters
    ----------
    table : path
        See `myograph.workflows.visits.read_observations`.
    out : path
        Ends in ``.json``.
    muscle, norms : optional
        See `myograph.workflows.visits.read_observations`.
    known : mapping of str to (median, spread), optional
        What is known besides the visits; see `myograph.twin.reduced.priors`.
    seed, particles : int
    report : path, optional
        Also write a page with pictures.
    force : bool
        Overwrite what is there.
    progress : callable, optional
        ``progress(done, total, told)``.
    """
    target = Path(out)
    if target.suffix.lower() != ".json":
        raise ParameterError(
            f"A twin is written as JSON, and its file's name ends in .json (NAME.twin.json); got "
            f"{target.name!r}."
        )
    check_free(target, force=force)
    if report is not None:
        check_free(Path(report), force=force)
    seen = read_observations(table, muscle=muscle, norms=norms)
    part = target.with_name(target.name + _PART)
    resume = read_json(part) if part.is_file() else None
    checkpoint = Checkpoint(lambda state: _keep(part, state), resume)
    try:
        twin = fit(
            seen,
            seed=seed,
            prior=known,
            particles=particles,
            progress=progress,
            checkpoint=checkpoint,
        )
    except ArtifactError as error:
        raise ArtifactError(f"{part}: {error}") from error
    write_json(target, twin.to_dict(), force=force)
    part.unlink(missing_ok=True)
    if report is not None:
        write_report(twin, report, force=force)
    return twin


def load_twin(path: str | PathLike[str]) -> PatientTwin:
    """Read a twin that `fit_twin` wrote.

    Raises
    ------
    DataError
        If the file cannot be read, is damaged or is no twin.
    """
    try:
        return PatientTwin.from_dict(read_json(Path(path)))
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from error


def simulate_twin(
    path: str | PathLike[str],
    treatments: Sequence[str],
    *,
    months: float,
    report: str | PathLike[str] | None = None,
    force: bool = False,
) -> tuple[PatientTwin, WhatIf]:
    """Ask a saved twin what would happen, as it goes on and under each treatment.

    Parameters
    ----------
    path : path
    treatments : sequence of str
        See `arms_of`.
    months : float
    report : path, optional
        Also write a page with pictures.
    force : bool
    """
    if report is not None:
        check_free(Path(report), force=force)
    twin = load_twin(path)
    found = what_if(twin, arms_of(treatments), months=months)
    if report is not None:
        write_report(twin, report, found, force=force)
    return twin, found


def arms_of(treatments: Iterable[str]) -> dict[str, list[Phase]]:
    """Read treatments as a person writes them.

    ``riluzole`` is given from the last visit on, ``riluzole@6:18`` from 6 to 18 months after it,
    and ``riluzole+strength training`` are given together; each is one side of the comparison.

    Examples
    --------
    >>> arms = arms_of(["riluzole", "strength training@3:9+riluzole"])
    >>> [
    ...     (phase.effect.title, phase.start_months)
    ...     for phase in arms["strength training@3:9+riluzole"]
    ... ]
    [('strength training', 3.0), ('riluzole', 0.0)]
    """
    found: dict[str, list[Phase]] = {}
    for text in treatments:
        if text in found:
            raise ParameterError(f"{text!r} is asked for twice.")
        found[text] = [_phase(part.strip()) for part in text.split("+")]
    return found


def known_of(given: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Read ``onset_months=14:0.2``: a parameter's median and its spread.

    Examples
    --------
    >>> known_of(["onset_months=14:0.2", "units=150"])
    {'onset_months': (14.0, 0.2), 'units': (150.0, 0.1)}
    """
    found = {}
    for text in given:
        name, _, rest = text.partition("=")
        median, _, spread = rest.partition(":")
        try:
            found[name.strip()] = (float(median), float(spread or 0.1))
        except ValueError as error:
            raise ParameterError(
                f"What is known is written NAME=MEDIAN or NAME=MEDIAN:SPREAD, such as "
                f"onset_months=14:0.2; got {text!r}."
            ) from error
    return found


def twin_object(twin: PatientTwin) -> dict[str, Any]:
    """Return what ``--json`` prints of a twin."""
    cells = twin.check()
    return {
        "pseudonym": twin.observations.pseudonym,
        "muscle": twin.observations.muscle,
        "visits": twin.observations.n_visits,
        "values": twin.observations.count,
        "particles": twin.n,
        "seed": twin.seed,
        "level": 0.9,
        "found": [
            {name: _finite(getattr(row, name)) for name in row.__slots__} for row in twin.found()
        ],
        "confounded": [
            {"first": a, "second": b, "correlation": round(r, 3)} for a, b, r in twin.confounded()
        ],
        "check": {
            "values": len(cells),
            "inside": sum(cell.inside for cell in cells),
            "worst": max((abs(cell.deviation) for cell in cells), default=0.0),
        },
        "notes": list(twin.notes()),
        "limits": list(LIMITS),
    }


def what_if_object(twin: PatientTwin, found: WhatIf) -> dict[str, Any]:
    """Return what ``--json`` prints of a what-if."""
    shown = [*TRACKED, *twin.observations.measures]
    first = found.arms[0]
    arms = []
    for k, arm in enumerate(found.arms):
        told: dict[str, Any] = {"name": arm.name, "trajectories": {}}
        for quantity in shown:
            median, low, high = arm.band(quantity)
            band = {"median": median.tolist(), "low": low.tolist(), "high": high.tolist()}
            if k:
                names = ("median", "low", "high")
                ends = found.difference(k, quantity)[:, -1]
                band["difference_at_end"] = dict(zip(names, map(float, ends), strict=True))
                band["chance_higher"] = found.chance_better(k, quantity)
            told["trajectories"][quantity] = band
        arms.append(told)
    return {
        "pseudonym": twin.observations.pseudonym,
        "muscle": twin.observations.muscle,
        "level": 0.9,
        "months": first.months.tolist(),
        "arms": arms,
        "notes": list(twin.notes()),
        "limits": [*LIMITS, TREATED],
    }


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def write_report(
    twin: PatientTwin,
    path: str | PathLike[str],
    found: WhatIf | None = None,
    *,
    force: bool = False,
) -> Path:
    """Write the page of a twin, with what would happen when that was asked."""
    from myograph.report.patient_twin import twin_page

    written = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return write_text(Path(path), twin_page(twin, found, written=written), force=force)


def _keep(part: Path, state: dict[str, Any]) -> None:
    write_json(part, state, force=True)


def _phase(text: str) -> Phase:
    match = _WINDOW.fullmatch(text)
    if match is None and "@" in text:
        raise ParameterError(
            "A treatment with its time is written NAME@START or NAME@START:STOP in months, such "
            f"as riluzole@6:18; got {text!r}."
        )
    name = match["name"].strip() if match else text
    effect: Effect = EFFECTS[name]
    if match is None:
        return Phase(effect)
    return Phase(effect, float(match["start"]), float(match["stop"] or np.inf))
