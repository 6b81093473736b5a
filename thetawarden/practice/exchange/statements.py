"""Answers what accounts hold and are worth now: positions, portfolio, values, results."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.practice.account import values
from thetawarden.practice.account.book import Book
from thetawarden.practice.account.holdings import Holding, value_usd, worth_usd
from thetawarden.practice.account.money import ZERO, price_usd, to_cents
from thetawarden.practice.exchange import appraisal, guard
from thetawarden.practice.exchange.fills import position_of
from thetawarden.practice.model import AccountRow, Pnl, PortfolioRow, Position, SecType

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor


def positions(floor: Floor) -> tuple[Position, ...]:
    """Return all positions; those closed today once more, with quantity 0."""
    return tuple(
        position_of(book, con_id) for book in floor.state.books.values() for con_id in book.holdings
    )


def portfolio(floor: Floor, account: str) -> tuple[PortfolioRow, ...]:
    """Return an account's positions, valued now."""
    book = floor.state.books.get(account)
    if book is None:
        return ()
    with appraisal.holdings_quoted(floor, book):
        return tuple(_row(floor, book, one) for one in book.holdings.values())


def pnl(floor: Floor, account: str) -> Pnl:
    """Return an account's results: since midnight, open, and closed today."""
    book = floor.state.books.get(account)
    if book is None:
        return Pnl(daily_usd=None, unrealized_usd=None, realized_usd=None)
    with appraisal.holdings_quoted(floor, book):
        worth = appraisal.net_liquidation_usd(floor, book)
        return Pnl(
            daily_usd=to_cents(worth - book.day_start_usd - book.day_deposits_usd),
            unrealized_usd=to_cents(_unrealized_usd(floor, book)),
            realized_usd=to_cents(book.realized_today_usd),
        )


def position_pnl(floor: Floor, *, account: str, con_id: int) -> Pnl | None:
    """Return one position's results; None when there is no such position."""
    book = floor.state.books.get(account)
    holding = book.holdings.get(con_id) if book else None
    if holding is None:
        return None
    mark = _mark(floor, holding)
    value = value_usd(holding, mark)
    return Pnl(
        daily_usd=to_cents(value + holding.day_flow_usd),
        unrealized_usd=to_cents(value - holding.cost_usd) if holding.quantity else ZERO,
        realized_usd=to_cents(holding.realized_today_usd),
        quantity=holding.quantity,
        value_usd=to_cents(value),
    )


def account_rows(floor: Floor, account: str) -> tuple[AccountRow, ...]:
    """Return every line of account values, none for an unknown account."""
    book = floor.state.books.get(account)
    if book is None:
        return ()
    with appraisal.holdings_quoted(floor, book):
        return values.account_rows(_figures(floor, book))


def _figures(floor: Floor, book: Book) -> values.Figures:
    standing = guard.standing(floor, book)
    held = [one for one in book.holdings.values() if one.quantity]
    worth = {id(one): worth_usd(one, _mark(floor, one)) for one in held}

    def total(kind: SecType) -> Decimal:
        return sum((worth[id(one)] for one in held if one.contract.sec_type is kind), ZERO)

    gross = (abs(worth[id(one)]) for one in held if one.contract.sec_type is not SecType.FUTURE)
    return values.Figures(
        account=book.terms.account,
        cash_usd=book.cash_usd,
        settled_cash_usd=book.cash_usd,
        accrued_usd=book.accrued_usd,
        stock_usd=total(SecType.STOCK),
        option_usd=total(SecType.OPTION),
        future_pnl_usd=total(SecType.FUTURE),
        gross_usd=sum(gross, ZERO),
        net_liquidation_usd=standing.equity_usd,
        initial_usd=standing.initial_usd,
        maintenance_usd=standing.maintenance_usd,
        realized_usd=book.realized_today_usd,
        unrealized_usd=_unrealized_usd(floor, book),
        next_change_s=floor.state.next_overnight_ns // NS_PER_SECOND,
        day=f"{floor.state.day:%Y%m%d}",
    )


def _row(floor: Floor, book: Book, holding: Holding) -> PortfolioRow:
    mark = _mark(floor, holding)
    value = value_usd(holding, mark)
    return PortfolioRow(
        position=position_of(book, holding.contract.con_id),
        market_price=float(mark),
        market_value_usd=to_cents(value),
        unrealized_pnl_usd=to_cents(value - holding.cost_usd) if holding.quantity else ZERO,
        realized_pnl_usd=to_cents(holding.realized_today_usd),
    )


def _unrealized_usd(floor: Floor, book: Book) -> Decimal:
    return sum(
        (
            value_usd(one, _mark(floor, one)) - one.cost_usd
            for one in book.holdings.values()
            if one.quantity
        ),
        ZERO,
    )


def _mark(floor: Floor, holding: Holding) -> Decimal:
    return price_usd(appraisal.mark_of(floor, holding.contract, holding.last_mark))
