"""Asks what an order would do to its account's margin, and refuses what equity cannot carry.

The order is imagined filled whole at market; equity then falls by its fees alone, because what is
paid comes back as position. What lowers the requirement always passes.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.account import tariff
from thetawarden.practice.account.money import ZERO, price_usd, to_cents
from thetawarden.practice.exchange import appraisal, notices
from thetawarden.practice.exchange.legs import leg_buys
from thetawarden.practice.exchange.limits import sign_of
from thetawarden.practice.model import Action, Contract

if TYPE_CHECKING:
    from thetawarden.practice.account.book import Book
    from thetawarden.practice.account.exposures import Exposure, Requirement
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.state import LiveOrder


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
    """An account before and after an order."""

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
    units = order_units(floor, order)
    with appraisal.holdings_quoted(floor, book, [contract for contract, _ in units]):
        return _prospect(floor, book, units)


def refusal_reason(floor: Floor, order: LiveOrder) -> str:
    """Return the broker's words when equity does not suffice, empty when it does.

    A child that waits for its parent is not asked: it closes what the parent opens.
    """
    if order.parent_perm_id is not None:
        return ""
    outlook = prospect(floor, order)
    if outlook.after.initial_usd <= outlook.before.initial_usd:
        return ""
    if outlook.after.equity_usd >= outlook.after.initial_usd:
        return ""
    return notices.margin_reason(
        equity_usd=outlook.after.equity_usd, initial_usd=outlook.after.initial_usd
    )


def order_units(floor: Floor, order: LiveOrder) -> list[tuple[Contract, int]]:
    """Return the signed units of every contract the rest of the order would trade."""
    if not order.contract.legs:
        return [(order.contract, sign_of(order) * order.remaining)]
    units = []
    for leg in order.contract.legs:
        details = floor.details(leg.con_id)
        if details is not None:
            sign = 1 if leg_buys(order, leg) else -1
            units.append((details.contract, sign * leg.ratio * order.remaining))
    return units


def _prospect(floor: Floor, book: Book, units: list[tuple[Contract, int]]) -> Prospect:
    held = appraisal.exposures(floor, book)
    equity = appraisal.net_liquidation_usd(floor, book)
    after = _with(floor, held, units)
    fees = sum((_fees(floor, book, one, quantity) for one, quantity in units), ZERO)
    return Prospect(
        before=_standing(equity, appraisal.requirement(floor, book, held)),
        after=_standing(equity - fees, appraisal.requirement(floor, book, after)),
        fees_usd=fees,
    )


def _with(floor: Floor, held: list[Exposure], units: list[tuple[Contract, int]]) -> list[Exposure]:
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
