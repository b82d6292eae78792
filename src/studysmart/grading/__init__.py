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

__all__ = [
    "Answer",
    "ChoiceAnswer",
    "Grade",
    "NumericAnswer",
    "SelfMarked",
    "Verdict",
    "answer_from_json",
    "grade",
]
