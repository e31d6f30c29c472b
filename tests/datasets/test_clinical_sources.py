"""Each reader of clinical and force sources understands its layout, on files made here."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from myograph import datasets
from myograph.core.errors import DataError, FormatError
from myograph.core.recording import GAP
from myograph.datasets.dataset import Dataset

Write = Callable[[Path, dict[str, str | bytes]], Path]
Loaded = Callable[..., Dataset]


@pytest.fixture
def loaded(tmp_path: Path, write_files: Write) -> Loaded:
    """Write a dataset's files as a mirror holds them, and load it."""

    def load(name: str, contents: dict[str, str | bytes]) -> Dataset:
        write_files(tmp_path / "mirror" / name.partition("/")[0], contents)
        return datasets.load(name, mirror=tmp_path / "mirror")

    return load


def mat(**variables: object) -> bytes:
    file = io.BytesIO()
    savemat(file, variables)
    return file.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


class TestGraspForce:
    F = "EMG_force_datalog/recording_force_"
    M = "EMG_patterns_datalog/recording_mov_"

    def contents(self) -> dict[str, str | bytes]:
        counts = np.random.default_rng(6).integers(-128, 128, (90, 8))
        other = counts[::-1].copy()
        stimulus = np.repeat([0, 3, 0, 3, 1], [10, 20, 10, 20, 30])[:, np.newaxis]
        force = np.arange(90, dtype=np.uint16)[:, np.newaxis]
        return {
            self.F + "v8.mat": mat(emg=counts.astype(np.int16), Force=force),
            self.F + "v10_3.mat": mat(emg=counts / 128, Force=force),
            self.F + "v1.mat": mat(emg=other / 128, Force=force.T / 89),
            self.M + "v1.mat": mat(emg=counts / 128, stimulus=stimulus.astype(np.uint8)),
        }

    def test_both_scales_become_counts_and_repeats_are_dropped(self, loaded: Loaded) -> None:
        data = loaded("grasp-force-myo/force", self.contents())
        assert [s.pseudonym for s in data.subjects] == ["force-v1", "force-v8"]
        first, second = data.recordings
        np.testing.assert_array_equal(first.samples[:8], second.samples[:8, ::-1])
        assert first.layout.units[-1] == "1"
        assert second.layout.units[-1] == "count"
        np.testing.assert_array_equal(second.samples[8], np.arange(90))
        assert str(first.recipe) == "counts(factor=128)"
        assert [d.what for d in data.dropped] == [self.F + "v10_3.mat"]
        assert data.dropped[0].reason.endswith("as recording_force_v8.mat")

    def test_the_stimulus_becomes_events(self, loaded: Loaded) -> None:
        (recording,) = loaded("grasp-force-myo/motions", self.contents()).recordings
        assert [(e.label, e.trial, e.onset_s, e.duration_s) for e in recording.events] == [
            ("motion 3", "1", 0.05, 0.1),
            ("motion 3", "2", 0.2, 0.1),
            ("motion 1", "1", 0.3, 0.15),
        ]

    def test_a_missing_variable_is_named(self, loaded: Loaded) -> None:
        contents = self.contents() | {self.M + "v1.mat": mat(emg=np.ones((9, 8)) / 128)}
        data = loaded("grasp-force-myo/motions", contents)
        with pytest.raises(FormatError, match="has no variable 'stimulus'"):
            data.recordings[0]


