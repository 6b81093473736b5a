"""A chain that is priced by one formula, trades on it, and the limits, for tests of managing."""

import datetime as dt
from decimal import Decimal

import msgspec
import numpy as np

from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.chains.doubts import CODES, Doubt
from thetawarden.domain.chains.view import (
    ROW_TYPES,
    ChainRows,
    ChainSummary,
    ChainView,
    SeriesView,
    pack_rows,
    read_rows,
)
from thetawarden.domain.instants import NS_PER_DAY, UnixNs, new_york_ns
from thetawarden.domain.managing.case import World
from thetawarden.domain.managing.limits import ManagingLimits
from thetawarden.domain.managing.sight import look_at
from thetawarden.domain.market.contracts import Right, Settlement
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.pricing.black import bsm_greeks
from thetawarden.domain.trades.trade import Part, Trade, TradeState

DAY = dt.date(2026, 3, 2)
NOW = new_york_ns(DAY, dt.time(11))
LIMITS = ManagingLimits()
STRIKES = tuple(range(380, 621, 5))


class Market:
    """Options on one underlying, bid and ask half a width beside their model price."""

    def __init__(
        self,
        *,
        underlying="SPX",
        trading_class="SPXW",
        spot=500.0,
        iv=0.20,
        days=(2, 7, 20, 30),
        strikes=STRIKES,
        width=0.05,
        now=NOW,
        day=DAY,
        doubted=(),
        worthless=(),
        nobody_bids=0.0,
    ):
        unbid = {"bid_usd": nobody_bids, "ask_usd": 0.05, "doubt": CODES[Doubt.ZERO_BID]}
        if np.isnan(nobody_bids):  # no price at all, and a size of nothing
            unbid |= {"doubt": CODES[Doubt.ONE_SIDED], "bid_size": 0.0}
        self.underlying, self.spot, self.now, self.day = underlying, spot, now, day
        self.trading_class = trading_class
        self.expiries = tuple(day + dt.timedelta(days=each) for each in days)
        self.places, cells = {}, {name: [] for name in ROW_TYPES}
        series = []
        for number, expiry in enumerate(self.expiries):
            settles = new_york_ns(expiry, dt.time(16))
            tau = max((settles - now) / NS_PER_DAY / 365.0, 1e-6)
            series.append(self._series(expiry, settles, tau, iv, 2 * len(strikes)))
            for strike in strikes:
                for right in (Right.PUT, Right.CALL):
                    place = (number, strike, right)
                    row = self._row(place, tau, iv, width)
                    row["doubt"] = 10 if place in doubted else 0
                    if place in worthless:
                        row |= unbid
                    for name, value in row.items():
                        cells[name].append(value)
        self.view = ChainView(
            underlying=underlying,
            number=7,
            at_ns=now,
            epoch=1,
            spot_usd=spot,
            spot_at_ns=now,
            spot_doubt="",
            fitted_ns=now,
            series=tuple(series),
            summary=ChainSummary(rows=0, usable=0, doubts=()),
            columns=pack_rows({name: np.array(column) for name, column in cells.items()}),
        )
        rows = msgspec.structs.asdict(read_rows(self.view))
        self.rows = ChainRows(**{name: column.copy() for name, column in rows.items()})

    def _series(self, expiry, settles, tau, iv, rows):
        return SeriesView(
            trading_class=self.trading_class,
            expiry=expiry,
            settlement=Settlement.PM,
            settles_ns=settles,
            last_trade_ns=settles,
            rows=rows,
            usable=rows,
            tau_years=tau,
            forward_usd=self.spot,
            discount=1.0,
            atm_iv_annual=iv,
        )

    def _row(self, place, tau, iv, width):
        number, strike, right = place
        found = bsm_greeks(
            spot=self.spot,
            strike=float(strike),
            tau_years=tau,
            iv_annual=iv,
            rate_annual=0.0,
            yield_annual=0.0,
            is_call=right is Right.CALL,
        )
        conid = 1000 + len(self.places)
        self.places[place] = conid
        price = float(found.price_usd)
        return {
            "conid": conid,
            "series": number,
            "strike_usd": float(strike),
            "is_call": right is Right.CALL,
            "bid_usd": max(price - width / 2, 0.01),
            "ask_usd": price + width / 2,
            "bid_size": 10,
            "ask_size": 10,
            "volume": 100,
            "open_interest": 1000,
            "iv_annual": iv,
            "smile_iv_annual": iv,
            "delta_per_share": float(found.delta_per_share),
            "gamma_per_usd": float(found.gamma_per_usd),
            "vega_usd_per_vol_point": float(found.vega_usd_per_vol_point),
            "theta_usd_per_day": float(found.theta_usd_per_day),
            "broker_iv_annual": iv,
            "broker_delta": float(found.delta_per_share),
            "at_ns": self.now,
        }

    def option(self, strike, right=Right.PUT, number=0):
        return Instrument(
            conid=self.places[number, strike, right],
            kind=InstrumentKind.OPTION,
            symbol=self.underlying,
            multiplier=100,
            trading_class=self.trading_class,
            expiry=self.expiries[number],
            strike=Decimal(strike),
            right=right,
        )

    def stock(self):
        return Instrument(conid=1, kind=InstrumentKind.STOCK, symbol=self.underlying)

    def row(self, instrument):
        return int(np.flatnonzero(self.rows.conid == instrument.conid)[0])

    def sight(self, trade):
        return look_at(trade, self.view, self.rows)


def part(instrument, quantity, price, *, key=None, role=OrderRole.ENTRY, **changes):
    """A fill of so much at a price a share, its commission a dollar a contract."""
    quantity, price = Decimal(quantity), Decimal(str(price))
    gross = -quantity * price * instrument.multiplier
    commission = abs(quantity) if instrument.kind is InstrumentKind.OPTION else Decimal(0)
    fields = {
        "key": key or f"{instrument.conid}/{quantity}/{price}/{role}",
        "at_ns": UnixNs(NOW - NS_PER_DAY),
        "instrument": instrument,
        "quantity": quantity,
        "cash_usd": gross - commission,
        "commission_usd": commission,
        "cause": Cause.TRADE,
        "role": role,
    }
    return Part(**(fields | changes))


def trade(*parts, name="t1", strategy="index_puts", underlying="SPX", **changes):
    fields = {
        "name": name,
        "strategy": strategy,
        "underlying": underlying,
        "opened_ns": UnixNs(NOW - NS_PER_DAY),
        "state": TradeState.OPEN,
        "parts": parts,
        "entry_delta_per_share": 0.07,
    }
    return Trade(**(fields | changes))


def world(**changes):
    return World(**({"now_ns": NOW, "vix_points": 18.0, "nlv_usd": 1e6} | changes))
