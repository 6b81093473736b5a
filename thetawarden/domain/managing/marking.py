"""Marks a trade for its books: usable middles where there are any, else what was known before."""

from __future__ import annotations

import math
from decimal import Decimal

from thetawarden.domain.books.amounts import to_cents
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.managing.sight import LegSight, TradeSight
from thetawarden.domain.trades.attributing import LegMark, TradeMark
from thetawarden.domain.trades.trade import Held, Trade
from thetawarden.domain.units import to_decimal, to_float

_PLACES = 6


def mark_of(trade: Trade, sight: TradeSight, *, before: TradeMark | None, now: UnixNs) -> TradeMark:
    """Return a trade's mark at an instant; `before` is its latest one.

    A leg that cannot be priced keeps the price of its latest mark, one that never could be has
    what it was opened for.
    """
    seen = {one.instrument.conid: one for one in sight.legs}
    known = {} if before is None else {one.conid: one for one in before.legs}
    legs = tuple(
        _leg(one, seen.get(one.instrument.conid), known.get(one.instrument.conid), sight)
        for one in trade.held
    )
    return TradeMark(at_ns=now, cash_cents=cents(trade.cash_usd), legs=legs)


def cents(amount_usd: Decimal) -> int:
    """Return an amount in whole cents, half to even."""
    return int(to_cents(amount_usd) * 100)


def _leg(held: Held, seen: LegSight | None, known: LegMark | None, sight: TradeSight) -> LegMark:
    contracts = to_float(held.quantity) * held.instrument.multiplier
    price = None if seen is None else to_decimal(seen.mid_usd, places=_PLACES)
    value = cents(_worth(held, price, known))
    if seen is None or price is None:
        return LegMark(conid=held.instrument.conid, value_cents=value, quantity=held.quantity)
    linear = not seen.is_option
    return LegMark(
        conid=held.instrument.conid,
        quantity=held.quantity,
        value_cents=value,
        spot_usd=sight.spot_usd,
        iv_annual=0.0 if linear else seen.iv_annual,
        delta_shares=contracts * seen.delta_per_share,
        gamma_shares_per_usd=0.0 if linear else contracts * seen.gamma_per_usd,
        theta_usd_per_day=0.0 if linear else contracts * seen.theta_usd_per_day,
        vega_usd_per_vol_point=0.0 if linear else contracts * seen.vega_usd_per_vol_point,
    )


def _worth(held: Held, price: Decimal | None, known: LegMark | None) -> Decimal:
    if price is not None:
        return held.quantity * held.instrument.multiplier * price
    if known is not None and known.quantity:
        return Decimal(known.value_cents) / 100 * held.quantity / known.quantity
    return -held.opened_usd


def is_known(mark: TradeMark) -> bool:
    """Whether every leg was priced by what is seen now."""
    return all(math.isfinite(one.spot_usd) for one in mark.legs)
