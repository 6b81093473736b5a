"""Defines an explained change, and writes it into the book.

A change is what the broker's book shows and no execution told: units with their cost, or cash, or
both, and the reason. Written twice for the same instant it counts once.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO
from thetawarden.domain.books.book import Book, CashMove, with_cash, with_inferred, with_move
from thetawarden.domain.books.holding import Cause, Move
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.instants import UnixNs


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One explained change; without an instrument it is cash alone.

    `fill` names the fill whose cost the cash shows, for a commission; `because_of` the option that
    was delivered, for the shares it brought.
    """

    cause: Cause
    words: str
    instrument: Instrument | None = None
    before: Decimal = ZERO
    after: Decimal = ZERO
    gross_usd: Decimal = ZERO
    cash_usd: Decimal = ZERO
    fill: str = ""
    fill_cost_usd: Decimal = ZERO
    because_of: int = 0


def with_change(book: Book, change: Change, *, account: str, at_ns: UnixNs) -> Book:
    """Write an explained change into the book."""
    if change.fill:
        return with_inferred(book, change.fill, change.fill_cost_usd)
    key = f"{change.cause}:{at_ns}:{change.because_of}"
    if change.instrument is None:
        cash = CashMove(
            key=key, account=account, at_ns=at_ns, cash_usd=change.cash_usd, cause=change.cause
        )
        return with_cash(book, cash)
    move = Move(
        key=key,
        at_ns=at_ns,
        instrument=change.instrument,
        quantity=change.after - change.before,
        gross_usd=change.gross_usd,
        cash_usd=change.cash_usd,
        cause=change.cause,
    )
    return with_move(book, account, move)
