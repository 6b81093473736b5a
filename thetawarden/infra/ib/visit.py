"""A short visit to a gateway: who it is, what time it has, what it lets us see. Sends no order."""

from __future__ import annotations

import asyncio
import datetime as dt
import math

from ib_async import Stock, Ticker

from thetawarden.domain.preflight import DataKind, GatewayFacts
from thetawarden.infra.ib.answers import Failed
from thetawarden.infra.ib.pacing import Priority
from thetawarden.infra.ib.session import Listener, Opened, Session, SessionSettings, Trouble
from thetawarden.ports import Clock

DELAYED_IF_NOT_LIVE = 3
LIVE_TYPES = (1, 2)
NOT_SUBSCRIBED = (354, 10089, 10168, 10186, 10197)
PRICE_TIMEOUT_S = 8.0
LOOK_EVERY_S = 0.1
SAMPLE = "SPY"


async def visit_gateway(
    settings: SessionSettings, clock: Clock, *, clock_matters: bool
) -> GatewayFacts | Trouble:
    """Return what the gateway tells, or why it did not; the link is ended in any case.

    A practice market has a time of its own, so there `clock_matters` is false.
    """
    session = Session(
        settings=settings,
        clock=clock,
        on_ended=lambda _epoch, _trouble: None,
        on_nonsense=lambda _epoch, _words: None,
    )
    heard = _Refusals()
    session.listeners.append(Listener(error=heard.error))
    opened = await session.open(1)
    if isinstance(opened, Trouble):
        return opened
    try:
        ahead_s = await _ahead_s(session, clock) if clock_matters else 0.0
        data, words = await _data(session, heard)
        return _facts(opened, ahead_s, data, words)
    finally:
        session.close("the visit is over")


def _facts(opened: Opened, ahead_s: float | None, data: DataKind, words: str) -> GatewayFacts:
    return GatewayFacts(
        server_version=opened.server_version,
        accounts=opened.accounts,
        clock_ahead_s=ahead_s,
        data=data,
        data_words=words,
    )


class _Refusals:
    """What the broker would not show."""

    def __init__(self) -> None:
        self.words = ""

    def error(self, _req_id: int, code: int, words: str) -> None:
        if code in NOT_SUBSCRIBED:
            self.words = f"{code}: {words}"


async def _ahead_s(session: Session, clock: Clock) -> float | None:
    """How far the gateway's clock is before ours; it tells whole seconds, so half is added."""
    answer = await session.ask(
        lambda ib: ib.reqCurrentTimeAsync(), priority=Priority.BOOK, timeout_s=PRICE_TIMEOUT_S
    )
    if isinstance(answer, Failed) or not isinstance(answer, dt.datetime):
        return None
    return answer.timestamp() + 0.5 - clock.now_ns() / 1e9


async def _data(session: Session, heard: _Refusals) -> tuple[DataKind, str]:
    """Ask for one stock's prices, delayed if there are none live, and see what comes."""
    await session.send(
        lambda ib: ib.client.reqMarketDataType(DELAYED_IF_NOT_LIVE), priority=Priority.LINES
    )
    contract = Stock(SAMPLE, "SMART", "USD")
    known = await session.ask(
        lambda ib: ib.qualifyContractsAsync(contract),
        priority=Priority.BOOK,
        timeout_s=PRICE_TIMEOUT_S,
    )
    if isinstance(known, Failed) or not contract.conId:
        return DataKind.SILENT, f"the gateway does not tell what {SAMPLE} is"
    ticker = await session.send(lambda ib: ib.reqMktData(contract), priority=Priority.LINES)
    if isinstance(ticker, Failed):
        return DataKind.SILENT, ticker.words
    until = asyncio.get_running_loop().time() + PRICE_TIMEOUT_S
    while not _priced(ticker) and not heard.words:
        if asyncio.get_running_loop().time() > until:
            return DataKind.SILENT, f"no price of {SAMPLE} within {PRICE_TIMEOUT_S:g} s"
        await asyncio.sleep(LOOK_EVERY_S)
    if not _priced(ticker):
        return DataKind.REFUSED, heard.words
    if ticker.marketDataType in LIVE_TYPES:
        return DataKind.LIVE, f"live ({SAMPLE})"
    return DataKind.DELAYED, f"delayed ({SAMPLE})"


def _priced(ticker: Ticker) -> bool:
    return any(not math.isnan(price) for price in (ticker.bid, ticker.ask, ticker.last))
