"""Grading: what people type is parsed with our own bounded grammar, and compared.

`grade` is total: any string gets a verdict in bounded time. Unreadable is never wrong.
"""

from studysmart.grading.answers import (
    Answer,
    ChoiceAnswer,
    Grade,
    NumericAnswer,
    SelfMarked,
    Verdict,
    answer_from_json,
    grade,
)
from studysmart.grading.numbers import AnswerSyntaxError, read_number

__all__ = [
    "Answer",
    "AnswerSyntaxError",
    "ChoiceAnswer",
    "Grade",
    "NumericAnswer",
    "SelfMarked",
    "Verdict",
    "answer_from_json",
    "grade",
    "read_number",
]
