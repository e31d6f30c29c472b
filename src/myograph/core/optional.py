"""The one door through which optional dependencies pass."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from myograph.core.errors import MissingExtraError

__all__ = ["needs"]


def needs(module: str, *, to: str, extra: str) -> ModuleType:
    """Import ``module``, or say what it is for and how to get it.

    Absent and broken are different things: only absence is translated, a package that is present
    but fails to import keeps its own error.

    Parameters
    ----------
    module : str
        Dotted module name.
    to : str
        What the caller wants to do, as the end of "needed to ...".
    extra : str
        The extra of Myograph that installs it.

    Raises
    ------
    MissingExtraError
        If the package is not installed.

    Examples
    --------
    >>> needs("json", to="read a header", extra="io").__name__
    'json'
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingExtraError(
            f"{module} is needed to {to} and is not installed; "
            f"install it with: pip install 'myograph[{extra}]'."
        ) from error
