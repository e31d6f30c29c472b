"""Whether Myograph's features agree with other people's programs, feature by feature.

Every feature for which an independent implementation is at hand is measured by both on the same
windows: coloured noise of 40 microvolts at 2000 Hz, 400 samples, each freed of its mean. A row
says how far apart the two are, and, where definitions differ, why, and how far apart they are once
the one is put in terms of the other. Figures are the largest difference over the largest value.

Peers live in the environment of benchmarks/peers.txt; those that are missing are left out. Without
them, rows of scipy and PyWavelets remain.

    PYTHONPATH=src .peers/bin/python benchmarks/science/feature_agreement.py
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pywt
from scipy import signal, stats

from myograph.features import FEATURES, compute

FS_HZ, LENGTH = 2000.0, 400
RESULT = Path(__file__).resolve().parents[1] / "results" / "feature-agreement.json"
#: Rows at most this far apart are the same definition.
SAME = 1e-6

X = np.ndarray
Call = Callable[[X], X]


@dataclass(frozen=True)
class Row:
    """One comparison: our feature, whose program, what it is called there, and what differs."""

    name: str
    peer: str
    theirs: str
    call: Call
    given: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    aligned: Callable[[X, X], tuple[X, X]] | None = None


def windows(*, seed: int = 0) -> X:
    rng = np.random.default_rng(seed)
    x = signal.lfilter([1, 1, 1], [1, -0.2], rng.standard_normal((40, 4, LENGTH + 100)))[..., 100:]
    x = (20 * x).astype(np.float32).astype(np.float64)
    return x - x.mean(axis=-1, keepdims=True)


def each(function: Callable[[X], Any]) -> Call:
    """Call a function of one signal on every channel of every window."""

    def call(x: X) -> X:
        found = [[np.asarray(function(one), dtype=float) for one in window] for window in x]
        return np.array(found)

    return call


def ours(row: Row, x: X) -> X:
    return compute(row.name, x, fs_hz=FS_HZ, **row.given)


def apart(a: X, b: X) -> float:
    a, b = np.broadcast_arrays(np.squeeze(a), np.squeeze(b))
    scale = np.abs(b).max()
    return float(np.abs(a - b).max() / (scale if scale > 0 else 1.0))


# --- scipy, numpy and PyWavelets: written from the definitions with their parts ----------------


def density(x: X) -> tuple[X, X]:
    hz, power = signal.periodogram(x, FS_HZ, window="hann", detrend="constant")
    inside = (hz >= 10) & (hz <= 500)
    return hz[inside], power[..., inside] * (hz[1] - hz[0])


def scipy_rows() -> list[Row]:
    def moment(k: int) -> Call:
        return lambda x: (density(x)[1] * density(x)[0] ** k).sum(-1)

    def dwt(x: X) -> X:
        bands = pywt.wavedec(x, "sym5", "symmetric", 5)
        return np.stack([np.square(b).sum(-1) for b in bands], -1) / LENGTH

    def packets(one: X) -> list[float]:
        nodes = pywt.WaveletPacket(one, "sym5", "symmetric", maxlevel=4).get_level(4, order="freq")
        return [np.square(node.data).sum() / LENGTH for node in nodes]

    def short(x: X) -> X:
        bins = np.arange(101) * 10.0
        inside = (bins >= 10) & (bins <= 500)
        starts, taper = (0, 100, 200), signal.windows.hann(200, sym=False)
        parts = [signal.detrend(x[..., s : s + 200], type="constant") * taper for s in starts]
        sizes = [2 * np.abs(np.fft.rfft(p))[..., inside] / taper.sum() for p in parts]
        return np.concatenate(sizes, -1)

    return [
        Row("kurt", "scipy", "stats.kurtosis(fisher=False)",
            lambda x: stats.kurtosis(x, axis=-1, fisher=False)),
        Row("skew", "scipy", "stats.skew", lambda x: stats.skew(x, axis=-1)),
        Row("rms", "numpy", "sqrt(mean(x**2))", lambda x: np.sqrt(np.mean(x**2, -1))),
        Row("ls", "scipy", "stats.lmoment(order=2)",
            lambda x: stats.lmoment(x, order=2, axis=-1)),
        Row("log", "scipy", "stats.gmean(abs(x))", lambda x: stats.gmean(np.abs(x), axis=-1)),
        Row("var", "numpy", "var(ddof=1)", lambda x: x.var(-1, ddof=1)),
        Row("ptp", "numpy", "ptp", lambda x: np.ptp(x, axis=-1)),
        Row("mnf", "scipy", "signal.periodogram, 'hann'", lambda x: moment(1)(x) / moment(0)(x)),
        Row("ttp", "scipy", "signal.periodogram, 'hann'", moment(0)),
        Row("pkf", "scipy", "signal.periodogram, 'hann'",
            lambda x: density(x)[0][density(x)[1].argmax(-1)]),
        Row("spen", "scipy", "stats.entropy of signal.periodogram",
            lambda x: stats.entropy(density(x)[1], axis=-1) / np.log(density(x)[1].shape[-1])),
        Row("flatness", "scipy", "stats.gmean / mean of signal.periodogram",
            lambda x: stats.gmean(density(x)[1], axis=-1) / density(x)[1].mean(-1)),
        Row("finsm5", "scipy", "signal.periodogram, 'hann'",
            lambda x: moment(-1)(x) / moment(5)(x)),
        Row("wavelet-energy", "PyWavelets", "wavedec", dwt),
        Row("packet-energy", "PyWavelets", "WaveletPacket", each(packets)),
        Row("stft", "scipy", "fft of detrended segments", short),
        Row("correlation", "numpy", "corrcoef",
            lambda x: np.array([np.corrcoef(w)[np.triu_indices(4, 1)] for w in x])),
        Row("covariance", "numpy", "cov(bias=True)",
            lambda x: np.array([np.cov(w, bias=True)[np.triu_indices(4)] for w in x])),
    ]  # fmt: skip


# --- LibEMG -------------------------------------------------------------------------------------


def libemg_rows(module: Any) -> list[Row]:
    extractor = module.feature_extractor.FeatureExtractor()

    def get(name: str, **given: Any) -> Call:
        def call(x: X) -> X:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return np.asarray(extractor.extract_features([name], x, given)[name])

        return call

    def per_channel(name: str, k: int, **given: Any) -> Call:
        return lambda x: get(name, **given)(x).reshape(len(x), x.shape[1], k)

    n = LENGTH
    no_taper = "no taper, no band, padded with zeros to 512 samples, and bins counted to the one"
    no_taper += " below half the rate"
    m0 = "their M0 divides by N - 1 outside the root, M2 and M4 inside; ours follows the paper"
    return [
        Row("mav", "LibEMG", "MAV", get("MAV")),
        Row("iemg", "LibEMG", "IAV", get("IAV")),
        Row("rms", "LibEMG", "RMS", get("RMS")),
        Row("wl", "LibEMG", "WL", get("WL")),
        Row("zc", "LibEMG", "ZC", get("ZC"), why="no threshold there; at 0 a sample of exactly 0 "
            "counts no crossing in either"),
        Row("ssc", "LibEMG", "SSC", get("SSC", SSC_threshold=0.0), why="their threshold is in "
            "squared units and a product of 0 counts; no two samples are equal here"),
        Row("wamp", "LibEMG", "WAMP", get("WAMP", WAMP_threshold=10.0), {"threshold": 10.0}),
        Row("dasdv", "LibEMG", "DASDV", get("DASDV")),
        Row("aac", "LibEMG", "MAVFD", get("MAVFD"), why="they divide by N - 1 steps, ours by N "
            "samples, as in the paper",
            aligned=lambda a, b: (a * n / (n - 1), b)),
        Row("var", "LibEMG", "VAR", get("VAR"), why="they divide by N, ours by N - 1, as in the "
            "paper", aligned=lambda a, b: (a * (n - 1) / n, b)),
        Row("mfl", "LibEMG", "MFL", get("MFL"), why="theirs is log10 of the waveform length; ours "
            "has the root of the sum of squares, as in the paper",
            aligned=lambda a, b: (np.log10(compute("wl", windows(), fs_hz=FS_HZ)), b)),
        Row("msr", "LibEMG", "MSR", get("MSR")),
        Row("ld", "LibEMG", "LD", get("LD")),
        Row("ls", "LibEMG", "LS", get("LS")),
        Row("kurt", "LibEMG", "KURT", get("KURT")),
        Row("skew", "LibEMG", "SKEW", get("SKEW")),
        Row("tm3", "LibEMG", "TM (order 3)", get("TM", TM_order=3), why="theirs is the mean of "
            "sizes, ours the size of the mean, as in the paper",
            aligned=lambda a, b: (np.abs(windows() ** 3).mean(-1), b)),
        Row("mavslp", "LibEMG", "MAVSLP", get("MAVSLP", MAVSLP_segment=2),
            why="with more than two segments theirs mixes windows, so only two are compared"),
        Row("ar", "LibEMG", "AR (librosa)", per_channel("AR", 6, AR_order=6)),
        Row("cepstrum", "LibEMG", "CC (order 4)", per_channel("CC", 4, CC_order=4), {"order": 4},
            why="their recursion is one step off; ours is checked against the series of the "
            "logarithm of the model's response"),
        Row("hjorth-activity", "LibEMG", "ACT", get("ACT")),
        Row("hjorth-mobility", "LibEMG", "MOB", get("MOB"), why="they divide the N - 1 squared "
            "steps by N, ours by N - 1 and less their mean"),
        Row("hjorth-complexity", "LibEMG", "COMP", get("COMP"), why="their sum runs over all "
            "windows and channels of the batch: a window's value depends on its neighbours"),
        Row("mnf", "LibEMG", "MNF", get("MNF", MNF_fs=2000), why=no_taper),
        Row("mdf", "LibEMG", "MDF", get("MDF", MDF_fs=2000), why=no_taper + "; theirs jumps from "
            "bin to bin"),
        Row("mnp", "LibEMG", "MNP", get("MNP"), why=no_taper + "; one side of the spectrum only"),
        Row("tdpsd-m0", "LibEMG", "M0", get("M0"), why=m0),
        Row("tdpsd-sparsity", "LibEMG", "SPARSI", get("SPARSI"), why=m0 + "; theirs is the "
            "inverse inside the logarithm, which turns two signs over and cancels"),
        Row("tdpsd-irf", "LibEMG", "IRF", get("IRF"), why=m0),
        Row("tdpsd-wlf", "LibEMG", "WLF", get("WLF"), why="they take a root of the ratio of "
            "lengths; inside the logarithms that is a factor that cancels"),
        Row("phasor-rms", "LibEMG", "RMSPHASOR", lambda x: get("RMSPHASOR")(x)[:, :6],
            why="they report the logarithm, in 32 bits, so silence has none",
            aligned=lambda a, b: (np.log(a), b)),
        Row("wavelet-energy", "LibEMG", "WENG", per_channel_bands(get("WENG", WENG_fs=2000), 9),
            why="sym8 to level 8, deeper than the window allows, and the logarithm of the sum",
            aligned=_deep),
    ]  # fmt: skip


def per_channel_bands(call: Call, bands: int) -> Call:
    return lambda x: call(x).reshape(len(x), bands, x.shape[1]).transpose(0, 2, 1)


def _deep(a: X, b: X) -> tuple[X, X]:
    """Level 4 is the deepest that sym8 has in 400 samples; its details are those of level 8."""
    del a
    found = compute("wavelet-energy", windows(), fs_hz=FS_HZ, wavelet="sym8", level=4)
    return np.log(found[..., 1:] * LENGTH), b[..., -4:]


# --- TSFEL, NeuroKit2, MNE-features, antropy ----------------------------------------------------


def tsfel_rows(module: Any) -> list[Row]:
    f = module.feature_extraction.features
    whole = "no band and no taper: the whole spectrum, magnitudes and not power"
    return [
        Row("rms", "TSFEL", "rms", each(f.rms)),
        Row("ptp", "TSFEL", "pk_pk_distance", each(f.pk_pk_distance)),
        Row("aac", "TSFEL", "mean_abs_diff", each(f.mean_abs_diff), why="they divide by N - 1 "
            "steps", aligned=lambda a, b: (a * LENGTH / (LENGTH - 1), b)),
        Row("wl", "TSFEL", "sum_abs_diff", each(f.sum_abs_diff)),
        Row("ssi", "TSFEL", "abs_energy", each(f.abs_energy)),
        Row("zc", "TSFEL", "zero_cross", each(f.zero_cross)),
        Row("skew", "TSFEL", "skewness", each(f.skewness)),
        Row("kurt", "TSFEL", "kurtosis", each(f.kurtosis), why="theirs is the excess",
            aligned=lambda a, b: (a - 3, b)),
        Row("var", "TSFEL", "calc_var", each(f.calc_var), why="they divide by N",
            aligned=lambda a, b: (a * (LENGTH - 1) / LENGTH, b)),
        Row("mnf", "TSFEL", "spectral_centroid", each(lambda x: f.spectral_centroid(x, FS_HZ)),
            why=whole),
        Row("mdf", "TSFEL", "median_frequency", each(lambda x: f.median_frequency(x, FS_HZ)),
            why=whole),
    ]  # fmt: skip


def neurokit_rows(module: Any) -> list[Row]:
    nk = module
    return [
        Row("hjorth-complexity", "NeuroKit2", "complexity_hjorth",
            each(lambda x: nk.complexity_hjorth(x)[0])),
        Row("hjorth-mobility", "NeuroKit2", "complexity_hjorth",
            each(lambda x: nk.complexity_hjorth(x)[1]["Mobility"])),
    ]  # fmt: skip


def mne_rows(module: Any) -> list[Row]:
    u = importlib.import_module("mne_features.univariate")
    b = importlib.import_module("mne_features.bivariate")

    jump = "they put a sample of 0 before the window, so that it begins with a jump"

    def per_window(function: Callable[[X], Any]) -> Call:
        return lambda x: np.array([function(window) for window in x])

    return [
        Row("rms", "MNE-features", "compute_rms", per_window(u.compute_rms)),
        Row("ptp", "MNE-features", "compute_ptp_amp", per_window(u.compute_ptp_amp)),
        Row("var", "MNE-features", "compute_variance", per_window(u.compute_variance)),
        Row("kurt", "MNE-features", "compute_kurtosis", per_window(u.compute_kurtosis)),
        Row("skew", "MNE-features", "compute_skewness", per_window(u.compute_skewness)),
        Row("aac", "MNE-features", "compute_line_length", per_window(u.compute_line_length),
            why="they divide by N - 1 steps",
            aligned=lambda a, b: (a * LENGTH / (LENGTH - 1), b)),
        Row("zc", "MNE-features", "compute_zero_crossings", per_window(u.compute_zero_crossings)),
        Row("hjorth-mobility", "MNE-features", "compute_hjorth_mobility",
            per_window(u.compute_hjorth_mobility), why=jump),
        Row("hjorth-complexity", "MNE-features", "compute_hjorth_complexity",
            per_window(u.compute_hjorth_complexity), why=jump),
        Row("correlation", "MNE-features", "compute_time_corr",
            per_window(lambda x: b.compute_time_corr(x, with_eigenvalues=False)),
            why="they first standardise every moment across the channels; another quantity"),
        Row("wavelet-energy", "MNE-features", "compute_wavelet_coef_energy",
            lambda x: np.array([u.compute_wavelet_coef_energy(w).reshape(4, -1) for w in x]),
            {"wavelet": "db4"}, why="the sum and not the mean square, from the highest band to the "
            "lowest, without the approximation",
            aligned=lambda a, b: (a[..., :0:-1] * LENGTH, b)),
    ]  # fmt: skip


def antropy_rows(module: Any) -> list[Row]:
    return [
        Row("hjorth-mobility", "antropy", "hjorth_params",
            each(lambda x: module.hjorth_params(x)[0])),
        Row("hjorth-complexity", "antropy", "hjorth_params",
            each(lambda x: module.hjorth_params(x)[1])),
        Row("zc", "antropy", "num_zerocross", each(module.num_zerocross)),
        Row("spen", "antropy", "spectral_entropy(normalize=True)",
            each(lambda x: module.spectral_entropy(x, FS_HZ, normalize=True)),
            why="no taper and no band: the whole spectrum"),
    ]  # fmt: skip


PEERS: dict[str, tuple[str, Callable[[Any], list[Row]]]] = {
    "libemg": ("libemg", libemg_rows),
    "tsfel": ("tsfel", tsfel_rows),
    "neurokit2": ("neurokit2", neurokit_rows),
    "mne_features": ("mne-features", mne_rows),
    "antropy": ("antropy", antropy_rows),
}


def versions(names: list[str]) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("numpy", "scipy", "PyWavelets", *names):
        found[name] = metadata.version(name)
    return found


def measured(row: Row, x: X) -> dict[str, Any]:
    a, b = ours(row, x), row.call(x)
    entry: dict[str, Any] = {"feature": row.name, "peer": row.peer, "theirs": row.theirs}
    same_shape = np.squeeze(a).shape == np.squeeze(b).shape
    entry["apart"] = apart(a, b) if same_shape else None
    if row.aligned:
        entry["aligned"] = apart(*row.aligned(a, b))
    entry["why"] = row.why
    entry["agrees"] = entry["apart"] is not None and entry["apart"] <= SAME
    if not entry["agrees"] and not row.why:
        entry["why"] = "NOT EXPLAINED"
    return entry


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    rows, present = scipy_rows(), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module, (package, make) in PEERS.items():
            try:
                rows += make(importlib.import_module(module))
                present.append(package)
            except ImportError as error:
                print(f"{module} is left out: {error}")
        x = windows()
        entries = [measured(row, x) for row in rows]
    for entry in entries:
        number = "other shape" if entry["apart"] is None else f"{entry['apart']:.1e}"
        after = f", {entry['aligned']:.1e} aligned" if "aligned" in entry else ""
        print(f"{entry['feature']:<18} {entry['peer']:<13} {number}{after}  {entry['why']}")
    unexplained = [e for e in entries if e["why"] == "NOT EXPLAINED"]
    agree = sum(e["agrees"] for e in entries)
    compared = {e["feature"] for e in entries}
    print(
        f"{agree} of {len(entries)} comparisons agree to {SAME:g}; "
        f"{len(entries) - agree} differ, {len(unexplained)} unexplained. "
        f"{len(compared)} of {len(FEATURES)} features have an independent implementation here."
    )
    report = {
        "benchmark": "feature agreement",
        "setting": {"fs_hz": FS_HZ, "samples": LENGTH, "windows": 40, "channels": 4, "same": SAME},
        "versions": versions(present),
        "agree": agree,
        "rows": entries,
    }
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
