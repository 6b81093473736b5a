"""Quotes series that a split has made non-standard, which the market no longer lists.

They are priced by Black's formula on their share, at the volatility they had at the split, and
their market is wide, as these are in life.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from thetawarden.domain.instants import NS_PER_DAY, new_york_ns
from thetawarden.domain.pricing.black import DAYS_PER_YEAR, black_price
from thetawarden.practice.model import Greeks, Quote

if TYPE_CHECKING:
    from thetawarden.practice.exchange.state import AdjustedSeries
    from thetawarden.practice.model import Market

HALF_SPREAD_FRACTION = 0.03
HALF_SPREAD_MIN = 0.05
SHOWN_SIZE = 5
_CLOSE = dt.time(16)


def adjusted_quote(market: Market, series: AdjustedSeries) -> Quote | None:
    """Return the quote of an adjusted series; None when its share has no price."""
    contract = series.details.contract
    under = market.quote(series.details.under_con_id)
    if under is None or under.last is None or contract.expiry is None:
        return None
    left_ns = max(new_york_ns(contract.expiry, _CLOSE) - market.now_ns, 0)
    worth = float(
        black_price(
            forward=under.last,
            strike=contract.strike or under.last,
            discount=1.0,
            tau_years=left_ns / NS_PER_DAY / DAYS_PER_YEAR,
            iv_annual=series.iv_annual,
            is_call=contract.right == "C",
        )
    )
    return _quote_around(worth, market, series, under)


def _quote_around(worth: float, market: Market, series: AdjustedSeries, under: Quote) -> Quote:
    half = max(worth * HALF_SPREAD_FRACTION, HALF_SPREAD_MIN)
    bid = round(worth - half, 2)
    return Quote(
        con_id=series.details.contract.con_id,
        at_ns=market.now_ns,
        bid=bid if bid > 0 else None,
        ask=round(worth + half, 2),
        bid_size=SHOWN_SIZE if bid > 0 else 0,
        ask_size=SHOWN_SIZE,
        close=round(worth, 2),
        mark=worth,
        halted=under.halted,
        model=Greeks(
            iv_annual=series.iv_annual,
            price=worth,
            delta=None,
            gamma=None,
            vega=None,
            theta=None,
            pv_dividend=None,
            under_price=under.last,
        ),
    )
