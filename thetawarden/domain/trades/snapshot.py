"""Defines the world around a trade at an instant, complete enough that attribution needs no more.

Fields are named as the columns of the lake's table; None is unknown, never zero. Figures of the
whole are per share of a unit. Instants are the message's own.
"""

from __future__ import annotations

import datetime as dt
import enum

import msgspec


class SnapshotEvent(enum.StrEnum):
    """When it was taken."""

    HELD = "held"
    EXIT = "exit"


class TradeSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One trade as it stood."""

    underlying: str
    trade: str
    strategy: str
    event: SnapshotEvent
    order_ref: str | None = None
    reason: str | None = None
    legs: str | None = None
    conid: int | None = None
    trading_class: str | None = None
    expiry: dt.date | None = None
    strike_usd: float | None = None
    option_right: str | None = None
    multiplier: int | None = None
    dte: int | None = None
    width_usd: float | None = None
    bid_usd: float | None = None
    ask_usd: float | None = None
    mid_usd: float | None = None
    spread_fraction: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    quote_age_s: float | None = None
    volume: float | None = None
    open_interest: float | None = None
    liquidity_score: float | None = None
    iv_annual: float | None = None
    iv_atm_annual: float | None = None
    iv_rank_fraction: float | None = None
    iv_percentile_fraction: float | None = None
    skew_vol_points: float | None = None
    term_slope_fraction: float | None = None
    realised_5_annual: float | None = None
    realised_21_annual: float | None = None
    realised_63_annual: float | None = None
    delta_per_share: float | None = None
    gamma_shares_per_usd: float | None = None
    vega_usd_per_vol_point: float | None = None
    theta_usd_per_day: float | None = None
    short_delta_per_share: float | None = None
    touch_probability_fraction: float | None = None
    profit_probability_fraction: float | None = None
    spot_usd: float | None = None
    sma_20_usd: float | None = None
    sma_50_usd: float | None = None
    sma_200_usd: float | None = None
    adx_points: float | None = None
    otm_fraction: float | None = None
    vix_points: float | None = None
    vix3m_points: float | None = None
    vix_front_points: float | None = None
    vix_second_points: float | None = None
    regime: str | None = None
    regime_size_fraction: float | None = None
    regime_reasons: str | None = None
    nlv_usd: float | None = None
    cash_usd: float | None = None
    positions: int | None = None
    portfolio_delta_shares: float | None = None
    portfolio_gamma_shares_per_usd: float | None = None
    portfolio_vega_usd_per_vol_point: float | None = None
    portfolio_theta_usd_per_day: float | None = None
    correlation: float | None = None
    contracts: int | None = None
    days_held: float | None = None
    unrealised_usd: float | None = None
    profit_fraction: float | None = None
    attribution: str | None = None
    config_fingerprint: str | None = None
    software: str | None = None
