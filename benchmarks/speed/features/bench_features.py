"""How fast windows are measured: the compiled pass and the shared transform against plain numpy.

Prints one JSON object. Both sides read the same overlapping float32 view of the same noise in one
run, once before the clock starts, and the best of five runs counts. The plain side is what one
writes by hand: the whole view in float64, one expression per feature, one transform per spectral
feature. LibEMG cannot be installed beside numpy 2, so no figure for it is given.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from myograph.features import parse_features
from myograph.features.extract import measure

# What is recorded: a wrist band, a bipolar laboratory set, one high-density grid.
CASES = {
    "armband": {"fs_hz": 200, "n_channels": 8, "seconds": 600, "length": 52, "step": 10},
    "laboratory": {"fs_hz": 2000, "n_channels": 8, "seconds": 60, "length": 500, "step": 100},
    "grid": {"fs_hz": 2048, "n_channels": 64, "seconds": 20, "length": 512, "step": 64},
}
THRESHOLD = 10.0


def plain_hudgins(view, _fs_hz):
    x = view.astype(np.float64)
    steps = np.diff(x, axis=-1)
    zc = (x[..., :-1] * x[..., 1:] < 0) & (np.abs(steps) >= THRESHOLD)
    large = np.abs(steps) >= THRESHOLD
    ssc = (steps[..., :-1] * steps[..., 1:] < 0) & (large[..., :-1] | large[..., 1:])
    return np.stack(
        [np.abs(x).mean(-1), zc.sum(-1), ssc.sum(-1), np.abs(steps).sum(-1)], axis=-1
    ).reshape(len(x), -1)


def plain_spectral(view, fs_hz):
    x = view.astype(np.float64)
    x = x - x.mean(-1, keepdims=True)
    taper = np.sin(np.pi * np.arange(x.shape[-1]) / x.shape[-1]) ** 2
    frequencies = np.fft.rfftfreq(x.shape[-1], 1 / fs_hz)
    band = (frequencies >= 10) & (frequencies <= 500)
    found = []
    for what in ("mnf", "mdf"):
        power = np.abs(np.fft.rfft(x * taper, axis=-1)) ** 2
        if x.shape[-1] % 2 == 0:
            power[..., -1] /= 2  # the Nyquist bin has no mirror image
        power = power[..., band]
        if what == "mnf":
            found.append((power * frequencies[band]).sum(-1) / power.sum(-1))
        else:
            total = np.cumsum(power, axis=-1)
            found.append(frequencies[band][(total < total[..., -1:] / 2).sum(-1)])
    return np.stack(found, axis=-1).reshape(len(x), -1)


SETS = {
    "hudgins": ([{"feature": "hudgins", "threshold": THRESHOLD}], plain_hudgins),
    "spectral": (["spectral"], plain_spectral),
}


def best_of(runs, function):
    function()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def one_case(case, *, runs, seed):
    signal = np.random.default_rng(seed).standard_normal(
        (case["n_channels"], case["fs_hz"] * case["seconds"])
    )
    signal = (100 * signal).astype(np.float32)
    view = sliding_window_view(signal, case["length"], axis=1)[:, :: case["step"]]
    view = view.transpose(1, 0, 2)
    report = {"windows": list(view.shape)}
    for name, (definitions, plain) in SETS.items():
        specs = parse_features(definitions)
        ours_s, ours = best_of(runs, lambda s=specs: measure(view, fs_hz=case["fs_hz"], features=s))
        plain_s, theirs = best_of(runs, lambda p=plain: p(view, case["fs_hz"]))
        # The median differs by up to half a bin: the plain one jumps from bin to bin.
        tolerance = 1e-9 if name == "hudgins" else 0.6 * case["fs_hz"] / case["length"]
        np.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=1e-9)
        alone_s, _ = best_of(
            200, lambda s=specs: measure(view[:1], fs_hz=case["fs_hz"], features=s)
        )
        report[name] = {
            "seconds": round(ours_s, 5),
            "plain_numpy_seconds": round(plain_s, 5),
            "times_faster": round(plain_s / ours_s, 2),
            "one_window_us": round(1e6 * alone_s, 1),
        }
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    given = parser.parse_args()
    report = {
        name: one_case(case, runs=given.runs, seed=given.seed) for name, case in CASES.items()
    }
    text = json.dumps({"benchmark": "features", "numpy": np.__version__, "cases": report}, indent=2)
    print(text)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
