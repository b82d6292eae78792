"""`studysmart evaluate`: reads logs, judges models on them, writes what was found."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO, TypeVar

from rich.console import Console

from studysmart.errors import BadInput
from studysmart.learning.evaluation import Evaluation, evaluate
from studysmart.learning.evaluation_report import to_html, to_markdown
from studysmart.learning.reading import Log, hidden_by, read_mask

SCHEMA = 1
Parsed = TypeVar("Parsed")


def files(
    paths: list[Path],
    models: str,
    *,
    by: str | None,
    test_fold: str | None,
    all_folds: bool,
    mask: Path | None,
    seed: int,
    say: Callable[[str], None] | None = None,
) -> list[Evaluation]:
    """Judge the models on each file, each fit in a process of its own.

    Args:
        paths: CSV files, packed with gzip or not.
        models: names with commas between them.
        by: "learner", "time", or None for what the file suggests.
        test_fold: which fold is forecast; None for the first.
        all_folds: every fold in its turn.
        mask: a CSV of hidden cells, for one file.
        seed: of everything random.
        say: is told what is being done; by default it is shown on standard error.

    Raises:
        BadInput: a file or an option is not what it must be.
    """
    if mask is not None and (len(paths) != 1 or by or all_folds or test_fold):
        msg = "--mask goes with one file, and with no way of splitting"
        raise BadInput(msg)
    if by == "time" and (test_fold or all_folds):
        msg = "--test-fold and --all-folds are about learners; leave --by-time out"
        raise BadInput(msg)
    if test_fold and all_folds:
        msg = "--test-fold and --all-folds exclude each other"
        raise BadInput(msg)
    names = list(dict.fromkeys(name.strip() for name in models.split(",") if name.strip()))
    found = []
    with Console(stderr=True).status("reading") as shown:
        for path in paths:
            log = read(path, Log.read)
            hidden = None
            if mask is not None:
                hidden = hidden_by(log.responses, read(mask, read_mask), str(mask))
            found.append(
                evaluate(
                    log,
                    names,
                    name=f"{path.resolve().parent.name}/{path.name}",
                    by="learner" if all_folds or test_fold else by,
                    test_fold=test_fold,
                    all_folds=all_folds,
                    hidden=hidden,
                    seed=seed,
                    isolated=True,
                    tell=say or shown.update,
                )
            )
    return found


def read(path: Path, parse: Callable[[TextIO, str], Parsed]) -> Parsed:
    """Open a text file, packed with gzip or not, and parse it.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        opener = gzip.open if packed else Path.open
        with opener(path, "rt", encoding="utf-8-sig", newline="") as text:
            return parse(text, str(path))
    except (OSError, EOFError) as error:
        msg = f"{path} cannot be read: {error}"
        raise BadInput(msg) from error


def to_json(found: list[Evaluation]) -> dict[str, Any]:
    """The document of `--json`."""
    return {"schema": SCHEMA, "evaluations": [evaluation.to_json() for evaluation in found]}


def write(found: list[Evaluation], *, as_json: Path | None, as_html: Path | None) -> None:
    """Write the reports that were asked for.

    Raises:
        BadInput: a path cannot be written to.
    """
    try:
        if as_json is not None:
            text = json.dumps(to_json(found), indent=1, allow_nan=False, ensure_ascii=False)
            as_json.write_text(text + "\n", encoding="utf-8")
        if as_html is not None:
            as_html.write_text(to_html(found), encoding="utf-8")
    except OSError as error:
        msg = f"the report cannot be written: {error}"
        raise BadInput(msg) from error


def sound(found: list[Evaluation]) -> bool:
    """Whether every model could be judged and none leaked."""
    return all(r.leak is None and r.error is None for e in found for r in e.results)


__all__ = ["files", "read", "sound", "to_json", "to_markdown", "write"]
