"""Bridges: recordings in other people's structures, and back, so that nobody has to choose.

Each tool has one module: `mne <myograph.io.bridges.mne>`, `pandas <myograph.io.bridges.frame>`,
`LibEMG <myograph.io.bridges.libemg>`, `openhdemg <myograph.io.bridges.openhdemg>`.
"""

from myograph.io.bridges.frame import from_pandas, to_pandas
from myograph.io.bridges.libemg import LibEMGData, from_libemg, to_libemg
from myograph.io.bridges.mne import from_mne, to_mne
from myograph.io.bridges.openhdemg import from_openhdemg, to_openhdemg

__all__ = [
    "LibEMGData",
    "from_libemg",
    "from_mne",
    "from_openhdemg",
    "from_pandas",
    "to_libemg",
    "to_mne",
    "to_openhdemg",
    "to_pandas",
]
