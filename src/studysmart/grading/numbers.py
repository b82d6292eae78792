"""Reading a number as people write it, with a grammar of our own: nothing typed is ever evaluated.

    answer  = [name ("=" | "≈")] sum [unit]
    sum     = product (("+" | "-") product)*
    product = power (("*" | "/" | ":" | nothing) power)*
    power   = sign* atom ["^" power]
    atom    = number | "(" sum ")" | "sqrt" atom | "√" atom | "pi" | "π" | "e"

A number has a decimal point or comma, thousands by spaces or apostrophes, a scientific exponent, and may be
a mixed one ("1 1/2"). Limits on length, depth and size hold before anything is computed.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

LONGEST = 300
DEEPEST = 40
MOST_TOKENS = 200
LARGEST_EXPONENT = 400.0
LARGEST = 1e300

# Signs that look alike, as keyboards and word processors write them.
_SAME = str.maketrans(
    {"−": "-", "–": "-", "—": "-", "×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "⁄": "/",
     "\u00a0": " ", "\u2009": " ", "\u202f": " ", "’": "'", "＝": "=", "∶": ":"}
)  # fmt: skip
_FRACTIONS = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅕": "1/5", "⅛": "1/8"}
_POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

_NUMBER = re.compile(
    r"(?:\d{1,3}(?:[ ']\d{3})+|\d+)(?:[.,]\d+)?(?:[eE][+-]?\d{1,4})?|[.,]\d+(?:[eE][+-]?\d{1,4})?"
)
_WORD = re.compile(r"[^\W\d_]+|[°%]")
_CONSTANTS = {"pi": math.pi, "π": math.pi, "e": math.e}


class AnswerSyntaxError(ValueError):
    """The text is no number.

    Args:
        message: what is wrong and what to do.
        position: where, counted from 0 in the text as typed.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True)
class Number:
    """What was read: the value, the unit's text ("" for none), and the LaTeX of how it was understood."""

    value: float
    unit: str
    latex: str


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "number", "word", or the sign itself
    text: str
    at: int


def read_number(text: str) -> Number:
    """Read a typed number with its unit.

    Raises:
        AnswerSyntaxError: it cannot be read, or is too long, too deep or too large.
    """
    if len(text) > LONGEST:
        msg = f"the answer has {len(text)} characters, at most {LONGEST} are read"
        raise AnswerSyntaxError(msg, LONGEST)
    return _Reader(_tokens(text)).answer()


def _tokens(text: str) -> list[_Token]:
    for sign, spelled in _FRACTIONS.items():
        text = text.replace(sign, f" {spelled}")
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda m: "^" + m.group().translate(_POWERS), text)
    text = text.translate(_SAME).replace("**", "^")
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _NUMBER.match(text, at) if text[at].isascii() else None
        if found is not None:
            tokens.append(_Token("number", found.group(), at))
            at = found.end()
            continue
        found = _WORD.match(text, at)
        if found is not None:
            tokens.append(_Token("word", found.group(), at))
            at = found.end()
        elif text[at] in "+-*/:^()=√≈":
            tokens.append(_Token({":": "/", "≈": "="}.get(text[at], text[at]), text[at], at))
            at += 1
        else:
            msg = f"'{text[at]}' at position {at + 1} has no meaning in a number; leave it out"
            raise AnswerSyntaxError(msg, at)
        if len(tokens) > MOST_TOKENS:
            msg = f"the answer has too many parts (over {MOST_TOKENS}); give the simplified number"
            raise AnswerSyntaxError(msg, at)
    return tokens


