"""Laws of the repository itself: what is in it, what must not be, what the docs must name."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import studysmart

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
LOCKS = ["main", "dev", "node"]


@cache
def tracked() -> tuple[Path, ...]:
    """What git has, or would have: untracked files that are not ignored count too."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: the rules are about what is tracked")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    return tuple(path for name in listed if name and (path := ROOT / name).is_file())


def tool(name: str) -> ModuleType:
    """A script of tools/, as a module."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module


def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    """Bare, normalised package names."""
    return {re.split(r"[\s\[<>=!~;]", line)[0].lower().replace("_", "-") for line in requirements}


# -- what must not be in it --


def test_no_tracked_file_is_larger_than_a_mebibyte():
    """Binaries, models and data sets stay out of the history."""
    large = {path.name: path.stat().st_size for path in tracked() if path.stat().st_size > 2**20}
    assert {} == large


# Written in pieces, so that this file does not break its own rule.
FORBIDDEN = {
    "a package index or registry": re.compile(
        r"https?://[^/\s\"']*(?:" + "|".join(["py" + "pi", "npm" + "js", "regis" + "try",
        "pythonhos" + "ted", "arti" + "factory", "yarn" + "pkg"]) + ")", re.IGNORECASE),
    "an index option with a value": re.compile(r"--(?:extra-)?index-url[= ]\s*\S|_auth" + "Token"),
    "an absolute path of one machine": re.compile(
        r"(?<![\w.~}/-])/(?:" + "|".join(["ro" + "ot", "wo" + "rk", "ho" + "me", "Us" + "ers"])
        + r")/\w"),
}  # fmt: skip


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names_a_host_or_a_place_of_one_machine(what):
    """What is tracked works everywhere and tells nothing about where it was made."""
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for match in FORBIDDEN[what].finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(ROOT)}:{line}: {match[0]}")
    assert [] == found


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a package index or registry", "see https://" + "py" + "pi.org/simple"),
        ("an index option with a value", "pip install --index" + "-url https://x"),
        ("an absolute path of one machine", 'open("/ho' + 'me/ada/data.csv")'),
    ],
)
def test_the_rules_about_hosts_and_places_can_fail(what, text):
    """Each pattern finds what it is there to find."""
    assert FORBIDDEN[what].search(text)


def test_the_lock_of_the_page_names_no_addresses():
    """Packages come from whatever index npm is set to; their hashes say what they are."""
    lock = json.loads((ROOT / "frontend/package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert [] == [name for name, entry in packages.items() if "resolved" in entry]
    unhashed = [
        name
        for name, entry in packages.items()
        if "integrity" not in entry and not entry.get("link") and not entry.get("inBundle")
    ]
    assert [] == unhashed


CALLS = {"eval", "exec", "compile", "__import__", "sympify", "parse_expr"}
MODULES = {"pickle", "cPickle", "marshal", "shelve", "joblib", "dill", "cloudpickle"}


def code_from_data(tree: ast.AST) -> list[str]:
    """Every way in which a module could turn data into code."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module] if (node.module or "").split(".")[0] in MODULES else []
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in CALLS or called.split(".")[-1] in {"sympify", "parse_expr"}:
                found.append(called)
            if called in {"yaml.load", "yaml.unsafe_load"}:
                found.append(called)
            found += [k.arg for k in node.keywords if k.arg == "allow_pickle" and _true(k.value)]
    return found


def _true(value: ast.expr) -> bool:
    return not (isinstance(value, ast.Constant) and value.value is False)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT / "src").as_posix())
def test_no_source_turns_data_into_code(path):
    """Nothing is unpickled, evaluated or loaded as YAML objects."""
    assert [] == code_from_data(ast.parse(path.read_text()))


@pytest.mark.parametrize(
    "text",
    ["import pickle", "from joblib import load", "eval(x)", "np.load(f, allow_pickle=True)",
     "sympy.sympify(t)", "yaml.load(f)"],
)  # fmt: skip
def test_the_rule_about_code_from_data_can_fail(text):
    """Each kind is found."""
    assert code_from_data(ast.parse(text))


# -- what must be in it --


def test_the_licence_is_there_and_is_the_one_that_is_declared():
    """MIT in the file, in the Python package and in the page's."""
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    page = json.loads((ROOT / "frontend/package.json").read_text())
    assert "MIT" == project()["project"]["license"] == page["license"]


