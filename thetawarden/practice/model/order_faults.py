"""What a fault panel may plant in the life of orders; the effects are ordinary events.

Every `next_...` applies to the next order that is transmitted and then is used up. None of it is
part of the saved state: a restart is healthy.
"""

from __future__ import annotations

import msgspec


class OrderFaults(msgspec.Struct, kw_only=True):
    """What will go wrong with orders; texts are reasons, empty for "nothing wrong"."""

    reject_next: str = ""
    reject_next_child: str = ""
    cancel_next_after_partial_fill: bool = False
    leg_next_combination: bool = False
    second_perm_id_next: bool = False
    cancel_delay_s: float | None = None
    commission_delay_s: float | None = None
    """Market seconds until the cost of a fill is told; 0 for never, None for at once."""
    refuse_what_ifs: str = ""
