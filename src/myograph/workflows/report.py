"""Write the report of a result that was saved earlier."""

from __future__ import annotations

from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

from myograph.workflows.evaluate import MATERIAL, REPORT, result_folder
from myograph.workflows.outputs import read_json, write_text

__all__ = ["report"]


def report(
    folder: str | PathLike[str], out: str | PathLike[str] | None = None, *, force: bool = False
) -> Path:
    """Write the page of the result in ``folder``.

    Parameters
    ----------
    folder : path
        What ``myograph evaluate --out`` wrote; its ``result.json`` does as well.
    out : path, optional
        The HTML file; ``report.html`` in the folder by default.
    force : bool
        Overwrite it.

    Raises
    ------
    DataError
        If the folder holds no result, or a damaged one.
    OutputExistsError
        If the file exists and ``force`` is not given.
    """
    from myograph.report.evaluation import evaluation_page
    from myograph.report.material import Material
    from myograph.validate.result import ValidationResult

    folder = result_folder(folder)
    result = ValidationResult.load(folder)
    kept = folder / MATERIAL
    material = Material.from_dict(read_json(kept)) if kept.is_file() else Material()
    page = evaluation_page(result, material, written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    return write_text(Path(out) if out else folder / REPORT, page, force=force)
