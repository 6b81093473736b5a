"""Runs the night: exercise and assignment, cash settlement, dividends, variation, interest.

Only positions and account values tell about it, as with the real broker: no order, no execution,
unless the exchange was set up to show rows for assignments. The order is fixed: what expired,
early assignments, dividends (a writer assigned tonight no longer holds the share), futures, money.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from thetawarden.domain.instants import new_york_date
from thetawarden.practice.account import interest
from thetawarden.practice.account.book import Book, pay
from thetawarden.practice.account.holdings import is_future, pay_variation
from thetawarden.practice.account.ledger import Entry, EntryKind
from thetawarden.practice.account.money import price_usd, to_cents
from thetawarden.practice.exchange import appraisal, assignment
from thetawarden.practice.model import AccountChanged, CorporateEventKind, SecType

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor


def run(floor: Floor) -> None:
    """Do the whole night's work for every account."""
    for book in floor.state.books.values():
        assignment.close_expired(floor, book)
        assignment.follow_instructions(floor, book)
        assignment.assign_early(floor, book)
        _pay_dividends(floor, book)
        _pay_variation(floor, book)
        _accrue(floor, book)
        floor.emit([AccountChanged(account=book.terms.account)])
    floor.state.instructions.clear()
    _forget_settled(floor)


def _pay_dividends(floor: Floor, book: Book) -> None:
    """Holders on the morning of the ex-date are paid then; who is short pays."""
    day = new_york_date(floor.now_ns)
    for con_id, holding in book.holdings.items():
        if holding.contract.sec_type is not SecType.STOCK or not holding.quantity:
            continue
        for event in floor.market.events(con_id=con_id, first=day, last=day):
            if event.kind is CorporateEventKind.DIVIDEND and event.amount_usd:
                amount = to_cents(price_usd(event.amount_usd) * holding.quantity)
                holding.day_flow_usd += amount
                _post(floor, book, con_id=con_id, kind=EntryKind.DIVIDEND, amount=amount)


def _pay_variation(floor: Floor, book: Book) -> None:
    for con_id, holding in book.holdings.items():
        if is_future(holding.contract) and holding.quantity:
            mark = appraisal.mark_of(floor, holding.contract, holding.last_mark)
            paid = pay_variation(holding, price_usd(mark))
            _post(floor, book, con_id=con_id, kind=EntryKind.VARIATION, amount=paid)


def _accrue(floor: Floor, book: Book) -> None:
    """Interest is added up night by night and paid in cents with the first run of a month."""
    month = new_york_date(floor.now_ns).month
    if month != book.interest_month:
        paid = to_cents(book.accrued_usd)
        book.accrued_usd -= paid
        book.interest_month = month
        _post(floor, book, con_id=0, kind=EntryKind.INTEREST, amount=paid)
    book.accrued_usd += interest.night_usd(
        book.cash_usd, benchmark_annual=floor.terms.benchmark_annual, nights=1
    )


def _forget_settled(floor: Floor) -> None:
    held = {
        con_id
        for book in floor.state.books.values()
        for con_id, one in book.holdings.items()
        if one.quantity
    }
    state = floor.state
    state.settled = {con_id: price for con_id, price in state.settled.items() if con_id in held}


def _post(floor: Floor, book: Book, *, con_id: int, kind: EntryKind, amount: Decimal) -> None:
    pay(
        book,
        Entry(at_ns=floor.now_ns, kind=kind, amount_usd=amount, con_id=con_id),
    )
