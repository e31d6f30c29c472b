"""Lock: the fingerprint by which a model file is told from any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any

from myograph.core.errors import ArtifactError, FormatError
from myograph.core.recipe import digest_of
from myograph.pipeline.artifact import load_model, read_manifest

__all__ = ["Lock"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Lock:
    """What identifies one model file, byte for byte.

    Digests say that a file is the one that was locked. They do not say who made it: for that a
    signature is needed.

    Parameters
    ----------
    file : str
        Name of the file, without its folder.
    sha256 : str
        Of the whole file.
    size_bytes : int
    seal : str
        Of its manifest: what the model is, expects and learned from.
    members : mapping of str to str
        The sha256 of each part of the file.
    definition : str
        sha256 of the pipeline's configuration.
    """

    file: str
    sha256: str
    size_bytes: int
    seal: str
    members: Mapping[str, str] = field(default_factory=dict)
    definition: str = ""

    @classmethod
    def of(cls, path: str | PathLike[str]) -> Lock:
        """Lock a model file that has proved itself: its digests are right, its outputs reproduced.

        Raises
        ------
        ArtifactError
            If the file is damaged, altered, or does not give its golden outputs.
        """
        path = Path(path)
        load_model(path)
        manifest = read_manifest(path)
        content = path.read_bytes()
        return cls(
            path.name,
            sha256(content).hexdigest(),
            len(content),
            digest_of(manifest),
            dict(manifest["sha256"]),
            digest_of(manifest["pipeline"]),
        )

    def check(self, path: str | PathLike[str]) -> None:
        """Refuse a file that is not, byte for byte, the one that was locked.

        Raises
        ------
        ArtifactError
            If the file cannot be read, or is another.
        """
        path = Path(path)
        try:
            found = sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise ArtifactError(f"{path} cannot be read: {error.strerror}.") from error
        if found != self.sha256:
            raise ArtifactError(
                f"{path} is not the model that was locked: its sha256 begins with {found[:12]}, "
                f"that of the locked {self.file} with {self.sha256[:12]}. Use the locked file, or "
                "evaluate the new one and lock that."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the lock as plain JSON-able data."""
        return {
            "format": FORMAT,
            "file": self.file,
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
            "seal": self.seal,
            "members": dict(self.members),
            "definition": self.definition,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Lock:
        """Rebuild a lock from what `to_dict` gave.

        Raises
        ------
        FormatError
            If the data are of another format or lack a field.
        """
        if data.get("format") != FORMAT:
            raise FormatError(
                f"A model lock of format {data.get('format')!r} was given; this version of "
                f"Myograph reads format {FORMAT}."
            )
        try:
            return cls(**{name: data[name] for name in cls.__slots__})
        except KeyError as error:
            raise FormatError(f"This is not a whole model lock: {error} is missing.") from error
