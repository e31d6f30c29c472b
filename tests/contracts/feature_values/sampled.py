"""Closed forms: what each feature of the samples is on a signal that has one.

The signal is 100 sin(2 pi 80 n / 2000 + 0.1), n = 0 .. 1999, 80 whole periods of 25 samples,
unless SIGNALS names another.
"""

import numpy as np
from scipy.special import gamma

A, F_HZ, FS_HZ, N = 100.0, 80, 2000.0, 2000
OMEGA = 2 * np.pi * F_HZ / FS_HZ
MAV = A * 2 / np.pi
STEP_RMS = 2 * A * np.sin(OMEGA / 2) / np.sqrt(2)

ALTERNATING = np.where(np.arange(N) % 2, -3.0, 3.0)
LEVEL = np.full(N, 2.0)
RAMP = np.arange(float(N))
LOPSIDED = np.tile([3.0, -1.0, -1.0, -1.0], N // 4)
FOUR = np.tile([2.0, -2.0, 1.0, -1.0], N // 4)
DECAY = (-0.9) ** np.arange(N)

SIGNALS = {
    "tm3": LEVEL,
    "tm5": LEVEL,
    "flat": LEVEL,
    "skew": LOPSIDED,
    "ls": RAMP,
    "card": RAMP,
    "hist": FOUR,
    "ar": ALTERNATING,
    "cepstrum": ALTERNATING,
    "ar-yw": DECAY,
    "mavslp": RAMP,
    "tdpsd-m0": ALTERNATING,
    "tdpsd-m2": ALTERNATING,
    "tdpsd-m4": ALTERNATING,
    "tdpsd-sparsity": ALTERNATING,
    "tdpsd-irf": ALTERNATING,
    "tdpsd-wlf": ALTERNATING,
}


def _mean_log_of_offset_tone():
    angles = (np.arange(100_000) + 0.5) / 100_000 * np.pi / 2
    return np.exp(np.log(A * np.sin(angles) + 1).mean())


def _descriptors():
    """The logarithm of a signal of constant size is constant, so its differences are 0."""
    m0, m2, m4 = (
        m**0.1 / 0.1 for m in (3 * np.sqrt(N), 6 * np.sqrt((N - 1) / N), 12 * np.sqrt((N - 2) / N))
    )
    of_log = (np.sqrt(N) * np.log(9 + 2.0**-52)) ** 0.1 / 0.1
    pairs = [
        (np.log(m0), np.log(of_log)),
        (np.log(abs(m0 - m2)), np.log(of_log)),
        (np.log(abs(m0 - m4)), np.log(of_log)),
        # m0 / sqrt(m0 m0) is 1, and its logarithm 0.
        (np.log(m0 / np.sqrt(abs((m0 - m2) * (m0 - m4)))), 0.0),
    ]
    return [-2 * a * b / (a * a + b * b) for a, b in pairs]


_half_root = np.sqrt(A) * np.sqrt(np.pi) * gamma(3 / 4) / gamma(5 / 4) / (2 * np.pi)

VALUES = {
    "mav": MAV,
    "iemg": N * MAV,
    "rms": A / np.sqrt(2),
    "var": A**2 / 2 * N / (N - 1),
    "ssi": N * A**2 / 2,
    "mav1": 0.75 * MAV,  # half of the window fully, half of it by half
    "mav2": 0.75 * MAV,  # half of the window fully, half of it by half on average
    "mavslp": N / 2,  # the means of two halves of a ramp
    # 25 angles that divide the half circle: the product of their sines is known.
    "log": A / 2 * (2 * abs(np.sin(25 * 0.1))) ** (1 / 25),
    "ld": _mean_log_of_offset_tone(),
    "msr": np.hypot(_half_root, _half_root),
    "tm3": 8.0,
    "tm4": A**4 * 3 / 8,
    "tm5": 32.0,
    "myop": 1.0,
    "wl": 4 * A * F_HZ,  # four amplitudes a period
    "aac": 4 * A * F_HZ / N,
    "dasdv": STEP_RMS,
    "mfl": np.log10(STEP_RMS * np.sqrt(N - 1)),
    "zc": 2 * F_HZ - 1,  # two a period, one lost at the ends
    "ssc": 2 * F_HZ,
    "wamp": N - 1,
    "tkeo": A**2 * np.sin(OMEGA) ** 2,
    "tkeo-abs": A**2 * np.sin(OMEGA) ** 2,
    "flat": 1.0,
    "kurt": 1.5,
    "skew": 6 / 3**1.5,
    "ls": (N + 1) / 6,
    "card": N,
    "peak": A,
    "ptp": 2 * A,
    "crest": np.sqrt(2),
    "hjorth-activity": A**2 / 2,
    "hjorth-mobility": 2 * np.sin(OMEGA / 2),
    "hjorth-complexity": 1.0,
    "hist": [0, 0, 0.25, 0.25, 0, 0.25, 0.25, 0, 0],
    "ar": [1, 0, 0, 0, 0, 0],  # x[n] = -x[n-1]
    "cepstrum": [(-1) ** p / p for p in range(1, 7)],  # of 1 / (1 + 1/z)
    "ar-yw": [0.9, 0, 0, 0, 0, 0],
    **dict(zip(("tdpsd-m0", "tdpsd-m2", "tdpsd-m4"), _descriptors(), strict=False)),
    "tdpsd-sparsity": 0.0,
    "tdpsd-irf": 0.0,
    "tdpsd-wlf": 0.0,
}

#: Features that change when the signal is turned over, and how.
ODD = {"skew"}
NEITHER = {"hist"}  # mirrored
