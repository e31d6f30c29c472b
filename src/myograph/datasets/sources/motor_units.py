"""Motor units as measured: thresholds, discharge times, and what age does to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import FormatError
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents
from myograph.datasets.files import Dropped, Files
from myograph.datasets.table import Table, read_table

#: Force levels of the tracked units, in percent of the maximal voluntary contraction.
LEVELS = tuple(range(10, 90, 10))
CAILLET_FS_HZ = 2048.0

CARD = DatasetCard(
    name="motor-units",
    title="Decomposed motor units: thresholds over force, discharge times, young and older adults",
    sources=(
        Source(
            "klotz-t/MUDecompositionTests",
            commit="bfbe1a618e2144d258f0eb1ac499efaaa86231f2",
            licence="MIT",
            keep=("experimental-simulation/MUdict_S1.mat", "LICENSE"),
            folder="klotz",
        ),
        Source(
            "ArnaultCAILLET/MN-driven-Neuromuscular-Model-with-motor-unit-resolution",
            commit="688a8d94a817d3312892182b4d9b03f180bf0610",
            licence="none stated",
            keep=("Input_Exp_Data/S1_30_*.mat",),
            folder="caillet",
        ),
        Source(
            "orssatto/PICs-ageing",
            commit="eb4ad696daf1fdc5d6c043ff9b7e0ad36b64e657",
            licence="none stated",
            keep=("data-participants.csv", "df-data-30-04-21.csv"),
            folder="pics-ageing",
        ),
    ),
    citation=(
        "Klotz T., Rohlén R. (2025). Revisiting convolutive blind source separation for "
        "identifying spiking motor neuron activity, doi:10.5281/zenodo.14824963; Caillet A. et al. "
        "(2023). Motoneuron-driven computational muscle modelling with motor unit resolution; "
        "Orssatto L. et al. Intrinsic motor neurone excitability is reduced in soleus and tibialis "
        "anterior of older adults"
    ),
    people="one (klotz), one (caillet), young and older adults (pics-ageing)",
    tasks=(
        "Tables: 'thresholds' and 'discharges' (187 units tracked over 10 to 80 % of maximum), "
        "'trains', 'quality' and 'force' (one contraction to 30 %, decomposed from three electrode "
        "sets), 'ageing-people' and 'ageing-units'."
    ),
    defects=(
        (
            "The quality file of the 256-electrode set has 85 pulse-to-noise ratios for 84 units: "
            "which belongs to which is unknown, so that set has none here."
        ),
        "Sample numbers in caillet count from 1: from 0 here.",
    ),
    notes=("Already decomposed: there is no EMG here.",),
    sha256="38486e67a7b0fdc91b2d28450569238f801ba6af3c59716763d5454e37a25049",
)


def read(files: Files) -> Contents:
    """Read the tables of the three studies."""
    tables = _tracked(files.find(r"MUdict_S1\.mat$")[0][0])
    caillet, dropped = _decomposed([path for path, _ in files.find(r"S1_30_[^/]*\.mat$")])
    tables |= caillet
    for name, pattern in (("people", r"data-participants\.csv$"), ("units", r"df-data[^/]*\.csv$")):
        tables[f"ageing-{name}"] = read_table(files.find(pattern)[0][0], text=("participant",))
    return Contents(tables=tables, dropped=tuple(dropped))


def _loaded(path: Path, *names: str) -> dict[str, Any]:
    from scipy.io import loadmat

    held: dict[str, Any] = loadmat(path, squeeze_me=True)
    missing = [name for name in names if name not in held]
    if missing:
        raise FormatError(f"{path} has no variables {missing}; it has {sorted(held)}.")
    return held


def _tracked(path: Path) -> dict[str, Table]:
    held = _loaded(path, "RT", "Disrate")
    thresholds: NDArray[np.float64] = held["RT"]
    unit, level = np.nonzero(np.isfinite(thresholds))
    levels = np.array(LEVELS)
    rows, owners, at = [], [], []
    for number, by_level in enumerate(held["Disrate"]):
        for place, discharges in enumerate(by_level):
            if np.size(discharges):
                rows.append(np.atleast_2d(discharges))
                owners += [number] * len(rows[-1])
                at += [levels[place]] * len(rows[-1])
    columns = np.vstack(rows).T
    names = ("sample", "time_s", "rate_hz", "force_percent", "target_percent")
    return {
        "thresholds": Table(
            {"unit": unit, "level_percent": levels[level], "rt_percent": thresholds[unit, level]}
        ),
        "discharges": Table(
            {
                "unit": np.array(owners),
                "level_percent": np.array(at),
                **dict(zip(names, columns, strict=True)),
            }
        ),
    }


def _decomposed(paths: list[Path]) -> tuple[dict[str, Table], list[Dropped]]:
    trains: list[tuple[str, int, NDArray[np.int64]]] = []
    quality: list[tuple[str, int, float]] = []
    dropped = []
    force = np.zeros(0)
    for path in paths:
        held = _loaded(path, "MUPulses", "PNR", "ref_signal", "fsamp")
        electrodes = path.stem.rpartition("_")[2]
        pulses, ratios = held["MUPulses"], held["PNR"]
        trains += [
            (electrodes, number, np.atleast_1d(samples).astype(np.int64) - 1)
            for number, samples in enumerate(pulses)
        ]
        if len(pulses) == len(ratios):
            quality += [(electrodes, number, float(pnr)) for number, pnr in enumerate(ratios)]
        else:
            reason = f"{len(ratios)} values for {len(pulses)} units"
            dropped.append(Dropped(f"pulse-to-noise ratios of {path.name}", reason))
        force = held["ref_signal"]
    samples = np.concatenate([train[2] for train in trains])
    repeats = [len(train[2]) for train in trains]
    tables = {
        "trains": Table(
            {
                "electrodes": np.repeat([train[0] for train in trains], repeats),
                "unit": np.repeat([train[1] for train in trains], repeats),
                "sample": samples,
                "time_s": samples / CAILLET_FS_HZ,
            }
        ),
        "quality": Table(
            {
                "electrodes": np.array([row[0] for row in quality]),
                "unit": np.array([row[1] for row in quality]),
                "pnr_db": np.array([row[2] for row in quality]),
            }
        ),
        # The three electrode sets recorded the same contraction: one force signal.
        "force": Table(
            {"time_s": np.arange(len(force)) / CAILLET_FS_HZ, "force_normalised": force}
        ),
    }
    return tables, dropped
