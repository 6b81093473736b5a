"""Asks what an order would do to its account's margin, and refuses what equity cannot carry.

The order is imagined filled whole at market, together with all that works already (see `working`);
equity then falls by its fees alone, because what is paid comes back as position. What lowers the
requirement always passes, and so does buying back what is short.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.account import tariff
from thetawarden.practice.account.exposures import Requirement
from thetawarden.practice.account.money import ZERO, price_usd, to_cents
from thetawarden.practice.exchange import appraisal, notices, working
from thetawarden.practice.model import Action

if TYPE_CHECKING:
    from thetawarden.practice.account.book import Book
    from thetawarden.practice.account.exposures import Exposure
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.state import LiveOrder
    from thetawarden.practice.exchange.working import Units
    from thetawarden.practice.model import Contract


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Equity and requirement of an account at one moment, USD."""

    equity_usd: Decimal
    initial_usd: Decimal
    maintenance_usd: Decimal

    @property
    def excess_usd(self) -> Decimal:
        """What equity has beyond the maintenance requirement, negative when it falls short."""
        return self.equity_usd - self.maintenance_usd


class Prospect(msgspec.Struct, frozen=True, kw_only=True):
    """An account before and after an order, other working orders filled in both.

    `before` asks for no less than what is held; `after` has the order filled.
    """

    before: Standing
    after: Standing
    fees_usd: Decimal


def standing(floor: Floor, book: Book) -> Standing:
    """Return how the account stands now."""
    with appraisal.holdings_quoted(floor, book):
        asked = appraisal.requirement(floor, book, appraisal.exposures(floor, book))
        return _standing(appraisal.net_liquidation_usd(floor, book), asked)


def prospect(floor: Floor, order: LiveOrder) -> Prospect:
    """Return how the account would stand with the order filled."""
    book = floor.book(order.request.account)
    units = working.order_units(floor, order)
    beside = [working.order_units(floor, one) for one in working.others(floor, book, order)]
    contracts = [contract for one in (units, *beside) for contract, _ in one]
    with appraisal.holdings_quoted(floor, book, contracts):
        return _prospect(floor, book, units, beside)


def reserved(floor: Floor, book: Book) -> Requirement:
    """Return what positions and working orders require together, never less than positions do."""
    beside = [working.order_units(floor, one) for one in working.others(floor, book, None)]
    contracts = [contract for one in beside for contract, _ in one]
    with appraisal.holdings_quoted(floor, book, contracts):
        held = appraisal.exposures(floor, book)
        return _worst(floor, book, held, [[], *working.outcomes(_quantities(held), beside)])


def refusal_reason(floor: Floor, order: LiveOrder) -> str:
    """Return the broker's words when equity does not suffice, empty when it does.

    A child that waits for its parent is not asked: it closes what the parent opens.
    """
    if order.parent_perm_id is not None or _buys_back(floor, order):
        return ""
    outlook = prospect(floor, order)
    if outlook.after.initial_usd <= outlook.before.initial_usd:
        return ""
    if outlook.after.equity_usd >= outlook.after.initial_usd:
        return ""
    return notices.margin_reason(
        equity_usd=outlook.after.equity_usd, initial_usd=outlook.after.initial_usd
    )


def _buys_back(floor: Floor, order: LiveOrder) -> bool:
    """Whether the order buys back no more than is short and not being bought back already."""
    book = floor.book(order.request.account)
    left = Counter({con_id: one.quantity for con_id, one in book.holdings.items()})
    for other in working.others(floor, book, order):
        units = working.order_units(floor, other)
        if working.closes(left, units):
            left.update({contract.con_id: quantity for contract, quantity in units})
    return working.buys_back(left, working.order_units(floor, order))


def _prospect(floor: Floor, book: Book, units: Units, beside: list[Units]) -> Prospect:
    held = appraisal.exposures(floor, book)
    equity = appraisal.net_liquidation_usd(floor, book)
    filled = _with(floor, held, units)
    before = [[], *working.outcomes(_quantities(held), beside)]
    after = working.outcomes(_quantities(filled), beside)
    fees = sum((_fees(floor, book, one, quantity) for one, quantity in units), ZERO)
    return Prospect(
        before=_standing(equity, _worst(floor, book, held, before)),
        after=_standing(equity - fees, _worst(floor, book, filled, after)),
        fees_usd=fees,
    )


def _worst(floor: Floor, book: Book, held: list[Exposure], outcomes: list[Units]) -> Requirement:
    """Return the greatest requirement of all outcomes."""
    asked = [appraisal.requirement(floor, book, _with(floor, held, one)) for one in outcomes]
    return Requirement(
        initial_usd=max(one.initial_usd for one in asked),
        maintenance_usd=max(one.maintenance_usd for one in asked),
    )


def _quantities(held: list[Exposure]) -> Counter[int]:
    return Counter({one.con_id: one.quantity for one in held})


def _with(floor: Floor, held: list[Exposure], units: Units) -> list[Exposure]:
    after = {one.con_id: one for one in held}
    for contract, quantity in units:
        there = after.get(contract.con_id)
        after[contract.con_id] = (
            appraisal.exposure(floor, contract, quantity)
            if there is None
            else msgspec.structs.replace(there, quantity=there.quantity + quantity)
        )
    return [one for one in after.values() if one.quantity]


def _fees(floor: Floor, book: Book, contract: Contract, quantity: int) -> Decimal:
    return tariff.fees_usd(
        contract=contract,
        side=Action.BUY if quantity > 0 else Action.SELL,
        quantity=abs(quantity),
        price_usd=price_usd(appraisal.mark_of(floor, contract)),
        plan=book.terms.plan,
        charged=tariff.Charged(),
    )


def _standing(equity_usd: Decimal, asked: Requirement) -> Standing:
    return Standing(
        equity_usd=to_cents(equity_usd),
        initial_usd=to_cents(price_usd(asked.initial_usd)),
        maintenance_usd=to_cents(price_usd(asked.maintenance_usd)),
    )
