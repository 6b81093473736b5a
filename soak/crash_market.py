"""The crash as it is seen: the practice exchange, its chain, and what a regime is made of."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.chains.view import (
    ROW_TYPES,
    ChainSummary,
    ChainView,
    SeriesView,
    pack_rows,
)
from thetawarden.domain.context.figures import Figures, figures_of
from thetawarden.domain.context.histories import History
from thetawarden.domain.instants import UnixNs, new_york_date, new_york_ns
from thetawarden.domain.market.contracts import Settlement
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.regime.assess import RegimeInputs
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.regime.trend import TrendInputs
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.market import FetchHistory
from thetawarden.practice import model
from thetawarden.practice.exchange.exchange import PracticeExchange
from thetawarden.practice.market.market import PracticeMarket
from thetawarden.practice.market.parts import Terms as MarketTerms
from thetawarden.practice.market.scenario import ScenarioName
from thetawarden.sim.broker.contracts import history
from thetawarden.sim.broker.translate import instrument_of, values_of

SESSIONS = load_sessions(Exchange.NYSE)
FIRST_DAY = dt.date(2026, 9, 14)
UNDERLYING, INDEX = "XSP", "SPX"
VIX, VIX3M = 13455763, 47207310
DAYS_MIN, DAYS_MAX = 20, 45


class Market:
    """The exchange, and what can be seen of it."""

    def __init__(self, seed: int) -> None:
        start = new_york_ns(FIRST_DAY, dt.time(9, 25))
        terms = MarketTerms(
            seed=seed, start_ns=start, scenario=ScenarioName.CRASH_2020_LIKE, path=None
        )
        self.exchange = PracticeExchange(PracticeMarket(terms))
        self.fills: list[model.Execution] = []
        self.exchange.listen(self._hear)
        self.account = self.exchange.accounts()[0]
        self._orders = 0
        self._chain: dict[dt.date, tuple[Instrument, ...]] = {}
        self._daily: tuple[dt.date, Figures | None] | None = None

    def _hear(self, event: model.ExchangeEvent) -> None:
        if isinstance(event, model.Executed):
            self.fills.append(event.execution)

    @property
    def now(self) -> UnixNs:
        """The market's time."""
        return UnixNs(self.exchange.now_ns)

    def advance(self, to_ns: int) -> None:
        """Let everything happen until then."""
        self.exchange.advance(max(to_ns, self.exchange.now_ns))

    def price(self, con_id: int) -> float | None:
        """What something stands at."""
        quote = self.exchange.market.quote(con_id)
        return None if quote is None else quote.last or quote.mark or quote.close

    def spot(self, symbol: str) -> float:
        """Where an index stands; 0 while nobody knows."""
        return self.price(self.index(symbol).conid) or 0.0

    def daily(self, day: dt.date) -> Figures | None:
        """The index's daily figures as of the session before."""
        if self._daily is None or self._daily[0] != day:
            asked = FetchHistory(instrument=self.index(INDEX), since=day - dt.timedelta(days=420))
            told = history(self.exchange.market, asked, vol_days_max=1)
            self._daily = (day, figures_of(History(bars=told.bars)))
        return self._daily[1]

    def index(self, symbol: str) -> Instrument:
        """An index by its name."""
        query = model.ContractQuery(symbol=symbol, sec_type="IND")
        return instrument_of(self.exchange.market.find(query)[0].contract)

    def puts(self, day: dt.date) -> tuple[Instrument, ...]:
        """The puts of the month nearest to the tenor, listed anew each day."""
        if day not in self._chain:
            spot = self.spot(UNDERLYING)
            found: list[Instrument] = []
            for ahead in range(DAYS_MIN, DAYS_MAX):
                expiry = day + dt.timedelta(days=ahead)
                query = model.ContractQuery(
                    symbol=UNDERLYING, sec_type="OPT", expiry=f"{expiry:%Y%m%d}", right="P"
                )
                found = [instrument_of(one.contract) for one in self.exchange.market.find(query)]
                if expiry.weekday() == 4 and found:
                    break
            near = [one for one in found if 0.55 * spot < float(one.strike or 0) < spot]
            self._chain = {day: tuple(near[::2])}
        return self._chain[day]

    def order(self, instrument: Instrument, *, units: int, limit_usd: float, ref: str) -> None:
        """Send an order."""
        self.exchange.place(self.request(instrument, units=units, limit_usd=limit_usd, ref=ref))

    def request(
        self, instrument: Instrument, *, units: int, limit_usd: float, ref: str
    ) -> model.OrderRequest:
        """An order under a number of its own; units > 0 buy."""
        self._orders += 1
        return model.OrderRequest(
            key=model.OrderKey(client_id=17, order_id=self._orders),
            contract=model.ContractQuery(con_id=instrument.conid, exchange="SMART"),
            action=model.Action.BUY if units > 0 else model.Action.SELL,
            quantity=abs(units),
            order_type="LMT",
            limit_price=limit_usd,
            tif="DAY",
            account=self.account,
            order_ref=ref,
        )

    def values(self) -> AccountValues:
        """The account's figures."""
        rows = self.exchange.account_rows(self.account)
        return values_of(rows, account=self.account, at_ns=self.now)


