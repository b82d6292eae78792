"""What the models are fed: items, graded answers, and tables of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

# Times outside are clipped: a log of zero or of a week says nothing about the work.
SHORTEST_S, LONGEST_S = 0.05, 86_400.0

Label = TypeVar("Label", bound=Hashable)
Labels = NDArray[np.str_]
Codes = NDArray[np.int64]
Column = Sequence[Any] | NDArray[Any]  # or anything else with a length that is walked in order


class Item(NamedTuple):
    """What is asked. Any part may be unknown (None) or never seen before.

    A tuple, because items are looked up by the hundred for every forecast.
    """

    item: str | None = None
    skill: str | None = None
    topic: str | None = None
    difficulty: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """One graded answer.

    response_time_s: seconds; None when unknown or implausible: not used then. What is no time at
    all (negative, NaN, infinite) counts as unknown.
    at: Unix seconds of the answer (not of the question); None, NaN or infinite when unknown.
    """

    item: Item
    correct: bool
    response_time_s: float | None = None
    at: float | None = None

    @property
    def log_time(self) -> float | None:
        """Log response time in log-seconds, clipped to [0.05 s, 1 day]; None where unknown."""
        time = self.response_time_s
        if time is None or not 0 <= time < math.inf:
            return None
        return math.log(min(max(time, SHORTEST_S), LONGEST_S))

    @property
    def answered_at(self) -> float | None:
        """Unix seconds of the answer; None where unknown."""
        return self.at if self.at is not None and math.isfinite(self.at) else None

    @property
    def asked_at(self) -> float | None:
        """Unix seconds at which the task was given; None where unknown.

        Gaps are counted to here: one counted to the answer would contain the response time that is
        being forecast.
        """
        at, log_time = self.answered_at, self.log_time
        return at if at is None or log_time is None else at - math.exp(log_time)


@dataclass(frozen=True, slots=True)
class Responses:
    """Answers of many learners as columns of equal length, rows in order of time.

    Labels are strings, "" where unknown; numbers are NaN where unknown.
    """

    learner: Labels
    item: Labels
    skill: Labels
    topic: Labels
    difficulty: Labels
    correct: NDArray[np.float64]
    response_time_s: NDArray[np.float64]
    at: NDArray[np.float64]

    @classmethod
    def from_columns(
        cls,
        *,
        learner: Column,
        correct: Column,
        item: Column | None = None,
        skill: Column | None = None,
        topic: Column | None = None,
        difficulty: Column | None = None,
        response_time_s: Column | None = None,
        at: Column | None = None,
    ) -> Responses:
        """Columns of equal length; a missing column is an unknown one.

        None, NaN, and the marks of pandas (NA, NaT) are unknown. Labels that are whole numbers are
        told by their digits: 7, 7.0 and "7" are one learner. `correct` is 0 and 1, or False and
        True. Times may be durations, and `at` points in time, UTC where they name no zone.

        Raises:
            ValueError: the columns differ in length, `correct` has anything but 0 and 1, or a
                number is none; says which row, counted from 1.
        """
        n = len(learner)
        table = cls(
            learner=_labels(learner, n),
            item=_labels(item, n),
            skill=_labels(skill, n),
            topic=_labels(topic, n),
            difficulty=_labels(difficulty, n),
            correct=_numbers(correct, n, "correct", "0 or 1"),
            response_time_s=_numbers(response_time_s, n, "response_time_s", "seconds"),
            at=_numbers(at, n, "at", "Unix seconds"),
        )
        lengths = {name: len(getattr(table, name)) for name in cls.__slots__}
        if len(set(lengths.values())) > 1:
            msg = f"columns of different lengths: {lengths}"
            raise ValueError(msg)
        wrong = np.flatnonzero(~np.isin(table.correct, (0.0, 1.0)))
        if len(wrong):
            raise _no_number("correct", int(wrong[0]), correct, "0 or 1")
        return table

    @classmethod
    def from_table(cls, table: Any) -> Responses:
        """From a pandas, polars or arrow table with columns of these names (narwhals convention).

        `learner` and `correct` are needed; a column `timestamp` is taken for `at`. Values are taken
        as in `from_columns`.

        Raises:
            ValueError: a needed column is missing, or a value is not what it must be.
        """
        import narwhals as nw

        frame = nw.from_native(table, eager_only=True)
        missing = {"learner", "correct"} - set(frame.columns)
        if missing:
            msg = f"the table has no column {sorted(missing)}; it has {frame.columns}"
            raise ValueError(msg)
        names = {name: name for name in cls.__slots__} | {"at": "timestamp"}
        if "at" in frame.columns:
            names["at"] = "at"
        columns = {name: frame[given] for name, given in names.items() if given in frame.columns}
        if "at" in columns and columns["at"].dtype == nw.Datetime:
            columns["at"] = columns["at"].dt.timestamp("us") / 1e6  # one by one takes seconds
        return cls.from_columns(**{name: column.to_list() for name, column in columns.items()})

    def __len__(self) -> int:
        """Number of answers."""
        return len(self.correct)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Responses:
        """Some of the rows, in order."""
        return Responses(*(getattr(self, name)[rows] for name in self.__slots__))

    def __iter__(self) -> Iterator[tuple[str, Response]]:
        """Each row as (learner, response)."""
        columns = (getattr(self, name).tolist() for name in self.__slots__)
        for learner, item, skill, topic, difficulty, correct, time, at in zip(
            *columns, strict=True
        ):
            yield (
                learner,
                Response(
                    Item(item or None, skill or None, topic or None, difficulty or None),
                    bool(correct),
                    None if time != time else time,
                    None if at != at else at,
                ),
            )

    def distinct_items(self) -> tuple[Codes, list[Item]]:
        """(number of each row's item, (row,); the distinct items: labels that came together)."""
        rows, first = np.zeros((2, len(self)), np.int64)
        columns = self.item, self.skill, self.topic, self.difficulty
        for column in columns:
            # Two at a time: the product of all four sizes need not fit into 64 bits.
            codes, names = numbered(column.tolist())
            both = rows * (len(names) + 1) + codes
            _, first, rows = np.unique(both, return_index=True, return_inverse=True)
        labels = zip(*(column[first].tolist() for column in columns), strict=True)
        return rows, [Item(*(label or None for label in item)) for item in labels]

    def log_times(self) -> NDArray[np.float64]:
        """Log response times in log-seconds, clipped to [0.05 s, 1 day]; NaN where unknown."""
        times = self.response_time_s
        known = np.where((times >= 0) & np.isfinite(times), times, np.nan)
        return np.asarray(np.log(np.clip(known, SHORTEST_S, LONGEST_S)))

    def answered_at(self) -> NDArray[np.float64]:
        """Unix seconds of each answer; NaN where unknown."""
        return np.where(np.isfinite(self.at), self.at, np.nan)

    def asked_at(self) -> NDArray[np.float64]:
        """Unix seconds at which each task was given, as `Response.asked_at`; NaN where unknown."""
        return np.asarray(self.answered_at() - np.nan_to_num(np.exp(self.log_times())))


def _labels(column: Column | None, n: int) -> Labels:
    if column is None:
        return np.full(n, "", dtype=str)
    values = list(column)
    if set(map(type, values)) != {str}:
        values = [value if isinstance(value, str) else _digits(value) for value in values]
    return np.array(values, dtype=str)


def _digits(label: Any) -> str:
    if _unknown(label):
        return ""
    # A column of whole numbers with a gap in it comes as floats.
    whole = isinstance(label, float | np.floating) and float(label).is_integer()
    return str(int(label)) if whole else str(label)


def _numbers(column: Column | None, n: int, name: str, expected: str) -> NDArray[np.float64]:
    if column is None:
        return np.full(n, np.nan)
    if isinstance(column, np.ndarray) and column.dtype.kind in "biuf":
        return column.astype(np.float64)
    values = list(column)
    if set(map(type, values)) <= {float, int, bool}:
        with suppress(OverflowError):
            return np.array(values, dtype=np.float64)
    found = np.empty(len(values))
    for row, value in enumerate(values):
        try:
            found[row] = _number(value, name)
        except (TypeError, ValueError, OverflowError) as error:
            raise _no_number(name, row, values, expected) from error
    return found


def _number(value: Any, name: str) -> float:
    if _unknown(value):
        return math.nan
    if name == "at" and hasattr(value, "utcoffset"):
        ahead = value.utcoffset()
        value = np.datetime64(value.replace(tzinfo=None), "us").astype(np.int64) / 1e6
        return float(value) - (ahead.total_seconds() if ahead else 0)
    if name == "at" and isinstance(value, np.datetime64):
        return float((value - np.datetime64(0, "s")) / np.timedelta64(1, "s"))
    if name == "response_time_s" and hasattr(value, "total_seconds"):
        return float(value.total_seconds())
    if name == "response_time_s" and isinstance(value, np.timedelta64):
        return float(value / np.timedelta64(1, "s"))
    if isinstance(value, str | bytes | np.timedelta64):  # which float() would take
        raise TypeError
    return float(value)


def _no_number(name: str, row: int, column: Column, expected: str) -> ValueError:
    value = list(column)[row]
    return ValueError(f"column {name}, row {row + 1}: found {value!r}, expected {expected}")


def _unknown(value: Any) -> bool:
    """None, or what is not itself; pandas' NA will not even say so."""
    if value is None:
        return True
    differs = value != value
    return differs is value or (isinstance(differs, bool | np.bool_) and bool(differs))


def joined(pieces: Collection[Responses]) -> Responses:
    """One table of several, in their order; of none, an empty one."""
    if not pieces:
        return Responses.from_columns(learner=[], correct=[])
    columns = [[getattr(piece, name) for piece in pieces] for name in Responses.__slots__]
    return Responses(*(np.concatenate(column) for column in columns))


def numbered(labels: Sequence[Label]) -> tuple[Codes, list[Label]]:
    """(number of each label in order of first appearance, the labels); -1 for "".

    A dictionary is several times faster here than sorting strings.
    """
    names = [name for name in dict.fromkeys(labels) if name != ""]
    index: dict[Any, int] = {name: number for number, name in enumerate(names)}
    index[""] = -1
    return np.fromiter(map(index.__getitem__, labels), np.int64, len(labels)), names
