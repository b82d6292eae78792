"""`studysmart import responses`: reads, checks, stores, with progress."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

from rich.console import Console
from rich.progress import track

from studysmart import importing
from studysmart.errors import BadInput
from studysmart.settings import Settings
from studysmart.store import Store
from studysmart.store.migrations import migrate


def responses(settings: Settings, file: Path, *, name: str | None) -> None:
    """Import a log of answers.

    Raises:
        BadInput: the file cannot be read, or has faulty lines; nothing was imported.
    """
    console = Console(stderr=True)
    rows = _parse(file)
    name = name or _set_name(file)
    store = Store(settings.where)
    migrate(store)
    new = 0
    steps = list(importing.batches(rows))
    for batch in track(steps, description=f"Importing {name}", console=console):
        with store.write() as tx:
            new += importing.add(tx, name, batch, now=time.time())
    people = len({row.learner for row in rows})
    console.print(
        f"{new:,} new answers of {people:,} learners stored as '{name}' "
        f"({len(rows) - new:,} were there already). The model trains on them in the background."
    )


def _parse(file: Path) -> list[importing.Row]:
    try:
        with file.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        opener = gzip.open if packed else Path.open
        with opener(file, "rt", encoding="utf-8-sig", newline="") as text:
            return importing.parse(text)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        msg = f"{file} cannot be read as a CSV in UTF-8: {error}"
        raise BadInput(msg) from error


def _set_name(file: Path) -> str:
    """Folder and file name: `lkt_cloze/interactions.csv.gz` -> `lkt_cloze.interactions`."""
    stem = file.name.split(".")[0]
    return f"{file.resolve().parent.name}.{stem}"
