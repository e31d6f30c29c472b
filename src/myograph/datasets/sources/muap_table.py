"""Mean motor-unit potential measures of 34 people: normal, motor neuron disease, myopathy."""

from __future__ import annotations

import numpy as np

from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents
from myograph.datasets.files import Files
from myograph.datasets.table import Table, read_table

CLASSES = {1: "normal", 2: "motor neuron disease", 3: "myopathy"}

CARD = DatasetCard(
    name="muap-table",
    title="Motor-unit potential measures, mean and SD over 20 potentials, biceps, 34 people",
    sources=(
        Source(
            "belya/emg-internship",
            commit="532b586268fab9fa082ece9caeb08ec43e9a258d",
            licence="none stated",
            keep=("data/muap.csv",),
        ),
    ),
    citation=(
        "Pattichis C. S., Schizas C. N., Middleton L. T. (1995). Neural network models in EMG "
        "diagnosis. IEEE Transactions on Biomedical Engineering 42(5), 486-496"
    ),
    people="34: 12 normal, 11 motor neuron disease, 11 myopathy",
    tasks=(
        "Table 'muap', one row a person: duration, amplitude, spike duration, spike area, phases, "
        "turns, area, each as mean (Mn) and SD; 'condition' is the class in words."
    ),
    notes=("A table of means: no signals, no single potentials.",),
    sha256="d9667ccbc3d4817265b2097fef1b1b9f8bf412d8060815bf331c2f9d085d9298",
)

_UNITS = {"Dur": "ms", "Amp": "mV", "SpD": "ms", "Ph": "1", "Tur": "1"}


def read(files: Files) -> Contents:
    """Read the one table."""
    ((path, _), *_) = files.find(r"muap\.csv$")
    units = {f"{name}{kind}": unit for name, unit in _UNITS.items() for kind in ("Mn", "SD")}
    table = read_table(path, units=units, text=("Pat.No.",))
    condition = np.array([CLASSES[int(number)] for number in table["Cls"]])
    return Contents(tables={"muap": Table({**table.columns, "condition": condition}, table.units)})
