"""Moves the prices of working orders by what the market shows, and mends uneven legs."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from thetawarden.actors import closing, following
from thetawarden.actors.executing import (
    ME,
    ExecutorState,
    Says,
    changed,
    held_of,
    page,
)
from thetawarden.domain.chains.view import ChainView, places_of, read_rows
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.building import ticks_of
from thetawarden.domain.orders.life import OrderLife, is_uneven
from thetawarden.domain.orders.proposal import multiplier_of
from thetawarden.domain.orders.settings import ExecutorSettings
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.orders.walking import LegPrice, Move, next_price, stepped, unit_price
from thetawarden.domain.units import to_decimal
from thetawarden.messages.trading import Halt

PRICE_PLACES = 4
AT_THE_BROKER = frozenset({Stage.WORKING, Stage.PARTIAL})


def quoted(state: ExecutorState, view: ChainView) -> None:
    """Keep the quotes of what works and of what is held, and of nothing else.

    What nobody bids for has a bid of nothing: enough to leave it, not to enter.
    """
    wanted = {
        leg.instrument.conid
        for life in state.orders.values()
        if not life.is_over
        for leg in life.intent.legs
        if leg.instrument.symbol == view.underlying
    }
    for trade in state.trades.values():
        if trade.underlying == view.underlying:
            wanted |= {one.instrument.conid for one in held_of(state, trade)}
    if not wanted:
        return
    rows = read_rows(view)
    good, bid_usd, places = rows.leavable, rows.leaving_bid_usd, places_of(rows)
    for row, conid in sorted((places[conid], conid) for conid in wanted & places.keys()):
        state.quotes[conid] = LegPrice(
            bid_usd=_price(float(bid_usd[row])) if good[row] else None,
            ask_usd=_price(float(rows.ask_usd[row])) if good[row] else None,
            at_ns=UnixNs(int(rows.at_ns[row])),
        )


def forget(state: ExecutorState) -> None:
    """Forget the quotes of what no order that is remembered and no trade is of any more."""
    wanted = {leg.instrument.conid for life in state.orders.values() for leg in life.intent.legs}
    for trade in state.trades.values():
        wanted |= {one.instrument.conid for one in trade.carried}
    state.quotes = {conid: one for conid, one in state.quotes.items() if conid in wanted}


def step(
    state: ExecutorState, life: OrderLife, now: UnixNs, settings: ExecutorSettings
) -> tuple[Says, ...]:
    """Move an order's price by its schedule, or give it up."""
    walk, limit = life.walk, life.intent.limit_usd
    if walk is None or limit is None or life.is_over or life.cancel is not None:
        state.orders[life.order_ref] = msgspec.structs.replace(life, walk=None)
        return ()
    rules = settings.urgent if walk.urgent else settings.walk
    if life.stage not in AT_THE_BROKER:  # nothing is asked of an order that may not be there
        later = msgspec.structs.replace(walk, due_ns=UnixNs(now + rules.step_ns))
        state.orders[life.order_ref] = msgspec.structs.replace(life, walk=later)
        return ()
    legs = life.intent.legs
    fresh = {
        conid: one
        for conid, one in state.quotes.items()
        if now - one.at_ns <= settings.quote_ns_max and (life.intent.reducing or one.bid_usd)
    }
    market = unit_price(legs, fresh, multiplier=multiplier_of(legs))
    found = next_price(limit_usd=limit, walk=walk, market=market, ticks=ticks_of(legs), rules=rules)
    if found.move is Move.GIVE_UP:
        return following.take_back(state, (life,), found.words, now=now, settings=settings)
    life = msgspec.structs.replace(life, walk=stepped(walk, now=now, rules=rules))
    state.orders[life.order_ref] = life
    if found.move is Move.STAY or market is None:
        return ()
    quoted = UnixNs(0) if life.intent.reducing else market.at_ns
    return changed(
        state, life, now=now, settings=settings, quoted_ns=quoted, limit_usd=found.limit_usd
    )


def mend_legs(
    state: ExecutorState, life: OrderLife, now: UnixNs, settings: ExecutorSettings
) -> tuple[Says, ...]:
    """Legs that filled without the others are closed as the unit they are, or we stop."""
    state.uneven.pop(life.order_ref, None)
    if not is_uneven(life):
        return ()
    text = f"the legs of {life.order_ref} have filled unevenly"
    taken = following.take_back(state, (life,), text, now=now, settings=settings)
    trade = state.trades.get(life.intent.trade)
    if trade is not None and life.is_over and closing.is_closing(state, trade):
        return (page(life.order_ref, text),)  # of a bust: what is left is on its way out
    if trade is None or closing.is_busy(state, trade):
        return (*taken, Halt(reason=text, by=ME), page(life.order_ref, text))
    closed = closing.close(state, trade, reason=text, now=now, settings=settings)
    return (*taken, page(life.order_ref, text), *closed)


def _price(value: float) -> Decimal | None:
    return to_decimal(value, places=PRICE_PLACES)