class TestFatigue:
    def contents(self, jump_s: float = 0.0) -> dict[str, str | bytes]:
        time_s = 100 + np.arange(3000) / 1000
        time_s[1500:] += jump_s
        rows = [f"{t:.5f},512,{512 + i % 2},0,3" for i, t in enumerate(time_s)]
        clicks = [
            "Time,Times,Borg,L,R",
            "100.5,1,2,100,400",
            f"{101.2:.3f},2,,100,400",
            f"{102.0 + jump_s:.3f},3,5,100,5000",
            f"{102.9 + jump_s:.3f},4,9,,",
        ]
        return {
            "dataset/raw_2.5/09.csv": "\n".join(["Time,A1,A2,A3,RE", *rows]),
            "dataset/raw_2.5/09_click.csv": "\n".join(clicks),
            "dataset/raw_2.5/10_click.csv": clicks[0],
        }

    def test_counts_become_microvolts(self, loaded: Loaded) -> None:
        recording = loaded("fatigue-liu", self.contents()).recordings[0]
        assert recording.layout.names == ("A1", "A2", "A3")
        step = 3.3 / 1009 * 1e6 / 1024
        np.testing.assert_allclose(recording.samples[0], 0.0, atol=1e-4)
        np.testing.assert_allclose(recording.samples[1, :4], [0, step, 0, step], rtol=1e-5)
        np.testing.assert_allclose(recording.samples[2], -512 * step, rtol=1e-5)
        assert recording.n_samples == 3000

    def test_each_click_opens_a_repetition_with_its_rating(self, loaded: Loaded) -> None:
        data = loaded("fatigue-liu", self.contents())
        events = data.recordings[0].events
        protocol = [e for e in events if e.source == "protocol"]
        assert [(e.label, e.trial) for e in protocol] == [("2", "1"), ("5", "3")]
        np.testing.assert_allclose(
            [(e.onset_s, e.duration_s) for e in protocol], [(0.5, 0.7), (2.0, 0.9)], atol=2e-3
        )
        # The second repetition has no rating; the third's active part would pass its end.
        (active,) = [e for e in events if e.label == "active"]
        np.testing.assert_allclose((active.onset_s, active.duration_s), (0.6, 0.3), atol=2e-3)
        assert [d.what for d in data.dropped] == ["dataset/raw_2.5/10_click.csv"]

    def test_lost_samples_become_a_gap_and_later_clicks_stay_in_place(self, loaded: Loaded) -> None:
        recording = loaded("fatigue-liu", self.contents(jump_s=4.0)).recordings[0]
        (gap,) = [e for e in recording.events if e.label == GAP]
        np.testing.assert_allclose((gap.onset_s, gap.duration_s), (1.5, 4.001), atol=2e-3)
        assert recording.n_samples == 7001
        assert not recording.samples[:, 1500:5501].any()
        third = next(e for e in recording.events if e.trial == "3" and e.source == "protocol")
        assert third.onset_s == pytest.approx(6.0, abs=3e-3)

    def test_a_clock_that_runs_backwards_is_refused(self, loaded: Loaded) -> None:
        data = loaded("fatigue-liu", self.contents(jump_s=-3.0))
        with pytest.raises(DataError, match="clock runs backwards"):
            data.recordings[0]


class TestKnee:
    HEADER = "Recto Femoral,Biceps Femoral,Vasto Medial,EMG Semitendinoso,Flexo-Extension\n"

    def test_millivolts_become_microvolts_and_repeats_are_dropped(self, loaded: Loaded) -> None:
        rows = self.HEADER + "0.001,-0.002,0.003,-0.004,57.5\n" * 10
        data = loaded(
            "knee-lowerlimb",
            {
                "gaits_data/normal/1Nsitting - Sheet1.csv": rows,
                "gaits_data/normal/2Nsitting - Sheet1.csv": rows,
                "gaits_data/Abnormal/1Agait - Sheet1.csv": rows + "0,0,0,0,1\n",
            },
        )
        gait, sitting = data.recordings
        np.testing.assert_allclose(sitting.samples[:, 0], [1, -2, 3, -4, 57.5], rtol=1e-6)
        assert sitting.layout.units == ("uV", "uV", "uV", "uV", "deg")
        assert [r.events[0].label for r in (gait, sitting)] == ["gait", "sitting"]
        assert [s.condition for s in data.subjects] == ["knee abnormality", "healthy"]
        assert [d.what for d in data.dropped] == ["gaits_data/normal/2Nsitting - Sheet1.csv"]


