"""Answers what is asked about contracts and their past, out of the practice market."""

from __future__ import annotations

import datetime as dt

from thetawarden.domain.broker.bars import BarsOf
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.instants import NS_PER_HOUR, new_york_date, new_york_ns
from thetawarden.domain.market.products import OPTION_CLASSES
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.units import as_written
from thetawarden.infra.ib.discovery import (
    FUTURE_SYMBOLS,
    INDEX_EXCHANGES,
    asked_days,
    expiry_of,
)
from thetawarden.infra.ib.history import SHOWN
from thetawarden.messages.market import (
    ChainDiscovered,
    DiscoverChain,
    DiscoveryFailed,
    FetchHistory,
    FindInstrument,
    HistoryFetched,
    InstrumentsFound,
    ListedClass,
    QualifySeries,
    SeriesQualified,
)
from thetawarden.practice import model
from thetawarden.practice.market.roster import VOL_INDEX_CON_IDS
from thetawarden.sim.broker.translate import daily_bar_of, instrument_of

SMART = "SMART"
NO_BARS = "the broker has no bars in this span"
DAILY_S = 86_400
VOL_INDICES = frozenset(VOL_INDEX_CON_IDS.values())
_TYPES = {InstrumentKind.FUTURE: "FUT", InstrumentKind.INDEX: "IND"}


def find(market: model.Market, asked: FindInstrument) -> InstrumentsFound:
    """All months of a future, or the one index or share of that name."""
    future = asked.kind == InstrumentKind.FUTURE
    symbol = FUTURE_SYMBOLS.get(asked.symbol, asked.symbol) if future else asked.symbol
    kind = _TYPES.get(InstrumentKind(asked.kind), "STK")
    found = _instruments(market, model.ContractQuery(symbol=symbol, sec_type=kind))
    if future:
        found = tuple(one for one in found if one.trading_class in (asked.symbol, ""))
        found = tuple(sorted(found, key=lambda one: one.expiry or dt.date.max))
    words = "" if found else f"the broker knows no {asked.symbol}"
    return InstrumentsFound(asked_as=asked.asked_as, instruments=found, words=words)


def discover(market: model.Market, asked: DiscoverChain) -> ChainDiscovered | DiscoveryFailed:
    """The underlying and the classes listed on it."""
    kind = "IND" if asked.underlying in INDEX_EXCHANGES else "STK"
    found = _instruments(market, model.ContractQuery(symbol=asked.underlying, sec_type=kind))
    if not found:
        return _failed(asked.underlying, f"the broker knows no {asked.underlying}")
    instrument = found[0]
    rows: dict[tuple[str, int], list[model.Chain]] = {}
    for row in market.chains(under_con_id=instrument.conid):
        rows.setdefault((row.trading_class, row.multiplier), []).append(row)
    classes = tuple(_listed(name, size, listed) for (name, size), listed in sorted(rows.items()))
    if not classes:
        return _failed(asked.underlying, "the broker lists no options on it")
    return ChainDiscovered(underlying=asked.underlying, instrument=instrument, classes=classes)


def qualify(market: model.Market, asked: QualifySeries) -> SeriesQualified | DiscoveryFailed:
    """Every option of a class and expiry; an empty answer is a refusal."""
    options: tuple[Instrument, ...] = ()
    for day in asked_days(asked, sessions=load_sessions(Exchange.NYSE)):
        query = model.ContractQuery(
            symbol=asked.underlying,
            sec_type="OPT",
            expiry=f"{day:%Y%m%d}",
            exchange=asked.exchange,
            trading_class=asked.trading_class,
        )
        options = _instruments(market, query)
        if options:
            break
    if not options:
        words = "No security definition has been found for the request"
        return DiscoveryFailed(
            underlying=asked.underlying,
            trading_class=asked.trading_class,
            expiry=asked.expiry,
            words=words,
        )
    return SeriesQualified(
        underlying=asked.underlying,
        trading_class=asked.trading_class,
        expiry=asked.expiry,
        day=new_york_date(market.now_ns),
        options=options,
    )


def history(market: model.Market, asked: FetchHistory, *, vol_days_max: int) -> HistoryFetched:
    """Daily bars since a day, up to the last one that is over.

    Of volatilities, which take a whole chain or path to compute at every instant, there are no
    more than so many days.
    """
    since, conid = asked.since, asked.instrument.conid
    if conid in VOL_INDICES or asked.what is BarsOf.IMPLIED_VOLATILITY:
        since = max(since, new_york_date(market.now_ns) - dt.timedelta(days=vol_days_max))
    request = model.BarRequest(
        con_id=conid,
        bar_s=DAILY_S,
        start_ns=new_york_ns(since, dt.time()),
        end_ns=_last_end_ns(market.now_ns),
        what=SHOWN[asked.what],
        regular_hours_only=True,
    )
    bars = tuple(map(daily_bar_of, market.bars(request)))
    words = "" if bars else NO_BARS
    return HistoryFetched(instrument=asked.instrument, bars=bars, words=words, what=asked.what)


def _last_end_ns(now_ns: int) -> int:
    """When the latest day was over; a session's bar counts from 17:00 in New York on."""
    return new_york_ns(new_york_date(now_ns + 7 * NS_PER_HOUR), dt.time())


def _instruments(market: model.Market, query: model.ContractQuery) -> tuple[Instrument, ...]:
    return tuple(instrument_of(one.contract) for one in market.find(query))


def _listed(trading_class: str, multiplier: int, rows: list[model.Chain]) -> ListedClass:
    terms = OPTION_CLASSES.get(trading_class)
    days = {day for row in rows for day in row.expiries}
    if terms is not None:
        sessions = load_sessions(Exchange.NYSE)
        days = {expiry_of(terms, day, sessions=sessions) for day in days}
    strikes = {as_written(strike) for row in rows for strike in row.strikes}
    return ListedClass(
        trading_class=trading_class,
        exchange=SMART if any(row.exchange == SMART for row in rows) else rows[0].exchange,
        multiplier=multiplier,
        expiries=tuple(sorted(days)),
        strikes=tuple(sorted(strike for strike in strikes if strike is not None)),
    )


def _failed(underlying: str, words: str) -> DiscoveryFailed:
    return DiscoveryFailed(underlying=underlying, trading_class="", expiry=None, words=words)
