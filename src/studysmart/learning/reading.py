"""Logs of answers from CSV text or a table: checked, one answer a row, each with its fold."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from studysmart.errors import BadInput
from studysmart.learning.responses import Labels, Responses

LABELS = ("learner", "item", "skill", "topic", "difficulty", "fold")
NUMBERS = ("response_time_s", "timestamp", "at")
TRUTH = {"0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0, "false": 0.0, "true": 1.0}
FLAGS = TRUTH | {"": 0.0}
# Rows are turned into columns in small pieces: a million lists kept at once would have the garbage
# collector go through them again and again.
PIECE = 500
KNOWN = (*LABELS, *NUMBERS, "correct", "expanded")


@dataclass(frozen=True, slots=True)
class Log:
    """Answers, each learner's in order of time, and the fold of each row.

    fold: labels as they were given ("1", "test", ...), (row,); None where there were none.
    """

    responses: Responses
    fold: Labels | None = None

    @classmethod
    def of(cls, table: Any) -> Self:
        """From `Responses`, another log, or a pandas, polars or arrow table.

        Columns: learner, correct, and where known item, skill, topic, difficulty,
        response_time_s (seconds), timestamp or at (Unix seconds of the answer), fold, expanded.

        Raises:
            BadInput: a needed column is missing, or a value is not what it must be; says the row.
        """
        if isinstance(table, cls):
            return table
        if isinstance(table, Responses):
            return cls(table)
        import narwhals as nw

        frame = nw.from_native(table, eager_only=True)
        columns = {}
        for name in set(KNOWN) & set(frame.columns):
            marks = frame[name].is_null().to_list()
            values = zip(frame[name].to_list(), marks, strict=True)
            columns[name] = [
                "" if missing or value != value else str(value) for value, missing in values
            ]
        _require(columns, frame.columns, "the table")
        return cls._from_columns(columns, lambda row: f"the table, row {row + 1}")

    @classmethod
    def read(cls, lines: Iterable[str], name: str) -> Self:
        """From the lines of a CSV file with a header; columns as in `of`.

        Args:
            lines: an open text file, opened with `newline=""`.
            name: of the file, for messages.

        Raises:
            BadInput: naming file and line, what was found and what was expected.
        """
        reader = csv.reader(lines)
        try:
            header = [cell.strip().lower() for cell in next(reader, [])]
            _require(header, header, name)
            columns: dict[str, list[str]] = {key: [] for key in KNOWN if key in header}
            shared: dict[str, str] = {}  # a label is one string, however often it comes
            piece: list[list[str]] = []
            ends: list[int] = []

            def keep() -> None:
                by_name = dict(zip(header, zip(*piece, strict=True), strict=True))
                for key, column in columns.items():
                    values = by_name[key]
                    column.extend(
                        map(shared.setdefault, values, values) if key in LABELS else values
                    )
                piece.clear()

            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(header):
                    msg = (
                        f"{name}, line {reader.line_num}: {len(cells)} cells, "
                        f"expected {len(header)} as in the header"
                    )
                    raise BadInput(msg, code="bad_csv")
                piece.append(cells)
                ends.append(reader.line_num)
                if len(piece) == PIECE:
                    keep()
        except (csv.Error, UnicodeDecodeError) as error:
            msg = f"{name}, line {reader.line_num + 1}: not a CSV in UTF-8: {error}"
            raise BadInput(msg, code="bad_csv") from error
        if piece:
            keep()
        return cls._from_columns(
            columns, lambda row: f"{name}, line {ends[row] if row < len(ends) else row + 2}"
        )

    @classmethod
    def _from_columns(cls, columns: Mapping[str, Sequence[str]], place: Any) -> Self:
        """Columns of text, "" where unknown; place: row number -> where it stands."""
        if not columns["learner"]:
            msg = f"{place(0)}: no answer; expected at least one row below the header"
            raise BadInput(msg, code="empty")
        numbers = {
            name: _numbers(columns[name], name, place) for name in NUMBERS if name in columns
        }
        responses = Responses.from_columns(
            learner=_labels(columns["learner"], place),
            correct=_truth(columns["correct"], "correct", TRUTH, place),
            **{name: columns[name] for name in LABELS[1:5] if name in columns},
            response_time_s=numbers.get("response_time_s"),
            at=numbers.get("at", numbers.get("timestamp")),
        )
        fold = np.array(columns["fold"], dtype=str) if "fold" in columns else None
        if "expanded" in columns:
            extra = np.array(_truth(columns["expanded"], "expanded", FLAGS, place)) == 1
            responses, fold = _merged(responses, fold, extra, place)
        return cls(responses, fold)


def _require(found: Iterable[str], shown: Sequence[str], name: str) -> None:
    missing = [column for column in ("learner", "correct") if column not in found]
    if missing:
        msg = (
            f"{name}: no column {' and no column '.join(missing)}; "
            f"found {', '.join(shown) or 'nothing at all'}"
        )
        raise BadInput(msg, code="bad_csv")


def _labels(values: Sequence[str], place: Any) -> Sequence[str]:
    if "" in values:
        msg = f"{place(list(values).index(''))}: learner is empty"
        raise BadInput(msg, code="bad_csv")
    return values


def _truth(
    values: Sequence[str], name: str, meaning: Mapping[str, float], place: Any
) -> list[float]:
    try:
        return [meaning[value] for value in values]
    except KeyError:
        pass  # perhaps only spelt otherwise
    found = [meaning.get(value.strip().lower()) for value in values]
    if None in found:
        row = found.index(None)
        msg = f"{place(row)}: {name} is '{values[row]}', expected 0 or 1"
        raise BadInput(msg, code="bad_csv")
    return [x for x in found if x is not None]


def _numbers(values: Sequence[str], name: str, place: Any) -> list[float]:
    found = []
    for row, value in enumerate(values):
        try:
            found.append(float(value or "nan"))
        except ValueError:
            wanted = "seconds" if name == "response_time_s" else "Unix seconds"
            msg = f"{place(row)}: {name} is '{value}', expected {wanted} or nothing"
            raise BadInput(msg, code="bad_csv") from None
    return found


def _merged(
    responses: Responses, fold: Labels | None, extra: np.ndarray[Any, Any], place: Any
) -> tuple[Responses, Labels | None]:
    """Rows that repeat the answer before with another skill become part of it.

    Kept apart, the second row would be forecast by one that has seen the answer.
    """
    head = np.maximum.accumulate(np.where(extra, -1, np.arange(len(extra))))
    stray = extra & ((head < 0) | (responses.learner[head] != responses.learner))
    if stray.any():
        msg = (
            f"{place(int(np.argmax(stray)))}: expanded is 1, "
            "but the row before is no answer of this learner"
        )
        raise BadInput(msg, code="bad_csv")
    skills: dict[int, set[str]] = {}
    for row in np.flatnonzero(extra).tolist():
        first = int(head[row])
        skills.setdefault(first, {str(responses.skill[first])}).add(str(responses.skill[row]))
    joined = {row: "_".join(sorted(found - {""})) for row, found in skills.items()}
    longest = max(map(len, joined.values()), default=1)
    skill = responses.skill.astype(f"U{max(longest, responses.skill.dtype.itemsize // 4, 1)}")
    for row, label in joined.items():
        skill[row] = label
    columns = {name: getattr(responses, name)[~extra] for name in responses.__slots__}
    return Responses(**columns | {"skill": skill[~extra]}), None if fold is None else fold[~extra]


def read_mask(lines: Iterable[str], name: str) -> set[tuple[str, str]]:
    """(learner, item) of each hidden cell, from the lines of a CSV with these two columns.

    Raises:
        BadInput: a column is missing, or a row is short.
    """
    reader = csv.reader(lines)
    header = [cell.strip().lower() for cell in next(reader, [])]
    if not {"learner", "item"} <= set(header):
        msg = f"{name}: expected the columns learner and item; found {', '.join(header) or 'none'}"
        raise BadInput(msg, code="bad_csv")
    learner, item = header.index("learner"), header.index("item")
    cells = set()
    for row in reader:
        if row and len(row) != len(header):
            msg = f"{name}, line {reader.line_num}: {len(row)} cells, expected {len(header)}"
            raise BadInput(msg, code="bad_csv")
        if row:
            cells.add((row[learner], row[item]))
    return cells


def hidden_by(
    responses: Responses, cells: set[tuple[str, str]], name: str
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which answers a mask hides, (row,).

    Raises:
        BadInput: a cell of the mask is no answer of the log.
    """
    pairs = list(zip(responses.learner.tolist(), responses.item.tolist(), strict=True))
    stray = cells - set(pairs)
    if stray:
        learner, item = min(stray)
        msg = f"{name}: {len(stray)} cells are not in the log, e.g. learner {learner}, item {item}"
        raise BadInput(msg)
    return np.array([pair in cells for pair in pairs], dtype=bool)
