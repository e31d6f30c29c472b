"""Motor units and force over months: after knee surgery, and over resistance training."""

from __future__ import annotations

from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents
from myograph.datasets.files import Files
from myograph.datasets.spreadsheet import read_sheet
from myograph.datasets.table import read_table, table_of

CARD = DatasetCard(
    name="longitudinal",
    title="Motor units and force at several visits: 27 people after ACL surgery, older adults",
    sources=(
        Source(
            "robertbuhmann/prospective_ACL_motorUnit_study",
            commit="b418637b8867726283a48026b9e8d7e3f8c6fdd2",
            licence="none stated",
            keep=("ModellingData.csv",),
            folder="acl",
        ),
        Source(
            "orssatto/RT-PICs-ageing",
            commit="65e59b6f2b9e199b61e348c9210bc661036ae8d8",
            licence="CC0-1.0",
            keep=("*.csv", "*.xlsx", "LICENSE"),
            folder="resistance-training",
        ),
    ),
    citation=(
        "Buhmann R. et al. Quadriceps muscle sub-maximal motor unit firing characteristics and "
        "knee extensor strength following anterior cruciate ligament reconstruction; Orssatto L. "
        "et al. Intrinsic motor neurone excitability is increased after resistance training in "
        "older adults"
    ),
    people="27 after surgery (5 visits), 13 to 17 in training (3 times)",
    tasks=(
        "Table 'acl': motor-unit rates and force of both limbs by visit ('time'). Tables 'delta-f' "
        "(all units), 'delta-f-tracked' (units followed) and 'function' (strength and mobility) of "
        "the training study; its times are c1, c2 (control period) and post."
    ),
    notes=("Tables of summary measures: no signals.",),
    sha256="e18c3f74c3a8cb1c5bfd681cda96f895931273604b1998400720cfd87b3e5d3f",
)

_TEXT = ("id", "sex", "limb", "muscle", "time", "participant")
_FILES = {
    "acl": r"ModellingData\.csv$",
    "delta-f": r"Delta_f_20_40\.csv$",
    "delta-f-tracked": r"Delta F soleus 20perc_TRACKED_MUs\.csv$",
}


def read(files: Files) -> Contents:
    """Read the tables of both studies."""
    tables = {}
    for name, pattern in _FILES.items():
        ((path, _), *_) = files.find(pattern)
        tables[name] = read_table(path, text=_TEXT)
    ((path, _), *_) = files.find(r"rmcorr_final\.xlsx$")
    header, *rows = read_sheet(path)
    tables["function"] = table_of(header, rows, text=_TEXT)
    return Contents(tables=tables)
