"""Numbers and terms as LaTeX, without the slips of string building ("1x", "+ -3")."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

THREE_FIGURES = "Give at least three figures."
FOUR_FIGURES = "Give at least four figures."
FRACTION_GOES = "Give a fraction, or at least three figures."


def num(value: float | Fraction, digits: int = 4) -> str:
    """A number to so many decimals, without needless zeros; a fraction as such."""
    if isinstance(value, Fraction):
        if value.denominator == 1:
            return str(value.numerator)
        sign = "-" if value < 0 else ""
        return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    rounded = round(value, digits)
    return str(int(rounded)) if rounded == int(rounded) else f"{rounded:.{digits}f}".rstrip("0")


def sig(value: float | Fraction, figures: int = 4) -> str:
    """A number to so many significant figures, never in powers of ten."""
    number = float(value)
    if number == 0:
        return "0"
    return num(number, max(0, figures - 1 - math.floor(math.log10(abs(number)))))


def par(value: float | Fraction) -> str:
    """A number as a factor, an exponent's base or what is taken away: negative ones in brackets."""
    return f"({num(value)})" if value < 0 else num(value)


def times(first: int, second: int | str) -> str:
    """A product; a factor 1 is left out."""
    return str(second) if first == 1 else rf"{first} \cdot {second}"


def term(coefficient: float | Fraction, symbol: str, *, first: bool = False) -> str:
    """A signed term of a sum; "" when the coefficient is zero."""
    if coefficient == 0:
        return ""
    size = -coefficient if coefficient < 0 else coefficient
    body = symbol if size == 1 and symbol else num(size) + symbol
    if first:
        return f"-{body}" if coefficient < 0 else body
    return f" - {body}" if coefficient < 0 else f" + {body}"


def combine(*terms: tuple[float | Fraction, str]) -> str:
    """A sum of terms, each a coefficient with its symbol, in the given order."""
    out = ""
    for coefficient, symbol in terms:
        out += term(coefficient, symbol, first=not out)
    return out or "0"


def poly(coefficients: Sequence[float | Fraction], symbol: str = "x") -> str:
    """A polynomial, highest power first in the list."""
    degree = len(coefficients) - 1
    return combine(
        *((c, power(symbol, degree - k) if k < degree else "") for k, c in enumerate(coefficients))
    )


def power(symbol: str, exponent: int) -> str:
    """A power, whose exponent is left out when it is 1."""
    return symbol if exponent == 1 else f"{symbol}^{{{exponent}}}"


def surd(coefficient: Fraction, radicand: int) -> str:
    r"""A multiple of a root, as in \frac{3\sqrt{2}}{2}; the radicand 1 gives a plain number."""
    if radicand == 1 or coefficient == 0:
        return num(coefficient)
    root = rf"\sqrt{{{radicand}}}"
    above = root if abs(coefficient.numerator) == 1 else f"{abs(coefficient.numerator)}{root}"
    sign = "-" if coefficient < 0 else ""
    if coefficient.denominator == 1:
        return sign + above
    return rf"{sign}\frac{{{above}}}{{{coefficient.denominator}}}"


def exact_and_rounded(value: Fraction) -> str:
    """A fraction, followed by its rounded value where its decimals do not end at once."""
    if num(float(value), 4) == num(float(value), 12):
        return num(value) if value.denominator == 1 else f"{num(value)} = {num(float(value))}"
    return rf"{num(value)} \approx {sig(value)}"
