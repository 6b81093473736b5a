"""Describes what is listed: contracts, their details, queries for them, chains.

Knows a day, never a price: whether a strike exists is the ladders' answer.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from thetawarden.domain.instants import new_york_clock, new_york_date
from thetawarden.domain.market.contracts import (
    Delivery,
    FutureProduct,
    OptionClass,
    OptionContract,
    Right,
    Settlement,
    UnderlyingKind,
)
from thetawarden.domain.market.futures import FutureMonth, months_from
from thetawarden.domain.market.hours import TradingHours
from thetawarden.domain.market.occ import format_occ
from thetawarden.domain.market.products import FUTURES, SHARE, SHARE_HOURS
from thetawarden.practice.market.clockwork import Clockwork
from thetawarden.practice.market.ids import (
    OptionTerms,
    future_con_id,
    future_terms,
    option_con_id,
    option_terms,
)
from thetawarden.practice.market.ladder import Ladders
from thetawarden.practice.market.options import Pricer
from thetawarden.practice.market.roster import (
    CLASSES,
    UNDERLYINGS,
    VOL_INDEX_CON_IDS,
    VOL_INDEX_NAMES,
    Underlying,
    classes_on,
    con_id_of,
)
from thetawarden.practice.market.rules import INDEX_TICKS, min_tick, rule_id
from thetawarden.practice.market.timeline import Timeline
from thetawarden.practice.market.venues import (
    INDEX_OPTION_EXCHANGES,
    OPTION_EXCHANGES,
    ORDER_TYPES,
    SHARE_EXCHANGES,
)
from thetawarden.practice.model import Chain, Contract, ContractDetails, SecType

HOURS_DAYS = 6
_SERIES_MAX = 2000
FUTURE_MONTHS = {"ES": 5, "NQ": 5, "RTY": 5, "VIX": 9}


class Catalog:
    """All contracts of the market on any day."""

    def __init__(
        self, *, timeline: Timeline, ladders: Ladders, pricer: Pricer, clockwork: Clockwork
    ) -> None:
        self._timeline, self._ladders = timeline, ladders
        self._pricer, self._clockwork = pricer, clockwork
        self._by_con_id = {one.con_id: one for one in UNDERLYINGS.values()}
        self._series: dict[tuple[str, dt.date, dt.date], ContractDetails] = {}
        self._vol_by_con_id = {number: index for index, number in VOL_INDEX_CON_IDS.items()}

    def details(self, con_id: int, now_ns: int) -> ContractDetails | None:
        """Return what a conId stands for, expired contracts included."""
        if con_id in self._by_con_id:
            return self._underlying(self._by_con_id[con_id], now_ns)
        if con_id in self._vol_by_con_id:
            return self._vol_index(con_id, now_ns)
        today = new_york_date(now_ns)
        named = future_terms(con_id)
        if named is not None:
            month = self.future_month(con_id, now_ns)
            return None if month is None else self._future(FUTURES[named[0]], month, now_ns)
        terms = option_terms(con_id, today=today)
        if terms is None or not self.is_listed(terms, now_ns):
            return None
        return self.option(terms, now_ns)

    def is_live(self, contract: Contract, now_ns: int) -> bool:
        """Whether a contract has not expired."""
        if contract.expiry is None:
            return True
        if contract.sec_type is SecType.FUTURE:
            month = self.future_month(contract.con_id, now_ns)
            return month is not None and month.settlement_ns > now_ns
        return contract.expiry in self.expiries(CLASSES[contract.trading_class], now_ns)

    def future_month(self, con_id: int, now_ns: int) -> FutureMonth | None:
        """Return the month of a future's conId, or None when there is none like it."""
        named = future_terms(con_id)
        if named is None:
            return None
        symbol, year, month = named
        before = dt.date(year, month, 1) - dt.timedelta(days=1)
        if not 1991 <= year <= 2048 or month not in FUTURES[symbol].months:
            return None
        found = months_from(
            day=before, product=FUTURES[symbol], count=1, sessions=self._timeline.sessions
        )[0]
        horizon = new_york_date(now_ns) + dt.timedelta(days=40 * FUTURE_MONTHS[symbol] * 3)
        return found if found.last_trade_date <= horizon else None

    def hours_of(self, con_id: int, now_ns: int) -> TradingHours | None:
        """Return when a contract trades, or None for an unknown one."""
        if con_id in self._by_con_id or con_id in self._vol_by_con_id:
            return SHARE_HOURS
        named = future_terms(con_id)
        if named is not None:
            return FUTURES[named[0]].hours
        terms = option_terms(con_id, today=new_york_date(now_ns))
        return None if terms is None else CLASSES[terms.trading_class].hours

    def futures(self, symbol: str, now_ns: int) -> tuple[FutureMonth, ...]:
        """Return the months of a future that trade."""
        yesterday = new_york_date(now_ns) - dt.timedelta(days=1)
        months = months_from(
            day=yesterday,
            product=FUTURES[symbol],
            count=FUTURE_MONTHS[symbol] + 1,
            sessions=self._timeline.sessions,
        )
        return tuple(one for one in months if one.settlement_ns > now_ns)[: FUTURE_MONTHS[symbol]]

    def expiries(self, terms: OptionClass, now_ns: int) -> tuple[dt.date, ...]:
        """Return a class's expiries that have not ended."""
        today = new_york_date(now_ns)
        listed = self._ladders.expiries(terms, today)
        if listed and listed[0] == today:
            ends = self._pricer.terms(terms, today)
            if ends is not None and now_ns >= max(ends.last_trade_ns, ends.settlement_ns):
                return listed[1:]
        return listed

    def is_listed(self, terms: OptionTerms, now_ns: int) -> bool:
        """Whether an option exists or has existed; one is born on the first day it is listed."""
        option_class = CLASSES[terms.trading_class]
        today = new_york_date(now_ns)
        row = self._timeline.begun_row(now_ns)
        if terms.expiry < today:
            row = self._timeline.row_on_or_after(terms.expiry)
            if terms.expiry not in self._ladders.expiries(option_class, terms.expiry):
                return False
        elif terms.expiry not in self._ladders.expiries(option_class, today):
            return False
        return self._ladders.has(
            trading_class=terms.trading_class, expiry=terms.expiry, strike=terms.strike, row=row
        )

    def option(self, terms: OptionTerms, now_ns: int) -> ContractDetails:
        """Return the details of an option; all but the contract is shared by its expiry."""
        key = (terms.trading_class, terms.expiry, new_york_date(now_ns))
        series = self._series.get(key)
        if series is None:
            if len(self._series) >= _SERIES_MAX:
                self._series.clear()
            series = self._series[key] = self._series_details(terms, now_ns)
        return msgspec.structs.replace(series, contract=option_contract(terms))

    def _series_details(self, terms: OptionTerms, now_ns: int) -> ContractDetails:
        option_class = CLASSES[terms.trading_class]
        ends = self._pricer.terms(option_class, terms.expiry)
        index = option_class.underlying_kind is UnderlyingKind.INDEX
        exchanges = INDEX_OPTION_EXCHANGES if index else OPTION_EXCHANGES
        symbol = option_class.underlying
        last = ends.last_trade_ns if ends is not None else now_ns
        return ContractDetails(
            contract=option_contract(terms),
            min_tick=min_tick(option_class.ticks),
            market_name=terms.trading_class,
            order_types=ORDER_TYPES,
            valid_exchanges=exchanges,
            market_rule_ids=(rule_id(option_class.ticks),) * len(exchanges),
            long_name=_name_of(symbol),
            under_con_id=con_id_of(symbol),
            under_symbol=symbol,
            under_sec_type="IND" if index else "STK",
            contract_month=f"{terms.expiry:%Y%m}",
            last_trade_time=f"{new_york_clock(last):%H:%M:%S}",
            real_expiry=terms.expiry,
            agg_group=2,
            am_settled=option_class.settlement is Settlement.AM,
            cash_settled=option_class.delivery is Delivery.CASH,
            trading_hours=self._hours(option_class.hours, now_ns, regular=False),
            liquid_hours=self._hours(option_class.hours, now_ns, regular=True),
        )

    def chains(self, symbol: str, now_ns: int) -> tuple[Chain, ...]:
        """Return the option parameters of an underlying, one row per exchange and class."""
        row = self._timeline.begun_row(now_ns)
        rows: list[Chain] = []
        for terms in classes_on(symbol):
            expiries = self.expiries(terms, now_ns)
            strikes = sorted(
                {
                    strike
                    for expiry in expiries
                    for strike in self._ladders.strikes(terms.trading_class, expiry, row).tolist()
                }
            )
            index = terms.underlying_kind is UnderlyingKind.INDEX
            rows.extend(
                Chain(
                    exchange=exchange,
                    under_con_id=con_id_of(symbol),
                    trading_class=terms.trading_class,
                    multiplier=terms.multiplier,
                    expiries=expiries,
                    strikes=tuple(strikes),
                )
                for exchange in (INDEX_OPTION_EXCHANGES if index else OPTION_EXCHANGES)
            )
        return tuple(rows)

    def strikes(self, trading_class: str, expiry: dt.date, now_ns: int) -> tuple[float, ...]:
        """Return the strikes of one series' expiry."""
        row = self._timeline.begun_row(now_ns)
        return tuple(self._ladders.strikes(trading_class, expiry, row).tolist())

    def _hours(self, hours: TradingHours, now_ns: int, *, regular: bool) -> str:
        day = new_york_date(now_ns)
        return self._clockwork.text(hours, day=day, days=HOURS_DAYS, regular=regular)

    def _underlying(self, one: Underlying, now_ns: int) -> ContractDetails:
        index = one.kind is UnderlyingKind.INDEX
        exchanges = (one.exchange,) if index else SHARE_EXCHANGES
        contract = Contract(
            con_id=one.con_id,
            symbol=one.symbol,
            sec_type=SecType.INDEX if index else SecType.STOCK,
            exchange=one.exchange if index else "SMART",
            primary_exchange="" if index else one.exchange,
            local_symbol=one.symbol,
            trading_class=one.symbol if index else _stock_class(one),
        )
        rule = INDEX_TICKS if index else SHARE
        return ContractDetails(
            contract=contract,
            min_tick=0.01,
            market_name=contract.trading_class,
            order_types=ORDER_TYPES,
            valid_exchanges=exchanges,
            market_rule_ids=(rule_id(rule),) * len(exchanges),
            long_name=one.name,
            industry=one.sector,
            category=one.industry,
            stock_type={UnderlyingKind.ETF: "ETF", UnderlyingKind.STOCK: "COMMON"}.get(
                one.kind, ""
            ),
            min_size=1.0 if index else 0.0001,
            size_increment=1.0 if index else 0.0001,
            suggested_size_increment=1.0 if index else 100.0,
            trading_hours=self._hours(SHARE_HOURS, now_ns, regular=False),
            liquid_hours=self._hours(SHARE_HOURS, now_ns, regular=True),
        )

    def _vol_index(self, con_id: int, now_ns: int) -> ContractDetails:
        index = self._vol_by_con_id[con_id]
        contract = Contract(
            con_id=con_id,
            symbol=index.value,
            sec_type=SecType.INDEX,
            exchange="CBOE",
            local_symbol=index.value,
            trading_class=index.value,
        )
        return ContractDetails(
            contract=contract,
            min_tick=0.01,
            market_name=index.value,
            order_types=ORDER_TYPES,
            valid_exchanges=("CBOE",),
            market_rule_ids=(rule_id(INDEX_TICKS),),
            long_name=VOL_INDEX_NAMES[index],
            trading_hours=self._hours(SHARE_HOURS, now_ns, regular=False),
            liquid_hours=self._hours(SHARE_HOURS, now_ns, regular=True),
        )

    def _future(self, product: FutureProduct, month: FutureMonth, now_ns: int) -> ContractDetails:
        return ContractDetails(
            contract=future_contract(product, month),
            min_tick=min_tick(product.ticks),
            market_name=product.trading_class,
            order_types=ORDER_TYPES,
            valid_exchanges=(product.listing_exchange,),
            market_rule_ids=(rule_id(product.ticks),),
            long_name=f"{_name_of(product.underlying)} future",
            under_con_id=con_id_of(product.underlying),
            under_symbol=product.underlying,
            under_sec_type="IND",
            contract_month=f"{month.year}{month.month:02d}",
            last_trade_time=f"{new_york_clock(month.last_trade_ns):%H:%M:%S}",
            real_expiry=month.last_trade_date,
            am_settled=True,
            cash_settled=True,
            trading_hours=self._hours(product.hours, now_ns, regular=False),
            liquid_hours=self._hours(product.hours, now_ns, regular=True),
        )


