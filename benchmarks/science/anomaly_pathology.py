"""Simulated disease before detectors that know healthy muscle only: autoencoders beside distances.

Engineering verification only. The people, what is seen of them and how they are judged are those
of pathology_novelty.py beside this file (another detector there is one more entry of a table);
its two rows are printed again, beside those of the autoencoders of `myograph.models.autoencoder`
with settings named beforehand.

    python benchmarks/science/anomaly_pathology.py --cache FOLDER [--people 48] [--out FILE]

Writes benchmarks/results/anomaly_pathology.json.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pathology_novelty
from numpy.typing import NDArray

from myograph.models.novelty import build_detector

RESULTS = Path(__file__).parents[1] / "results" / "anomaly_pathology.json"
#: A code of four for eleven numbers, and a batch for some seventy recordings.
NETWORK: dict[str, Any] = {"epochs": 80, "batch": 16, "width": 32, "latent": 4}

Matrix = NDArray[np.float64]


def learned(name: str, by: str) -> Callable[[Matrix, NDArray[Any]], Callable[[Matrix], Matrix]]:
    """Return how a detector is fitted on healthy people."""

    def fit(values: Matrix, people: NDArray[Any]) -> Callable[[Matrix], Matrix]:
        detector = build_detector(name, by=by, **NETWORK)
        return detector.fit(values, groups=people).strangeness

    return fit


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    for name in ("autoencoder", "vae"):
        for by in ("reconstruction", "likelihood"):
            pathology_novelty.DETECTORS[f"{name}, {by}"] = learned(name, by)
    if "--out" not in given:
        given += ["--out", str(RESULTS)]
    return pathology_novelty.main(given)


if __name__ == "__main__":
    sys.exit(main())
