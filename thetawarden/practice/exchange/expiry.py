"""Decides when contracts expire and at what price, and carries that out.

The price is taken at one instant: of AM-settled options and futures shortly after the underlying's
opening on the day of expiry (the opening print), of all others at the underlying's close. Money and
shares move later, in the run of the following night; until then the position stays, valued at what
it will bring. Futures settle at once.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from thetawarden.domain.instants import NS_PER_MINUTE, new_york_ns
from thetawarden.practice.account.book import Book, Trade, settle
from thetawarden.practice.account.ledger import EntryKind
from thetawarden.practice.account.money import price_usd
from thetawarden.practice.exchange import appraisal, families, fills
from thetawarden.practice.exchange.hours import con_ids_of
from thetawarden.practice.model import AccountChanged, SecType

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.model import ContractDetails

OPENING_PRINT_AFTER_NS = NS_PER_MINUTE
_FUTURE_LAST_TRADE = dt.time(9, 30)
_LATEST = dt.time(16)
_ZONE_LAG_HOURS = {"US/Central": 1, "America/Chicago": 1}


def next_settlement_ns(floor: Floor) -> int | None:
    """Return when the next contract that is held or ordered expires."""
    return min(
        (_instant(floor, one) for one in _expiring(floor)),
        default=None,
    )


def settle_prices(floor: Floor) -> None:
    """Fix the settlement price of everything that has expired by now; drop orders for it."""
    for con_id in _expiring(floor):
        details = floor.details(con_id)
        if details is None or _instant(floor, con_id) > floor.now_ns:
            continue
        floor.state.settled[con_id] = _price(floor, details)
        _drop_orders(floor, con_id)
        if details.contract.sec_type is SecType.FUTURE:
            for book in floor.state.books.values():
                pay_out(floor, book, con_id, kind=EntryKind.SETTLEMENT)


def pay_out(floor: Floor, book: Book, con_id: int, *, kind: EntryKind) -> None:
    """Close a holding at what it is worth at settlement, and say so by positions only."""
    holding = book.holdings.get(con_id)
    if holding is None or not holding.quantity:
        return
    price = appraisal.intrinsic(holding.contract, floor.state.settled[con_id])
    settle(
        book,
        Trade(
            contract=holding.contract,
            quantity=-holding.quantity,
            price_usd=price_usd(price),
            at_ns=floor.now_ns,
            kind=kind,
            reference="settlement",
        ),
    )
    floor.emit([fills.position_changed(book, con_id), AccountChanged(account=book.terms.account)])


def _expiring(floor: Floor) -> list[int]:
    held = [
        con_id
        for book in floor.state.books.values()
        for con_id, one in book.holdings.items()
        if one.quantity and one.contract.expiry is not None
    ]
    ordered = [con_id for one in floor.state.orders.values() for con_id in con_ids_of(one.contract)]
    return [
        con_id
        for con_id in dict.fromkeys((*held, *ordered))
        if con_id not in floor.state.settled and _expires(floor, con_id)
    ]


def _expires(floor: Floor, con_id: int) -> bool:
    details = floor.details(con_id)
    return details is not None and details.contract.expiry is not None


def _instant(floor: Floor, con_id: int) -> int:
    known = floor.expiry_instants.get(con_id)
    if known is None:
        known = floor.expiry_instants[con_id] = _find_instant(floor, con_id)
    return known


def _find_instant(floor: Floor, con_id: int) -> int:
    details = floor.details(con_id)
    if details is None or details.contract.expiry is None:
        return floor.now_ns
    day = details.real_expiry or details.contract.expiry
    session = floor.hours.on(details.under_con_id, day) if details.under_con_id else None
    if details.contract.sec_type is SecType.FUTURE:
        return _future_instant(details, day)
    if session is None:
        return new_york_ns(day, _LATEST)
    return session.open_ns + OPENING_PRINT_AFTER_NS if details.am_settled else session.close_ns


def _future_instant(details: ContractDetails, day: dt.date) -> int:
    text = details.last_trade_time
    at = dt.time.fromisoformat(text) if text else _FUTURE_LAST_TRADE
    lag = _ZONE_LAG_HOURS.get(details.time_zone_id, 0) if text else 0
    return new_york_ns(day, at) + lag * 60 * NS_PER_MINUTE + OPENING_PRINT_AFTER_NS


def _price(floor: Floor, details: ContractDetails) -> float:
    quote = floor.market.quote(details.under_con_id or details.contract.con_id)
    if quote is None:
        return appraisal.mark_of(floor, details.contract)
    if details.am_settled and quote.open is not None:
        return quote.open
    price = quote.last if quote.last is not None else appraisal.mark_in(quote)
    return 0.0 if price is None else price


def _drop_orders(floor: Floor, con_id: int) -> None:
    for order in list(floor.state.orders.values()):
        if con_id in con_ids_of(order.contract) and order.perm_id in floor.state.orders:
            families.cancel_alone(floor, order, "The contract expired.")
