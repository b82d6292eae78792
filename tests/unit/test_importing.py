"""Importing a log: what is read, what is refused by line, and that nothing is counted twice."""

import io
from pathlib import Path

import pytest

from studysmart import importing
from studysmart.errors import BadInput
from studysmart.store import attempts
from tests.builders import new_store

pytestmark = pytest.mark.both_databases

LOG = """learner,item,skill,timestamp,correct,response_time_s,fold
b,1,s,20,1,12.5,1
a,2,s,10,0,,1
a,1,t,30,1,0.01,2
"""


def parse(text: str) -> list[importing.Row]:
    """Read a CSV from a string."""
    return importing.parse(io.StringIO(text, newline=""))


def test_rows_come_back_in_the_order_of_time():
    """A log in blocks of learners is put back into the order in which it happened."""
    assert [("a", "2"), ("b", "1"), ("a", "1")] == [(r.learner, r.item) for r in parse(LOG)]


def test_without_times_the_order_of_the_file_is_kept():
    """There is nothing better to go by."""
    rows = parse("learner,correct\nb,1\na,0\nb,0\n")
    assert [("b", True), ("a", False), ("b", False)] == [(r.learner, r.correct) for r in rows]


def test_rows_expanded_by_skill_are_one_answer():
    """The second skill of an answer would otherwise be forecast knowing the outcome."""
    rows = parse("learner,item,skill,correct,expanded\na,1,7,1,0\na,1,3,1,1\na,2,3,0,0\n")
    assert ["3_7", "3"] == [row.skill for row in rows]
    assert [0, 1] == [row.place for row in rows]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("learner,item\na,1\n", "line 1: the header has no column correct"),
        ("", "line 1: the header has no column learner"),
        ("learner,correct\na,1\n,1\n", "line 3: the column learner is empty"),
        ("learner,correct\na,yes\n", "line 2: correct is 'yes', expected 0 or 1"),
        ("learner,correct\na,1,2\n", "line 2: 3 cells, expected 2"),
        ("learner,correct,response_time_s\na,1,-3\n", "line 2: response_time_s is '-3'"),
        ("learner,correct,timestamp\na,1,nan\n", "line 2: timestamp is 'nan'"),
        ("learner,correct,topic\na,1," + "x" * 201 + "\n", "line 2: topic has 201 characters"),
        ("learner,correct\n", "no rows"),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, fault: str):
    """What was found, what was expected, and where."""
    with pytest.raises(BadInput, match=fault):
        parse(text)


def test_all_faulty_lines_are_told_at_once():
    """Up to twenty of them."""
    with pytest.raises(BadInput) as refusal:
        parse("learner,correct\n" + "a,2\n" * 3)
    assert all(f"line {n}:" in str(refusal.value) for n in (2, 3, 4))


def test_importing_again_adds_only_what_is_new(tmp_path: Path):
    """The same file twice is once; a grown file adds its new rows."""
    store = new_store(tmp_path)
    grown = LOG + "a,3,t,40,1,9,2\n"
    with store.write() as tx:
        assert 3 == importing.add(tx, "set", parse(LOG), now=0.0)
        assert 0 == importing.add(tx, "set", parse(LOG), now=0.0)
        assert 1 == importing.add(tx, "set", parse(grown), now=0.0)
        assert 3 == importing.add(tx, "other", parse(LOG), now=0.0)
        assert 7 == attempts.completions(tx)


def test_an_impossible_time_is_kept_and_not_learned_from(tmp_path: Path):
    """0.01 s is stored as sent and flagged."""
    store = new_store(tmp_path)
    with store.write() as tx:
        importing.add(tx, "set", parse(LOG), now=0.0)
        rows = list(attempts.everyones(tx))
    assert [(None, False), (12.5, True), (0.01, False)] == [
        (row.response_time_s, row.time_plausible) for row in rows
    ]
