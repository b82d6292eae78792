"""A small table of the units that tasks use, so that 1.2 km is as right as 1200 m."""

from __future__ import annotations

# unit -> (kind, factor to the kind's base unit)
_UNITS: dict[str, tuple[str, float]] = {
    "m": ("length", 1.0), "cm": ("length", 0.01), "mm": ("length", 0.001), "km": ("length", 1000.0),
    "s": ("time", 1.0), "ms": ("time", 0.001), "min": ("time", 60.0), "h": ("time", 3600.0),
    "kg": ("mass", 1.0), "g": ("mass", 0.001),
    "m/s": ("speed", 1.0), "km/h": ("speed", 1 / 3.6), "cm/s": ("speed", 0.01),
    "km/s": ("speed", 1000.0),
    "m/s^2": ("acceleration", 1.0),
    "N": ("force", 1.0), "kN": ("force", 1000.0),
    "J": ("energy", 1.0), "kJ": ("energy", 1000.0), "MJ": ("energy", 1e6),
    "W": ("power", 1.0), "kW": ("power", 1000.0),
    "Hz": ("frequency", 1.0), "kHz": ("frequency", 1000.0), "MHz": ("frequency", 1e6),
    "°": ("angle", 1.0), "deg": ("angle", 1.0),
    "dB": ("level", 1.0),
    "kg*m/s": ("momentum", 1.0), "N*s": ("momentum", 1.0), "Ns": ("momentum", 1.0),
    "N*m": ("torque", 1.0), "Nm": ("torque", 1.0), "N/m": ("stiffness", 1.0),
}  # fmt: skip


def _known(unit: str) -> tuple[str, float] | None:
    return _UNITS.get(unit) or _UNITS.get(unit.replace("·", "*"))


def factor(unit: str) -> float | None:
    """Factor to the base unit of its kind; None for a unit that is not in the table."""
    found = _known(unit)
    return found[1] if found else None


def same_kind(first: str, second: str) -> bool:
    """Whether both measure the same."""
    a, b = _known(first), _known(second)
    return a is not None and b is not None and a[0] == b[0]
