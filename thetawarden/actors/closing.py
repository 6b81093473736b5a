"""Closes what is held by order of a person or a failed repair: by itself, whoever else hangs.

Every closing order is proposed like any other, priced on the freshest quotes there are, else on
marks; it starts at the middle and climbs, within a bound. What is not filled is proposed again at
new prices, a few times; then a person is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from thetawarden.actors.executing import (
    Asked,
    ExecutorState,
    Flattening,
    Says,
    held_of,
    lives_of,
    next_number,
    page,
    rests,
    there,
)
from thetawarden.actors.following import take_back
from thetawarden.actors.submitting import CLOSING_ROLES, drop_waiting
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.ticks import Rounding, round_price, step_at
from thetawarden.domain.orders.building import reversed_legs, ticks_of
from thetawarden.domain.orders.proposal import OrderLeg, Pricing, Proposal, multiplier_of
from thetawarden.domain.orders.settings import ExecutorSettings
from thetawarden.domain.orders.trade import TradeLife, options_in, unit_of
from thetawarden.domain.orders.walking import LegPrice, UnitPrice, unit_price
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.instrument import ConId, QuoteSeen
from thetawarden.messages.operations import Urgency
from thetawarden.messages.orders import ProposeOrder
from thetawarden.messages.trading import Flatten

SHARES_SLACK_FRACTION = 0.005


def flatten(
    state: ExecutorState, asked: Flatten, now: UnixNs, settings: ExecutorSettings
) -> tuple[Says, ...]:
    """Take back all that is on its way and begin to close what is held."""
    state.flattening = Flattening(
        reason=asked.reason, underlyings=_widened(state, asked.underlying), tries={}
    )
    reason = f"{asked.by} closes {state.flattening.what}: {asked.reason}"
    going = [
        life
        for life in state.orders.values()
        if not life.is_exit
        and not (life.walk is not None and life.walk.urgent)
        and state.flattening.concerns(underlying_of(life.intent.legs))
    ]
    dropped = drop_waiting(state, reason, now=now)
    taken = take_back(state, going, reason, now=now, settings=settings)
    return (*dropped, *taken, *press_on(state, now, settings))


def press_on(state: ExecutorState, now: UnixNs, settings: ExecutorSettings) -> tuple[Says, ...]:
    """Propose the next closing order of every trade that is to be closed and is not being."""
    flattening = state.flattening
    if flattening is None:
        return ()
    said: list[Says] = []
    left = False
    for trade in list(state.trades.values()):
        if not flattening.concerns(trade.underlying) or not held_of(state, trade):
            continue
        left = True
        if not rests(state, trade.name):
            continue  # what cannot be tried is no try
        tries = flattening.tries.get(trade.name, 0)
        if tries > settings.flatten_tries or is_busy(state, trade) or now < trade.again_ns:
            continue
        flattening.tries[trade.name] = tries + 1
        if tries == settings.flatten_tries:
            said.append(page(trade.name, f"{trade.name} is still held after {tries} tries"))
            continue
        said += close(state, trade, reason=flattening.reason, now=now, settings=settings)
    entering = any(
        not life.is_over
        and not life.is_exit
        and flattening.concerns(underlying_of(life.intent.legs))
        for life in state.orders.values()
    )
    if not left and not entering:
        state.flattening = None
        text = f"{flattening.what} is closed: {flattening.reason}"
        said.append(page("flatten", text, Urgency.HIGH))
    return tuple(said)


def _widened(state: ExecutorState, underlying: str) -> tuple[str, ...]:
    """An underlying is closed beside what is being closed already; everything contains it."""
    before = state.flattening
    if not underlying or (before is not None and not before.underlyings):
        return ()
    known = () if before is None else before.underlyings
    return tuple(dict.fromkeys((*known, underlying)))


def close(
    state: ExecutorState,
    trade: TradeLife,
    *,
    reason: str,
    now: UnixNs,
    settings: ExecutorSettings,
) -> tuple[Says, ...]:
    """Propose to close all options of a trade at once, urgently; its shares once none is left."""
    held = there(state, trade)
    unit, units = unit_of(options_in(held) or held)
    again = UnixNs(now + settings.query_ns)
    state.trades[trade.name] = msgspec.structs.replace(trade, again_ns=again)
    if not units or not rests(state, trade.name):
        return ()
    legs = reversed_legs(unit)
    price = price_now(state, legs, now, settings)
    if price is None:
        text = f"{trade.name} cannot be closed: there is no price of every leg of it"
        return (page(trade.name, text),)
    slack = settings.urgent_slack_fraction if options_in(held) else SHARES_SLACK_FRACTION
    limit, worst = _prices(price, legs, slack)
    key = f"{trade.name}:close:{next_number(state, now)}"
    proposal = Proposal(
        key=key,
        trade=trade.name,
        strategy=trade.strategy,
        purpose=Purpose.CLOSE,
        underlying=trade.underlying,
        legs=legs,
        units=units,
        limit_usd=limit,
        worst_usd=worst,
        pricing=Pricing.WALK,
        expires_ns=UnixNs(now + settings.ask_ns),
        quotes=_seen(state.quotes, legs),
        reasons=(reason,),
    )
    due = UnixNs(now + settings.ask_ns)
    state.asked[key] = Asked(trade=trade.name, closing=True, due_ns=due)
    return (ProposeOrder(proposal=proposal),)


def price_now(
    state: ExecutorState,
    legs: tuple[OrderLeg, ...],
    now: UnixNs,
    settings: ExecutorSettings,
) -> UnitPrice | None:
    """Return what buying a unit costs by fresh quotes, else by marks, else None."""
    multiplier = multiplier_of(legs)
    fresh = {
        conid: one
        for conid, one in state.quotes.items()
        if now - one.at_ns <= settings.quote_ns_max
    }
    priced = unit_price(legs, fresh, multiplier=multiplier)
    if priced is not None:
        return priced
    marked = {
        conid: LegPrice(bid_usd=mark, ask_usd=mark, at_ns=UnixNs(0))
        for conid, mark in state.marks.items()
    }
    return unit_price(legs, marked, multiplier=multiplier)


def is_busy(state: ExecutorState, trade: TradeLife) -> bool:
    """Whether something that closes a trade is proposed, waits or is on its way."""
    asked = any(one.trade == trade.name for one in state.asked.values())
    return asked or is_closing(state, trade)


def is_closing(state: ExecutorState, trade: TradeLife) -> bool:
    """Whether an order that closes or rolls a trade is approved or on its way."""
    lives = lives_of(state, trade.name)
    left = any(not life.is_over and life.intent.role in CLOSING_ROLES for life in lives)
    return left or is_to_be_closed(state, trade)


def is_to_be_closed(state: ExecutorState, trade: TradeLife) -> bool:
    """Whether an order that closes or rolls a trade is asked for or approved, and has not left."""
    asked = any(one.trade == trade.name and one.closing for one in state.asked.values())
    return asked or any(one.proposal.trade == trade.name for one in state.waiting.values())


def underlying_of(legs: tuple[OrderLeg, ...]) -> str:
    """Return what an order is written on."""
    return legs[0].instrument.symbol


def _prices(
    price: UnitPrice, legs: tuple[OrderLeg, ...], slack_fraction: float
) -> tuple[Decimal, Decimal]:
    """Start in the middle; at worst pay a little more than what is asked for now."""
    ticks = ticks_of(legs)
    start = round_price(price=price.mid_usd, rule=ticks, rounding=Rounding.UP)
    slack = max(
        abs(price.natural_usd) * Decimal(repr(slack_fraction)),
        2 * step_at(price.natural_usd, ticks),
    )
    worst = round_price(price=price.natural_usd + slack, rule=ticks, rounding=Rounding.UP)
    if len(legs) == 1 and legs[0].ratio > 0:  # an option is never bought back for nothing
        start = max(start, step_at(Decimal(), ticks))
    if len(legs) == 1 and legs[0].ratio < 0:  # nor sold for nothing
        worst = min(worst, -step_at(Decimal(), ticks))
        start = min(start, worst)
    return start, max(worst, start)


def _seen(quotes: Mapping[int, LegPrice], legs: tuple[OrderLeg, ...]) -> tuple[QuoteSeen, ...]:
    return tuple(
        QuoteSeen(con_id=ConId(leg.instrument.conid), seq=0, at_ns=quote.at_ns)
        for leg in legs
        if (quote := quotes.get(leg.instrument.conid)) is not None
    )
