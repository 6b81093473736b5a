"""Makes intents of an approved proposal: the order itself and the exits that leave with it.

Prices are rounded to quotable ones towards safety: what an order pays is rounded down, what lets a
stop fill is rounded up, and a stop triggers at the tick before. Options are never sent at the
market: a stop is a stop limit.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.chains.identity import Refusal, terms_of
from thetawarden.domain.market.products import CENT, FUTURES, NICKEL, NICKEL_THEN_DIME, SHARE
from thetawarden.domain.market.ticks import Rounding, TickRule, round_price, step_at
from thetawarden.domain.orders.intent import Intent, Lifetime, OrderRole, OrderStyle
from thetawarden.domain.orders.proposal import Exits, OrderLeg, Pricing, Proposal
from thetawarden.domain.risk.candidate import Purpose

ROLES = {
    Purpose.OPEN: OrderRole.ENTRY,
    Purpose.CLOSE: OrderRole.EXIT,
    Purpose.ROLL: OrderRole.ROLL,
    Purpose.HEDGE: OrderRole.HEDGE,
}


class ExitTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How a position is protected where its proposal does not say.

    Bought back once `profit_target_fraction` of a credit is earned, stopped at `stop_multiple`
    credits, 0 for no stop. A stop's limit lies `stop_slack_fraction` of its trigger beyond it.
    """

    profit_target_fraction: float = 0.5
    stop_multiple: float = 0.0
    stop_slack_fraction: float = 0.25


def ticks_of(legs: tuple[OrderLeg, ...]) -> TickRule:
    """Return by which steps an order of these legs may be priced; the coarsest where unsure."""
    return ticks_for(tuple(leg.instrument for leg in legs))


def ticks_for(instruments: tuple[Instrument, ...]) -> TickRule:
    """Return by which steps an order of these contracts may be priced."""
    rules = [_ticks(one, combination=len(instruments) > 1) for one in instruments]
    return max(rules, key=lambda rule: max(band.step for band in rule.bands))


def sanitised(price: Decimal, legs: tuple[OrderLeg, ...]) -> Decimal:
    """Return the quotable price that pays no more."""
    return round_price(price=price, rule=ticks_of(legs), rounding=Rounding.DOWN)


def main_intent(proposal: Proposal, *, order_ref: str, units: int, reducing: bool) -> Intent:
    """Return the order of a proposal, for the units that were approved."""
    adaptive = proposal.pricing is Pricing.ADAPTIVE
    return Intent(
        order_ref=order_ref,
        trade=proposal.trade,
        strategy=proposal.strategy,
        role=ROLES[proposal.purpose],
        legs=proposal.legs,
        units=units,
        style=OrderStyle.ADAPTIVE if adaptive else OrderStyle.LIMIT,
        lifetime=Lifetime.DAY,
        limit_usd=sanitised(proposal.limit_usd, proposal.legs),
        reducing=reducing,
    )


def exits_for(proposal: Proposal, terms: ExitTerms) -> Exits | None:
    """Return at which prices what a proposal opens is ended; None where nothing need be.

    Whatever opens by selling an option for a credit gets at least a take profit. A roll's own price
    says nothing of what the unit it leads to is worth.
    """
    if proposal.purpose is not Purpose.OPEN or proposal.exits is not None:
        return proposal.exits
    return usual_exits(proposal.legs, credit_usd=-proposal.limit_usd, terms=terms)


def usual_exits(
    legs: tuple[OrderLeg, ...], *, credit_usd: Decimal, terms: ExitTerms
) -> Exits | None:
    """Return the exits of a unit that was sold for a credit, None for any other."""
    if credit_usd <= 0 or not is_short(legs):
        return None
    stop = Decimal(repr(terms.stop_multiple)) * credit_usd
    return Exits(
        take_profit_usd=left_at_target(terms) * credit_usd,
        stop_usd=stop if terms.stop_multiple > 0 else None,
    )


def left_at_target(terms: ExitTerms) -> Decimal:
    """Return which part of a credit buys a unit back at the profit aimed at."""
    return 1 - Decimal(repr(terms.profit_target_fraction))


