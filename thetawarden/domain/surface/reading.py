"""Reads forwards, volatilities and Greeks off a chain's mids, by the style of its exercise.

Pure. European chains follow put-call parity as it stands. American ones do not: their mids are
first turned into what European options of the same volatility would cost, under the yield found
so far, and parity is fitted to those; a few rounds settle it. The yield then stands for all an
owner of shares receives, dividends of the expiry's life spread evenly over it. Greeks are by the
spot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from thetawarden.domain.market.contracts import ExerciseStyle
from thetawarden.domain.pricing.american import american_greeks
from thetawarden.domain.pricing.american_implied import (
    PRICE_TOLERANCE,
    american_implied_volatility,
)
from thetawarden.domain.pricing.arrays import BoolArray, FloatArray, Floats
from thetawarden.domain.pricing.black import Greeks, black_price, spot_greeks
from thetawarden.domain.pricing.implied import Implied, implied_volatility
from thetawarden.domain.surface.chain import ChainQuotes, matched_rows
from thetawarden.domain.surface.parity import Forwards, RatePrior, StrikePairs, fit_forwards

if TYPE_CHECKING:
    from numpy.typing import NDArray

IV_ERROR_MAX: Final = 1e-10
"""What a volatility may be off by, relative to itself; no quote says it this well."""
_ROUNDS_MAX: Final = 12
_PAIRS_NEAR: Final = 8
_EXACT: Final = 1e-6  # of the spot; a locked market is not known better than this
_IN_ROUNDS: Final = 1e-8  # of the strike; how well a volatility gives its price back meanwhile


class Reading(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Forwards per expiry, volatilities per row."""

    forwards: Forwards
    implied: Implied


def read_mids(quotes: ChainQuotes, *, usable: BoolArray, prior: RatePrior) -> Reading:
    """Forward of every expiry and volatility of every usable mid."""
    call, put = matched_rows(quotes, usable)
    mid = quotes.mid_usd
    forwards = _fit(quotes, call, put, worth_usd=mid, prior=prior)
    if quotes.exercise is ExerciseStyle.AMERICAN:
        pairs = _near_the_money(quotes, call, put)
        forwards = _without_early_exercise(quotes, *pairs, forwards, prior=prior)
    rows = np.flatnonzero(usable)
    iv, codes = np.full(len(mid), np.nan), np.zeros(len(mid), dtype=np.int8)
    found = _implied(quotes, forwards, rows=rows)
    iv[rows], codes[rows] = found.iv_annual, found.reason_code
    return Reading(forwards=forwards, implied=Implied(iv_annual=iv, reason_code=codes))


def row_greeks(quotes: ChainQuotes, forwards: Forwards, *, iv_annual: FloatArray) -> Greeks:
    """Greeks of every row at the volatility given for it."""
    expiry = quotes.expiry_index
    tau = quotes.tau_years[expiry]
    strike, is_call = quotes.strike_usd, quotes.is_call
    if quotes.exercise is ExerciseStyle.EUROPEAN:
        return spot_greeks(
            spot=quotes.spot_usd,
            forward=forwards.forward_usd[expiry],
            strike=strike,
            discount=forwards.discount[expiry],
            tau_years=tau,
            iv_annual=iv_annual,
            is_call=is_call,
        )
    rate, dividends = _rates(quotes, forwards)
    return american_greeks(
        spot=quotes.spot_usd,
        strike=strike,
        tau_years=tau,
        iv_annual=iv_annual,
        rate_annual=rate[expiry],
        yield_annual=dividends[expiry],
        is_call=is_call,
    )


def _fit(
    quotes: ChainQuotes,
    call: NDArray[np.intp],
    put: NDArray[np.intp],
    *,
    worth_usd: FloatArray,
    prior: RatePrior,
) -> Forwards:
    width = quotes.width_usd
    error = np.hypot(width[call], width[put]) / 2.0
    pairs = StrikePairs(
        expiry_index=quotes.expiry_index[put],
        strike_usd=quotes.strike_usd[put],
        call_minus_put_usd=worth_usd[call] - worth_usd[put],
        error_usd=np.maximum(error, _EXACT * quotes.spot_usd),
    )
    return fit_forwards(pairs, tau_years=quotes.tau_years, prior=prior)