def chain_view(market: Market, instruments: list[Instrument], number: int) -> ChainViewed:
    """What the chain of these puts looks like, by the exchange's own quotes and model."""
    now, spot = market.now, market.spot(UNDERLYING)
    ends = sorted({one.expiry for one in instruments if one.expiry is not None})
    size = len(instruments)
    view = ChainView(
        underlying=UNDERLYING,
        number=number,
        at_ns=now,
        epoch=1,
        spot_usd=spot,
        spot_at_ns=now,
        spot_doubt="",
        fitted_ns=now,
        series=tuple(_series(end, spot=spot, day=new_york_date(now)) for end in ends),
        summary=ChainSummary(rows=size, usable=size, doubts=()),
        columns=pack_rows(_columns(market, instruments, ends)),
    )
    return ChainViewed(underlying=UNDERLYING, view=view)


def regime_inputs(market: Market, daily: Figures | None) -> RegimeInputs:
    """What the regime looks at; the two VIX futures lie on the line of the two indices."""
    now, vix, vix3m = market.now, market.price(VIX), market.price(VIX3M)

    def read(value: float | None) -> Reading | None:
        return None if value is None else Reading(value=value, at_ns=now)

    month = None if vix is None or vix3m is None else (vix3m - vix) / 3.0
    first = None if vix is None or month is None else vix + month
    second = None if first is None or month is None else first + month
    return RegimeInputs(
        curve=VolCurve(
            vix=read(vix), vix3m=read(vix3m), first_future=read(first), second_future=read(second)
        ),
        trend=TrendInputs(
            price=read(market.spot(INDEX)),
            sma20=read(None if daily is None else daily.sma20),
            sma50=read(None if daily is None else daily.sma50),
            sma200=read(None if daily is None else daily.sma200),
            adx=read(None if daily is None else daily.adx),
            breadth=None,
        ),
        underlyings=1,
        average_correlation=None,
        macro=(),
        days=(),
    )


def _columns(
    market: Market, instruments: list[Instrument], ends: list[dt.date]
) -> dict[str, NDArray[Any]]:
    quotes = market.exchange.market.quotes([one.conid for one in instruments])
    models = [None if quote is None else quote.model for quote in quotes]

    def column(values: list[float | None]) -> NDArray[Any]:
        return np.array([np.nan if value is None else value for value in values], dtype=float)

    bid = column([None if quote is None else quote.bid for quote in quotes])
    ask = column([None if quote is None else quote.ask for quote in quotes])
    iv = column([None if one is None else one.iv_annual for one in models])
    return {name: np.zeros(len(instruments)) for name in ROW_TYPES} | {
        "conid": np.array([one.conid for one in instruments]),
        "series": np.array([ends.index(one.expiry) for one in instruments if one.expiry]),
        "strike_usd": np.array([float(one.strike or 0) for one in instruments]),
        "bid_usd": bid,
        "ask_usd": ask,
        "iv_annual": iv,
        "smile_iv_annual": iv,
        "delta_per_share": column([None if one is None else one.delta for one in models]),
        "at_ns": np.full(len(instruments), market.now),
        "doubt": np.where(bid < ask, 0, 1),
    }


def _series(end: dt.date, *, spot: float, day: dt.date) -> SeriesView:
    tau, settles = max((end - day).days, 0.25) / 365.0, new_york_ns(end, dt.time(16))
    return SeriesView(
        trading_class="XSPW",
        expiry=end,
        settlement=Settlement.PM,
        settles_ns=settles,
        last_trade_ns=settles,
        rows=1,
        usable=1,
        tau_years=tau,
        forward_usd=spot * math.exp(0.025 * tau),
        discount=math.exp(-0.04 * tau),
    )
