"""What the project says about itself in several places is the same everywhere."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

import myograph

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.]+)$")
KEY = re.compile(r"^@\w+\{([^,]+),", re.MULTILINE)


@pytest.fixture(scope="module")
def project() -> dict:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    found = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            match = PINNED.match(line)
            assert match, f"constraints.txt: not an exact version: {line!r}"
            found[plain(match[1])] = match[2]
    return found


def plain(name: str) -> str:
    """Return a package's name the way indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(requirement: str) -> str:
    return plain(re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0])


def test_versions_agree(project):
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert myograph.__version__ == project["version"]
    assert re.search(rf"^version: {re.escape(project['version'])}$", citation, re.M)


def test_every_requirement_is_pinned(project, pins):
    wanted = list(project["dependencies"])
    for requirements in project["optional-dependencies"].values():
        wanted += requirements
    names = {requirement_name(requirement) for requirement in wanted} - {"myograph"}
    assert sorted(names - set(pins)) == []


def test_all_means_every_extra_a_user_can_run(project):
    extras = set(project["optional-dependencies"]) - {"dev", "docs", "all"}
    (everything,) = project["optional-dependencies"]["all"]
    named = set(everything.partition("[")[2].rstrip("]").split(","))
    assert named == extras


def test_extras_named_by_the_code_exist(project):
    """A hint `myograph[x]` that pip does not know would be a dead end."""
    extras = set(project["optional-dependencies"])
    wrong = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("needs"):
                named = [k.value for k in node.keywords if k.arg == "extra"]
                wrong += [
                    f"{path.name}: {value.value}"
                    for value in named
                    if isinstance(value, ast.Constant) and value.value not in extras
                ]
    assert wrong == []


def test_reference_keys_are_unique():
    keys = KEY.findall((ROOT / "references.bib").read_text(encoding="utf-8"))
    assert len(keys) == len(set(keys))


def test_every_cited_key_is_in_the_bibliography():
    keys = set(KEY.findall((ROOT / "references.bib").read_text(encoding="utf-8")))
    cited = re.compile(r"\breference=\"([^\"]+)\"")
    missing = {
        f"{path.name}: {key}"
        for path in sorted((ROOT / "src").rglob("*.py"))
        for key in cited.findall(path.read_text(encoding="utf-8"))
        if re.fullmatch(r"[a-z]+\d{4}[a-z]*", key) and key not in keys
    }
    assert sorted(missing) == []
