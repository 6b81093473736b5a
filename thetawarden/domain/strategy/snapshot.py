"""Takes down the world at an entry, complete enough that attribution and learning need no more.

Fields are named as the columns of the lake's table; None is unknown, never zero. It is begun when
an order is proposed, from the chain it was priced on, and completed when it is approved.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import msgspec
import numpy as np

from thetawarden.domain.chains.view import find_series
from thetawarden.domain.regime.assess import Regime
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.strategy.building import strike_of
from thetawarden.domain.strategy.candidate import Candidate, CandidateLeg
from thetawarden.domain.strategy.scene import Scene


class EntrySnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One entry and the world around it."""

    underlying: str
    trade: str
    strategy: str
    order_ref: str | None = None
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
    credit_usd: float | None = None
    margin_before_usd: float | None = None
    margin_after_usd: float | None = None
    sizing: str | None = None
    scores: str | None = None
    score: float | None = None
    findings: str | None = None
    config_fingerprint: str | None = None
    software: str | None = None


def begin_snapshot(
    scene: Scene, candidate: Candidate, *, trade: str, units: int, curve: VolCurve | None
) -> EntrySnapshot:
    """Return what is known when the order is proposed."""
    figures = {
        **_contract(candidate),
        **_quotes(scene, candidate),
        **_volatility(scene, candidate),
        **_greeks(candidate),
        **_underlying(scene, candidate),
        **_market(scene.regime, curve),
        **_portfolio(scene),
    }
    return EntrySnapshot(
        underlying=candidate.underlying,
        trade=trade,
        strategy=candidate.strategy,
        contracts=units,
        credit_usd=candidate.credit_usd,
        scores=_json(dict(candidate.scores)),
        score=candidate.score,
        findings=_json([_finding(one) for one in candidate.reasons]),
        **{name: _known(value) for name, value in figures.items()},
    )


def _contract(candidate: Candidate) -> dict[str, Any]:
    short = candidate.shorts[0]
    instrument = short.instrument
    return {
        "legs": _json([_leg(leg) for leg in candidate.legs]),
        "conid": instrument.conid,
        "trading_class": instrument.trading_class,
        "expiry": instrument.expiry,
        "strike_usd": strike_of(short),
        "option_right": None if instrument.right is None else str(instrument.right),
        "multiplier": instrument.multiplier,
        "dte": candidate.dte,
        "width_usd": candidate.width_usd,
    }


def _quotes(scene: Scene, candidate: Candidate) -> dict[str, Any]:
    """Of the whole: what selling it brings and buying it back costs."""
    legs, mid = candidate.legs, candidate.credit_usd
    half = math.fsum(abs(leg.ratio) * (leg.ask_usd - leg.bid_usd) / 2.0 for leg in legs)
    return {
        "bid_usd": mid - half,
        "ask_usd": mid + half,
        "mid_usd": mid,
        "spread_fraction": 2.0 * half / mid if mid > 0.0 else None,
        "bid_size": min(leg.bid_size for leg in legs),
        "ask_size": min(leg.ask_size for leg in legs),
        "quote_age_s": (scene.now_ns - min(leg.quoted_ns for leg in legs)) / 1e9,
        "volume": min(leg.volume for leg in legs),
        "open_interest": min(leg.open_interest for leg in legs),
        "liquidity_score": min(leg.liquidity for leg in candidate.shorts),
    }


