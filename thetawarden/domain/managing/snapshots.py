"""Writes down the world around a trade, for attribution and learning; unknown is None.

Chances are those of a lognormal walk by the short option's own volatility. The portfolio's delta is
brought to shares of the benchmark by prices alone: a dollar of one is a dollar of the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from thetawarden.domain.chains.view import ChainView, SeriesView
from thetawarden.domain.context.figures import Figures
from thetawarden.domain.instants import NS_PER_DAY, UnixNs
from thetawarden.domain.managing.sight import LegSight, TradeSight, days_left, series_of
from thetawarden.domain.regime.assess import Regime
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.trades.snapshot import SnapshotEvent, TradeSnapshot

_DAYS_A_YEAR = 365.0
_TABLE_WORDS = 4_000


class Greeks(msgspec.Struct, frozen=True, kw_only=True):
    """What all trades that can be seen add up to; NaN where one of them is unknown."""

    delta_shares: float = math.nan
    gamma_shares_per_usd: float = math.nan
    vega_usd_per_vol_point: float = math.nan
    theta_usd_per_day: float = math.nan


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds every trade at an instant."""

    now_ns: UnixNs
    regime: Regime | None = None
    curve: VolCurve | None = None
    correlation: float | None = None
    nlv_usd: float | None = None
    cash_usd: float | None = None
    positions: int | None = None
    greeks: Greeks = Greeks()
    config_fingerprint: str = ""
    software: str = ""


def snapshot_of(
    sight: TradeSight,
    *,
    event: SnapshotEvent,
    reason: str | None,
    view: ChainView | None,
    figures: Figures | None,
    scene: Scene,
    result_usd: float | None,
    attribution: str | None,
) -> TradeSnapshot:
    """Return the world around a trade."""
    trade = sight.trade
    short = _short(sight)
    parts: dict[str, Any] = {
        **_contract(sight, short, scene.now_ns),
        **_quotes(sight, scene.now_ns),
        **_volatility(short, view),
        **_greeks(sight, short, scene.now_ns),
        **_underlying(sight, short, figures),
        **_market(scene),
        **_portfolio(scene),
    }
    return TradeSnapshot(
        underlying=trade.underlying,
        trade=trade.name,
        strategy=trade.strategy,
        event=event,
        order_ref=trade.parts[-1].order_ref or None if trade.parts else None,
        reason=reason,
        contracts=sight.units or None,
        days_held=(scene.now_ns - trade.opened_ns) / NS_PER_DAY,
        unrealised_usd=result_usd,
        profit_fraction=_known(sight.profit_fraction),
        attribution=attribution,
        config_fingerprint=scene.config_fingerprint or None,
        software=scene.software or None,
        **parts,
    )


def portfolio_greeks(sights: Sequence[TradeSight], *, benchmark_usd: float) -> Greeks:
    """Return what the options and shares of all trades add up to."""
    rows = [
        (one.spot_usd / benchmark_usd if benchmark_usd > 0.0 else math.nan, leg, _shares(one, leg))
        for one in sights
        for leg in one.legs
    ]
    return Greeks(
        delta_shares=math.fsum(shares * leg.delta_per_share * per for per, leg, shares in rows),
        gamma_shares_per_usd=math.fsum(
            shares * _of_option(leg, leg.gamma_per_usd) * per**2 for per, leg, shares in rows
        ),
        vega_usd_per_vol_point=math.fsum(
            shares * _of_option(leg, leg.vega_usd_per_vol_point) for _, leg, shares in rows
        ),
        theta_usd_per_day=math.fsum(
            shares * _of_option(leg, leg.theta_usd_per_day) for _, leg, shares in rows
        ),
    )


def _shares(sight: TradeSight, leg: LegSight) -> float:
    return float(leg.ratio * sight.units * leg.instrument.multiplier)


def _of_option(leg: LegSight, value: float) -> float:
    return value if leg.is_option else 0.0


def _short(sight: TradeSight) -> LegSight | None:
    """The sold option nearest to the market; without one, the first option."""
    return sight.worst_short or next(iter(sight.options), None)


def _contract(sight: TradeSight, short: LegSight | None, now_ns: int) -> dict[str, Any]:
    legs = [
        {
            "contract": one.instrument.local_symbol or one.instrument.conid,
            "ratio": one.ratio,
            "price_usd": _known(one.mid_usd),
        }
        for one in sight.legs
    ]
    found: dict[str, Any] = {"legs": msgspec.json.encode(legs).decode()}
    if short is None:
        return found
    of = short.instrument
    longs = [
        abs(one.strike_usd - short.strike_usd)
        for one in sight.options
        if one.ratio > 0 and one.instrument.right is of.right
    ]
    return found | {
        "conid": of.conid,
        "trading_class": of.trading_class,
        "expiry": of.expiry,
        "strike_usd": _known(short.strike_usd),
        "option_right": None if of.right is None else of.right.value,
        "multiplier": of.multiplier,
        "dte": days_left(short, now_ns),
        "width_usd": min(longs, default=None),
    }


