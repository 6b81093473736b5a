"""Prices chains: fair value and Greeks of any options at one instant, in one pass.

European values are Black's on the forward with the surface's volatility for the strike. An American
option is worth that and what early exercise adds at the same volatility, and at least what
exercising it now brings. Values come before any spread or tick.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.market.contracts import ExerciseStyle, OptionClass
from thetawarden.domain.market.expiry import ExpiryTerms, expiry_terms
from thetawarden.domain.pricing.black import DAYS_PER_YEAR, Greeks, black_price, spot_greeks
from thetawarden.practice.market import vol_forwards
from thetawarden.practice.market.carry import RATE_ANNUAL, Carry
from thetawarden.practice.market.early_exercise import Asked, Early, EarlyExercise
from thetawarden.practice.market.earnings import EarningsBook
from thetawarden.practice.market.path import Paths
from thetawarden.practice.market.roster import CLASSES, UNDERLYINGS
from thetawarden.practice.market.surface import slice_shape, strike_variance, total_variance
from thetawarden.practice.market.timeline import SESSIONS_PER_YEAR, Timeline
from thetawarden.practice.market.vol_forwards import VolForwards

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

    spot: Floats | float
    value: Floats
    iv_annual: Floats
    forward: Floats
    discount: Floats
    years: Floats
    pv_dividend: Floats
    early: Early | None
    """What early exercise adds; None for European options."""


class Course(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Fair values over time: a row for each instant, a column for each option."""

    spot: Floats
    """A single column."""
    value: Floats
    delta_per_share: Floats
    vega_usd_per_vol_point: Floats


