"""Keeps every trade by what is booked: fills by their orders, and what happened without an order.

What is filled by an order of ours belongs to that order's trade. What was traded by hand, expired,
was assigned or split belongs to the trades that hold the contract, the oldest first, each for the
contracts it held, cash split exactly; what no trade of ours holds is a trade by hand. Told again,
a fill takes the place of what was told of it before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO, part_usd
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.trades.trade import Part, Trade, TradeState

MANUAL = "manual"
_DELIVERED = (Cause.ASSIGNMENT, Cause.EXERCISE)


class OrderSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Which trade an order of ours belongs to, and by which proposal."""

    trade: str
    role: OrderRole
    proposal_key: str


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """All trades by name, oldest first, and the orders that belong to them by reference."""

    trades: dict[str, Trade] = {}
    orders: dict[str, OrderSeen] = {}


def with_trade(ledger: Ledger, trade: Trade) -> Ledger:
    """Put a trade in the place of what was known of it."""
    return msgspec.structs.replace(ledger, trades=ledger.trades | {trade.name: trade})


def with_order(ledger: Ledger, order_ref: str, seen: OrderSeen) -> Ledger:
    """Remember which trade an order belongs to."""
    return msgspec.structs.replace(ledger, orders=ledger.orders | {order_ref: seen})


def without_trade(ledger: Ledger, name: str) -> Ledger:
    """Forget a trade and its orders."""
    trades = {key: one for key, one in ledger.trades.items() if key != name}
    orders = {ref: one for ref, one in ledger.orders.items() if one.trade != name}
    return Ledger(trades=trades, orders=orders)


def trade_of(ledger: Ledger, order_ref: str) -> str | None:
    """Return the trade of an order by its reference, or None when it is none of ours."""
    seen = ledger.orders.get(order_ref)
    if seen is not None:
        return seen.trade
    name = order_ref.partition(".")[0]
    return name if order_ref and name in ledger.trades else None


def with_fill(ledger: Ledger, part: Part) -> Ledger:
    """Book a fill as it stands now; a bust has a quantity of 0 and only its cost."""
    name = trade_of(ledger, part.order_ref)
    if name is None or name not in ledger.trades:
        return _claimed(_with_foreign(_without_part(ledger, part.key), part), part)
    seen = ledger.orders.get(part.order_ref)
    own = part if seen is None else msgspec.structs.replace(part, role=seen.role)
    trade = _with_part(ledger.trades[name], own)
    if seen is not None and seen.role is OrderRole.ROLL and part.quantity:
        rolled = tuple(dict.fromkeys((*trade.rolled, seen.proposal_key)))
        told_again = any(one.key == part.key for one in ledger.trades[name].parts)
        best = trade.best_fraction if told_again else 0.0  # it was ahead of the old premium
        trade = msgspec.structs.replace(trade, rolled=rolled, best_fraction=best)
    return with_trade(ledger, _settled(trade, part.at_ns))


def with_change(ledger: Ledger, part: Part) -> Ledger:
    """Book what happened without any fill: expiry, assignment, split, dividend."""
    if part.cause is Cause.SPLIT or not part.quantity:
        return _with_shared(ledger, part)
    if part.because_of not in {0, part.instrument.conid}:
        return _with_delivered(ledger, part)
    return _with_foreign(ledger, part)


