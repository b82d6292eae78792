"""Verdicts: tolerance, units, choices, and what goes to the database."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studysmart.errors import BadInput
from studysmart.grading import (
    Answer,
    ChoiceAnswer,
    NumericAnswer,
    SelfMarked,
    Verdict,
    answer_from_json,
    grade,
)

CHOICE = ChoiceAnswer((r"$\cos x$", r"$-\cos x$", "none of these", r"$\sin x$"), 2)


@pytest.mark.parametrize(
    ("unit", "value", "text", "verdict"),
    [
        ("m", 1200.0, "1200", Verdict.CORRECT),
        ("m", 1200.0, "1200 m", Verdict.CORRECT),
        ("m", 1200.0, "1.2 km", Verdict.CORRECT),
        ("m", 1200.0, "1.2 m", Verdict.INCORRECT),
        ("m", 1200.0, "1200 s", Verdict.INCORRECT),
        ("m", 1200.0, "1200 bananas", Verdict.INVALID),
        ("m", 5e-7, "500 nm", Verdict.CORRECT),
        ("m", 5e-7, "0.5 \N{MICRO SIGN}m", Verdict.CORRECT),
        ("m", 5e-7, "0.5 \N{GREEK SMALL LETTER MU}m", Verdict.CORRECT),
        ("m/s", 12.0, "43.2 km/h", Verdict.CORRECT),
        ("m/s", 12.0, "12 m s^-1", Verdict.CORRECT),
        ("m/s", 12.0, "12 m·s⁻¹", Verdict.CORRECT),
        ("m/s", 12.0, "12 m*s", Verdict.INCORRECT),
        ("m/s^2", 9.81, "9.81 m/s²", Verdict.CORRECT),
        ("m/s^2", 9.81, "9.81 m/s2", Verdict.CORRECT),
        ("m/s^2", 9.81, "9.81 m/s/s", Verdict.CORRECT),
        ("m/s^2", 9.81, "9.81 N/kg", Verdict.CORRECT),
        ("N", 6.0, "6 kg m/s^2", Verdict.CORRECT),
        ("J", 6.0, "6 N m", Verdict.CORRECT),
        ("J", 6000.0, "6 kJ", Verdict.CORRECT),
        ("Hz", 50.0, "50 1/s", Verdict.INVALID),
        ("Hz", 50.0, "50 s^-1", Verdict.CORRECT),
        ("°", 60.0, "60°", Verdict.CORRECT),
        ("°", 60.0, "pi/3 rad", Verdict.CORRECT),
        ("°", 60.0, "pi/3", Verdict.INCORRECT),
        ("€", 2.5, "250 ct", Verdict.CORRECT),
        ("%", 35.0, "35", Verdict.CORRECT),
        ("%", 35.0, "35 %", Verdict.CORRECT),
        ("%", 35.0, "0.35", Verdict.INCORRECT),
        (None, 0.35, "35 %", Verdict.CORRECT),
        (None, 0.35, "0.35 m", Verdict.INVALID),
    ],
)
def test_units_are_converted_or_refused(
    unit: str | None, value: float, text: str, verdict: Verdict
) -> None:
    """The unit may be left out or be another of the dimension; the wrong dimension is wrong."""
    assert grade(NumericAnswer(value, unit=unit), text).verdict is verdict


@given(st.floats(min_value=1e-6, max_value=1e6), st.floats(-0.0099, 0.0099))
def test_within_the_tolerance_is_right(value: float, off: float) -> None:
    """One percent means one percent, on both sides."""
    answer = NumericAnswer(value, abs_tol=0.0)
    assert grade(answer, repr(value * (1 + off))).verdict is Verdict.CORRECT
    assert grade(answer, repr(value * 1.0101)).verdict is Verdict.INCORRECT
    assert grade(answer, repr(value * 0.9899)).verdict is Verdict.INCORRECT


def test_the_edge_of_the_tolerance_is_right() -> None:
    """A hair of rounding in the comparison does not make the edge wrong."""
    assert grade(NumericAnswer(100.0), "101").verdict is Verdict.CORRECT
    assert grade(NumericAnswer(100.0), "99").verdict is Verdict.CORRECT
    assert grade(NumericAnswer(0.0), "0").verdict is Verdict.CORRECT
    assert grade(NumericAnswer(0.0), "0.001").verdict is Verdict.INCORRECT


@pytest.mark.parametrize(
    ("answer", "text", "word"),
    [
        (NumericAnswer(12.0), "-12", "sign"),
        (NumericAnswer(12.0, unit="m"), "1200", "power of ten"),
        (NumericAnswer(2.0, rel_tol=1e-6), "2.01", "exact"),
        (NumericAnswer(12.34, rel_tol=0.005), "12.5", "rounding"),
        (NumericAnswer(12.0, unit="m/s"), "12 J", "the answer is in m/s"),
    ],
)
def test_usual_slips_are_named(answer: NumericAnswer, text: str, word: str) -> None:
    """A wrong number whose slip shows gets a word on it."""
    graded = grade(answer, text)
    assert graded.verdict is Verdict.INCORRECT
    assert word in graded.message


@pytest.mark.parametrize(
    "text", ["C", "c", " c ", "(c)", "C)", "c.", "3", "3.", "none of these", " none  of these "]
)
def test_an_option_is_named_by_letter_number_or_text(text: str) -> None:
    """All ways of naming the right option are right."""
    graded = grade(CHOICE, text)
    assert graded.verdict is Verdict.CORRECT
    assert graded.understood == r"\text{C}"


@pytest.mark.parametrize("text", ["A", "2", r"$\cos x$", r"\sin x", "-\\cos x"])
def test_another_option_is_wrong(text: str) -> None:
    """Another option is wrong, and the right one is named."""
    graded = grade(CHOICE, text)
    assert graded.verdict is Verdict.INCORRECT
    assert "C is right" in graded.message


@pytest.mark.parametrize(
    "text", ["", "E", "0", "5", "99", "1.5", "-1", "AB", "None of these", "²", "\uff21", "\x00",
             "A" * 10_000, "$" * 5_000]
)  # fmt: skip
def test_what_names_no_option_is_invalid(text: str) -> None:
    """Anything else is invalid, and the choices are named."""
    graded = grade(CHOICE, text)
    assert graded.verdict is Verdict.INVALID
    assert "A to D" in graded.message


@given(st.text())
def test_any_text_for_a_choice_gets_a_grade(text: str) -> None:
    """No text raises."""
    assert grade(CHOICE, text).message


@given(st.text())
def test_a_self_marked_task_is_never_graded(text: str) -> None:
    """The learner judges, not the program."""
    assert grade(SelfMarked(), text).verdict is Verdict.INVALID


@pytest.mark.parametrize(
    "answer", [NumericAnswer(0.1, 0.02, 1e-3, "m/s"), NumericAnswer(-3.0), CHOICE, SelfMarked()]
)
def test_an_answer_survives_the_database(answer: Answer) -> None:
    """An answer is the same after it was kept as JSON."""
    assert answer == answer_from_json(json.loads(json.dumps(answer.to_json())))


@pytest.mark.parametrize(
    "data",
    [{}, {"kind": "essay"}, {"kind": "numeric"}, {"kind": "numeric", "value": "x", "rel_tol": 0,
     "abs_tol": 0, "unit": None}, {"kind": "choice", "options": ["x"], "correct": 0},
     {"kind": "choice", "options": None, "correct": 0}],
)  # fmt: skip
def test_a_damaged_answer_is_refused(data: dict[str, object]) -> None:
    """What is no answer is refused by our own error."""
    with pytest.raises(BadInput):
        answer_from_json(data)


@pytest.mark.parametrize(
    "make",
    [
        lambda: NumericAnswer(math.nan),
        lambda: NumericAnswer(math.inf),
        lambda: NumericAnswer(1.0, rel_tol=-0.1),
        lambda: NumericAnswer(1.0, unit="parsec"),
        lambda: ChoiceAnswer(("yes",), 0),
        lambda: ChoiceAnswer(("yes", "no"), 2),
        lambda: ChoiceAnswer(("$yes$", "yes"), 0),
        lambda: ChoiceAnswer(("$2$", "$3$"), 0),
        lambda: ChoiceAnswer(("A", "none"), 0),
    ],
)
def test_an_answer_that_nothing_meets_cannot_be_made(make: object) -> None:
    """Options that read alike, or like letters, and numbers without a size are refused early."""
    assert callable(make)
    with pytest.raises(ValueError):
        make()