class _Reader:
    """Recursive descent over the tokens; values are computed as they are read."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def answer(self) -> Number:
        if not self._tokens:
            msg = "there is nothing to read yet; type a number"
            raise AnswerSyntaxError(msg, 0)
        if len(self._tokens) > 2 and self._tokens[0].kind == "word" and self._tokens[1].kind == "=":
            self._next = 2
        value, latex = self._sum()
        unit = self._unit()
        token = self._peek()
        if token is not None:
            msg = f"'{token.text}' at position {token.at + 1} was not expected here"
            raise AnswerSyntaxError(msg, token.at)
        if unit == "%":
            value, unit, latex = value / 100, "", latex + r"\,\%"
        elif unit:
            latex += r"\,\mathrm{" + re.sub(r"[^\w/^*°-]", "", unit).replace("%", r"\%") + "}"
        return Number(value, unit, latex)

    def _sum(self) -> tuple[float, str]:
        value, latex = self._product()
        while (token := self._peek()) is not None and token.kind in "+-":
            self._next += 1
            right, shown = self._product()
            value = self._bounded(value + right if token.kind == "+" else value - right, token)
            latex += f" {token.kind} {shown}"
        return value, latex

    def _product(self) -> tuple[float, str]:
        value, latex = self._power()
        while (token := self._peek()) is not None:
            if token.kind in "*/":
                self._next += 1
                right, shown = self._power()
                if token.kind == "/":
                    if right == 0:
                        msg = f"division by zero at position {token.at + 1}"
                        raise AnswerSyntaxError(msg, token.at)
                    value, latex = value / right, rf"\frac{{{latex}}}{{{shown}}}"
                else:
                    value, latex = value * right, rf"{latex} \cdot {shown}"
            elif token.text in {"x", "X"} and self._power_of_ten_follows():
                self._next += 1  # 3 x 10^8
                right, shown = self._power()
                value, latex = value * right, rf"{latex} \cdot {shown}"
            elif token.kind == "number" and self._mixed():
                whole = value
                part, shown = self._power()
                slash = self._tokens[self._next]
                self._next += 1
                below, shown_below = self._power()
                if below == 0:
                    msg = f"division by zero at position {slash.at + 1}"
                    raise AnswerSyntaxError(msg, slash.at)
                value = whole + math.copysign(part / below, whole)
                latex = rf"{latex}\tfrac{{{shown}}}{{{shown_below}}}"
            elif token.kind in "(√" or token.text.lower() in {"sqrt", *_CONSTANTS}:
                if token.text == "e" and not self._ends_here():
                    break
                right, shown = self._power()
                value, latex = value * right, f"{latex} {shown}"
            else:
                break
            value = self._bounded(value, token)
        return value, latex

    def _power(self) -> tuple[float, str]:
        token = self._peek()
        self._depth += 1
        if self._depth > DEEPEST:
            msg = "the answer is nested too deeply; give the simplified number"
            raise AnswerSyntaxError(msg, token.at if token else 0)
        try:
            if token is not None and token.kind in "+-":
                self._next += 1
                value, latex = self._power()
                return (-value, f"-{latex}") if token.kind == "-" else (value, latex)
            value, latex = self._atom()
            raised = self._peek()
            if raised is not None and raised.kind == "^":
                self._next += 1
                exponent, shown = self._power()
                return self._raised(value, exponent, raised), f"{{{latex}}}^{{{shown}}}"
            return value, latex
        finally:
            self._depth -= 1

    def _atom(self) -> tuple[float, str]:
        token = self._peek()
        if token is None:
            end = self._tokens[-1]
            msg = "the number ends too soon; something is missing at the end"
            raise AnswerSyntaxError(msg, end.at + len(end.text))
        self._next += 1
        if token.kind == "number":
            plain = token.text.replace(" ", "").replace("'", "").replace(",", ".")
            return self._bounded(float(plain), token), _shown(plain)
        if token.kind == "(":
            value, latex = self._sum()
            closing = self._peek()
            if closing is None or closing.kind != ")":
                msg = f"the bracket opened at position {token.at + 1} is not closed"
                raise AnswerSyntaxError(msg, token.at)
            self._next += 1
            return value, rf"\left({latex}\right)"
        if token.kind == "√" or token.text.lower() == "sqrt":
            value, latex = self._atom()
            if value < 0:
                msg = f"the root of a negative number at position {token.at + 1}"
                raise AnswerSyntaxError(msg, token.at)
            return math.sqrt(value), rf"\sqrt{{{latex}}}"
        if token.text.lower() in _CONSTANTS:
            name = token.text.lower()
            return _CONSTANTS[name], r"\pi" if name in {"pi", "π"} else "e"
        msg = f"'{token.text}' at position {token.at + 1} is no number"
        raise AnswerSyntaxError(msg, token.at)

    def _unit(self) -> str:
        """The rest, if it can be a unit: words, "/", "^", "*", and the digits of exponents."""
        token = self._peek()
        if token is None or token.kind != "word":
            return ""
        parts = []
        while (token := self._peek()) is not None and token.kind in {
            "word", "/", "^", "*", "-", "number",
        }:  # fmt: skip
            parts.append(token.text)
            self._next += 1
        return "".join(parts)

    def _mixed(self) -> bool:
        """Whether a whole number is followed by "1/2": both plain, and a slash between."""
        first = self._tokens[self._next - 1]
        rest = self._tokens[self._next : self._next + 3]
        return (
            first.kind == "number"
            and first.text.isdigit()
            and [t.kind for t in rest] == ["number", "/", "number"]
            and all(t.text.isdigit() for t in (rest[0], rest[2]))
        )

    def _power_of_ten_follows(self) -> bool:
        rest = self._tokens[self._next + 1 : self._next + 3]
        return [t.text for t in rest] == ["10", "^"]

    def _ends_here(self) -> bool:
        return self._next + 1 == len(self._tokens)

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    @staticmethod
    def _raised(base: float, exponent: float, token: _Token) -> float:
        if abs(exponent) > LARGEST_EXPONENT:
            msg = f"the exponent at position {token.at + 1} is too large"
            raise AnswerSyntaxError(msg, token.at)
        try:
            value = base**exponent
        except (OverflowError, ZeroDivisionError):
            value = math.inf
        if isinstance(value, complex):
            msg = f"the power at position {token.at + 1} is not a real number"
            raise AnswerSyntaxError(msg, token.at)
        return _Reader._bounded(value, token)

    @staticmethod
    def _bounded(value: float, token: _Token) -> float:
        if not math.isfinite(value) or abs(value) > LARGEST:
            msg = f"the number at position {token.at + 1} is too large"
            raise AnswerSyntaxError(msg, token.at)
        return value


def _shown(plain: str) -> str:
    mantissa, _, exponent = plain.lower().partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
