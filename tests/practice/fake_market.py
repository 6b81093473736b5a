"""A small deterministic market: a stock, an index, two expiries of options, a future.

Prices follow a sine of the second, so that everything moves and everything can be foretold.
"""

import datetime as dt
import math
from zoneinfo import ZoneInfo

import msgspec

from thetawarden.practice.model import (
    Bar,
    Chain,
    Contract,
    ContractDetails,
    CorporateEvent,
    CorporateEventKind,
    Depth,
    DepthRow,
    Greeks,
    HistogramBin,
    MidTick,
    NewsArticle,
    NewsProvider,
    PriceBand,
    Quote,
    QuoteTick,
    Reference,
    SecType,
    Session,
    TradeTick,
)

NS = 1_000_000_000
NEW_YORK = ZoneInfo("America/New_York")
START_NS = int(dt.datetime(2026, 3, 2, 10, 0, tzinfo=NEW_YORK).timestamp()) * NS
SPY, SPX, AAPL, ES = 756733, 416904, 265598, 495512563
EXPIRIES = (dt.date(2026, 3, 20), dt.date(2026, 4, 17))
STRIKES = tuple(float(k) for k in range(480, 525, 5))
HOURS = "20260302:0930-20260302:1600;20260303:0930-20260303:1600;20260307:CLOSED"


def option_con_id(*, expiry, strike, right):
    return 800_000_000 + EXPIRIES.index(expiry) * 10_000 + int(strike) * 10 + (right == "P")


def _details(contract, **changes):
    fields = {
        "contract": contract,
        "min_tick": 0.01,
        "market_name": contract.trading_class or contract.symbol,
        "order_types": ("LMT", "MKT", "STP"),
        "valid_exchanges": ("SMART", "CBOE"),
        "market_rule_ids": (26, 26),
        "long_name": f"{contract.symbol} of the fake market",
        "trading_hours": HOURS,
        "liquid_hours": HOURS,
    }
    return ContractDetails(**(fields | changes))


def _stock(con_id, symbol):
    contract = Contract(
        con_id=con_id,
        symbol=symbol,
        sec_type=SecType.STOCK,
        primary_exchange="ARCA",
        local_symbol=symbol,
        trading_class=symbol,
    )
    return _details(
        contract,
        stock_type="ETF",
        min_size=0.0001,
        size_increment=0.0001,
        suggested_size_increment=100.0,
        sec_ids=(("ISIN", "US78462F1030"),),
    )


def _option(expiry, strike, right):
    code = f"{expiry:%y%m%d}{right}{int(strike * 1000):08d}"
    contract = Contract(
        con_id=option_con_id(expiry=expiry, strike=strike, right=right),
        symbol="SPY",
        sec_type=SecType.OPTION,
        expiry=expiry,
        strike=strike,
        right=right,
        multiplier=100,
        local_symbol=f"SPY   {code}",
        trading_class="SPY",
    )
    return _details(
        contract,
        under_con_id=SPY,
        under_symbol="SPY",
        under_sec_type="STK",
        contract_month=f"{expiry:%Y%m}",
        real_expiry=expiry,
        last_trade_time="16:15:00",
        agg_group=2,
    )


