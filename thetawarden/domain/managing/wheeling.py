"""Finds the call to sell on shares that were put to us: never below what was paid for them."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np

from thetawarden.domain.chains.view import ChainRows, ChainView
from thetawarden.domain.instants import new_york_date
from thetawarden.domain.managing.limits import WheelLimits
from thetawarden.domain.managing.ordering import Leg, option_row
from thetawarden.domain.trades.trade import Trade
from thetawarden.domain.units import to_float


class CoveredCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call to be sold, on how many round lots."""

    leg: Leg
    units: int
    words: str


def find_call(
    trade: Trade, *, view: ChainView, rows: ChainRows, limits: WheelLimits, now_ns: int
) -> CoveredCall | str:
    """Return the call nearest to the delta aimed at, or in words why there is none."""
    strike = trade.assigned_strike_usd
    shares = sum((one.quantity for one in trade.held), Decimal())
    lots = int(shares // 100)
    if strike is None or lots <= 0:
        return "fewer shares are held than one call is written on"
    today = new_york_date(now_ns)
    series = [
        number
        for number, one in enumerate(view.series)
        if limits.dte_min <= (one.expiry - today).days <= limits.dte_max
    ]
    fits = (
        rows.usable
        & rows.is_call
        & np.isin(rows.series, series)
        & (rows.strike_usd >= to_float(strike) - 1e-9)
        & (rows.bid_usd >= limits.premium_usd_min)
        & np.isfinite(rows.delta_per_share)
    )
    found = np.flatnonzero(fits)
    if not found.size:
        return (
            f"no call at or above {strike} in {limits.dte_min} to {limits.dte_max} days is quoted"
            f" at {limits.premium_usd_min:.2f} or more"
        )
    away = np.abs(rows.delta_per_share[found] - limits.delta_per_share)
    best = int(found[np.lexsort((rows.series[found], np.round(away, 3)))[0]])
    leg = option_row(view, rows, best, -1)
    words = f"the {leg.instrument.strike} call of {leg.instrument.expiry} on {lots} hundred shares"
    return CoveredCall(leg=leg, units=lots, words=words)
