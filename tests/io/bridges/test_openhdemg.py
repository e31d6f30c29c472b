"""openhdemg: the emgfile, its tables and its motor units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording
from myograph.io.bridges import from_openhdemg, to_openhdemg

GRID = tuple(
    Channel(f"e{i}", "hdemg", position_mm=(8.0 * (i // 2), 8.0 * (i % 2), 0.0)) for i in range(4)
)
KEYS = {
    *("SOURCE", "FILENAME", "RAW_SIGNAL", "REF_SIGNAL", "ACCURACY", "IPTS", "MUPULSES", "FSAMP"),
    *("IED", "EMG_LENGTH", "NUMBER_OF_MUS", "BINARY_MUS_FIRING", "EXTRAS"),
}


def record() -> Recording:
    channels = (*GRID, Channel("grip", "force"), Channel("knee", "angle"))
    samples = np.arange(6.0 * 50).reshape(6, 50)
    units = [("unit 0", 3), ("unit 0", 20), ("unit 1", 7)]
    events = [Event(at / 2048, 0.0, label, "decomposition") for label, at in units]
    return Recording(samples, Layout(2048.0, channels), events=tuple(events), device="amplifier")


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_there_and_back_is_the_same_recording(
    seed: int, draw_recording: Callable[..., Recording]
) -> None:
    recording = draw_recording(seed)
    muscle = replace(recording.layout.channels[0], kind="hdemg")
    layout = replace(recording.layout, channels=(muscle, *recording.layout.channels[1:]))
    at_s = recording.start_s + np.array([0, 4, 9, recording.n_samples - 1]) / recording.fs_hz
    units = [Event(float(t), 0.0, f"unit {i % 2}", "decomposition") for i, t in enumerate(at_s)]
    recording = replace(recording, layout=layout, events=(*recording.events, *units))
    assert from_openhdemg(to_openhdemg(recording, ied_mm=8)) == recording


def test_keys_and_tables() -> None:
    emgfile = to_openhdemg(record(), sources=np.ones((2, 50)), accuracy=[0.9, 0.95])
    assert set(emgfile) == KEYS
    assert emgfile["RAW_SIGNAL"].shape == (50, 4)
    assert emgfile["RAW_SIGNAL"].iloc[3, 1] == pytest.approx(53e-3)  # 53 uV in millivolts
    assert emgfile["REF_SIGNAL"][0].tolist() == record().samples[4].tolist()
    assert emgfile["IPTS"].shape == (50, 2)
    assert emgfile["ACCURACY"][0].tolist() == [0.9, 0.95]
    assert [p.tolist() for p in emgfile["MUPULSES"]] == [[3, 20], [7]]
    assert np.flatnonzero(emgfile["BINARY_MUS_FIRING"][0]).tolist() == [3, 20]
    assert (emgfile["NUMBER_OF_MUS"], emgfile["EMG_LENGTH"]) == (2, 50)
    assert (emgfile["FSAMP"], emgfile["IED"]) == (2048.0, 8.0)
    assert emgfile["EXTRAS"]["knee"].tolist() == record().samples[5].tolist()


def test_without_units_the_tables_are_empty_with_their_columns() -> None:
    emgfile = to_openhdemg(record().with_events(()).select(kinds=("hdemg",)))
    assert emgfile["NUMBER_OF_MUS"] == 0
    assert emgfile["MUPULSES"] == []
    assert (emgfile["REF_SIGNAL"].shape, emgfile["IPTS"].shape) == ((0, 1), (0, 0))


def test_an_emgfile_from_elsewhere() -> None:
    emgfile = to_openhdemg(record()) | {"EXTRAS": pd.DataFrame(columns=[0])}
    found = from_openhdemg(emgfile, unit="mV")
    assert found.layout.names == ("emg0", "emg1", "emg2", "emg3", "reference0")
    np.testing.assert_allclose(found.samples[:4], record().samples[:4], rtol=1e-6)
    assert found.layout.channels[4].scale == "normalised"  # percent of maximum
    np.testing.assert_allclose(found.samples[4], record().samples[4] / 100)
    assert [(e.label, round(e.onset_s * 2048)) for e in found.events] == [
        ("unit 0", 3),
        ("unit 1", 7),
        ("unit 0", 20),
    ]
    with pytest.raises(ParameterError, match=r"does not say in which unit.*unit="):
        from_openhdemg(emgfile)


def test_what_openhdemg_changed_says_so() -> None:
    emgfile = to_openhdemg(record())
    emgfile["RAW_SIGNAL"] = -emgfile["RAW_SIGNAL"]
    emgfile["MUPULSES"][1] = np.array([8, 9])
    back = from_openhdemg(emgfile)
    assert str(back.recipe) == "changed(in=openhdemg)"
    assert [e.label for e in back.events] == ["unit 0", "unit 1", "unit 1", "unit 0"]


def test_refusals() -> None:
    recording = record()
    with pytest.raises(ParameterError, match=r"inter-electrode distance is not known.*ied_mm"):
        to_openhdemg(recording.select(["e0", "grip"]))
    with pytest.raises(LayoutError, match="No channel is left"):
        to_openhdemg(recording.select(["grip"]))
    with pytest.raises(ParameterError, match=r"shape \(n_units, n_samples\) = \(2, 50\)"):
        to_openhdemg(recording, sources=np.ones((50, 2)))
    with pytest.raises(ParameterError, match="accuracy has 3 values; the recording has 2 units"):
        to_openhdemg(recording, accuracy=[1, 1, 1])
    emgfile = to_openhdemg(recording)
    with pytest.raises(DataError, match=r"no \['IED'\]"):
        from_openhdemg({k: v for k, v in emgfile.items() if k != "IED"})
    with pytest.raises(DataError, match=r"MUPULSES\[0\] has discharges at samples 3 to 99"):
        from_openhdemg(emgfile | {"MUPULSES": [np.array([3, 99])]})
    with pytest.raises(DataError, match="REF_SIGNAL has 9 samples and RAW_SIGNAL 50"):
        from_openhdemg(emgfile | {"REF_SIGNAL": emgfile["REF_SIGNAL"][:9]})
    with pytest.raises(LayoutError, match="RAW_SIGNAL has 3 channels; 4 left"):
        from_openhdemg(emgfile | {"RAW_SIGNAL": emgfile["RAW_SIGNAL"].iloc[:, :3]})
