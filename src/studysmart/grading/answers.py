"""What the right answer is, and whether a typed one is it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from studysmart.errors import BadInput
from studysmart.grading.numbers import AnswerSyntaxError, Number, read_numbers, read_unit, shown

FEWEST_OPTIONS, MOST_OPTIONS = 2, 10
LONGEST_OPTION = 2_000
# An answer whose tolerance is below this must be exact; one off by less than that was rounded.
EXACT, ROUNDED = 1e-3, 0.02
# Float noise of a few operations; a tolerance of 1 % means 1 %, not a hair less.
_NOISE = 1e-12
_LABEL = re.compile(r"\(?([A-Za-z]|[0-9]{1,2})[).:]?")


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

    Args:
        value: the right number, in `unit`.
        rel_tol: 0.01 is 1 %; a whole number or short decimal that must be exact has 1e-6.
        abs_tol: in `unit`; what counts when the value is 0.
        unit: typing it is optional, another one of the same dimension is converted.

    Raises:
        ValueError: the value is not finite, a tolerance is negative, or the unit is unknown.
    """

    value: float
    rel_tol: float = 0.01
    abs_tol: float = 1e-8
    unit: str | None = None

    def __post_init__(self) -> None:
        """Refuse what nothing could be compared with."""
        if not (
            math.isfinite(self.value) and 0 <= self.rel_tol < 1 and 0 <= self.abs_tol < math.inf
        ):
            msg = f"a number that nothing can be compared with: {self}"
            raise ValueError(msg)
        if self.unit is not None:
            read_unit(self.unit)

    def to_json(self) -> dict[str, Any]:
        """For the database."""
        return {"kind": "numeric"} | asdict(self)


@dataclass(frozen=True, slots=True)
class ChoiceAnswer:
    """One of several options, in the order in which they are shown; `correct` counts from 0.

    Raises:
        ValueError: there are fewer than two options, two alike, or one that reads like another's
            letter or number.
    """

    options: tuple[str, ...]
    correct: int

    def __post_init__(self) -> None:
        """Refuse options that cannot be told apart."""
        bare = [_bare(option) for option in self.options]
        if not (FEWEST_OPTIONS <= len(bare) <= MOST_OPTIONS and 0 <= self.correct < len(bare)):
            msg = (
                f"{len(bare)} options of which number {self.correct} is right; "
                f"expected {FEWEST_OPTIONS} to {MOST_OPTIONS}, counted from 0"
            )
            raise ValueError(msg)
        if len(set(bare)) < len(bare) or any(_LABEL.fullmatch(one) or not one for one in bare):
            msg = f"options that cannot be told apart, or from their letters: {self.options}"
            raise ValueError(msg)

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


def answer_from_json(data: Mapping[str, Any]) -> Answer:
    """The inverse of `to_json`.

    Raises:
        BadInput: it is of no known kind, or incomplete.
    """
    kind = data.get("kind")
    try:
        if kind == "numeric":
            return NumericAnswer(data["value"], data["rel_tol"], data["abs_tol"], data["unit"])
        if kind == "choice":
            return ChoiceAnswer(tuple(data["options"]), data["correct"])
    except (KeyError, TypeError, ValueError) as error:
        msg = f"an incomplete answer of the kind {kind!r}: {error!r}"
        raise BadInput(msg) from error
    if kind == "self":
        return SelfMarked()
    msg = f"an answer of the kind {kind!r} is not known; expected numeric, choice or self"
    raise BadInput(msg)


def grade(answer: Answer, text: str) -> Grade:
    """Judge a typed answer. Never raises, and takes about a millisecond at most."""
    if isinstance(answer, ChoiceAnswer):
        return _choice(answer, text)
    if isinstance(answer, SelfMarked):
        return _invalid("This task is marked by yourself: look at the solution, then mark it.")
    try:
        readings = read_numbers(text)
    except AnswerSyntaxError as error:
        return _invalid(_unreadable(error, text))
    grades = [_numeric(answer, number) for number in readings]
    # Where a comma can be meant either way, the reading that is right was meant.
    return next((one for one in grades if one.verdict is Verdict.CORRECT), grades[0])