class FakeMarket:
    def __init__(self):
        self.now_ns = START_NS
        self.watched = {}
        self.turns = 0
        self.extra_quotes = {}
        self.frozen = {}
        index = Contract(
            con_id=SPX,
            symbol="SPX",
            sec_type=SecType.INDEX,
            exchange="CBOE",
            local_symbol="SPX",
            trading_class="SPX",
        )
        future = Contract(
            con_id=ES,
            symbol="ES",
            sec_type=SecType.FUTURE,
            expiry=dt.date(2026, 6, 19),
            multiplier=50,
            exchange="CME",
            local_symbol="ESM6",
            trading_class="ES",
        )
        listed = [
            _stock(SPY, "SPY"),
            _stock(AAPL, "AAPL"),
            _details(index, valid_exchanges=("CBOE",), market_rule_ids=(26,)),
            _details(future, valid_exchanges=("CME",), market_rule_ids=(67,), min_tick=0.25),
        ]
        listed += [
            _option(expiry, strike, right)
            for expiry in EXPIRIES
            for strike in STRIKES
            for right in "CP"
        ]
        self._listed = {one.contract.con_id: one for one in listed}

    def advance(self, to_ns):
        self.now_ns = max(self.now_ns, to_ns)

    def save(self):
        return msgspec.msgpack.encode(self.now_ns)

    def restore(self, state):
        self.now_ns = msgspec.msgpack.decode(state, type=int)

    def find(self, query):
        if query.con_id:
            one = self._listed.get(query.con_id)
            return () if one is None else (one,)
        return tuple(one for one in self._listed.values() if _matches(one.contract, query))

    def details(self, con_id):
        return self._listed.get(con_id)

    def search(self, pattern):
        return tuple(
            one
            for one in self._listed.values()
            if one.contract.symbol.startswith(pattern.upper()) and not one.under_con_id
        )

    def underlyings(self):
        return tuple(
            one.contract
            for one in self._listed.values()
            if one.contract.sec_type in (SecType.STOCK, SecType.INDEX)
        )

    def chains(self, *, under_con_id, future_exchange=""):
        if under_con_id != SPY:
            return ()
        return tuple(
            Chain(
                exchange=exchange,
                under_con_id=SPY,
                trading_class="SPY",
                multiplier=100,
                expiries=EXPIRIES,
                strikes=STRIKES,
            )
            for exchange in ("SMART", "CBOE")
        )

    def derivative_types(self, con_id):
        return ("OPT",) if con_id == SPY else ()

    def market_rule(self, rule_id):
        if rule_id != 26:
            return None
        return (PriceBand(low_edge=0.0, increment=0.01), PriceBand(low_edge=3.0, increment=0.05))

    def quote(self, con_id):
        if con_id in self.extra_quotes:
            return self.extra_quotes[con_id]
        one = self._listed.get(con_id)
        return None if one is None else self._quote(one.contract)

    def frozen_quote(self, con_id):
        return self.frozen.get(con_id)

    def sides_ahead(self, _con_ids, _at_ns):
        return None

    def quotes(self, con_ids):
        return [self.quote(con_id) for con_id in con_ids]

    def _quote(self, contract):
        second = self.now_ns // NS
        mid = self.mid(contract, second)
        index = contract.sec_type is SecType.INDEX
        option = contract.sec_type is SecType.OPTION
        greeks = self._greeks(mid) if option else None
        return Quote(
            con_id=contract.con_id,
            at_ns=second * NS,
            bid=None if index else round(mid - 0.05, 2),
            ask=None if index else round(mid + 0.05, 2),
            bid_size=0 if index else 10 + second % 7,
            ask_size=0 if index else 12 + second % 5,
            last=mid,
            last_size=1,
            last_at_ns=second * NS,
            volume=1000 + second - START_NS // NS,
            open=500.0,
            high=520.0,
            low=480.0,
            close=499.5,
            mark=mid,
            open_interest=4321 if option else None,
            model=greeks,
            bid_greeks=greeks,
            ask_greeks=greeks,
            last_greeks=greeks,
        )

    def mid(self, contract, second):
        wave = round(5 * math.sin(second / 60), 2)
        if contract.sec_type is SecType.OPTION:
            return round(max(0.5, 10 + wave / 2 + (contract.strike - 500) / 10), 2)
        return round(500 + wave, 2)

    def _greeks(self, mid):
        return Greeks(
            iv_annual=0.2,
            price=mid,
            delta=-0.25,
            gamma=0.01,
            vega=None,
            theta=-0.05,
            pv_dividend=0.0,
            under_price=500.0,
        )

    def watch(self, con_id):
        self.watched[con_id] = self.watched.get(con_id, 0) + 1

    def unwatch(self, con_id):
        self.watched[con_id] -= 1

    def reference(self, con_id):
        if con_id != SPY:
            return Reference()
        return Reference(
            hist_vol_annual=0.15,
            implied_vol_annual=0.18,
            call_volume=1000,
            put_volume=2000,
            call_open_interest=10,
            put_open_interest=20,
            shortable_shares=5000,
            dividend_past_year=6.5,
            dividend_next_year=6.8,
            dividend_next_date=dt.date(2026, 3, 20),
            dividend_next_amount=1.7,
        )

    def depth(self, *, con_id, rows_max):
        quote = self.quote(con_id)
        if quote is None or quote.bid is None:
            return Depth(bids=(), asks=())
        bids = tuple(DepthRow(price=quote.bid - i * 0.01, size=10 + i) for i in range(rows_max))
        asks = tuple(DepthRow(price=quote.ask + i * 0.01, size=10 + i) for i in range(rows_max))
        return Depth(bids=bids, asks=asks)

    def imply(self, *, con_id, option_price, under_price):
        greeks = self._greeks(option_price)
        return msgspec.structs.replace(greeks, iv_annual=0.25, under_price=under_price)

    def value(self, *, con_id, iv_annual, under_price):
        greeks = self._greeks(12.5)
        return msgspec.structs.replace(greeks, iv_annual=iv_annual, under_price=under_price)

    def prepare_bars(self, request, *, most):
        return True

    def bars(self, request):
        step_ns = request.bar_s * NS
        first = request.start_ns + -request.start_ns % step_ns
        if request.bar_s >= 86400:
            first = request.start_ns
        bars = [self._bar(request, start_ns) for start_ns in range(first, request.end_ns, step_ns)]
        return tuple(bars[-(request.count_max or 5000) :])

    def _bar(self, request, start_ns):
        contract = self._listed[request.con_id].contract
        seconds = (start_ns // NS, min(start_ns + request.bar_s * NS, self.now_ns) // NS)
        first, last = (self.mid(contract, second) for second in seconds)
        plain = request.what == "TRADES"
        return Bar(
            start_ns=start_ns,
            open=first,
            high=max(first, last),
            low=min(first, last),
            close=last,
            volume=float(seconds[1] - seconds[0]) if plain else -1.0,
            wap=first if plain else -1.0,
            count=1 if plain else -1,
        )

    def head_ns(self, con_id):
        return int(dt.datetime(1993, 1, 29, 14, 30, tzinfo=dt.UTC).timestamp()) * NS

    def _seconds(self, request):
        first, last = request.start_ns // NS + 1, request.end_ns // NS
        if request.first:
            return range(first, min(last, first + request.count_max - 1) + 1)
        return range(max(first, last - request.count_max + 1), last + 1)

    def trades(self, request):
        contract = self._listed[request.con_id].contract
        return tuple(
            TradeTick(at_ns=s * NS, price=self.mid(contract, s), size=1, exchange="CBOE")
            for s in self._seconds(request)
        )

    def quote_ticks(self, request):
        contract = self._listed[request.con_id].contract
        return tuple(
            QuoteTick(
                at_ns=s * NS,
                bid=self.mid(contract, s) - 0.05,
                ask=self.mid(contract, s) + 0.05,
                bid_size=1,
                ask_size=2,
            )
            for s in self._seconds(request)
        )

    def mid_ticks(self, request):
        contract = self._listed[request.con_id].contract
        return tuple(
            MidTick(at_ns=s * NS, price=self.mid(contract, s)) for s in self._seconds(request)
        )

    def histogram(self, *, con_id, start_ns, end_ns):
        return (HistogramBin(price=499.0, size=10), HistogramBin(price=500.0, size=30))

    def sessions(self, *, con_id, first, last, regular):
        days = [first + dt.timedelta(days=i) for i in range((last - first).days + 1)]
        return tuple(_session(day) for day in days if day.weekday() < 5)

    def news_providers(self):
        return (NewsProvider(code="BRFG", name="Briefing of the fake market"),)

    def news(self, *, start_ns, end_ns):
        articles = (
            NewsArticle(
                at_ns=START_NS - 3600 * NS,
                provider="BRFG",
                article_id="BRFG$1",
                headline="Nothing happened",
                text="Nothing happened at length.",
                con_ids=(SPY,),
            ),
            NewsArticle(
                at_ns=START_NS + 30 * NS,
                provider="BRFG",
                article_id="BRFG$2",
                headline="Something happened",
                text="It did.",
                con_ids=(SPY,),
            ),
        )
        return tuple(one for one in articles if start_ns < one.at_ns <= end_ns)

    def events(self, *, con_id, first, last):
        event = CorporateEvent(
            con_id=con_id,
            kind=CorporateEventKind.EARNINGS,
            day=dt.date(2026, 4, 23),
            time_of_day="AMC",
        )
        return (event,) if con_id == AAPL and first <= event.day <= last else ()


def _session(day):
    open_at = dt.datetime.combine(day, dt.time(9, 30), tzinfo=NEW_YORK)
    close_at = dt.datetime.combine(day, dt.time(16, 0), tzinfo=NEW_YORK)
    return Session(
        day=day, open_ns=int(open_at.timestamp()) * NS, close_ns=int(close_at.timestamp()) * NS
    )


def _matches(contract, query):
    wanted = (
        (query.symbol, contract.symbol),
        (query.sec_type, contract.sec_type.value),
        (query.right, contract.right),
        (query.local_symbol, contract.local_symbol),
        (query.trading_class, contract.trading_class),
        (query.currency, contract.currency),
    )
    if any(asked and asked != have for asked, have in wanted):
        return False
    if query.strike is not None and query.strike != contract.strike:
        return False
    expiry = "" if contract.expiry is None else f"{contract.expiry:%Y%m%d}"
    return expiry.startswith(query.expiry)
