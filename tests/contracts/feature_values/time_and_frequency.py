"""Closed forms of what looks at time and frequency together, and at several channels."""

import numpy as np

A, F_HZ, FS_HZ, N = 100.0, 80.0, 2000.0, 2000
POWER = A**2 / 2
TONE = A * np.sin(2 * np.pi * F_HZ * np.arange(N) / FS_HZ + 0.1)
LONG = np.sin(2 * np.pi * F_HZ * np.arange(10 * N) / FS_HZ + 0.1)
EVEN = 0.3 * np.cos(2 * np.pi * F_HZ * np.arange(10 * N + 1) / FS_HZ)  # mirrored, it goes on
LEVEL = np.full(N, 2.0)


def _level_kept(levels, taps=10):
    """A level passes every low-pass, times the root of 2, and mirrored edges only add samples."""
    n = N
    for _ in range(levels):
        n = (n + taps - 1) // 2
    return 4.0 * 2**levels * n / N


def _stft():
    """Three segments of 1000 samples, 2 Hz apart from 10 to 500: a Hann taper has three bins."""
    one = np.zeros(246)
    one[[34, 35, 36]] = A / 2, A, A / 2
    return np.tile(one, 3)


def _scalogram():
    f = np.geomspace(20.0, 500.0, 16)
    size = np.exp(-0.5 * ((F_HZ - f) * 6.0 / f) ** 2)
    size -= np.exp(-18.0) * np.exp(-0.5 * (F_HZ * 6.0 / f) ** 2)
    return f, size**2 / 2


def _median(f, power):
    below = np.cumsum(power)
    k = int((below < below[-1] / 2).sum())
    place = k - 0.5 + (below[-1] / 2 - below[k] + power[k]) / power[k]
    return f[0] * np.exp(place * np.log(f[1] / f[0]))


def _paths(n):
    """How many coefficients of the second order there are: slower than the first one's envelope."""
    first = 500.0 * 2.0 ** (-np.arange(19) / 4)
    second = 250.0 * 2.0 ** -np.arange(int(np.log2(250 * n / FS_HZ)) + 1.0)
    return int((second <= first[:, None] * (2**0.25 - 1)).sum())


def _scattered():
    """A tone has a steady envelope in every band, half of the band's gain at its frequency."""
    first = 500.0 * 2.0 ** (-np.arange(19) / 4)
    spread = first * (2**0.25 - 1) / (2**0.25 + 1) / np.sqrt(np.log(2))

    def gain(f_hz):
        return np.exp(-0.5 * ((f_hz - first) / spread) ** 2) - np.exp(
            -0.5 * (first / spread) ** 2 - 0.5 * (f_hz / spread) ** 2
        )

    most = max(np.square(gain(f)).sum() / 2 for f in np.arange(10.0, 600.0, 0.1))
    return np.concatenate([0.3 * gain(F_HZ) / 2 / np.sqrt(most), np.zeros(_paths(10 * N))])


_f_hz, _power = _scalogram()
_quarter = np.pi / 2
_phase = 2 * np.pi * F_HZ * np.arange(N) / FS_HZ + 0.1
PAIR = np.stack([TONE, A / 2 * np.sin(_phase + _quarter / 3)])
ORTHOGONAL = np.stack([TONE, A / 2 * np.cos(_phase)])

SIGNALS = {
    "wavelet-energy": LEVEL,
    "wavelet-entropy": LEVEL,
    "packet-energy": LEVEL,
    "packet-entropy": LEVEL,
    "cwt-power": LONG,
    "imnf": LONG,
    "imdf": LONG,
    "scattering": EVEN,
    "scattering-shape": np.zeros(N),
    "correlation": PAIR,
    "phasor-rms": PAIR,
    "phasor-wl": PAIR,
    "covariance": PAIR,
    "log-covariance": ORTHOGONAL,
}

# 2000 samples allow 7 levels of a wavelet of 10 taps, and packets stop at 4.
VALUES = {
    "wavelet-energy": [_level_kept(7), *np.zeros(7)],
    "wavelet-entropy": 0.0,
    "packet-energy": [_level_kept(4), *np.zeros(15)],
    "packet-entropy": 0.0,
    "stft": _stft(),
    "cwt-power": _power,
    "imnf": (_f_hz * _power).sum() / _power.sum(),
    "imdf": _median(_f_hz, _power),
    "hht-power": [POWER, 0, 0, 0, 0, 0],
    "hht-mnf": F_HZ,
    "scattering": _scattered(),
    "scattering-shape": np.zeros(19 + _paths(N)),
    "correlation": np.cos(_quarter / 3),
    # Two electrodes are opposite each other: the lengths add up.
    "phasor-rms": 1.5 * A / np.sqrt(2),
    "phasor-wl": 1.5 * 4 * A * F_HZ,
    "covariance": [POWER, POWER / 2 * np.cos(_quarter / 3), POWER / 4],
    "log-covariance": [np.log(POWER), 0.0, np.log(POWER / 4)],
}

ODD: set[str] = set()
NEITHER: set[str] = set()
