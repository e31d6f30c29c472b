"""Named cohorts: what they are, where they come from, and their recordings.

``catalogue()`` lists them, ``get(name)`` brings the files here once, ``load(name)`` gives the
people and their recordings. Every card says what is wrong with the data and how it is handled;
every dataset says what it left out.
"""

from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.catalogue import DATASETS, catalogue
from myograph.datasets.dataset import Dataset, Recordings
from myograph.datasets.fetch import cache_folder
from myograph.datasets.files import Dropped
from myograph.datasets.folder import open_folder
from myograph.datasets.load import available, get, load
from myograph.datasets.simulated import SimulatedCohort, simulate
from myograph.datasets.table import Table

__all__ = [
    "DATASETS",
    "Dataset",
    "DatasetCard",
    "Dropped",
    "Recordings",
    "SimulatedCohort",
    "Source",
    "Table",
    "available",
    "cache_folder",
    "catalogue",
    "get",
    "load",
    "open_folder",
    "simulate",
]
