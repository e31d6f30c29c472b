"""A simulated cohort: people, sessions, repetitions and gestures when no real data are at hand.

Muscles lie around a forearm. Each gesture drives them through a few synergies that everybody
shares and everybody uses a little differently; each muscle gives band-limited noise whose strength
follows its drive; each electrode picks up its neighbours through a person's own tissue. A new
session turns the band. Nothing here is a patient, and no figure from it is clinical.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.layout import Channel, Layout
from myograph.core.recipe import Recipe, StepRecord, digest_of
from myograph.core.recording import Event, Recording, Subject
from myograph.datasets.card import DatasetCard
from myograph.datasets.dataset import Contents, Dataset, Entry

__all__ = ["CARD", "GESTURES", "SimulatedCohort", "simulate"]

GESTURES = (
    "rest",
    "hand close",
    "hand open",
    "wrist flexion",
    "wrist extension",
    "pronation",
    "supination",
)

# Four synergies (finger flexors, finger extensors, wrist and radius each way share them) over
# twelve muscles around the forearm, from radial flexors by way of the ulna to radial extensors.
_SYNERGIES = np.array(
    [
        [0.2, 0.6, 1.0, 0.8, 0.3, 0.0, 0.0, 0.0, 0.1, 0.2, 0.1, 0.0],
        [0.0, 0.0, 0.1, 0.1, 0.0, 0.3, 0.9, 1.0, 0.6, 0.1, 0.0, 0.0],
        [0.8, 0.5, 0.1, 0.3, 1.0, 0.7, 0.1, 0.0, 0.0, 0.0, 0.0, 0.2],
        [0.0, 0.0, 0.0, 0.0, 0.1, 0.8, 0.4, 0.1, 0.5, 1.0, 0.9, 0.3],
        [1.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.0, 0.1, 0.4, 0.8],
        [0.1, 0.0, 0.0, 0.0, 0.0, 0.1, 0.4, 0.3, 0.9, 0.4, 0.2, 0.9],
    ]
)
_WEIGHTS = np.array(
    [
        [0.02, 0.02, 0.02, 0.02, 0.02, 0.02],
        [1.00, 0.15, 0.15, 0.35, 0.10, 0.10],
        [0.10, 1.00, 0.10, 0.25, 0.10, 0.15],
        [0.35, 0.00, 1.00, 0.05, 0.15, 0.05],
        [0.10, 0.35, 0.05, 1.00, 0.10, 0.15],
        [0.15, 0.05, 0.25, 0.10, 1.00, 0.10],
        [0.10, 0.15, 0.10, 0.20, 0.10, 1.00],
    ]
)
_N_MUSCLES = _SYNERGIES.shape[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCohort:
    """How many simulated people, and how they are recorded.

    Parameters
    ----------
    fs_hz : float
        Sampling rate.
    n_people, n_sessions, n_repetitions, n_channels : int
        Sizes of the cohort and of the band.
    hold_s, move_s : float
        Seconds each gesture is held, and between two of them.
    amplitude_uv : float
        Typical root mean square of a strong contraction.
    noise_uv : float
        Root mean square of the electrodes' own noise.
    variability : float
        How much people differ, 1 being calibrated so that linear discriminant analysis across
        people stays well below what it reaches within a person.
    seed : int
        The same seed gives the same samples.
    """

    fs_hz: float
    n_people: int = 10
    n_sessions: int = 2
    n_repetitions: int = 4
    n_channels: int = 8
    hold_s: float = 2.5
    move_s: float = 0.5
    amplitude_uv: float = 150.0
    noise_uv: float = 4.0
    variability: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n_people", "n_sessions", "n_repetitions", "n_channels"):
            check_count(getattr(self, name), name=name)
        for name in ("fs_hz", "hold_s", "move_s", "amplitude_uv", "noise_uv"):
            check_positive(getattr(self, name), name=name)
        check_count(self.seed, name="seed", least=0)

    def rng(self, *place: int) -> np.random.Generator:
        """Return random numbers of their own for a person, a session, a repetition."""
        return np.random.default_rng([self.seed, *place])


#: The cohort that ``load("simulated")`` gives.
COHORT = SimulatedCohort(fs_hz=1000.0)

CARD = DatasetCard(
    name="simulated",
    title="SIMULATED: 10 people who do not exist, 7 gestures, 2 sessions, 4 repetitions",
    citation="Myograph, simulated cohort",
    people="10 simulated",
    kinds=("semg",),
    fs_hz=(COHORT.fs_hz,),
    tasks=(
        "Each gesture held 2.5 s, with 0.5 s between two of them that carries no event; session 1 "
        "and 2 (the band is turned in between), trial = repetition 1 to 4."
    ),
    labels=GESTURES,
    notes=(
        (
            "Engineering verification only: figures from simulated people say that the software "
            "works, never how well it would do on a person, and are never pooled with real data."
        ),
    ),
    simulated=True,
)


def simulate(cohort: SimulatedCohort = COHORT) -> Dataset:
    """Return a simulated cohort; its recordings are made when they are asked for.

    Examples
    --------
    >>> small = simulate(SimulatedCohort(fs_hz=500.0, n_people=2, n_sessions=1, n_repetitions=1))
    >>> small.recordings[0]
    <Recording 8 channels x 10500 samples, 500 Hz, 21 s, 7 events, subject 'sim-01'>
    """
    entries = [
        _entry(cohort, person, session, repetition)
        for person in range(cohort.n_people)
        for session in range(cohort.n_sessions)
        for repetition in range(cohort.n_repetitions)
    ]
    origin = f"simulated with seed {cohort.seed}: these people do not exist"
    return Dataset(CARD, Contents(tuple(entries)), origin)


def _entry(cohort: SimulatedCohort, person: int, session: int, repetition: int) -> Entry:
    subject = Subject(f"sim-{person + 1:02d}", condition="simulated")
    name = f"{subject.pseudonym}/session-{session + 1}/repetition-{repetition + 1}"
    load = partial(_recording, cohort, person, session, repetition)
    digest = digest_of([asdict(cohort), name])
    return Entry(name, subject, load, str(session + 1), digest=digest)


def _recording(cohort: SimulatedCohort, person: int, session: int, repetition: int) -> Recording:
    rng = cohort.rng(person, session, repetition)
    order = rng.permutation(len(GESTURES))
    drive, events = _drive(cohort, person, rng, order, trial=str(repetition + 1))
    sources = _muscles(cohort, person, rng, drive.shape[1]) * drive
    samples = _pickup(cohort, person, session) @ sources
    samples += cohort.noise_uv * rng.standard_normal(samples.shape)
    made = StepRecord.of(
        "simulate",
        {**asdict(cohort), "person": person, "session": session, "repetition": repetition},
    )
    channels = tuple(Channel(f"emg{i + 1}", kind="semg") for i in range(cohort.n_channels))
    return Recording(
        samples.astype(np.float32),
        Layout(cohort.fs_hz, channels),
        events=tuple(events),
        subject=Subject(f"sim-{person + 1:02d}", condition="simulated"),
        session=str(session + 1),
        device="simulated",
        recipe=Recipe((made,)),
    )


def _drive(
    cohort: SimulatedCohort,
    person: int,
    rng: np.random.Generator,
    order: NDArray[np.int_],
    *,
    trial: str,
) -> tuple[NDArray[np.float64], list[Event]]:
    """Return the drive of every muscle over time, and when which gesture was held."""
    own = cohort.rng(person, 101)
    strategy = _WEIGHTS @ _SYNERGIES
    strategy = strategy * np.exp(cohort.variability * 0.45 * own.standard_normal(strategy.shape))
    effort = 0.45 * np.exp(0.25 * own.standard_normal())
    length = cohort.move_s + cohort.hold_s
    levels, events = [], []
    for place, gesture in enumerate(order):
        tried = effort * np.exp(0.2 * rng.standard_normal())
        shape = np.exp(0.15 * rng.standard_normal(_N_MUSCLES))
        levels.append(tried * shape * strategy[gesture])
        onset_s = place * length + cohort.move_s
        events.append(Event(onset_s, cohort.hold_s, GESTURES[gesture], "protocol", trial))
    n_samples = round(len(order) * length * cohort.fs_hz)
    time_s = np.arange(n_samples) / cohort.fs_hz
    # Between two gestures the drive goes over linearly; while one is held it wavers a little.
    knots_s = np.ravel([[e.onset_s, e.onset_s + e.duration_s] for e in events])
    drive = np.stack([np.interp(time_s, knots_s, np.repeat(m, 2)) for m in np.array(levels).T])
    return drive * _waver(rng, n_samples, cohort.fs_hz), events


def _waver(rng: np.random.Generator, n_samples: int, fs_hz: float) -> NDArray[np.float64]:
    """Return slow fluctuations of the drive around 1, one row a muscle, below about 2 Hz."""
    knots = rng.standard_normal((_N_MUSCLES, int(n_samples / fs_hz * 4) + 2))
    at = np.linspace(0, knots.shape[1] - 1, n_samples)
    steps = np.arange(knots.shape[1])
    return np.exp(0.12 * np.stack([np.interp(at, steps, row) for row in knots]))


def _muscles(
    cohort: SimulatedCohort, person: int, rng: np.random.Generator, n_samples: int
) -> NDArray[np.float64]:
    """Return unit-power noise with the spectrum of surface EMG, one row a muscle.

    The spectrum rises with the square of frequency and falls with its fourth power (Shwedyk's
    shape); where it turns differs between people and muscles.
    """
    own = cohort.rng(person, 102)
    high_hz = 110.0 * np.exp(0.15 * own.standard_normal((_N_MUSCLES, 1)))
    low_hz = 60.0 * np.exp(0.10 * own.standard_normal((_N_MUSCLES, 1)))
    f_hz = np.fft.rfftfreq(n_samples, 1 / cohort.fs_hz)
    power = f_hz**2 / ((f_hz**2 + low_hz**2) * (f_hz**2 + high_hz**2) ** 2)
    shape = np.sqrt(power / power.mean(axis=1, keepdims=True))
    white = np.fft.rfft(rng.standard_normal((_N_MUSCLES, n_samples)), axis=1)
    coloured = np.fft.irfft(white * shape, n=n_samples, axis=1)
    return coloured / coloured.std(axis=1, keepdims=True)


def _pickup(cohort: SimulatedCohort, person: int, session: int) -> NDArray[np.float64]:
    """Return how strongly each electrode sees each muscle, shape (n_channels, n_muscles)."""
    own, visit = cohort.rng(person, 103), cohort.rng(person, 104, session)
    spread = cohort.variability
    muscle = np.arange(_N_MUSCLES) * 2 * np.pi / _N_MUSCLES
    muscle = muscle + spread * 0.12 * own.standard_normal(_N_MUSCLES)
    turned = spread * (0.20 * own.standard_normal() + 0.10 * visit.standard_normal())
    electrode = np.arange(cohort.n_channels) * 2 * np.pi / cohort.n_channels + turned
    apart = np.cos(electrode[:, np.newaxis] - muscle)
    tissue = 3.0 * np.exp(spread * 0.25 * own.standard_normal())
    depth = np.exp(spread * 0.30 * own.standard_normal(_N_MUSCLES))
    contact = np.exp(spread * 0.15 * visit.standard_normal((cohort.n_channels, 1)))
    gain = np.exp(spread * 0.35 * own.standard_normal())
    seen: NDArray[np.float64] = np.exp(tissue * (apart - 1)) * depth * contact
    return cohort.amplitude_uv * gain * seen
