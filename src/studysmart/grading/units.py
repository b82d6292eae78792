"""The units that tasks use, as powers of a few base units, so that 1.2 km is as right as 1200 m.

A unit is a product of powers of the symbols below: "m/s^2", "m s⁻²" and "m/s/s" are one unit.
"""

from __future__ import annotations

from dataclasses import dataclass

# One exponent for each of: metre, kilogram, second, radian, euro, decibel.
Dimension = tuple[int, int, int, int, int, int]
PLAIN: Dimension = (0, 0, 0, 0, 0, 0)
LENGTH, MASS, TIME, ANGLE, MONEY, LEVEL = (
    (1, 0, 0, 0, 0, 0),
    (0, 1, 0, 0, 0, 0),
    (0, 0, 1, 0, 0, 0),
    (0, 0, 0, 1, 0, 0),
    (0, 0, 0, 0, 1, 0),
    (0, 0, 0, 0, 0, 1),
)
_FREQUENCY = (0, 0, -1, 0, 0, 0)
_FORCE = (1, 1, -2, 0, 0, 0)
_ENERGY = (2, 1, -2, 0, 0, 0)
_POWER = (2, 1, -3, 0, 0, 0)
_PRESSURE = (-1, 1, -2, 0, 0, 0)
_DEGREE = 0.017453292519943295  # pi / 180

# symbol -> (factor to the base units, dimension); SI brochure, 9th edition, tables 2, 4, 7 and 8.
_SYMBOLS: dict[str, tuple[float, Dimension]] = {
    "m": (1.0, LENGTH), "km": (1e3, LENGTH), "dm": (0.1, LENGTH), "cm": (0.01, LENGTH),
    "mm": (1e-3, LENGTH), "\u00b5m": (1e-6, LENGTH), "um": (1e-6, LENGTH), "nm": (1e-9, LENGTH),
    "s": (1.0, TIME), "ms": (1e-3, TIME), "min": (60.0, TIME), "h": (3600.0, TIME),
    "kg": (1.0, MASS), "g": (1e-3, MASS), "mg": (1e-6, MASS), "t": (1e3, MASS),
    "Hz": (1.0, _FREQUENCY), "kHz": (1e3, _FREQUENCY), "MHz": (1e6, _FREQUENCY),
    "GHz": (1e9, _FREQUENCY),
    "N": (1.0, _FORCE), "kN": (1e3, _FORCE), "mN": (1e-3, _FORCE),
    "J": (1.0, _ENERGY), "kJ": (1e3, _ENERGY), "MJ": (1e6, _ENERGY),
    "W": (1.0, _POWER), "kW": (1e3, _POWER), "MW": (1e6, _POWER),
    "Pa": (1.0, _PRESSURE), "kPa": (1e3, _PRESSURE),
    "rad": (1.0, ANGLE), "°": (_DEGREE, ANGLE), "deg": (_DEGREE, ANGLE),
    "degree": (_DEGREE, ANGLE), "degrees": (_DEGREE, ANGLE),
    "€": (1.0, MONEY), "EUR": (1.0, MONEY), "euro": (1.0, MONEY), "euros": (1.0, MONEY),
    "ct": (0.01, MONEY), "cent": (0.01, MONEY), "cents": (0.01, MONEY),
    "dB": (1.0, LEVEL), "%": (0.01, PLAIN),
}  # fmt: skip
_LATEX = {"%": r"\%", "°": r"{}^\circ", "€": r"\text{€}", "\u00b5m": r"\mu m"}


@dataclass(frozen=True, slots=True)
class Unit:
    """A factor to the base units and the exponents of these; latex: as it was written."""

    factor: float
    dimension: Dimension
    latex: str

    @property
    def is_percent(self) -> bool:
        """Whether it only scales a plain number."""
        return self.dimension == PLAIN


def known(symbol: str) -> bool:
    """Whether the symbol, as it stands, is in the table."""
    return symbol in _SYMBOLS


def product(factors: list[tuple[str, int, str]]) -> Unit:
    """A product of powers: of each the known symbol, the exponent, and the LaTeX before it."""
    factor = 1.0
    dimension = [0] * len(PLAIN)
    latex = ""
    for symbol, exponent, before in factors:
        size, base = _SYMBOLS[symbol]
        factor *= size**exponent
        dimension = [have + exponent * more for have, more in zip(dimension, base, strict=True)]
        shown = _LATEX.get(symbol, symbol)
        # What stands below a "/" is written with the exponent that it had there.
        power = -exponent if before == "/" else exponent
        latex += before + (shown if power == 1 else f"{shown}^{{{power}}}")
    a, b, c, d, e, f = dimension
    return Unit(factor, (a, b, c, d, e, f), latex)
