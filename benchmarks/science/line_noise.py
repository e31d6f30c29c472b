"""Ways to take the mains out: how much of it goes, and how much muscle goes with it.

Mains of known frequency and strength is added to clean signals (simulated bursts, and real
recordings without mains), and every way is judged on what differs from the clean signal from the
fifth second on: the mains that is left, and the distortion of the same signal without any mains.

    python benchmarks/science/line_noise.py [--mirror FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from defects import Stretch, simulate_clean, strength
from quality import is_clean, real

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Recording
from myograph.core.step import build_step
from myograph.features import compute

SEED = 50
RESULTS = Path(__file__).resolve().parents[1] / "results" / "line-noise.json"
WAYS: dict[str, dict[str, Any]] = {
    "notch (quality 30)": {"step": "notch", "frequency_hz": 50.0, "harmonics": 5},
    "conditional notch": {"step": "conditional-notch", "frequency_hz": 50.0},
    "adaptive subtraction": {"step": "subtract-mains", "frequency_hz": 50.0},
    "spectrum interpolation": {"step": "interpolate-mains", "frequency_hz": 50.0},
}
#: How far the mains is from 50 Hz, and how strong, relative to the muscle.
OFF_HZ = (0.0, 0.05, 0.2)
LEVEL_DB = (-10.0, 0.0, 10.0)
SETTLED_S = 4.0


def hum(stretch: Stretch, off_hz: float, level_db: float) -> np.ndarray:
    t = np.arange(len(stretch.samples)) / stretch.fs_hz
    wave = np.zeros(len(t))
    for k, share in ((1, 1.0), (2, 0.1), (3, 0.3), (5, 0.15)):
        wave += share * np.sin(2 * np.pi * k * (50 + off_hz) * t + k)
    size = strength(stretch.samples.astype(float), stretch.fs_hz)
    return size * 10 ** (level_db / 20) * wave / wave.std()


def through(way: str, samples: np.ndarray, fs_hz: float) -> np.ndarray:
    recording = Recording(samples[None].astype("f4"), Layout(fs_hz, (Channel("e", kind="semg"),)))
    step = build_step(WAYS[way])
    return step.apply(recording).samples[0].astype(float)


def median_frequency(samples: np.ndarray, fs_hz: float) -> float:
    return float(compute("mdf", samples[None, None].astype("f4"), fs_hz=fs_hz)[0, 0])


def judge(stretches: list[Stretch]) -> dict[str, Any]:
    result = {}
    for way in WAYS:
        distortion, frequency = [], []
        left: dict[str, list[float]] = {}
        for stretch in stretches:
            clean, fs_hz = stretch.samples.astype(float), stretch.fs_hz
            late = slice(int(SETTLED_S * fs_hz), None)
            untouched = through(way, clean, fs_hz)
            size = strength(clean[late], fs_hz)
            distortion.append(100 * strength((untouched - clean)[late], fs_hz) / size)
            before = median_frequency(clean[late], fs_hz)
            frequency.append(abs(median_frequency(untouched[late], fs_hz) - before))
            for off_hz in OFF_HZ:
                for level_db in LEVEL_DB:
                    wave = hum(stretch, off_hz, level_db)
                    # What is left of the mains, on top of what the way does to muscle anyway.
                    rest = through(way, clean + wave, fs_hz) - clean
                    ratio = np.square(rest[late]).mean() / np.square(wave[late]).mean()
                    left.setdefault(f"{off_hz:g} Hz, {level_db:+g} dB", []).append(
                        float(10 * np.log10(ratio))
                    )
        result[way] = {
            "error_over_mains_db": {k: float(np.median(v)) for k, v in left.items()},
            "distortion_without_mains_percent": float(np.median(distortion)),
            "median_frequency_moved_hz": float(np.median(frequency)),
        }
    return result


def table(results: dict[str, Any]) -> str:
    cases = next(iter(next(iter(results.values())).values()))["error_over_mains_db"]
    lines = ["| signals | way | distortion without mains | " + " | ".join(cases) + " |"]
    lines.append("|---" * (3 + len(cases)) + "|")
    for source, ways in results.items():
        for way, r in ways.items():
            cells = " | ".join(f"{v:.0f}" for v in r["error_over_mains_db"].values())
            lines.append(
                f"| {source} | {way} | {r['distortion_without_mains_percent']:.1f} % | {cells} |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", default=os.environ.get("MYOGRAPH_MIRROR", ""))
    parser.add_argument("--people", type=int, default=15)
    given = parser.parse_args()
    rng = np.random.default_rng(SEED)
    sets = {"simulated": [simulate_clean(rng, f"simulated-{k}") for k in range(given.people)]}
    if given.mirror:
        found = [s for s in real("elderly-emg-force", given.mirror, tuning=False) if is_clean(s)]
        chosen = np.random.default_rng(SEED).permutation(len(found))[: given.people]
        sets["real (isometric), mains added"] = [found[i] for i in chosen]
    results = {name: judge(stretches) for name, stretches in sets.items()}
    print(table(results))
    RESULTS.write_text(
        json.dumps(
            {
                "benchmark": "science/line-noise",
                "evidence": "engineering verification: the mains was added",
                "error_over_mains_db": "power of (cleaned - clean) over power of the mains, after "
                "4 s; lower is better, 0 means nothing gained; columns are the distance of the "
                "mains from 50 Hz and its power over that of the muscle",
                "stretches": {k: len(v) for k, v in sets.items()},
                "seed": SEED,
                "results": results,
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
