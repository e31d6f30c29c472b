"""`import myograph` is light, and each layer stays free of what it must not need."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "myograph"
HEAVY = ("torch", "pandas", "matplotlib", "sklearn", "numba", "mne", "pydantic", "typer")
# The numerics stand on numpy and scipy alone, so that they can be trusted alone.
PLAIN_PACKAGES = ("core", "signal", "twin")
NOT_IN_PLAIN = frozenset({"sklearn", "torch", "pandas", "pydantic", "matplotlib"})
PICKLES = frozenset({"pickle", "shelve", "marshal", "dill", "cloudpickle", "skops"})


def run_python(code: str) -> str:
    """Run ``code`` in a fresh interpreter and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def imported_packages(path: Path) -> set[str]:
    """Top-level names of everything ``path`` imports, wherever it does so."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_import_brings_nothing_heavy():
    loaded = run_python("import sys, myograph; print(' '.join(sys.modules))").split()
    assert "myograph" in loaded
    assert sorted(set(HEAVY) & set(loaded)) == []


def test_import_is_quick():
    clock = (
        "import time; start = time.perf_counter(); import myograph; "
        "print(time.perf_counter() - start)"
    )
    # The best of five: other work on the machine can only add to it.
    best_s = min(float(run_python(clock)) for _ in range(5))
    assert best_s < 0.3


@pytest.mark.parametrize("package", [p for p in PLAIN_PACKAGES if (SOURCE / p).is_dir()])
def test_plain_packages_stay_plain(package):
    folder = SOURCE / package
    offenders = {
        str(path.relative_to(SOURCE)): sorted(bad)
        for path in sorted(folder.rglob("*.py"))
        if (bad := imported_packages(path) & NOT_IN_PLAIN)
    }
    assert offenders == {}


def test_nothing_is_pickled():
    offenders = []
    for path in modules():
        if imported_packages(path) & PICKLES:
            offenders.append(f"{path.name}: imports a pickler")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            for keyword in node.keywords:
                value = keyword.value
                if keyword.arg == "allow_pickle" and not (
                    isinstance(value, ast.Constant) and value.value is False
                ):
                    offenders.append(f"{path.name}:{node.lineno}: allow_pickle")
    assert offenders == []


def test_every_numpy_load_refuses_pickles():
    """`numpy.load` says allow_pickle=False itself, whatever its default is."""
    offenders = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "np.load",
                "numpy.load",
            }:
                names = {keyword.arg for keyword in node.keywords}
                if "allow_pickle" not in names:
                    offenders.append(f"{path.name}:{node.lineno}")
    assert offenders == []
