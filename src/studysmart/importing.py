"""Bringing a log of answers from elsewhere: read whole, checked by line, stored in small steps.

A row's id is made from the set's name, the learner and the row's place, so that importing a file
again adds only what is new, and an import that was cut off is finished by running it again.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO
from uuid import UUID, uuid5

from studysmart.errors import BadInput
from studysmart.store import Tx, attempts, jobs, learners

_IMPORTED = UUID("0d7c3c9a-3c36-4b0b-8b35-9a2b6a1e9c11")

REQUIRED = ("learner", "correct")
OPTIONAL = ("item", "skill", "topic", "subject", "difficulty", "response_time_s", "timestamp")
FAULTS_SHOWN = 20
BATCH = 2_000
# Training waits until so many seconds after the last batch: one run over all of it, not one per
# batch.
HOLD_S = 2.0


@dataclass(frozen=True, slots=True)
class Row:
    """One answer of the log.

    timestamp: Unix seconds (or seconds from any start) of the answer.
    """

    learner: str
    place: int
    correct: bool
    item: str | None
    skill: str | None
    topic: str | None
    subject: str | None
    difficulty: str | None
    response_time_s: float | None
    timestamp: float | None


def parse(file: TextIO) -> list[Row]:
    """Read a CSV with a header. Rows come back in the order in which they will be learned from.

    Needed columns: learner, correct (0 or 1). Known ones: item, skill, topic, subject, difficulty,
    response_time_s (seconds, empty when unknown), timestamp. Rows with `expanded` = 1 (a second
    skill of the answer before) are joined to it: counted twice, an answer would tell its own
    outcome.

    Raises:
        BadInput: naming every faulty line (the first twenty), what was found and what was expected.
    """
    reader = csv.reader(file)
    header = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        msg = (
            f"line 1: the header has no column {' and no column '.join(missing)}; expected at "
            f"least learner,correct and optionally {','.join(OPTIONAL)}; "
            f"found {','.join(header) or 'nothing'}"
        )
        raise BadInput(msg, code="bad_csv")
    column = {name: index for index, name in enumerate(header)}
    rows: list[Row] = []
    faults: list[str] = []
    places: Counter[str] = Counter()
    for cells in reader:
        if not cells:
            continue
        if len(cells) != len(header):
            faults.append(
                f"line {reader.line_num}: {len(cells)} cells, "
                f"expected {len(header)} as in the header"
            )
        else:
            try:
                row = _row(cells, column, places)
            except ValueError as fault:
                faults.append(f"line {reader.line_num}: {fault}")
            else:
                if _cell(cells, column, "expanded") == "1" and rows:
                    rows[-1] = _joined(rows[-1], row)
                else:
                    places[row.learner] += 1
                    rows.append(row)
        if len(faults) >= FAULTS_SHOWN:
            faults.append("... and perhaps more; nothing after this line was read")
            break
    if faults:
        msg = "nothing was imported:\n" + "\n".join(faults)
        raise BadInput(msg, code="bad_csv")
    if not rows:
        msg = "the file has a header and no rows; nothing was imported"
        raise BadInput(msg, code="bad_csv")
    if all(row.timestamp is not None for row in rows):
        rows.sort(key=lambda row: (row.timestamp, row.place))
    return rows


def batches(rows: list[Row]) -> Iterator[list[Row]]:
    """Small steps, so that nobody who practises meanwhile waits for the write lock."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def add(tx: Tx, name: str, rows: list[Row], *, now: float) -> int:
    """Store one batch; returns how many rows were new.

    name: of the set; learners, items and skills of different sets are different ones.
    """
    external = {row.learner: _external(name, row.learner) for row in rows}
    known = learners.imported(tx, external.values())
    for own, external_id in external.items():
        if external_id not in known:
            known[external_id] = learners.add(
                tx, name=own[:200], source="import", external_id=external_id, now=now
            )
    jobs.hold(tx, until=now + HOLD_S)
    return attempts.add_new(
        tx, [_values(name, row, known[external[row.learner]], now=now) for row in rows]
    )


def _values(name: str, row: Row, learner_id: UUID, *, now: float) -> dict[str, Any]:
    place = f"{name}\n{row.learner}\n{row.place}"
    return {
        "id": uuid5(_IMPORTED, place),
        "learner_id": learner_id,
        "source": "import",
        "subject": row.subject,
        "topic": row.topic,
        "skill": _scoped(name, row.skill),
        "difficulty": row.difficulty,
        "item": _scoped(name, row.item),
        "is_correct": row.correct,
        "self_marked": False,
        "response_time_s": row.response_time_s,
        "time_plausible": row.response_time_s is not None and 0.05 <= row.response_time_s <= 86_400,
        "counts": True,
        "answered_at": row.timestamp,
        "received_at": now,
        "body_sha256": hashlib.sha256(repr(row).encode()).hexdigest(),
    }


def _external(name: str, learner: str) -> str:
    full = f"{name}:{learner}"
    return full if len(full) <= 200 else hashlib.sha256(full.encode()).hexdigest()


def _scoped(name: str, label: str | None) -> str | None:
    return None if label is None else _external(name, label)


def _row(cells: list[str], column: dict[str, int], places: Counter[str]) -> Row:
    learner = _cell(cells, column, "learner")
    if learner is None:
        msg = "the column learner is empty"
        raise ValueError(msg)
    correct = _cell(cells, column, "correct")
    if correct not in {"0", "1"}:
        msg = f"correct is {correct!r}, expected 0 or 1"
        raise ValueError(msg)
    labels = {}
    for name in ("item", "skill", "topic", "subject", "difficulty"):
        label = _cell(cells, column, name)
        if label is not None and len(label) > 200:
            msg = f"{name} has {len(label)} characters, at most 200 are kept"
            raise ValueError(msg)
        labels[name] = label
    return Row(
        learner=learner,
        place=places[learner],
        correct=correct == "1",
        response_time_s=_number(cells, column, "response_time_s", least=0.0),
        timestamp=_number(cells, column, "timestamp", least=-math.inf),
        **labels,
    )


def _cell(cells: list[str], column: dict[str, int], name: str) -> str | None:
    index = column.get(name)
    return (cells[index].strip() or None) if index is not None else None


def _number(cells: list[str], column: dict[str, int], name: str, *, least: float) -> float | None:
    text = _cell(cells, column, name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < least:
        wanted = "a number" if least == -math.inf else f"a number of at least {least:g}"
        msg = f"{name} is {text!r}, expected {wanted} or nothing"
        raise ValueError(msg)
    return value


def _joined(first: Row, second: Row) -> Row:
    skills = sorted({*(first.skill or "").split("_"), second.skill or ""} - {""})
    return Row(
        learner=first.learner,
        place=first.place,
        correct=first.correct,
        item=first.item,
        skill="_".join(skills) or None,
        topic=first.topic,
        subject=first.subject,
        difficulty=first.difficulty,
        response_time_s=first.response_time_s,
        timestamp=first.timestamp,
    )
