"""Motor-unit action potentials at surface electrodes: the sum over each unit's fibres.

One table of the conductor serves all fibres and electrodes; a fibre then costs one look-up and one
step of a recursion per electrode and sample.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numba import njit
from numpy.typing import NDArray
from scipy.signal import firwin

from myograph.core.checks import check_positive
from myograph.core.errors import DataError, FormatError
from myograph.twin.conductor import Conductor, PotentialTable, Reach, depth_nodes_mm
from myograph.twin.electrode import SurfaceElectrodes
from myograph.twin.fibre import Fibres
from myograph.twin.muscle import Muscle
from myograph.twin.source import INTRACELLULAR_S_M, ActionPotential, respond, silent_after_ms

__all__ = ["MuapLibrary", "muap_library"]

Floats = NDArray[np.float64]

# Potentials are computed at this rate or above and then brought down: below it the extinction at
# the tendons, which no tissue smooths in time, would alias.
_INNER_RATE_HZ = 8000.0
# Taps of the low-pass filter per unit of the rate's reduction, one side.
_TAPS = 8
_FORMAT = "myograph-muaps-1"


@dataclass(frozen=True, slots=True, eq=False)
class MuapLibrary:
    """What each unit's discharge adds to each channel.

    Parameters
    ----------
    values : ndarray of float32, shape (n_units, n_channels, n_samples)
        µV.
    fs_hz : float
    onset_sample : int
        Sample at which the unit discharges; what lies before is the filter's.
    digest : str
        Identifies everything it was computed from.
    """

    values: NDArray[np.float32]
    fs_hz: float
    onset_sample: int
    digest: str = ""

    def __post_init__(self) -> None:
        check_positive(self.fs_hz, name="fs_hz")
        if self.values.ndim != 3 or not np.isfinite(self.values).all():
            raise DataError(
                "MUAPs must be finite, of shape (n_units, n_channels, n_samples); "
                f"got shape {self.values.shape}."
            )
        if not 0 <= self.onset_sample < self.values.shape[2]:
            raise DataError(
                f"onset_sample={self.onset_sample} lies outside {self.values.shape[2]} samples."
            )
        self.values.flags.writeable = False

    @property
    def n_units(self) -> int:
        """Number of units."""
        return self.values.shape[0]

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.values.shape[1]


def muap_library(
    muscle: Muscle,
    electrodes: SurfaceElectrodes,
    conductor: Conductor,
    *,
    fs_hz: float,
    action: ActionPotential | None = None,
    options: LibraryOptions | None = None,
) -> MuapLibrary:
    """Compute the potentials of all units of a muscle at surface electrodes.

    Parameters
    ----------
    muscle : Muscle
        Denervated fibres are silent.
    electrodes : SurfaceElectrodes
    conductor : Conductor
    fs_hz : float
        Sampling rate of the library.
    action : ActionPotential, optional
    options : LibraryOptions, optional
        Where to keep computed libraries, and how many threads to use.

    Returns
    -------
    MuapLibrary
    """
    check_positive(fs_hz, name="fs_hz")
    shape, chosen = action or ActionPotential(), options or LibraryOptions()
    digest = _digest(muscle, electrodes, conductor, fs_hz, shape)
    kept = None if chosen.cache is None else Path(chosen.cache) / f"muaps-{digest[:32]}.npz"
    if kept is not None and kept.exists():
        return _load(kept, digest)
    library = _compute(muscle, electrodes, conductor, _Rate(fs_hz, digest), shape, chosen.jobs)
    if kept is not None:
        _save(kept, library)
    return library


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryOptions:
    """How a library is computed; nothing here changes a number in it.

    Parameters
    ----------
    cache : path, optional
        Folder where libraries are kept under the digest of what they were computed from.
    jobs : int
        Threads, as joblib counts them.
    """

    cache: str | os.PathLike[str] | None = None
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class _Rate:
    fs_hz: float
    digest: str

    @property
    def finer(self) -> int:
        return max(int(np.ceil(_INNER_RATE_HZ / self.fs_hz)), 1)


def _compute(
    muscle: Muscle,
    electrodes: SurfaceElectrodes,
    conductor: Conductor,
    rate: _Rate,
    action: ActionPotential,
    jobs: int,
) -> MuapLibrary:
    fibres = muscle.fibres.keep(muscle.fibres.innervated & (muscle.fibres.unit >= 0))
    n_units, inner_hz = muscle.pool.n_units, rate.fs_hz * rate.finer
    n = int(np.ceil(silent_after_ms(fibres, action) / 1000 * inner_hz)) + 2
    out = np.zeros((electrodes.n_electrodes, n_units, n))
    if len(fibres):
        depth, along_skin = conductor.locate(
            fibres.x_mm, fibres.y_mm, surface_y_mm=_surface_y_mm(muscle)
        )
        table = _table(electrodes, conductor, (fibres, depth, along_skin))
        columns = _columns(fibres, np.maximum(depth, table.depth_mm[0]), along_skin, action)
        # All write into one array: threads, whatever carries out the work around this.
        Parallel(n_jobs=jobs, require="sharedmem")(
            delayed(_add_fibres)(
                columns,
                (electrodes.x_mm[e], electrodes.z_mm[e], 1000 / inner_hz),
                (table.depth_mm, table.step_x_mm, table.step_z_mm, table.values),
                out[e],
            )
            for e in range(electrodes.n_electrodes)
        )
    values, onset = _reduced(out.transpose(1, 0, 2), rate.finer)
    if electrodes.weights is not None:
        values = np.einsum("ce,uen->ucn", electrodes.weights, values)
    return MuapLibrary(
        np.ascontiguousarray(1000 * values, np.float32), rate.fs_hz, onset, rate.digest
    )


def _surface_y_mm(muscle: Muscle) -> float:
    """Return y of the top of all muscle tissue, which begins the fat."""
    return muscle.geometry.surface_y_mm + muscle.geometry.depth_mm


def _table(
    electrodes: SurfaceElectrodes,
    conductor: Conductor,
    placed: tuple[Fibres, Floats, Floats],
) -> PotentialTable:
    fibres, depth, along_skin = placed
    reach = Reach(
        _farthest(along_skin, along_skin, electrodes.x_mm),
        _farthest(fibres.left_mm, fibres.right_mm, electrodes.z_mm),
    )
    nodes = depth_nodes_mm(depth, cover_mm=conductor.cover_mm)
    return conductor.table(nodes, reach, radius_mm=electrodes.radius_mm)


def _farthest(low: Floats, high: Floats, electrode: Floats) -> float:
    return float(max(high.max() - electrode.min(), electrode.max() - low.min(), 0.0))


def _columns(
    fibres: Fibres, depth: Floats, along_skin: Floats, action: ActionPotential
) -> tuple[NDArray[Any], ...]:
    """Return what the kernel needs of each fibre, in its order."""
    strength = INTRACELLULAR_S_M * fibres.area_mm2 * action.amplitude_mv / action.length_mm
    lengths = np.full(len(fibres), action.length_mm)
    return (
        fibres.unit, depth, along_skin, fibres.left_mm, fibres.endplate_mm, fibres.right_mm,
        fibres.velocity_m_s, fibres.terminal_delay_ms, strength, lengths,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _add_fibres(columns, electrode, table, out):  # type: ignore[no-untyped-def]
    unit, depth, x, left, endplate, right, velocity, delay, strength, length = columns
    x_e, z_e, dt = electrode
    depths, step_x, step_z, values = table
    n_x, n_z, n = values.shape[1], values.shape[2], out.shape[1]
    line, potential = np.empty(n_z), np.empty(n)
    for f in range(len(unit)):
        d = min(max(np.searchsorted(depths, depth[f]) - 1, 0), len(depths) - 2)
        a = min(max((depth[f] - depths[d]) / (depths[d + 1] - depths[d]), 0.0), 1.0)
        place = min(abs(x[f] - x_e) / step_x, n_x - 1.001)
        i = int(place)
        b = place - i
        for j in range(n_z):
            line[j] = (1 - a) * ((1 - b) * values[d, i, j] + b * values[d, i + 1, j]) + a * (
                (1 - b) * values[d + 1, i, j] + b * values[d + 1, i + 1, j]
            )
        from_right, from_left = right[f] - endplate[f], endplate[f] - left[f]
        z_0 = endplate[f] - z_e
        for k in range(n):
            u = max(velocity[f] * (k * dt - delay[f]), 0.0)
            potential[k] = _look_up(line, abs(z_0 + min(u, from_right)) / step_z) + _look_up(
                line, abs(z_0 - min(u, from_left)) / step_z
            )
        respond(potential, velocity[f] * dt / length[f], strength[f], out[unit[f]], n)


@njit(inline="always")
def _look_up(line, place):  # type: ignore[no-untyped-def]
    j = min(int(place), len(line) - 2)
    return line[j] + (place - j) * (line[j + 1] - line[j])


def _reduced(values: Floats, finer: int) -> tuple[Floats, int]:
    """Low-pass and keep every ``finer``-th sample; also return where the discharge is now."""
    if finer == 1:
        return values, 0
    taps = firwin(2 * _TAPS * finer + 1, 0.9 / finer)
    n = values.shape[2]
    padded = np.zeros((*values.shape[:2], n + 2 * _TAPS * finer))
    padded[:, :, :n] = values
    size = padded.shape[2] + len(taps) - 1
    spectrum = np.fft.rfft(padded, size, axis=2) * np.fft.rfft(taps, size)
    return np.fft.irfft(spectrum, size, axis=2)[:, :, : padded.shape[2] : finer], _TAPS


def _digest(
    muscle: Muscle,
    electrodes: SurfaceElectrodes,
    conductor: Conductor,
    fs_hz: float,
    action: ActionPotential,
) -> str:
    fibres = muscle.fibres
    described = {
        "conductor": [type(conductor).__name__, repr(conductor)],
        "fs_hz": fs_hz,
        "action": asdict(action),
        "radius_mm": electrodes.radius_mm,
        "n_units": muscle.pool.n_units,
        "surface_y_mm": _surface_y_mm(muscle),
        "format": _FORMAT,
    }
    found = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    weights = np.empty(0) if electrodes.weights is None else electrodes.weights
    arrays = (
        electrodes.x_mm, electrodes.z_mm, weights, fibres.unit, fibres.x_mm, fibres.y_mm,
        fibres.diameter_um, fibres.endplate_mm, fibres.left_mm, fibres.right_mm,
        fibres.velocity_m_s, fibres.innervated, fibres.terminal_delay_ms,
    )  # fmt: skip
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _save(path: Path, library: MuapLibrary) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("wb") as handle:
        np.savez(
            handle,
            allow_pickle=False,
            values=library.values,
            fs_hz=library.fs_hz,
            onset_sample=library.onset_sample,
            digest=library.digest,
        )
    part.replace(path)


def _load(path: Path, digest: str) -> MuapLibrary:
    with np.load(path, allow_pickle=False) as data:
        if str(data["digest"]) != digest:
            raise FormatError(
                f"{path} holds MUAPs of another simulation than its name says; delete it."
            )
        return MuapLibrary(data["values"], float(data["fs_hz"]), int(data["onset_sample"]), digest)