class TestElderly:
    def arrays(self) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(7)
        force = rng.uniform(1, 30, (400, 4)).astype(np.float32)
        force[200:, 0] = np.nan
        short = rng.normal(size=(201, 4)).astype(np.float32)
        full = rng.normal(size=(400, 4)).astype(np.float32)
        return {"05_DNM": force, "05_EMG_VL": short, "05_EMB_TA": full}

    def test_force_in_newton_and_short_ones_cut(self, loaded: Loaded) -> None:
        arrays = self.arrays()
        labels = "ID,Age,Weight,Height,BBS Score,suspected_person\n5,72,83,155,52,2\n"
        data = loaded("elderly-emg-force", {"dev.npz": npz(**arrays), "dev_labels.csv": labels})
        short, full = data.recordings
        assert short.n_samples == 200
        np.testing.assert_allclose(short.samples[4], arrays["05_DNM"][:200, 0] * 9.80665, rtol=1e-6)
        np.testing.assert_allclose(full.samples[:4], arrays["05_EMB_TA"].T)
        np.testing.assert_allclose(full.samples[4], arrays["05_DNM"][:, 2] * 9.80665, rtol=1e-6)
        assert full.layout.units == ("count", "count", "count", "count", "N")
        assert full.events[0].label == "tibialis anterior"
        assert full.session == "id-05"
        assert [s.pseudonym for s in data.subjects] == ["person-02"]
        assert data.dropped[0].what.startswith("force of 05_EMG_VL after")
        assert data.tables["people"]["BBS Score"].tolist() == [52.0]

    def test_the_spreadsheets_of_the_source(
        self, loaded: Loaded, tmp_path: Path, write_book: Callable[..., Path]
    ) -> None:
        def sheet(values: np.ndarray) -> str:
            cells = [
                "".join(f'<c r="{c}{i}"><v>{v:g}</v></c>' for c, v in zip("ABCD", row, strict=True))
                for i, row in enumerate(values, start=1)
            ]
            return "".join(f"<row>{row}</row>" for row in cells)

        values = np.arange(1.0, 41.0).reshape(10, 4)
        sheets = {"DNM": sheet(values)} | {
            f"EMG_{end}": sheet(values * 2) for end in ("VL", "BF", "TA", "GL")
        }
        book = write_book(tmp_path / "ID 7.xlsx", sheets)
        data = loaded("elderly-emg-force", {"ID 7.xlsx": book.read_bytes()})
        assert len(data.recordings) == 4
        last = data.recordings[3]
        np.testing.assert_allclose(last.samples[4], values[:, 3] * 9.80665, rtol=1e-6)
        np.testing.assert_allclose(last.samples[:4], 2 * values.T)
        assert last.events[0].label == "lateral gastrocnemius"


class TestGait:
    def walk(self, **muscles: np.ndarray) -> bytes:
        n = 30
        hip, knee = np.zeros((n, 3)), np.zeros((n, 3))
        hip[:, 2], knee[:, 2] = 800, 400
        far = np.linspace(0, 400, n)
        ankle = np.stack([far, np.zeros(n), far], axis=1)
        markers = {
            f"{s}{m}": v for s in "LR" for m, v in (("ASI", hip), ("KNE", knee), ("ANK", ankle))
        }
        return mat(sd_sig=muscles, traj=markers)

    def test_empty_channels_are_told_and_knees_bend(self, loaded: Loaded) -> None:
        rng = np.random.default_rng(8)
        muscles = {"RRF": np.zeros((0, 0)), "RTA": rng.normal(size=300)}
        body = mat(Antro={"BodyMass": 66.9, "Height": 1710})
        data = loaded(
            "gait-poststroke",
            {"Data/TVC03/TVC03_2.mat": self.walk(**muscles), "Data/TVC03/Antro_tvc03.mat": body},
        )
        both = data.sets[0]
        assert both["emg"].layout.names == ("RTA",)
        assert both["emg"].layout.units == ("count",)
        assert both["knee"].fs_hz == 100.0
        assert both["knee"].samples[0, 0] == pytest.approx(0.0, abs=1e-3)  # leg straight
        assert both["knee"].samples[0, -1] == pytest.approx(90.0, abs=0.1)  # shank level
        assert data.subjects[0].condition == "stroke"
        assert data.subjects[0].height_cm == 171.0
        ((what, reason),) = data.dropped
        assert (what, reason.startswith("the channel is empty")) == (
            "RRF of Data/TVC03/TVC03_2.mat",
            True,
        )


