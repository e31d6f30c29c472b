"""Real recordings of other people's devices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from myograph.core.errors import DataError
from myograph.core.recording import Recording
from myograph.io import read

pytestmark = pytest.mark.realdata

RealFile = Callable[..., Path]


def test_needle_records_of_physionet(real_file: RealFile) -> None:
    path = real_file("needle-emgdb", "emg_myopathy.hea", "emg_myopathy.dat")
    back = read(path)
    assert isinstance(back, Recording)
    assert back.fs_hz == 4000
    assert back.n_samples == 110_337
    channel = back.layout.channels[0]  # the comments say: concentric needle; the unit says: mv
    assert (channel.kind, channel.unit) == ("needle", "uV")
    assert back.samples[0, 0] == pytest.approx(-5.0)  # -50 steps of 1/10000 mV
    assert read(path.with_suffix(".dat"), stop_s=1.0) == back.crop(0.0, 1.0)


def test_grasp_force_in_mat_files(real_file: RealFile) -> None:
    folder = "EMG_Data_and_Force_signals/EMG_force_datalog"
    path = real_file("grasp-force-myo", f"{folder}/recording_force_v10.mat")
    with pytest.raises(DataError, match=r"option variable=. It holds: .*emg 9588x8"):
        read(path, fs_hz=200)
    emg = read(path, variable="emg", fs_hz=200, unit="count")
    assert isinstance(emg, Recording)
    assert (emg.n_channels, emg.n_samples) == (8, 9588)
    assert emg.layout.channels[0].kind == "semg"
    np.testing.assert_array_equal(emg.samples, np.round(emg.samples))
    force = read(path, variable="force_n", fs_hz=200, unit="N")
    assert force.layout.channels[0].kind == "force"  # type: ignore[union-attr]


def test_gait_structures_in_mat_files(real_file: RealFile) -> None:
    back = read(
        real_file("gait-poststroke", "SBJ05_3.mat"),
        variable="sd_sig",
        fs_hz=1000,
        unit="V",
        kinds="semg",
    )
    assert back.layout.names == ("RRF", "RVL", "RST", "RBF", "RTA")  # type: ignore[union-attr]


def test_uci_gestures_in_text_files(real_file: RealFile) -> None:
    path = real_file(
        "uci-gestures", "EMG_data_for_gestures-master/01/1_raw_data_13-12_22.03.16.txt"
    )
    with pytest.raises(DataError, match="option fs_hz="):
        read(path)
    back = read(path, fs_hz=966, unit="V", kinds="semg")
    assert isinstance(back, Recording)
    assert (back.n_channels, back.n_samples) == (8, 63_196)
    assert back.samples[0, 0] == pytest.approx(10.0)  # 1e-05 V
    assert {e.label for e in back.events} == {"0", "1", "2", "3", "4", "5", "6"}


def test_fatigue_in_csv_files(real_file: RealFile) -> None:
    path = real_file("fatigue-liu", "dataset/raw_2.5/03.csv")
    back = read(path, fs_hz=1000, channels=["A1", "A2", "A3"], kinds="semg", unit="count")
    assert isinstance(back, Recording)
    assert back.n_samples == 145_870
    assert back.samples[:, 0].tolist() == [515.0, 506.0, 518.0]
