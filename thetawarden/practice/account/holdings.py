"""Keeps one position: quantity, cost by IB's convention, results, and the cash a trade moves.

Quantities are signed units. `cost_usd` is signed as well, with multiplier and commission: what was
paid (long, positive) or received (short, negative). Average cost is their quotient, so it is
positive, higher than the price for a long and lower for a short. A future moves no cash when it is
traded: it pays variation, and `basis_usd` is the value up to which that has been paid.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from thetawarden.practice.account.money import ZERO, part_usd
from thetawarden.practice.model import Contract, SecType


class Holding(msgspec.Struct, kw_only=True):
    """One position of one account; the results of the day start again at midnight."""

    contract: Contract
    quantity: int = 0
    cost_usd: Decimal = ZERO
    basis_usd: Decimal = ZERO
    realized_usd: Decimal = ZERO
    realized_today_usd: Decimal = ZERO
    day_flow_usd: Decimal = ZERO
    last_mark: float = 0.0


class TradeEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What a trade did: cash for the units, variation paid, and profit when units were closed."""

    cash_usd: Decimal
    variation_usd: Decimal
    realized_usd: Decimal | None


def average_cost_usd(holding: Holding) -> Decimal:
    """Return the cost of one unit with multiplier and commission, 0 when nothing is held."""
    return holding.cost_usd / holding.quantity if holding.quantity else ZERO


def value_usd(holding: Holding, mark_usd: Decimal) -> Decimal:
    """Return the position's market value with multiplier and sign."""
    return mark_usd * holding.contract.multiplier * holding.quantity


def worth_usd(holding: Holding, mark_usd: Decimal) -> Decimal:
    """Return what the position adds to equity: its value, or a future's unpaid variation."""
    value = value_usd(holding, mark_usd)
    return value - holding.basis_usd if is_future(holding.contract) else value


def is_future(contract: Contract) -> bool:
    """Whether the contract pays variation instead of its price."""
    return contract.sec_type is SecType.FUTURE


def trade(holding: Holding, *, quantity: int, price_usd: Decimal, fees_usd: Decimal) -> TradeEffect:
    """Add signed units at a price; fees are positive and go into cost and result."""
    gross = price_usd * holding.contract.multiplier * quantity
    variation = ZERO
    if is_future(holding.contract):
        before = price_usd * holding.contract.multiplier * holding.quantity
        variation = before - holding.basis_usd
        holding.basis_usd = before + gross
    realized = _move_cost(holding, quantity=quantity, gross_usd=gross, fees_usd=fees_usd)
    cash = ZERO if is_future(holding.contract) else -gross
    holding.day_flow_usd -= gross + fees_usd
    return TradeEffect(cash_usd=cash, variation_usd=variation, realized_usd=realized)


def pay_variation(holding: Holding, mark_usd: Decimal) -> Decimal:
    """Pay a future's variation up to a mark and return the cash; nothing for other contracts."""
    if not is_future(holding.contract):
        return ZERO
    value = value_usd(holding, mark_usd)
    paid, holding.basis_usd = value - holding.basis_usd, value
    return paid


def amend_price(holding: Holding, *, quantity: int, change_usd: Decimal) -> Decimal:
    """Correct the price of an earlier trade by so much a share; return the cash it moves."""
    change = change_usd * holding.contract.multiplier * quantity
    if holding.quantity * quantity > 0:
        holding.cost_usd += change
    else:
        _realize(holding, -change)
    holding.day_flow_usd -= change
    return -change


def begin_day(holding: Holding, mark_usd: Decimal) -> None:
    """Start the day's results from a mark."""
    holding.realized_today_usd = ZERO
    holding.day_flow_usd = -value_usd(holding, mark_usd)


def _move_cost(
    holding: Holding, *, quantity: int, gross_usd: Decimal, fees_usd: Decimal
) -> Decimal | None:
    held = holding.quantity
    holding.quantity = held + quantity
    if held * quantity >= 0:
        holding.cost_usd += gross_usd + fees_usd
        return None
    closed = min(abs(held), abs(quantity))
    closed_cost = part_usd(whole_usd=holding.cost_usd, part=closed, of=abs(held))
    closing = part_usd(whole_usd=gross_usd + fees_usd, part=closed, of=abs(quantity))
    opening = gross_usd + fees_usd - closing
    holding.cost_usd += opening - closed_cost
    realized = -closing - closed_cost
    _realize(holding, realized)
    return realized


def _realize(holding: Holding, amount_usd: Decimal) -> None:
    holding.realized_usd += amount_usd
    holding.realized_today_usd += amount_usd
