"""Says what trades have brought: exact sums of cash, marks where something is still held.

A wheel cycle is the whole of one trade: the put that was sold, the shares that were put to us, the
calls sold on them, dividends, and the shares that were called away or sold. Its figures add up to
the cash of the trade to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.trades.trade import Part, Trade


class WheelCycle(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of the wheel as one result; costs are negative."""

    trade: str
    underlying: str
    puts_usd: Decimal
    shares_usd: Decimal
    calls_usd: Decimal
    dividends_usd: Decimal
    commission_usd: Decimal
    result_usd: Decimal
    calls_sold: int
    finished: bool


def result_usd(trade: Trade, marks_usd: Mapping[int, Decimal]) -> Decimal | None:
    """Return what a trade has made, all costs taken off; None while a mark is missing."""
    worth = ZERO
    for one in trade.held:
        mark = marks_usd.get(one.instrument.conid)
        if mark is None or not mark.is_finite():
            return None
        worth += one.quantity * mark * one.instrument.multiplier
    return trade.cash_usd + worth


def wheel_cycle(trade: Trade) -> WheelCycle | None:
    """Return the wheel cycle that a trade is, or None when no shares were ever delivered."""
    if trade.assigned_strike_usd is None:
        return None
    groups: dict[str, list[Part]] = {"puts": [], "calls": [], "shares": [], "dividends": []}
    for part in trade.parts:
        groups[_group(part)].append(part)
    calls = {one.instrument.conid for one in groups["calls"] if one.quantity < 0}
    return WheelCycle(
        trade=trade.name,
        underlying=trade.underlying,
        puts_usd=_gross_usd(groups["puts"]),
        shares_usd=_gross_usd(groups["shares"]),
        calls_usd=_gross_usd(groups["calls"]),
        dividends_usd=_gross_usd(groups["dividends"]),
        commission_usd=-trade.commission_usd,
        result_usd=trade.cash_usd,
        calls_sold=len(calls),
        finished=not trade.held,
    )


def _group(part: Part) -> str:
    if part.cause is Cause.DIVIDEND:
        return "dividends"
    if part.instrument.kind is not InstrumentKind.OPTION:
        return "shares"
    return "calls" if part.instrument.right is Right.CALL else "puts"


def _gross_usd(parts: Iterable[Part]) -> Decimal:
    return sum((one.gross_usd for one in parts), ZERO)
