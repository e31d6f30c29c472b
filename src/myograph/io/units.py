"""Units as files word them, and the factor to the one in which Myograph holds the quantity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from myograph.core.errors import DataError
from myograph.core.layout import KIND_UNITS

__all__ = ["COUNT_WORDS", "canonical_unit", "conversion", "kinds_in"]

_STANDARD_GRAVITY = 9.80665  # m/s^2, exact by definition (CGPM 1901)
_POUND_FORCE = 4.4482216152605  # N, exact by definition

#: Word -> (unit that Myograph holds, factor to it). Letters' case matters: mV is not MV.
_FACTORS: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "V": ("uV", 1e6),
        "volt": ("uV", 1e6),
        "volts": ("uV", 1e6),
        "mV": ("uV", 1e3),
        "mv": ("uV", 1e3),
        "millivolt": ("uV", 1e3),
        "millivolts": ("uV", 1e3),
        "uV": ("uV", 1.0),
        "uv": ("uV", 1.0),
        "UV": ("uV", 1.0),
        "microvolt": ("uV", 1.0),
        "microvolts": ("uV", 1.0),
        "nV": ("uV", 1e-3),
        "nv": ("uV", 1e-3),
        "nanovolt": ("uV", 1e-3),
        "g": ("g", 1.0),
        "G": ("g", 1.0),
        "mg": ("g", 1e-3),
        "mG": ("g", 1e-3),
        "m/s2": ("g", 1 / _STANDARD_GRAVITY),
        "deg/s": ("deg/s", 1.0),
        "dps": ("deg/s", 1.0),
        "mdps": ("deg/s", 1e-3),
        "rad/s": ("deg/s", 180 / math.pi),
        "deg": ("deg", 1.0),
        "degree": ("deg", 1.0),
        "degrees": ("deg", 1.0),
        "rad": ("deg", 180 / math.pi),
        "N": ("N", 1.0),
        "newton": ("N", 1.0),
        "mN": ("N", 1e-3),
        "kN": ("N", 1e3),
        "kgf": ("N", _STANDARD_GRAVITY),
        "kp": ("N", _STANDARD_GRAVITY),
        "gf": ("N", _STANDARD_GRAVITY * 1e-3),
        "lbf": ("N", _POUND_FORCE),
        "Nm": ("Nm", 1.0),
        "mNm": ("Nm", 1e-3),
        "Nmm": ("Nm", 1e-3),
        "kgfm": ("Nm", _STANDARD_GRAVITY),
        "1": ("1", 1.0),
        "boolean": ("1", 1.0),
        "bit": ("1", 1.0),
        "bits": ("1", 1.0),
        "n/a": ("1", 1.0),
        "NU": ("1", 1.0),
    }
)

#: Words for the device's own steps, whose size nobody states.
COUNT_WORDS = ("count", "counts", "adc", "digit", "digits", "raw", "lsb")

#: Words for a fraction of a reference value.
_NORMALISED: Mapping[str, float] = MappingProxyType(
    {"normalised": 1.0, "normalized": 1.0, "normal": 1.0, "%": 0.01, "percent": 0.01, "%mvc": 0.01}
)

# One spelling for the many of micro, degree, product and power.
_SPELLING = str.maketrans({"µ": "u", "μ": "u", "²": "2"} | dict.fromkeys("^·* "))


def canonical_unit(word: str) -> tuple[str, float] | None:
    """Return the unit in which Myograph holds a quantity given in ``word``, and the factor.

    ``"count"`` and ``"normalised"`` stand for the two scales that are not physical.

    Examples
    --------
    >>> canonical_unit("mV")
    ('uV', 1000.0)
    >>> canonical_unit("furlong") is None
    True
    """
    plain = word.strip().translate(_SPELLING).replace("°", "deg")
    plain = {"m/s/s": "m/s2", "ms-2": "m/s2", "N.m": "Nm", "N-m": "Nm"}.get(plain, plain)
    if plain.lower() in COUNT_WORDS:
        return "count", 1.0
    if plain.lower() in _NORMALISED:
        return "normalised", _NORMALISED[plain.lower()]
    return _FACTORS.get(plain) or _FACTORS.get(plain.lower() if len(plain) > 3 else plain)


def kinds_in(word: str) -> tuple[str, ...]:
    """Return the kinds of channel that are held in the unit called ``word``."""
    found = canonical_unit(word)
    return () if found is None else tuple(k for k, unit in KIND_UNITS.items() if unit == found[0])


def conversion(word: str, *, kind: str, where: str) -> tuple[str, float]:
    """Return the scale of a channel of ``kind`` stored in unit ``word``, and the factor.

    Parameters
    ----------
    word : str
        The unit as the file or the caller words it; empty when nobody said.
    kind : str
        What the channel measures; a dimensionless kind needs no word.
    where : str
        File and channel, for the message.

    Raises
    ------
    DataError
        If the unit is missing, unknown, or not one of the kind's.
    """
    expected = KIND_UNITS[kind]
    if not word.strip():
        if expected == "1":
            return "physical", 1.0
        raise DataError(
            f"{where}: nothing says in which unit this {kind} channel is stored; state it with the "
            f"option unit= (for example unit='{expected}', or unit='count' for a device's own "
            "steps of unknown size)."
        )
    found = canonical_unit(word)
    if found is None:
        raise DataError(
            f"{where}: unknown unit {word!r}; state the true one with the option unit= "
            f"(known: {', '.join(dict.fromkeys([*_FACTORS, 'count', 'normalised']))})."
        )
    unit, factor = found
    if unit in ("count", "normalised"):
        return unit, factor
    if unit != expected:
        raise DataError(
            f"{where}: a {kind} channel is held in {expected}, and {word!r} is not a unit of that; "
            "state the kind with the option kinds= or the unit with the option unit=."
        )
    return "physical", factor
