"""Values what an account holds, from the market of now.

A contract that has expired but is not yet settled is worth its intrinsic value at the settlement
price; one without any quote keeps its last mark.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING

from thetawarden.domain.instants import NS_PER_DAY, new_york_ns
from thetawarden.domain.pricing.black import DAYS_PER_YEAR
from thetawarden.practice.account import margin_portfolio, margin_regt
from thetawarden.practice.account.book import Book, MarginRule
from thetawarden.practice.account.exposures import Exposure, Requirement
from thetawarden.practice.account.holdings import worth_usd
from thetawarden.practice.account.money import ZERO, price_usd
from thetawarden.practice.model import Contract, SecType

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.model import ContractDetails, Quote

NARROW_INDICES = ("VIX",)
DEFAULT_IV_ANNUAL = 0.25
_CLOSE = dt.time(16)
_MARK_PLACES = 4


def holdings_quoted(
    floor: Floor, book: Book, others: Iterable[Contract] = ()
) -> AbstractContextManager[None]:
    """Fetch, in one go, the quotes that valuing the account's positions will ask for."""
    held = [one.contract for one in book.holdings.values() if one.quantity]
    return floor.at_hand(_quoted(floor, (*held, *others)))


def mark_of(floor: Floor, contract: Contract, last_mark: float = 0.0) -> float:
    """Return what one share of the contract is worth now."""
    settled = floor.state.settled.get(contract.con_id)
    if settled is not None:
        return intrinsic(contract, settled)
    quote = floor.quote(contract.con_id)
    mark = None if quote is None else mark_in(quote)
    return last_mark if mark is None else mark


def mark_in(quote: Quote) -> float | None:
    """Return the fairest price a quote holds."""
    both = quote.bid is not None and quote.ask is not None
    mid = ((quote.bid or 0.0) + (quote.ask or 0.0)) / 2.0 if both else None
    known = (one for one in (quote.mark, mid, quote.last, quote.close) if one is not None)
    mark = next(known, None)
    return None if mark is None or not math.isfinite(mark) else round(mark, _MARK_PLACES)


def intrinsic(contract: Contract, under_price: float) -> float:
    """Return what an option pays at this price of its underlying; a future pays the price."""
    if contract.sec_type is not SecType.OPTION or contract.strike is None:
        return under_price
    gap = under_price - contract.strike
    return max(round(gap if contract.right == "C" else -gap, _MARK_PLACES), 0.0)


def net_liquidation_usd(floor: Floor, book: Book) -> Decimal:
    """Return cash, accrued interest and what all positions add."""
    positions = sum(
        (
            worth_usd(one, price_usd(mark_of(floor, one.contract, one.last_mark)))
            for one in book.holdings.values()
            if one.quantity
        ),
        ZERO,
    )
    return book.cash_usd + book.accrued_usd + positions


def exposures(floor: Floor, book: Book) -> list[Exposure]:
    """Return the account's positions as margin rules see them."""
    return [
        exposure(floor, one.contract, one.quantity, last_mark=one.last_mark)
        for one in book.holdings.values()
        if one.quantity
    ]


def exposure(
    floor: Floor, contract: Contract, quantity: int, *, last_mark: float = 0.0
) -> Exposure:
    """Return one position as margin rules see it."""
    details = floor.details(contract.con_id)
    mark = mark_of(floor, contract, last_mark)
    under = mark
    if contract.sec_type is SecType.OPTION and details is not None:
        under = _under_price(floor, contract, details)
    return Exposure(
        con_id=contract.con_id,
        sec_type=contract.sec_type,
        symbol=contract.symbol,
        quantity=quantity,
        mark=mark,
        under_price=under,
        multiplier=contract.multiplier,
        broad_index=_is_broad(contract, details),
        right=contract.right,
        strike=contract.strike or 0.0,
        expiry=contract.expiry,
        iv_annual=_volatility(floor, contract),
        tau_years=_tau_years(floor, contract),
    )


def requirement(floor: Floor, book: Book, held: Iterable[Exposure]) -> Requirement:
    """Return what the account's rule asks for these positions."""
    rule = margin_portfolio if book.terms.margin is MarginRule.PORTFOLIO else margin_regt
    asked = rule.requirement(tuple(held))
    factor = floor.state.margin_factor
    return Requirement(
        initial_usd=asked.initial_usd * factor, maintenance_usd=asked.maintenance_usd * factor
    )


def _quoted(floor: Floor, contracts: Iterable[Contract]) -> list[int]:
    wanted = []
    for contract in contracts:
        wanted.append(contract.con_id)
        details = floor.details(contract.con_id)
        if contract.sec_type is SecType.OPTION and details is not None:
            wanted.append(details.under_con_id)
    return wanted


def _under_price(floor: Floor, contract: Contract, details: ContractDetails) -> float:
    settled = floor.state.settled.get(contract.con_id)
    if settled is not None:
        return settled
    quote = floor.quote(details.under_con_id)
    price = None if quote is None else mark_in(quote)
    return (contract.strike or 0.0) if price is None else price


def _is_broad(contract: Contract, details: ContractDetails | None) -> bool:
    if details is None or contract.symbol in NARROW_INDICES:
        return False
    return details.under_sec_type == SecType.INDEX.value


def _volatility(floor: Floor, contract: Contract) -> float:
    if contract.sec_type is not SecType.OPTION:
        return 0.0
    quote = floor.quote(contract.con_id)
    model = quote.model if quote else None
    return (model.iv_annual if model else None) or DEFAULT_IV_ANNUAL


def _tau_years(floor: Floor, contract: Contract) -> float:
    if contract.expiry is None or contract.con_id in floor.state.settled:
        return 0.0
    left_ns = new_york_ns(contract.expiry, _CLOSE) - floor.now_ns
    return max(left_ns / NS_PER_DAY / DAYS_PER_YEAR, 0.0)
