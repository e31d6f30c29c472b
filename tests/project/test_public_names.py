"""Every module says what is public, and what it says is true and documented."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import myograph

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
SECTION = re.compile(r"\nParameters\n-+\n(.*?)(?=\n\n?[A-Z][A-Za-z ]+\n-{3,}|\Z)", re.DOTALL)
ENTRY = re.compile(r"^([*\w][*\w, ]*?)\s*(?::.*)?$")


def public_modules() -> list[str]:
    names = []
    for path in sorted((SOURCE / "myograph").rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        # Loaders of single sources are reached through the registry of datasets only.
        if not any(part.startswith("_") or part == "sources" for part in parts):
            names.append(".".join(parts))
    return names


def documented_parameters(docstring: str) -> list[str] | None:
    """Names in a numpydoc ``Parameters`` section, or None when there is none."""
    match = SECTION.search("\n" + inspect.cleandoc(docstring))
    if match is None:
        return None
    names: list[str] = []
    for line in match[1].splitlines():
        if line and not line.startswith(" ") and (entry := ENTRY.match(line)):
            names += [name.strip().lstrip("*") for name in entry[1].split(",")]
    return names


def accepted_parameters(thing: object) -> list[str] | None:
    try:
        signature = inspect.signature(thing)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return [
        name
        for name in signature.parameters
        if name not in {"self", "cls"} and not name.startswith("_")
    ]


def documented_things(module: object) -> list[tuple[str, object]]:
    """Public functions and classes of ``module``, and the public methods of the classes."""
    found: list[tuple[str, object]] = []
    for name in module.__all__:  # type: ignore[attr-defined]
        thing = getattr(module, name)
        if inspect.isfunction(thing) or inspect.isclass(thing):
            found.append((name, thing))
        if inspect.isclass(thing):
            found += [
                (f"{name}.{method}", member)
                for method, member in vars(thing).items()
                if inspect.isfunction(member) and not method.startswith("_")
            ]
    return found


def test_section_is_read_as_written():
    text = """Do it.

    Parameters
    ----------
    a, b : float
        Numbers.
    *rest : str

    Returns
    -------
    int
    """
    assert documented_parameters(text) == ["a", "b", "rest"]
    assert documented_parameters("Do it.") is None


@pytest.mark.parametrize("name", public_modules())
def test_public_names_exist_and_are_documented(name):
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} does not say what it is for"
    assert hasattr(module, "__all__"), f"{name} does not say what is public"
    assert len(module.__all__) == len(set(module.__all__))
    for thing_name, thing in documented_things(module):
        assert inspect.getdoc(thing), f"{name}.{thing_name} has no docstring"


@pytest.mark.parametrize("name", public_modules())
def test_documented_parameters_are_the_accepted_ones(name):
    module = importlib.import_module(name)
    wrong = []
    for thing_name, thing in documented_things(module):
        documented = documented_parameters(thing.__doc__ or "")
        accepted = accepted_parameters(thing)
        if documented is None or accepted is None:
            continue
        # Numpydoc may group parameters of one type, so the order is free.
        if sorted(documented) != sorted(accepted):
            wrong.append(f"{thing_name}: documents {documented}, accepts {accepted}")
    assert wrong == []


def test_top_level_names_are_there():
    for name in myograph.__all__:
        assert getattr(myograph, name) is not None


def test_every_package_has_a_reference_page():
    """The page lists a package's modules itself; see ``docs/_reference.py``."""
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    packages = {name.split(".")[1] for name in public_modules()}
    for package in sorted(packages):
        page = ROOT / "docs" / "reference" / f"{package}.md"
        assert page.is_file(), f"docs/reference/{package}.md is missing"
        assert f"[modules: myograph.{package}]" in page.read_text(encoding="utf-8")
        assert f"reference/{package}.md" in navigation
