"""Which band belongs to which kind of recording, and the standard that says so.

A band is not a matter of taste: 20-500 Hz is right for the skin above a muscle and destroys a
needle recording, whose motor unit potentials need 2 Hz to 10 kHz. The table is what people and
pipelines ask by name, and `check_band` is what refuses the common mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from myograph.core.checks import check_choice, check_count, check_positive
from myograph.core.errors import ParameterError
from myograph.core.layout import Layout
from myograph.core.step import Step, StepState, register_step
from myograph.preprocess.filtering import Bandpass, Highpass

__all__ = ["BANDS", "BandStep", "Drift", "Modality", "band_remarks"]

# How much of the Nyquist frequency a band may reach: a filter that ends closer to it bends.
_OF_NYQUIST = 0.95


@dataclass(frozen=True, slots=True)
class Modality:
    """The band of one kind of recording.

    Parameters
    ----------
    low_hz, high_hz : float
        What to keep.
    latest_low_hz, least_high_hz : float
        What the band must at least keep: a higher ``low_hz`` or a lower ``high_hz`` removes what
        this kind of recording is made for.
    least_fs_hz : float
        Slowest sampling rate that the standard accepts.
    kinds : tuple of str
        Kinds of channel that record it.
    harm : str
        What a narrower band does to the signal.
    standard : str
        Who says so, in words.
    reference : str
        Key in ``references.bib``.
    """

    low_hz: float
    high_hz: float
    latest_low_hz: float
    least_high_hz: float
    least_fs_hz: float
    kinds: tuple[str, ...]
    harm: str
    standard: str
    reference: str


_NEEDLE_HARM = (
    "a high-pass this high gives motor unit potentials a late negative wave that is not there and "
    "shortens them, and a low-pass this low blunts their spikes"
)
_SURFACE_HARM = "muscle activity lies between 20 and 400 Hz"

#: Bands by modality, with the standard that each follows.
BANDS: Mapping[str, Modality] = MappingProxyType(
    {
        "surface": Modality(
            20.0, 500.0, 30.0, 350.0, 1000.0, ("semg",), _SURFACE_HARM,
            "SENIAM: high-pass 10-20 Hz, low-pass near 500 Hz; ISEK reports 5-500 Hz",
            "hermens2000",
        ),
        "surface-trunk": Modality(
            30.0, 500.0, 40.0, 350.0, 1000.0, ("semg",), _SURFACE_HARM,
            "muscles near the heart: 30 Hz, fourth order, removes most of the ECG", "drake2006",
        ),
        "hd": Modality(
            20.0, 500.0, 30.0, 400.0, 2000.0, ("hdemg",), _SURFACE_HARM,
            "usual for decomposition: 10-20 to 500-900 Hz", "merletti1999",
        ),
        "needle": Modality(
            2.0, 10000.0, 5.0, 5000.0, 20000.0, ("needle",), _NEEDLE_HARM,
            "quantitative motor unit potentials: 2 (5) Hz to 10 kHz", "knf_guideline",
        ),
        "needle-spontaneous": Modality(
            20.0, 10000.0, 20.0, 5000.0, 20000.0, ("needle",),
            "fibrillations and positive waves are recognised by their slopes",
            "search for spontaneous activity: 10-20 Hz to 10 kHz", "knf_guideline",
        ),
        "single-fibre": Modality(
            500.0, 10000.0, 1000.0, 8000.0, 20000.0, ("needle",),
            "jitter is measured on the steep flank of one fibre's spike",
            "single fibre 500 Hz to 10 kHz; 1 kHz with a concentric needle", "stalberg2016",
        ),
        "motor-conduction": Modality(
            2.0, 10000.0, 5.0, 2000.0, 10000.0, ("semg", "needle"),
            "amplitude, duration and area of the compound potential depend on slow parts",
            "motor nerve conduction: 2 Hz to 10 kHz", "knf_guideline",
        ),
        "sensory-conduction": Modality(
            20.0, 3000.0, 30.0, 2000.0, 10000.0, ("semg", "needle"),
            "onsets and peaks move when the band is narrower",
            "sensory nerve conduction: 20 Hz to 2-3 kHz", "knf_guideline",
        ),
        "eeg": Modality(
            0.5, 70.0, 1.0, 45.0, 200.0, ("eeg",),
            "slow waves lie below 1 Hz, and corticomuscular coherence reaches 45 Hz",
            "clinical EEG: 0.5-70 Hz", "ifcn_eeg",
        ),
        "ecg": Modality(
            0.5, 150.0, 0.67, 40.0, 250.0, ("ecg",),
            "the ST segment is slow and the QRS complex is steep",
            "diagnostic ECG: 0.05-150 Hz; 0.67 Hz with linear phase; rhythm 0.5-40 Hz",
            "kligfield2007",
        ),
        "tremor": Modality(
            0.5, 45.0, 1.0, 25.0, 100.0, ("acc", "gyro"),
            "tremor lies between 2 and 20 Hz, with harmonics", "tremor by accelerometer: 0.5-45 Hz",
            "deuschl2022",
        ),
    }
)  # fmt: skip


def band_remarks(modality: str, *, low_hz: float, high_hz: float) -> tuple[str, ...]:
    """Say, in sentences, what a band takes away from a kind of recording; empty when nothing.

    Examples
    --------
    >>> band_remarks("surface", low_hz=20, high_hz=450)
    ()
    >>> band_remarks("needle", low_hz=20, high_hz=500)[0][:53]
    'A needle recording needs 5 Hz or lower at the low end'
    """
    band = BANDS[check_choice(modality, BANDS, name="modality")]
    found = []
    if low_hz > band.latest_low_hz:
        found.append(
            f"A {modality} recording needs {band.latest_low_hz:g} Hz or lower at the low end; "
            f"low_hz={low_hz:g} was given, and {band.harm} ({band.standard})."
        )
    if high_hz < band.least_high_hz:
        found.append(
            f"A {modality} recording needs {band.least_high_hz:g} Hz or more at the high end; "
            f"high_hz={high_hz:g} was given, and {band.harm} ({band.standard})."
        )
    return tuple(found)


@register_step("band")
@dataclass(frozen=True)
class BandStep(Step):
    """Keep the band that belongs to a kind of recording: a causal Butterworth band-pass.

    Where the sampling rate cannot hold the upper end, the band ends at 95 % of the Nyquist
    frequency, or is refused when too little would be left.

    Parameters
    ----------
    modality : str
        A name of `BANDS`: ``"surface"``, ``"hd"``, ``"needle"``, ...
    low_hz, high_hz : float
        Another edge than the table's; 0 takes the table's. What the modality cannot do without
        is not given up: see `band_remarks`.
    order : int
        Order at each edge.

    Raises
    ------
    ParameterError
        If an edge removes what the modality needs, or the rate cannot hold the band.

    Examples
    --------
    >>> BandStep("needle", low_hz=20, high_hz=500)
    Traceback (most recent call last):
    myograph.core.errors.ParameterError: A needle recording needs 5 Hz or lower at the low end; ...
    """

    modality: str
    low_hz: float = 0.0
    high_hz: float = 0.0
    order: int = 2

    def __post_init__(self) -> None:
        band = BANDS[check_choice(self.modality, BANDS, name="modality of step 'band'")]
        check_count(self.order, name="order")
        for name in ("low_hz", "high_hz"):
            if getattr(self, name):
                check_positive(getattr(self, name), name=name)
        low_hz, high_hz = self.low_hz or band.low_hz, self.high_hz or band.high_hz
        remarks = band_remarks(self.modality, low_hz=low_hz, high_hz=high_hz)
        if remarks:
            raise ParameterError(
                " ".join(remarks) + " To filter like this all the same, use the step 'bandpass'."
            )

    def bandpass(self, fs_hz: float) -> Bandpass:
        """Return the filter that this step is at a sampling rate.

        Raises
        ------
        ParameterError
            If the rate is too low for what the modality cannot do without.
        """
        band = BANDS[self.modality]
        high_hz = min(self.high_hz or band.high_hz, _OF_NYQUIST * fs_hz / 2)
        if high_hz < band.least_high_hz:
            raise ParameterError(
                f"A {self.modality} recording needs {band.least_high_hz:g} Hz, and a signal "
                f"sampled at {fs_hz:g} Hz ends at {fs_hz / 2:g} Hz; {band.standard}, at "
                f"{band.least_fs_hz:g} Hz or faster. Use the step 'bandpass' to filter it anyway."
            )
        low_hz = self.low_hz or band.low_hz
        return Bandpass(low_hz, high_hz, self.order, kinds=band.kinds)

    def start(self, layout: Layout) -> StepState:
        """Design the filter for ``layout`` and return its fresh state."""
        return self.bandpass(layout.fs_hz).start(layout)


@register_step("drift")
@dataclass(frozen=True)
class Drift(Step):
    """Remove slow drift and the electrode's offset: a gentle causal high-pass.

    First order by default, so that it rings least. It starts from the first sample: an offset is
    gone at once. Slow drift differs between clinics and needles; a classifier may learn it
    instead of the disease.

    Parameters
    ----------
    low_hz : float
        Edge (-3 dB).
    order : int
    kinds : tuple of str
        Kinds of the channels to filter.

    Examples
    --------
    >>> Drift(2.0).to_dict()["step"]
    'drift'
    """

    low_hz: float
    order: int = 1
    kinds: tuple[str, ...] = ("semg", "hdemg", "needle", "eeg", "ecg")

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", self._highpass().kinds)

    def _highpass(self) -> Highpass:
        return Highpass(self.low_hz, self.order, kinds=self.kinds)

    def start(self, layout: Layout) -> StepState:
        """Design the filter for ``layout`` and return its fresh state."""
        return self._highpass().start(layout)