def scaled_stop(before: Exits, *, take_profit_usd: Decimal | None) -> Decimal | None:
    """Return the stop that stands to a new take profit as the old one did; None where none did."""
    profit, stop = before.take_profit_usd, before.stop_usd
    if not profit or stop is None or take_profit_usd is None:
        return None
    return round(take_profit_usd * stop / profit, 4)


def is_short(legs: tuple[OrderLeg, ...]) -> bool:
    """Whether a unit sells an option."""
    return any(leg.ratio < 0 and leg.instrument.kind is InstrumentKind.OPTION for leg in legs)


def reversed_legs(legs: tuple[OrderLeg, ...]) -> tuple[OrderLeg, ...]:
    """Return the legs that undo a unit."""
    return tuple(OrderLeg(instrument=leg.instrument, ratio=-leg.ratio) for leg in legs)


class ExitOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What two exits of one unit have in common, and the name each would have."""

    trade: str
    strategy: str
    unit: tuple[OrderLeg, ...]
    units: int
    parent_ref: str
    oca_group: str
    take_profit_ref: str
    stop_ref: str


def exit_intents(exits: Exits, order: ExitOrder, terms: ExitTerms) -> tuple[Intent, ...]:
    """Return the orders that end a unit: a take profit, a stop, in one group of which one fills."""
    legs = reversed_legs(order.unit)
    found = []
    if exits.take_profit_usd is not None:
        limit = profit_limit(exits.take_profit_usd, legs)
        found.append(_exit(order, OrderRole.TAKE_PROFIT, limit_usd=limit, stop_usd=None))
    if exits.stop_usd is not None:
        stop, limit = stop_prices(exits.stop_usd, legs, terms)
        found.append(_exit(order, OrderRole.STOP, limit_usd=limit, stop_usd=stop))
    return tuple(found)


def profit_limit(price: Decimal, legs: tuple[OrderLeg, ...]) -> Decimal:
    """Return what a take profit pays: no more than meant, and never nothing for an option sold."""
    rule = ticks_of(legs)
    limit = round_price(price=price, rule=rule, rounding=Rounding.DOWN)
    if price > 0 and limit <= 0:
        return step_at(Decimal(), rule)
    return limit


def stop_prices(
    price: Decimal, legs: tuple[OrderLeg, ...], terms: ExitTerms
) -> tuple[Decimal, Decimal]:
    """Return a stop's trigger and how much it may then pay."""
    rule = ticks_of(legs)
    trigger = round_price(price=price, rule=rule, rounding=Rounding.DOWN)
    slack = abs(trigger) * Decimal(repr(terms.stop_slack_fraction))
    return trigger, round_price(price=trigger + slack, rule=rule, rounding=Rounding.UP)


def _exit(
    order: ExitOrder, role: OrderRole, *, limit_usd: Decimal, stop_usd: Decimal | None
) -> Intent:
    profit = role is OrderRole.TAKE_PROFIT
    return Intent(
        order_ref=order.take_profit_ref if profit else order.stop_ref,
        trade=order.trade,
        strategy=order.strategy,
        role=role,
        legs=reversed_legs(order.unit),
        units=order.units,
        style=OrderStyle.LIMIT if profit else OrderStyle.STOP_LIMIT,
        lifetime=Lifetime.GOOD_TILL_CANCELLED,
        limit_usd=limit_usd,
        stop_usd=stop_usd,
        parent_ref=order.parent_ref,
        oca_group=order.oca_group,
        reducing=True,
    )


def _ticks(one: Instrument, *, combination: bool) -> TickRule:
    if one.kind is InstrumentKind.STOCK:
        return CENT if combination else SHARE
    if one.kind is InstrumentKind.FUTURE:
        product = FUTURES.get(one.symbol)
        return NICKEL if product is None else product.ticks
    terms = terms_of(
        trading_class=one.trading_class or one.symbol,
        multiplier=one.multiplier,
        underlying=one.symbol,
        is_index=False,
    )
    if isinstance(terms, Refusal):
        return NICKEL_THEN_DIME
    return terms.combo_ticks if combination else terms.ticks
