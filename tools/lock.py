"""Resolve requirements/*.txt from pyproject.toml.

With hashes, for Linux and macOS, Python 3.11 to 3.13.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--universal",
      "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-annotate",
      "--no-header"]  # fmt: skip
LOCKS = {
    "main": ["pyproject.toml", "--group", "build"],
    "dev": ["pyproject.toml", "--group", "build", "--group", "dev"],
    "node": ["--group", "node"],
}

if __name__ == "__main__":
    for name, sources in LOCKS.items():
        target = f"requirements/{name}.txt"
        subprocess.run([*UV, *sources, "-o", target, *sys.argv[1:]], cwd=ROOT, check=True)
        sys.stderr.write(f"{target}\n")
