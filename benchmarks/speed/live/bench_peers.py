"""One live step, samples in to class out: Myograph beside LibEMG 2.0.3, in one process.

Both get 20 ms of the same noise, filter it (band-pass 20-450 Hz, notch 50 Hz), take the newest
160 ms, measure Hudgins's four features and let LDA decide. LibEMG's step is what its online loop
does between two predictions: the streamer's write to shared memory, both polls with the installed
filter, the window, the features, the model; without its sockets. Myograph's is what its engine
does between the arrival of samples and the decision.

Needs the environment of benchmarks/peers.txt. Writes benchmarks/results/live-peers.json.
"""

from __future__ import annotations

import os

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ.setdefault(f"{_name}_NUM_THREADS", "1")

import argparse
import contextlib
import json
import sys
import time
import warnings
from multiprocessing import Lock
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
from harness import RESULTS, Comparison, compare, environment

from myograph.stream.decider import Decider
from myograph.workflows.live_bench import Setting, bench_pipeline

warnings.simplefilter("ignore")
FS_HZ, HOP, WINDOW, BUFFER = 2000, 40, 320, 3000


class Ours:
    def __init__(self, n_channels: int) -> None:
        setting = Setting(n_channels=n_channels)
        self.decider = Decider(bench_pipeline(setting), setting.layout)
        self.decider.warm_up()

    def step(self, chunk: np.ndarray) -> int:
        label = -1
        for window in self.decider.push(chunk):
            if window.proba is not None:
                label = int(window.proba.argmax())
        return label


class LibEMG:
    """The library's own objects, called as `OnlineStreamer._run_helper` calls them."""

    def __init__(self, n_channels: int) -> None:
        import libemg
        from libemg.data_handler import OnlineDataHandler
        from libemg.emg_predictor import EMGClassifier
        from libemg.feature_extractor import FeatureExtractor
        from libemg.filtering import Filter
        from libemg.shared_memory_manager import SharedMemoryManager

        self.get_windows = libemg.utils.get_windows
        self.extractor = FeatureExtractor()
        self.features = self.extractor.get_feature_groups()["HTD"]
        items: list[Any] = [
            ["emg", (BUFFER, n_channels), np.double, Lock()],
            ["emg_count", (1, 1), np.int32, Lock()],
        ]
        self.memory = SharedMemoryManager()
        forget()
        for item in items:
            self.memory.create_variable(*item)
        self.handler = OnlineDataHandler(items)
        pre = Filter(FS_HZ)
        pre.install_filters({"name": "notch", "cutoff": 50, "bandwidth": 3})
        pre.install_filters({"name": "bandpass", "cutoff": [20, 450], "order": 4})
        self.handler.install_filter(pre)
        rng = np.random.default_rng(0)
        labels = np.repeat(np.arange(4), 40)
        windows = (labels[:, None, None] + 1) * 20 * rng.standard_normal((160, n_channels, WINDOW))
        found = self.extractor.extract_features(self.features, windows, array=True)
        self.classifier = EMGClassifier("LDA")
        self.classifier.fit({"training_features": found, "training_labels": labels})

    def step(self, chunk: np.ndarray) -> int:
        newest = chunk.T[::-1].astype(np.double)
        self.memory.modify_variable("emg", lambda x: np.vstack((newest, x))[:BUFFER])
        self.memory.modify_variable("emg_count", lambda x: x + len(newest))
        self.handler.get_data(N=WINDOW)  # the poll that finds the window ready
        data, _ = self.handler.get_data(N=WINDOW)  # and the one that takes it
        window = self.get_windows(data["emg"][::-1], WINDOW, HOP)
        found = self.extractor.extract_features(
            self.features, window, feature_dic=self.classifier.feature_params, array=True
        )
        proba = self.classifier.model.predict_proba(found)
        prediction, _ = self.classifier._prediction_helper(proba)
        return int(prediction[0])


def forget() -> None:
    """Remove LibEMG's shared memory of another size; it goes by fixed names."""
    for name in ("emg", "emg_count"):
        with contextlib.suppress(FileNotFoundError):
            SharedMemory(name).unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hops", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=RESULTS / "live-peers.json")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for n_channels in (8, 64):
        rng = np.random.default_rng(n_channels)
        noise = (40 * rng.standard_normal((n_channels, HOP * given.hops))).astype(np.float32)
        chunks = [noise[:, k * HOP : (k + 1) * HOP] for k in range(given.hops)]
        both = {"myograph": Ours(n_channels), "libemg": LibEMG(n_channels)}

        def play(who: Any, chunks: Any = chunks) -> None:
            for chunk in chunks:
                who.step(chunk)

        work = {name: (lambda who=who: play(who)) for name, who in both.items()}
        found = compare(
            f"{n_channels} channels", work, repeats=given.repeats, clock=time.process_time
        )
        steps = {who: [s / given.hops for s in times] for who, times in found.seconds.items()}
        one = Comparison(found.case, steps)
        rows.append(one.to_dict())
        told = "  ".join(f"{who} {1e3 * s:.3f} ms" for who, s in one.medians.items())
        print(f"{one.case}: {told}, {one.ratio:.1f} times")
    forget()
    where = environment("scipy", "numba", "scikit-learn", "libemg")
    content = {"environment": where, "clock": "processor's time of one step", "results": rows}
    given.out.write_text(json.dumps(content, indent=2) + "\n")
    print(f"Saved in {given.out}")


if __name__ == "__main__":
    main()
