"""What the gateway itself knows of positions, cash, orders and fills, read by a foreign client."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import ib_async
import msgspec

CLIENT_ID = 98
CONNECT_S = 20.0
ANSWER_S = 20.0
OVER = frozenset({"Filled", "Cancelled", "ApiCancelled", "Inactive"})


class Working(msgspec.Struct, frozen=True, kw_only=True):
    """An open order: contracts of each leg that are still to trade, > 0 bought."""

    order_ref: str
    perm_id: int
    oca_group: str
    legs: dict[int, Decimal]


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution; `quantity` > 0 bought."""

    execution_id: str
    order_ref: str
    perm_id: int
    conid: int
    is_combination: bool
    quantity: Decimal


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one look; quantities by contract number, `perm_ids` by our reference."""

    market_ns: int
    positions: dict[int, Decimal]
    shorts: frozenset[int]
    cash_usd: Decimal
    working: tuple[Working, ...]
    fills: tuple[Fill, ...]
    perm_ids: dict[str, frozenset[int]]


def read_truth(port: int) -> Truth:
    """Ask the gateway; raises OSError or TimeoutError while it does not answer."""
    return asyncio.run(_read(port))


async def _read(port: int) -> Truth:
    ib = ib_async.IB()
    try:
        await ib.connectAsync("127.0.0.1", port, clientId=CLIENT_ID, timeout=CONNECT_S)
        opened = await asyncio.wait_for(ib.reqAllOpenOrdersAsync(), ANSWER_S)
        ended = await asyncio.wait_for(ib.reqCompletedOrdersAsync(apiOnly=False), ANSWER_S)
        filled = await asyncio.wait_for(ib.reqExecutionsAsync(), ANSWER_S)
        now = await asyncio.wait_for(ib.reqCurrentTimeAsync(), ANSWER_S)
        held = [one for one in ib.positions() if one.position]
        (cash,) = {
            Decimal(each.value)
            for each in ib.accountValues()
            if each.tag == "TotalCashValue" and each.currency == "USD"
        }
    finally:
        ib.disconnect()
    fills = tuple(_fill(one) for one in filled)
    seen = [(one.order.orderRef, one.order.permId) for one in (*opened, *ended)]
    seen += [(one.order_ref, one.perm_id) for one in fills]
    return Truth(
        market_ns=round(now.timestamp() * 1e9),
        positions={one.contract.conId: Decimal(str(one.position)) for one in held},
        shorts=frozenset(
            one.contract.conId
            for one in held
            if one.position < 0 and one.contract.secType in {"OPT", "FOP"}
        ),
        cash_usd=cash,
        working=tuple(_working(one) for one in opened if one.orderStatus.status not in OVER),
        fills=fills,
        perm_ids={
            ref: frozenset(number for name, number in seen if name == ref)
            for ref in dict(seen)
            if ref
        },
    )


def _working(trade: Any) -> Working:
    contract, order = trade.contract, trade.order
    sign = Decimal(1 if order.action == "BUY" else -1)
    left = sign * Decimal(str(trade.orderStatus.remaining or order.totalQuantity))
    legs = {contract.conId: left}
    if contract.secType == "BAG":
        legs = {
            leg.conId: left * leg.ratio * (1 if leg.action == "BUY" else -1)
            for leg in contract.comboLegs
        }
    return Working(
        order_ref=order.orderRef, perm_id=order.permId, oca_group=order.ocaGroup, legs=legs
    )


def _fill(fill: Any) -> Fill:
    execution = fill.execution
    sign = 1 if execution.side == "BOT" else -1
    return Fill(
        execution_id=execution.execId,
        order_ref=execution.orderRef,
        perm_id=execution.permId,
        conid=fill.contract.conId,
        is_combination=fill.contract.secType == "BAG",
        quantity=sign * Decimal(str(execution.shares)),
    )
