"""Answers what an order would do, without doing it; only a permanent id is used up."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.exchange import changes, guard, intake, notices
from thetawarden.practice.exchange.views import view_of
from thetawarden.practice.model import Notice, OrderStatus, OrderView, WhatIf

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.guard import Prospect
    from thetawarden.practice.model import OrderRequest


def what_if(floor: Floor, request: OrderRequest) -> WhatIf:
    """Return margins before and after, fees, and a refusal when equity would not suffice."""
    if floor.live(request.key) or changes.ended_view(floor, request.key):
        return WhatIf(view=None, refusal=notices.DUPLICATE_ID)
    ticket = intake.check(floor, request)
    if isinstance(ticket, Notice):
        return WhatIf(view=None, refusal=ticket)
    order = intake.new_order(floor, ticket)
    del floor.state.orders[order.perm_id]
    order.status = OrderStatus.PRE_SUBMITTED
    view = view_of(order)
    outlook = guard.prospect(floor, order)
    reason = floor.faults.refuse_what_ifs or guard.refusal_reason(floor, order)
    answer = _answer(view, outlook)
    return msgspec.structs.replace(answer, refusal=notices.rejected(reason)) if reason else answer


def _answer(view: OrderView, outlook: Prospect) -> WhatIf:
    before, after = outlook.before, outlook.after
    return WhatIf(
        view=view,
        initial_before_usd=before.initial_usd,
        maintenance_before_usd=before.maintenance_usd,
        equity_before_usd=before.equity_usd,
        initial_change_usd=_change(before.initial_usd, after.initial_usd),
        maintenance_change_usd=_change(before.maintenance_usd, after.maintenance_usd),
        equity_change_usd=_change(before.equity_usd, after.equity_usd),
        initial_after_usd=after.initial_usd,
        maintenance_after_usd=after.maintenance_usd,
        equity_after_usd=after.equity_usd,
        commission_usd=outlook.fees_usd,
    )


def _change(before: Decimal, after: Decimal) -> Decimal:
    return after - before