def test_the_newest_entry_of_the_changelog_is_this_version():
    """Nobody meets a version that the changelog does not explain."""
    newest = re.search(r"(?m)^## (\S+)", (ROOT / "CHANGELOG.md").read_text())
    page = json.loads((ROOT / "frontend/package.json").read_text())
    assert newest is not None
    assert studysmart.__version__ == newest[1] == page["version"]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_one_version_and_hashes(lock):
    """An install refuses anything whose hash is not in the list, so every line must have some."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert lines
    loose = [
        line.split()[0]
        for line in lines
        if not re.match(r"[\w.\[\]-]+==\S+", line) or "--hash=sha256:" not in line
    ]
    assert [] == loose


def test_the_locks_have_what_the_project_asks_for():
    """A dependency that was added without `make lock` would be missing on the next machine."""
    asked = project()
    groups = asked["dependency-groups"]
    wanted = {
        "main": asked["project"]["dependencies"] + groups["build"],
        "dev": asked["project"]["dependencies"] + groups["build"] + groups["dev"],
        "node": groups["node"],
    }
    locked = {
        lock: names((ROOT / "requirements" / f"{lock}.txt").read_text().splitlines())
        for lock in LOCKS
    }
    for lock, lines in wanted.items():
        assert set() == names(lines) - locked[lock], lock
    pinned = {
        lock: set(re.findall(r"(?m)^\S+==\S+", (ROOT / "requirements" / f"{lock}.txt").read_text()))
        for lock in ("main", "dev")
    }
    assert set() == pinned["main"] - pinned["dev"], "people run what the tests ran"


def test_every_dependency_has_its_reason():
    """docs/decisions/0002-dependencies.md names each package that is asked for, page included."""
    asked = project()
    page = json.loads((ROOT / "frontend/package.json").read_text())
    wanted = names(
        asked["project"]["dependencies"] + [*chain(*asked["dependency-groups"].values())]
    )
    wanted |= {*page["dependencies"], *page["devDependencies"]}
    text = (ROOT / "docs/decisions/0002-dependencies.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| ")]
    given = {name.strip() for row in rows for name in row.split(",")}
    assert set() == wanted - given, "no reason is given"
    assert set() == given - wanted - {"package", "---"}, "a reason for what is not used"


@pytest.mark.parametrize("path", TESTS, ids=lambda p: p.relative_to(ROOT / "tests").as_posix())
def test_every_test_says_in_a_sentence_what_it_shows(path):
    """The docstring of a test is a sentence about behaviour."""
    mute = [
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not re.match(r"\S.* .*[.!?]", ast.get_docstring(node) or "", re.DOTALL)
    ]
    assert [] == mute


# -- what the documentation must say --


def test_the_reference_is_what_the_code_says():
    """Every verb, option, setting, route and field is in docs/reference; `make docs` writes it."""
    made = tool("reference").pages()
    committed = {name: (ROOT / "docs/reference" / name).read_text() for name in made}
    stale = [name for name, text in made.items() if committed[name] != text]
    assert [] == stale, "run `make docs`"


def test_every_link_and_command_in_the_documentation_leads_somewhere():
    """Files, headings, verbs of make and of the command line exist."""
    assert [] == list(tool("check_docs").faults())


def test_the_index_of_the_documentation_leads_to_every_page():
    """A page that the index does not name would be found by nobody."""
    docs = ROOT / "docs"
    linked = set(re.findall(r"\]\(([^)#]+\.md)\)", (docs / "index.md").read_text()))
    pages = {page.relative_to(docs).as_posix() for page in docs.rglob("*.md")} - {"index.md"}
    assert pages == linked


def test_a_broken_link_or_command_is_found(tmp_path):
    """The check of the documentation can fail, and says where."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)  # noqa: S607
    (tmp_path / "Makefile").write_text("run: ## it\n")
    (tmp_path / "page.md").write_text(
        "# Here\n[ok](#here) [gone](no.md)\n[none](#there)\n`make tea` `make run`\n"
        "```\nstudysmart status\nstudysmart dance\n```\n<!-- [later](later.png) -->\n"
    )
    found = list(tool("check_docs").faults(tmp_path))
    assert [
        "page.md:2: no.md leads nowhere",
        "page.md:3: #there: page.md has no such heading",
        "page.md:4: `make tea` is no verb of the Makefile",
        "page.md:7: `studysmart dance` is no command",
    ] == found


def test_every_verb_of_the_makefile_calls_something_that_exists():
    """A script that a recipe names is in the repository."""
    named = set(re.findall(r"\b(?:tools|bench)/\w+\.py", (ROOT / "Makefile").read_text()))
    assert named
    assert [] == sorted(name for name in named if not (ROOT / name).exists())
