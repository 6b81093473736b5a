"""Quotes series that a split has made non-standard, which the market itself does not list.

Strike and price of such a series scale with the share, so it is worth what the series it came from
would be worth on the undivided share, divided. Its volatility stays what it was at the split, and
its market is wide, as these are in life.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.model import Greeks, Quote

if TYPE_CHECKING:
    from thetawarden.practice.exchange.state import AdjustedSeries
    from thetawarden.practice.model import ContractDetails, Market

HALF_SPREAD_FRACTION = 0.03
HALF_SPREAD_MIN = 0.05
SHOWN_SIZE = 5


def adjusted_quote(market: Market, listed: ContractDetails, series: AdjustedSeries) -> Quote | None:
    """Return the quote of an adjusted series; None when its share has no price."""
    adjusted, iv = series.contract, series.iv_annual
    under = market.quote(listed.under_con_id)
    before, after = listed.contract.strike, adjusted.strike
    if under is None or under.last is None or not before or not after:
        return None
    ratio = before / after
    valued = market.value(
        con_id=listed.contract.con_id, iv_annual=iv, under_price=under.last * ratio
    )
    gap = under.last - after if adjusted.right == "C" else after - under.last
    worth = valued.price / ratio if valued and valued.price is not None else max(gap, 0.0)
    half = max(worth * HALF_SPREAD_FRACTION, HALF_SPREAD_MIN)
    bid = round(worth - half, 2)
    return Quote(
        con_id=adjusted.con_id,
        at_ns=market.now_ns,
        bid=bid if bid > 0 else None,
        ask=round(worth + half, 2),
        bid_size=SHOWN_SIZE if bid > 0 else 0,
        ask_size=SHOWN_SIZE,
        close=round(worth, 2),
        mark=worth,
        halted=under.halted,
        model=Greeks(
            iv_annual=iv,
            price=worth,
            delta=None,
            gamma=None,
            vega=None,
            theta=None,
            pv_dividend=None,
            under_price=under.last,
        ),
    )
