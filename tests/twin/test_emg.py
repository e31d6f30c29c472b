"""Synthesis: every discharge adds its potential exactly where it belongs."""

import numpy as np
import pytest
from scipy.signal import welch

from myograph.core.errors import DataError
from myograph.twin.conductor import PlanarConductor
from myograph.twin.discharge import Discharges, discharges
from myograph.twin.drive import Drive
from myograph.twin.electrode import SurfaceElectrodes
from myograph.twin.emg import evolving, synthesise
from myograph.twin.muap import MuapLibrary, muap_library
from myograph.twin.muscle import Muscle, MuscleGeometry
from myograph.twin.pool import PoolParameters

FS = 2048.0


def gaussian(center, width=3.0, n=40):
    return np.exp(-(((np.arange(n) - center) / width) ** 2))


def library(*shapes, onset=8):
    values = np.array(shapes, np.float32)[:, None, :]
    return MuapLibrary(values, FS, onset)


def test_a_discharge_on_a_sample_adds_the_potential_unchanged():
    shape = gaussian(18)
    signal = synthesise(Discharges(([100 / FS],), 0.5), library(shape))
    np.testing.assert_allclose(signal[0, 92 : 92 + 40], shape, atol=1e-6)
    assert signal.shape == (1, 1024)
    assert signal.dtype == np.float32


@pytest.mark.parametrize("share", [0.25, 0.5, 0.8125])
def test_a_discharge_between_samples_shifts_the_potential(share):
    signal = synthesise(Discharges(([(100 + share) / FS],), 0.5), library(gaussian(18)))
    exact = np.exp(-(((np.arange(1024) - 92 - 18 - share) / 3.0) ** 2))
    np.testing.assert_allclose(signal[0], exact, atol=1e-3)


def test_overlapping_discharges_add_up():
    times = [0.1, 0.103, 0.2]
    one = synthesise(Discharges((times, [0.1]), 0.5), library(gaussian(18), 3 * gaussian(12)))
    parts = [
        synthesise(Discharges(([t], []), 0.5), library(gaussian(18), gaussian(12))) for t in times
    ]
    other = synthesise(Discharges(([], [0.1]), 0.5), library(gaussian(18), 3 * gaussian(12)))
    np.testing.assert_allclose(one, sum(parts) + other, atol=1e-5)


def test_what_reaches_beyond_the_edges_is_cut():
    signal = synthesise(Discharges(([0.0, 0.5],), 0.5), library(gaussian(18)))
    np.testing.assert_allclose(signal[0, :32], gaussian(18)[8:], atol=1e-6)
    np.testing.assert_allclose(signal[0, -8:], gaussian(18)[:8], atol=1e-6)


def test_evolving_potentials_are_mixed_by_time():
    early, late = library(gaussian(18)), library(-gaussian(18))
    trains = Discharges(([0.0 + 100 / FS, 0.5, 1.0 - 100 / FS],), 1.0)
    signal = evolving(trains, [early, late], [0.25, 0.75])
    assert signal[0, 110] == pytest.approx(1.0, abs=1e-3)
    assert np.abs(signal[0, 900:1150]).max() < 1e-6
    assert signal[0].min() == pytest.approx(-1.0, abs=1e-3)


def test_mismatched_input_is_refused():
    with pytest.raises(DataError, match="of the same muscle"):
        synthesise(Discharges(([], []), 1.0), library(gaussian(18)))
    with pytest.raises(DataError, match="one library per moment"):
        evolving(Discharges(([],), 1.0), [library(gaussian(18))] * 2, [1.0, 1.0])
    short = MuapLibrary(np.zeros((1, 2, 9), np.float32), FS, 0)
    with pytest.raises(DataError, match="differ in units, channels or rate"):
        evolving(Discharges(([],), 1.0), [library(gaussian(18)), short], [0.0, 1.0])


def test_a_contraction_has_the_spectrum_of_surface_emg():
    geometry = MuscleGeometry(fibre_length_mm=100, width_mm=20, thickness_mm=14, fat_mm=3)
    muscle = Muscle.healthy("TA", PoolParameters(n_units=60, n_fibres=6000), geometry, seed=1)
    pair = SurfaceElectrodes.bipolar(0.0, center_z_mm=72)
    muaps = muap_library(muscle, pair, PlanarConductor.of(geometry), fs_hz=FS)
    trains = discharges(muscle.pool, Drive(np.full((1, 500), 0.4), fs_hz=100.0), seed=1)
    signal = synthesise(trains, muaps)
    again = synthesise(trains, muaps)
    assert signal.tobytes() == again.tobytes()
    frequency, power = welch(signal[0], FS, nperseg=2048)
    share = power[(frequency >= 20) & (frequency <= 450)].sum() / power.sum()
    median = frequency[np.searchsorted(np.cumsum(power), power.sum() / 2)]
    assert share > 0.95
    assert 55 < median < 140  # published range of bipolar recordings
