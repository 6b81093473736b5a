"""Crosses between money and models: Decimal on the one side, float on the other, only here.

Prices and money are Decimal, because they are compared and added exactly; whatever a model computes
is float. A value that is not finite has no Decimal: it never becomes a price.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal


def to_float(amount: Decimal) -> float:
    """Return the float nearest to an exact amount, for use in a model."""
    return float(amount)


def to_floats(amounts: Iterable[Decimal]) -> list[float]:
    """Return the float nearest to each of many exact amounts."""
    return list(map(float, amounts))


def to_decimal(value: float, *, places: int) -> Decimal | None:
    """Return a model's number as an exact one, half to even, or None when it is not finite."""
    if not math.isfinite(value):
        return None
    return round(Decimal(value), places)


def as_written(value: float) -> Decimal | None:
    """Return the shortest exact number that reads as this float, or None when it is not finite.

    For what somebody else wrote in decimals and a library parsed: 5.05 is 5.05 again, 643 is 643.
    """
    if not math.isfinite(value):
        return None
    return Decimal(int(value)) if value.is_integer() else Decimal(repr(value))
