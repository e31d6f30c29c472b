"""Surface electrodes: where they lie on the skin, how large they are, what the skin lets through.

The frame is the muscle's: z along the fibres from the proximal tendon, and ``x`` measured along the
skin from the line above the muscle's centre (an arc on a limb, a straight line on a plane).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import j1

from myograph.core.checks import check_count, check_non_negative, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import Channel, Layout

__all__ = ["Contact", "SurfaceElectrodes", "disc_transfer"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceElectrodes:
    """Equal disc electrodes on the skin, and the channels made from them.

    Parameters
    ----------
    x_mm, z_mm : ndarray, shape (n_electrodes,)
        Centres: along the skin across the fibres, and along the fibres.
    radius_mm : float
        Radius of each disc; 0 for points. A disc takes the mean of the potential below it.
    weights : ndarray, shape (n_channels, n_electrodes), optional
        Channel = weights x electrode potentials; every electrode is a channel when not given.

    Examples
    --------
    >>> grid = SurfaceElectrodes.grid(8, 8, spacing_mm=4.0, center_z_mm=40.0, radius_mm=1.0)
    >>> grid.n_channels, float(grid.z_mm.min()), float(grid.x_mm.max())
    (64, 26.0, 14.0)
    """

    x_mm: Floats
    z_mm: Floats
    radius_mm: float = 0.0
    weights: Floats | None = None

    def __post_init__(self) -> None:
        check_non_negative(self.radius_mm, name="radius_mm")
        for name in ("x_mm", "z_mm"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))
        if self.x_mm.ndim != 1 or self.x_mm.shape != self.z_mm.shape or not self.x_mm.size:
            raise DataError(
                "x_mm and z_mm must be equally long and not empty; got shapes "
                f"{self.x_mm.shape} and {self.z_mm.shape}."
            )
        if self.weights is not None:
            object.__setattr__(self, "weights", _frozen(self.weights))
            if self.weights.ndim != 2 or self.weights.shape[1] != self.x_mm.size:
                raise DataError(
                    f"weights must have shape (n_channels, {self.x_mm.size}); "
                    f"got {self.weights.shape}."
                )

    @classmethod
    def grid(
        cls,
        rows: int,
        columns: int,
        *,
        spacing_mm: float,
        center_z_mm: float,
        center_x_mm: float = 0.0,
        radius_mm: float = 0.5,
    ) -> SurfaceElectrodes:
        """Build a grid of monopolar channels, row by row: rows along the fibres."""
        along = _centred(check_count(rows, name="rows"), spacing_mm) + center_z_mm
        across = _centred(check_count(columns, name="columns"), spacing_mm) + center_x_mm
        z, x = np.meshgrid(along, across, indexing="ij")
        return cls(x.ravel(), z.ravel(), radius_mm)

    @classmethod
    def linear(
        cls, n: int, *, spacing_mm: float, center_z_mm: float, radius_mm: float = 0.5
    ) -> SurfaceElectrodes:
        """Build a row of ``n`` monopolar channels along the fibres."""
        return cls.grid(n, 1, spacing_mm=spacing_mm, center_z_mm=center_z_mm, radius_mm=radius_mm)

    @classmethod
    def bipolar(
        cls,
        x_mm: ArrayLike = 0.0,
        *,
        center_z_mm: float,
        spacing_mm: float = 20.0,
        radius_mm: float = 5.0,
    ) -> SurfaceElectrodes:
        """Build bipolar channels along the fibres, one at each ``x_mm`` (hermens2000: 20 mm)."""
        x = np.repeat(np.atleast_1d(np.asarray(x_mm, float)), 2)
        z = center_z_mm + np.tile([0.5, -0.5], len(x) // 2) * check_positive(
            spacing_mm, name="spacing_mm"
        )
        pairs = np.kron(np.eye(len(x) // 2), [[1.0, -1.0]])
        return cls(x, z, radius_mm, np.asarray(pairs, np.float64))

    @property
    def n_electrodes(self) -> int:
        """Count the electrodes."""
        return int(self.x_mm.size)

    @property
    def n_channels(self) -> int:
        """Count the channels."""
        return self.n_electrodes if self.weights is None else len(self.weights)

    def shifted(self, *, x_mm: float = 0.0, z_mm: float = 0.0) -> SurfaceElectrodes:
        """Return the electrodes after a shift along the skin."""
        return replace(self, x_mm=self.x_mm + x_mm, z_mm=self.z_mm + z_mm)

    def rotated(self, degrees: float) -> SurfaceElectrodes:
        """Return the electrodes turned about their common centre; z turns towards x."""
        angle = np.deg2rad(degrees)
        x0, z0 = self.x_mm.mean(), self.z_mm.mean()
        x, z = self.x_mm - x0, self.z_mm - z0
        return replace(
            self,
            x_mm=x0 + x * np.cos(angle) + z * np.sin(angle),
            z_mm=z0 - x * np.sin(angle) + z * np.cos(angle),
        )

    def layout(self, fs_hz: float, *, muscle: str = "", prefix: str = "emg") -> Layout:
        """Describe the channels.

        A channel's position is the centre of what it touches, in the frame of `Channel`: along the
        fibres first, then across.
        """
        touches = np.eye(self.n_electrodes) if self.weights is None else np.abs(self.weights)
        share = touches / touches.sum(axis=1, keepdims=True)
        kind = "semg" if self.weights is not None else "hdemg"
        channels = tuple(
            Channel(f"{prefix}{i + 1}", kind=kind, muscle=muscle, position_mm=(z, x, 0.0))
            for i, (x, z) in enumerate(
                zip((share @ self.x_mm).tolist(), (share @ self.z_mm).tolist(), strict=True)
            )
        )
        return Layout(fs_hz, channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What lies between skin and amplifier: a resistor beside a capacitor (merletti2019).

    With the amplifier's input it divides the potential, the more so the worse the contact; unequal
    contacts turn what is common to two electrodes, mains above all, into a difference.

    Parameters
    ----------
    resistance_kohm, capacitance_nf : float
        Of the contact: 5 to 50 kilo-ohm on prepared skin, to 1000 dry.
    series_kohm : float
        Of gel and deeper skin.
    input_mohm, input_pf : float
        Of the amplifier with its cable.

    Examples
    --------
    >>> good, bad = Contact(resistance_kohm=10), Contact(resistance_kohm=2000, input_mohm=10)
    >>> [round(float(abs(c.response(50.0))), 3) for c in (good, bad)]
    [1.0, 0.99]
    """

    resistance_kohm: float = 50.0
    capacitance_nf: float = 10.0
    series_kohm: float = 1.0
    input_mohm: float = 100.0
    input_pf: float = 50.0

    def __post_init__(self) -> None:
        for name in ("resistance_kohm", "input_mohm"):
            check_positive(getattr(self, name), name=name)
        for name in ("capacitance_nf", "series_kohm", "input_pf"):
            check_non_negative(getattr(self, name), name=name)

    def response(self, frequency_hz: ArrayLike) -> NDArray[np.complex128]:
        """Share of the skin's potential that reaches the amplifier, complex, per frequency."""
        s = 2j * np.pi * np.asarray(frequency_hz, float)
        contact = 1e3 * self.series_kohm + _parallel(
            1e3 * self.resistance_kohm, 1e-9 * self.capacitance_nf, s
        )
        amplifier = _parallel(1e6 * self.input_mohm, 1e-12 * self.input_pf, s)
        return np.asarray(amplifier / (amplifier + contact), np.complex128)

    @staticmethod
    def apply(samples: ArrayLike, contacts: Sequence[Contact], *, fs_hz: float) -> Floats:
        """Pass each electrode's potential through its contact.

        Parameters
        ----------
        samples : array_like, shape (n_electrodes, n_samples)
        contacts : sequence of Contact
            One per electrode.
        fs_hz : float

        Returns
        -------
        ndarray, shape (n_electrodes, n_samples)
        """
        values = np.asarray(samples, float)
        if len(contacts) != len(values):
            raise ParameterError(
                f"contacts must be one per electrode ({len(values)}); got {len(contacts)}."
            )
        n = values.shape[1]
        frequency = np.fft.rfftfreq(n, 1 / fs_hz)
        response = np.stack([contact.response(frequency) for contact in contacts])
        return np.fft.irfft(np.fft.rfft(values, axis=1) * response, n, axis=1)


def disc_transfer(k_per_mm: ArrayLike, radius_mm: float) -> Floats:
    """Transfer function of a disc, ``2 J1(k r) / (k r)`` (farina2001).

    Examples
    --------
    >>> disc_transfer([0.0, 3.8317], 1.0).round(4).tolist()
    [1.0, 0.0]
    """
    argument = np.asarray(k_per_mm, float) * radius_mm
    safe = np.where(argument == 0, 1.0, argument)
    return np.where(argument == 0, 1.0, 2 * j1(safe) / safe)


def _parallel(ohm: float, farad: float, s: NDArray[np.complex128]) -> NDArray[np.complex128]:
    return np.asarray(ohm / (1 + s * ohm * farad), np.complex128)


def _centred(n: int, spacing_mm: float) -> Floats:
    step = check_positive(spacing_mm, name="spacing_mm")
    return np.asarray((np.arange(n) - (n - 1) / 2) * step, np.float64)


def _frozen(values: ArrayLike) -> Floats:
    array = np.array(values, np.float64)
    if not np.isfinite(array).all():
        raise DataError("Electrode positions and weights must be finite numbers.")
    array.flags.writeable = False
    return array
