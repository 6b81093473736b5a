"""Seams where a fault panel may reach into the life of orders; the effects are ordinary events.

Every `next_...` applies to the next order that is transmitted and then is used up. Faults are not
part of the saved state: a restart is healthy.
"""

from __future__ import annotations

import enum

import msgspec


class CommissionHabit(enum.StrEnum):
    """When the cost of a fill is told."""

    PROMPT = "prompt"
    LATE = "late"
    NEVER = "never"


class WhatIfHabit(enum.StrEnum):
    """What a margin preview answers with."""

    HONEST = "honest"
    UNSET = "unset"
    EMPTY = "empty"
    REFUSED = "refused"


class OrderFaults(msgspec.Struct, kw_only=True):
    """What will go wrong with orders; texts are reasons, empty for "nothing wrong"."""

    reject_next: str = ""
    reject_next_child: str = ""
    cancel_next_after_partial_fill: bool = False
    drop_next_acknowledgement: bool = False
    leg_next_combination: bool = False
    second_perm_id_next: bool = False
    cancel_fails_next: int = 0
    cancel_delay_s: float | None = None
    repeat_executions: bool = False
    commissions: CommissionHabit = CommissionHabit.PROMPT
    commission_delay_s: float = 60.0
    what_if: WhatIfHabit = WhatIfHabit.HONEST