class TestNeedle:
    def test_nmd_arrays_and_originals_are_the_same_recording(
        self, tmp_path: Path, write_files: Write
    ) -> None:
        counts = np.random.default_rng(9).integers(-3000, 3000, 163840).astype(np.int16)
        key, name = "Myo_101_07_LB", "d/EMG _101 _07_ LB_Myo.asc"
        text = "  ".join(f"{v * 0.78125:.4f}" for v in (*counts, 1))
        labels = "key,cls,rec,pid,side,muscle,nclip,split\n" + f"{key},Myo,101,Myo07,L,B,0,dev\n"
        arrays = {"dev.npz": npz(**{key: counts}), "dev_labels.csv": labels, name: text}
        write_files(tmp_path / "one" / "needle-nmd", arrays)
        write_files(tmp_path / "two" / "needle-nmd", {name: text})
        derived = datasets.load("needle-nmd", mirror=tmp_path / "one")
        original = datasets.load("needle-nmd", mirror=tmp_path / "two")
        mine, theirs = derived.recordings[0], original.recordings[0]
        np.testing.assert_allclose(mine.samples, theirs.samples, atol=1e-3)
        assert mine.n_samples == theirs.n_samples == 163840
        assert mine.events == theirs.events
        assert mine.events[0].label == "myopathy"
        assert mine.layout == theirs.layout
        assert mine.layout.channels[0].side == "left"
        assert mine.layout.channels[0].muscle == "biceps brachii"
        assert [d.what for d in derived.dropped] == [name]
        assert original.dropped == ()

    def test_nmd_too_short_or_no_numbers(self, loaded: Loaded) -> None:
        name = "d/EMG _101 _07_ LB_Myo.asc"
        data = loaded("needle-nmd", {name: "1.0  2.0"})
        with pytest.raises(FormatError, match="has 2 samples; at least 163840"):
            data.recordings[0]
        data = loaded("needle-nmd", {name: "1.0  two"})
        with pytest.raises(FormatError, match="numbers between spaces"):
            data.recordings[0]

    HEA = (
        "N2001A01BB02 1 23437.5 50\nN2001A01BB02.bin 16+20 13.1070/uV\n#gender: M\n#age: 56\n"
        "#diagnosis: ALS\n#duration: 0.5 years\n#side: Left\n"
    )
    EAF = "<x><emglab_spike_events>\n0.0005 2 1\n0.001 1 1\n</emglab_spike_events></x>"

    def n2001(self, **changes: str | bytes) -> dict[str, str | bytes]:
        file = io.BytesIO()
        np.save(file, np.linspace(-50, 50, 50))
        contents: dict[str, str | bytes] = {
            "data.npy": file.getvalue(), "data.hea": self.HEA, "data.eaf": self.EAF,
        }  # fmt: skip
        contents |= {name.replace("_", "."): text for name, text in changes.items()}
        return {f"N2001A01BB02/{name}": text for name, text in contents.items()}

    def test_n2001_has_the_experts_discharges(self, loaded: Loaded) -> None:
        data = loaded("needle-n2001", self.n2001())
        (recording,) = data.recordings
        assert recording.fs_hz == 23437.5
        assert [(e.onset_s, e.label) for e in recording.events if e.source == "expert"] == [
            (0.0005, "unit 2"),
            (0.001, "unit 1"),
        ]
        assert data.subjects[0].condition == "ALS"
        assert data.subjects[0].age_years == 56.0
        np.testing.assert_allclose(recording.samples[0, [0, -1]], [-50, 50])

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"data_eaf": "<x/>"}, "no <emglab_spike_events> block"),
            ({"data_eaf": EAF.replace("0.001 1 1", "0.001 1")}, "time, unit, channel"),
            ({"data_hea": HEA.replace(" 50\n", " 51\n", 1)}, "promises 51 samples"),
        ],
    )
    def test_n2001_damage_is_named(
        self, loaded: Loaded, changes: dict[str, str], message: str
    ) -> None:
        data = loaded("needle-n2001", self.n2001(**changes))
        with pytest.raises(FormatError, match=message):
            data.recordings[0]

    def test_emgdb_is_in_microvolts(self, loaded: Loaded) -> None:
        hea = (
            "emg_myopathy 1 4000 3\nemg_myopathy.dat 16 10000/mv 16 0 1 2 0 EMG\n"
            "# <age>: 57 <sex>: M\n"
        )
        counts = np.array([10, -20, 30], dtype="<i2").tobytes()
        data = loaded("needle-emgdb", {"emg_myopathy.hea": hea, "emg_myopathy.dat": counts})
        np.testing.assert_allclose(data.recordings[0].samples, [[1, -2, 3]])
        assert data.subjects[0].age_years == 57.0
        assert data.recordings[0].events[0].label == "myopathy"
        data = loaded("needle-emgdb", {"emg_myopathy.dat": counts[:4]})
        with pytest.raises(FormatError, match="3 samples are promised; the file has 2"):
            data.recordings[0]
        data = loaded("needle-emgdb", {"emg_myopathy.hea": hea.replace(" 16 10000", " 80 10000")})
        with pytest.raises(FormatError, match="format 16"):
            data.recordings[0]


