"""Features that follow from sums over the samples: which sums, and how they follow.

Each is the pure function of the same name once more, from the sums of one compiled pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.features.base import FeatureSpec
from myograph.features.shape import ratio
from myograph.features.tdpsd import DESCRIPTORS, compare, log_sizes
from myograph.features.waveform import half_log10

__all__ = ["FROM_SUMS", "FromSums", "divisors_of", "finish_moments"]

Values = NDArray[np.float64]
Sums = dict[str, Values]


@dataclass(frozen=True)
class FromSums:
    """How a feature follows from sums.

    Parameters
    ----------
    needs : tuple of str
        Names of `myograph.features.kernels.sums.SUMS`.
    finish : callable
        ``finish(sums, n_samples)`` to the value.
    amplitudes : mapping of str to str
        Which parameter of the feature is the amplitude of which sum.
    divisor : callable, optional
        For a feature that is one sum over a number: ``divisor(n_samples)``.
    """

    needs: tuple[str, ...]
    finish: Callable[[Sums, int], Values]
    amplitudes: Mapping[str, str] = field(default_factory=dict)
    divisor: Callable[[int], int] | None = None


def _one(n_samples: int) -> int:
    del n_samples
    return 1


def _over(name: str, divisor: Callable[[int], int] = _one, parameter: str = "") -> FromSums:
    """One sum over a number."""
    amplitudes = {name: parameter} if parameter else {}
    return FromSums((name,), lambda s, n: s[name] / divisor(n), amplitudes, divisor)


_SIX = ("square", "step2", "bend2", "step", "bend")
_SIX_OF_LOG = ("l2", "l-step2", "l-bend2", "l-step", "l-bend")


def _descriptor(k: int) -> FromSums:
    def finish(sums: Sums, n_samples: int) -> Values:
        if "tdpsd" not in sums:  # once for all six, of the signal and of its logarithm together
            pairs = np.empty((len(_SIX), 2, *sums["square"].shape))
            for pair, own, of_log in zip(pairs, _SIX, _SIX_OF_LOG, strict=True):
                pair[0], pair[1] = sums[own], sums[of_log]
            logs = log_sizes(n_samples, **dict(zip(_SIX, pairs, strict=True)))
            sums["tdpsd"] = compare(logs[:, 0], logs[:, 1])
        found: Any = sums["tdpsd"][k]
        return found

    return FromSums((*_SIX, *_SIX_OF_LOG), finish)


#: Features by name.
FROM_SUMS: dict[str, FromSums] = {
    "mav": _over("size", lambda n: n),
    "iemg": _over("size"),
    "rms": FromSums(("square",), lambda s, n: np.sqrt(s["square"] / n)),
    "var": _over("square", lambda n: n - 1),
    "ssi": _over("square"),
    "wl": _over("step"),
    "aac": _over("step", lambda n: n),
    "dasdv": FromSums(("step2",), lambda s, n: np.sqrt(s["step2"] / (n - 1))),
    "mfl": FromSums(("step2",), lambda s, n: half_log10(s["step2"])),
    "flat": FromSums(("step",), lambda s, n: (s["step"] == 0).astype(np.float64)),
    "zc": _over("crossings", parameter="threshold"),
    "ssc": _over("turns", parameter="threshold"),
    "wamp": _over("jumps", parameter="threshold"),
    "myop": _over("above", lambda n: n, "threshold"),
    "log": FromSums(("log",), lambda s, n: np.exp(s["log"] / n), {"log": "floor"}),
    "ld": FromSums(
        ("log-offset",), lambda s, n: np.exp(s["log-offset"] / n), {"log-offset": "offset"}
    ),
    "msr": FromSums(("root+", "root-"), lambda s, n: np.hypot(s["root+"] / n, s["root-"] / n)),
    "tm3": FromSums(("cube",), lambda s, n: np.abs(s["cube"]) / n),
    "tm4": _over("fourth", lambda n: n),
    "tm5": FromSums(("fifth",), lambda s, n: np.abs(s["fifth"]) / n),
    "tkeo": _over("energy", lambda n: n - 2),
    "tkeo-abs": _over("energy-size", lambda n: n - 2),
    **{name: _descriptor(k) for k, name in enumerate(DESCRIPTORS)},
}


def divisors_of(specs: Sequence[FeatureSpec], n_samples: int) -> Values | None:
    """Return what each feature's sum is divided by, if that is all there is to each of them."""
    recipes = [FROM_SUMS.get(spec.name) for spec in specs]
    found = [r.divisor(n_samples) for r in recipes if r is not None and r.divisor is not None]
    needed = {name for r in recipes if r is not None for name in r.needs}
    alone = len(found) == len(recipes) == len(needed)
    return np.array(found, dtype=np.float64) if alone else None


def finish_moments(found: Mapping[str, Values], name: str) -> Values:
    """Return a feature that follows from the moments of a window."""
    m2, m3, m4 = found["m2"], found["m3"], found["m4"]
    step, bend = found["step-variance"], found["bend-variance"]
    ways: dict[str, Callable[[], Values]] = {
        "kurt": lambda: ratio(m4, m2 * m2),
        "skew": lambda: ratio(m3, m2**1.5),
        "hjorth-activity": lambda: m2,
        "hjorth-mobility": lambda: np.sqrt(ratio(step, m2)),
        "hjorth-complexity": lambda: np.sqrt(ratio(bend * m2, step * step)),
        "peak": lambda: np.maximum(np.abs(found["largest"]), np.abs(found["smallest"])),
        "ptp": lambda: found["largest"] - found["smallest"],
    }
    return ways[name]()
