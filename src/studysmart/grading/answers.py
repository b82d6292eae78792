"""What the right answer is, and whether a typed one is it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from studysmart.errors import BadInput
from studysmart.grading.numbers import AnswerSyntaxError, Number, read_number
from studysmart.grading.units import factor, same_kind


class Verdict(StrEnum):
    """INVALID: it could not be read; nothing is counted."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Grade:
    """A verdict with a sentence for the learner; understood: LaTeX of how the text was read."""

    verdict: Verdict
    message: str
    understood: str | None


@dataclass(frozen=True, slots=True)
class NumericAnswer:
    """A number, right within `rel_tol` of its size or `abs_tol`, whichever is wider.

    unit: what the number is in; typing it is optional, another one of the same kind is converted.
    """

    value: float
    rel_tol: float = 0.01
    abs_tol: float = 1e-8
    unit: str | None = None

    def to_json(self) -> dict[str, Any]:
        """For the database."""
        return {"kind": "numeric"} | asdict(self)


@dataclass(frozen=True, slots=True)
class ChoiceAnswer:
    """One of several options, in the order in which they are shown; `correct` counts from 0."""

    options: tuple[str, ...]
    correct: int

    def to_json(self) -> dict[str, Any]:
        """For the database."""
        return {"kind": "choice", "options": list(self.options), "correct": self.correct}


@dataclass(frozen=True, slots=True)
class SelfMarked:
    """The learner judges."""

    def to_json(self) -> dict[str, Any]:
        """For the database."""
        return {"kind": "self"}


Answer = NumericAnswer | ChoiceAnswer | SelfMarked


def answer_from_json(data: dict[str, Any]) -> Answer:
    """The inverse of `to_json`.

    Raises:
        BadInput: it is of no known kind.
    """
    kind = data.get("kind")
    if kind == "numeric":
        return NumericAnswer(data["value"], data["rel_tol"], data["abs_tol"], data["unit"])
    if kind == "choice":
        return ChoiceAnswer(tuple(data["options"]), data["correct"])
    if kind == "self":
        return SelfMarked()
    msg = f"an answer of the kind {kind!r} is not known; expected numeric, choice or self"
    raise BadInput(msg)


def grade(answer: Answer, text: str) -> Grade:
    """Judge a typed answer. Never raises, whatever the text."""
    if isinstance(answer, ChoiceAnswer):
        return _choice(answer, text)
    if isinstance(answer, SelfMarked):
        return _invalid("This task is marked by yourself: look at the solution, then mark it.")
    try:
        number = read_number(text)
    except AnswerSyntaxError as error:
        return _invalid(f"This could not be read as a number: {error}. Nothing was counted.")
    return _numeric(answer, number)


def _numeric(answer: NumericAnswer, number: Number) -> Grade:
    value = number.value
    if number.unit:
        if answer.unit is None:
            return _invalid(
                f"'{number.unit}' was read as a unit, but a plain number is asked for here. "
                "Nothing was counted.", number.latex,
            )  # fmt: skip
        given, wanted = factor(number.unit), factor(answer.unit)
        if number.unit != answer.unit:
            if given is None or wanted is None:
                return _invalid(
                    f"the unit '{number.unit}' is not known here; answer in {answer.unit}. "
                    "Nothing was counted.", number.latex,
                )  # fmt: skip
            if not same_kind(number.unit, answer.unit):
                return Grade(
                    Verdict.INCORRECT,
                    f"'{number.unit}' measures something else; the answer is in {answer.unit}.",
                    number.latex,
                )
            value = value * given / wanted
    close = abs(value - answer.value) <= max(answer.abs_tol, answer.rel_tol * abs(answer.value))
    if close:
        return Grade(Verdict.CORRECT, "Right.", number.latex)
    if answer.value and abs(value + answer.value) <= answer.rel_tol * abs(answer.value):
        return Grade(Verdict.INCORRECT, "Not right: look at the sign once more.", number.latex)
    return Grade(Verdict.INCORRECT, "Not right yet.", number.latex)


def _choice(answer: ChoiceAnswer, text: str) -> Grade:
    typed = text.strip()
    index = None
    if typed in answer.options:
        index = answer.options.index(typed)
    elif len(typed) == 1 and typed.isascii() and typed.isalpha():
        index = ord(typed.upper()) - ord("A")
    elif len(typed) <= 2 and typed.isascii() and typed.isdigit():
        index = int(typed) - 1
    if index is None or not 0 <= index < len(answer.options):
        last = chr(ord("A") + len(answer.options) - 1)
        return _invalid(f"Choose one of A to {last} (or 1 to {len(answer.options)}).")
    letter = chr(ord("A") + index)
    if index == answer.correct:
        return Grade(Verdict.CORRECT, f"Right: {letter}.", None)
    right = chr(ord("A") + answer.correct)
    return Grade(Verdict.INCORRECT, f"Not right: {letter} was chosen, {right} is right.", None)


def _invalid(message: str, understood: str | None = None) -> Grade:
    return Grade(Verdict.INVALID, message, understood)