class TestTables:
    MEM = (
        "File: x\r\nName:  \tCA.EDM.NC.4.2\r\nDate:   \t18/2/20\r\nAge: \t59\r\nSex: \tF\r\n"
        "Temperature: \t30.9\r\nS/R sites:  \tCP Kn-TA\r\nM-SCAN DATA\r\n"
        "Scanpts: 23, 26, 460, 481\r\n"
        "Stim. (mA)     \tAmp. (mV)\r\nMS.1           \t14             \t6.733\r\n"
        "MS.2           \t13.5           \t-0.1\r\nMSFMeanUnitAmp(uV) = 69.2\r\n"
    )

    def test_cmap_scans(self, loaded: Loaded) -> None:
        data = loaded("cmap-scan", {"MSCC00218G_OM2.MEM": self.MEM})
        scans, visits = data.tables["scans"], data.tables["visits"]
        assert scans["stimulus_ma"].tolist() == [14.0, 13.5]
        assert scans["amplitude_mv"].tolist() == [6.733, -0.1]
        row = {name: column[0] for name, column in visits.columns.items()}
        assert (row["person"], row["session"], row["nerve"], row["muscle"]) == (
            "4", "2", "common peroneal", "TA",
        )  # fmt: skip
        assert (row["date"], row["sex"], row["pre_first"], row["post_last"]) == (
            "2020-02-18", "female", 23.0, 481.0,
        )  # fmt: skip
        with pytest.raises(FormatError, match="header of a CMAP scan"):
            loaded("cmap-scan", {"MSCC1_OM2.MEM": "Name: \tx\r\n"})

    def test_muap_classes_in_words(self, loaded: Loaded) -> None:
        data = loaded("muap-table", {"muap.csv": "DurMn,Cls,Pat.No.\n8.9,1,059\n12.5,2,064\n"})
        table = data.tables["muap"]
        assert table["condition"].tolist() == ["normal", "motor neuron disease"]
        assert table["Pat.No."].tolist() == ["059", "064"]
        assert table.units["DurMn"] == "ms"
        assert data.subjects == ()

    def test_longitudinal_tables(
        self, loaded: Loaded, tmp_path: Path, write_book: Callable[..., Path]
    ) -> None:
        rows = '<row><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
        rows += '<row><c r="A2" t="s"><v>2</v></c><c r="B2"><v>31.5</v></c></row>'
        book = write_book(tmp_path / "b.xlsx", {"rmcorr": rows}, ("participant", "onerm", "W1"))
        data = loaded(
            "longitudinal",
            {
                "acl/ModellingData.csv": '"","force","id","time"\n"1",9.69,"P001","1"\n',
                "rt/Delta_f_20_40.csv": "participant,time,deltaf\nW1,c1,\nW1,c2,2.9\n",
                "rt/Delta F soleus 20perc_TRACKED_MUs.csv": "participant,mu\nW1,MU01\n",
                "rt/rmcorr_final.xlsx": book.read_bytes(),
            },
        )
        assert data.tables["acl"]["time"].tolist() == ["1"]
        assert np.isnan(data.tables["delta-f"]["deltaf"][0])
        assert data.tables["function"]["onerm"].tolist() == [31.5]
        assert data.tables["function"]["participant"].tolist() == ["W1"]

    def test_motor_unit_tables(self, loaded: Loaded) -> None:
        thresholds = np.full((2, 8), np.nan)
        thresholds[0, 1], thresholds[1, 7] = 15.0, 70.0
        discharges = np.empty((2,), dtype=object)
        for unit in range(2):
            discharges[unit] = np.empty((8,), dtype=object)
            for level in range(8):
                discharges[unit][level] = np.zeros((0,))
        discharges[0][1] = np.array([[100, 0.05, 8.0, 1.0, 1.5], [200, 0.1, 9.0, 1.1, 1.6]])
        discharges[1][7] = np.array([[300, 0.15, 12.0, 60.0, 61.0]])
        trains = np.empty((2,), dtype=object)
        trains[0], trains[1] = np.array([1, 2049]), np.array([4097, 5000, 6000])
        ratios = {"256": [30.0, 31.0, 32.0], "64L": [33.0, 34.0]}
        contents: dict[str, str | bytes] = {
            f"caillet/S1_30_{name}.mat": mat(
                MUPulses=trains, PNR=np.array(pnr), fsamp=2048, ref_signal=np.linspace(0.9, 1, 50)
            )
            for name, pnr in ratios.items()
        }
        contents |= {
            "klotz/MUdict_S1.mat": mat(RT=thresholds, Disrate=discharges),
            "pics/data-participants.csv": "participant,age\nMO1,73\n",
            "pics/df-data-30-04-21.csv": "participant,deltaf\nMO1,NA\n",
        }
        data = loaded("motor-units", contents)
        tables = data.tables
        assert tables["thresholds"]["level_percent"].tolist() == [20, 80]
        assert tables["thresholds"]["rt_percent"].tolist() == [15.0, 70.0]
        assert tables["discharges"]["unit"].tolist() == [0, 0, 1]
        assert tables["discharges"]["force_percent"].tolist() == [1.0, 1.1, 60.0]
        assert tables["trains"]["sample"][:2].tolist() == [0, 2048]
        assert tables["trains"]["time_s"][:2].tolist() == [0.0, 1.0]
        assert set(tables["quality"]["electrodes"]) == {"64L"}
        assert [tuple(d) for d in data.dropped] == [
            ("pulse-to-noise ratios of S1_30_256.mat", "3 values for 2 units")
        ]


def test_an_archive_of_the_wrong_kind_is_refused(loaded: Loaded) -> None:
    with pytest.raises(DataError, match="is not this dataset, or is incomplete"):
        loaded("knee-lowerlimb", {"something/else.csv": "1"})


def test_a_zip_under_the_name_of_an_archive_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "ciil.tar.xz", "w") as file:
        file.writestr("x", "y")
    with pytest.raises(FormatError, match="damaged or no tar archive"):
        datasets.load("ciil", mirror=tmp_path)
