"""What a feature is: a pure function of windows plus a declaration that can be tested."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_positive, unknown_name
from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.recipe import canonical_json
from myograph.core.registry import Registry
from myograph.core.windows import Windows

__all__ = [
    "FEATURES",
    "SETS",
    "Feature",
    "FeatureSpec",
    "compute",
    "feature",
    "parse_features",
]

Values = NDArray[np.float64]
FeatureFunction = Callable[..., Values]


@dataclass(frozen=True)
class Feature:
    """A registered feature.

    Parameters
    ----------
    name : str
        Short name, the end of its columns: ``channel.name``.
    function : callable
        ``function(windows, fs_hz, **parameters)``: windows of shape (n_windows, n_channels,
        n_samples) to values of shape (n_windows, n_channels) or (n_windows, n_channels, k); for
        features across channels ``len(places(n_channels))`` stands for ``n_channels``.
    unit : str
        ``"signal"`` for the unit of the channel, ``"signal^2"`` for its square, or a unit.
    amplitude_power : float or None
        p in ``f(c x) = c^p f(x) + q ln c`` for every c > 0; None where no such law holds, and the
        value depends on the unit of the channel in another way.
    reference : str
        Key in ``references.bib``.
    parameters : mapping of str to value
        Declared parameters with their defaults.
    in_signal_units : tuple of str
        Parameters that are amplitudes, in the unit of the channel: the scaling law holds when
        they scale along.
    amplitude_log : float
        q of the law above; 0 for all but logarithms of an amplitude.
    min_samples : int
        The shortest window it can be measured on.
    channel_units : tuple of str
        Units of the channels it means something on; empty for all.
    check : callable, optional
        ``check(parameters, n_samples=..., fs_hz=...)`` refuses what cannot be measured, before
        anything is.
    across : {"", "pairs", "matrix"}
        Whether the feature is measured on single channels, on every two of them, or on every two
        and each with itself. The second axis of the values is then that of `places`, and the
        columns are ``channelA~channelB.name``.
    per_channel : tuple of str
        Parameters that may hold one value for each channel and go along when channels change
        places.
    """

    name: str
    function: FeatureFunction
    unit: str
    amplitude_power: float | None
    reference: str
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    in_signal_units: tuple[str, ...] = ()
    amplitude_log: float = 0.0
    min_samples: int = 2
    channel_units: tuple[str, ...] = ()
    check: Callable[..., None] | None = None
    across: str = ""
    per_channel: tuple[str, ...] = ()

    def places(self, n_channels: int) -> list[tuple[int, ...]]:
        """Return the channels that each row of the second axis of the values is about.

        Examples
        --------
        >>> FEATURES["correlation"].places(3), FEATURES["mav"].places(2)
        ([(0, 1), (0, 2), (1, 2)], [(0,), (1,)])
        """
        if not self.across:
            return [(channel,) for channel in range(n_channels)]
        rows, columns = np.triu_indices(n_channels, k=1 if self.across == "pairs" else 0)
        return [
            (a, b) if a != b else (a,) for a, b in zip(rows.tolist(), columns.tolist(), strict=True)
        ]

    def refuse(self, parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
        """Raise where windows of ``n_samples`` at this rate cannot be measured like this."""
        if n_samples < self.min_samples:
            raise DataError(
                f"Feature {self.name!r} needs windows of at least {self.min_samples} samples; "
                f"these have {n_samples} ({1000 * n_samples / fs_hz:g} ms at {fs_hz:g} Hz). "
                "Lengthen the windows or leave the feature out."
            )
        if self.check is not None:
            self.check(parameters, n_samples=n_samples, fs_hz=fs_hz)

    def refuse_unit(self, channel: str, unit: str) -> None:
        """Raise where the feature means nothing on a channel in ``unit``."""
        if self.channel_units and unit not in self.channel_units:
            raise LayoutError(
                f"Feature {self.name!r} is defined on channels in {' or '.join(self.channel_units)}"
                f"; channel {channel!r} is in {unit!r}. Calibrate the recording, or select other "
                "channels or features."
            )

    def complete(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``parameters`` with the defaults filled in; refuse undeclared ones."""
        for name in parameters:
            if name not in self.parameters:
                raise ParameterError(
                    unknown_name(name, self.parameters, what=f"parameter of feature {self.name!r}")
                )
        return {**self.parameters, **parameters}

    def unit_for(self, channel_unit: str) -> str:
        """Return the unit of the feature on a channel in ``channel_unit``."""
        if channel_unit == "1":  # a fraction: what is left of "signal^2 Hz" is Hz
            return (
                re.sub(r"(log10|ln)\(signal(\^[\d.]+)?\)|signal(\^[\d.]+)?", "", self.unit).strip()
                or "1"
            )
        return self.unit.replace("signal", channel_unit)

    def compute(self, values: ArrayLike, fs_hz: float, **parameters: Any) -> Values:
        """Measure windows; see `compute`."""
        windows = check_windows(values)
        rate = check_positive(fs_hz, name="fs_hz")
        complete = self.complete(parameters)
        self.refuse(complete, n_samples=windows.shape[2], fs_hz=rate)
        return self.function(windows, rate, **complete)


#: Every feature by name.
FEATURES: Registry[Feature] = Registry("feature")

#: Feature sets by name: what ``--features NAME`` and configurations may say for short. A module
#: of features adds its own; see `myograph.features.sets`.
SETS: Registry[tuple[str, ...]] = Registry("feature set")

F = TypeVar("F", bound=FeatureFunction)


