"""Cohorts of simulated people: who they are, where they are examined, what is made of each.

A cohort is a rule, not a pile of data: recording ``n`` of person ``k`` depends on the scene, ``k``
and ``n`` alone, so that it can be made in any order, on any number of processors, and again. The
kinds of cohort stand in `myograph.twin.cohorts`; what writes them to disk is above this package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recipe import Recipe, StepRecord
from myograph.core.recording import Event, Recording, Subject
from myograph.twin.contamination import Contaminated
from myograph.twin.device import Device, Site, sites
from myograph.twin.muap import MuapLibrary
from myograph.twin.seeds import stream
from myograph.twin.subject import DEVICE, Person
from myograph.twin.truth import Truth

__all__ = ["CohortKind", "Scene", "Simulated", "member", "person_seed", "sitting"]

#: A faster one is refused: nothing of a muscle is there, and it would not fit into memory.
_FASTEST_HZ = 200_000.0
#: A longer recording than this is refused: it would not fit into memory comfortably.
LONGEST_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a cohort is made from.

    Parameters
    ----------
    people : int
    seconds : float
        Length of each recording, about: whole tasks are never cut short.
    seed : int
        The same scene gives the same samples, bit for bit.
    n_sites : int
        Places with a device each; people belong to one of them.
    takes : int
        Recordings of each person; 0 for as many as usual in the kind.
    fs_hz : float
        Rate of every recording; 0 for the one that is usual in the kind.
    own_rates : bool
        Leave each device its own rate instead. A model needs one: resample first.
    condition : str
        Everybody has this; empty for the kind's mixture.
    parts : bool
        Keep in the truth each contamination as a signal. They double the size of a cohort.
    """

    people: int = 10
    seconds: float = 60.0
    seed: int = 0
    n_sites: int = 3
    takes: int = 0
    fs_hz: float = 0.0
    own_rates: bool = False
    condition: str = ""
    parts: bool = False

    def __post_init__(self) -> None:
        for name in ("people", "n_sites"):
            check_count(getattr(self, name), name=name)
        for name in ("seed", "takes"):
            check_count(getattr(self, name), name=name, least=0)
        check_positive(self.seconds, name="seconds")
        if not 1.0 <= self.seconds <= LONGEST_S:
            raise ParameterError(
                f"seconds must lie between 1 and {LONGEST_S:g}; got {self.seconds:g}. "
                "For more, make several recordings."
            )
        if self.fs_hz:
            check_positive(self.fs_hz, name="fs_hz")
        if self.fs_hz and self.own_rates:
            raise ParameterError("Give fs_hz or own_rates, not both: one of them sets the rate.")

    def to_dict(self) -> dict[str, Any]:
        """Return the scene as plain JSON-able data."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """One simulated recording and everything that was put into it."""

    recording: Recording
    truth: Truth


#: Makes recording number ``take`` (from 1) of the person it was prepared for.
Sitting = Callable[[int], Simulated]


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortKind:
    """A kind of cohort.

    Parameters
    ----------
    title, tasks : str
        What it is; what was done, and what labels, sessions and trials mean.
    labels : tuple of str
        Of the events whose source is ``"protocol"``.
    conditions : tuple of str
        What people may have; they take turns.
    channel : str
        Kind of the muscle channels, ``"semg"`` or ``"needle"``.
    fs_hz : float
        Rate when the scene gives none.
    takes : int
        Recordings of each person.
    take : str
        What one is called: ``"session"``, ``"visit"``, ``"insertion"``.
    seconds : float
        Usual length of a recording.
    prepare : callable
        ``(scene, k)`` to a `Sitting` of person ``k``, counted from 0.
    """

    title: str
    tasks: str
    labels: tuple[str, ...]
    conditions: tuple[str, ...]
    channel: str
    fs_hz: float
    takes: int
    take: str
    seconds: float
    prepare: Callable[[Scene, int], Sitting]

    @property
    def places(self) -> str:
        """Kind of the sites' devices."""
        return "needle" if self.channel == "needle" else "surface"

    def names(self, scene: Scene) -> list[list[str]]:
        """Return the names of all recordings, one list a person."""
        takes = scene.takes or self.takes
        return [
            [f"{pseudonym(k, scene.people)}/{self.take}-{n + 1}" for n in range(takes)]
            for k in range(scene.people)
        ]

    def checked(self, scene: Scene) -> Scene:
        """Return the scene, or refuse what this kind cannot do."""
        if scene.condition and scene.condition not in self.conditions:
            raise ParameterError(
                f"condition must be one of {list(self.conditions)}; got {scene.condition!r}."
            )
        least = 8000.0 if self.channel == "needle" else 500.0
        if scene.fs_hz and scene.fs_hz < least:
            raise ParameterError(
                f"fs_hz must be at least {least:g} for these electrodes; got {scene.fs_hz:g}."
            )
        if scene.fs_hz > _FASTEST_HZ:
            raise ParameterError(
                f"fs_hz must be at most {_FASTEST_HZ:g}; got {scene.fs_hz:g}. No amplifier of "
                f"muscle signals samples faster; {self.fs_hz:g} is usual here."
            )
        return scene


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a cohort before they have a body.

    Parameters
    ----------
    person : Person
    seed : int
        Everything of this person comes from it.
    site : Site
        With the device at the rate of the scene.
    condition : str
        One of the kind's.
    """

    person: Person
    seed: int
    site: Site
    condition: str

    @property
    def device(self) -> Device:
        """What they are recorded with."""
        return self.site.device

    def labels(self, **more: Any) -> dict[str, Any]:
        """Return what the truth says in words and numbers."""
        return {
            "simulated": True,
            "condition": self.condition,
            "person": asdict(self.person),
            "seed": self.seed,
            "site": self.site.name,
            "device": self.device.to_dict(),
            **more,
        }

    def recording(
        self, found: Contaminated, layout: Layout, events: tuple[Event, ...], session: str
    ) -> Recording:
        """Return the recording of a signal, marked as simulated."""
        subject = Subject(
            self.person.pseudonym,
            age_years=self.person.age_years,
            sex=self.person.sex,
            height_cm=self.person.height_cm,
            condition=f"simulated: {self.condition}",
        )
        made = StepRecord.of("simulate", {"seed": self.seed, "session": session})
        return Recording(
            found.samples,
            layout,
            events=events,
            subject=subject,
            session=session,
            site=self.site.name,
            device=f"{DEVICE}, {self.device.name}",
            recipe=Recipe((made,)),
        )

    def seen(self, muaps: NDArray[Any]) -> NDArray[np.float32]:
        """Return potentials as this device records them, on half as many samples again."""
        room = muaps.shape[-1] // 2
        padded = np.pad(muaps, [(0, 0)] * (muaps.ndim - 1) + [(0, room)])
        return self.device.passed(padded).astype(np.float32)


def pseudonym(index: int, people: int) -> str:
    """Return the name of person ``index``, counted from 0."""
    return f"sim-{index + 1:0{max(3, len(str(people)))}d}"


def person_seed(scene: Scene, index: int) -> int:
    """Return the seed of a person: it depends on the cohort's seed and their number alone."""
    return int(stream(scene.seed, "cohort-person", index).integers(2**31))


