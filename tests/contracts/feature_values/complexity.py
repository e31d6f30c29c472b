"""Closed forms of complexity: entropies of words that repeat, dimensions of lines."""

import math

import numpy as np

N = 2000
RAMP = np.arange(float(N))
ALTERNATING = np.where(np.arange(N) % 2, -3.0, 3.0)
# bandt2002, its worked example: two patterns of two samples, 4 and 2 times.
BANDT = np.array([4.0, 7, 9, 10, 6, 11, 3])
# lempel1976, its example: 0001101001000101 falls into 0, 001, 10, 100, 1000 and 101. The median
# of the window is 0, so that the ones alone lie above it.
LEMPEL = np.array([float(c) for c in "0001101001000101"])
# Steps of 1, 2 and 3 in turn: 666 rounds, and one step of 1.
THREE = np.tile([0.0, 1.0, 3.0], N // 3 + 1)[:N]
# One step in the middle: see `_step`.
STEP = np.where(np.arange(N) < N // 2, 0.0, 10.0)

_pairs = math.comb


def _step():
    """Entropy of a step: within each level all match; what straddles the step is alone.

    Of N - 2 templates of two samples, N/2 - 1 lie below the step, one straddles it and N/2 - 2
    above; of three samples, N/2 - 2 lie below, two straddle it and N/2 - 2 above.
    """
    half = N // 2
    short = _pairs(half - 1, 2) + _pairs(half - 2, 2)
    long = _pairs(half - 2, 2) + _pairs(half - 2, 2)
    return math.log(short / long)


def _approximate_step():
    half = N // 2
    phi = []
    for length in (2, 3):
        templates = N - length + 1
        inside = half - length + 1
        straddling = templates - 2 * inside
        total = 2 * inside * math.log(inside / templates) + straddling * math.log(1 / templates)
        phi.append(total / templates)
    return phi[0] - phi[1]


def _fuzzy_alternating():
    """Degrees of +-3 in turn: of pairs in step 1; of pairs out of step exp(-(d/r)^2).

    Templates of two are (3, -3) or (-3, 3) about a mean of 0, so that d = 6; templates of three
    have means of +-1, 4 and 2 beside it, so that d = 8. The standard deviation is 3, r 0.6.
    """
    templates = N - 2
    together = 2 * _pairs(templates // 2, 2)
    apart = (templates // 2) ** 2
    short, long = (together + apart * math.exp(-((d / 0.6) ** 2)) for d in (6, 8))
    return math.log(short / long)


def _multiscale_step():
    found = []
    for scale in range(1, 6):
        count, half = N // scale, N // scale // 2
        # At every scale the step lies between two means, as half of the window is 1000 samples.
        if 1000 % scale == 0:
            short = _pairs(half - 1, 2) + _pairs(half - 2, 2)
            long = 2 * _pairs(half - 2, 2)
        else:  # scale 3: mean 333 holds one low and two high samples, and is alone
            low, high = 1000 // 3, count - 1000 // 3 - 1
            short = _pairs(low - 1, 2) + _pairs(high - 2, 2)
            long = _pairs(low - 2, 2) + _pairs(high - 2, 2)
        found.append(math.log(short / long))
    return found


def _fluctuation_exponent():
    """The profile of a ramp is a parabola: (n^2 - 1)(n^2 - 4) / 180 is left of it in a box."""
    sizes = np.unique(np.floor(4 * 2 ** (np.arange(40) / 2)))
    sizes = sizes[sizes <= N // 4]
    left = np.sqrt((sizes**2 - 1) * (sizes**2 - 4))
    return np.polyfit(np.log(sizes), np.log(left), 1)[0]


SIGNALS = {
    "sampen": STEP,
    "apen": STEP,
    "fuzzyen": ALTERNATING,
    "mse": STEP,
    "permen": BANDT,
    "lziv": LEMPEL,
    "dfa": RAMP,
    "higuchi": RAMP,
    "katz": THREE,
    "boxdim": np.arange(2049.0),  # its columns end where its boxes do
}

VALUES = {
    "sampen": _step(),
    "apen": _approximate_step(),
    "fuzzyen": _fuzzy_alternating(),
    "mse": _multiscale_step(),
    # Three samples: patterns 123 twice, 231 twice, 132 once of five.
    "permen": (2 * 0.4 * math.log2(1 / 0.4) + 0.2 * math.log2(1 / 0.2)) / math.log2(6),
    "lziv": 6 * 4 / 16,
    "dfa": _fluctuation_exponent(),
    "higuchi": 1.0,
    # Never further than 3 from the first sample.
    "katz": math.log(N - 1) / (math.log(N - 1) + math.log(3 / (6 * 666 + 1))),
    "boxdim": 1.0,
}

ODD = set()
NEITHER = set()