def feature(
    name: str,
    *,
    unit: str,
    amplitude_power: float | None,
    reference: str,
    parameters: Mapping[str, Any] | None = None,
    **more: Any,
) -> Callable[[F], F]:
    """Decorate a pure function to declare and register it as a feature; see `Feature`.

    ``more`` are the other fields of `Feature`. The function itself stays as it is.
    """

    def declare(function: F) -> F:
        declared = MappingProxyType(dict(parameters or {}))
        entry = Feature(name, function, unit, amplitude_power, reference, declared, **more)
        FEATURES.add(name, entry)
        return function

    return declare


def compute(name: str, values: ArrayLike | Windows, *, fs_hz: float, **parameters: Any) -> Values:
    """Measure one feature on windows.

    Parameters
    ----------
    name : str
        One of `FEATURES`.
    values : array, shape (n_windows, n_channels, n_samples), or Windows
        In the unit of each channel.
    fs_hz : float
        Samples per second.
    **parameters
        The feature's declared parameters; thresholds are in the unit of the channel.

    Returns
    -------
    ndarray of float64, shape (n_windows, n_channels) or (n_windows, n_channels, k)

    Raises
    ------
    ParameterError
        If the feature or a parameter is unknown or breaks its rule.
    DataError
        If the windows are not 3-D, are too short or hold NaN or infinity.

    Examples
    --------
    >>> compute("mav", [[[1.0, -3.0, 2.0, -2.0]]], fs_hz=1000)
    array([[2.]])
    """
    array = values.values if isinstance(values, Windows) else values
    return FEATURES[name].compute(array, fs_hz, **parameters)


def check_windows(values: ArrayLike) -> NDArray[np.floating]:
    """Return ``values`` as finite floats of shape (n_windows, n_channels, n_samples >= 2)."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise DataError(f"Windows must be real numbers; got an array of {array.dtype}.")
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    if array.ndim != 3 or array.shape[2] < 2:
        raise DataError(
            "Windows must be 3-D (n_windows, n_channels, n_samples) with at least 2 samples; "
            f"got shape {array.shape}. One window has shape (1, n_channels, n_samples)."
        )
    if not np.isfinite(array).all():
        raise DataError("Windows must be finite; repair NaN and infinite samples, or drop them.")
    return array


@dataclass(frozen=True)
class FeatureSpec:
    """A feature with the parameters it is to be computed with.

    Parameters
    ----------
    name : str
        One of `FEATURES`.
    parameters : mapping
        Declared parameters; those left out take their defaults, and are stated from then on.

    Examples
    --------
    >>> FeatureSpec("zc").to_dict()
    {'feature': 'zc', 'threshold': 0.0}
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        complete = FEATURES[self.name].complete(self.parameters)
        # A list that went through JSON is the tuple it was.
        complete = {k: tuple(v) if isinstance(v, list) else v for k, v in complete.items()}
        object.__setattr__(self, "parameters", MappingProxyType(complete))
        # Looked up many times for every window of a stream.
        object.__setattr__(self, "_hash", hash((self.name, canonical_json(complete))))

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as plain data, every parameter stated."""
        return {"feature": self.name, **self.parameters}

    def __hash__(self) -> int:
        """Hash by name and parameters."""
        found: int = self.__dict__["_hash"]
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        # A read-only mapping does not travel to another process; its content does.
        return FeatureSpec, (self.name, dict(self.parameters))


def parse_features(definitions: Sequence[str | Mapping[str, Any]]) -> tuple[FeatureSpec, ...]:
    """Read features as a configuration gives them.

    Parameters
    ----------
    definitions : sequence of str or mapping
        Names of features or of `SETS`, or ``{"feature": name, **parameters}``. Parameters given
        to a set go to the members that declare them.

    Returns
    -------
    tuple of FeatureSpec
        Each feature once, in the order of first mention.

    Raises
    ------
    ParameterError
        If a name or parameter is unknown, or a feature is asked for twice with different
        parameters.

    Examples
    --------
    >>> [s.name for s in parse_features(["hudgins", {"feature": "wamp", "threshold": 5.0}])]
    ['mav', 'zc', 'ssc', 'wl', 'wamp']
    """
    if isinstance(definitions, str | Mapping):
        definitions = [definitions]
    found: dict[str, FeatureSpec] = {}
    for definition in definitions:
        for spec in _specs(definition):
            known = found.setdefault(spec.name, spec)
            if known != spec:
                raise ParameterError(
                    f"Feature {spec.name!r} is asked for twice, with {dict(known.parameters)} and "
                    f"with {dict(spec.parameters)}; its columns would have one name. Keep one."
                )
    if not found:
        raise ParameterError(f"At least one feature is needed; {_known()}.")
    return tuple(found.values())


def _specs(definition: str | Mapping[str, Any]) -> list[FeatureSpec]:
    given: dict[str, Any] = {}
    if isinstance(definition, str):
        given = {"feature": definition}
    elif isinstance(definition, Mapping):
        given = dict(definition)
    if not isinstance(given.get("feature"), str):
        raise ParameterError(
            f"A feature definition needs the key 'feature' with a name; got {definition!r}."
        )
    name = given.pop("feature")
    if name in FEATURES:
        return [FeatureSpec(name, given)]
    if name not in SETS:
        raise ParameterError(unknown_name(name, [*FEATURES, *SETS], what="feature or set"))
    members = [FEATURES[member] for member in SETS[name]]
    declared = {parameter for member in members for parameter in member.parameters}
    for parameter in given:
        if parameter not in declared:
            raise ParameterError(
                unknown_name(parameter, declared, what=f"parameter of feature set {name!r}")
            )
    return [
        FeatureSpec(member.name, {k: v for k, v in given.items() if k in member.parameters})
        for member in members
    ]


def _known() -> str:
    return f"known are {sorted(FEATURES)} and the sets {sorted(SETS)}"