class View(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What values depend on, one entry per pair of an instant and a settlement."""

    at_ns: Instants
    settlement_ns: Instants
    spot: Floats
    forward: Floats
    discount: Floats
    theta: Floats
    eta: Floats
    rho: float
    years: Floats


class Pricer:
    """The one place where spot, volatility state and carry become option values."""

    def __init__(
        self,
        *,
        timeline: Timeline,
        paths: Paths,
        carry: Carry,
        earnings: EarningsBook,
        vol_forwards: VolForwards,
    ) -> None:
        self._timeline, self._paths = timeline, paths
        self._carry, self._earnings, self._vol_forwards = carry, earnings, vol_forwards
        self._early = EarlyExercise(timeline=timeline, carry=carry)
        self._terms: dict[tuple[str, dt.date], ExpiryTerms | None] = {}

    def forget(self) -> None:
        """Drop what was remembered of dividends."""
        self._early.forget()

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
        expiries = len(strip.settlement_ns)
        view = self._view(strip.symbol, np.full(expiries, now_ns), strip.settlement_ns)
        at = strip.expiry_at
        forward, years = view.forward[at], view.years[at]
        k = np.log(strip.strike / forward)
        variance = strike_variance(theta=view.theta[at], k=k, eta=view.eta[at], rho=view.rho)
        bare = Valued(
            spot=float(view.spot[0]),
            value=variance,
            iv_annual=np.sqrt(variance / years),
            forward=forward,
            discount=view.discount[at],
            years=years,
            pv_dividend=self._carry.dividends_until(strip.symbol, now_ns, strip.settlement_ns)[at],
            early=None,
        )
        return self._revalued(strip, now_ns, bare)

    def value_if(
        self, strip: Strip, now_ns: int, *, under_price: float, iv_annual: Floats | None = None
    ) -> Valued:
        """Return values at another price of the underlying, perhaps at other volatilities too."""
        now = self.value(strip, now_ns)
        forward = now.forward * (under_price / now.spot)
        if strip.american:
            forward = now.forward + (under_price - now.spot) / now.discount
        moved = msgspec.structs.replace(
            now,
            spot=under_price,
            forward=forward,
            iv_annual=now.iv_annual if iv_annual is None else iv_annual,
        )
        return self._revalued(strip, now_ns, moved)

    def _revalued(self, strip: Strip, now_ns: int, given: Valued) -> Valued:
        """Return values for the spot, forward and volatilities given."""
        value = black_price(
            forward=given.forward,
            strike=strip.strike,
            discount=given.discount,
            tau_years=given.years,
            iv_annual=given.iv_annual,
            is_call=strip.is_call,
        )
        if not strip.american:
            return msgspec.structs.replace(given, value=value)
        count = len(strip.strike)
        early = self._early.premium(
            Asked(
                symbol=strip.symbol,
                at_ns=np.full(count, now_ns),
                settlement_ns=strip.settlement_ns[strip.expiry_at],
                strike=strip.strike,
                is_call=strip.is_call,
                iv_annual=given.iv_annual,
                escrowed=given.forward * given.discount,
            )
        )
        value = np.maximum(value + early.worth, early.surely)
        value = np.maximum(value, _intrinsic(strip, given.spot))
        return msgspec.structs.replace(given, value=value, early=early)

    def values_over_time(self, strip: Strip, at_ns: Instants) -> Floats:
        """Return fair values at many instants (rows) of every option (columns)."""
        found = np.empty((len(at_ns), len(strip.strike)))
        for options, _, valued in self._by_expiry(strip, at_ns):
            found[:, options] = valued.value
        return found

    def course(self, strip: Strip, at_ns: Instants) -> Course:
        """Return what a market is made from at many instants, as `value` does at one."""
        shape = (len(at_ns), len(strip.strike))
        value, delta, vega = (np.empty(shape) for _ in range(3))
        spot = np.empty((len(at_ns), 1))
        for options, part, valued in self._by_expiry(strip, at_ns):
            model = greeks(part, valued, valued.iv_annual)
            value[:, options] = valued.value
            delta[:, options] = model.delta_per_share
            vega[:, options] = model.vega_usd_per_vol_point
            spot[:] = valued.spot
        return Course(spot=spot, value=value, delta_per_share=delta, vega_usd_per_vol_point=vega)

    def _by_expiry(
        self, strip: Strip, at_ns: Instants
    ) -> Iterator[tuple[NDArray[np.intp], Strip, Valued]]:
        """Give each expiry's options, and what they are worth at each instant."""
        for n, settlement_ns in enumerate(strip.settlement_ns.tolist()):
            options = np.flatnonzero(strip.expiry_at == n)
            view = self._view(strip.symbol, at_ns, np.full(len(at_ns), settlement_ns))
            shape = (len(at_ns), len(options))
            part = Strip(
                symbol=strip.symbol,
                settlement_ns=view.settlement_ns,
                expiry_at=np.arange(len(at_ns)),
                strike=np.broadcast_to(strip.strike[options], shape),
                is_call=np.broadcast_to(strip.is_call[options], shape),
                american=strip.american,
            )
            yield options, part, self._over_time(part, view)

    def _over_time(self, part: Strip, view: View) -> Valued:
        """Return values at many instants (rows) of options of one expiry (columns)."""
        strike, is_call = part.strike, part.is_call
        spot = view.spot[:, None]
        forward, discount, years = (
            np.broadcast_to(one[:, None], strike.shape)
            for one in (view.forward, view.discount, view.years)
        )
        variance = strike_variance(
            theta=view.theta[:, None],
            k=np.log(strike / forward),
            eta=view.eta[:, None],
            rho=view.rho,
        )
        iv = np.sqrt(variance / years)
        value = black_price(
            forward=forward,
            strike=strike,
            discount=discount,
            tau_years=years,
            iv_annual=iv,
            is_call=is_call,
        )
        early = self._early_over_time(part, view, iv, forward * discount)
        if early is not None:
            gap = spot - strike
            held = np.maximum(value + early.worth, early.surely)
            value = np.maximum(held, np.where(is_call, gap, -gap))
        return Valued(
            spot=spot,
            value=value,
            iv_annual=iv,
            forward=forward,
            discount=discount,
            years=years,
            pv_dividend=np.zeros(1),
            early=early,
        )

    def _early_over_time(
        self, part: Strip, view: View, iv: Floats, escrowed: Floats
    ) -> Early | None:
        if not part.american:
            return None
        shape = part.strike.shape
        early = self._early.premium(
            Asked(
                symbol=part.symbol,
                at_ns=np.repeat(view.at_ns, shape[1]),
                settlement_ns=np.repeat(view.settlement_ns, shape[1]),
                strike=part.strike.ravel(),
                is_call=part.is_call.ravel(),
                iv_annual=iv.ravel(),
                escrowed=escrowed.ravel(),
            )
        )
        return Early(
            worth=early.worth.reshape(shape),
            slope=early.slope.reshape(shape),
            curvature=early.curvature.reshape(shape),
            by_vol_point=early.by_vol_point.reshape(shape),
            surely=early.surely.reshape(shape),
        )

    def _view(self, symbol: str, at_ns: Instants, settlement_ns: Instants) -> View:
        """What values depend on, for each pair of an instant and a settlement."""
        years = np.maximum(settlement_ns - at_ns, _LEFT_NS_MIN) / _YEAR_NS
        if symbol == vol_forwards.SYMBOL:
            spot, forward = self._vol_forwards.at(at_ns, settlement_ns)
            smile, eta = vol_forwards.SMILE, np.full(len(at_ns), vol_forwards.SMILE.eta)
            return View(
                at_ns=at_ns,
                settlement_ns=settlement_ns,
                spot=spot,
                forward=forward,
                discount=np.exp(-RATE_ANNUAL * years),
                theta=vol_forwards.variance_of_vix(years),
                eta=eta,
                rho=smile.rho,
                years=years,
            )
        spot, states = self._paths.spots(symbol, at_ns), self._paths.states(at_ns)
        smile = UNDERLYINGS[symbol].smile
        stress = states[:, :2].sum(axis=1)
        forward, discount = self._carry.forward(
            symbol=symbol, spot=spot, at_ns=at_ns, settlement_ns=settlement_ns
        )
        return View(
            at_ns=at_ns,
            settlement_ns=settlement_ns,
            spot=spot,
            forward=forward,
            discount=discount,
            theta=self._theta(symbol, states, at_ns, settlement_ns),
            eta=slice_shape(eta=smile.eta, rho=smile.rho, stress=stress),
            rho=smile.rho,
            years=years,
        )

    def at_the_money(self, symbol: str, *, at_ns: Instants, settlement_ns: Instants) -> Floats:
        """Return total variance at the money from each instant until its settlement."""
        return self._theta(symbol, self._paths.states(at_ns), at_ns, settlement_ns)

    def _theta(
        self, symbol: str, states: Floats, at_ns: Instants, settlement_ns: Instants
    ) -> Floats:
        one, line = UNDERLYINGS[symbol], self._timeline
        sessions = line.variance_time(settlement_ns) - line.variance_time(at_ns)
        years = np.maximum(sessions, _VARIANCE_LEFT_MIN) / SESSIONS_PER_YEAR
        ratio = vol_ratio(symbol) * np.exp(self._paths.own_log_vols(symbol, at_ns))
        theta = total_variance(states * one.vol_load, years) * ratio**2
        result: Floats = theta + self._earnings.variance_between(symbol, at_ns, settlement_ns)
        return result


def _intrinsic(strip: Strip, spot: Floats | float) -> Floats:
    return np.where(strip.is_call, spot - strip.strike, strip.strike - spot)


def greeks(strip: Strip, valued: Valued, iv_annual: Floats) -> Greeks:
    """Return Greeks at given volatilities; what is sure to be exercised moves as the spot."""
    european = spot_greeks(
        spot=valued.spot,
        forward=valued.forward,
        strike=strip.strike,
        discount=valued.discount,
        tau_years=valued.years,
        iv_annual=iv_annual,
        is_call=strip.is_call,
    )
    if valued.early is None:
        return european
    early, escrowed = valued.early, valued.forward * valued.discount
    decay = (
        RATE_ANNUAL * (early.worth - escrowed * early.slope)
        - 0.5 * (iv_annual * escrowed) ** 2 * early.curvature
    ) / DAYS_PER_YEAR
    held = valued.value > np.maximum(_intrinsic(strip, valued.spot), early.surely)
    sign = np.where(strip.is_call, 1.0, -1.0)
    return Greeks(
        price_usd=valued.value,
        delta_per_share=np.where(held, european.delta_per_share + early.slope, sign),
        gamma_per_usd=np.where(held, european.gamma_per_usd + early.curvature, 0.0),
        vega_usd_per_vol_point=np.where(
            held, european.vega_usd_per_vol_point + early.by_vol_point, 0.0
        ),
        theta_usd_per_day=np.where(held, european.theta_usd_per_day + decay, 0.0),
        rho_usd_per_rate_point=european.rho_usd_per_rate_point,
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
