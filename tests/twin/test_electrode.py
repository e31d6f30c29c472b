"""Surface electrodes and their contacts."""

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.electrode import Contact, SurfaceElectrodes, disc_transfer


def test_a_grid_is_laid_row_by_row_around_its_centre():
    grid = SurfaceElectrodes.grid(3, 2, spacing_mm=8, center_z_mm=40, center_x_mm=5)
    assert grid.z_mm.tolist() == [32, 32, 40, 40, 48, 48]
    assert grid.x_mm.tolist() == [1, 9] * 3
    assert grid.n_channels == 6


def test_a_bipolar_channel_is_a_difference_along_the_fibres():
    pair = SurfaceElectrodes.bipolar([0.0, 30.0], center_z_mm=50)
    assert pair.n_electrodes == 4
    assert pair.n_channels == 2
    assert pair.z_mm.tolist() == [60, 40, 60, 40]
    np.testing.assert_array_equal(pair.weights @ pair.z_mm, [20, 20])


def test_turning_keeps_distances_and_four_quarters_come_back():
    grid = SurfaceElectrodes.grid(4, 4, spacing_mm=4, center_z_mm=20)
    turned = grid.rotated(90)
    np.testing.assert_allclose(turned.x_mm, grid.z_mm - 20, atol=1e-12)
    back = turned.rotated(90).rotated(90).rotated(90)
    np.testing.assert_allclose(back.z_mm, grid.z_mm, atol=1e-12)
    moved = grid.shifted(x_mm=2, z_mm=-3)
    np.testing.assert_allclose(moved.z_mm - grid.z_mm, -3)


def test_the_layout_gives_positions_along_the_fibres_first():
    channel = SurfaceElectrodes.bipolar(7.0, center_z_mm=50).layout(2048.0, muscle="TA").channels[0]
    assert channel.position_mm == (50.0, 7.0, 0.0)
    assert (channel.kind, channel.muscle, channel.unit) == ("semg", "TA", "uV")
    grid = SurfaceElectrodes.linear(3, spacing_mm=5, center_z_mm=30).layout(2048.0)
    assert [c.position_mm[0] for c in grid.channels] == [25.0, 30.0, 35.0]
    assert grid.channels[0].kind == "hdemg"


def test_a_discs_transfer_function():
    assert disc_transfer(0.0, 5.0) == 1
    assert disc_transfer(2.0, 0.0) == 1
    # The mean over a disc of a plane wave, by quadrature.
    radius = np.sqrt((np.arange(200) + 0.5) / 200) * 2.0
    angle = np.arange(200) * np.pi / 100
    mean = np.cos(0.9 * np.outer(radius, np.cos(angle))).mean()
    assert disc_transfer(0.9, 2.0) == pytest.approx(mean, rel=1e-3)


def test_a_contact_is_a_divider():
    contact = Contact(
        resistance_kohm=900, capacitance_nf=0, series_kohm=100, input_mohm=9, input_pf=0
    )
    np.testing.assert_allclose(contact.response([0.0, 1000.0]), 0.9)
    # With capacitors, the contact is a short at high frequencies.
    wet = Contact(resistance_kohm=900, capacitance_nf=50, series_kohm=0, input_mohm=9, input_pf=0)
    gain = np.abs(wet.response([0.0, 50.0, 500.0]))
    assert gain[0] < gain[1] < gain[2] < 1


def test_unequal_contacts_turn_what_is_common_into_a_difference():
    fs_hz = 2048.0
    common = np.sin(2 * np.pi * 50 * np.arange(4096) / fs_hz)
    good, bad = Contact(resistance_kohm=20), Contact(resistance_kohm=1500, capacitance_nf=1)
    equal = Contact.apply([common, common], [good, good], fs_hz=fs_hz)
    unequal = Contact.apply([common, common], [good, bad], fs_hz=fs_hz)
    assert np.ptp(equal[0] - equal[1]) < 1e-12
    assert np.ptp(unequal[0] - unequal[1]) > 1e-3


def test_bad_electrodes_are_refused():
    with pytest.raises(DataError, match="equally long"):
        SurfaceElectrodes(np.zeros(2), np.zeros(3))
    with pytest.raises(DataError, match="finite"):
        SurfaceElectrodes(np.array([np.nan]), np.zeros(1))
    with pytest.raises(DataError, match=r"shape \(n_channels, 2\)"):
        SurfaceElectrodes(np.zeros(2), np.zeros(2), weights=np.ones((1, 3)))
    with pytest.raises(ParameterError, match="spacing_mm must be above 0"):
        SurfaceElectrodes.linear(3, spacing_mm=0, center_z_mm=0)
    with pytest.raises(ParameterError, match="one per electrode"):
        Contact.apply(np.zeros((2, 10)), [Contact()], fs_hz=1000)