def _near_the_money(
    quotes: ChainQuotes, call: NDArray[np.intp], put: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The few pairs of every expiry whose strikes are closest to the spot."""
    expiry = quotes.expiry_index[call]
    away = np.abs(quotes.strike_usd[call] - quotes.spot_usd)
    order = np.lexsort((away, expiry))
    first = np.searchsorted(expiry[order], expiry[order])
    near = order[np.arange(len(order)) - first < _PAIRS_NEAR]
    return call[near], put[near]


def _without_early_exercise(
    quotes: ChainQuotes,
    call: NDArray[np.intp],
    put: NDArray[np.intp],
    forwards: Forwards,
    *,
    prior: RatePrior,
) -> Forwards:
    """The forwards that parity of these pairs gives once early exercise is out of their mids.

    Where noise keeps them from settling, what they still move by is part of their error.
    """
    rows = np.concatenate([call, put])
    iv = before = np.full(len(rows), np.nan)
    for _ in range(_ROUNDS_MAX):
        iv = _implied(quotes, forwards, rows=rows, guess=iv, tolerance=_IN_ROUNDS).iv_annual
        worth = _as_european(quotes, forwards, rows=rows, iv_annual=iv)
        known = ~np.isnan(worth[call] - worth[put])
        last = forwards
        forwards = _fit(quotes, call[known], put[known], worth_usd=worth, prior=prior)
        moved, unknown = np.abs(worth[rows] - before), np.isnan(worth[rows])
        still = moved <= _EXACT * quotes.spot_usd
        if np.all(still | (unknown & np.isnan(before))):
            return forwards
        before = worth[rows]
    off_usd = np.hypot(forwards.forward_error_usd, forwards.forward_usd - last.forward_usd)
    return msgspec.structs.replace(forwards, forward_error_usd=off_usd)


def _as_european(
    quotes: ChainQuotes, forwards: Forwards, *, rows: NDArray[np.intp], iv_annual: FloatArray
) -> FloatArray:
    """What European options of these volatilities would cost; NaN for all other rows."""
    expiry = quotes.expiry_index[rows]
    worth = np.full(len(quotes.strike_usd), np.nan)
    worth[rows] = black_price(
        forward=forwards.forward_usd[expiry],
        strike=quotes.strike_usd[rows],
        discount=forwards.discount[expiry],
        tau_years=quotes.tau_years[expiry],
        iv_annual=iv_annual,
        is_call=quotes.is_call[rows],
    )
    return worth


def _implied(
    quotes: ChainQuotes,
    forwards: Forwards,
    *,
    rows: NDArray[np.intp],
    guess: Floats = np.nan,
    tolerance: float = PRICE_TOLERANCE,
) -> Implied:
    expiry = quotes.expiry_index[rows]
    price, strike = quotes.mid_usd[rows], quotes.strike_usd[rows]
    tau, is_call = quotes.tau_years[expiry], quotes.is_call[rows]
    if quotes.exercise is ExerciseStyle.EUROPEAN:
        return implied_volatility(
            price_usd=price,
            forward=forwards.forward_usd[expiry],
            strike=strike,
            discount=forwards.discount[expiry],
            tau_years=tau,
            is_call=is_call,
            error_max=IV_ERROR_MAX,
        )
    rate, dividends = _rates(quotes, forwards)
    return american_implied_volatility(
        price_usd=price,
        spot=quotes.spot_usd,
        strike=strike,
        tau_years=tau,
        rate_annual=rate[expiry],
        yield_annual=dividends[expiry],
        is_call=is_call,
        guess_annual=guess,
        tolerance=tolerance,
    )


def _rates(quotes: ChainQuotes, forwards: Forwards) -> tuple[FloatArray, FloatArray]:
    """Each expiry's rate and yield, continuously compounded."""
    rate = -np.log(forwards.discount) / quotes.tau_years
    carry = np.log(forwards.forward_usd / quotes.spot_usd) / quotes.tau_years
    return rate, rate - carry
