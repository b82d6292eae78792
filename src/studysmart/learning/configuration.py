"""Settings of a network's fit that may be searched; its shape is the same for all."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from studysmart.errors import BadInput

TUNABLE = ("sequence", "attention")
# Lowest and highest value; what is searched, and what is accepted.
LIMITS: dict[str, tuple[float, float]] = {
    "rate": (0.2, 5.0),
    "dropped": (0.0, 0.6),
    "masked": (0.0, 4.0),
    "decay": (0.0, 0.3),
    "epochs": (0.3, 3.0),
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """How a network is fitted; the defaults are the built-in settings.

    kind: "sequence" or "attention". rate: highest learning rate, and epochs: their number, both as
    multiples of the built-in ones, which go by the size of the log. dropped: share of the encoder's
    outputs that is dropped. masked: shares of the labels that are hidden while training, as a
    multiple of the built-in ones. decay: of the weights, per step and unit of rate.

    Raises:
        BadInput: a value lies outside `LIMITS`, or the kind is none.
    """

    kind: str = "sequence"
    rate: float = 1.0
    dropped: float = 0.2
    masked: float = 1.0
    decay: float = 0.02
    epochs: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what could not be fitted."""
        if self.kind not in TUNABLE:
            msg = f"the kind is '{self.kind}', expected one of {', '.join(TUNABLE)}"
            raise BadInput(msg)
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not (
                isinstance(value, int | float) and math.isfinite(value) and low <= value <= high
            ):
                msg = f"{name} is {value!r}, expected a number from {low:g} to {high:g}"
                raise BadInput(msg)

    @classmethod
    def of(cls, kind: str, parameters: dict[str, Any]) -> Self:
        """From a kind and named values; what is not named is built-in.

        Raises:
            BadInput: a name nobody knows, or a value that is none.
        """
        unknown = sorted(set(parameters) - set(LIMITS))
        if unknown:
            msg = f"unknown settings {unknown}; known are {', '.join(LIMITS)}"
            raise BadInput(msg)
        return cls(kind, **parameters)

    @property
    def parameters(self) -> dict[str, float]:
        """All values but the kind."""
        return {field.name: asdict(self)[field.name] for field in fields(self)[1:]}
