"""Feature sets by name, from the literature; loaded last, when every feature is registered."""

from __future__ import annotations

from myograph.features.base import FEATURES, SETS
from myograph.features.tdpsd import DESCRIPTORS

__all__: list[str] = []

_TIME = ("mav", "rms", "wl", "zc", "ssc", "wamp", "var")

#: Name to members, in the order of their columns.
_SETS: dict[str, tuple[str, ...]] = {
    # hudgins1993
    "hudgins": ("mav", "zc", "ssc", "wl"),
    "td": _TIME,
    "spectral": ("mnf", "mdf"),
    "td-spectral": (*_TIME, "mnf", "mdf"),
    # phinyomark2018: low sampling rates
    "ls4": ("ls", "mfl", "msr", "wamp"),
    "ls9": ("ls", "mfl", "msr", "wamp", "zc", "rms", "iemg", "dasdv", "var"),
    # altimemy2016
    "tdpsd": DESCRIPTORS,
    # englehart2003: Hudgins' set and an autoregressive model
    "tdar": ("mav", "zc", "ssc", "wl", "ar"),
    # du2010
    "du": ("iemg", "var", "wl", "zc", "ssc", "wamp"),
    # phinyomark2012: the four that its reduction keeps
    "phinyomark": ("mav", "wl", "wamp", "ar"),
    # What TSFEL measures that is of use on EMG, in Myograph's definitions
    "tsfel-emg": (
        "rms", "ptp", "aac", "wl", "zc", "ssc", "skew", "kurt", "hist", "cepstrum",
        "mnf", "mdf", "pkf", "vcf", "spen", "ttp",
    ),
    # rosso2001, coifman1992
    "wavelet": ("wavelet-energy", "wavelet-entropy", "packet-energy", "packet-entropy"),
    # When which frequencies are there
    "time-frequency": ("stft", "cwt-power", "imnf", "imdf", "hht-power", "hht-mnf"),
    # Between channels
    "spatial": ("correlation", "phasor-rms", "phasor-wl", "covariance"),
    # barachant2012
    "tangent": ("log-covariance",),
    "interference": (
        "ip-turns", "ip-amplitude", "ip-ratio", "ip-activity", "ip-small-segments", "ip-uca",
    ),
}  # fmt: skip

for _name, _members in _SETS.items():
    SETS.add(_name, _members)

# Features that transform a window many times over, and take too long for many channels live.
_LONG = (
    "cwt-power", "imnf", "imdf", "hht-power", "hht-mnf", "scattering", "scattering-shape",
)  # fmt: skip

# Complexity: they compare every sample, or every stretch of samples, with every other.
_COMPLEXITY = ("myograph.features.complexity", "myograph.features.fractal")

_ALL = tuple(
    name for name, entry in FEATURES.items() if not entry.channel_units and not entry.across
)

#: Everything that means something on any channel, in the order of registration.
SETS.add("all", _ALL)
_SIMPLE = tuple(n for n in _ALL if FEATURES[n].function.__module__ not in _COMPLEXITY)

#: The same without the features of complexity.
SETS.add("all-but-complexity", _SIMPLE)
#: The same without those that take long either: for many channels live.
SETS.add("quick", tuple(name for name in _SIMPLE if name not in _LONG))
