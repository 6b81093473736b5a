"""Tick-by-tick streams, books, headlines and scans as they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.gateway.push import generics
from thetawarden.practice.gateway.scans import rank
from thetawarden.practice.model import Depth, TickRequest
from thetawarden.practice.wire.encode import news as encode_news
from thetawarden.practice.wire.encode import ticks as encode

if TYPE_CHECKING:
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.gateway.subscriptions import Book, ScanFeed, TickStream
    from thetawarden.practice.model import DepthRow, Market, NewsArticle
    from thetawarden.practice.wire.encode.ticks import Tick

TICKS_A_STEP_MAX = 1000
INSERT, UPDATE, DELETE = 0, 1, 2
ASK_SIDE, BID_SIDE = 0, 1
_EMPTY = Depth(bids=(), asks=())


def send_ticks(session: Session, stream: TickStream) -> None:
    """Send what happened since the last time."""
    market = session.gateway.market
    request = TickRequest(
        con_id=stream.con_id,
        start_ns=stream.since_ns,
        end_ns=market.now_ns,
        count_max=TICKS_A_STEP_MAX,
    )
    ticks = stream_ticks(market, stream.kind, request)
    if ticks:
        session.send(encode.assemble(stream.req_id, ticks))
    stream.since_ns = market.now_ns


def stream_ticks(market: Market, kind: str, request: TickRequest) -> list[Tick]:
    """Return the ticks of one kind: Last, AllLast, BidAsk or MidPoint."""
    if kind == "BidAsk":
        return [encode.by_tick_quote(tick) for tick in market.quote_ticks(request)]
    if kind == "MidPoint":
        return [encode.by_tick_mid(tick) for tick in market.mid_ticks(request)]
    number = 1 if kind == "Last" else 2
    return [encode.by_tick_trade(number, tick) for tick in market.trades(request)]


def send_book(session: Session, book: Book) -> None:
    """Send every level that changed."""
    depth = session.gateway.market.depth(con_id=book.con_id, rows_max=book.rows)
    before = book.last or _EMPTY
    if depth == before:
        return
    _send_side(session, book, BID_SIDE, before.bids, depth.bids)
    _send_side(session, book, ASK_SIDE, before.asks, depth.asks)
    book.last = depth


def _send_side(
    session: Session,
    book: Book,
    side: int,
    before: tuple[DepthRow, ...],
    after: tuple[DepthRow, ...],
) -> None:
    send_row = encode.smart_depth_row if book.smart else encode.depth_row
    for position, row in enumerate(after):
        old = before[position] if position < len(before) else None
        if row != old:
            operation = INSERT if old is None else UPDATE
            session.send(
                send_row(book.req_id, position=position, operation=operation, side=side, row=row)
            )
    for position in range(len(before) - 1, len(after) - 1, -1):
        row = before[position]
        session.send(send_row(book.req_id, position=position, operation=DELETE, side=side, row=row))


def send_headlines(session: Session, articles: tuple[NewsArticle, ...]) -> None:
    """Send new headlines on the lines that asked for news of their contract."""
    for line in session.subscriptions.lines.values():
        if generics.NEWS not in line.generics:
            continue
        ticks = [
            encode.tick_news(
                at_ns=article.at_ns,
                provider=article.provider,
                article_id=article.article_id,
                headline=article.headline,
            )
            for article in articles
            if not article.con_ids or line.contract.con_id in article.con_ids
        ]
        if ticks:
            session.send(encode.assemble(line.req_id, ticks))


def send_scan(session: Session, feed: ScanFeed) -> None:
    """Send the ranking when it changed."""
    market = session.gateway.market
    found = rank(market, feed.request)
    if found == feed.last:
        return
    feed.last = found
    details = [one for con_id in found if (one := market.details(con_id)) is not None]
    session.send(encode_news.scanner_data(feed.req_id, details))
