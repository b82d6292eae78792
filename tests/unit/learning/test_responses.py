"""Tables of answers: whatever marks a gap, whatever a label is made of, one meaning."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studysmart.learning import Item, Response, Responses, simulate

NOON = 1_700_049_600.0  # 2023-11-15 12:00 UTC
GAPS = [None, math.nan, pd.NA, pd.NaT, np.float32("nan"), Decimal("NaN"), np.datetime64("NaT")]


def same(one: Responses, two: Responses) -> bool:
    """Cell by cell, gaps included."""
    return all(
        np.array_equal(
            getattr(one, name), getattr(two, name), equal_nan=getattr(one, name).dtype.kind == "f"
        )
        for name in one.__slots__
    )


@pytest.mark.parametrize("gap", GAPS, ids=repr)
def test_every_mark_of_a_gap_is_unknown(gap: object):
    """In labels and in numbers, as a column and in a frame of objects."""
    columns: dict[str, list[Any]] = {
        "learner": ["a", "b"], "correct": [1, 0], "item": ["x", gap], "topic": [gap, gap],
        "response_time_s": [gap, 2.5], "at": [gap, NOON],
    }  # fmt: skip
    frame = pd.DataFrame({name: pd.Series(x, dtype=object) for name, x in columns.items()})
    for table in (Responses.from_columns(**columns), Responses.from_table(frame)):
        assert ["x", ""] == table.item.tolist()
        assert ["", ""] == table.topic.tolist()
        assert [True, False] == np.isnan(table.response_time_s).tolist()
        assert [True, False] == np.isnan(table.at).tolist()


def test_a_frame_of_nullable_types_is_read():
    """Int64, boolean, string and categories, each with its own gap."""
    frame = pd.DataFrame(
        {
            "learner": pd.array([7, 8, 7], "Int64"),
            "correct": pd.array([True, False, True], "boolean"),
            "item": pd.array([1, None, 3], "Int64"),
            "skill": pd.array(["s", pd.NA, "t"], "string"),
            "difficulty": pd.Categorical(["easy", None, "hard"], ["easy", "hard", "never"]),
            "response_time_s": pd.array([1, None, 3], "Int64"),
            "timestamp": pd.array([NOON, None, NOON + 1], "Float64"),
        }
    )
    found = Responses.from_table(frame)
    wanted = Responses.from_columns(
        learner=["7", "8", "7"], correct=[1, 0, 1], item=["1", "", "3"], skill=["s", "", "t"],
        difficulty=["easy", "", "hard"], response_time_s=[1, None, 3], at=[NOON, None, NOON + 1],
    )  # fmt: skip
    assert same(wanted, found)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_frames_of_other_libraries_say_the_same(library: str):
    """What pandas, polars and arrow hold alike."""
    other = pytest.importorskip(library, reason=f"{library} is not installed here")
    columns = {
        "learner": ["a", "b"], "correct": [True, False], "item": [1, None], "skill": ["s", None],
        "response_time_s": [None, 2.5],
        "at": [datetime(2023, 11, 15, 12, tzinfo=UTC), None],
    }  # fmt: skip
    build = other.DataFrame if library == "polars" else other.table
    assert same(Responses.from_columns(**columns), Responses.from_table(build(columns)))


@pytest.mark.parametrize(
    "at",
    [
        datetime(2023, 11, 15, 12),  # noqa: DTZ001 - a column without a zone is UTC
        datetime(2023, 11, 15, 12, tzinfo=UTC),
        datetime(2023, 11, 15, 17, 30, tzinfo=timezone(timedelta(hours=5.5))),
        pd.Timestamp("2023-11-15 12:00"),
        pd.Timestamp("2023-11-15 13:00", tz="Europe/Berlin"),
        np.datetime64("2023-11-15T12:00"),
        int(NOON),
        np.float64(NOON),
        Decimal(int(NOON)),
    ],
    ids=repr,
)
def test_points_in_time_become_unix_seconds(at: object):
    """Whatever holds them; without a zone they are UTC, wherever the machine stands."""
    for column in ([at], np.array([at])):
        assert [NOON] == Responses.from_columns(learner=["a"], correct=[1], at=column).at.tolist()
    frame = pd.DataFrame({"learner": ["a", "a"], "correct": [1, 1], "timestamp": [at, None]})
    found = Responses.from_table(frame).at
    assert NOON == found[0]
    assert np.isnan(found[1])


@pytest.mark.parametrize(
    "time", [timedelta(seconds=2.5), pd.Timedelta("2.5s"), np.timedelta64(2500, "ms")], ids=repr
)
def test_durations_become_seconds(time: object):
    """Response times may be of the type for it."""
    found = Responses.from_columns(learner=["a"], correct=[1], response_time_s=[time])
    assert 2.5 == found.response_time_s[0]


def test_whole_numbers_are_one_label_however_they_are_held():
    """A gap turns a column of whole numbers into floats: 1, 1.0 and "1" are one learner."""
    ones = [1, 1.0, "1", np.int32(1), np.float32(1), np.str_("1")]
    found = Responses.from_columns(learner=ones, correct=[1] * len(ones), item=[*ones[:-1], 1.5])
    assert {"1"} == set(found.learner.tolist())
    assert ["1", "1.5"] == found.item.tolist()[-2:]
    assert ["01", "True"] == Responses.from_columns(
        learner=["01", True], correct=[1, 1]
    ).learner.tolist()


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("correct", "1", "found '1', expected 0 or 1"),
        ("correct", "yes", "found 'yes', expected 0 or 1"),
        ("correct", 0.5, "found 0.5, expected 0 or 1"),
        ("correct", None, "found None, expected 0 or 1"),
        ("correct", pd.NA, "found <NA>, expected 0 or 1"),
        ("correct", timedelta(seconds=1), "expected 0 or 1"),
        ("response_time_s", "2.5", "found '2.5', expected seconds"),
        ("response_time_s", pd.Timestamp("2023-11-15"), "expected seconds"),
        ("response_time_s", 10**400, "expected seconds"),
        ("at", "2023-11-15", "found '2023-11-15', expected Unix seconds"),
        ("at", np.timedelta64(1, "s"), "expected Unix seconds"),
        ("at", [1.0], "expected Unix seconds"),
        ("at", 1j, "expected Unix seconds"),
    ],
)
def test_what_is_no_number_is_named_with_its_row(column: str, value: object, expected: str):
    """Text is not taken for a number, even where it looks like one."""
    columns: dict[str, list[Any]] = {"learner": ["a"] * 3, "correct": [0, 1, 1]}
    columns[column] = [1, value, 1]
    with pytest.raises(ValueError, match=rf"column {column}, row 2: .*") as refused:
        Responses.from_columns(**columns)
    assert expected in str(refused.value)


def test_arrays_are_taken_as_they_are():
    """Numbers of any width, flags, labels."""
    found = Responses.from_columns(
        learner=np.array(["a", "b"]), correct=np.array([True, False]), item=np.array([1, 2]),
        response_time_s=np.array([1, 2], np.int8), at=np.array([0.5, np.nan], np.float32),
    )  # fmt: skip
    wanted = Responses.from_columns(
        learner=["a", "b"], correct=[1, 0], item=["1", "2"], response_time_s=[1, 2], at=[0.5, None]
    )
    assert same(wanted, found)


def test_a_frame_gives_the_table_it_was_made_of():
    """There and back."""
    table = simulate(learners=3, answers=50)
    frame = pd.DataFrame({name: getattr(table, name) for name in table.__slots__})
    assert same(table, Responses.from_table(frame))
    assert same(table, Responses.from_table(frame.convert_dtypes()))


cells = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.binary(),
    st.datetimes(), st.timedeltas(), st.decimals(allow_nan=False), st.complex_numbers(),
    st.sampled_from([pd.NA, pd.NaT, np.datetime64("NaT"), np.timedelta64("NaT"), [], {}]),
)  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_cell_is_taken_or_refused_by_name(data: st.DataObject):
    """Never another error; what is taken is a label, or a number or a gap."""
    column = data.draw(st.sampled_from(Responses.__slots__))
    value = data.draw(cells)
    columns: dict[str, list[Any]] = {"learner": ["a"], "correct": [1]} | {column: [value]}
    try:
        found = Responses.from_columns(**columns)
    except ValueError as refused:
        assert f"column {column}, row 1" in str(refused)  # noqa: PT017 - either outcome is right
    else:
        assert 1 == len(found)
        assert len(found.log_times()) == len(found.asked_at()) == 1


times = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


@given(time=times, at=times)
def test_a_row_says_what_its_table_says(time: float | None, at: float | None):
    """`Response` and `Responses` agree on what is known, for any numbers."""
    one = Response(Item("i"), correct=True, response_time_s=time, at=at)
    table = Responses.from_columns(
        learner=["a"], item=["i"], correct=[1], response_time_s=[time], at=[at]
    )
    for alone, column in (
        (one.log_time, table.log_times()),
        (one.answered_at, table.answered_at()),
        (one.asked_at, table.asked_at()),
    ):
        assert (math.nan if alone is None else alone) == pytest.approx(column[0], nan_ok=True)


@given(
    st.lists(st.tuples(*[st.sampled_from(["", "a", "b", "c"])] * 4), max_size=30),
)
def test_distinct_items_are_each_once_and_say_every_row(rows: list[tuple[str, ...]]):
    """Numbers point at the row's own item."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 4
    names = ("item", "skill", "topic", "difficulty")
    table = Responses.from_columns(
        learner=["x"] * len(rows), correct=[1] * len(rows),
        **dict(zip(names, columns, strict=True)),
    )  # fmt: skip
    which, items = table.distinct_items()
    assert len(set(items)) == len(items) == len(set(rows))
    assert [response.item for _, response in table] == [items[k] for k in which]
