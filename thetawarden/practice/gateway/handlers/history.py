"""Bars, ticks, histograms and schedules of the past, and bars that go on."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from thetawarden.practice.gateway import codes
from thetawarden.practice.gateway.codes import Code
from thetawarden.practice.gateway.history_request import (
    SMALL_BAR_S,
    HistoryFault,
    Stretch,
    date_writer,
    stretch,
)
from thetawarden.practice.gateway.push.bars import REALTIME_BAR_NS
from thetawarden.practice.gateway.resolve import resolve_details
from thetawarden.practice.gateway.subscriptions import KeptBars, RealTimeBarStream
from thetawarden.practice.model import BarRequest, SecType, TickRequest
from thetawarden.practice.wire import times
from thetawarden.practice.wire.encode import history as encode
from thetawarden.practice.wire.incoming import Incoming

if TYPE_CHECKING:
    from thetawarden.practice.gateway.handler import Handler
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.model import Contract
    from thetawarden.practice.wire.requests.simple import (
        ById,
        HeadTimestamp,
        Histogram,
        HistoricalTicks,
        RealTimeBars,
    )
    from thetawarden.practice.wire.requests.special import HistoricalData

TICKS_MAX = 1000
PIECE = 6
"""Values of a volatility index that are computed at once; each costs milliseconds."""
_PERIOD_DAYS = {"day": 1, "week": 7, "month": 31, "year": 366}


def _bars(session: Session, request: HistoricalData) -> None:
    if _refuses_keeping(session, request):
        return
    details = resolve_details(session, request.req_id, request.contract)
    if details is None:
        return
    contract = details.contract
    asked = stretch(market=session.gateway.market, con_id=contract.con_id, asked=request)
    if isinstance(asked, HistoryFault):
        session.error(request.req_id, Code.VALIDATING, codes.validating(asked))
        return
    if not asked.named_zone:
        session.error(request.req_id, Code.NO_TIME_ZONE, codes.NO_TIME_ZONE_TEXT)
    if not _is_paced(session, request, contract, asked):
        text = codes.history("Historical data request pacing violation")
        session.error(request.req_id, Code.HISTORY, text)
    elif request.what.upper() == "SCHEDULE":
        _schedule(session, request, asked)
    else:
        _answer_bars(session, request, contract, asked)


def _answer_bars(
    session: Session, request: HistoricalData, contract: Contract, asked: Stretch
) -> None:
    """Answer once all is computed, piece by piece: others have clients and a market too."""
    if not session.alive:
        return
    if not session.gateway.market.prepare_bars(asked.request, most=PIECE):
        session.gateway.later(lambda: _answer_bars(session, request, contract, asked))
        return
    bars = session.gateway.market.bars(asked.request)
    if not bars:
        cause = (
            f"HMDS query returned no data: {contract.local_symbol or contract.symbol}"
            f"@{contract.exchange} {request.what.title()}"
        )
        session.error(request.req_id, Code.HISTORY, codes.history(cause))
        return
    date = date_writer(bar_s=asked.request.bar_s, format_date=request.format_date)
    session.send(
        encode.historical_data(
            request.req_id,
            start_ns=asked.request.start_ns,
            end_ns=asked.request.end_ns,
            bars=bars,
            date=date,
        )
    )
    if request.keep_up_to_date:
        session.subscriptions.kept_bars[request.req_id] = KeptBars(
            req_id=request.req_id, request=asked.request, last=bars[-1], date=date
        )


def _refuses_keeping(session: Session, request: HistoricalData) -> bool:
    kept = session.subscriptions.kept_bars
    if request.contract.sec_type == SecType.COMBO:
        text = "Historical data requests for combos are not supported"
        session.error(request.req_id, Code.KEEP_UP_COMBO, text)
        return True
    if not request.keep_up_to_date:
        return False
    if request.end.strip():
        text = "End date not supported with keep up to date requests"
        session.error(request.req_id, Code.KEEP_UP_END, text)
        return True
    if len(kept) >= session.gateway.settings.history_max:
        text = codes.history("Too many simultaneous historical data requests")
        session.error(request.req_id, Code.HISTORY, text)
        return True
    return False


def _is_paced(
    session: Session, request: HistoricalData, contract: Contract, asked: Stretch
) -> bool:
    if asked.request.bar_s > SMALL_BAR_S:
        return True
    kind = (contract.con_id, contract.exchange, request.what)
    whole = (*kind, request.end, request.bar_size, request.duration, request.regular_hours_only)
    return session.history_pacing.allows(
        now_s=session.gateway.now_s,
        whole=whole,
        kind=kind,
        weight=2 if request.what.upper() == "BID_ASK" else 1,
    )


def _schedule(session: Session, request: HistoricalData, asked: Stretch) -> None:
    wanted = asked.request
    sessions = session.gateway.market.sessions(
        con_id=wanted.con_id,
        first=times.new_york(wanted.start_ns).date(),
        last=times.new_york(wanted.end_ns).date(),
        regular=request.regular_hours_only,
    )
    session.send(
        encode.schedule(
            request.req_id,
            start_ns=wanted.start_ns,
            end_ns=wanted.end_ns,
            sessions=sessions,
        )
    )


def _cancel_bars(session: Session, request: ById) -> None:
    if session.subscriptions.kept_bars.pop(request.req_id, None) is None:
        text = f"No historical data query found for ticker id:{request.req_id}"
        session.error(request.req_id, Code.UNKNOWN_HISTORY, text)
        return
    text = codes.history(f"API historical data query cancelled: {request.req_id}")
    session.error(request.req_id, Code.HISTORY, text)


def _realtime_bars(session: Session, request: RealTimeBars) -> None:
    streams = session.subscriptions.realtime_bars
    if len(streams) >= session.gateway.settings.realtime_bars_max:
        text = "Max number of real time bars requests has been reached"
        session.error(request.req_id, Code.REALTIME_BARS_MAX, text)
        return
    details = resolve_details(session, request.req_id, request.contract)
    if details is None:
        return
    now_ns = session.gateway.now_ns
    next_ns = now_ns - now_ns % REALTIME_BAR_NS
    bars = BarRequest(
        con_id=details.contract.con_id,
        bar_s=5,
        start_ns=next_ns,
        end_ns=next_ns,
        what=request.what.upper() or "TRADES",
        regular_hours_only=request.regular_hours_only,
    )
    streams[request.req_id] = RealTimeBarStream(
        req_id=request.req_id, request=bars, next_ns=next_ns
    )


def _cancel_realtime_bars(session: Session, request: ById) -> None:
    if session.subscriptions.realtime_bars.pop(request.req_id, None) is None:
        text = f"Can't find EId with tickerId:{request.req_id}"
        session.error(request.req_id, Code.UNKNOWN_TICKER, text)


def _head(session: Session, request: HeadTimestamp) -> None:
    details = resolve_details(session, request.req_id, request.contract)
    if details is None:
        return
    head_ns = session.gateway.market.head_ns(details.contract.con_id)
    if head_ns is None:
        session.error(request.req_id, Code.HISTORY, codes.history("No head time stamp"))
        return
    as_text = f"{times.utc(head_ns):%Y%m%d-%H:%M:%S}"
    text = times.epoch(head_ns) if request.format_date == 2 else as_text
    session.send(encode.head_timestamp(request.req_id, text))


def _histogram(session: Session, request: Histogram) -> None:
    details = resolve_details(session, request.req_id, request.contract)
    if details is None:
        return
    words = request.period.lower().rstrip("s").split()
    if len(words) != 2 or not words[0].isdigit() or words[1] not in _PERIOD_DAYS:
        session.error(request.req_id, Code.VALIDATING, codes.validating("Invalid period"))
        return
    days = min(int(words[0][:4]) * _PERIOD_DAYS[words[1]], 366)
    now_ns = session.gateway.now_ns
    start_ns = now_ns - int(dt.timedelta(days=days).total_seconds()) * times.NS_PER_S
    bins = session.gateway.market.histogram(
        con_id=details.contract.con_id, start_ns=start_ns, end_ns=now_ns
    )
    session.send(encode.histogram(request.req_id, bins))


def _ticks(session: Session, request: HistoricalTicks) -> None:
    details = resolve_details(session, request.req_id, request.contract)
    if details is None:
        return
    wanted = _tick_request(session, request, details.contract.con_id)
    if wanted is None:
        text = "Failed to request historical ticks:specify either start or end time"
        session.error(request.req_id, Code.HISTORY_TICKS, text)
        return
    market, kind = session.gateway.market, request.what.upper()
    if kind == "BID_ASK":
        session.send(encode.ticks_quote(request.req_id, market.quote_ticks(wanted)))
    elif kind == "MIDPOINT":
        session.send(encode.ticks_mid(request.req_id, market.mid_ticks(wanted)))
    else:
        session.send(encode.ticks_trade(request.req_id, market.trades(wanted)))


def _tick_request(session: Session, request: HistoricalTicks, con_id: int) -> TickRequest | None:
    start = times.parse_stamp(request.start) if request.start.strip() else None
    end = times.parse_stamp(request.end) if request.end.strip() else None
    if (start is None) == (end is None):
        return None
    now_ns = session.gateway.now_ns
    return TickRequest(
        con_id=con_id,
        start_ns=0 if start is None else start[0],
        end_ns=now_ns if end is None else min(end[0], now_ns),
        count_max=max(1, min(request.count or TICKS_MAX, TICKS_MAX)),
        first=start is not None,
        regular_hours_only=request.regular_hours_only,
    )


def _cancel_nothing(_session: Session, _: ById) -> None:
    """The answer was given at once; nothing is left to cancel."""


HANDLERS: dict[Incoming, Handler] = {
    Incoming.REQ_HISTORICAL_DATA: _bars,
    Incoming.CANCEL_HISTORICAL_DATA: _cancel_bars,
    Incoming.REQ_REALTIME_BARS: _realtime_bars,
    Incoming.CANCEL_REALTIME_BARS: _cancel_realtime_bars,
    Incoming.REQ_HEAD_TIMESTAMP: _head,
    Incoming.CANCEL_HEAD_TIMESTAMP: _cancel_nothing,
    Incoming.REQ_HISTOGRAM_DATA: _histogram,
    Incoming.CANCEL_HISTOGRAM_DATA: _cancel_nothing,
    Incoming.REQ_HISTORICAL_TICKS: _ticks,
}