def option_contract(terms: OptionTerms) -> Contract:
    """Return an option as a contract."""
    option_class = CLASSES[terms.trading_class]
    right = Right.PUT if terms.is_put else Right.CALL
    symbol = format_occ(
        OptionContract(
            trading_class=terms.trading_class,
            expiry=terms.expiry,
            right=right,
            strike=Decimal(str(terms.strike)),
        )
    )
    return Contract(
        con_id=option_con_id(terms),
        symbol=option_class.underlying,
        sec_type=SecType.OPTION,
        expiry=terms.expiry,
        strike=terms.strike,
        right=right.value,
        multiplier=option_class.multiplier,
        local_symbol=symbol,
        trading_class=terms.trading_class,
    )


def future_contract(product: FutureProduct, month: FutureMonth) -> Contract:
    """Return a month of a future as a contract."""
    return Contract(
        con_id=future_con_id(product.symbol, year=month.year, month=month.month),
        symbol=product.symbol,
        sec_type=SecType.FUTURE,
        expiry=month.last_trade_date,
        multiplier=product.multiplier,
        exchange=product.listing_exchange,
        local_symbol=month.local_symbol,
        trading_class=product.trading_class,
    )


def _name_of(symbol: str) -> str:
    one = UNDERLYINGS.get(symbol)
    if one is not None:
        return one.name
    return next(name for index, name in VOL_INDEX_NAMES.items() if index.value == symbol)


def _stock_class(one: Underlying) -> str:
    if one.kind is UnderlyingKind.ETF:
        return one.symbol
    return "NMS" if one.exchange == "NASDAQ" else one.symbol
