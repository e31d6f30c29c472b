"""Families of complexity: which compiled pass measures what; see `myograph.features.families`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from myograph.features.base import FeatureSpec
from myograph.features.complexity import MARGIN, entropy_of_counts, lempel_ziv_of, log_of_patterns
from myograph.features.fractal import (
    NO_FLUCTUATION,
    box_edges,
    box_slope,
    curve_slope,
    fluctuation_sizes,
    katz_of,
    slope_of_logs,
)

if TYPE_CHECKING:
    from myograph.features.families import Job

__all__ = ["COMPLEXITY", "MATCHES", "PATTERNS", "SCALES", "matches", "patterns", "scales"]

MATCHES = ("sampen", "apen", "fuzzyen", "mse")
PATTERNS = ("permen", "lziv")
SCALES = ("dfa", "higuchi", "katz", "boxdim")

#: All of the family: what most of the time goes to when it is asked for.
COMPLEXITY = (*MATCHES, *PATTERNS, *SCALES)

Found = dict[FeatureSpec, NDArray[np.float64]]


def matches(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    """Measure entropies of matching templates."""
    from myograph.features.kernels.degrees import match_degrees
    from myograph.features.kernels.matches import approximate_entropies, match_counts

    found: Found = {}
    for spec in specs:
        m, r = spec.parameters["m"], float(spec.parameters["r"])
        limits: dict[str, Any] = {
            "m": m, "r": r, "margin": MARGIN, "tolerances": job.amplitude(spec, "tolerance")
        }  # fmt: skip
        if spec.name == "apen":
            found[spec] = approximate_entropies(job.memory, **limits)[..., None]
        elif spec.name == "fuzzyen":
            power = float(spec.parameters["power"])
            short, long = match_degrees(job.memory, power=power, **limits)
            found[spec] = entropy_of_counts(short, long, job.n_samples - m)[..., None]
        else:
            count = spec.parameters.get("scales", 1)
            short, long = match_counts(job.memory, scales=count, **limits)
            templates = job.n_samples // np.arange(1, count + 1) - m
            found[spec] = entropy_of_counts(short, long, templates)
    return found


def patterns(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    """Measure permutation entropy and Lempel-Ziv complexity."""
    from myograph.features.kernels.patterns import pattern_entropies, piece_counts

    found: Found = {}
    for spec in specs:
        if spec.name == "permen":
            nats = pattern_entropies(job.memory, **spec.parameters)
            value = nats / log_of_patterns(spec.parameters["order"])
        else:
            value = lempel_ziv_of(piece_counts(job.memory), job.n_samples)
        found[spec] = value[..., None]
    return found


def scales(job: Job, specs: Sequence[FeatureSpec]) -> Found:
    """Measure slopes over scales: DFA and the fractal dimensions."""
    from myograph.features.kernels import scaling

    found: Found = {}
    for spec in specs:
        if spec.name == "dfa":
            sizes = fluctuation_sizes(job.n_samples)
            left = scaling.fluctuations(job.memory, sizes, NO_FLUCTUATION)
            value = slope_of_logs(sizes, left, otherwise=0.0)
        elif spec.name == "higuchi":
            value = curve_slope(scaling.curve_lengths(job.memory, spec.parameters["max_lag"]))
        elif spec.name == "katz":
            length, extent = scaling.extents(job.memory)
            value = katz_of(length, extent, job.n_samples)
        else:
            value = box_slope(scaling.box_counts(job.memory, box_edges(job.n_samples)))
        found[spec] = value[..., None]
    return found
