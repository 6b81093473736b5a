"""Fills and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.model import Action
from thetawarden.practice.wire import times
from thetawarden.practice.wire.encode.contract import contract_fields
from thetawarden.practice.wire.outgoing import Outgoing
from thetawarden.practice.wire.text import ascii_text, double, lines, message

if TYPE_CHECKING:
    from thetawarden.practice.model import CommissionReport, Execution

LIVE = -1
"""The request id of a fill nobody asked for."""

_PENDING_REVISION_SINCE = 178


def execution(req_id: int, fill: Execution, *, version: int) -> bytes:
    """One fill, live or listed."""
    fields = [
        str(Outgoing.EXECUTION.value),
        str(req_id),
        str(fill.key.order_id),
        *contract_fields(fill.contract, no_right="0"),
        fill.exec_id,
        times.stamp(fill.at_ns),
        fill.account,
        ascii_text(fill.exchange),
        "BOT" if fill.side is Action.BUY else "SLD",
        str(fill.quantity),
        double(fill.price),
        str(fill.perm_id),
        str(fill.key.client_id),
        "1" if fill.liquidation else "0",
        str(fill.cumulative_quantity),
        double(fill.average_price),
        ascii_text(fill.order_ref),
        "",
        "",
        "",
        str(fill.last_liquidity),
    ]
    if version >= _PENDING_REVISION_SINCE:
        fields.append("0")
    return lines(fields)


def execution_end(req_id: int) -> bytes:
    """All fills have been listed."""
    return message(Outgoing.EXECUTION_END, 1, req_id)


def commission(report: CommissionReport) -> bytes:
    """What a fill cost and, when it closed something, what it earned."""
    return message(
        Outgoing.COMMISSION_REPORT,
        1,
        report.exec_id,
        double(report.commission_usd),
        report.currency,
        double(report.realized_pnl_usd),
        double(None),
        "",
    )
