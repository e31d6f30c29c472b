"""What each peer is asked for, row by row: the same windows, its own usual call.

A row names the same kind of measurement everywhere, and not always the same numbers: TSFEL has no
mean absolute value, LibEMG reports no autoregression of order 6 by default. `differs` says what a
reader must know. Peers that are not installed are left out, and the report says so.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from myograph.core.errors import ParameterError
from myograph.features import FEATURES, SETS, FeatureSpec, parse_features
from myograph.features.complexity_passes import COMPLEXITY

FS_HZ, LENGTH, HOP = 2000, 400, 100

Task = Callable[[np.ndarray], object]

TIME_DOMAIN = ["MAV", "ZC", "SSC", "WL"]
LS9 = ["LS", "MFL", "MSR", "WAMP", "ZC", "RMS", "IAV", "DASDV", "VAR"]
TDPSD = ["M0", "M2", "M4", "SPARSI", "IRF", "WLF"]
WAVELETS = ["WENG", "WV", "WWL", "WENT"]
EVERYTHING = [
    *dict.fromkeys([*TIME_DOMAIN, *LS9, *TDPSD, "AR", "MNF", "MDF", "MAVFD", "LD", "SKEW"]),
    "WENG",
    "WENT",
]
#: The same 26 kinds in the names of Myograph.
SAME = [
    "hudgins", "ls9", "tdpsd", {"feature": "ar", "order": 6}, "mnf", "mdf", "aac", "ld", "skew",
    "wavelet-energy", "wavelet-entropy",
]  # fmt: skip
PARAMETERS = {
    "WAMP_threshold": 10.0,
    "AR_order": 6,
    **{f"{name}_fs": FS_HZ for name in ("MNF", "MDF", *WAVELETS)},
}


@dataclass(frozen=True)
class Row:
    """One row of the table.

    ``ours`` are alternatives: the first that this version of Myograph knows is measured. The
    counts are how many windows each program is given, so that none takes forever.
    """

    name: str
    ours: Sequence[Sequence[Any]]
    libemg: Sequence[str] = ()
    tsfel: Sequence[str] = ()
    neurokit: bool = False
    goal: float | None = None
    slow: bool = False
    few: bool = False
    differs: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    def specs(self) -> tuple[FeatureSpec, ...] | None:
        """Return what Myograph measures, or None when nothing of this row is registered yet."""
        for definitions in self.ours:
            try:
                return parse_features(definitions)
            except ParameterError:
                continue
        return None


def everything() -> list[str]:
    """Return every feature of Myograph that may be live on each channel, but complexity."""
    return [
        name
        for name, entry in FEATURES.items()
        if name not in COMPLEXITY and not entry.across and not entry.channel_units
    ]


ROWS = [
    Row(
        "Hudgins",
        [["hudgins"]],
        TIME_DOMAIN,
        (
            "Root mean square",
            "Zero crossing rate",
            "Positive turning points",
            "Negative turning points",
            "Sum absolute diff",
        ),
        goal=50,
        differs="TSFEL has no MAV: its RMS stands in.",
    ),
    Row("LS4", [["ls4"]], ["LS", "MFL", "MSR", "WAMP"], goal=40),
    Row("LS9", [["ls9"]], LS9, goal=40),
    Row("TDPSD", [["tdpsd"]], TDPSD, goal=40),
    Row(
        "AR (Burg, order 6)",
        [[{"feature": "ar", "order": 6}], ["ar"], [{"feature": "ar-burg", "order": 6}]],
        ["AR"],
        ("LPCC",),
        goal=15,
        differs="TSFEL's are cepstral coefficients of a linear prediction.",
    ),
    Row(
        "MNF + MDF",
        [["mnf", "mdf"]],
        ["MNF", "MDF"],
        ("Spectral centroid", "Median frequency"),
        goal=35,
    ),
    Row(
        "wavelet energies",
        [["wavelet-energy"]],
        ["WENG"],
        ("Wavelet energy",),
        goal=15,
        differs="TSFEL transforms continuously, LibEMG to a level deeper than the window allows.",
    ),
    Row(
        "sample entropy",
        [[{"feature": "sampen", "r": 0.3}]],
        ["SAMPEN"],
        neurokit=True,
        goal=150,
        slow=True,
        differs="m = 2; LibEMG and Myograph within 0.3 standard deviations, NeuroKit2 within 0.2.",
    ),
    Row(
        "wavelet energies and entropies",
        [["wavelet-energy", "wavelet-entropy"]],
        ["WENG", "WENT"],
        goal=15,
    ),
    Row("everything but entropy", [SAME], EVERYTHING, goal=30, differs="The same 26 kinds."),
    Row(
        "all of Myograph's",
        [everything()],
        EVERYTHING,
        few=True,
        differs="All features of single channels but complexity, beside the 26 of LibEMG.",
    ),
    *(Row(name, [[name]], neurokit=False, few=True) for name in COMPLEXITY if name != "sampen"),
]


def windows_of(n_channels: int, *, seconds: float = 20.0, seed: int = 0) -> np.ndarray:
    """Noise in the band of EMG as overlapping windows, (n_windows, n_channels, 400), a view."""
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal((n_channels, round(FS_HZ * seconds)))
    signal = 40 * (signal + np.roll(signal, 1, axis=1) + np.roll(signal, 2, axis=1))
    view = np.lib.stride_tricks.sliding_window_view(signal.astype(np.float32), LENGTH, axis=1)
    return view[:, ::HOP].transpose(1, 0, 2)


def installed() -> dict[str, Any]:
    """Import the peers that are there."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("libemg", "tsfel", "neurokit2"):
            try:
                found[name] = importlib.import_module(name)
            except ImportError as error:
                print(f"{name} is left out: {error}")
    return found


