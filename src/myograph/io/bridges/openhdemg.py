"""openhdemg: a recording with its motor units as the dictionary ``emgfile``, and back.

openhdemg is not imported. The dictionary holds tables with one row per sample and numbered
columns; see the documentation of openhdemg for its keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_choice, check_positive
from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import MUSCLE_KINDS, Channel, Layout
from myograph.core.recording import Event, Recording
from myograph.io.bridges.passport import KEY, Passport, join
from myograph.io.header import Header
from myograph.io.units import conversion

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DISCHARGE", "from_openhdemg", "to_openhdemg"]

#: Source of the events that are discharges of a motor unit; their label is ``"unit 0"`` and so on.
DISCHARGE = "decomposition"

_UNIT = re.compile(r"unit (\d+)")

# What openhdemg calls a file that it can save again and that comes from none of its vendors.
_SOURCE = "CUSTOMCSV"

_KEYS = (
    *("SOURCE", "FILENAME", "RAW_SIGNAL", "REF_SIGNAL", "ACCURACY", "IPTS", "MUPULSES", "FSAMP"),
    *("IED", "EMG_LENGTH", "NUMBER_OF_MUS", "BINARY_MUS_FIRING", "EXTRAS"),
)


def to_openhdemg(
    recording: Recording,
    *,
    ied_mm: float | None = None,
    reference: str = "",
    sources: ArrayLike | None = None,
    accuracy: ArrayLike | None = None,
) -> dict[str, Any]:
    """Return the recording as openhdemg's ``emgfile``.

    Parameters
    ----------
    recording : Recording
        Its muscle channels become ``RAW_SIGNAL`` in millivolts, as OTBioLab+ exports them. Its
        discharge events (source `DISCHARGE`, label ``"unit 0"``, ...) become ``MUPULSES`` and
        ``BINARY_MUS_FIRING``.
    ied_mm : float, optional
        Inter-electrode distance; without it the nearest distance between positions is taken.
    reference : str
        Channel that becomes ``REF_SIGNAL``; by default the first force or torque channel. Values
        stay in its unit; openhdemg's own files hold percent of maximum there.
    sources : array_like, shape (n_units, n_samples), optional
        Decomposed sources, ``IPTS``.
    accuracy : array_like, shape (n_units,), optional
        One quality of each unit (such as SIL), ``ACCURACY``.

    Returns
    -------
    dict
        With openhdemg's keys. ``EXTRAS`` holds the remaining channels and, in the column
        ``myograph``, what else the recording knows.

    Raises
    ------
    LayoutError
        If there is no muscle channel, or no channel called ``reference``.
    ParameterError
        If the inter-electrode distance is not known, or ``sources`` do not fit.
    """
    import pandas as pd

    muscle = recording.select(kinds=MUSCLE_KINDS)
    pulses = _pulses(recording)
    n_units = len(pulses)
    ref_rows = _reference_rows(recording, reference)
    return {
        "SOURCE": _SOURCE,
        "FILENAME": recording.subject.pseudonym if recording.subject else KEY,
        "RAW_SIGNAL": pd.DataFrame(muscle.samples.T.astype(np.float64) * _millivolts(muscle)),
        "REF_SIGNAL": _table(recording.samples[list(ref_rows)].T.astype(np.float64), columns=1),
        "ACCURACY": _table(_per_unit(accuracy, n_units, "accuracy"), columns=1),
        "IPTS": _table(_per_sample(sources, n_units, recording.n_samples), columns=n_units),
        "MUPULSES": pulses,
        "FSAMP": float(recording.fs_hz),
        "IED": _spacing_mm(muscle.layout) if ied_mm is None else _checked(ied_mm),
        "EMG_LENGTH": recording.n_samples,
        "NUMBER_OF_MUS": n_units,
        "BINARY_MUS_FIRING": _firings(pulses, recording.n_samples),
        "EXTRAS": _extras(recording, ref_rows),
    }


def from_openhdemg(
    emgfile: Mapping[str, Any], *, unit: str | None = None, reference_kind: str = "force"
) -> Recording:
    """Build a recording from openhdemg's ``emgfile``.

    Discharges become events of source `DISCHARGE`. Sources and accuracies (``IPTS``,
    ``ACCURACY``) have no place in a recording and stay in the dictionary.

    Parameters
    ----------
    emgfile : mapping
    unit : str, optional
        Unit of ``RAW_SIGNAL``, which openhdemg does not say (OTBioLab+ exports millivolts).
        Needed unless the dictionary came from `to_openhdemg`.
    reference_kind : str
        What ``REF_SIGNAL`` measures: ``"force"`` or ``"torque"``. Unless the dictionary came from
        `to_openhdemg` it is taken as percent of maximum, as openhdemg means it.

    Raises
    ------
    DataError
        If a key is missing or tables disagree about the number of samples.
    ParameterError
        If the unit is not known.
    """
    missing = [key for key in _KEYS if key not in emgfile]
    if missing:
        raise DataError(
            f"The emgfile has no {missing}; openhdemg's files of EMG have all of {list(_KEYS)}. "
            "A file of only a reference signal is not a recording of muscle."
        )
    check_choice(reference_kind, ("force", "torque"), name="reference_kind")
    n_samples = len(emgfile["RAW_SIGNAL"])
    passport = _passport(emgfile["EXTRAS"])
    if passport is None:
        recording = _foreign(emgfile, unit, reference_kind)
    else:
        recording = _returned(emgfile, passport, unit or "mV")
    events = [e for e in recording.events if not _is_discharge(e)]
    for number, pulses in enumerate(emgfile["MUPULSES"]):
        at = np.asarray(pulses, dtype=np.int64)
        if at.size and not 0 <= at.min() <= at.max() < n_samples:
            raise DataError(
                f"MUPULSES[{number}] has discharges at samples {at.min()} to {at.max()}; "
                f"RAW_SIGNAL has {n_samples} samples."
            )
        times_s = recording.start_s + at / recording.fs_hz
        events += [Event(float(t), 0.0, f"unit {number}", DISCHARGE) for t in times_s]
    recording = recording.with_events(events)
    return passport.stamp(recording, changed_in="openhdemg") if passport else recording


def _foreign(emgfile: Mapping[str, Any], unit: str | None, reference_kind: str) -> Recording:
    if unit is None:
        raise ParameterError(
            "openhdemg does not say in which unit RAW_SIGNAL is; state it with "
            "from_openhdemg(emgfile, unit=...), for example 'mV' as OTBioLab+ exports it."
        )
    scale, factor = conversion(unit, kind="hdemg", where="RAW_SIGNAL")
    raw = _values(emgfile, "RAW_SIGNAL") * factor
    channels = [Channel(f"emg{i}", "hdemg", scale=scale) for i in range(len(raw))]
    reference = _values(emgfile, "REF_SIGNAL")
    if reference.size:
        if reference.shape[1] != raw.shape[1]:
            raise _disagree("REF_SIGNAL", reference.shape[1], raw.shape[1])
        channels += [
            Channel(f"reference{i}", reference_kind, scale="normalised")
            for i in range(len(reference))
        ]
        raw = np.vstack([raw, reference / 100.0])
    layout = Layout(float(emgfile["FSAMP"]), tuple(channels))
    return join(Header(layout, raw.shape[1]), raw)


def _returned(emgfile: Mapping[str, Any], passport: Passport, unit: str) -> Recording:
    """Put the channels that came back in the order in which they left."""
    layout = passport.header.layout
    raw = _values(emgfile, "RAW_SIGNAL")
    muscle = [c for c in layout.channels if c.kind in MUSCLE_KINDS]
    if len(raw) != len(muscle):
        raise LayoutError(
            f"RAW_SIGNAL has {len(raw)} channels; {len(muscle)} left for openhdemg "
            f"({[c.name for c in muscle]}). Empty EXTRAS to read it as a new recording."
        )
    rows = dict(zip((c.name for c in muscle), raw / _millivolts_of(muscle, unit), strict=True))
    extras, reference = emgfile["EXTRAS"], _values(emgfile, "REF_SIGNAL")
    for channel in layout.channels:
        if channel.name in rows:
            continue
        in_extras = channel.name in extras.columns
        row = extras[channel.name].to_numpy(dtype=np.float64) if in_extras else reference[0]
        if len(row) != raw.shape[1]:
            raise _disagree("EXTRAS" if in_extras else "REF_SIGNAL", len(row), raw.shape[1])
        rows[channel.name] = row
    return join(
        passport.header,
        np.vstack([rows[name] for name in layout.names]),
        layout=Layout(float(emgfile["FSAMP"]), layout.channels),
    )


def _disagree(key: str, got: int, expected: int) -> DataError:
    return DataError(f"{key} has {got} samples and RAW_SIGNAL {expected}; they must be as long.")


def _passport(extras: pd.DataFrame) -> Passport | None:
    if KEY not in getattr(extras, "columns", ()):
        return None
    return Passport.from_text(extras[KEY].iloc[0], where=f"EXTRAS[{KEY!r}]")


def _values(emgfile: Mapping[str, Any], key: str) -> NDArray[np.float64]:
    """Return a table as (n_columns, n_samples)."""
    values = np.asarray(emgfile[key], dtype=np.float64)
    return values.T if values.ndim == 2 and values.size else np.empty((0, 0))


def _millivolts(recording: Recording) -> NDArray[np.float64]:
    return _millivolts_of(recording.layout.channels, "mV")[:, 0]


def _millivolts_of(channels: Sequence[Channel], unit: str) -> NDArray[np.float64]:
    """Return ``unit`` per own unit, as a column; counts and fractions have no volts."""
    factor = conversion(unit, kind="hdemg", where="RAW_SIGNAL")[1]
    return np.array([1 / factor if c.scale == "physical" else 1.0 for c in channels])[:, None]


def _is_discharge(event: Event) -> bool:
    return event.source == DISCHARGE and _UNIT.fullmatch(event.label) is not None


def _pulses(recording: Recording) -> list[NDArray[np.int64]]:
    """Return the samples at which each unit discharges."""
    found: dict[int, list[int]] = {}
    for event in recording.events:
        match = _UNIT.fullmatch(event.label)
        if match and event.source == DISCHARGE:
            sample = round((event.onset_s - recording.start_s) * recording.fs_hz)
            found.setdefault(int(match[1]), []).append(min(sample, recording.n_samples - 1))
    return [np.array(found.get(k, []), dtype=np.int64) for k in range(max(found, default=-1) + 1)]


def _firings(pulses: Sequence[NDArray[np.int64]], n_samples: int) -> pd.DataFrame:
    import pandas as pd

    firings = np.zeros((n_samples, len(pulses)), dtype=np.int64)
    for unit, at in enumerate(pulses):
        firings[at, unit] = 1
    return pd.DataFrame(firings)


def _table(values: NDArray[np.float64] | None, *, columns: int) -> pd.DataFrame:
    """Return a table with numbered columns; openhdemg wants an empty one where nothing is known."""
    import pandas as pd

    if values is None or values.size == 0:
        return pd.DataFrame(columns=range(columns))
    return pd.DataFrame(values)


def _per_unit(values: ArrayLike | None, n_units: int, name: str) -> NDArray[np.float64] | None:
    if values is None:
        return None
    array = np.asarray(values, dtype=np.float64).reshape(-1, 1)
    if len(array) != n_units:
        raise ParameterError(f"{name} has {len(array)} values; the recording has {n_units} units.")
    return array


def _per_sample(
    values: ArrayLike | None, n_units: int, n_samples: int
) -> NDArray[np.float64] | None:
    if values is None:
        return None
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (n_units, n_samples):
        raise ParameterError(
            f"sources must have shape (n_units, n_samples) = ({n_units}, {n_samples}); "
            f"got {array.shape}."
        )
    return array.T


def _reference_rows(recording: Recording, reference: str) -> tuple[int, ...]:
    if reference:
        return recording.layout.rows(names=(reference,))
    return recording.layout.rows(kinds=("force", "torque"))[:1]


def _extras(recording: Recording, ref_rows: Sequence[int]) -> pd.DataFrame:
    """Return the channels that openhdemg has no place for, and the passport."""
    import pandas as pd

    muscle = recording.layout.rows(kinds=MUSCLE_KINDS)
    rest = [r for r in range(recording.n_channels) if r not in (*muscle, *ref_rows)]
    names = recording.layout.names
    columns = {names[r]: pd.Series(recording.samples[r].astype(np.float64)) for r in rest}
    text = Passport.of(recording).to_text()
    return pd.DataFrame({KEY: pd.Series([text], dtype=object), **columns})


def _checked(ied_mm: float) -> float:
    return check_positive(ied_mm, name="ied_mm")


def _spacing_mm(layout: Layout) -> float:
    """Return the median distance of each electrode to its nearest neighbour."""
    places = np.array([c.position_mm for c in layout.channels if c.position_mm is not None])
    if len(places) < 2:
        raise ParameterError(
            "The inter-electrode distance is not known (fewer than two channels have a position); "
            "state it with to_openhdemg(recording, ied_mm=...)."
        )
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    return float(np.median(distances.min(axis=1)))