def _quotes(sight: TradeSight, now_ns: int) -> dict[str, float | None]:
    seen = [one for one in sight.options if one.seen]
    far = 2.0 * sight.cost_usd - sight.natural_usd
    mid = sight.cost_usd
    return {
        "bid_usd": _known(min(far, sight.natural_usd)),
        "ask_usd": _known(max(far, sight.natural_usd)),
        "mid_usd": _known(mid),
        "spread_fraction": _known(abs(sight.natural_usd - far) / abs(mid)) if mid else None,
        "bid_size": _known(min((one.bid_size for one in seen), default=math.nan)),
        "ask_size": _known(min((one.ask_size for one in seen), default=math.nan)),
        "quote_age_s": max(((now_ns - one.quoted_ns) / 1e9 for one in seen), default=None),
        "volume": _known(min((one.volume for one in seen), default=math.nan)),
        "open_interest": _known(min((one.open_interest for one in seen), default=math.nan)),
    }


def _volatility(short: LegSight | None, view: ChainView | None) -> dict[str, float | None]:
    if short is None or view is None:
        return {}
    ordered = sorted(view.series, key=lambda one: one.settles_ns)
    own = series_of(view, short.instrument)
    found: dict[str, float | None] = {"iv_annual": _known(short.iv_annual)}
    if own is not None:
        found["iv_atm_annual"] = own.atm_iv_annual
        found["skew_vol_points"] = _skew_points(own)
    ivs = [one.atm_iv_annual for one in ordered if one.atm_iv_annual]
    if len(ivs) > 1:
        found["term_slope_fraction"] = ivs[-1] / ivs[0] - 1.0
    return found


def _skew_points(series: SeriesView) -> float | None:
    put, call = series.put_iv_annual, series.call_iv_annual
    return None if put is None or call is None else 100.0 * (put - call)


def _greeks(sight: TradeSight, short: LegSight | None, now_ns: int) -> dict[str, float | None]:
    def whole(name: str) -> float | None:
        return _known(math.fsum(one.ratio * getattr(one, name) for one in sight.options))

    found = {
        "delta_per_share": _known(sight.delta_per_share),
        "gamma_shares_per_usd": whole("gamma_per_usd"),
        "vega_usd_per_vol_point": whole("vega_usd_per_vol_point"),
        "theta_usd_per_day": whole("theta_usd_per_day"),
    }
    if short is None:
        return found
    beyond = _chance_beyond(short, sight.spot_usd, now_ns)
    return found | {
        "short_delta_per_share": _known(short.delta_per_share),
        "touch_probability_fraction": _known(min(1.0, 2.0 * beyond)),
        "profit_probability_fraction": _known(1.0 - beyond),
    }


def _chance_beyond(short: LegSight, spot_usd: float, now_ns: int) -> float:
    tau = (short.last_trade_ns - now_ns) / NS_PER_DAY / _DAYS_A_YEAR
    strike, iv = short.strike_usd, short.iv_annual
    if not (tau > 0.0 and iv > 0.0 and spot_usd > 0.0 and strike > 0.0):
        return math.nan
    deviation = iv * math.sqrt(tau)
    d2 = math.log(spot_usd / strike) / deviation - deviation / 2.0
    below = 0.5 * math.erfc(d2 / math.sqrt(2.0))
    return below if short.instrument.right == "P" else 1.0 - below


def _underlying(
    sight: TradeSight, short: LegSight | None, figures: Figures | None
) -> dict[str, float | None]:
    found = {"spot_usd": _known(sight.spot_usd)}
    if short is not None and sight.spot_usd > 0.0:
        found["otm_fraction"] = _known(-short.inside_usd(sight.spot_usd) / sight.spot_usd)
    if figures is None:
        return found
    return found | {
        "sma_20_usd": figures.sma20,
        "sma_50_usd": figures.sma50,
        "sma_200_usd": figures.sma200,
        "adx_points": figures.adx,
        "iv_rank_fraction": figures.iv_rank_fraction,
        "iv_percentile_fraction": figures.iv_percentile_fraction,
        "realised_5_annual": figures.realised5_annual,
        "realised_21_annual": figures.realised21_annual,
        "realised_63_annual": figures.realised63_annual,
    }


def _market(scene: Scene) -> dict[str, Any]:
    curve, regime = scene.curve, scene.regime
    found: dict[str, Any] = {}
    if curve is not None:
        found |= {
            "vix_points": _value(curve.vix),
            "vix3m_points": _value(curve.vix3m),
            "vix_front_points": _value(curve.first_future),
            "vix_second_points": _value(curve.second_future),
        }
    if regime is not None:
        words = msgspec.json.encode(
            [[one.rule, one.label, one.size_fraction] for one in regime.factors]
        )
        found |= {
            "regime": None if regime.derived is None else regime.derived.value,
            "regime_size_fraction": _known(regime.size_fraction),
            "regime_reasons": words.decode()[:_TABLE_WORDS],
        }
    return found


def _portfolio(scene: Scene) -> dict[str, float | None]:
    greeks = scene.greeks
    return {
        "nlv_usd": scene.nlv_usd,
        "cash_usd": scene.cash_usd,
        "positions": scene.positions,
        "portfolio_delta_shares": _known(greeks.delta_shares),
        "portfolio_gamma_shares_per_usd": _known(greeks.gamma_shares_per_usd),
        "portfolio_vega_usd_per_vol_point": _known(greeks.vega_usd_per_vol_point),
        "portfolio_theta_usd_per_day": _known(greeks.theta_usd_per_day),
        "correlation": scene.correlation,
    }


def _value(reading: Reading | None) -> float | None:
    return None if reading is None else _known(reading.value)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