def differences(ledger: Ledger, rows: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """Return by how much the book holds more of each contract than all trades say."""
    ours: dict[int, Decimal] = {}
    for trade in ledger.trades.values():
        for one in trade.held:
            conid = one.instrument.conid
            ours[conid] = ours.get(conid, ZERO) + one.quantity
    gaps = {
        conid: rows.get(conid, ZERO) - ours.get(conid, ZERO)
        for conid in dict.fromkeys((*rows, *ours))
    }
    return {conid: gap for conid, gap in gaps.items() if gap}


def closed_before(ledger: Ledger, before_ns: int) -> tuple[str, ...]:
    """Return the trades that ended before an instant: no correction is expected any more."""
    return tuple(
        name
        for name, one in ledger.trades.items()
        if one.state in {TradeState.CLOSED, TradeState.ABANDONED} and one.closed_ns < before_ns
    )


def manual_name(instrument: Instrument) -> str:
    """What the trade by hand in a contract is called."""
    return f"{MANUAL}-{instrument.conid}"


def _with_part(trade: Trade, part: Part) -> Trade:
    """Put a part where what was told of it before stands, or behind all others."""
    known = [one.key for one in trade.parts]
    if part.key not in known:
        return msgspec.structs.replace(trade, parts=(*trade.parts, part))
    parts = tuple(part if one.key == part.key else one for one in trade.parts)
    return msgspec.structs.replace(trade, parts=parts)


def _without_part(ledger: Ledger, key: str) -> Ledger:
    """Take a part away; a trade by hand of which nothing is left never was one."""
    for trade in ledger.trades.values():
        parts = tuple(one for one in trade.parts if one.key != key)
        if trade.manual and trade.parts and not parts:
            ledger = without_trade(ledger, trade.name)
        elif len(parts) < len(trade.parts):
            kept = msgspec.structs.replace(trade, parts=parts)
            ledger = with_trade(ledger, _settled(kept, trade.closed_ns or trade.opened_ns))
    return ledger


def _with_foreign(ledger: Ledger, part: Part) -> Ledger:
    """Let what is no order of ours take from those who hold, those by hand first."""
    if part.cause in _DELIVERED and part.instrument.kind is InstrumentKind.STOCK:
        return _with_delivered(ledger, part)
    conid = part.instrument.conid
    left = part.quantity
    takers = []
    for trade in _holders(ledger, conid):
        held = trade.quantity(conid)
        if held * left < 0:
            units = min(abs(held), abs(left)).copy_sign(left)
            takers.append((trade.name, units))
            left -= units
    return _dealt(ledger, part, takers, rest=left)


def _with_delivered(ledger: Ledger, part: Part) -> Ledger:
    """Give shares to the trades whose options brought them, as many as they have a claim on."""
    left = part.quantity
    takers = []
    for trade in ledger.trades.values():
        claim = _claim(trade, part)
        if claim * left > 0:
            units = min(abs(claim), abs(left)).copy_sign(left)
            takers.append((trade.name, units))
            left -= units
    return _dealt(ledger, part, takers, rest=left)


def _claimed(ledger: Ledger, option: Part) -> Ledger:
    """Shares that were told before the option that brought them find their trade after it."""
    if option.cause not in _DELIVERED or option.instrument.kind is not InstrumentKind.OPTION:
        return ledger
    symbol = option.instrument.symbol
    loose = [
        part
        for trade in ledger.trades.values()
        if trade.manual and trade.underlying == symbol
        for part in trade.parts
        if part.cause in _DELIVERED and part.instrument.kind is InstrumentKind.STOCK
    ]
    for part in loose:
        ledger = _with_delivered(_without_part(ledger, part.key), part)
    return ledger


def _claim(trade: Trade, part: Part) -> Decimal:
    """Shares that a trade's delivered options brought and that it was not given yet."""
    shares = ZERO
    for one in trade.parts:
        option = one.instrument
        if one.cause not in _DELIVERED:
            continue
        if option.conid == part.instrument.conid:
            shares -= one.quantity
        elif _may_bring(option, part):
            sign = 1 if option.right == "P" else -1
            shares += sign * one.quantity * option.multiplier
    return shares


def _may_bring(option: Instrument, part: Part) -> bool:
    """Whether the delivery of an option brought these shares, or may have."""
    if part.because_of:
        return option.conid == part.because_of
    return option.kind is InstrumentKind.OPTION and option.symbol == part.instrument.symbol


def _with_shared(ledger: Ledger, part: Part) -> Ledger:
    """Split what concerns all holders alike by what they hold; with no holder it is nobody's."""
    conid = part.instrument.conid
    holders = [(one.name, one.quantity(conid)) for one in _holders(ledger, conid)]
    total = sum((abs(held) for _, held in holders), ZERO)
    if not total:
        return ledger
    left, left_usd, of = part.quantity, part.cash_usd, total
    for name, held in holders:
        units = part_usd(whole_usd=left, part=abs(held), of=of)
        cash = part_usd(whole_usd=left_usd, part=abs(held), of=of)
        own = msgspec.structs.replace(part, quantity=units, cash_usd=cash)
        ledger = with_trade(ledger, _with_part(ledger.trades[name], own))
        left, left_usd, of = left - units, left_usd - cash, of - abs(held)
    return ledger


def _holders(ledger: Ledger, conid: int) -> list[Trade]:
    """Those who hold a contract, by hand first, then the oldest."""
    holding = [one for one in ledger.trades.values() if one.quantity(conid)]
    return sorted(holding, key=lambda one: (not one.manual, one.opened_ns, one.name))


def _dealt(
    ledger: Ledger, part: Part, takers: Iterable[tuple[str, Decimal]], *, rest: Decimal
) -> Ledger:
    """Give every taker its units with their share of the cash; the rest is a trade by hand."""
    shares: dict[str, Decimal] = {}
    for name, units in [*takers, (manual_name(part.instrument), rest)]:
        shares[name] = shares.get(name, ZERO) + units
    left, cash, cost = abs(part.quantity), part.cash_usd, part.commission_usd
    for name, units in shares.items():
        if not units:
            continue
        own_cash = part_usd(whole_usd=cash, part=abs(units), of=left)
        own_cost = part_usd(whole_usd=cost, part=abs(units), of=left)
        own = msgspec.structs.replace(
            part, quantity=units, cash_usd=own_cash, commission_usd=own_cost
        )
        trade = ledger.trades.get(name) or by_hand(part.instrument, part.at_ns)
        ledger = with_trade(ledger, _settled(_with_part(trade, own), part.at_ns))
        left, cash, cost = left - abs(units), cash - own_cash, cost - own_cost
    return ledger


def by_hand(instrument: Instrument, at_ns: UnixNs) -> Trade:
    """Return a trade that was not opened by us, still without any part."""
    return Trade(
        name=manual_name(instrument),
        strategy=MANUAL,
        underlying=instrument.symbol,
        opened_ns=at_ns,
        state=TradeState.OPEN,
        manual=True,
    )


def _settled(trade: Trade, at_ns: UnixNs) -> Trade:
    """A trade that holds something is open, one that holds nothing any more is closed."""
    if trade.held:
        closing = trade.state is TradeState.CLOSING
        state = TradeState.CLOSING if closing else TradeState.OPEN
        return msgspec.structs.replace(trade, state=state, closed_ns=UnixNs(0))
    if not any(one.quantity for one in trade.parts):
        return trade
    closed_ns = trade.closed_ns or at_ns
    return msgspec.structs.replace(trade, state=TradeState.CLOSED, closed_ns=closed_ns)
