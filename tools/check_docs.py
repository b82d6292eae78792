"""Check the documentation without a network: links, headings, images, commands, verbs of make.

Prints every fault with its file and line, and exits with 1 when there is one.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from reference import verbs  # beside this file
from typer.main import get_command

from studysmart.cli import app

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(
    r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]*(?:\([^()]*\))?[^()\s]*)(?:\s+\"[^\"]*\")?\)"
)
CODE = re.compile(r"`+([^`]+)`+")
ELSEWHERE = re.compile(r"https://|mailto:")


def faults(root: Path = ROOT) -> Iterator[str]:
    """Each fault as `file:line: what is wrong`."""
    files = documents(root)
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    typed = {path for path, _ in verbs(get_command(app), "studysmart")}
    for file in files:
        fence = None  # the language of the code block that a line is in
        for number, line in enumerate(_without_comments(file.read_text()).splitlines(), start=1):
            where = f"{file.relative_to(root)}:{number}"
            if line.lstrip().startswith("```"):
                fence = line.strip("` ") if fence is None else None
                continue
            for code in CODE.findall(line) if fence is None else [line] if fence == "" else []:
                yield from (f"{where}: {what}" for what in _commands(code, targets, typed))
            if fence is None:
                for link in LINK.findall(CODE.sub("", line)):
                    what = _broken(link, file, root)
                    if what:
                        yield f"{where}: {what}"


def documents(root: Path) -> list[Path]:
    """All Markdown that git knows, or would."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=root, capture_output=True, check=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    return sorted(root / name for name in listed if name and (root / name).exists())


def _without_comments(text: str) -> str:
    """What is commented out is not there yet; lines keep their numbers."""
    return re.sub(r"<!--.*?-->", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)


def _commands(code: str, targets: set[str], typed: set[str]) -> Iterator[str]:
    for verb in re.findall(r"(?:^|[\s;&|])make ([a-z][a-z-]*)", code):
        if verb not in targets:
            yield f"`make {verb}` is no verb of the Makefile"
    for words in re.findall(r"(?:^|[\s/])studysmart((?: [a-z][a-z-]*)+)", code):
        path = "studysmart" + words
        fits = [verb for verb in typed if path == verb or path.startswith(verb + " ")]
        if not fits and not any(verb.startswith(path + " ") for verb in typed):
            yield f"`{path}` is no command"


def _broken(link: str, file: Path, root: Path) -> str | None:
    if ELSEWHERE.match(link):
        return None
    if link.startswith("http://"):
        return f"{link} is not https"
    path, _, anchor = link.partition("#")
    target = (file.parent / path).resolve() if path else file
    if not target.is_relative_to(root):
        return f"{link} leads out of the project"
    if not target.exists():
        return f"{link} leads nowhere"
    if anchor and anchor not in headings(target):
        return f"{link}: {target.name} has no such heading"
    return None


def headings(file: Path) -> set[str]:
    """The anchors of a page, as forges make them from its headings."""
    text = re.sub(r"^```.*?^```", "", file.read_text(), flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"^#+ +(.+?)\s*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in found}


if __name__ == "__main__":
    found = list(faults())
    sys.stderr.write("".join(f"{fault}\n" for fault in found))
    sys.exit(bool(found))