def tasks_of(row: Row, peers: dict[str, Any]) -> dict[str, Task]:
    """Return what each peer does for this row, given contiguous windows in float64."""
    tasks: dict[str, Task] = {}
    if row.libemg and "libemg" in peers:
        tasks["libemg"] = _libemg_task(peers["libemg"], row.libemg)
    if row.tsfel and "tsfel" in peers:
        tsfel, chosen = peers["tsfel"], _tsfel_configuration(peers["tsfel"], row.tsfel)
        tasks["tsfel"] = lambda x: tsfel.time_series_features_extractor(
            chosen, [window.T for window in x], fs=FS_HZ, verbose=0, n_jobs=None
        )
    if row.neurokit and "neurokit2" in peers:
        entropy = peers["neurokit2"].entropy_sample
        tasks["neurokit2"] = lambda x: [entropy(channel)[0] for window in x for channel in window]
    return tasks


def counts_for(row: Row, n_channels: int) -> dict[str, int]:
    """Return how many windows each program is given."""
    many = 397 if n_channels <= 8 else 100
    counts = {"myograph": many, "libemg": many, "tsfel": 8, "neurokit2": 8}
    if row.few:
        counts |= {"myograph": 40, "libemg": 40}
    if row.slow:
        per_call = 4 if n_channels <= 8 else 1
        counts |= {"libemg": per_call, "neurokit2": per_call, "myograph": many}
    return counts


def _libemg_task(libemg: Any, names: Sequence[str]) -> Task:
    extractor = libemg.feature_extractor.FeatureExtractor()

    def task(x: np.ndarray) -> list[object]:
        # One by one: asked for WL and WWL together, it hands the parameters of one to the other.
        return [extractor.extract_features([name], x, _parameters(name)) for name in names]

    return task


def _parameters(name: str) -> dict[str, Any]:
    return {key: value for key, value in PARAMETERS.items() if key.partition("_")[0] == name}


def _tsfel_configuration(tsfel: Any, names: Sequence[str]) -> dict[str, Any]:
    whole = tsfel.get_features_by_domain()
    return {
        domain: {name: entry for name, entry in features.items() if name in names}
        for domain, features in whole.items()
        if set(features) & set(names)
    }


def set_names() -> list[str]:
    """Return the sets that are registered, for the report."""
    return sorted(SETS)