def _numeric(answer: NumericAnswer, number: Number) -> Grade:
    value = number.value
    if number.unit is not None:
        if answer.unit is None and not number.unit.is_percent:
            return _invalid(
                f"A plain number is asked for here: leave the unit '{_typed_unit(number)}' out.",
                number.latex,
            )
        factor = 1.0
        if answer.unit is not None:
            wanted = read_unit(answer.unit)
            if wanted.dimension != number.unit.dimension:
                return Grade(
                    Verdict.INCORRECT,
                    f"'{_typed_unit(number)}' measures something else than what is asked for: "
                    f"the answer is in {answer.unit}.",
                    number.latex,
                )
            factor = wanted.factor
        value = value * number.unit.factor / factor
    tolerance = max(answer.abs_tol, answer.rel_tol * abs(answer.value))
    if abs(value - answer.value) <= tolerance + _NOISE * abs(answer.value):
        return Grade(Verdict.CORRECT, "Right.", number.latex)
    return Grade(Verdict.INCORRECT, _what_is_off(answer, value), number.latex)


def _what_is_off(answer: NumericAnswer, value: float) -> str:
    """A word on the usual slips, where the number tells which it was."""
    if answer.value == 0 or value == 0:
        return "Not right yet."
    ratio = value / answer.value
    near = max(answer.rel_tol, 1e-6)
    if abs(ratio + 1) <= near:
        return "Not right: look at the sign once more."
    if abs(ratio - 1) <= ROUNDED:
        return (
            "Close, but an exact value is asked for, not a rounded one."
            if answer.rel_tol < EXACT
            else "Close, but off by more than rounding: keep more digits on the way."
        )
    power = math.log10(abs(ratio))
    if ratio > 0 and round(power) != 0 and abs(power - round(power)) <= near / 2:
        return "The digits are right, but a power of ten is off: look at the units."
    return "Not right yet."


def _choice(answer: ChoiceAnswer, text: str) -> Grade:
    count = len(answer.options)
    last = chr(ord("A") + count - 1)
    bare = _bare(text) if len(text) <= LONGEST_OPTION else ""
    index = None
    if (label := _LABEL.fullmatch(bare)) is not None:
        name = label[1]
        index = int(name) - 1 if name.isdigit() else ord(name.upper()) - ord("A")
    else:
        options = [_bare(option) for option in answer.options]
        index = options.index(bare) if bare in options else None
    if index is None or not 0 <= index < count:
        typed = f"{shown(text.strip())} is none of the options. " if text.strip() else ""
        return _invalid(f"{typed}Choose one of A to {last} (or 1 to {count}).")
    letter = chr(ord("A") + index)
    understood = rf"\text{{{letter}}}"
    if index == answer.correct:
        return Grade(Verdict.CORRECT, f"Right: {letter}.", understood)
    right = chr(ord("A") + answer.correct)
    return Grade(
        Verdict.INCORRECT, f"Not right: {letter} was chosen, {right} is right.", understood
    )


def _bare(option: str) -> str:
    """An option without the marks of its formulas and with single spaces."""
    return " ".join(option.replace("$", "").split())


def _typed_unit(number: Number) -> str:
    """The unit in letters, for a message that is plain text."""
    latex = number.unit.latex if number.unit is not None else ""
    plain = latex.replace(r"\,", " ").replace(r"{}^\circ", "°").replace(r"\%", "%")
    return (
        plain.replace(r"\text{€}", "€").replace(r"\mu ", "\u00b5").replace("{", "").replace("}", "")
    )


def _unreadable(error: AnswerSyntaxError, text: str) -> str:
    message = f"This cannot be read: at position {error.position + 1}, {error.wrong}. "
    before = text[: error.position].strip()
    if before:
        message += f"Up to there it reads {shown(before[-40:])}. "
    return f"{message}{error.advice[0].upper()}{error.advice[1:]}. Nothing was counted."


def _invalid(message: str, understood: str | None = None) -> Grade:
    return Grade(Verdict.INVALID, message, understood)
