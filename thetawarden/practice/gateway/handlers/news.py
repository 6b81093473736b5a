"""News, corporate events, fundamentals, scanners."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from thetawarden.practice.gateway import codes, scans, wsh
from thetawarden.practice.gateway.codes import Code
from thetawarden.practice.gateway.push.streams import send_scan
from thetawarden.practice.gateway.resolve import resolve_details
from thetawarden.practice.gateway.subscriptions import ScanFeed
from thetawarden.practice.wire import times
from thetawarden.practice.wire.encode import news as encode
from thetawarden.practice.wire.incoming import Incoming

if TYPE_CHECKING:
    from typing import Any

    from thetawarden.practice.gateway.handler import Handler
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.model import CorporateEvent
    from thetawarden.practice.wire.requests.simple import (
        ById,
        HistoricalNews,
        NewsArticleFor,
        Scanner,
        WshEvents,
    )
    from thetawarden.practice.wire.requests.special import FundamentalData

HEADLINES_MAX = 300
SCANS_MAX = 10
_AHEAD = dt.timedelta(days=120)
_BEHIND = dt.timedelta(days=365)
_REPORTS = frozenset({"CalendarReport", "RESC", "ReportSnapshot"})


def _providers(session: Session, _: Any) -> None:
    session.send(encode.providers(session.gateway.market.news_providers()))


def _article(session: Session, request: NewsArticleFor) -> None:
    market = session.gateway.market
    for article in market.news(start_ns=0, end_ns=market.now_ns):
        if (article.provider, article.article_id) == (request.provider, request.article_id):
            session.send(encode.article(request.req_id, article.text))
            return
    session.error(request.req_id, Code.VALIDATING, codes.validating("News article not found"))


def _headlines(session: Session, request: HistoricalNews) -> None:
    market = session.gateway.market
    wanted = {code for code in request.providers.replace(" ", "").split("+") if code}
    known = {provider.code for provider in market.news_providers()}
    if not wanted & known:
        session.error(request.req_id, Code.NEWS_NOT_ALLOWED, "News feed is not allowed.")
        return
    total = HEADLINES_MAX if request.total is None else request.total
    total = max(0, min(total, HEADLINES_MAX))
    found = [
        article
        for article in market.news(
            start_ns=_news_time(request.start, 0), end_ns=_news_time(request.end, market.now_ns)
        )
        if article.provider in wanted and (not article.con_ids or request.con_id in article.con_ids)
    ]
    for article in found[::-1][:total]:
        session.send(encode.headline(request.req_id, article))
    session.send(encode.headlines_end(request.req_id, has_more=len(found) > total))


def _news_time(text: str, default_ns: int) -> int:
    """Read `YYYY-MM-DD HH:MM:SS.0`, UTC, or the other forms of time; else the default."""
    try:
        moment = dt.datetime.fromisoformat(text.strip().split(".")[0])
    except ValueError:
        parsed = times.parse_stamp(text)
        return default_ns if parsed is None else parsed[0]
    return int(moment.replace(tzinfo=dt.UTC).timestamp()) * times.NS_PER_S


def _wsh_meta(session: Session, request: ById) -> None:
    session.subscriptions.wsh_meta = True
    session.send(encode.wsh_meta(request.req_id, wsh.meta()))


def _cancel_wsh_meta(session: Session, _: ById) -> None:
    session.subscriptions.wsh_meta = False


def _wsh_events(session: Session, request: WshEvents) -> None:
    if not session.subscriptions.wsh_meta:
        session.error(request.req_id, Code.WSH_NO_META, "WSH meta data not requested.")
        return
    con_ids = [] if request.con_id is None else [request.con_id]
    if request.fill_portfolio or not con_ids:
        held = session.gateway.exchange.positions()
        con_ids += [one.contract.con_id for one in held]
    first = _date(request.start, session, -_BEHIND)
    last = _date(request.end, session, _AHEAD)
    events: list[CorporateEvent] = []
    for con_id in dict.fromkeys(con_ids):
        events += session.gateway.market.events(con_id=con_id, first=first, last=last)
    session.send(encode.wsh_event(request.req_id, wsh.document(events[: request.limit or 100])))


def _date(text: str, session: Session, offset: dt.timedelta) -> dt.date:
    parsed = times.parse_stamp(text) if text.strip() else None
    today = times.new_york(session.gateway.now_ns).date()
    return today + offset if parsed is None else times.new_york(parsed[0]).date()


def _cancel_nothing(_session: Session, _: ById) -> None:
    """The answer was given at once; nothing is left to cancel."""


def _fundamentals(session: Session, request: FundamentalData) -> None:
    details = resolve_details(session, request.req_id, request.contract)
    if details is None:
        return
    today = times.new_york(session.gateway.now_ns).date()
    events = session.gateway.market.events(
        con_id=details.contract.con_id, first=today - _BEHIND, last=today + _AHEAD
    )
    if request.report not in _REPORTS or not events:
        text = (
            "We are sorry, but fundamentals data for the security specified is not available."
            f"{details.contract.symbol}"
        )
        session.error(request.req_id, Code.NO_FUNDAMENTALS, text)
        return
    session.send(encode.fundamentals(request.req_id, wsh.calendar_report(details, events)))


def _scanner(session: Session, request: Scanner) -> None:
    feeds = session.subscriptions.scans
    if request.req_id in feeds or len(feeds) >= SCANS_MAX:
        session.error(
            request.req_id, Code.PROCESSING, codes.processing("Duplicate or too many scans")
        )
        return
    feed = ScanFeed(req_id=request.req_id, request=request)
    if not scans.rank(session.gateway.market, request):
        text = "Historical Market Data Service query message:no items retrieved"
        session.error(request.req_id, Code.SCANNER, text)
    feeds[request.req_id] = feed
    send_scan(session, feed)


def _cancel_scanner(session: Session, request: ById) -> None:
    if session.subscriptions.scans.pop(request.req_id, None) is None:
        text = f"No scanner subscription found for ticker id:{request.req_id}"
        session.error(request.req_id, Code.UNKNOWN_SCANNER, text)


def _scanner_parameters(session: Session, _: Any) -> None:
    session.send(encode.scanner_parameters(scans.parameters_xml()))


HANDLERS: dict[Incoming, Handler] = {
    Incoming.REQ_NEWS_PROVIDERS: _providers,
    Incoming.REQ_NEWS_ARTICLE: _article,
    Incoming.REQ_HISTORICAL_NEWS: _headlines,
    Incoming.REQ_WSH_META: _wsh_meta,
    Incoming.CANCEL_WSH_META: _cancel_wsh_meta,
    Incoming.REQ_WSH_EVENTS: _wsh_events,
    Incoming.CANCEL_WSH_EVENTS: _cancel_nothing,
    Incoming.REQ_FUNDAMENTAL_DATA: _fundamentals,
    Incoming.CANCEL_FUNDAMENTAL_DATA: _cancel_nothing,
    Incoming.REQ_SCANNER: _scanner,
    Incoming.CANCEL_SCANNER: _cancel_scanner,
    Incoming.REQ_SCANNER_PARAMETERS: _scanner_parameters,
}
