"""Turns what keeper, chain watchers and broker tell into what the rules read.

Pure. What the rules have no terms for is told as None, never as something else. Unknown model
inputs are NaN. What is held is told in `governing/trades`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.broker.instrument import Instrument as BrokerInstrument
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.broker.orders import BrokerOrder
from thetawarden.domain.chains.view import ChainView, SeriesView, read_rows
from thetawarden.domain.market.contracts import ExerciseStyle, Right
from thetawarden.domain.market.products import OPTION_CLASSES
from thetawarden.domain.portfolio.book import PositionKind
from thetawarden.domain.risk.flow import LiveOrder
from thetawarden.domain.risk.holdings import Account
from thetawarden.domain.risk.instrument import ConId, Instrument, Marks
from thetawarden.domain.units import to_float

_LINEAR = (InstrumentKind.STOCK, InstrumentKind.FUTURE)


def instrument_of(told: BrokerInstrument) -> Instrument | None:
    """Return an instrument in the rules' terms, or None when it is nothing they know.

    A class we have no terms for is a stock's: its options are American.
    """
    if told.kind in _LINEAR:
        return Instrument(
            con_id=ConId(told.conid),
            underlying=told.symbol,
            kind=PositionKind.LINEAR,
            multiplier=float(told.multiplier),
        )
    plain = told.expiry is not None and told.strike is not None and told.right is not None
    if told.kind is not InstrumentKind.OPTION or not plain or told.multiplier <= 0:
        return None
    terms = OPTION_CLASSES.get(told.trading_class)
    european = terms is not None and terms.style is ExerciseStyle.EUROPEAN
    return Instrument(
        con_id=ConId(told.conid),
        underlying=told.symbol,
        kind=PositionKind.EUROPEAN if european else PositionKind.AMERICAN,
        multiplier=float(told.multiplier),
        expiry=told.expiry,
        is_call=told.right is Right.CALL,
        strike_usd=math.nan if told.strike is None else to_float(told.strike),
    )


def account_of(
    told: AccountValues, *, auto_select_margin_usd: float, ahead_usd: float = 0.0
) -> Account | None:
    """Return the account's figures, or None while one of them is missing or being summed up.

    `ahead_usd` is margin they do not have yet, of what has filled since.
    """
    net, initial = told.net_liquidation_usd, told.initial_margin_usd
    excess = told.excess_liquidity_usd
    if not told.ready or net is None or initial is None or excess is None:
        return None
    return Account(
        at_ns=told.at_ns,
        nlv_usd=to_float(net),
        initial_margin_usd=to_float(initial) + ahead_usd,
        excess_liquidity_usd=to_float(excess) - ahead_usd,
        auto_select_margin_usd=auto_select_margin_usd,
    )


def live_orders_of(orders: Iterable[BrokerOrder]) -> tuple[LiveOrder, ...]:
    """Return what may still trade of the working orders, leg by leg."""
    return tuple(leg for one in orders for leg in _legs_of(one))


def _legs_of(order: BrokerOrder) -> tuple[LiveOrder, ...]:
    left = int(order.quantity - order.filled.copy_sign(order.quantity))
    if order.instrument.kind is InstrumentKind.COMBO:
        return tuple(
            LiveOrder(
                con_id=ConId(leg.conid), contracts=leg.ratio * left, limit_usd=None, single=False
            )
            for leg in order.legs
        )
    con_id = ConId(order.instrument.conid)
    return (LiveOrder(con_id=con_id, contracts=left, limit_usd=order.limit_usd, single=True),)


def marks_of_chain(view: ChainView) -> dict[ConId, Marks]:
    """Return the model inputs of every row: its own volatility, else its smile's, else NaN."""
    rows = read_rows(view)
    own = np.isfinite(rows.iv_annual) & rows.usable
    iv = np.where(own, rows.iv_annual, rows.smile_iv_annual)
    carry = [carry_of(one, spot_usd=view.spot_usd) for one in view.series]
    return {
        ConId(int(conid)): Marks(
            tau_years=carry[series][0],
            iv_annual=float(volatility),
            rate_annual=carry[series][1],
            yield_annual=carry[series][2],
        )
        for conid, series, volatility in zip(rows.conid, rows.series, iv, strict=True)
    }


def carry_of(series: SeriesView, *, spot_usd: float | None) -> tuple[float, float, float]:
    """Return time, rate and yield of a series, from its forward and its discount, else NaN."""
    tau, forward, discount = series.tau_years, series.forward_usd, series.discount
    if tau is None or forward is None or discount is None or spot_usd is None:
        return math.nan, math.nan, math.nan
    if not (tau > 0.0 and forward > 0.0 and discount > 0.0 and spot_usd > 0.0):
        return math.nan, math.nan, math.nan
    rate = -math.log(discount) / tau
    return tau, rate, rate - math.log(forward / spot_usd) / tau
