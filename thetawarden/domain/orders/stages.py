"""Names the stages of an order's life; which may follow which is the table in `machine`."""

from __future__ import annotations

import enum


class Stage(enum.StrEnum):
    """Where an order stands; UNKNOWN is a stage of its own, and never a reason to send again."""

    INTENDED = "intended"
    SENT = "sent"
    WORKING = "working"
    PARTIAL = "partial"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHHELD = "withheld"
    ABSENT = "absent"


ENDS = frozenset(
    {
        Stage.FILLED,
        Stage.CANCELLED,
        Stage.REJECTED,
        Stage.EXPIRED,
        Stage.WITHHELD,
        Stage.ABSENT,
    }
)
"""Nothing more comes of an order in one of these, but by the broker's own evidence."""
