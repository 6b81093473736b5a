"""Prices chains: fair value and Greeks of any options at one instant, in one pass.

European values are Black's on the forward with the surface's volatility for the strike. An American
option is worth at least what exercising it now brings; that keeps values monotone and convex in
the strike. Values come before any spread or tick.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.market.contracts import ExerciseStyle, OptionClass
from thetawarden.domain.market.expiry import ExpiryTerms, expiry_terms
from thetawarden.domain.pricing.black import Greeks, black_price, spot_greeks
from thetawarden.practice.market.carry import Carry
from thetawarden.practice.market.earnings import EarningsBook
from thetawarden.practice.market.path import Paths
from thetawarden.practice.market.roster import CLASSES, UNDERLYINGS
from thetawarden.practice.market.surface import slice_shape, strike_variance, total_variance
from thetawarden.practice.market.timeline import SESSIONS_PER_YEAR, Timeline

Floats: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]

_YEAR_NS = 365 * 86_400 * 1_000_000_000
_LEFT_NS_MIN = 20 * 1_000_000_000
"""An option about to settle is priced as if it lived so long."""
_VARIANCE_LEFT_MIN = 2e-5
"""Sessions' worth of variance, likewise."""


class Strip(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Options of one underlying: per option its strike, right, and place among the expiries."""

    symbol: str
    settlement_ns: Instants
    """One per expiry."""
    expiry_at: NDArray[np.intp]
    strike: Floats
    is_call: NDArray[np.bool_]
    american: bool


class Valued(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Fair values of a strip and what they were computed from, one entry per option."""

    spot: float
    value: Floats
    iv_annual: Floats
    forward: Floats
    discount: Floats
    years: Floats
    pv_dividend: Floats


class Pricer:
    """The one place where spot, volatility state and carry become option values."""

    def __init__(
        self, *, timeline: Timeline, paths: Paths, carry: Carry, earnings: EarningsBook
    ) -> None:
        self._timeline, self._paths = timeline, paths
        self._carry, self._earnings = carry, earnings
        self._terms: dict[tuple[str, dt.date], ExpiryTerms | None] = {}

    def terms(self, option_class: OptionClass, expiry: dt.date) -> ExpiryTerms | None:
        """Return when a series ends, or None for a day that is no expiry."""
        key = (option_class.trading_class, expiry)
        if key not in self._terms:
            found = expiry_terms(
                option_class=option_class, expiry=expiry, sessions=self._timeline.sessions
            )
            self._terms[key] = found if isinstance(found, ExpiryTerms) else None
        return self._terms[key]

    def value(self, strip: Strip, now_ns: int) -> Valued:
        """Return fair values at an instant."""
        spot = self._paths.spot(strip.symbol, now_ns)
        forward, discount = self._carry.forward(
            symbol=strip.symbol, spot=spot, now_ns=now_ns, settlement_ns=strip.settlement_ns
        )
        theta = self.at_the_money(strip.symbol, now_ns=now_ns, settlement_ns=strip.settlement_ns)
        smile = UNDERLYINGS[strip.symbol].smile
        stress = float(self._paths.state(now_ns)[:2].sum())
        eta = slice_shape(eta=smile.eta, rho=smile.rho, stress=stress)
        at = strip.expiry_at
        k = np.log(strip.strike / forward[at])
        variance = strike_variance(theta=theta[at], k=k, eta=eta, rho=smile.rho)
        years = np.maximum(strip.settlement_ns - now_ns, _LEFT_NS_MIN) / _YEAR_NS
        iv = np.sqrt(variance / years[at])
        value = black_price(
            forward=forward[at],
            strike=strip.strike,
            discount=discount[at],
            tau_years=years[at],
            iv_annual=iv,
            is_call=strip.is_call,
        )
        if strip.american:
            gain = np.where(strip.is_call, spot - strip.strike, strip.strike - spot)
            value = np.maximum(value, gain)
        return Valued(
            spot=spot,
            value=value,
            iv_annual=iv,
            forward=forward[at],
            discount=discount[at],
            years=years[at],
            pv_dividend=self._carry.dividends_until(strip.symbol, now_ns, strip.settlement_ns)[at],
        )

    def values_over_time(self, strip: Strip, at_ns: Instants) -> Floats:
        """Return fair values at many instants (rows) of every option (columns)."""
        spot = self._paths.spots(strip.symbol, at_ns)
        states = self._paths.states(at_ns)
        found = np.empty((len(at_ns), len(strip.strike)))
        for n, settlement_ns in enumerate(strip.settlement_ns.tolist()):
            of_expiry = np.flatnonzero(strip.expiry_at == n)
            found[:, of_expiry] = self._expiry_over_time(
                strip, of_expiry, settlement_ns, at_ns=at_ns, spot=spot, states=states
            )
        return found

    def _expiry_over_time(
        self,
        strip: Strip,
        of_expiry: NDArray[np.intp],
        settlement_ns: int,
        *,
        at_ns: Instants,
        spot: Floats,
        states: Floats,
    ) -> Floats:
        forward, discount = self._carry.forwards_over_time(
            symbol=strip.symbol, spot=spot, at_ns=at_ns, settlement_ns=settlement_ns
        )
        one = UNDERLYINGS[strip.symbol]
        settles = np.array([settlement_ns])
        clock = self._timeline.variance_time(np.append(at_ns, settlement_ns))
        sessions = np.maximum(clock[-1] - clock[:-1], _VARIANCE_LEFT_MIN)
        ratio = vol_ratio(strip.symbol) * np.exp(
            [self._paths.own_log_vol(strip.symbol, now_ns) for now_ns in at_ns.tolist()]
        )
        theta = total_variance(states * one.vol_load, sessions / SESSIONS_PER_YEAR) * ratio**2
        if one.reports_in >= 0:
            theta = theta + [
                float(self._earnings.variance_until(strip.symbol, now_ns, settles)[0])
                for now_ns in at_ns.tolist()
            ]
        eta = slice_shape(eta=one.smile.eta, rho=one.smile.rho, stress=states[:, :2].sum(axis=1))
        strike, is_call = strip.strike[of_expiry], strip.is_call[of_expiry]
        k = np.log(strike / forward[:, None])
        variance = strike_variance(theta=theta[:, None], k=k, eta=eta[:, None], rho=one.smile.rho)
        years = np.maximum(settlement_ns - at_ns, _LEFT_NS_MIN)[:, None] / _YEAR_NS
        value = black_price(
            forward=forward[:, None],
            strike=strike,
            discount=discount[:, None],
            tau_years=years,
            iv_annual=np.sqrt(variance / years),
            is_call=is_call,
        )
        if strip.american:
            gain = np.where(is_call, spot[:, None] - strike, strike - spot[:, None])
            value = np.maximum(value, gain)
        return value

    def at_the_money(self, symbol: str, *, now_ns: int, settlement_ns: Instants) -> Floats:
        """Return total variance at the money until each settlement."""
        one = UNDERLYINGS[symbol]
        x = self._paths.state(now_ns) * one.vol_load
        clock = self._timeline.variance_time(np.concatenate(([now_ns], settlement_ns)))
        sessions = np.maximum(clock[1:] - clock[0], _VARIANCE_LEFT_MIN)
        ratio = vol_ratio(symbol) * np.exp(self._paths.own_log_vol(symbol, now_ns))
        diffusive = total_variance(x, sessions / SESSIONS_PER_YEAR) * ratio**2
        result: Floats = diffusive + self._earnings.variance_until(symbol, now_ns, settlement_ns)
        return result


def greeks(strip: Strip, valued: Valued, iv_annual: Floats) -> Greeks:
    """Return Greeks of a strip at given volatilities."""
    return spot_greeks(
        spot=valued.spot,
        forward=valued.forward,
        strike=strip.strike,
        discount=valued.discount,
        tau_years=valued.years,
        iv_annual=iv_annual,
        is_call=strip.is_call,
    )


def is_american(trading_class: str) -> bool:
    """Whether a class may be exercised early."""
    return CLASSES[trading_class].style is ExerciseStyle.AMERICAN


def vol_ratio(symbol: str) -> float:
    """Return an underlying's usual volatility as a multiple of the index's."""
    one = UNDERLYINGS[symbol]
    if not one.sector:
        return one.smile.vol_ratio
    market, sector, own = 0.155 * one.beta, 0.08 * one.sector_beta, one.own_vol_annual
    return 1.06 * float(np.sqrt(market**2 + sector**2 + own**2)) / 0.155
