"""Build a release and try it: `make release V=1.2.3`.

Refuses unless version, changelog and page agree, the documentation has no open figure, and the
working tree is clean; then builds the source distribution and the wheel, installs the wheel with
the locked packages into an empty environment, and asks the server that runs from it. Publishing and
tagging are left to a person.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import time
import urllib.request
import zipfile
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
STATIC = "studysmart/web/static/"
PATIENCE_S = 30.0


def main(wanted: str) -> None:
    """Check, build, try."""
    faults = [*disagreements(wanted), *open_ends()]
    if faults:
        sys.exit("\n".join(faults))
    for old in DIST.glob("studysmart-*"):
        old.unlink()
    run(sys.executable, "-m", "hatchling", "build", "-d", str(DIST))
    wheel = DIST / f"studysmart-{wanted}-py3-none-any.whl"
    check_archives(wheel, DIST / f"studysmart-{wanted}.tar.gz")
    smoke(wheel, wanted)
    print(f"{wheel.relative_to(ROOT)} works. Now: git tag v{wanted} && git push --tags")


def disagreements(wanted: str) -> list[str]:
    """Where something names another version."""
    said = {
        "V": wanted,
        "src/studysmart/__init__.py": _first(r'__version__ = "(.+)"', "src/studysmart/__init__.py"),
        "CHANGELOG.md": _first(r"(?m)^## \[?([\d.]+)", "CHANGELOG.md"),
        "frontend/package.json": json.loads((ROOT / "frontend/package.json").read_text())[
            "version"
        ],
    }
    return [] if len(set(said.values())) == 1 else [f"versions differ: {said}"]


def _first(pattern: str, file: str) -> str:
    found = re.search(pattern, (ROOT / file).read_text())
    return found[1] if found else "none"


def open_ends() -> list[str]:
    """What must not be released yet."""
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout.strip()
    found = ["the working tree is not clean"] if changed else []
    for file in [ROOT / "README.md", ROOT / "docs" / "figures.md"]:
        count = file.read_text().count("<!-- figure -->")
        if count:
            found.append(f"{file.relative_to(ROOT)}: {count} figures are still open")
    return found


def check_archives(wheel: Path, source: Path) -> None:
    """Both carry the built page, each file of it once."""
    with tarfile.open(source) as archive:
        packed = [name for name in archive.getnames() if STATIC in name]
    for name, names in {
        wheel.name: [n for n in zipfile.ZipFile(wheel).namelist() if STATIC in n],
        source.name: packed,
    }.items():
        twice = [one for one, count in Counter(names).items() if count > 1]
        if twice or not any(one.endswith("static/index.html") for one in names):
            sys.exit(f"{name} does not carry the page exactly once: {twice or 'it is missing'}")


def smoke(wheel: Path, wanted: str) -> None:
    """Install into an empty environment, serve from there, ask."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        run(sys.executable, "-m", "venv", str(home / "venv"))
        pip = [str(home / "venv/bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
        run(*pip, "--require-hashes", "-r", str(ROOT / "requirements" / "main.txt"))
        run(*pip, "--no-deps", str(wheel))
        serve = [str(home / "venv/bin/studysmart"), "serve", "--port", "0",
                 "--data-dir", str(home / "data")]  # fmt: skip
        out = home / "out"
        with out.open("w") as told:
            server = subprocess.Popen(
                serve, cwd=home, stdout=told, stderr=subprocess.STDOUT,
                env={**os.environ, "HOME": folder},
            )  # fmt: skip
        try:
            address = _address(out, server)
            told_version = json.loads(_get(f"{address}/api"))["version"]
            if told_version != wanted or b"<script" not in _get(f"{address}/dashboard"):
                sys.exit(f"the wheel does not serve {wanted} with its page: {told_version}")
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE_S)


def _address(out: Path, server: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and server.poll() is None:
        found = re.search(r"http://[\d.]+:\d+", out.read_text())
        if found:
            return found[0]
        time.sleep(0.1)
    sys.exit(f"the server did not start:\n{out.read_text()}")


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as reply:  # noqa: S310 - our own loopback
        return bytes(reply.read())


def run(*command: str) -> None:
    """Run a command, loudly when it fails."""
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not re.fullmatch(r"\d+\.\d+\.\d+", sys.argv[1]):
        sys.exit("which version? make release V=1.2.3")
    main(sys.argv[1])
