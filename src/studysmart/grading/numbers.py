"""Reading a number as people write it, with a grammar of our own: nothing typed is ever evaluated.

    answer  = [name ("=" | "≈")] sum [unit]
    sum     = product (("+" | "-") product)*
    product = signed (("*" | "/" | nothing) signed)*
    signed  = ["+" | "-"] power
    power   = atom ["^" signed]
    atom    = number | number "1/2" | "(" sum ")" | ("sqrt" | "ln" | "exp") atom | "pi" | "e"
    unit    = symbol ["^" integer] (["*" | "/"] symbol ["^" integer])*

The limits on length, parts, depth and size hold before anything is computed, so that reading takes
about a millisecond at most, whatever the text is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from studysmart.grading import units
from studysmart.grading.units import Unit

LONGEST = 300
MOST_PARTS = 200
DEEPEST = 40
MOST_DIGITS = 40
LARGEST_EXPONENT = 300
LARGEST = 1e300
LARGEST_UNIT_EXPONENT = 4

# Signs that look alike, as keyboards, phones and word processors write them.
_SIGNS = {
    **dict.fromkeys("+＋", "+"),
    **dict.fromkeys("-−–‒—﹣", "-"),
    **dict.fromkeys("*×·⋅∙•", "*"),
    **dict.fromkeys("/÷⁄∕:", "/"),
    "^": "^",
    "(": "(",
    ")": ")",
}
_HALVES = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5),
    "⅗": (3, 5), "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8),
    "⅞": (7, 8),
}  # fmt: skip
_RAISED = re.compile("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")

_GAP = "[ '’\u00a0\u2009\u202f]"
_EXPONENT = "(?P<exponent>[eE][+\\-−–]?[0-9]+)?"
# Thousands in groups of three, which cannot be meant otherwise; then any other number.
_GROUPED = re.compile(
    "(?P<digits>"
    f"[0-9]{{1,3}}(?:{_GAP}[0-9]{{3}})+(?![0-9])(?:[.,][0-9]+)?"
    "|[1-9][0-9]{0,2}(?:(?:,[0-9]{3}){2,}(?![0-9])(?:\\.[0-9]+)?|(?:,[0-9]{3})+\\.[0-9]+)"
    "|[1-9][0-9]{0,2}(?:(?:\\.[0-9]{3}){2,}(?![0-9])(?:,[0-9]+)?|(?:\\.[0-9]{3})+,[0-9]+)"
    f"){_EXPONENT}"
)
_PLAIN = re.compile(f"(?P<digits>[0-9]+(?:\\.[0-9]*|,[0-9]+)?|[.,][0-9]+){_EXPONENT}")
# "1,234" is a thousand and more to one reader and one and a bit to another.
_EITHER_WAY = re.compile("[1-9][0-9]{0,2},[0-9]{3}")
_WORD = re.compile("[A-Za-z\u00b5\u03bc]+|[°%€√π]")
_NAME = re.compile(
    r"\s*(?:[^\W\d_]{1,8}(?:_?\{?[0-9A-Za-z]{1,4}\}?)?['*]?(?:\([^()=]{1,8}\))?\s*)?[=≈]"
)
_CONSTANTS = {"pi": (math.pi, r"\pi"), "π": (math.pi, r"\pi"), "e": (math.e, "e")}
_FUNCTIONS: dict[str, tuple[str, str]] = {
    "sqrt": (r"\sqrt{", "}"),
    "√": (r"\sqrt{", "}"),
    "ln": (r"\ln ", ""),
    "exp": (r"\exp ", ""),
}


class AnswerSyntaxError(ValueError):
    """The text is no number.

    Args:
        position: where, counted from 0 in the text as it was typed.
        wrong: what is wrong.
        advice: what to do.
    """

    def __init__(self, position: int, wrong: str, advice: str) -> None:
        super().__init__(f"{wrong}; {advice}")
        self.wrong = wrong
        self.advice = advice
        self.position = position


@dataclass(frozen=True, slots=True)
class Number:
    """What was read: a finite value, its unit (None: none was typed), and the LaTeX of both."""

    value: float
    unit: Unit | None
    latex: str


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "number", "vulgar", "raised", "word", or the sign itself
    text: str  # numbers: as float() reads them
    at: int
    end: int


def read_numbers(text: str) -> tuple[Number, ...]:
    """Read a typed number with its unit: one reading, or two where a comma can be meant either way.

    "1,234" is read as 1.234 first and as 1234 second.

    Raises:
        AnswerSyntaxError: it cannot be read, or is too long, too deep or too large.
    """
    if len(text) > LONGEST:
        wrong = f"the answer has {len(text)} characters, of which at most {LONGEST} are read"
        raise AnswerSyntaxError(LONGEST, wrong, "type the number alone")
    named = _NAME.match(text)
    start = named.end() if named else 0
    tokens, unsure = _tokens(text, start, thousands=False)
    readings = [_Reader(tokens, len(text)).answer()]
    if unsure:
        tokens, _ = _tokens(text, start, thousands=True)
        readings.append(_Reader(tokens, len(text)).answer())
    return tuple(readings)


@lru_cache
def read_unit(text: str) -> Unit:
    """A unit as a task names it.

    Raises:
        AnswerSyntaxError: it is not one of the table's.
    """
    tokens, _ = _tokens(text, 0, thousands=False)
    unit = _Reader([_Token("number", "1", 0, 0), *tokens], len(text)).answer().unit
    if unit is None:
        raise AnswerSyntaxError(0, "there is no unit", "name one")
    return unit


def _tokens(text: str, at: int, *, thousands: bool) -> tuple[list[_Token], bool]:
    """The parts of the text, and whether a comma in it can be meant either way."""
    tokens: list[_Token] = []
    unsure = False
    while at < len(text):
        char = text[at]
        if char.isspace():
            at += 1
            continue
        if found := _GROUPED.match(text, at) or _PLAIN.match(text, at):
            digits = found["digits"]
            either_way = _EITHER_WAY.fullmatch(digits) is not None
            unsure = unsure or either_way
            grouped = found.re is _GROUPED or (either_way and thousands)
            plain = _plain(digits, grouped=grouped) + _exponent(found, at)
            tokens.append(_Token("number", plain, at, found.end()))
        elif found := _RAISED.match(text, at):
            tokens.append(_Token("raised", found.group().translate(_LOWERED), at, found.end()))
        elif found := _WORD.match(text, at):
            tokens.append(
                _Token("word", found.group().replace("\u03bc", "\u00b5"), at, found.end())
            )
        elif char in _HALVES:
            tokens.append(_Token("vulgar", char, at, at + 1))
        elif text.startswith("**", at):
            tokens.append(_Token("^", "**", at, at + 2))
        elif char in _SIGNS:
            tokens.append(_Token(_SIGNS[char], char, at, at + 1))
        else:
            wrong = f"the sign {shown(char)} has no meaning in a number"
            raise AnswerSyntaxError(at, wrong, "leave it out")
        at = tokens[-1].end
        if len(tokens) > MOST_PARTS:
            wrong = f"the answer has more than {MOST_PARTS} parts"
            raise AnswerSyntaxError(at, wrong, "type the simplified number")
    return tokens, unsure


def _plain(digits: str, *, grouped: bool) -> str:
    """The digits as float() reads them."""
    if not grouped:
        return digits.replace(",", ".")
    digits = re.sub(_GAP, "", digits)
    if digits.count(",") > 1 or ("." in digits and digits.rfind(".") > digits.find(",") >= 0):
        return digits.replace(",", "")  # 1,234,567 and 1,234.5
    if digits.count(".") > 1 or ("," in digits and "." in digits):
        return digits.replace(".", "").replace(",", ".")  # 1.234.567 and 1.234,5
    # Left are gaps between the groups, and the lone comma of 1,234 when it parts the thousands.
    return digits.replace(",", "" if _EITHER_WAY.fullmatch(digits) else ".")


def _exponent(found: re.Match[str], at: int) -> str:
    if sum(c.isdigit() for c in found["digits"]) > MOST_DIGITS:
        wrong = f"the number has more than {MOST_DIGITS} digits"
        raise AnswerSyntaxError(at, wrong, "round it")
    if not found["exponent"]:
        return ""
    plain = found["exponent"].replace("−", "-").replace("–", "-").lower()
    if abs(int(plain[1:])) > LARGEST_EXPONENT:
        wrong = "the power of ten is too large"
        raise AnswerSyntaxError(at, wrong, f"at most {LARGEST_EXPONENT} is read")
    return plain


class _Reader:
    """Recursive descent over the tokens; values are computed as they are read."""

    def __init__(self, tokens: list[_Token], length: int) -> None:
        self._tokens = tokens
        self._length = length
        self._next = 0
        self._depth = 0

    def answer(self) -> Number:
        if not self._tokens:
            raise AnswerSyntaxError(self._length, "there is no number yet", "type one")
        value, latex = self._sum()
        unit = self._unit()
        token = self._peek()
        if token is not None:
            raise self._unexpected(token)
        if unit is not None:
            latex = f"{latex}\\,\\mathrm{{{unit.latex}}}"
        return Number(value, unit, latex)

    def _sum(self) -> tuple[float, str]:
        value, latex = self._product()
        while (sign := self._take("+", "-")) is not None:
            self._refuse_sign()
            right, shown_right = self._product()
            value = _bounded(value + right if sign.kind == "+" else value - right, sign)
            latex += f" {sign.kind} {shown_right}"
        return value, latex

    def _product(self) -> tuple[float, str]:
        value, latex = self._signed()
        while (token := self._peek()) is not None:
            if token.kind == "/":
                self._next += 1
                below, shown_below = self._signed()
                value = _bounded(_divided(value, below, token), token)
                latex = rf"\frac{{{latex}}}{{{shown_below}}}"
            elif token.kind == "*" or self._is_cross(token):
                self._next += 1
                right, shown_right = self._signed()
                value = _bounded(value * right, token)
                latex = rf"{latex} \cdot {shown_right}"
            elif self._starts_factor(token):  # 2π, 3√2, 2(3+4): nothing between them
                right, shown_right = self._power()
                value = _bounded(value * right, token)
                latex = rf"{latex}\,{shown_right}"
            else:
                break
        return value, latex

    def _signed(self) -> tuple[float, str]:
        sign = self._take("+", "-")
        if sign is None:
            return self._power()
        self._refuse_sign()
        value, latex = self._power()
        return (-value, f"-{latex}") if sign.kind == "-" else (value, latex)

    def _refuse_sign(self) -> None:
        """After a sign: "3 +- 4" may be meant as either."""
        token = self._peek()
        if token is not None and token.kind in "+-":
            raise AnswerSyntaxError(token.at, "two signs stand together", "keep one, or use ( )")

    def _power(self) -> tuple[float, str]:
        self._depth += 1
        if self._depth > DEEPEST:
            token = self._peek()
            wrong = f"brackets, roots and powers stand more than {DEEPEST} deep"
            position = token.at if token else self._length
            raise AnswerSyntaxError(position, wrong, "type the simplified number")
        base, latex = self._atom()
        if (token := self._take("^")) is not None:
            exponent, shown_exponent = self._signed()
        elif (token := self._take("raised")) is not None:
            exponent, shown_exponent = float(token.text), token.text
        else:
            self._depth -= 1
            return base, latex
        self._depth -= 1
        return _raised(base, exponent, token), f"{{{latex}}}^{{{shown_exponent}}}"

    def _atom(self) -> tuple[float, str]:
        token = self._peek()
        if token is None:
            wrong = "something is missing at the end"
            raise AnswerSyntaxError(self._length, wrong, "complete it or shorten it")
        self._next += 1
        if token.kind == "number":
            return self._number(token)
        if token.kind == "vulgar":
            over, under = _HALVES[token.text]
            return over / under, rf"\tfrac{{{over}}}{{{under}}}"
        if token.kind == "(":
            value, latex = self._sum()
            if self._take(")") is None:
                wrong = f"the bracket opened at position {token.at + 1} is not closed"
                following = self._peek()
                raise AnswerSyntaxError(
                    following.at if following else self._length, wrong, "close it"
                )
            return value, rf"\left({latex}\right)"
        word = token.text.lower()
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        if word in _FUNCTIONS:
            return self._function(word, token)
        raise self._unexpected(token)

    def _number(self, token: _Token) -> tuple[float, str]:
        value, latex = _bounded(float(token.text), token), _number_latex(token.text)
        whole = token.text.isdigit()
        if whole and (vulgar := self._take("vulgar")) is not None:
            over, under = _HALVES[vulgar.text]
            return value + over / under, rf"{latex}\tfrac{{{over}}}{{{under}}}"
        following = self._tokens[self._next : self._next + 3]
        if [part.kind for part in following] != ["number", "/", "number"] or not whole:
            return value, latex
        top, _, bottom = following
        if not (top.text.isdigit() and bottom.text.isdigit()):
            return value, latex
        if int(top.text) >= int(bottom.text):
            wrong = "two numbers stand together"
            raise AnswerSyntaxError(top.at, wrong, "put + or * between them")
        self._next += 3  # "1 1/2": the fraction belongs to the whole number before it
        part = float(top.text) / float(bottom.text)
        return value + part, rf"{latex}\tfrac{{{top.text}}}{{{bottom.text}}}"

    def _function(self, word: str, token: _Token) -> tuple[float, str]:
        self._depth += 1
        if self._depth > DEEPEST:
            wrong = f"brackets, roots and powers stand more than {DEEPEST} deep"
            raise AnswerSyntaxError(token.at, wrong, "type the simplified number")
        inner, latex = self._atom()
        self._depth -= 1
        before, after = _FUNCTIONS[word]
        if after:  # the root's own bar says what the bracket said
            latex = latex.removeprefix(r"\left(").removesuffix(r"\right)")
        latex = before + latex + after
        if word == "exp":
            return _raised(math.e, inner, token), latex
        compute: Callable[[float], float] = math.log if word == "ln" else math.sqrt
        try:
            return compute(inner), latex
        except ValueError:
            wrong = f"'{word}' of a number that is {'not positive' if word == 'ln' else 'negative'}"
            raise AnswerSyntaxError(token.at, wrong, "check the sign inside") from None

    def _unit(self) -> Unit | None:
        """The rest of the text, if a unit's symbol stands next."""
        factors: list[tuple[str, int, str]] = []
        before = ""
        while (token := self._peek()) is not None:
            if factors and before == "" and token.kind in "*/":
                self._next += 1
                before = "/" if token.kind == "/" else r"\,"
                continue
            if token.kind != "word":
                break
            if not units.known(token.text):
                wrong = f"{shown(token.text)} is neither a number nor a unit known here"
                raise AnswerSyntaxError(token.at, wrong, "leave it out or write it otherwise")
            self._next += 1
            exponent = self._unit_exponent(token) * (-1 if before == "/" else 1)
            factors.append((token.text, exponent, before or (r"\," if factors else "")))
            before = ""
        if before:
            wrong = "the unit ends too soon"
            raise AnswerSyntaxError(self._tokens[self._next - 1].at, wrong, "complete it")
        return units.product(factors) if factors else None

    def _unit_exponent(self, symbol: _Token) -> int:
        """The power of a unit: "s^2", "s²", "s^-2", or "s2" as many write it."""
        negative = False
        token = self._peek()
        if token is not None and token.kind == "^":
            self._next += 1
            negative = self._take("-") is not None
            token = self._peek()
            if token is None or token.kind != "number":
                position = token.at if token else self._length
                raise AnswerSyntaxError(position, "a unit's power is no number", "write s^2")
        elif token is None or not (
            token.kind == "raised" or (token.kind == "number" and token.at == symbol.end)
        ):
            return 1
        self._next += 1
        digits = token.text.lstrip("+-")
        if not digits.isdigit() or not 0 < int(digits) <= LARGEST_UNIT_EXPONENT:
            wrong = f"a unit's power is a whole number up to {LARGEST_UNIT_EXPONENT}"
            raise AnswerSyntaxError(token.at, wrong, "check it")
        return -int(digits) if negative or token.text.startswith("-") else int(digits)

    def _is_cross(self, token: _Token) -> bool:
        """Whether an x is a multiplication sign, as in 3 x 10^8."""
        if token.text not in {"x", "X"} or self._tokens[self._next - 1].text == "0":
            return False  # 0x10 is a computer's number
        following = self._tokens[self._next + 1 : self._next + 2]
        return [part.kind for part in following] in (["number"], ["("])

    def _starts_factor(self, token: _Token) -> bool:
        # A number is none: "(1/2)3" and "2 3" read like slips.
        return token.kind == "(" or (
            token.kind == "word"
            and (token.text.lower() in _CONSTANTS or token.text.lower() in _FUNCTIONS)
        )

    def _unexpected(self, token: _Token) -> AnswerSyntaxError:
        if token.kind == "number":
            return AnswerSyntaxError(
                token.at, "two numbers stand together", "put + or * between them"
            )
        if token.kind == "word":
            wrong = f"{shown(token.text)} is not a number"
            return AnswerSyntaxError(token.at, wrong, "type the answer as a number")
        return AnswerSyntaxError(token.at, f"{shown(token.text)} was not expected", "check it")

    def _take(self, *kinds: str) -> _Token | None:
        token = self._peek()
        if token is None or token.kind not in kinds:
            return None
        self._next += 1
        return token

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None


