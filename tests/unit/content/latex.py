"""A reader of the LaTeX that tasks are written in, so that tests check what the learner sees."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\[,;!]|\d+(?:\.\d+)?|\S")
_SPACING = {r"\,", r"\;", r"\!", r"\left", r"\right"}
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    r"\sin": math.sin,
    r"\cos": math.cos,
    r"\tan": math.tan,
    r"\cot": lambda x: 1 / math.tan(x),
    r"\exp": math.exp,
    r"\ln": math.log,
}
_BRACKETS = {"(": ")", "{": "}"}


def evaluate(tex: str, **values: float) -> float:
    r"""The value of a formula, with its letters (greek ones by name, as in alpha=0.3)."""
    reader = _Reader(_tokens(tex), values)
    value = reader.sum()
    assert reader.at == len(reader.tokens), f"{reader.tokens[reader.at :]} is left of {tex}"
    return value


@cache
def _tokens(tex: str) -> list[str]:
    return [t for t in _TOKEN.findall(tex) if t not in _SPACING]


class _Reader:
    def __init__(self, tokens: list[str], values: dict[str, float]) -> None:
        self.tokens, self.values, self.at = tokens, values, 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        mark = self.peek()
        assert mark, "the formula ends too soon"
        assert not wanted or mark == wanted, f"{mark} instead of {wanted}"
        self.at += 1
        return mark

    def sum(self) -> float:
        value = self.product()
        while self.peek() in {"+", "-"}:
            value += self.product() if self.take() == "+" else -self.product()
        return value

    def product(self) -> float:
        if self.peek() == "-":
            self.take()
            return -self.product()
        value = self.power()
        while (mark := self.peek()) and mark not in {"+", "-", ")", "}"}:
            if mark in {r"\cdot", r"\div", "/"}:
                self.take()
                sign = -1 if self.peek() == "-" else 1
                if sign < 0:
                    self.take()
                right = sign * self.power()
            else:
                right = self.power()
            value = value / right if mark in {r"\div", "/"} else value * right
        return value

    def power(self) -> float:
        return self.raised(self.atom())

    def raised(self, value: float) -> float:
        while self.peek() == "^":
            self.take()
            if self.peek() == r"\circ":
                self.take()
                value = math.radians(value)
            else:
                value = value ** self.atom()
        return value

    def atom(self) -> float:
        mark = self.take()
        if mark in _BRACKETS:
            value = self.sum()
            self.take(_BRACKETS[mark])
            return value
        if mark in {r"\frac", r"\tfrac"}:
            above = self.atom()
            return above / self.atom()
        if mark == r"\sqrt":
            return math.sqrt(self.atom())
        if mark in _FUNCTIONS:
            exponent = 1.0
            if self.peek() == "^":
                self.take()
                exponent = self.atom()
            return float(_FUNCTIONS[mark](self.power()) ** exponent)
        if mark[0].isdigit():
            return float(mark)
        if mark == r"\pi":
            return math.pi
        if mark == "e" and "e" not in self.values:
            return math.e
        return self.values[mark.removeprefix("\\")]


def typed(tex: str) -> str:
    r"""A displayed answer as one would type it: "$x = \frac{3}{4}$ cm" is "3/4 cm"."""
    text = tex.replace("$", "").replace(r"\,", "")
    text = re.split(r"=|\\approx", text)[-1]
    while (simpler := re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1)/(\2)", text)) != text:
        text = simpler
    text = re.sub(r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)", text)
    while (simpler := re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1)/(\2)", text)) != text:
        text = simpler
    return text.strip()
