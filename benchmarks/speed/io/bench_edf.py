"""Read EDF and BDF files wholly into physical samples, beside MNE and pyEDFlib.

Every reader starts from the file's name and ends with all samples in memory in its own form:
Myograph float32 microvolts (checked to be finite) with events, MNE float64 volts (preload=True),
pyEDFlib a list of float64 arrays. All must agree on the values. The files are written here, by
pyEDFlib, with noise that fills the range. The last, of 40 kB, shows the cost of opening alone and
does not count towards the verdict.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from harness import Comparison, compare, environment, report

from myograph.core.recording import Recording
from myograph.io import read

warnings.simplefilter("ignore")
import mne
import pyedflib

mne.set_log_level("ERROR")

# Channels, samples a second, seconds, ending.
FILES = [
    (8, 2000, 600, ".edf"),
    (64, 2048, 120, ".bdf"),
    (64, 2000, 120, ".edf"),
    (8, 2000, 600, ".bdf"),
    (2, 1000, 10, ".edf"),
]
REPEATS = 7


def make(folder: Path, n_channels: int, fs_hz: int, duration_s: int, suffix: str) -> Path:
    path = folder / f"{n_channels}x{fs_hz}x{duration_s}{suffix}"
    limit = 2**23 if suffix == ".bdf" else 2**15
    kind = pyedflib.FILETYPE_BDFPLUS if suffix == ".bdf" else pyedflib.FILETYPE_EDFPLUS
    rng = np.random.default_rng(7)
    samples = 300 * rng.standard_normal((n_channels, fs_hz * duration_s))
    with pyedflib.EdfWriter(str(path), n_channels, file_type=kind) as file:
        for i in range(n_channels):
            file.setSignalHeader(
                i,
                {
                    "label": f"EMG {i + 1}",
                    "dimension": "uV",
                    "sample_frequency": fs_hz,
                    "physical_min": -3000.0,
                    "physical_max": 3000.0,
                    "digital_min": -limit,
                    "digital_max": limit - 1,
                    "transducer": "",
                    "prefilter": "",
                },
            )
        file.writeSamples(list(samples))
        file.writeAnnotation(1.0, 2.0, "contraction")
    return path


def with_myograph(path: Path) -> np.ndarray:
    recording = read(path)
    assert isinstance(recording, Recording)
    return recording.samples


def with_mne(path: Path) -> mne.io.BaseRaw:
    open_raw = mne.io.read_raw_bdf if path.suffix == ".bdf" else mne.io.read_raw_edf
    return open_raw(path, preload=True)


def with_pyedflib(path: Path) -> list[np.ndarray]:
    with pyedflib.EdfReader(str(path)) as file:
        return [file.readSignal(i) for i in range(file.signals_in_file)]


READERS: dict[str, Callable[[Path], object]] = {
    "myograph": with_myograph,
    "mne": with_mne,
    "pyedflib": with_pyedflib,
}


def measure(path: Path) -> Comparison:
    ours = with_myograph(path)
    np.testing.assert_allclose(with_mne(path).get_data() * 1e6, ours, atol=2e-3)
    np.testing.assert_allclose(with_pyedflib(path), ours, atol=2e-3)
    return compare(
        path.name, {who: lambda r=r: r(path) for who, r in READERS.items()}, repeats=REPEATS
    )


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        comparisons = [measure(make(Path(folder), *kind)) for kind in FILES]
    report("io-edf", comparisons, environment("mne", "pyedflib"))
    return int(any(comparison.ratio < 1 for comparison in comparisons[:-1]))


if __name__ == "__main__":
    sys.exit(main())