def shown(text: str) -> str:
    """Typed text for a message: what cannot be seen is named by its code point."""
    return "'" + "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in text[:40]) + "'"


def _divided(above: float, below: float, token: _Token) -> float:
    if below == 0:
        raise AnswerSyntaxError(token.at, "this divides by zero", "check what stands below")
    return above / below


def _raised(base: float, exponent: float, token: _Token) -> float:
    if abs(exponent) > LARGEST_EXPONENT:
        raise AnswerSyntaxError(token.at, "the exponent is too large", "type the number itself")
    if base == 0 and exponent < 0:
        raise AnswerSyntaxError(token.at, "this divides by zero", "check the exponent")
    try:
        value = base**exponent
    except OverflowError:
        value = math.inf
    if isinstance(value, complex):
        wrong = "a root of a negative number is not real"
        raise AnswerSyntaxError(token.at, wrong, "check the sign")
    if value == 0 != base:
        raise AnswerSyntaxError(token.at, "the number is too small", "check the exponent")
    return _bounded(value, token)


def _bounded(value: float, token: _Token) -> float:
    if not abs(value) <= LARGEST:  # catches nan too
        raise AnswerSyntaxError(token.at, "the number is too large", "check it")
    return value


def _number_latex(plain: str) -> str:
    mantissa, _, exponent = plain.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
