"""Numbers and terms as LaTeX, without the slips of string building ("1x", "+ -3")."""

from __future__ import annotations

from fractions import Fraction


def num(value: float | Fraction, digits: int = 4) -> str:
    """A number without needless zeros; fractions as such."""
    if isinstance(value, Fraction):
        if value.denominator == 1:
            return str(value.numerator)
        sign = "-" if value < 0 else ""
        return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    rounded = round(value, digits)
    return str(int(rounded)) if rounded == int(rounded) else f"{rounded:.{digits}f}".rstrip("0")


def term(coefficient: float | Fraction, symbol: str, *, first: bool = False) -> str:
    """A signed term of a sum; "" when the coefficient is zero."""
    if coefficient == 0:
        return ""
    size = abs(coefficient)
    body = symbol if size == 1 and symbol else num(size) + symbol
    if first:
        return f"-{body}" if coefficient < 0 else body
    return f" - {body}" if coefficient < 0 else f" + {body}"


def poly(coefficients: list[int], symbol: str = "x") -> str:
    """A polynomial, highest power first in the list."""
    out = ""
    degree = len(coefficients) - 1
    for k, c in enumerate(coefficients):
        power = degree - k
        name = "" if power == 0 else symbol if power == 1 else f"{symbol}^{{{power}}}"
        out += term(c, name, first=not out)
    return out or "0"
