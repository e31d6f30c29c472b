"""Find epochs of muscle action: which method, what it may claim, and the same live.

Numerics live in `myograph.signal.onset`, `adaptive`, `levels`, `changepoint` and `edges`; here a
method is chosen by the measured signal-to-noise ratio, edges are made precise, and what cannot be
claimed honestly is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_positive
from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import KIND_UNITS, MUSCLE_KINDS, Layout
from myograph.core.recording import Recording
from myograph.preprocess.epochs import ChannelActivity, Epoch, Segmentation
from myograph.preprocess.judge import PRECISE, Judge, snr_db
from myograph.preprocess.rest import Rest, Span, find_rest
from myograph.signal.adaptive import AdaptiveDoubleThreshold
from myograph.signal.detection import Detector, Running, epochs_of
from myograph.signal.levels import BayesianLevels, PeltLevels, RestModel
from myograph.signal.onset import DoubleThreshold, HodgesBui, TeagerKaiser

__all__ = ["DETECTORS", "METHODS", "LiveEdge", "LiveSegmentation", "Segmenter", "choose_method"]

#: Causal detectors by name, with their default parameters; they also run live.
DETECTORS: Mapping[str, Detector] = MappingProxyType(
    {
        detector.name: detector
        for detector in (
            HodgesBui(),
            TeagerKaiser(),
            DoubleThreshold(),
            AdaptiveDoubleThreshold(),
            BayesianLevels(),
        )
    }
)

#: Everything ``Segmenter.method`` may be.
METHODS = ("auto", *DETECTORS, PRECISE, "pelt")

# From here on an envelope threshold is as precise as anything, and gives fewer false epochs.
_CLEAN_DB = 15.0


def choose_method(snr_db: float, *, live: bool) -> str:
    """Return the method with the smallest error at this ratio on signals with known truth.

    Offline it is the profile likelihood throughout; live, an envelope threshold for clean signals
    and the adaptive double threshold below. The figures behind this are those of
    ``benchmarks/science/conditioning.py``.

    Examples
    --------
    >>> choose_method(20.0, live=True), choose_method(10.0, live=True)
    ('hodges-bui', 'adaptive-double-threshold')
    """
    if not live:
        return PRECISE
    return "hodges-bui" if snr_db >= _CLEAN_DB else "adaptive-double-threshold"


@dataclass(frozen=True, kw_only=True)
class Segmenter:
    """How epochs of muscle action are found.

    Parameters
    ----------
    method : str
        One of `METHODS`. ``"auto"`` measures the signal-to-noise ratio and takes `choose_method`.
    detector : Detector, optional
        A detector with parameters of its own, in place of ``method``: one of the 27 of
        `myograph.signal.onset.hodges_bui_variants`, for example.
    least_on_ms, least_off_ms : float
        Epochs, and pauses between them, that do not last this long change nothing.
    least_snr_db : float
        Below this an epoch is given out only if a change point agrees with the detector.
    rest_labels : tuple of str
        Events that mark rest. Without one, each channel's quietest stretch stands for rest.
    label : str
        What the events are called.
    kinds : tuple of str
        Kinds of the channels to search.

    Notes
    -----
    Clean the recording first (a band-pass, no drift): a threshold cannot tell a moving cable from
    a muscle.

    Examples
    --------
    >>> from myograph.core.layout import Channel
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((1, 4000)) * np.where(np.arange(4000) < 2000, 5, 100)
    >>> recording = Recording(x, Layout(2000.0, (Channel("TA", kind="semg"),)))
    >>> (event,) = Segmenter().find(recording).events()
    >>> abs(event.onset_s - 1.0) < 0.01, event.source
    (True, 'profile-likelihood')
    """

    method: str = "auto"
    detector: Detector | None = None
    least_on_ms: float = 30.0
    least_off_ms: float = 30.0
    least_snr_db: float = 8.0
    rest_labels: tuple[str, ...] = ("rest",)
    label: str = "active"
    kinds: tuple[str, ...] = MUSCLE_KINDS

    def __post_init__(self) -> None:
        check_choice(self.method, METHODS, name="method")
        if self.detector is not None and self.method != "auto":
            raise ParameterError(
                f"Give method or detector, not both; got method={self.method!r} and "
                f"detector={self.detector!r}."
            )
        check_positive(self.least_on_ms, name="least_on_ms")
        check_positive(self.least_off_ms, name="least_off_ms")
        for name in ("rest_labels", "kinds"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise ParameterError(f"{name} must be a list of texts; got {value!r}.")
            object.__setattr__(self, name, tuple(value))
        for kind in self.kinds:
            check_choice(kind, KIND_UNITS, name="kinds")

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain data."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        if self.detector is not None:
            given["detector"] = {"name": self.detector.name, **vars(self.detector)}
        return given

    def find(self, recording: Recording, *, rest: Span | None = None) -> Segmentation:
        """Find the epochs of action of every muscle channel.

        Parameters
        ----------
        recording : Recording
        rest : tuple of 2 floats, optional
            From when to when nothing is active, on the clock of the recording.

        Returns
        -------
        Segmentation

        Raises
        ------
        LayoutError
            If no channel is of ``kinds``.
        DataError
            If rest is too short or does not vary.
        """
        rows = self._rows(recording.layout)
        found = [self._channel(recording, row, rest) for row in rows]
        epochs = sorted((e for part, _ in found for e in part), key=lambda e: (e.onset_s, e.end_s))
        return Segmentation(
            tuple(epoch for epoch in epochs if epoch.accepted),
            tuple(epoch for epoch in epochs if not epoch.accepted),
            tuple(activity for _, activity in found),
            self.label,
        )

    def start(self, calibration: Recording, *, rest: Span | None = None) -> LiveSegmentation:
        """Learn from a recording with rest and action, and return a state for a stream like it.

        ``method="auto"`` takes each channel's ratio in this recording. Methods that look ahead are
        refused.
        """
        rows = self._rows(calibration.layout)
        states = []
        for row in rows:
            quiet = find_rest(calibration, row, given=rest, labels=self.rest_labels)
            states.append(self._live(calibration, row, quiet))
        return LiveSegmentation(calibration.layout, rows, states)

    def _live(self, calibration: Recording, row: int, quiet: Rest) -> tuple[str, Running]:
        detector = self.detector
        if detector is None:
            method = self.method
            if method == "auto":
                spans = self._coarse(calibration.samples[row], quiet, calibration.fs_hz)[0]
                ratios = [snr_db(calibration, row, quiet, span) for span in spans]
                method = choose_method(float(np.median(ratios)) if ratios else 0.0, live=True)
            if method not in DETECTORS:
                raise ParameterError(
                    f"method={method!r} looks ahead of the newest sample, so it runs offline only; "
                    f"live methods are {sorted(DETECTORS)}."
                )
            detector = DETECTORS[method]
        state = detector.calibrate(quiet.samples, fs_hz=calibration.fs_hz).start(
            least_on_s=self.least_on_ms / 1000, least_off_s=self.least_off_ms / 1000
        )
        return detector.name, state

    def _rows(self, layout: Layout) -> tuple[int, ...]:
        rows = layout.rows(kinds=self.kinds)
        if not rows:
            present = sorted({channel.kind for channel in layout.channels})
            raise LayoutError(
                f"Muscle action is looked for in channels of kinds {list(self.kinds)}; there are "
                f"only {present}. Name the kinds to search, for example kinds={tuple(present)!r}."
            )
        return rows

    def _channel(
        self, recording: Recording, row: int, rest: Span | None
    ) -> tuple[list[Epoch], ChannelActivity]:
        """Search one channel."""
        quiet = find_rest(recording, row, given=rest, labels=self.rest_labels)
        spans, method = self._coarse(recording.samples[row], quiet, recording.fs_hz)
        judge = Judge(recording, row, quiet, method, self.least_snr_db)
        epochs = [judge.epoch(spans, number) for number in range(len(spans))]
        median_db = float(np.median([e.snr_db for e in epochs])) if epochs else None
        name = recording.layout.names[row]
        return epochs, ChannelActivity(name, method, quiet.source, quiet.rms, median_db)

    def _coarse(
        self, samples: NDArray[np.float32], quiet: Rest, fs_hz: float
    ) -> tuple[list[Span], str]:
        """Return the epochs before their edges are made precise, and by which method."""
        durations = {
            "least_on_s": self.least_on_ms / 1000,
            "least_off_s": self.least_off_ms / 1000,
        }
        if self.method == "pelt":
            rest = RestModel.of(quiet.samples, fs_hz=fs_hz)
            return PeltLevels().epochs(samples, rest, **durations), "pelt"
        precise = self.detector is None and self.method in ("auto", PRECISE)
        name = AdaptiveDoubleThreshold.name if precise else self.method
        detector = self.detector or DETECTORS[name]
        state = detector.calibrate(quiet.samples, fs_hz=fs_hz).start(**durations)
        spans = epochs_of(state.push(samples), duration_s=len(samples) / fs_hz)
        return spans, PRECISE if precise else detector.name


@dataclass(frozen=True, slots=True)
class LiveEdge:
    """Activity of a channel begins or has ended; times are from the start of the stream."""

    channel: str
    method: str
    rising: bool
    at_s: float
    known_s: float


class LiveSegmentation:
    """Detectors running on the channels of a stream."""

    def __init__(
        self, layout: Layout, rows: tuple[int, ...], states: list[tuple[str, Running]]
    ) -> None:
        self._layout, self._rows, self._states = layout, rows, states

    def push(self, chunk: NDArray[np.float32]) -> list[LiveEdge]:
        """Take the newest samples (n_channels, n_new); return the edges that are now certain."""
        n_channels = self._layout.n_channels
        if chunk.ndim != 2 or len(chunk) != n_channels:
            raise LayoutError(
                f"A chunk must be ({n_channels} channels, n_new); got shape {chunk.shape}."
            )
        return [
            LiveEdge(self._layout.names[row], method, edge.rising, edge.at_s, edge.known_s)
            for row, (method, state) in zip(self._rows, self._states, strict=True)
            for edge in state.push(chunk[row])
        ]
