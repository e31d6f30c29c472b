"""Every card is complete, pinned, and readable before anything is downloaded."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from myograph import datasets
from myograph.core.errors import ParameterError
from myograph.core.layout import KIND_UNITS
from myograph.datasets.card import DatasetCard
from myograph.datasets.catalogue import READERS

NAMES = [
    "3dc", "ciil", "cmap-scan", "elderly-emg-force", "fatigue-liu", "gait-poststroke",
    "grasp-force-myo", "knee-lowerlimb", "lis-emg-imu", "longitudinal", "longterm-myo-30day",
    "motor-units", "muap-table", "myo-cotellard", "needle-emgdb", "needle-n2001", "needle-nmd",
    "simulated", "uci-gestures",
]  # fmt: skip

cards = pytest.mark.parametrize("card", datasets.catalogue(), ids=lambda card: card.name)


def test_the_catalogue_holds_every_source_and_the_simulated_cohort() -> None:
    assert sorted(datasets.DATASETS) == NAMES
    assert sorted(READERS) == [name for name in NAMES if name != "simulated"]


@cards
def test_a_card_is_complete(card: DatasetCard) -> None:
    for text in (card.name, card.title, card.citation, card.people, card.tasks, card.licence):
        assert text.strip() == text != ""
    assert set(card.kinds) <= set(KIND_UNITS)
    assert bool(card.kinds) == bool(card.fs_hz)
    assert card.simulated or re.fullmatch(r"[0-9a-f]{64}", card.sha256)
    assert len(set(card.labels)) == len(card.labels)


@cards
def test_sources_are_pinned_to_a_commit_and_keep_only_the_data(card: DatasetCard) -> None:
    for source in card.sources:
        assert re.fullmatch(r"[0-9a-f]{40}", source.commit)
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", source.repository)
        assert source.tarball == (
            f"https://codeload.github.com/{source.repository}/tar.gz/{source.commit}"
        )
        assert source.keep
        assert "*" not in source.keep
    folders = [source.folder for source in card.sources]
    assert len(set(folders)) == len(folders)


@cards
def test_the_terms_name_source_licence_and_citation(card: DatasetCard) -> None:
    terms = card.terms()
    assert card.licence in terms
    assert card.citation in terms
    for source in card.sources:
        assert source.repository in terms


@cards
def test_a_card_can_be_printed_as_json(card: DatasetCard) -> None:
    data = json.loads(json.dumps(card.to_dict()))
    assert data["name"] == card.name
    assert data["licence"] == card.licence
    assert len(data["sources"]) == len(card.sources)


@cards
def test_a_citation_key_is_in_the_references(card: DatasetCard) -> None:
    references = (Path(__file__).parents[2] / "references.bib").read_text(encoding="utf-8")
    if card.citation_key:
        assert f"{{{card.citation_key}," in references


def test_real_data_without_a_source_is_no_card() -> None:
    with pytest.raises(ParameterError, match="needs at least one source"):
        DatasetCard(name="x", title="x", citation="x", people="1", tasks="x")


def test_an_unknown_name_lists_the_known_and_the_nearest() -> None:
    with pytest.raises(ParameterError, match=r"dataset must be one of .*Did you mean '3dc'"):
        datasets.load("3d")
    with pytest.raises(ParameterError, match="dataset must be one of"):
        datasets.get("nothing")


def test_simulated_people_have_no_files_to_get() -> None:
    assert datasets.available("simulated")
    with pytest.raises(ParameterError, match="there are no files to get"):
        datasets.get("simulated")
