"""pandas: a recording as a DataFrame, one column per channel, indexed by seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from myograph.core.checks import check_choice, check_positive
from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import KIND_UNITS, Channel, Layout
from myograph.core.recording import Event, Recording, cut_events
from myograph.io.bridges.passport import KEY, Passport, join

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["from_pandas", "to_pandas"]

_INDEX = "time_s"


def to_pandas(recording: Recording) -> pd.DataFrame:
    """Return the recording as a DataFrame.

    Parameters
    ----------
    recording : Recording

    Returns
    -------
    DataFrame, shape (n_samples, n_channels), float32
        Columns are channel names, the index is ``time_s``. ``frame.attrs["units"]`` and
        ``frame.attrs["fs_hz"]`` say what the numbers are; ``frame.attrs["myograph"]`` holds the
        rest (kinds, muscles, events, subject), so that `from_pandas` gives the recording back.

    Examples
    --------
    >>> import numpy as np
    >>> from myograph.core.layout import Channel, Layout
    >>> layout = Layout(1000.0, (Channel("TA", kind="semg"),))
    >>> to_pandas(Recording(np.zeros((1, 3)), layout)).attrs["units"]
    {'TA': 'uV'}
    """
    import pandas as pd

    layout = recording.layout
    seconds = recording.start_s + np.arange(recording.n_samples) / layout.fs_hz
    frame = pd.DataFrame(
        recording.samples.T,
        index=pd.Index(seconds, name=_INDEX),
        columns=pd.Index(layout.names),
        copy=True,
    )
    frame.attrs["fs_hz"] = layout.fs_hz
    frame.attrs["units"] = dict(zip(layout.names, layout.units, strict=True))
    frame.attrs[KEY] = Passport.of(recording).to_text()
    return frame


def from_pandas(
    frame: pd.DataFrame,
    *,
    fs_hz: float | None = None,
    kinds: str | Mapping[str, str] | None = None,
) -> Recording:
    """Build a recording from a DataFrame with one column per channel.

    Parameters
    ----------
    frame : DataFrame, shape (n_samples, n_channels)
        Values in the unit of each channel's kind (microvolts for EMG). A frame of `to_pandas`
        may have been sliced, reordered or reduced to some columns before it comes back.
    fs_hz : float, optional
        Samples per second. Needed unless the frame came from `to_pandas`.
    kinds : str or mapping of str to str, optional
        Kind of every column, or of each by name, where the frame does not know it.

    Raises
    ------
    ParameterError
        If the sampling rate is not known.
    LayoutError
        If the kind of a column is not known, or the index does not step at the sampling rate.
    DataError
        If a value is not a finite number.
    """
    passport = Passport.from_text(frame.attrs.get(KEY, ""), where=f"frame.attrs[{KEY!r}]")
    fs_hz = _rate(frame, fs_hz)
    layout = Layout(fs_hz, tuple(_channel(str(c), passport, kinds) for c in frame.columns))
    try:
        samples = frame.to_numpy(dtype=np.float32).T
    except (TypeError, ValueError) as error:
        raise DataError(
            f"The frame holds values that are not numbers ({error}); keep the columns that are "
            "signals, for example frame[['TA', 'SOL']]."
        ) from error
    start_s = float(frame.index[0]) if frame.index.name == _INDEX and len(frame) else 0.0
    if passport is None:
        return Recording(samples, layout, start_s=start_s)
    events: Iterable[Event] = passport.header.events
    if (start_s, len(frame)) != (passport.header.start_s, passport.header.n_samples):
        events = cut_events(events, start_s, start_s + len(frame) / fs_hz)
    recording = join(passport.header, samples, layout=layout, events=tuple(events), start_s=start_s)
    return passport.stamp(recording, changed_in="pandas")


def _rate(frame: pd.DataFrame, fs_hz: float | None) -> float:
    given = frame.attrs.get("fs_hz") if fs_hz is None else fs_hz
    if given is None:
        raise ParameterError(
            "The frame does not say its sampling rate, and a rate has no default; "
            "state it with from_pandas(frame, fs_hz=...)."
        )
    rate = check_positive(given, name="fs_hz")
    if frame.index.name == _INDEX and len(frame) > 1:
        _check_index(frame.index.to_numpy(dtype=np.float64), rate)
    return rate


def _check_index(seconds: np.ndarray, fs_hz: float) -> None:
    expected = seconds[0] + np.arange(len(seconds)) / fs_hz
    wrong = np.flatnonzero(~(np.abs(seconds - expected) < 0.5 / fs_hz))
    if wrong.size:
        row = int(wrong[0])
        raise LayoutError(
            f"Row {row} of the frame lies at {seconds[row]:g} s; at {fs_hz:g} Hz it should lie at "
            f"{expected[row]:g} s. A recording has no holes: keep whole stretches of rows, or "
            "state the rate of what is left with fs_hz=... after frame.reset_index(drop=True)."
        )


def _channel(
    name: str, passport: Passport | None, kinds: str | Mapping[str, str] | None
) -> Channel:
    kind = kinds if isinstance(kinds, str) else (kinds or {}).get(name)
    if kind is not None:
        check_choice(kind, KIND_UNITS, name=f"kind of column {name!r}")
        return Channel(name, kind)
    known = passport.channel(name) if passport else None
    if known is None:
        raise LayoutError(
            f"Nothing says what column {name!r} measures; state it with kinds={{{name!r}: ...}}, "
            f"one of {sorted(KIND_UNITS)}."
        )
    return known
