"""The lock of a model file: its own bytes and no others."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from myograph.core.errors import ArtifactError, FormatError
from myograph.core.recording import Recording
from myograph.pipeline.artifact import read_manifest, save_model
from myograph.pipeline.lock import Lock
from myograph.pipeline.pipeline import Pipeline


@pytest.fixture
def saved(make_recording: Callable[..., Recording], tmp_path: Path) -> Path:
    pipeline = Pipeline({"features": ["mav"], "model": {"name": "lda"}})
    pipeline.fit(pipeline.prepare([make_recording(subject=who) for who in ("a", "b")]))
    return save_model(pipeline, tmp_path / "m.myomodel", card="# card")


def test_it_holds_the_digests_of_the_file(saved: Path) -> None:
    lock = Lock.of(saved)
    assert lock.sha256 == sha256(saved.read_bytes()).hexdigest()
    assert lock.size_bytes == saved.stat().st_size
    assert dict(lock.members) == read_manifest(saved)["sha256"]
    assert Lock.from_dict(lock.to_dict()) == lock
    lock.check(saved)


def test_one_other_byte_is_another_model(saved: Path) -> None:
    lock = Lock.of(saved)
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    saved.write_bytes(bytes(content))
    with pytest.raises(ArtifactError, match="is not the model that was locked"):
        lock.check(saved)
    with pytest.raises(ArtifactError, match="cannot be read"):
        lock.check(saved.with_name("gone"))


def test_other_formats_are_refused() -> None:
    with pytest.raises(FormatError, match="format 2"):
        Lock.from_dict({"format": 2})
    with pytest.raises(FormatError, match="not a whole model lock"):
        Lock.from_dict({"format": 1})
