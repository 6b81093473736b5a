"""Finds out what exists: underlyings and futures by name, classes on them, and every option of one.

The broker lists a class's expiries and strikes as unions, of which many pairs do not exist; so the
options of a class and expiry are asked for without a strike, and one answer brings them all. Every
question is answered with exactly one message, also when the link is lost. What was found is passed
on as it is: whether a contract may be traded is judged elsewhere.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice
from types import MappingProxyType

import ib_async
import msgspec

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.instants import new_york_date
from thetawarden.domain.market.calendar import next_session, previous_session
from thetawarden.domain.market.contracts import OptionClass, Settlement
from thetawarden.domain.market.listings import expiries_from
from thetawarden.domain.market.products import FUTURES, OPTION_CLASSES
from thetawarden.domain.market.sessions import Exchange, Sessions, load_sessions
from thetawarden.domain.units import as_written
from thetawarden.infra.ib.answers import Failed
from thetawarden.infra.ib.pacing import Priority
from thetawarden.infra.ib.session import Listener, Session
from thetawarden.infra.ib.translate import SMART, instrument_of
from thetawarden.messages.base import Message
from thetawarden.messages.market import (
    ChainDiscovered,
    DiscoverChain,
    DiscoveryFailed,
    FindInstrument,
    InstrumentsFound,
    ListedClass,
    QualifySeries,
    SeriesQualified,
)
from thetawarden.ports import Clock, DeskPort

AT_ONCE_MAX = 3
NO_SUCH_CONTRACT = 200
WORDS_MAX = 400
INDEX_EXCHANGES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("SPX", "XSP", "VIX", "VIX9D", "VIX3M", "VVIX", "DJX"), "CBOE"),
        "NDX": "NASDAQ",
        "RUT": "RUSSELL",
    }
)
"""Where the broker lists an index; whatever is not named here is taken for a share."""
HOME_EXCHANGES = ("NYSE", "NASDAQ", "ARCA", "AMEX", "BATS", "IEX", "PINK")
FUTURE_SYMBOLS = {product.trading_class: symbol for symbol, product in FUTURES.items()}
LONG_WEEKEND = dt.timedelta(days=5)
Asked = FindInstrument | DiscoverChain | QualifySeries


class DiscoveryHandler:
    """Answers what is asked about contracts, few questions at a time."""

    commands: tuple[type[Message], ...] = (FindInstrument, DiscoverChain, QualifySeries)

    def __init__(
        self, session: Session, desk: DeskPort, *, clock: Clock, timeout_s: float = 60.0
    ) -> None:
        self.listener = Listener()
        self._session = session
        self._desk = desk
        self._clock = clock
        self._timeout_s = timeout_s
        self._places = asyncio.Semaphore(AT_ONCE_MAX)
        self._running: set[Message] = set()

    async def perform(self, message: Message) -> None:
        """Ask and say what came; what is being asked already is not asked again."""
        if not isinstance(message, Asked) or message in self._running:
            return
        self._running.add(message)
        try:
            async with self._places:
                answer = await self._answer(message)
        finally:
            self._running.discard(message)
        self._desk.say(answer)

    async def _answer(self, asked: Asked) -> Message:
        match asked:
            case FindInstrument():
                return await self._find(asked)
            case DiscoverChain(underlying=underlying):
                return await self._discover(underlying)
            case QualifySeries():
                return await self._qualify(asked)

    async def _find(self, asked: FindInstrument) -> InstrumentsFound:
        found = await self._instruments(asked.symbol, asked.kind)
        if isinstance(found, str):
            return InstrumentsFound(asked_as=asked.asked_as, instruments=(), words=found)
        return InstrumentsFound(asked_as=asked.asked_as, instruments=found, words="")

    async def _discover(self, underlying: str) -> ChainDiscovered | DiscoveryFailed:
        kind = InstrumentKind.INDEX if underlying in INDEX_EXCHANGES else InstrumentKind.STOCK
        found = await self._instruments(underlying, kind)
        if isinstance(found, str):
            return _failed(underlying, found)
        instrument = found[0]
        rows = await self._session.ask(
            lambda ib: ib.reqSecDefOptParamsAsync(
                underlying, "", "IND" if kind is InstrumentKind.INDEX else "STK", instrument.conid
            ),
            priority=Priority.LINES,
            timeout_s=self._timeout_s,
        )
        if isinstance(rows, Failed):
            return _failed(underlying, _words(rows))
        classes = classes_of(rows, sessions=load_sessions(Exchange.NYSE))
        if not classes:
            return _failed(underlying, "the broker lists no options on it")
        return ChainDiscovered(underlying=underlying, instrument=instrument, classes=classes)

    async def _qualify(self, asked: QualifySeries) -> SeriesQualified | DiscoveryFailed:
        answer: tuple[Instrument, ...] | Failed = ()
        for day in asked_days(asked, sessions=load_sessions(Exchange.NYSE)):
            answer = await self._details(_series_contract(asked, day))
            if not isinstance(answer, Failed) or answer.code != NO_SUCH_CONTRACT:
                break
        if isinstance(answer, Failed):
            return _failed(asked.underlying, _words(answer), asked)
        return SeriesQualified(
            underlying=asked.underlying,
            trading_class=asked.trading_class,
            expiry=asked.expiry,
            day=new_york_date(self._clock.now_ns()),
            options=answer,
        )

    async def _instruments(self, symbol: str, kind: str) -> tuple[Instrument, ...] | str:
        """All months of a future, or the one index or share of that name; else words why not."""
        found = await self._details(_named_contract(symbol, kind))
        if isinstance(found, Failed):
            return _words(found)
        fitting = [one for one in found if one.kind == kind and one.conid > 0]
        if kind == InstrumentKind.FUTURE:
            months = {one.conid: one for one in fitting if one.trading_class in (symbol, "")}
            ordered = sorted(months.values(), key=lambda one: one.expiry or dt.date.max)
            return tuple(ordered) or f"the broker knows no months of {symbol}"
        named = {one.conid: one for one in fitting if one.symbol == symbol}
        if len(named) == 1:
            return tuple(named.values())
        numbers = ", ".join(str(conid) for conid in sorted(named)) or "none"
        return f"one {kind} {symbol} is wanted; the broker has: {numbers}"

    async def _details(self, contract: ib_async.Contract) -> tuple[Instrument, ...] | Failed:
        found = await self._session.ask(
            lambda ib: ib.reqContractDetailsAsync(contract),
            priority=Priority.LINES,
            timeout_s=self._timeout_s,
        )
        if isinstance(found, Failed):
            return found
        contracts = [one.contract for one in found if one.contract is not None]
        if contract.secType == "STK":
            contracts = _at_home(contracts)
        return tuple(_instrument(one) for one in contracts)


def classes_of(
    rows: Iterable[ib_async.OptionChain], *, sessions: Sessions
) -> tuple[ListedClass, ...]:
    """Return each class once, with the unions of all exchanges, routed smartly where possible."""
    places: dict[tuple[str, int], list[ib_async.OptionChain]] = {}
    for row in rows:
        if row.multiplier.isascii() and row.multiplier.isdigit():
            places.setdefault((row.tradingClass, int(row.multiplier)), []).append(row)
    return tuple(
        ListedClass(
            trading_class=trading_class,
            exchange=SMART if any(one.exchange == SMART for one in listed) else listed[0].exchange,
            multiplier=multiplier,
            expiries=_expiries(trading_class, listed, sessions),
            strikes=_strikes(listed),
        )
        for (trading_class, multiplier), listed in sorted(places.items())
    )


def asked_days(asked: QualifySeries, *, sessions: Sessions) -> tuple[dt.date, ...]:
    """Return the dates under which the broker may know a series, the likelier first.

    A class that settles in the morning is called by its expiry, or by its last trading day, which
    is the session before.
    """
    terms = OPTION_CLASSES.get(asked.trading_class)
    if terms is None or terms.settlement is Settlement.PM:
        return (asked.expiry,)
    return (asked.expiry, previous_session(asked.expiry, sessions))


def expiry_of(terms: OptionClass, listed: dt.date, *, sessions: Sessions) -> dt.date:
    """Return the expiry that a listed date means: the date itself, or the session after.

    The broker may list a class that settles in the morning by its last day of trading.
    """
    if terms.settlement is Settlement.PM:
        return listed
    nearest = {
        expiry
        for cycle in terms.listing
        for expiry in islice(expiries_from(day=listed, listed=cycle, sessions=sessions), 1)
    }
    following = next_session(listed, sessions)
    return following if listed not in nearest and following in nearest else listed


def _expiries(
    trading_class: str, listed: Iterable[ib_async.OptionChain], sessions: Sessions
) -> tuple[dt.date, ...]:
    terms = OPTION_CLASSES.get(trading_class)
    days = {day for one in listed for text in one.expirations if (day := _date(text)) is not None}
    if terms is not None:
        days = {expiry_of(terms, day, sessions=sessions) for day in days}
    return tuple(sorted(days))


def _strikes(listed: Iterable[ib_async.OptionChain]) -> tuple[Decimal, ...]:
    strikes = {as_written(strike) for one in listed for strike in one.strikes}
    return tuple(sorted(strike for strike in strikes if strike is not None))


def _date(text: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text[:8], "%Y%m%d").date()  # noqa: DTZ007  # a date has no zone
    except ValueError:
        return None


def _named_contract(symbol: str, kind: str) -> ib_async.Contract:
    if kind == InstrumentKind.FUTURE:
        named = FUTURE_SYMBOLS.get(symbol, symbol)
        product = FUTURES.get(named)
        place = product.listing_exchange if product is not None else ""
        return ib_async.Contract(secType="FUT", symbol=named, exchange=place, currency="USD")
    if kind == InstrumentKind.INDEX:
        place = INDEX_EXCHANGES.get(symbol, "CBOE")
        return ib_async.Contract(secType="IND", symbol=symbol, exchange=place, currency="USD")
    return ib_async.Contract(secType="STK", symbol=symbol, exchange=SMART, currency="USD")


def _series_contract(asked: QualifySeries, day: dt.date) -> ib_async.Contract:
    """Every strike and both rights: what is left out stands for all."""
    return ib_async.Contract(
        secType="OPT",
        symbol=asked.underlying,
        lastTradeDateOrContractMonth=f"{day:%Y%m%d}",
        exchange=asked.exchange,
        currency="USD",
        tradingClass=asked.trading_class,
    )


def _instrument(contract: ib_async.Contract) -> Instrument:
    """What a contract is; one whose own two dates contradict each other is of the stated one.

    The date within its symbol may lie a long weekend after the broker's last day of trading.
    """
    instrument = instrument_of(contract)
    stated = _date(contract.lastTradeDateOrContractMonth)
    if instrument.kind is not InstrumentKind.OPTION or stated is None or instrument.expiry is None:
        return instrument
    if dt.timedelta() <= instrument.expiry - stated <= LONG_WEEKEND:
        return instrument
    return msgspec.structs.replace(instrument, expiry=stated)


def _at_home(contracts: list[ib_async.Contract]) -> list[ib_async.Contract]:
    """The share listed in the country; the same symbol may be another company's elsewhere."""
    home = [one for one in contracts if one.primaryExchange in HOME_EXCHANGES]
    return home or contracts


def _failed(underlying: str, words: str, asked: QualifySeries | None = None) -> DiscoveryFailed:
    return DiscoveryFailed(
        underlying=underlying,
        trading_class="" if asked is None else asked.trading_class,
        expiry=None if asked is None else asked.expiry,
        words=words[:WORDS_MAX],
    )


def _words(failed: Failed) -> str:
    return failed.words or str(failed.why).replace("_", " ")
