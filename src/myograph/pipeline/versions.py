"""Versions: which releases of which packages computed something."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from myograph import __version__
from myograph.config.schema import PipelineConfig
from myograph.models import MODELS
from myograph.models.detector import DETECTORS

__all__ = ["LEARNING", "installed", "versions"]

#: What every pipeline measures and learns with.
_ALWAYS = ("numpy", "scipy", "numba", "pywavelets", "scikit-learn")
#: Distributions of one module, the first that is installed.
_NAMES = {"xgboost": ("xgboost", "xgboost-cpu")}

#: What some models and gates learn with, besides what every pipeline needs.
LEARNING = tuple(
    sorted({name for kind in (MODELS, DETECTORS) for each in kind for name in kind[each].packages})
)


def versions(*configs: PipelineConfig) -> dict[str, str]:
    """Say what computes pipelines: Myograph, Python, and the packages they measure and learn with.

    Examples
    --------
    >>> sorted(versions(PipelineConfig()))
    ['myograph', 'numba', 'numpy', 'python', 'pywavelets', 'scikit-learn', 'scipy']
    """
    learning = {name for config in configs for name in _learns_with(config)}
    return {
        "myograph": __version__,
        "python": platform.python_version(),
        **installed((*_ALWAYS, *sorted(learning))),
    }


def installed(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of packages by the names they are installed under; none if absent.

    Examples
    --------
    >>> installed(["a-package-nobody-made"])
    {}
    """
    found = {}
    for package in packages:
        for name in _NAMES.get(package, (package,)):
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
            break
    return found


def _learns_with(config: PipelineConfig) -> tuple[str, ...]:
    gate = () if config.novelty is None else DETECTORS[config.novelty.name].packages
    return (*MODELS[config.model.name].packages, *gate)
