"""Lines of market data, books, tick-by-tick streams and option calculations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.gateway import codes
from thetawarden.practice.gateway.codes import Code
from thetawarden.practice.gateway.push import generics
from thetawarden.practice.gateway.push.streams import send_book, stream_ticks
from thetawarden.practice.gateway.resolve import resolve
from thetawarden.practice.gateway.seams import Entitlement
from thetawarden.practice.gateway.subscriptions import Book, Line, TickStream
from thetawarden.practice.model import TickRequest
from thetawarden.practice.wire.encode import contracts as encode_contracts
from thetawarden.practice.wire.encode import ticks as encode
from thetawarden.practice.wire.incoming import Incoming

if TYPE_CHECKING:
    from typing import Any

    from thetawarden.practice.gateway.handler import Handler
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.model import Contract, Greeks
    from thetawarden.practice.wire.requests.simple import (
        ById,
        ImpliedVolatility,
        MarketDepth,
        OptionPrice,
        SmartComponents,
        TickByTick,
    )
    from thetawarden.practice.wire.requests.special import MarketData

DELAYED = 3
FROZEN = (2, 4)
DEPTH_ROWS_MAX = 20
FULL_PERMISSIONS = 3
BBO_EXCHANGE = "a60001"
CUSTOM_OPTION = 53
TICK_HISTORY_MAX = 1000
TICK_KINDS = frozenset({"Last", "AllLast", "BidAsk", "MidPoint"})
SMART_LETTERS = (
    (0, "AMEX", "A"),
    (1, "BOX", "B"),
    (2, "CBOE", "C"),
    (3, "EDGX", "E"),
    (4, "ISE", "I"),
    (5, "MIAX", "M"),
    (6, "NASDAQOM", "Q"),
    (7, "PSE", "P"),
    (8, "PHLX", "X"),
)


def _market_data(session: Session, request: MarketData) -> None:
    wanted = generics.wanted(request.generic_ticks)
    refusal = _refusal(session, request, wanted)
    if refusal is not None:
        session.error(request.req_id, *refusal)
        return
    contract = resolve(session, request.req_id, request.contract)
    if contract is None:
        return
    delayed = _entitled(session, request.req_id, contract)
    if delayed is None:
        return
    line = Line(
        req_id=request.req_id,
        contract=contract,
        generics=wanted or frozenset(),
        delayed=delayed,
        wants_frozen=session.data_type in FROZEN,
    )
    session.gateway.quotes.freeze(line)
    _announce(session, line)
    if request.snapshot or request.regulatory_snapshot:
        session.gateway.quotes.snapshot(session, line, greeks=True)
        session.send(encode.snapshot_end(request.req_id))
    else:
        session.gateway.quotes.add(session, line)


def _refusal(
    session: Session, request: MarketData, wanted: frozenset[int] | None
) -> tuple[Code, str] | None:
    lines = session.subscriptions.lines
    if request.req_id in lines:
        return Code.PROCESSING, codes.processing("Duplicate ticker id")
    if wanted is None:
        return Code.VALIDATING, codes.validating("Incorrect generic tick list")
    if request.snapshot and wanted:
        cause = "Snapshot market data subscription is not applicable to generic ticks"
        return Code.VALIDATING, codes.validating(cause)
    if not request.snapshot and len(lines) >= session.gateway.settings.lines_max:
        return Code.TICKERS_MAX, codes.TICKERS_MAX_TEXT
    return None


def _entitled(session: Session, req_id: int, contract: Contract) -> bool | None:
    """Whether data is shown delayed; None, and an error, when it is not shown at all."""
    entitlement = session.gateway.seams.entitlement
    if entitlement is Entitlement.LIVE:
        return False
    if entitlement is Entitlement.COMPETING:
        session.error(req_id, Code.COMPETING, codes.COMPETING_TEXT)
        return None
    wants_delayed = session.data_type >= DELAYED
    if entitlement is Entitlement.DELAYED and wants_delayed:
        session.error(req_id, Code.DELAYED_SHOWN, codes.DELAYED_SHOWN_TEXT)
        return True
    if entitlement is Entitlement.DELAYED_DISABLED and wants_delayed:
        session.error(req_id, Code.DELAYED_DISABLED, codes.DELAYED_DISABLED_TEXT)
        return None
    text = codes.NOT_SUBSCRIBED_TEXT.format(symbol=contract.symbol, exchange=contract.exchange)
    session.error(req_id, Code.NOT_SUBSCRIBED, text)
    return None


def _announce(session: Session, line: Line) -> None:
    session.send(encode.market_data_type(line.req_id, line.data_type))
    details = session.gateway.market.details(line.contract.con_id)
    min_tick = 0.01 if details is None else details.min_tick
    session.send(
        encode.tick_req_params(
            line.req_id,
            min_tick=min_tick,
            bbo_exchange=BBO_EXCHANGE,
            permissions=FULL_PERMISSIONS,
        )
    )


def _cancel_market_data(session: Session, request: ById) -> None:
    if not session.gateway.quotes.remove(session, request.req_id):
        text = f"Can't find EId with tickerId:{request.req_id}"
        session.error(request.req_id, Code.UNKNOWN_TICKER, text)


def _depth(session: Session, request: MarketDepth) -> None:
    books = session.subscriptions.books
    if request.req_id in books:
        session.error(request.req_id, Code.PROCESSING, codes.processing("Duplicate ticker id"))
    elif len(books) >= session.gateway.settings.depth_max:
        text = "Max number (3) of market depth requests has been reached"
        session.error(request.req_id, Code.DEPTH_MAX, text)
    else:
        contract = resolve(session, request.req_id, request.contract)
        if contract is not None:
            book = Book(
                req_id=request.req_id,
                con_id=contract.con_id,
                rows=max(1, min(request.rows, DEPTH_ROWS_MAX)),
                smart=request.smart,
            )
            books[request.req_id] = book
            send_book(session, book)


def _cancel_depth(session: Session, request: ById) -> None:
    if session.subscriptions.books.pop(request.req_id, None) is None:
        text = f"Can't find the subscribed market depth with tickerId:{request.req_id}"
        session.error(request.req_id, Code.UNKNOWN_DEPTH, text)


def _depth_exchanges(session: Session, _: Any) -> None:
    rows = [(name, "OPT", "", "Deep", 2147483647) for _, name, _ in SMART_LETTERS]
    rows += [(name, "STK", "", "Deep2", 2147483647) for name in ("ISLAND", "ARCA", "BATS")]
    session.send(encode_contracts.depth_exchanges(rows))


def _smart_components(session: Session, request: SmartComponents) -> None:
    session.send(encode_contracts.smart_components(request.req_id, SMART_LETTERS))


def _tick_by_tick(session: Session, request: TickByTick) -> None:
    streams = session.subscriptions.ticks
    if request.kind not in TICK_KINDS:
        session.error(request.req_id, Code.VALIDATING, codes.validating("Invalid tick type"))
        return
    if len(streams) >= session.gateway.settings.tick_by_tick_max:
        text = "Max number of tick-by-tick requests has been reached."
        session.error(request.req_id, Code.TICK_BY_TICK_MAX, text)
        return
    contract = resolve(session, request.req_id, request.contract)
    if contract is None:
        return
    market = session.gateway.market
    streams[request.req_id] = TickStream(
        req_id=request.req_id,
        con_id=contract.con_id,
        kind=request.kind,
        since_ns=market.now_ns,
    )
    if request.count:
        past = TickRequest(
            con_id=contract.con_id,
            start_ns=0,
            end_ns=market.now_ns,
            count_max=min(request.count, TICK_HISTORY_MAX),
        )
        ticks = stream_ticks(market, request.kind, past)
        session.send(encode.assemble(request.req_id, ticks))


def _cancel_tick_by_tick(session: Session, request: ById) -> None:
    if session.subscriptions.ticks.pop(request.req_id, None) is None:
        text = f"Can't find EId with tickerId:{request.req_id}"
        session.error(request.req_id, Code.UNKNOWN_TICKER, text)


def _implied_volatility(session: Session, request: ImpliedVolatility) -> None:
    contract = resolve(session, request.req_id, request.contract)
    if contract is None:
        return
    greeks = None
    if request.option_price is not None and request.under_price is not None:
        greeks = session.gateway.market.imply(
            con_id=contract.con_id,
            option_price=request.option_price,
            under_price=request.under_price,
        )
    _answer_calculation(session, request.req_id, greeks)


def _option_price(session: Session, request: OptionPrice) -> None:
    contract = resolve(session, request.req_id, request.contract)
    if contract is None:
        return
    greeks = None
    if request.iv_annual is not None and request.under_price is not None:
        greeks = session.gateway.market.value(
            con_id=contract.con_id,
            iv_annual=request.iv_annual,
            under_price=request.under_price,
        )
    _answer_calculation(session, request.req_id, greeks)


def _answer_calculation(session: Session, req_id: int, greeks: Greeks | None) -> None:
    if greeks is None:
        session.error(req_id, Code.PROCESSING, codes.processing("The calculation has failed"))
        return
    session.send(encode.assemble(req_id, [encode.tick_option(CUSTOM_OPTION, greeks)]))


def _cancel_calculation(_session: Session, _: ById) -> None:
    """The answer was given at once; nothing is left to cancel."""


HANDLERS: dict[Incoming, Handler] = {
    Incoming.REQ_MKT_DATA: _market_data,
    Incoming.CANCEL_MKT_DATA: _cancel_market_data,
    Incoming.REQ_MKT_DEPTH: _depth,
    Incoming.CANCEL_MKT_DEPTH: _cancel_depth,
    Incoming.REQ_MKT_DEPTH_EXCHANGES: _depth_exchanges,
    Incoming.REQ_SMART_COMPONENTS: _smart_components,
    Incoming.REQ_TICK_BY_TICK: _tick_by_tick,
    Incoming.CANCEL_TICK_BY_TICK: _cancel_tick_by_tick,
    Incoming.CALC_IMPLIED_VOLATILITY: _implied_volatility,
    Incoming.CALC_OPTION_PRICE: _option_price,
    Incoming.CANCEL_CALC_IMPLIED_VOLATILITY: _cancel_calculation,
    Incoming.CANCEL_CALC_OPTION_PRICE: _cancel_calculation,
}
