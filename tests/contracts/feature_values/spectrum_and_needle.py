"""Closed forms on the same tone, and on an impulse, whose spectrum is flat."""

import numpy as np

A, F_HZ, N = 100.0, 80.0, 2000
POWER = A**2 / 2
IMPULSE = np.where(np.arange(N) == N // 2, 1000.0, 0.0)

# A Hann taper spreads a tone on a bin over three: 1/6, 2/3, 1/6 of its power.
_shares = np.array([1 / 6, 2 / 3, 1 / 6])

SIGNALS = {"flatness": IMPULSE, "fr": IMPULSE}

VALUES = {
    "mnf": F_HZ,
    "mdf": F_HZ,
    "pkf": F_HZ,
    "ttp": POWER,
    "mnp": POWER / 491,  # bins from 10 to 500 Hz
    **{f"sm{k}": POWER * F_HZ**k for k in range(6)},
    "vcf": 1 / 3,
    "omega": 1.0,
    "spen": -(_shares * np.log(_shares)).sum() / np.log(491),
    "flatness": 1.0,
    **{f"finsm{k}": F_HZ ** -(k + 1) for k in range(1, 6)},
    "fr": 220 / 251,  # bins from 30 to 249 Hz and from 250 to 500 Hz
    "band-power": [POWER, 0, 0, 0, 0, 0],
    # 80 maxima and 80 minima; from the start to the first maximum, and from the last minimum to
    # the end, the signal rises by less than 100.
    "ip-turns": 158.0,
    "ip-amplitude": 2 * A,
    "ip-ratio": 158 / (2 * A),
    "ip-activity": 157 / 160,  # a half period each
    "ip-small-segments": 0.0,
    "ip-uca": 2 * A,
}

ODD = set()
NEITHER = set()