def _volatility(scene: Scene, candidate: Candidate) -> dict[str, Any]:
    of = candidate.shorts[0].instrument
    series = find_series(scene.view, trading_class=of.trading_class, expiry=candidate.expiry)
    put, call = (None, None) if series is None else (series.put_iv_annual, series.call_iv_annual)
    ordered = sorted(scene.view.series, key=lambda one: one.settles_ns)
    at_money = [one.atm_iv_annual for one in ordered if one.atm_iv_annual is not None]
    slope = at_money[-1] / at_money[0] - 1.0 if len(at_money) > 1 else None
    figures = scene.figures
    return {
        "iv_annual": candidate.shorts[0].iv_annual,
        "iv_atm_annual": None if series is None else series.atm_iv_annual,
        "iv_rank_fraction": None if figures is None else figures.iv_rank_fraction,
        "iv_percentile_fraction": None if figures is None else figures.iv_percentile_fraction,
        "skew_vol_points": None if put is None or call is None else (put - call) * 100.0,
        "term_slope_fraction": slope,
        "realised_5_annual": None if figures is None else figures.realised5_annual,
        "realised_21_annual": None if figures is None else figures.realised21_annual,
        "realised_63_annual": None if figures is None else figures.realised63_annual,
    }


def _greeks(candidate: Candidate) -> dict[str, Any]:
    weights = np.array([leg.ratio for leg in candidate.legs], dtype=np.float64)

    def whole(name: str) -> float:
        return float(weights @ np.array([getattr(leg, name) for leg in candidate.legs]))

    return {
        "delta_per_share": whole("delta_per_share"),
        "gamma_shares_per_usd": whole("gamma_per_usd"),
        "vega_usd_per_vol_point": whole("vega_usd_per_vol_point"),
        "theta_usd_per_day": whole("theta_usd_per_day"),
        "short_delta_per_share": candidate.shorts[0].delta_per_share,
        "touch_probability_fraction": candidate.odds.touch_probability,
        "profit_probability_fraction": candidate.odds.profit_probability,
    }


def _underlying(scene: Scene, candidate: Candidate) -> dict[str, Any]:
    figures = scene.figures
    return {
        "spot_usd": scene.spot_usd,
        "sma_20_usd": None if figures is None else figures.sma20,
        "sma_50_usd": None if figures is None else figures.sma50,
        "sma_200_usd": None if figures is None else figures.sma200,
        "adx_points": None if figures is None else figures.adx,
        "otm_fraction": candidate.otm_fraction,
    }


def _market(regime: Regime | None, curve: VolCurve | None) -> dict[str, Any]:
    correlation = None if regime is None else regime.correlation.average
    return {
        "vix_points": _read(None if curve is None else curve.vix),
        "vix3m_points": _read(None if curve is None else curve.vix3m),
        "vix_front_points": _read(None if curve is None else curve.first_future),
        "vix_second_points": _read(None if curve is None else curve.second_future),
        "regime": None if regime is None or regime.derived is None else str(regime.derived),
        "regime_size_fraction": None if regime is None else regime.size_fraction,
        "regime_reasons": None if regime is None else _json(regime.factors),
        "correlation": correlation,
    }


def _portfolio(scene: Scene) -> dict[str, Any]:
    book = scene.portfolio
    return {
        "nlv_usd": book.nlv_usd,
        "cash_usd": book.cash_usd,
        "positions": book.positions,
        "portfolio_delta_shares": book.delta_shares,
        "portfolio_gamma_shares_per_usd": book.gamma_shares_per_usd,
        "portfolio_vega_usd_per_vol_point": book.vega_usd_per_vol_point,
        "portfolio_theta_usd_per_day": book.theta_usd_per_day,
        "margin_before_usd": book.initial_margin_usd,
    }


def _leg(leg: CandidateLeg) -> dict[str, Any]:
    instrument = leg.instrument
    return {
        "conid": instrument.conid,
        "contract": f"{instrument.trading_class} {instrument.expiry} "
        f"{strike_of(leg):g}{instrument.right or ''}",
        "quantity": leg.ratio,
        "price_usd": _known(leg.mid_usd),
    }


def _finding(reason: Any) -> dict[str, Any]:
    return {
        "rule": reason.rule,
        "verdict": str(reason.verdict),
        "used": _known(reason.used),
        "limit": _known(reason.limit),
        "words": reason.words,
    }


def _read(reading: Reading | None) -> float | None:
    return None if reading is None else reading.value


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
