from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, coherence, csd, sosfiltfilt

from myograph.core.errors import ParameterError
from myograph.twin.cortex import Cortex, eeg, movement_potential, movement_times
from myograph.twin.discharge import discharges
from myograph.twin.drive import CommonNoise, Drive, beta_rhythm, repeated, trapezoid, with_noise
from myograph.twin.emg import synthesise
from myograph.twin.muap import MuapLibrary
from myograph.twin.pool import Pool

FS = 500.0
BETA = CommonNoise(beta=0.1)
# Centre of the rectified potential behind its discharge.
CENTRE_MS = 6.0


def library(pool: Pool) -> MuapLibrary:
    time_s = np.arange(40) / 1000
    shape = np.gradient(np.exp(-(((time_s - CENTRE_MS / 1000) / 0.002) ** 2)))
    size = 20 * np.sqrt(pool.n_fibres)[:, None] / np.abs(shape).max()
    return MuapLibrary((size * shape)[:, None].astype(np.float32), 1000.0, 0)


def held(cortex: Cortex, seed: int, *, seconds: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Return EEG over the hand area and rectified EMG of a hold, at 1000 Hz."""
    pool = Pool.fuglevand()
    drive = Drive(np.full((1, seconds * 1000), 0.2), 1000.0)
    cortical = eeg(drive, cortex, fs_hz=1000.0, seed=seed, noise=BETA)
    trains = discharges(pool, with_noise(drive, seed=seed, noise=BETA), seed=seed)
    emg = np.abs(synthesise(trains, library(pool))[0])
    return cortical.samples_uv[0, 1000:], emg[1000:]


def over(pair: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, float]:
    """Return coherence in the beta band and its 95 % limit (halliday1995)."""
    frequency, found = coherence(*pair, 1000.0, nperseg=1000, noverlap=0)
    limit = 1 - 0.05 ** (1 / (len(pair[0]) // 1000 - 1))
    return found[(frequency >= 15) & (frequency <= 30)], limit


def test_the_cortex_is_coherent_with_the_muscle_it_drives():
    for seed in range(3):
        found, limit = over(held(Cortex(), seed))
        assert (found > limit).mean() > 0.6
        assert found.max() > 2 * limit


def test_an_uncoupled_cortex_is_coherent_as_often_as_chance():
    shares = []
    for seed in range(8):
        found, limit = over(held(Cortex(coupled=False), seed, seconds=25))
        shares.append((found > limit).mean())
    # 128 bins: 5 % are 6.4, and 3 standard deviations more are 14.
    assert np.mean(shares) < 14 / 128


@pytest.mark.parametrize("delay_ms", [12.0, 30.0])
def test_the_cortex_leads_by_its_delay(delay_ms):
    found = []
    for seed in range(3):
        pair = held(Cortex(delay_ms=delay_ms), seed)
        frequency, cross = csd(*pair, 1000.0, nperseg=1000, noverlap=0)
        band = (frequency >= 15) & (frequency <= 30)
        phase = np.unwrap(np.angle(cross[band]))
        slope = np.polyfit(frequency[band], phase, 1, w=np.abs(cross[band]))[0]
        found.append(-1000 * slope / (2 * np.pi))
    assert np.mean(found) - CENTRE_MS == pytest.approx(delay_ms, abs=4.5)


def test_the_rhythm_is_that_of_the_drive():
    drive = Drive(np.full((1, 4000), 0.5), FS)
    noisy = with_noise(drive, seed=3, noise=CommonNoise(common=0.0, beta=0.05))
    rhythm = beta_rhythm(drive, 0, lead_s=0.0, seed=3, noise=BETA)
    np.testing.assert_allclose(noisy.of(0) / 0.5 - 1, 0.05 * rhythm, atol=1e-12)
    early = beta_rhythm(drive, 0, lead_s=0.02, seed=3, noise=BETA)
    np.testing.assert_array_equal(early[:-10], rhythm[10:])


def test_shared_rhythms_are_shared_between_muscles():
    drive = Drive(np.full((2, 4000), 0.5), FS, ("FDI", "ADM"))
    shared = CommonNoise(beta=0.1, between_muscles=1.0)
    one, two = (beta_rhythm(drive, m, lead_s=0.01, seed=3, noise=shared) for m in drive.muscles)
    np.testing.assert_array_equal(one, two)


def tasks() -> Drive:
    return repeated(trapezoid(0.3, ramp_s=0.5, hold_s=4.0, rest_s=3.0, fs_hz=FS), 12)


def test_beta_fades_before_movement_and_rebounds_after_it():
    drive = tasks()
    found = eeg(drive, Cortex(background_uv=0, alpha_uv=0), fs_hz=FS, seed=1, noise=BETA)
    power = sosfiltfilt(butter(2, (15, 30), "bandpass", fs=FS, output="sos"), found.beta_uv) ** 2
    cut = power.reshape(12, -1).mean(axis=0)

    def at(start: float, stop: float) -> float:
        return float(cut[round(start * FS) : round(stop * FS)].mean())

    rest, before, hold, after = at(0.5, 1.8), at(2.6, 3.3), at(5.5, 7.0), at(8.5, 9.3)
    assert before < 0.4 * hold
    assert hold == pytest.approx(rest, rel=0.35)
    assert after > 1.3 * rest


def test_the_readiness_potential_precedes_the_onset():
    drive = tasks()
    found = eeg(drive, Cortex(delay_ms=16), fs_hz=FS, seed=1, noise=BETA)
    assert len(found.onsets_s) == 12
    cz = found.samples_uv[1]
    epochs = np.stack([cz[round((t - 2.4) * FS) : round((t + 1.0) * FS)] for t in found.onsets_s])
    mean = epochs.mean(axis=0) - epochs[:, : round(0.4 * FS)].mean()
    smooth = np.convolve(mean, np.ones(50) / 50, "same")
    peak_s = np.argmin(smooth) / FS - 2.4
    assert -0.25 < peak_s < 0.15
    assert -16 < smooth.min() < -4
    # Half a second before the muscle it is there already, and smaller.
    assert smooth.min() < smooth[round(1.9 * FS)] < -0.5


def test_onsets_are_those_of_the_drive():
    on, off = movement_times(tasks().of(0), fs_hz=FS)
    np.testing.assert_allclose(np.diff(on), 11.0)
    assert on[0] == pytest.approx(3.0 + 0.5 * 0.05, abs=0.01)
    assert off[0] == pytest.approx(8.0 - 0.5 * 0.05, abs=0.01)
    assert [len(x) for x in movement_times(np.ones(100), fs_hz=FS)] == [0, 0]
    flicker = np.ones(3000)
    flicker[:500] = flicker[2500:] = flicker[1200:1300] = 0.0
    assert [len(x) for x in movement_times(flicker, fs_hz=FS)] == [1, 1]


def test_a_change_of_one_thing_changes_only_that():
    drive = tasks()
    plain = eeg(drive, Cortex(), fs_hz=FS, seed=1, noise=BETA)
    again = eeg(drive, Cortex(), fs_hz=FS, seed=1, noise=BETA)
    np.testing.assert_array_equal(plain.samples_uv, again.samples_uv)
    louder = eeg(drive, Cortex(potential_uv=16), fs_hz=FS, seed=1, noise=BETA)
    np.testing.assert_array_equal(plain.beta_uv, louder.beta_uv)
    np.testing.assert_allclose(
        louder.samples_uv - plain.samples_uv,
        np.outer([0.8, 1.0, 0.5], plain.potential_uv),
        atol=1e-4,
    )


def test_impossible_cortices_are_refused():
    with pytest.raises(ParameterError, match="desynchronised must be at least 0 and at most 1"):
        Cortex(desynchronised=1.5)
    with pytest.raises(ParameterError, match="at or above the Nyquist frequency"):
        eeg(tasks(), Cortex(), fs_hz=50.0, seed=1, noise=BETA)


def test_the_potential_has_one_peak():
    shape = movement_potential(np.linspace(-3, 3, 601))
    assert shape.max() == 1.0
    assert (np.diff(shape[:301]) >= 0).all()
    assert (np.diff(shape[300:]) <= 0).all()
