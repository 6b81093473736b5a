"""Measures the book as it stands, and no oftener than it has changed.

A stock is a pure function of market, what is held and what is pending. Measuring a whole book is
dear, one more order is cheap: so the last stock is taken up again as far as it still holds.
"""

from __future__ import annotations

import math

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.risk.holdings import HeldBook, Holding, MarketView, PendingOrder
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.domain.risk.measure import (
    BookMeasure,
    measure_book,
    requirement_now_usd,
    with_pending,
)
from thetawarden.domain.risk.ruler import Ruler, ruler_of
from thetawarden.domain.risk.standing import standing_of


class Stock(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The measured book; `bare` is the same without anything pending."""

    market: MarketView
    holdings: tuple[Holding, ...]
    ruler: Ruler
    bare: BookMeasure
    book: BookMeasure


def take_stock(
    *,
    market: MarketView,
    held: HeldBook,
    pending: tuple[PendingOrder, ...],
    limits: RiskLimits,
    last: Stock | None = None,
) -> Stock:
    """Return the book as measured by a market.

    The margin of a position that was never approved is the model's.
    """
    if last is None or last.market is not market:
        return _anew(market, held, pending, ruler_of(market, limits))
    if not _alike(last.holdings, held.holdings):
        return _anew(market, held, pending, last.ruler)
    known = last.book.held
    as_it_was = (known.version, known.reconciled) == (held.version, held.reconciled)
    if as_it_was and last.book.pending == pending:
        return last
    margined = msgspec.structs.replace(held, holdings=last.bare.held.holdings)
    bare = _as_of(last.bare, margined, market)
    counted = last.book.pending
    if pending[: len(counted)] != counted:
        book = _with_all(bare, pending, last.ruler)
    else:
        names = "".join(f"+{order.key}" for order in counted)
        still = msgspec.structs.replace(last.book, at_ns=bare.at_ns, held=margined)
        still = msgspec.structs.replace(still, key=f"{bare.key}{names}")
        book = _with_all(still, pending[len(counted) :], last.ruler)
    return Stock(market=market, holdings=held.holdings, ruler=last.ruler, bare=bare, book=book)


def _anew(
    market: MarketView, held: HeldBook, pending: tuple[PendingOrder, ...], ruler: Ruler
) -> Stock:
    bare = measure_book(held=held, pending=(), ruler=ruler)
    margined = _with_model_margins(held, bare, ruler)
    if margined is not held:
        bare = _margined(bare, margined, ruler)
    bare = _as_of(bare, margined, market)
    book = _with_all(bare, pending, ruler)
    return Stock(market=market, holdings=held.holdings, ruler=ruler, bare=bare, book=book)


def _with_all(book: BookMeasure, pending: tuple[PendingOrder, ...], ruler: Ruler) -> BookMeasure:
    for order in pending:
        book = with_pending(book, order, ruler)
    return book


def _alike(before: tuple[Holding, ...], now: tuple[Holding, ...]) -> bool:
    """Whether the same is held; margins that nobody knows are alike too."""
    return len(before) == len(now) and all(
        one.contracts == other.contracts
        and one.position == other.position
        and one.instrument == other.instrument
        and _same(one.margin_usd, other.margin_usd)
        for one, other in zip(before, now, strict=True)
    )


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _margined(book: BookMeasure, held: HeldBook, ruler: Ruler) -> BookMeasure:
    """The same holdings with other margins: only what counts margins is counted anew."""
    return msgspec.structs.replace(book, held=held, standing=standing_of(held, ruler.market))


def _as_of(book: BookMeasure, held: HeldBook, market: MarketView) -> BookMeasure:
    return msgspec.structs.replace(
        book,
        key=f"{held.version}@{market.at_ns}",
        at_ns=UnixNs(min(held.at_ns, market.at_ns)),
        held=held,
    )


def _with_model_margins(held: HeldBook, book: BookMeasure, ruler: Ruler) -> HeldBook:
    """A margin nobody told is that of the position's rows by the model, with its first leg."""
    unknown = dict.fromkeys(one.position for one in held.holdings if math.isnan(one.margin_usd))
    if not unknown:
        return held
    margins = {
        name: requirement_now_usd(tuple(row for row in book.rows if row.owner == name), ruler)
        for name in unknown
    }
    told: set[str] = set()
    holdings = []
    for one in held.holdings:
        if one.position in margins:
            first = one.position not in told
            told.add(one.position)
            one = msgspec.structs.replace(  # noqa: PLW2901
                one, margin_usd=margins[one.position] if first else 0.0
            )
        holdings.append(one)
    return msgspec.structs.replace(held, holdings=tuple(holdings))
