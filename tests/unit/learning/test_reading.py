"""Logs: what is taken, how one answer stays one row, and how faults are named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from studysmart.errors import BadInput
from studysmart.learning import simulate
from studysmart.learning.reading import Log, hidden_by, read_mask


def log(text: str) -> Log:
    """A log from CSV text."""
    return Log.read(text.splitlines(keepends=True), "log.csv")


def test_known_columns_are_taken_and_others_left():
    """Labels as text, unknown numbers as NaN, `timestamp` as the time of the answer."""
    found = log(
        "Learner,item,skill,correct,response_time_s,timestamp,fold,mood\n"
        "ада,1,fractions,1,2.5,100,3,good\n"
        "ада,2,,0,,,3,\n"
    )
    rows = found.responses
    assert ["ада", "ада"] == rows.learner.tolist()
    assert ["fractions", ""] == rows.skill.tolist()
    assert [1.0, 0.0] == rows.correct.tolist()
    assert 2.5 == rows.response_time_s[0]
    assert np.isnan(rows.response_time_s[1])
    assert [100.0, None] == [x if x == x else None for x in rows.at.tolist()]
    assert found.fold is not None
    assert ["3", "3"] == found.fold.tolist()


def test_an_answer_with_several_skills_is_one_row():
    """Its skills are joined, in one order, each once; the next answer is its own."""
    found = log(
        "learner,item,skill,correct,fold,expanded\n"
        "a,7,54,0,1,0\na,7,37,0,1,1\na,7,54,0,1,1\na,8,54,1,1,0\n"
    )
    assert ["37_54", "54"] == found.responses.skill.tolist()
    assert ["7", "8"] == found.responses.item.tolist()
    assert found.fold is not None
    assert 2 == len(found.fold)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "log.csv: no column learner and no column correct; found nothing at all"),
        ("learner,item\n", "no column correct; found learner, item"),
        ("learner,correct\n", "log.csv, line 2: no answer"),
        ("learner,correct\na,1\n\nb,2\n", "log.csv, line 4: correct is '2', expected 0 or 1"),
        ("learner,correct\na,1\nb\n", "line 3: 1 cells, expected 2 as in the header"),
        ("learner,correct\na,1\n,0\n", "line 3: learner is empty"),
        ('learner,correct,item\na,1,"two\nlines"\nb,x,1\n', "line 4: correct is 'x'"),
        ("learner,correct,response_time_s\na,1,fast\n", "line 2: response_time_s is 'fast'"),
        ("learner,correct,timestamp\na,1,noon\n", "timestamp is 'noon', expected Unix seconds"),
        ("learner,correct,expanded\na,1,1\n", "line 2: expanded is 1, but the row before is no"),
        ("learner,correct,expanded\na,1,0\nb,1,1\n", "line 3: expanded is 1"),
    ],
)
def test_a_fault_is_named_by_file_and_line(text, fault):
    """With what was found and what was expected."""
    with pytest.raises(BadInput) as refused:
        log(text)
    assert fault in str(refused.value)


def test_a_long_file_names_the_line_of_a_late_fault():
    """Rows are read in pieces; their lines are counted through."""
    with pytest.raises(BadInput, match="line 1235: correct is 'yes'"):
        log("learner,correct\n" + "a,1\n" * 1_233 + "a,yes\n" + "a,1\n" * 700)


def test_a_table_gives_the_log_that_its_file_gives():
    """A frame with missing values, against the same as CSV."""
    frame = pd.DataFrame(
        {
            "learner": ["a", "a", "b"], "item": [1, 1, 2], "skill": ["s", "r", None],
            "correct": [True, True, False], "response_time_s": [1.5, 1.5, np.nan],
            "expanded": [0, 1, 0],
        }
    )  # fmt: skip
    of_table, of_file = Log.of(frame).responses, log(frame.to_csv(index=False)).responses
    for name in of_table.__slots__:
        np.testing.assert_array_equal(getattr(of_table, name), getattr(of_file, name), name)
    assert ["r_s", ""] == of_table.skill.tolist()
    with pytest.raises(BadInput, match="the table: no column correct; found learner"):
        Log.of(frame[["learner"]])


def test_responses_are_a_log_without_folds():
    """As they are."""
    table = simulate(learners=2, answers=10)
    assert table is Log.of(table).responses
    assert None is Log.of(table).fold


def test_a_mask_hides_the_cells_that_it_names():
    """A cell that is not there is refused: it would be hidden from nobody."""
    rows = log("learner,item,correct\na,1,1\na,2,0\nb,1,1\n").responses
    cells = read_mask(["learner,item\n", "a,2\n"], "mask.csv")
    assert [False, True, False] == hidden_by(rows, cells, "mask.csv").tolist()
    with pytest.raises(BadInput, match="1 cells are not in the log"):
        hidden_by(rows, cells | {("b", "2")}, "mask.csv")
    with pytest.raises(BadInput, match="expected the columns learner and item; found who"):
        read_mask(["who\n"], "mask.csv")
