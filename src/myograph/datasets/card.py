"""DatasetCard: what a cohort of recordings is, where it comes from and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from myograph.core.errors import ParameterError

__all__ = ["DatasetCard", "Source"]


@dataclass(frozen=True, slots=True)
class Source:
    """One public repository at one commit.

    Parameters
    ----------
    repository : str
        ``owner/name`` on GitHub.
    commit : str
        Full hash of the commit the data are taken from.
    licence : str
        As the source states it; "none stated" when it is silent.
    keep : tuple of str
        Patterns (``fnmatch``) of the files that belong to the data; the rest of the repository is
        never unpacked.
    folder : str
        Where the files go below the dataset's folder, when it has several sources.
    url : str
        Where to download from instead of GitHub; empty in every published card.

    Examples
    --------
    >>> Source("someone/data", commit="0123abc", licence="CC0-1.0", keep=("*.csv",)).tarball
    'https://codeload.github.com/someone/data/tar.gz/0123abc'
    """

    repository: str
    commit: str
    licence: str
    keep: tuple[str, ...]
    folder: str = ""
    url: str = ""

    @property
    def tarball(self) -> str:
        """Address of the repository at this commit, as one compressed archive."""
        return self.url or f"https://codeload.github.com/{self.repository}/tar.gz/{self.commit}"

    def __str__(self) -> str:
        """Read like an address."""
        return f"github.com/{self.repository} @ {self.commit[:12]} ({self.licence})"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetCard:
    """What a dataset is, in words and numbers that a person reads before using it.

    Parameters
    ----------
    name : str
        Name by which it is loaded.
    title : str
        One line.
    sources : tuple of Source
        Where the files come from; empty for simulated data.
    citation : str
        What to cite, with the DOI where there is one.
    citation_key : str
        Key in ``references.bib``; empty when the source is not there.
    people : str
        How many people, as the source has it.
    kinds : tuple of str
        Channel kinds (see `myograph.core.layout.KIND_UNITS`); empty for tables.
    fs_hz : tuple of float
        Sampling rates of the recordings.
    tasks : str
        What was done, what the labels, sessions and trials mean.
    labels : tuple of str
        Labels of the events of source ``"protocol"``.
    defects : tuple of str
        What is wrong in the files, and how the loader deals with it.
    notes : tuple of str
        What may and may not be concluded.
    parts : tuple of str
        Names of the parts that can be loaded alone.
    sha256 : str
        Digest of the mirrored archive that Myograph was tested with.
    simulated : bool
        Whether no person was ever measured.
    """

    name: str
    title: str
    citation: str
    people: str
    tasks: str
    sources: tuple[Source, ...] = ()
    citation_key: str = ""
    kinds: tuple[str, ...] = ()
    fs_hz: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    sha256: str = ""
    simulated: bool = False

    def __post_init__(self) -> None:
        if not self.simulated and not self.sources:
            raise ParameterError(f"Dataset {self.name!r} needs at least one source; got none.")

    @property
    def archive(self) -> str:
        """File name of the dataset in a mirror."""
        return f"{self.name}.tar.xz"

    @property
    def licence(self) -> str:
        """Licences of the sources, in words."""
        if self.simulated:
            return "Apache-2.0 (made by Myograph)"
        return "; ".join(dict.fromkeys(source.licence for source in self.sources))

    def terms(self) -> str:
        """Say where the data come from, under which licence, and what to cite.

        This is what a person is shown before anything is downloaded.
        """
        lines = [f"{self.name}: {self.title}"]
        lines += [f"source:   {source}" for source in self.sources]
        lines += [f"licence:  {self.licence}", f"cite:     {self.citation}"]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain JSON-able data."""
        data = {f.name: getattr(self, f.name) for f in fields(self)}
        for name, value in data.items():
            if isinstance(value, tuple):
                data[name] = list(value)
        data["sources"] = [
            {"repository": s.repository, "commit": s.commit, "licence": s.licence}
            for s in self.sources
        ]
        return {**data, "licence": self.licence, "archive": self.archive}
