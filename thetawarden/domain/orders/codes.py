"""Says what a code of the broker's about an order means for it.

None of them is an order's state by itself: that is what reports and lists say. A refusal becomes an
end only with a report of it, or when the order is proved absent. A code nobody knows is a doubt.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType


class Meaning(enum.StrEnum):
    """What is to be made of a code."""

    WARNING = "warning: the order lives"
    CANCELLED = "confirms that the order is cancelled"
    REFUSED = "refused: over once it is reported or proved absent"
    CHANGE_REFUSED = "the change was refused: the order is as it was, or has ended"
    NOT_FOUND = "the order to cancel was not found: ask what became of it"
    CANNOT_CANCEL = "the order cannot be cancelled as it stands: ask what became of it"
    DOUBT = "an error without an echo: ask what became of it"


CODES: Mapping[int, Meaning] = MappingProxyType(
    {
        103: Meaning.REFUSED,
        104: Meaning.CHANGE_REFUSED,
        105: Meaning.CHANGE_REFUSED,
        110: Meaning.REFUSED,
        135: Meaning.NOT_FOUND,
        136: Meaning.CANNOT_CANCEL,
        161: Meaning.CANNOT_CANCEL,
        200: Meaning.REFUSED,
        201: Meaning.REFUSED,
        202: Meaning.CANCELLED,
        203: Meaning.REFUSED,
        314: Meaning.REFUSED,
        321: Meaning.REFUSED,
        383: Meaning.REFUSED,
        387: Meaning.REFUSED,
        388: Meaning.REFUSED,
        399: Meaning.WARNING,
        404: Meaning.WARNING,
        460: Meaning.REFUSED,
        463: Meaning.REFUSED,
        478: Meaning.REFUSED,
        2102: Meaning.CHANGE_REFUSED,
        2109: Meaning.WARNING,
        2137: Meaning.WARNING,
        10043: Meaning.REFUSED,
        10147: Meaning.NOT_FOUND,
        10148: Meaning.CANNOT_CANCEL,
        10349: Meaning.WARNING,
    }
)
"""The codes that are known to speak of orders."""

_WARNINGS = range(2100, 2200)


def meaning_of(code: int) -> Meaning:
    """Return what a code means; those of the broker's range for warnings warn."""
    found = CODES.get(code)
    if found is not None:
        return found
    return Meaning.WARNING if code in _WARNINGS else Meaning.DOUBT
