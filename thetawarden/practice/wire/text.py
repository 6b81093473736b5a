"""How values look in a message: IB's conventions for numbers, flags and what is not set.

Fields are ASCII text ended by NUL. Unset numbers are the largest value of their type; other
characters than ASCII are escaped as TWS does, and a NUL inside a text becomes a space.
"""

from __future__ import annotations

import enum
import math
from decimal import Decimal
from typing import TypeAlias

from thetawarden.practice.wire.framing import frame

UNSET_INT = 2147483647
UNSET_LONG = 9223372036854775807
UNSET_DOUBLE = "1.7976931348623157E308"

Value: TypeAlias = str | int | float | Decimal | bool | enum.Enum | None


def field(value: Value) -> str:
    """Return one value as text; None is empty, floats are written as Java would."""
    if type(value) is str:  # most are, and a chain has hundreds of thousands of them
        return value if value.isascii() and "\0" not in value else ascii_text(value)
    if type(value) is int:
        return str(value)
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, str):
        return ascii_text(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return double(value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def double(value: float | Decimal | None) -> str:
    """Return a number as text, or the unset double for None and what is not finite."""
    if value is None or not math.isfinite(value):
        return UNSET_DOUBLE
    return float.__repr__(value) if isinstance(value, float) else format(value, "f")


def size(value: float | None) -> str:
    """Return a quantity without a needless fraction."""
    if value is None:
        return "0"
    return str(int(value)) if value == int(value) else float.__repr__(float(value))


def ascii_text(value: str) -> str:
    r"""Return text that fits one field, other characters escaped as `\\uXXXX`."""
    if value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", " ").encode("ascii", "backslashreplace").decode("ascii")


def message(*values: Value) -> bytes:
    """Return one framed message of these values; the first is the message id."""
    return frame(("\0".join(map(field, values)) + "\0").encode("ascii"))


def lines(fields: list[str]) -> bytes:
    """Return one framed message of fields that are text already."""
    return frame(("\0".join(fields) + "\0").encode("ascii"))