def member(
    kind: CohortKind, scene: Scene, index: int, *, ages: tuple[float, float] = (20.0, 70.0)
) -> Member:
    """Draw a person of a cohort: age, sex, height, site and condition.

    Parameters
    ----------
    kind : CohortKind
    scene : Scene
    index : int
        From 0.
    ages : tuple of 2 floats
        Years.
    """
    own = person_seed(scene, index)
    rng = stream(own, "who")
    sex = str(rng.choice(["female", "male"]))
    age = round(float(rng.uniform(*ages)), 1)
    height = 178.0 if sex == "male" else 165.0
    height += 6.5 * float(np.clip(rng.standard_normal(), -2.5, 2.5))
    places = sites(kind.places, scene.n_sites, seed=scene.seed)
    site = places[int(stream(own, "site").integers(len(places)))]
    if not scene.own_rates:
        site = replace(site, device=site.device.at(scene.fs_hz or kind.fs_hz))
    condition = scene.condition or kind.conditions[index % len(kind.conditions)]
    person = Person(
        pseudonym=pseudonym(index, scene.people),
        age_years=age,
        sex=sex,
        height_cm=round(height, 1),
        condition=condition,
    )
    return Member(person, own, site, condition)


def sitting(kind: CohortKind, scene: Scene, index: int) -> Sitting:
    """Build a person and return what records them.

    Parameters
    ----------
    kind : CohortKind
    scene : Scene
    index : int
        From 0, below ``scene.people``.
    """
    if not 0 <= index < scene.people:
        raise ParameterError(f"index must lie within 0 and {scene.people - 1}; got {index}.")
    return kind.prepare(kind.checked(scene), index)


def scaled(library: MuapLibrary, share: float) -> MuapLibrary:
    """Return potentials of which each simulated fibre stands for ``1 / share`` of them."""
    return replace(library, values=(library.values / share).astype(np.float32))


def surface_layout(n: int, fs_hz: float, *, muscle: str = "") -> Layout:
    """Describe surface channels."""
    return Layout(
        fs_hz, tuple(Channel(f"emg{i + 1}", kind="semg", muscle=muscle) for i in range(n))
    )
